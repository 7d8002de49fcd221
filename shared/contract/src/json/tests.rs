#![allow(clippy::unwrap_used)]

use model::Content;

use super::{JsonError, decimal, read_content, read_properties, write_content, write_properties};

#[track_caller]
fn reads(number: &str, expected: &str) {
    assert_eq!(decimal(number).map(|decimal| decimal.to_string()).as_deref(), Some(expected), "{number}");
}

#[test]
fn a_number_keeps_every_digit_both_ways() {
    for number in
        ["0.1", "1.10", "-12345678901234567.89", "0.0000000000000000000000000001", "9007199254740993"]
    {
        let json = format!(r#"{{"Amount":{number}}}"#);
        assert_eq!(write_properties(&read_properties(&json).unwrap()), json);
    }
}

#[test]
fn an_exponent_is_the_number_that_it_stands_for() {
    reads("1E3", "1000");
    reads("1.25e+2", "125");
    reads("12.5e1", "125");
    reads("-1.5e-3", "-0.0015");
    reads("15e-1", "1.5");
    reads("0.15e1", "1.5");
    reads("100e-2", "1.00");
    reads("0.001e2", "0.1");
    reads("0e999999999999", "0");
    reads("1e-999999999999", "0");
    reads("1.1368683772161603E-13", "0.0000000000001136868377216160");
}

#[test]
fn a_number_that_cannot_be_held_is_refused_by_its_path() {
    for number in ["1e300", "1e999999999999", "123456789012345678901234567890"] {
        let error = read_properties(&format!(r#"{{"Lines":[{{"Quantity":{number}}}]}}"#)).unwrap_err();
        assert!(matches!(&error, JsonError::Number { path } if path == "Lines.0.Quantity"), "{error:?}");
    }
}

#[test]
fn every_kind_of_content_reads_back() {
    let json = r#"{"A":null,"B":true,"C":-0.50,"D":"a \"quoted\" \\ é\n","E":[1,[],{}],"F":{"G":"x"}}"#;
    let properties = read_properties(json).unwrap();
    assert_eq!(properties["D"], Content::from("a \"quoted\" \\ é\n"));
    assert_eq!(write_properties(&properties), json);
    assert_eq!(write_content(&read_content(" [1.0 , \"\\/\"] ").unwrap()), r#"[1.0,"/"]"#);
}

#[test]
fn what_is_no_record_is_refused() {
    assert!(matches!(read_properties("[1]"), Err(JsonError::NotAnObject { found: "a list" })));
    assert!(matches!(read_properties("<html>"), Err(JsonError::Syntax(_))));
    assert!(matches!(read_properties(r#"{"A":1} x"#), Err(JsonError::Syntax(_))));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read_content(&deep).is_err());
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(matches!(read_content(&deep), Err(JsonError::TooDeep { .. })));
}
