//! A CRM that tells of every change, read on at the place where the last read ended.

use std::collections::BTreeMap;

use collector::Source as _;
use customcrm::{CustomCrm, Declaration, Settings};
use model::{ConnectionName, EntityName};
use simulator_customcrm::{Running, Settings as CrmSettings, Simulator};
use store::Embedded;

use crate::source::Crm;

/// Changed within a moment, as an import does: more than the text of a cursor knows, and several pages of them.
const MANY: usize = 700;

fn entity() -> EntityName {
    EntityName::parse("customers").unwrap()
}

async fn crm() -> Running {
    let crm = Simulator::start(CrmSettings::default()).await.unwrap();
    let records = (0..MANY).map(|number| format!(r#"{{"Id":"c{number}","Name":"C {number}"}}"#));
    crm.control.seed("customers", records).unwrap();
    crm
}

fn source(crm: &Running) -> Crm<Embedded> {
    let connection = ConnectionName::parse("acme").unwrap();
    let settings = Settings::new(crm.base_url.parse().unwrap(), crm.api_token.clone().into());
    let store = Embedded::in_memory().unwrap();
    let client =
        CustomCrm::new(&settings, Declaration::default_api(), store.clone(), "test", &connection).unwrap();
    Crm::new(client, store, "test", &connection, &entity())
}

/// A poll to its end: where it led to, and how often it told of each record.
async fn poll(source: &Crm<Embedded>, mut cursor: Option<String>) -> (Option<String>, BTreeMap<String, u32>) {
    let mut told = BTreeMap::new();
    loop {
        let page = source.page(&entity(), cursor.as_deref()).await.unwrap();
        for record in page.records {
            *told.entry(record.id.to_string()).or_default() += 1;
        }
        cursor = Some(page.cursor);
        if !page.more {
            return (cursor, told);
        }
    }
}

#[tokio::test]
async fn what_was_changed_all_at_once_is_told_once_however_much_it_is() {
    let crm = crm().await;
    let source = source(&crm);
    let (cursor, told) = poll(&source, None).await;
    assert_eq!(told.len(), MANY);
    assert!(told.values().all(|times| *times == 1));
    let (again, told) = poll(&source, cursor.clone()).await;
    assert_eq!((again, told.len()), (cursor, 0));
}

#[tokio::test]
async fn what_a_read_has_shown_and_nobody_took_in_is_told_again() {
    let crm = crm().await;
    let source = source(&crm);
    let (cursor, _) = poll(&source, None).await;
    crm.control.seed("customers", [r#"{"Id":"late","Name":"Late"}"#.to_owned()]).unwrap();
    for _ in 0..2 {
        // The broker refused the page, so the cursor stays where it was.
        let (_, told) = poll(&source, cursor.clone()).await;
        assert_eq!(told.get("late"), Some(&1));
    }
}
