use super::*;

fn lookup(list: List, holds: Holds) -> Lens {
    Lens::Lookup { list, holds }
}

#[test]
fn a_code_of_a_list_is_the_same_code_on_both_sides() {
    assert_both(&lookup(List::PaymentConditions, Holds::Code), &value("30"), &content("30"), &content("30"));
    let read = get(&lookup(List::PaymentConditions, Holds::Code), EXACT, &content(" 30  "));
    assert_eq!(read, Ok(value("30")), "Exact pads some codes");
}

#[test]
fn a_code_that_the_list_does_not_have_is_refused_by_name_and_told_where_to_add_it() {
    let lens = lookup(List::PaymentConditions, Holds::Code);
    let told = put(&lens, EXACT, &value("31")).unwrap_err().to_string();
    assert_eq!(
        told,
        "holds the code \"31\", which Exact's payment conditions do not have: add it there, or choose one of them"
    );
    assert_eq!(put(&lens, CRM, &value("31")), Ok(content("31")), "the CRM keeps lists of its own");
    let hostile = "\u{202e}31\n".repeat(50);
    let told = put(&lens, EXACT, &value(&hostile)).unwrap_err().to_string();
    assert!(told.len() < 500 && !told.contains(['\u{202e}', '\n']), "{told:?}");
}

#[test]
fn codes_of_a_list_that_has_not_been_read_are_not_judged() {
    assert_both(&lookup(List::VatCodes, Holds::Code), &value("4"), &content("4"), &content("4"));
}

#[test]
fn where_exact_holds_an_entrys_id_the_crm_holds_its_code() {
    let lens = lookup(List::ItemGroups, Holds::Id);
    assert_both(&lens, &value("SRV"), &content("SRV"), &content("6f1e-a1"));
    assert_eq!(get(&lens, EXACT, &content("6F1E-A1")), Ok(value("SRV")));
    let unknown = LensProblem::UnknownEntry { list: List::ItemGroups };
    assert_eq!(get(&lens, EXACT, &content("6f1e-a2")), Err(unknown));
    assert!(put(&lens, EXACT, &value("NEW")).unwrap_err().to_string().contains("\"NEW\""));
}

#[test]
fn an_entrys_id_waits_for_its_list() {
    let lens = lookup(List::Units, Holds::Id);
    let problem = LensProblem::UnreadList { list: List::Units };
    assert_eq!(get(&lens, EXACT, &content("6f1e-a1")), Err(problem.clone()));
    assert_eq!(put(&lens, EXACT, &value("pc")), Err(problem.clone()));
    assert!(
        problem.to_string().contains("units") && problem.to_string().contains("not been read"),
        "{problem}"
    );
    assert_eq!(get(&lens, CRM, &content("pc")), Ok(value("pc")));
}

#[test]
fn every_list_is_found_again_by_its_name() {
    for list in List::ALL {
        assert_eq!(List::from_name(list.name()), Some(list));
    }
    assert_eq!(List::from_name("Units"), None);
}
