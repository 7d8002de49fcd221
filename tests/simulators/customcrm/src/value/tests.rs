#![allow(clippy::unwrap_used)]

use super::*;

fn written(kind: Kind, json: &str) -> String {
    let mut out = String::new();
    Value::read(kind, json).unwrap().unwrap().write(&mut out);
    out
}

#[test]
fn a_decimal_is_written_as_it_was_read() {
    for json in ["0.1", "12.50", "-3", "1234567890123456789012345.678", "0.0000000000000000000000000001"] {
        assert_eq!(written(Kind::Decimal, json), json);
    }
}

#[test]
fn an_exponent_loses_no_digit() {
    assert_eq!(written(Kind::Decimal, "1.25e3"), "1250.00");
    assert_eq!(written(Kind::Decimal, "5E-3"), "0.005");
    assert_eq!(written(Kind::Decimal, "0e999999999"), "0");
}

#[test]
fn a_decimal_that_would_be_rounded_is_refused() {
    for json in [
        "0.12345678901234567890123456789",
        "1.2345678901234567890123456789",
        "10000000000000000000000000000",
        "1e28",
        "1e-29",
        "99999999999999999999999999999999",
    ] {
        assert!(Value::read(Kind::Decimal, json).is_err(), "{json}");
    }
}

#[test]
fn a_date_is_a_day_of_the_calendar_in_one_form() {
    assert_eq!(written(Kind::Date, "\"2028-02-29\""), "\"2028-02-29\"");
    for json in ["\"2027-02-29\"", "\"20270201\"", "\"2027-02-01T00:00:00\"", "\"1-2-2027\"", "20270201"] {
        assert!(Value::read(Kind::Date, json).is_err(), "{json}");
    }
}

#[test]
fn a_time_is_kept_in_utc_and_milliseconds() {
    assert_eq!(
        written(Kind::Timestamp, "\"2026-11-22T10:00:00.1239+02:00\""),
        "\"2026-11-22T08:00:00.123Z\""
    );
    for text in [
        "2026-11-22",
        "2026-11-22 10:00:00Z",
        "2026-11-22T10:00:00",
        "2026-11-22T10:00:00Z[UTC]",
        "1795341600",
    ] {
        assert_eq!(read_time(text), None, "{text}");
    }
}

#[test]
fn text_is_measured_in_characters_and_long_text_in_bytes() {
    let text = |count: usize| format!("\"{}\"", "é".repeat(count));
    assert!(Value::read(Kind::Text, &text(255)).is_ok());
    assert!(Value::read(Kind::Text, &text(256)).is_err());
    assert!(Value::read(Kind::LongText, &text(32 * 1024)).is_ok());
    assert!(Value::read(Kind::LongText, &text(32 * 1024 + 1)).is_err());
}
