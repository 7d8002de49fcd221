use super::*;

#[test]
fn a_flag_may_be_inverted_in_exact_and_may_be_a_byte_there() {
    let flag = |yes| Content::Boolean(yes);
    let byte = |yes: u8| Content::Number(Decimal::from(yes));
    for yes in [true, false] {
        let value = Value::Boolean(yes);
        assert_both(&Lens::Boolean { inverted: false, byte: false }, &value, &flag(yes), &flag(yes));
        assert_both(&Lens::Boolean { inverted: true, byte: false }, &value, &flag(yes), &flag(!yes));
        assert_both(&Lens::Boolean { inverted: false, byte: true }, &value, &flag(yes), &byte(yes.into()));
        assert_both(&Lens::Boolean { inverted: true, byte: true }, &value, &flag(yes), &byte((!yes).into()));
    }
}

#[test]
fn a_flag_is_read_by_what_is_there() {
    let lens = Lens::Boolean { inverted: false, byte: false };
    assert_eq!(get(&lens, EXACT, &Content::Number(number("1.0"))), Ok(Value::Boolean(true)));
    assert_eq!(get(&lens, EXACT, &Content::Number(number("2"))), Err(LensProblem::Flag));
    for text in ["true", "1", ""] {
        assert!(matches!(get(&lens, EXACT, &content(text)), Err(LensProblem::Kind { .. })), "{text:?}");
    }
}

#[test]
fn a_record_is_in_use_until_its_last_day_is_past() {
    // Today is 22 November 2026.
    for (last, is_active) in [
        (Content::Null, true),
        (content(""), true),
        (content("/Date(1795305600000)/"), true),
        (content("/Date(1795219200000)/"), false),
        (content("2026-11-23T00:00:00"), true),
        (content("/Date(253402214400000)/"), true),
        (content("/Date(-62135596800000)/"), false),
    ] {
        assert_eq!(get(&Lens::ActiveUntil, EXACT, &last), Ok(Value::Boolean(is_active)), "{last:?}");
    }
    for yes in [true, false] {
        assert_eq!(get(&Lens::ActiveUntil, CRM, &Content::Boolean(yes)), Ok(Value::Boolean(yes)));
    }
    assert_eq!(get(&Lens::ActiveUntil, CRM, &Content::Null), Ok(Value::Empty));
    assert!(get(&Lens::ActiveUntil, EXACT, &Content::Boolean(true)).is_err());
}

#[test]
fn a_record_that_goes_out_of_use_ended_yesterday_and_one_in_use_has_no_end() {
    let active = |yes| put(&Lens::ActiveUntil, EXACT, &Value::Boolean(yes));
    assert_eq!(active(false), Ok(content("2026-11-21T00:00:00")));
    assert_eq!(active(true), Ok(Content::Null));
    assert_eq!(put(&Lens::ActiveUntil, CRM, &Value::Boolean(false)), Ok(Content::Boolean(false)));
}

#[test]
fn without_todays_date_nothing_goes_out_of_use() {
    let unknown = Lookups::default();
    assert_eq!(Lens::ActiveUntil.put(EXACT, &Value::Boolean(false), &unknown), Err(LensProblem::Year));
}
