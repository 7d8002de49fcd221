#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use secrecy::SecretString;

use super::{Action, NOTIFICATION_BYTES_MAX, Notification, NotificationError as Refused, is_signed};
use crate::Entity;

const DIVISION: u32 = 441_609;
/// Laid out as Exact lays it out.
const CONTENT: &str = r#"{"Topic":"SalesOrders","ClientId":"63824703-0000-0000-0000-000000000000","Division":441609,"Action":"Update","Key":"19cee073-0000-4000-8000-000000000000","ExactOnlineEndpoint":"https://start.exactonline.be/api/v1/441609/salesorder/SalesOrders(guid'19cee073-0000-4000-8000-000000000000')","EventCreatedOn":"2020-01-06T16:26:08.587"}"#;
/// The hash of [`CONTENT`] under [`secret`], by another program.
const HASH_CODE: &str = "459D774FB2CCAD354567F125516F7B60E724521CF474A02CFFEAB23A12C9A3B8";

fn secret() -> SecretString {
    "webhook-secret".into()
}

fn hash_code(content: &str) -> String {
    use hmac::Mac as _;
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"webhook-secret").unwrap();
    mac.update(content.as_bytes());
    hex::encode_upper(mac.finalize().into_bytes())
}

fn body(content: &str, hash_code: &str) -> String {
    format!(r#"{{"Content":{content},"HashCode":"{hash_code}"}}"#)
}

fn judge(body: &[u8]) -> Result<Notification, Refused> {
    Notification::judge(body, &secret(), DIVISION)
}

/// What becomes of a content that is signed as it should be.
fn signed(content: &str) -> Result<Notification, Refused> {
    judge(body(content, &hash_code(content)).as_bytes())
}

fn told(topic: &str, endpoint: &str, action: &str) -> Result<(&'static str, bool, Action), Refused> {
    let content = format!(
        r#"{{"Topic":"{topic}","Division":{DIVISION},"Action":"{action}","ExactOnlineEndpoint":"https://start.exactonline.nl/api/v1/{DIVISION}/{endpoint}(guid'x')"}}"#
    );
    signed(&content).map(|told| (told.entity.name, told.is_of_line, told.action))
}

#[test]
fn a_notification_signed_by_another_program_is_believed() {
    let told = judge(body(CONTENT, HASH_CODE).as_bytes()).unwrap();
    assert_eq!(told.entity, Entity::named("salesorders").unwrap());
    assert_eq!((told.is_of_line, told.action), (false, Action::Update));
}

#[test]
fn each_topic_leads_to_the_entity_whose_feed_shows_it() {
    let update = Action::Update;
    assert_eq!(told("Accounts", "crm/Accounts", "Update"), Ok(("accounts", false, update)));
    assert_eq!(told("Contacts", "crm/Contacts", "Update"), Ok(("contacts", false, update)));
    assert_eq!(told("Items", "logistics/Items", "Update"), Ok(("items", false, update)));
    assert_eq!(told("Quotations", "crm/Quotations", "Update"), Ok(("quotations", false, update)));
    assert_eq!(told("SalesOrders", "salesorder/SalesOrders", "Update"), Ok(("salesorders", false, update)));
}

#[test]
fn a_line_is_told_by_its_endpoint_under_the_topic_of_its_document() {
    let update = Action::Update;
    assert_eq!(told("Quotations", "crm/QuotationLines", "Update"), Ok(("quotations", true, update)));
    assert_eq!(
        told("SalesOrders", "SalesOrder/salesorderlines", "Update"),
        Ok(("salesorders", true, update))
    );
}

#[test]
fn actions_are_known_in_any_case() {
    for (spelling, action) in
        [("Create", Action::Create), ("UPDATE", Action::Update), ("delete", Action::Delete)]
    {
        assert_eq!(told("Accounts", "crm/Accounts", spelling), Ok(("accounts", false, action)));
    }
    assert_eq!(told("Accounts", "crm/Accounts", "Merge"), Err(Refused::UnknownAction));
}

#[test]
fn what_is_not_kept_is_authentic_and_ignored() {
    for topic in ["SalesItemPrices", "Users", "VATCodes", "Units", "GoodsDeliveries", "accounts"] {
        let refused = told(topic, "crm/Accounts", "Update").unwrap_err();
        assert_eq!(refused, Refused::OtherTopic { topic: topic.to_owned() });
        assert!(refused.is_authentic());
    }
    let other = signed(r#"{"Topic":"Accounts","Division":7,"Action":"Update"}"#);
    assert_eq!(other, Err(Refused::OtherDivision { division: 7 }));
}

#[test]
fn unknown_fields_and_a_missing_time_are_minded_by_nobody() {
    let plain = signed(r#"{"Topic":"Accounts","Division":441609,"Action":"Update"}"#).unwrap();
    let more = r#"{"New":{"a":[1,{}]},"Topic":"Accounts","Division":441609,"Action":"Update"}"#;
    assert_eq!(signed(more), Ok(plain));
    let around = format!(r#"{{"Version":2,"Content":{more},"HashCode":"{}","x":null}}"#, hash_code(more));
    assert_eq!(judge(around.as_bytes()), Ok(plain));
}

#[test]
fn the_hash_is_over_the_bytes_as_they_came_and_not_over_what_they_mean() {
    // The same object in other words: an escape, a blank, another order.
    let (told, same) = (
        r#"{"Topic":"Accounts","Division":441609,"Action":"Update","Key":"\/"}"#,
        r#"{"Topic":"Accounts","Division":441609,"Action":"Update","Key":"/"}"#,
    );
    assert!(signed(told).is_ok());
    assert_eq!(judge(body(told, &hash_code(same)).as_bytes()), Err(Refused::Forged));
    assert_eq!(judge(body(same, &hash_code(told)).as_bytes()), Err(Refused::Forged));
}

#[test]
fn a_hash_that_is_not_exactly_the_right_one_is_forged() {
    let one_off = HASH_CODE.replacen('4', "5", 1);
    let lower = HASH_CODE.to_ascii_lowercase();
    for wrong in ["", "0", &one_off, &lower, &HASH_CODE[..62], &format!("{HASH_CODE}00")] {
        assert_eq!(judge(body(CONTENT, wrong).as_bytes()), Err(Refused::Forged), "{wrong}");
    }
    let other = Notification::judge(body(CONTENT, HASH_CODE).as_bytes(), &"other".into(), DIVISION);
    assert_eq!(other, Err(Refused::Forged));
}

#[test]
fn bodies_that_are_no_notification_are_named_as_what_they_are() {
    let good = body(CONTENT, HASH_CODE);
    let not_one: [&[u8]; 9] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        &good.as_bytes()[..good.len() - 1],
        br#"{"Content":{}}"#,
        br#"{"Content":{},"HashCode":7}"#,
        // Of two contents nobody can say which one is signed.
        br#"{"Content":{},"Content":{},"HashCode":""}"#,
        br#"{"Content":{},"HashCode":"","HashCode":""}"#,
    ];
    for body in not_one {
        assert_eq!(judge(body), Err(Refused::NotANotification), "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(judge(&[b'{', 0xff, b'}']), Err(Refused::NotText));
    assert_eq!(judge(&vec![b' '; NOTIFICATION_BYTES_MAX + 1]), Err(Refused::TooLarge));
    for content in ["{}", "7", "[]", r#"{"Topic":"Accounts","Division":"441609","Action":"Update"}"#] {
        assert_eq!(signed(content), Err(Refused::Incomplete), "{content}");
    }
    let twice = r#"{"Topic":"Accounts","Topic":"Items","Division":441609,"Action":"Update"}"#;
    assert_eq!(signed(twice), Err(Refused::Incomplete));
}

#[test]
fn only_what_is_signed_is_authentic() {
    for refused in [Refused::TooLarge, Refused::NotText, Refused::NotANotification, Refused::Forged] {
        assert!(!refused.is_authentic(), "{refused}");
    }
    for refused in [Refused::Incomplete, Refused::UnknownAction, Refused::OtherDivision { division: 1 }] {
        assert!(refused.is_authentic(), "{refused}");
    }
}

#[test]
fn a_deeply_nested_body_is_refused_without_harm() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    assert!(judge(body(&deep, HASH_CODE).as_bytes()).is_err());
    assert!(signed(&deep).is_err());
    assert!(judge("{\"Content\":".repeat(5_000).as_bytes()).is_err());
}

/// JSON with what deceives a reader that looks for braces: quotes, braces and backslashes in texts.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(r#"}","HashCode":"00"}"#.to_owned()),
        Just(r#"{"Content":{"#.to_owned()),
        Just("\\".to_owned()),
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn no_body_of_any_bytes_is_believed_or_does_harm(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(judge(&bytes).is_err_and(|refused| !refused.is_authentic()));
    }

    #[test]
    fn no_part_of_a_notification_is_one(end in 0..225_usize) {
        let whole = body(CONTENT, HASH_CODE);
        prop_assert!(judge(&whole.as_bytes()[..end]).is_err());
    }

    #[test]
    fn one_changed_byte_of_the_content_is_never_believed(at in 0..CONTENT.len(), to: u8) {
        let whole = body(CONTENT, HASH_CODE);
        let mut changed = whole.clone().into_bytes();
        let place = whole.find(CONTENT).unwrap() + at;
        prop_assume!(changed[place] != to);
        changed[place] = to;
        prop_assert!(judge(&changed).is_err_and(|refused| !refused.is_authentic()));
    }

    #[test]
    fn whatever_its_texts_hold_a_signed_content_is_found_whole(key in text(), more in text()) {
        let content = serde_json::json!({
            "Topic": "Accounts", "Division": DIVISION, "Action": "Create", "Key": key, "More": { more: "}" },
        });
        let told = signed(&content.to_string());
        prop_assert_eq!(told.map(|told| told.action), Ok(Action::Create));
    }

    #[test]
    fn the_hash_under_another_secret_is_never_taken(secret in "[ -~]{0,40}") {
        prop_assume!(secret != "webhook-secret");
        prop_assert!(!is_signed(CONTENT, HASH_CODE, &secret.into()));
    }
}
