//! What Tandem asks of a store.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

use crate::{Key, StoreError};

/// A value and its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Assigned by the store; growing and never given twice within a scope, not even after the key was deleted and
    /// set again, nor after the store was emptied.
    pub revision: u64,
    /// What was set.
    pub value: String,
}

/// What must hold for a batch to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// There is no entry.
    Absent(Key),
    /// The entry exists and has this revision.
    Revision(Key, u64),
    /// The set has exactly these members.
    Members(Key, BTreeSet<String>),
    /// The lease is held, unexpired, under this fencing token.
    Lease {
        /// The lease.
        key: Key,
        /// The token that [`Leased::Held`] gave.
        token: u64,
    },
}

impl Check {
    /// The key that is looked at.
    pub fn key(&self) -> &Key {
        match self {
            Self::Absent(key) | Self::Revision(key, _) | Self::Members(key, _) | Self::Lease { key, .. } => {
                key
            }
        }
    }
}

/// One change of a batch. The changes of a batch are made in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets an entry, for good.
    Set {
        /// The entry.
        key: Key,
        /// Its new value.
        value: String,
    },
    /// Sets an entry that becomes absent by itself.
    SetFor {
        /// The entry.
        key: Key,
        /// Its new value.
        value: String,
        /// For how long it is kept, by the store's clock.
        keep: Duration,
    },
    /// Removes the entry, the set, the schedule and the list of this key, where they exist. A lease stays.
    Delete(Key),
    /// Adds a member to a set.
    Add {
        /// The set.
        key: Key,
        /// The member.
        member: String,
    },
    /// Takes a member out of a set.
    Remove {
        /// The set.
        key: Key,
        /// The member.
        member: String,
    },
    /// Puts a member on a schedule, or moves it there to another time.
    Schedule {
        /// The schedule.
        key: Key,
        /// The member.
        member: String,
        /// When it is due; kept to the microsecond.
        at: Timestamp,
    },
    /// Takes a member off a schedule.
    Unschedule {
        /// The schedule.
        key: Key,
        /// The member.
        member: String,
    },
    /// Appends to a list of which only the newest values are kept.
    Append {
        /// The list.
        key: Key,
        /// The value.
        value: String,
        /// How many values stay, this one included.
        keep: usize,
    },
}

impl Change {
    /// The key that is changed.
    pub fn key(&self) -> &Key {
        match self {
            Self::Delete(key)
            | Self::Set { key, .. }
            | Self::SetFor { key, .. }
            | Self::Add { key, .. }
            | Self::Remove { key, .. }
            | Self::Schedule { key, .. }
            | Self::Unschedule { key, .. }
            | Self::Append { key, .. } => key,
        }
    }
}

/// Checks and changes that are made in one atomic step, or not at all. All keys are of one scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a batch does nothing until it is applied"]
pub struct Batch {
    /// What must hold, all of it, before anything is changed.
    pub checks: Vec<Check>,
    /// What is changed then, in this order.
    pub changes: Vec<Change>,
}

impl Batch {
    /// A batch that checks and changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check.
    pub fn when(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Adds a change.
    pub fn then(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// A key that stands for the scope of the batch; none if the batch is empty.
    pub(crate) fn scope(&self) -> Result<Option<&Key>, StoreError> {
        let mut keys = self.checks.iter().map(Check::key).chain(self.changes.iter().map(Change::key));
        let Some(first) = keys.next() else { return Ok(None) };
        match keys.find(|key| key.scope() != first.scope()) {
            Some(other) => Err(StoreError::MixedScopes { first: first.clone(), other: other.clone() }),
            None => Ok(Some(first)),
        }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a refused batch has changed nothing"]
pub enum Applied {
    /// All of it was made.
    Done {
        /// The revision given to every entry that the batch set. Zero if the batch was empty.
        revision: u64,
    },
    /// Nothing was changed: the check on this key did not hold.
    Refused(Key),
}

/// Who has a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "only a held lease allows anything"]
pub enum Leased {
    /// The asker.
    Held {
        /// The fencing token: stays while the holder renews in time, is higher for every later holding.
        token: u64,
    },
    /// Another holder.
    Taken,
}

/// Whether what was acknowledged survives a crash of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Durability {
    /// It does.
    Durable,
    /// Some of it may be lost.
    Weak {
        /// Why, and what to set instead.
        reason: String,
    },
}

/// A place for link state, shared by all clones and, if it is a server, by all processes.
///
/// Every call may fail with [`StoreError`]; a call that fails with a transient error may have been carried out.
/// Dropping a call's future does not undo it either.
pub trait Store: Clone + Send + Sync + 'static {
    /// The entry, if there is one.
    fn get(&self, key: &Key) -> impl Future<Output = Result<Option<Entry>, StoreError>> + Send;

    /// The entries of several keys, in the order of the keys. Not a snapshot: each is read by itself.
    fn get_many(&self, keys: &[Key]) -> impl Future<Output = Result<Vec<Option<Entry>>, StoreError>> + Send;

    /// The members of a set; an absent set is empty.
    fn members(&self, key: &Key) -> impl Future<Output = Result<BTreeSet<String>, StoreError>> + Send;

    /// The number of members of a set.
    fn count(&self, key: &Key) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// The members of a schedule that are due at `until` or earlier: the earliest first, those of one time in byte
    /// order, at most `limit`. They stay on the schedule.
    fn due(
        &self,
        key: &Key,
        until: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// The newest values of a list, the newest first, at most `newest`.
    fn list(&self, key: &Key, newest: usize) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;

    /// Applies a batch atomically: all its checks, then all its changes. An empty batch is done at once.
    fn apply(&self, batch: Batch) -> impl Future<Output = Result<Applied, StoreError>> + Send;

    /// Takes or renews a lease for `keep` from now, by the store's clock.
    fn lease(
        &self,
        key: &Key,
        holder: &str,
        keep: Duration,
    ) -> impl Future<Output = Result<Leased, StoreError>> + Send;

    /// Gives up a lease, if this holder has it.
    fn release(&self, key: &Key, holder: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Succeeds if the store answers and can work.
    fn reachable(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether the store is set up to keep what it acknowledges.
    fn durability(&self) -> impl Future<Output = Result<Durability, StoreError>> + Send;
}
