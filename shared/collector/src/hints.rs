//! Hints: how whoever hears of a change, in any replica, tells the collector that holds the entity's lease.
//!
//! They go through the store, which all replicas share: an entry for each entity whose revision rises with each hint, so
//! that a hundred of them are one. One that is lost costs no more than the time until the next poll.

use std::time::Duration;

use model::{ConnectionName, EntityName, System};
use store::{Applied, Batch, Change, Check, Key, Store, StoreError};

use crate::Delivery;

/// How long a hint is kept: collectors look every second, and poll in any case.
const KEPT: Duration = Duration::from_mins(10);

/// What a hint tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hint {
    /// A record was made or changed.
    Changed,
    /// A record, or a part of one, is gone.
    Deleted,
}

/// The hints of one connection's system. Clones share them.
#[derive(Debug, Clone)]
pub struct Hints<S> {
    store: S,
    namespace: String,
    pub(crate) connection: ConnectionName,
    pub(crate) system: System,
}

/// What a look for hints finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// The newest hints of either kind, by the revisions of their entries.
    pub(crate) changed: Option<u64>,
    pub(crate) deleted: Option<u64>,
    /// Whether changes of the entity are told at present.
    pub(crate) is_told: bool,
}

impl<S: Store> Hints<S> {
    /// The hints of this connection's system.
    pub fn new(store: S, namespace: &str, connection: &ConnectionName, system: System) -> Self {
        Self { store, namespace: namespace.to_owned(), connection: connection.clone(), system }
    }

    /// Tells whoever collects the entity that it has changes to read.
    pub async fn tell(&self, entity: &EntityName, hint: Hint) -> Result<(), StoreError> {
        let key = match hint {
            Hint::Changed => self.changed_key(entity),
            Hint::Deleted => self.deleted_key(entity),
        };
        self.apply(Batch::new().then(Change::SetFor { key, value: String::new(), keep: KEPT })).await
    }

    /// For so long from now, changes of these entities are told: their collectors may poll less often.
    pub async fn are_told(
        &self,
        entities: impl IntoIterator<Item = &EntityName>,
        keep: Duration,
    ) -> Result<(), StoreError> {
        let told = |entity| Change::SetFor { key: self.told_key(entity), value: String::new(), keep };
        self.apply(entities.into_iter().map(told).fold(Batch::new(), Batch::then)).await
    }

    /// Changes of these entities are told no longer: their collectors poll as if nothing ever was.
    pub async fn are_not_told(
        &self,
        entities: impl IntoIterator<Item = &EntityName>,
    ) -> Result<(), StoreError> {
        let not = |entity| Change::Delete(self.told_key(entity));
        self.apply(entities.into_iter().map(not).fold(Batch::new(), Batch::then)).await
    }

    /// Whether the delivery comes for the first time, to any replica. It is remembered from now on.
    pub(crate) async fn is_first(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        let key = self.key(&["delivery", self.system.name(), &delivery.id]);
        let remember = Change::SetFor { key: key.clone(), value: String::new(), keep: delivery.keep };
        match self.store.apply(Batch::new().when(Check::Absent(key)).then(remember)).await? {
            Applied::Done { .. } => Ok(true),
            Applied::Refused(_) => Ok(false),
        }
    }

    pub(crate) async fn look(&self, entity: &EntityName) -> Result<Seen, StoreError> {
        let keys = [self.changed_key(entity), self.deleted_key(entity), self.told_key(entity)];
        let entries = self.store.get_many(&keys).await?;
        let revision = |at: usize| entries.get(at)?.as_ref().map(|entry| entry.revision);
        Ok(Seen { changed: revision(0), deleted: revision(1), is_told: revision(2).is_some() })
    }

    async fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        match self.store.apply(batch).await? {
            Applied::Done { .. } => Ok(()),
            Applied::Refused(_) => unreachable!("the batch checks nothing"),
        }
    }

    fn changed_key(&self, entity: &EntityName) -> Key {
        self.key(&["hint", self.system.name(), entity.as_str(), "changed"])
    }

    fn deleted_key(&self, entity: &EntityName) -> Key {
        self.key(&["hint", self.system.name(), entity.as_str(), "deleted"])
    }

    fn told_key(&self, entity: &EntityName) -> Key {
        self.key(&["told", self.system.name(), entity.as_str()])
    }

    fn key(&self, parts: &[&str]) -> Key {
        Key::of(&self.namespace, self.connection.as_str(), parts)
    }
}

impl Seen {
    /// The hints that have come since.
    pub(crate) fn since(&self, before: &Self) -> Option<Hint> {
        // An entry that ran out is no hint.
        if self.deleted.is_some() && self.deleted != before.deleted {
            Some(Hint::Deleted)
        } else if self.changed.is_some() && self.changed != before.changed {
            Some(Hint::Changed)
        } else {
            None
        }
    }
}
