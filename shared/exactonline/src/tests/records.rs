use std::{collections::BTreeSet, time::Duration};

use jiff::SignedDuration;
use model::{Content, FailureClass, Presence, RecordId};
use rust_decimal::Decimal;
use simulator_exactonline::{Fault, FaultKind, Limits};
use store::Embedded;
use uuid::Uuid;

use super::{ACCOUNTS, Company, properties};
use crate::{
    ChangesCursor, Error, ExactOnline, Feed, Priority, Reason, Settings, guid_literal, text_literal,
};

const FEED: Feed = Feed { path: "CRM/Accounts", key: "ID" };

/// Reads until nothing more is there; gives the ids in order and the last cursor.
async fn drained(client: &ExactOnline<Embedded>, mut cursor: ChangesCursor) -> (Vec<String>, ChangesCursor) {
    let mut seen = Vec::new();
    loop {
        let page = client.changes(FEED, &["Name"], &cursor, Priority::Read).await.unwrap();
        seen.extend(page.records.iter().map(|record| record.id.to_string()));
        cursor = page.next.to_string().parse().unwrap();
        if !page.more {
            return (seen, cursor);
        }
    }
}

fn id(uuid: Uuid) -> RecordId {
    RecordId::parse(&uuid.to_string()).unwrap()
}

fn on(kind: FaultKind, method: &str, path: &str) -> Fault {
    Fault { kind, method: Some(method.to_owned()), path_contains: Some(path.to_owned()), count: 1 }
}

#[tokio::test]
async fn an_amount_keeps_every_digit_both_ways() {
    let company = Company::start().await;
    let client = company.client();
    let sent = properties(r#"{"Name":"Acme","CreditLineSales":1234567890.15,"DiscountSales":0.055}"#);
    let created = client.create(ACCOUNTS, &sent, Priority::Edit).await.unwrap();
    let select = ["CreditLineSales", "DiscountSales"];
    let read = client.record(ACCOUNTS, &created.id, &select, Priority::Edit).await.unwrap();
    let number = |text: &str| Content::Number(text.parse::<Decimal>().unwrap());
    assert_eq!(read.properties["CreditLineSales"], number("1234567890.15"));
    assert_eq!(read.properties["DiscountSales"], number("0.055"));
    assert_eq!(created.properties["CreditLineSales"], number("1234567890.15"));
}

#[tokio::test]
async fn ties_and_page_borders_lose_nothing() {
    let company = Company::start_with(simulator_exactonline::Settings {
        limits: Limits { large_page_size: 7, page_size: 3, ..Limits::default() },
        ..Default::default()
    })
    .await;
    let client = company.client();
    let control = company.running.control();
    let bodies: Vec<String> =
        (0..25).map(|number| format!(r#"{{"Name":"N{number}","City":"Gent"}}"#)).collect();
    let ids = control.seed_accounts(&bodies).unwrap();
    let (seen, cursor) = drained(&client, ChangesCursor::start()).await;
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 25);
    assert_eq!(seen.len(), 25);

    control.change_account(ids[3], r#"{"Name":"Changed"}"#).unwrap();
    let (seen, cursor) = drained(&client, cursor).await;
    assert_eq!(seen, [ids[3].to_string()]);
    assert_eq!(drained(&client, cursor).await.0, Vec::<String>::new());

    let filter = format!("City eq {} and Name ne {}", text_literal("Gent"), text_literal("O'Neil & Co +1#%"));
    let found = client.find(ACCOUNTS, &filter, &["City"], Priority::Read).await.unwrap();
    assert_eq!(found.iter().map(|record| &record.id).collect::<BTreeSet<_>>().len(), 25);
}

#[tokio::test]
async fn a_change_tells_its_version_its_author_and_its_moment() {
    let company = Company::start().await;
    company.running.control().set_switches(simulator_exactonline::Switches {
        int64_as_string: true,
        escape_slashes: true,
        ..Default::default()
    });
    let client = company.client();
    let me = client.me().await.unwrap();
    assert_eq!(me.user.as_str(), company.running.api_user_id.to_string());
    assert_eq!(me.current_division, u64::try_from(company.running.division).unwrap());
    assert_eq!(me.server_offset, SignedDuration::from_hours(1));
    client.create(ACCOUNTS, &properties(r#"{"Name":"Acme"}"#), Priority::Edit).await.unwrap();
    let start = ChangesCursor::start();
    let page = client.changes(FEED, &["Name", "Modified"], &start, Priority::Read).await.unwrap();
    let record = &page.records[0];
    assert_eq!(record.version, Some(page.next.highest()));
    assert_eq!(record.modified_by, Some(me.user));
    assert_eq!(record.modified_at, Some(company.running.control().now()));
    let names: Vec<&str> = record.properties.keys().map(String::as_str).collect();
    assert_eq!(names, ["ID", "Modified", "Modifier", "Name", "Timestamp"]);
}

#[tokio::test]
async fn a_deleted_record_is_seen_as_deleted_and_asking_for_it_is_no_error_that_counts() {
    let company = Company::start().await;
    let (client, control) = (company.client(), company.running.control());
    let account = control.create_account(r#"{"Name":"Acme"}"#).unwrap();
    control.delete_account(account).unwrap();
    let page = client.deleted(&ChangesCursor::start(), Priority::Read).await.unwrap();
    assert_eq!(page.deleted.len(), 1);
    let deleted = &page.deleted[0];
    assert_eq!((deleted.entity_type, deleted.record.presence), (2, Presence::Deleted));
    assert_eq!(deleted.record.id, id(account));
    assert!(deleted.record.version.is_some() && deleted.record.modified_by.is_some());
    assert!(client.deleted(&page.next, Priority::Read).await.unwrap().deleted.is_empty());
    let gone = client.record(ACCOUNTS, &id(account), &["Name"], Priority::Edit).await.unwrap_err();
    assert_eq!(gone.class(), FailureClass::Gone);
    assert_eq!(company.statuses(404), 0);
    let update = client.update(ACCOUNTS, &id(account), &properties(r#"{"City":"X"}"#), Priority::Edit).await;
    assert_eq!(update.unwrap_err().class(), FailureClass::Gone);
    let stranger = RecordId::parse("x') or true").unwrap();
    let refused = client.record(ACCOUNTS, &stranger, &[], Priority::Edit).await.unwrap_err();
    assert_eq!(refused.class(), FailureClass::Rejected);
}

#[tokio::test]
async fn a_create_gives_the_values_as_stored_and_an_update_leaves_the_rest() {
    let company = Company::start().await;
    let client = company.client();
    let sent = properties(r#"{"Name":"Acme","Code":"25","City":"Gent"}"#);
    let created = client.create(ACCOUNTS, &sent, Priority::Edit).await.unwrap();
    assert_eq!(created.properties["Code"], Content::from("                25"));
    assert_eq!(created.version, None);
    client.update(ACCOUNTS, &created.id, &properties(r#"{"City":"Ulm"}"#), Priority::Edit).await.unwrap();
    let read = client.record(ACCOUNTS, &created.id, &["Name", "City"], Priority::Edit).await.unwrap();
    assert_eq!(read.properties["City"], Content::from("Ulm"));
    assert_eq!(read.properties["Name"], Content::from("Acme"));
    let filter = format!("ID eq {}", guid_literal(created.id.as_str()).unwrap());
    assert_eq!(
        client.find(ACCOUNTS, &filter, &["Name"], Priority::Read).await.unwrap(),
        client
            .find(
                ACCOUNTS,
                &format!("Code eq {}", text_literal("                25")),
                &["Name"],
                Priority::Read
            )
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_lost_answer_is_ambiguous_for_a_write_and_transient_for_a_read() {
    let company = Company::start().await;
    let (client, control) = (company.client(), company.running.control());
    client.me().await.unwrap();
    control.add_fault(on(FaultKind::LoseAnswer, "POST", "accounts"));
    let sent = properties(r#"{"Name":"Acme"}"#);
    let lost = client.create(ACCOUNTS, &sent, Priority::Edit).await.unwrap_err();
    assert_eq!(lost.class(), FailureClass::Ambiguous, "{lost:?}");
    assert_eq!(control.counts().accounts, 1);
    for status in [500, 502, 503, 504] {
        control.add_fault(on(FaultKind::FailBefore { status }, "POST", "accounts"));
        let failed = client.create(ACCOUNTS, &sent, Priority::Edit).await.unwrap_err();
        assert_eq!(failed.class(), FailureClass::Ambiguous, "{failed:?}");
        control.add_fault(on(FaultKind::FailBefore { status }, "GET", "accounts"));
        let failed = client.find(ACCOUNTS, "Name eq 'x'", &[], Priority::Read).await.unwrap_err();
        assert_eq!(failed.class(), FailureClass::Transient, "{failed:?}");
    }
    control.add_fault(on(FaultKind::LoseAnswer, "GET", "accounts"));
    let lost = client.find(ACCOUNTS, "Name eq 'x'", &[], Priority::Read).await.unwrap_err();
    assert_eq!(lost.class(), FailureClass::Transient, "{lost:?}");
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_ambiguous_for_a_write_only() {
    let company = Company::start().await;
    company.client().me().await.unwrap();
    let client = company.client_with(Settings { timeout: Duration::from_millis(200), ..company.settings() });
    for method in ["POST", "GET"] {
        company.running.control().add_fault(on(FaultKind::Delay { ms: 60_000 }, method, "accounts"));
    }
    let write = client.create(ACCOUNTS, &properties(r#"{"Name":"Acme"}"#), Priority::Edit).await.unwrap_err();
    assert_eq!(write.class(), FailureClass::Ambiguous, "{write:?}");
    let read = client.find(ACCOUNTS, "Name eq 'x'", &[], Priority::Read).await.unwrap_err();
    assert_eq!(read.class(), FailureClass::Transient, "{read:?}");
}

#[tokio::test]
async fn a_business_rule_is_a_refusal_in_exacts_own_words() {
    let company = Company::start().await;
    let client = company.client();
    let refused = client.create(ACCOUNTS, &properties("{}"), Priority::Edit).await.unwrap_err();
    assert_eq!(refused.class(), FailureClass::Rejected);
    assert!(
        matches!(
            &refused,
            Error::Refused { status: 500, reason: Reason::Mandatory, words } if words.contains("Mandatory")
        ),
        "{refused}"
    );
}

#[tokio::test]
async fn users_are_listed_with_their_addresses() {
    let company = Company::start().await;
    let users = company.client().users().await.unwrap();
    assert_eq!(users.len(), 3);
    assert!(users.iter().any(|(_, email)| email.as_deref() == Some("bea@example.com")));
}

#[tokio::test]
async fn a_token_goes_to_no_other_site() {
    let company = Company::start().await;
    let client = company.client();
    let cursor = r#"{"after":1,"highest":1,"page":"https://elsewhere.example/api/v1/1/sync/CRM/Accounts"}"#;
    let refused = client.changes(FEED, &[], &cursor.parse().unwrap(), Priority::Read).await.unwrap_err();
    assert!(matches!(refused, Error::Unexpected { .. }), "{refused:?}");
}
