//! The promises of the client, against a strict simulator of the API.
#![allow(clippy::unwrap_used)]

mod styles;

use std::{collections::BTreeSet, time::Duration};

use contract::json::{read_content, read_properties};
use jiff::Timestamp;
use mapping::Put;
use model::{ConnectionName, Content, FailureClass, Presence, Properties, Record, RecordId, Version};
use simulator_customcrm::{Effect, Fault, Limits, Running, Simulator};
use store::Embedded;

use crate::{ChangesCursor, CustomCrm, Declaration, Error, Settings};

type Client = CustomCrm<Embedded>;

async fn started() -> (Running, Client) {
    let running = Simulator::start(simulator_customcrm::Settings::default()).await.unwrap();
    let client = client(&settings(&running)).unwrap();
    (running, client)
}

fn client(settings: &Settings) -> Result<Client, Error> {
    let connection = ConnectionName::parse("acme").unwrap();
    CustomCrm::new(settings, Declaration::default_api(), Embedded::in_memory().unwrap(), "test", &connection)
}

fn settings(running: &Running) -> Settings {
    Settings::new(running.base_url.parse().unwrap(), running.api_token.clone().into())
}

fn properties(json: &str) -> Properties {
    read_properties(json).unwrap()
}

fn put(json: &str) -> Put {
    Put { properties: properties(json), lines: Vec::new() }
}

fn id(text: &str) -> RecordId {
    RecordId::parse(text).unwrap()
}

/// Reads until nothing more is there; gives the ids in order and the last cursor.
async fn drained(client: &Client, mut cursor: ChangesCursor, limit: u32) -> (Vec<String>, ChangesCursor) {
    let mut seen = Vec::new();
    loop {
        let page = client.changes("customers", &cursor, limit).await.unwrap();
        seen.extend(page.records.iter().map(|record| record.id.to_string()));
        cursor = page.next.to_string().parse().unwrap();
        if !page.more {
            return (seen, cursor);
        }
    }
}

#[tokio::test]
async fn an_amount_keeps_every_digit_both_ways() {
    let (_running, client) = started().await;
    let sent = properties(r#"{"Name":"Acme","AnnualRevenue":12345678901234567.89,"CreditLimit":0.10}"#);
    let created = client.create("customers", &sent, "k1").await.unwrap();
    let read = client.record("customers", &created.id).await.unwrap();
    for (name, expected) in [("AnnualRevenue", "12345678901234567.89"), ("CreditLimit", "0.1")] {
        let Content::Number(number) = &read.properties[name] else { panic!("{name} is no number") };
        assert_eq!(number.normalize().to_string(), expected);
    }
    assert_eq!(created, read);
}

/// The lines of a document, each as its members.
fn lines(record: &Record) -> Vec<&Properties> {
    let Content::List(lines) = &record.properties["Lines"] else { panic!("{record:?}") };
    lines.iter().map(members).collect()
}

fn members(content: &Content) -> &Properties {
    let Content::Object(members) = content else { panic!("{content:?}") };
    members
}

#[tokio::test]
async fn lines_keep_their_ids_their_order_and_every_digit_both_ways() {
    let (running, client) = started().await;
    running.control.seed("customers", [r#"{"Id":"c1","Name":"Acme"}"#]).unwrap();
    running.control.seed("products", [r#"{"Id":"p1","Code":"A","Name":"Anchor"}"#]).unwrap();
    let sent = properties(
        r#"{"CustomerId":"c1","OrderNumber":"7","Lines":[
            {"ProductId":"p1","Quantity":12345678901234567890.12345678,"Description":"\u0007 \u05d0 \ud83d\udea2"},
            {"ProductId":"p1","Quantity":-0.10,"UnitPrice":0.0000000000000000000000000001}]}"#,
    );
    let created = client.create("orders", &sent, "k1").await.unwrap();
    let numbers = |record: &Record, name: &str| -> Vec<Content> {
        lines(record).iter().map(|line| line[name].clone()).collect()
    };
    let exact = |text: &str| Content::Number(text.parse().unwrap());
    assert_eq!(numbers(&created, "Quantity"), [exact("12345678901234567890.12345678"), exact("-0.1")]);
    assert_eq!(lines(&created)[1]["UnitPrice"], exact("0.0000000000000000000000000001"));
    assert_eq!(lines(&created)[0]["Description"], Content::from("\u{7} \u{5d0} \u{1f6a2}"));

    let ids = numbers(&created, "LineId");
    let change = |members: &str, id: &Content| {
        let Content::Object(mut line) = read_content(members).unwrap() else { panic!("{members}") };
        line.insert("LineId".to_owned(), id.clone());
        Content::Object(line)
    };
    let list = vec![
        change(r#"{"Deleted":true}"#, &ids[0]),
        change(r#"{"Quantity":0.30}"#, &ids[1]),
        read_content(r#"{"ProductId":"p1","Quantity":99999999999999999999.5}"#).unwrap(),
    ];
    let patch = Properties::from([("Lines".to_owned(), Content::List(list))]);
    let updated = client
        .update(
            "orders",
            &created.id,
            created.version.unwrap(),
            &Put { properties: patch, lines: Vec::new() },
        )
        .await
        .unwrap();
    assert_eq!(numbers(&updated, "Quantity"), [exact("0.3"), exact("99999999999999999999.5")]);
    assert_eq!(numbers(&updated, "LineId")[0], ids[1]);

    let read = client.record("orders", &created.id).await.unwrap();
    let listed = client.changes("orders", &ChangesCursor::start(), 500).await.unwrap().records;
    let found = client.search("orders", &[("OrderNumber", &Content::from("7"))]).await.unwrap();
    assert_eq!((&read, &listed[..], &found[..]), (&updated, &[updated.clone()][..], &[updated.clone()][..]));
}

#[tokio::test]
async fn a_refused_line_is_named_by_its_place() {
    let (running, client) = started().await;
    running.control.seed("customers", [r#"{"Id":"c1","Name":"Acme"}"#]).unwrap();
    running.control.seed("products", [r#"{"Id":"p1","Code":"A","Name":"Anchor"}"#]).unwrap();
    let sent =
        properties(r#"{"CustomerId":"c1","Lines":[{"ProductId":"p1","Quantity":1},{"ProductId":"p1"}]}"#);
    let refused = client.create("orders", &sent, "k1").await.unwrap_err();
    assert_eq!(refused.class(), FailureClass::Rejected);
    assert!(refused.to_string().contains("Lines[1].Quantity is required"), "{refused}");
}

#[tokio::test]
async fn a_search_finds_what_meets_every_condition() {
    let (running, client) = started().await;
    running.control.seed("customers", [r#"{"Id":"c1","Name":"A"}"#, r#"{"Id":"c2","Name":"B"}"#]).unwrap();
    let contact = |id: &str, customer: &str, email: &str| {
        format!(r#"{{"Id":"{id}","CustomerId":"{customer}","LastName":"Vos","Email":"{email}"}}"#)
    };
    let odd = "a&filter[CustomerId]=c2+%\u{1f6a2}#@x.example";
    let contacts = [contact("k1", "c1", odd), contact("k2", "c2", odd), contact("k3", "c1", "b@x.example")];
    running.control.seed("contacts", contacts).unwrap();
    for (conditions, expected) in [
        (&[("Email", odd)][..], &["k1", "k2"][..]),
        (&[("CustomerId", "C1")], &["k1", "k3"]),
        (&[("Email", odd), ("CustomerId", "c1")], &["k1"]),
        (&[("CustomerId", "c2"), ("Email", "B@x.example")], &[]),
        (&[], &["k1", "k2", "k3"]),
    ] {
        let conditions: Vec<(&str, Content)> =
            conditions.iter().map(|(name, value)| (*name, Content::from(*value))).collect();
        let conditions: Vec<(&str, &Content)> =
            conditions.iter().map(|(name, value)| (*name, value)).collect();
        let found = client.search("contacts", &conditions).await.unwrap();
        let mut ids: Vec<&str> = found.iter().map(|record| record.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, expected, "{conditions:?}");
    }
    let unknown = client.search("contacts", &[("LastName", &Content::from("Vos"))]).await.unwrap_err();
    assert_eq!(unknown.class(), FailureClass::Rejected);
}

#[tokio::test]
async fn records_say_who_changed_them_and_which_version_they_are() {
    let (running, client) = started().await;
    let created = client.create("customers", &properties(r#"{"Name":"Acme"}"#), "k1").await.unwrap();
    assert_eq!(client.me().await.unwrap().as_str(), running.api_user_id);
    assert_eq!(created.modified_by, Some(client.me().await.unwrap()));
    let changed = client
        .update("customers", &created.id, created.version.unwrap(), &put(r#"{"City":"Gent"}"#))
        .await
        .unwrap();
    assert!(changed.version > created.version && changed.modified_at.is_some());
    assert_eq!(changed.properties["Name"], Content::from("Acme"));
}

#[tokio::test]
async fn ties_and_page_borders_lose_nothing() {
    let (running, client) = started().await;
    let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    running.control.freeze_clock(Some(noon));
    let names: Vec<String> = (0..25).map(|number| format!(r#"{{"Id":"c{number}","Name":"N"}}"#)).collect();
    running.control.seed("customers", &names).unwrap();
    let (seen, cursor) = drained(&client, ChangesCursor::start(), 4).await;
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 25);
    assert_eq!(seen.len(), 25);

    // One more at the very same millisecond, and then the clock is set back within the overlap.
    running.control.seed("customers", [r#"{"Id":"a-tie","Name":"N"}"#]).unwrap();
    let (seen, cursor) = drained(&client, cursor, 4).await;
    assert_eq!(seen, ["a-tie"]);
    running.control.freeze_clock(Some("2026-11-22T11:59:58.500Z".parse().unwrap()));
    running.control.seed("customers", [r#"{"Id":"set-back","Name":"N"}"#]).unwrap();
    let (seen, cursor) = drained(&client, cursor, 4).await;
    assert_eq!(seen, ["set-back"]);
    assert_eq!(drained(&client, cursor, 4).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn a_deleted_record_is_seen_as_deleted() {
    let (running, client) = started().await;
    running.control.seed("customers", [r#"{"Id":"c1","Name":"Acme"}"#]).unwrap();
    let (_, cursor) = drained(&client, ChangesCursor::start(), 500).await;
    delete(&running, "customers/c1").await;
    let page = client.changes("customers", &cursor, 500).await.unwrap();
    assert_eq!((page.records.len(), page.records[0].presence), (1, Presence::Deleted));
    assert!(page.records[0].properties.is_empty() && page.records[0].version > Some(Version(1)));
    assert_eq!(client.record("customers", &id("c1")).await.unwrap().presence, Presence::Deleted);
    let never = client.record("customers", &id("c2")).await.unwrap_err();
    assert_eq!(never.class(), FailureClass::Gone);
    let patch = client.update("customers", &id("c1"), Version(1), &put(r#"{"City":"X"}"#)).await;
    assert_eq!(patch.unwrap_err().class(), FailureClass::Gone);
}

async fn delete(running: &Running, path: &str) {
    let url = format!("{}/{path}", running.base_url);
    let answer = reqwest::Client::new().delete(url).bearer_auth(&running.human_token).send().await.unwrap();
    assert!(answer.status().is_success());
}

#[tokio::test]
async fn a_lost_answer_is_ambiguous_and_the_same_key_makes_no_second_record() {
    let (running, client) = started().await;
    running.control.add_fault(Fault::next(Effect::LoseAnswer).on("POST", "customers"));
    let sent = properties(r#"{"Name":"Acme","CustomerNumber":"25"}"#);
    let lost = client.create("customers", &sent, "k1").await.unwrap_err();
    assert_eq!(lost.class(), FailureClass::Ambiguous, "{lost:?}");
    let found = client.search("customers", &[("CustomerNumber", &Content::from("25"))]).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(client.create("customers", &sent, "k1").await.unwrap().id, found[0].id);
    assert_eq!(running.control.counts().records["customers"], 1);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_ambiguous_for_a_write_only() {
    let (running, _) = started().await;
    let client =
        self::client(&Settings { timeout: Duration::from_millis(100), ..settings(&running) }).unwrap();
    running.control.add_fault(Fault::next(Effect::Delay(Duration::from_mins(1))).times(2));
    let write = client.create("customers", &properties(r#"{"Name":"Acme"}"#), "k1").await.unwrap_err();
    assert_eq!(write.class(), FailureClass::Ambiguous, "{write:?}");
    assert_eq!(client.me().await.unwrap_err().class(), FailureClass::Transient);
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_transient_even_for_a_write() {
    let (running, client) = started().await;
    running.stop().await;
    let error = client.create("customers", &properties(r#"{"Name":"Acme"}"#), "k1").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert_eq!(error.class(), FailureClass::Transient);
}

#[tokio::test]
async fn a_write_over_what_was_not_seen_is_stale_and_changes_nothing() {
    let (_running, client) = started().await;
    let created = client.create("customers", &properties(r#"{"Name":"Acme"}"#), "k1").await.unwrap();
    let seen = created.version.unwrap();
    client.update("customers", &created.id, seen, &put(r#"{"City":"Gent"}"#)).await.unwrap();
    let stale = client.update("customers", &created.id, seen, &put(r#"{"City":"Ulm"}"#)).await;
    assert_eq!(stale.unwrap_err().class(), FailureClass::Stale);
    let now = client.record("customers", &created.id).await.unwrap();
    assert_eq!(now.properties["City"], Content::from("Gent"));
}

#[tokio::test]
async fn a_taken_value_names_the_record_that_holds_it() {
    let (running, client) = started().await;
    running.control.seed("customers", [r#"{"Id":"c1","Name":"Acme","CustomerNumber":"K-7"}"#]).unwrap();
    let sent = properties(r#"{"Name":"Other","CustomerNumber":"k-7"}"#);
    let error = client.create("customers", &sent, "k1").await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Rejected);
    assert_eq!(error.duplicate_of(), Some(&id("c1")));
    let refused = client.create("customers", &properties("{}"), "k2").await.unwrap_err();
    assert_eq!((refused.class(), refused.duplicate_of()), (FailureClass::Rejected, None));
    assert!(refused.to_string().contains("Name is required"), "{refused}");
}

#[tokio::test]
async fn a_limit_is_told_with_its_wait_and_a_failing_crm_by_what_it_failed_at() {
    let (running, client) = started().await;
    running.control.add_fault(Fault::next(Effect::Throttle(17)));
    let throttled = client.me().await.unwrap_err();
    assert_eq!(throttled.class(), FailureClass::Throttled { after: Duration::from_secs(17) });
    running.control.add_fault(Fault::next(Effect::FailBefore(503)).times(2));
    assert_eq!(client.me().await.unwrap_err().class(), FailureClass::Transient);
    let write = client.create("customers", &properties(r#"{"Name":"Acme"}"#), "k1").await.unwrap_err();
    assert_eq!(write.class(), FailureClass::Ambiguous);
    running.control.set_limits(Limits { calls: 1, window: Duration::from_mins(1) }).unwrap();
    client.me().await.unwrap();
    let Error::Throttled { after } = client.me().await.unwrap_err() else { panic!("not throttled") };
    assert!((50..=60).contains(&after.as_secs()), "{after:?}");
}

#[tokio::test]
async fn a_revoked_token_stops_the_connection_and_is_never_told() {
    let (running, client) = started().await;
    running.control.revoke_token(&running.api_token).unwrap();
    let error = client.me().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Auth);
    assert!(!format!("{error:?} {client:?}").contains(&running.api_token));
}

#[tokio::test]
async fn all_users_are_read_and_an_id_may_hold_any_character() {
    let (running, client) = started().await;
    let users: Vec<String> =
        (0..1_001).map(|number| format!(r#"{{"Email":"u{number}@crm.example"}}"#)).collect();
    running.control.seed("users", &users).unwrap();
    let all = client.users().await.unwrap();
    assert_eq!(all.len(), 1_003);
    assert!(all.iter().any(|(_, email)| email.as_deref() == Some("u1000@crm.example")));
    let odd = client.record("customers", &id("a/../b?c#d%")).await.unwrap_err();
    assert_eq!(odd.class(), FailureClass::Gone);
}

#[tokio::test]
async fn what_is_not_the_api_is_no_empty_crm() {
    let (running, _) = started().await;
    let url = running.base_url.replace("/api/v1", "/elsewhere").parse().unwrap();
    let client = self::client(&Settings { url, ..settings(&running) }).unwrap();
    assert!(client.changes("customers", &ChangesCursor::start(), 10).await.is_err());
    let small = self::client(&Settings { body_bytes_max: 10, ..settings(&running) }).unwrap();
    assert!(matches!(small.me().await, Err(Error::TooLarge { bytes_max: 10 })));
    let nobody = Settings { secret: String::new().into(), ..settings(&running) };
    let refused = self::client(&nobody).unwrap_err();
    assert!(refused.to_string().contains("add token_file"), "{refused}");
    let ftp = Settings { url: "ftp://crm.example".parse().unwrap(), ..settings(&running) };
    assert!(matches!(self::client(&ftp), Err(Error::Settings { .. })));
}
