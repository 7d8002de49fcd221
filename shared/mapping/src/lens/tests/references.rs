use model::Reference;

use super::*;

#[test]
fn a_reference_is_the_link_of_both_records() {
    let lens = Lens::Reference { pair: pair() };
    let link = LinkId::begun_by(CRM, &RecordId::parse("c5").unwrap());
    assert_both(&lens, &Value::Reference(Reference::Linked(link)), &content("c5"), &content("71b9c1d2"));
    assert_eq!(lens.need(&content("c5")).map(|need| need.record.to_string()), Some("c5".to_owned()));
    assert_eq!(lens.need(&Content::Null), None);
}

#[test]
fn a_record_without_a_partner_is_a_reference_that_can_not_be_written_yet() {
    let lens = Lens::Reference { pair: pair() };
    let value = get(&lens, EXACT, &content("other")).unwrap();
    assert!(value.is_unresolved());
    assert_eq!(put(&lens, CRM, &value), Err(LensProblem::Unresolved));
    let gone = Value::Reference(Reference::Linked(LinkId::begun_by(CRM, &RecordId::parse("c9").unwrap())));
    assert_eq!(put(&lens, CRM, &gone), Err(LensProblem::Unresolved));
}

#[test]
fn an_id_that_can_be_none_is_told() {
    for lens in [Lens::Reference { pair: pair() }, Lens::Person] {
        for id in ["a\u{0}b", "x".repeat(300).as_str()] {
            assert_eq!(get(&lens, EXACT, &content(id)), Err(LensProblem::Id), "{lens:?}");
        }
    }
}

#[test]
fn a_user_is_the_person_with_this_address_in_both_directories() {
    let eva = Value::Reference(Reference::Person("eva@example.com".to_owned()));
    assert_both(&Lens::Person, &eva, &content("u3"), &content("guid-7"));
    for unknown in ["u4", "u9"] {
        let value = get(&Lens::Person, CRM, &content(unknown)).unwrap();
        assert!(value.is_unresolved(), "{unknown}");
        assert_eq!(put(&Lens::Person, EXACT, &value), Err(LensProblem::UnknownPerson));
    }
}
