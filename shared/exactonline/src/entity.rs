//! The entities that Tandem keeps, and where Exact's API has them.

use crate::Resource;

/// Where an entity is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity {
    /// Its name in queues, keys and pair files.
    pub name: &'static str,
    /// Where single records are found and written.
    pub resource: Resource<'static>,
    /// Its sync feed, below `sync/`.
    pub feed: &'static str,
    /// Its number in the log of deletions (a fact of the API: `EntityType` of `sync/Deleted`).
    pub deleted_type: u64,
}

const ENTITIES: [Entity; 1] = [Entity {
    name: "accounts",
    resource: Resource { path: "crm/Accounts", key: "ID" },
    feed: "CRM/Accounts",
    deleted_type: 2,
}];

impl Entity {
    /// The entity of this name; `None` when Exact has none, or none that is kept.
    pub fn named(name: &str) -> Option<Self> {
        ENTITIES.into_iter().find(|entity| entity.name == name)
    }

    /// The names of all entities, for messages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ENTITIES.iter().map(|entity| entity.name)
    }
}
