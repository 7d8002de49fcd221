//! What a collector promises, held on the in-process broker and the store in memory, on a clock that tests move.
#![allow(clippy::unwrap_used)]

mod bench;
mod directory;
mod failures;
mod fakes;
mod hints;
mod leases;
mod reads;

use model::{ConnectionName, Content, EntityName, Presence, Record, RecordId, System, UserId, Version};

/// The entity's system in these tests.
const SYSTEM: System = System::CustomCrm;

fn connection() -> ConnectionName {
    ConnectionName::parse("acme").unwrap()
}

fn entity() -> EntityName {
    EntityName::parse("customers").unwrap()
}

/// Another entity of the same connection.
fn other_entity() -> EntityName {
    EntityName::parse("contacts").unwrap()
}

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

/// A record as this user left it.
fn record(id: &str, by: Option<&str>) -> Record {
    Record {
        id: RecordId::parse(id).unwrap(),
        version: Some(Version(1)),
        modified_by: by.map(user),
        modified_at: None,
        presence: Presence::Present,
        properties: [("Name".to_owned(), Content::from(id))].into(),
    }
}

fn records(ids: &[&str]) -> Vec<Record> {
    ids.iter().map(|id| record(id, Some("somebody"))).collect()
}
