use super::*;

fn decimal(factor: &str, places: u32) -> Lens {
    Lens::Decimal { factor: number(factor), places }
}

fn written(text: &str) -> Content {
    Content::Number(number(text))
}

fn read(text: &str) -> Value {
    Value::Decimal(number(text))
}

#[test]
fn a_per_cent_is_a_fraction_in_exact_to_the_last_digit() {
    let per_cent = decimal("0.01", 10);
    for (crm, exact) in [
        ("5.5", "0.055"),
        ("12345678901234567.89", "123456789012345.6789"),
        ("1e-9", "1e-11"),
        ("-100", "-1"),
        ("0", "0"),
    ] {
        assert_both(&per_cent, &read(crm), &written(crm), &written(exact));
    }
}

#[test]
fn trailing_zeros_say_nothing() {
    for text in ["1.10", "1.1", "1.1000000000000000000000000000"] {
        let Ok(Value::Decimal(read)) = get(&decimal("1", 4), CRM, &written(text)) else { panic!("{text}") };
        assert_eq!(read.to_string(), "1.1");
    }
    let Ok(Value::Decimal(zero)) = get(&decimal("1", 4), CRM, &written("-0.00")) else { panic!() };
    assert_eq!(zero.to_string(), "0");
}

#[test]
fn a_number_is_rounded_to_its_places_half_away_from_zero() {
    for (written_as, read_as) in
        [("0.125", "0.13"), ("0.135", "0.14"), ("-0.125", "-0.13"), ("0.1249", "0.12")]
    {
        for system in System::BOTH {
            assert_eq!(
                get(&decimal("1", 2), system, &written(written_as)),
                Ok(read(read_as)),
                "{written_as}"
            );
        }
        assert_eq!(put(&decimal("1", 2), EXACT, &read(written_as)), Ok(written(read_as)));
    }
}

#[test]
fn a_number_that_exact_could_not_give_back_is_refused() {
    let huge = Value::Decimal(Decimal::MAX);
    assert_eq!(put(&decimal("100", 2), EXACT, &huge), Err(LensProblem::Number));
    assert_eq!(put(&decimal("0.01", 28), EXACT, &read("1e-28")), Err(LensProblem::Number));
    assert_eq!(put(&decimal("1.0000000001", 0), EXACT, &huge), Err(LensProblem::Number));
    assert_eq!(get(&decimal("0.01", 2), EXACT, &Content::Number(Decimal::MAX)), Err(LensProblem::Number));
}

#[test]
fn a_text_is_no_number() {
    for system in System::BOTH {
        let problem = get(&decimal("1", 2), system, &content("12.50")).unwrap_err();
        assert_eq!(problem.to_string(), "holds a text where a number belongs");
    }
}

#[test]
fn a_whole_number_may_be_a_text_in_the_crm() {
    let (plain, as_text) = (Lens::Integer { text: false }, Lens::Integer { text: true });
    assert_both(&plain, &read("1700"), &written("1700"), &written("1700"));
    assert_both(&as_text, &read("1700"), &content("1700"), &written("1700"));
    assert_eq!(get(&as_text, CRM, &content(" 0017 ")), Ok(read("17")));
    assert_eq!(get(&as_text, EXACT, &content("9223372036854775807")), Ok(read("9223372036854775807")));
    assert_eq!(put(&as_text, CRM, &read("-12.000")), Ok(content("-12")));
}

#[test]
fn what_is_no_whole_number_is_told() {
    let lens = Lens::Integer { text: true };
    for text in ["ORD-17", "1.0", "1e3", "+1", "٢", "--1", "-", "9".repeat(40).as_str()] {
        assert_eq!(get(&lens, CRM, &content(text)), Err(LensProblem::NotWhole), "{text:?}");
    }
    assert_eq!(get(&lens, EXACT, &written("1.5")), Err(LensProblem::NotWhole));
    assert_eq!(put(&lens, EXACT, &read("1.5")), Err(LensProblem::NotWhole));
    assert_eq!(get(&lens, EXACT, &written("15.00")), Ok(read("15")));
}
