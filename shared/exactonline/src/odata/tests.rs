#![allow(clippy::unwrap_used)]

use jiff::SignedDuration;
use model::{Content, Version};

use super::{guid_literal, page, record, text_literal};

#[test]
fn literals_can_not_end_early() {
    assert_eq!(text_literal("O'Neil' or 1 eq 1"), "'O''Neil'' or 1 eq 1'");
    let guid = "71B9C4A0-0F4B-4D0C-8B6D-0123456789AB";
    assert_eq!(guid_literal(guid).unwrap(), "guid'71b9c4a0-0f4b-4d0c-8b6d-0123456789ab'");
    assert_eq!(guid_literal("x' or true"), None);
}

#[test]
fn all_three_envelopes_are_read() {
    let list = page(r#"{"d":{"results":[{"ID":"a"},{"ID":"b"}],"__next":"https:\/\/x\/y"}}"#).unwrap();
    assert_eq!((list.records.len(), list.next.as_deref()), (2, Some("https://x/y")));
    assert_eq!(page(r#"{"d":[{"ID":"a"}]}"#).unwrap().records.len(), 1);
    assert_eq!(page(r#"{ "d" : {"ID":"a"}}"#).unwrap().records[0].get(), r#"{"ID":"a"}"#);
    assert_eq!(page(r#"{"d":{"results":[]}}"#).unwrap().records.len(), 0);
    assert!(page("<html>Object moved</html>").is_err());
}

#[test]
fn a_row_version_may_be_a_number_or_a_text_and_loses_no_digit() {
    for timestamp in ["9007199254740993", "\"9007199254740993\""] {
        let json = format!(r#"{{"__metadata":{{}},"ID":"a","Timestamp":{timestamp}}}"#);
        let record = record(&json, "ID", None).unwrap();
        assert_eq!(record.version, Some(Version(9_007_199_254_740_993)));
        assert!(!record.properties.contains_key("__metadata"));
    }
}

#[test]
fn a_date_is_kept_as_text_and_the_change_is_told_in_utc() {
    let json = r#"{"ID":"a","Modified":"\/Date(1731320070997)\/"}"#;
    let told = record(json, "ID", Some(SignedDuration::from_hours(1))).unwrap();
    assert_eq!(told.modified_at.unwrap().as_millisecond(), 1_731_320_070_997 - 3_600_000);
    assert_eq!(told.properties["Modified"], Content::from("/Date(1731320070997)/"));
    assert_eq!(record(json, "ID", None).unwrap().modified_at, None);
    assert!(record(json, "OrderID", None).is_err());
}
