//! A store that fails: it may be away, keep silent about what it did, and lose everything.

use std::collections::BTreeSet;
use std::time::Duration;

use ::store::{Applied, Batch, Change, Check, Durability, Entry, Key, Leased, Store, StoreError};
use contract::{read_link, write_link};
use jiff::Timestamp;
use link::{Link, Pending};
use model::System;

use crate::faults::{Fault, Faults, takes};
use crate::memory::Memory;
use crate::{Mistake, Trace};

/// The longest that the store takes while it is well.
const HOP: Duration = Duration::from_millis(3);

/// How many of the calls take any time: each that does lets all others go on, and most of a run is calls to the store.
const WAITS: f64 = 0.3;

/// The store of a simulation. Clones share it.
#[derive(Clone)]
pub(crate) struct Shaky {
    present: Memory,
    faults: Faults,
    trace: Trace,
}

impl Shaky {
    pub(crate) fn new(faults: Faults, trace: Trace) -> Self {
        Self { present: Memory::default(), faults, trace }
    }

    /// Everything in it is lost.
    pub(crate) fn flush(&self) {
        self.present.flush();
    }

    /// The store as it is, which never fails: for those who judge.
    pub(crate) fn sound(&self) -> Memory {
        self.present.clone()
    }

    async fn begins(&self) -> Result<Memory, StoreError> {
        if self.faults.strikes(Fault::StoreSlow) {
            takes(Duration::from_secs(1), Duration::from_secs(2)).await;
        } else if ambient::fraction() < WAITS {
            takes(Duration::ZERO, HOP).await;
        }
        if self.faults.strikes(Fault::StoreAway) { Err(away()) } else { Ok(self.sound()) }
    }

    fn ends<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if self.faults.strikes(Fault::StoreSilent) { Err(away()) } else { done }
    }
}

impl Shaky {
    /// The batch as services apply it that make a mistake.
    fn mistaken(&self, mut batch: Batch) -> Batch {
        let makes = |mistake| self.faults.makes(mistake);
        batch.checks.retain(|check| match check {
            Check::Revision(..) => !makes(Mistake::OverwriteLinks),
            Check::Absent(_) => !makes(Mistake::OverwriteIndexes),
            Check::Members(..) => !makes(Mistake::ForgetCandidates),
            Check::Lease { .. } => !makes(Mistake::ForgetFencing),
        });
        if makes(Mistake::DropClaims)
            && batch.changes.iter().any(|change| link_in(change).is_some_and(|link| is_claimed(&link)))
        {
            batch.changes.clear();
        }
        if makes(Mistake::SwapAgreed) {
            batch.changes = batch.changes.into_iter().map(with_agreed_swapped).collect();
        }
        if makes(Mistake::DropOutbox) {
            batch.changes.retain(|change| !change.key().as_str().contains(":outbox"));
        }
        batch
    }
}

fn link_in(change: &Change) -> Option<Link> {
    match change {
        Change::Set { key, value } if key.as_str().contains(":link:") => read_link(value).ok(),
        _ => None,
    }
}

fn is_claimed(link: &Link) -> bool {
    System::BOTH.iter().any(|system| matches!(link.pending[*system], Pending::InFlight { .. }))
}

fn with_agreed_swapped(change: Change) -> Change {
    let link = link_in(&change);
    match (change, link) {
        (Change::Set { key, .. }, Some(mut link)) => {
            for agreed in link.agreed.values_mut() {
                std::mem::swap(&mut agreed.customcrm, &mut agreed.exactonline);
            }
            Change::Set { key, value: write_link(&link) }
        }
        (change, _) => change,
    }
}

fn away() -> StoreError {
    StoreError::Interrupted { path: "(simulated)".into() }
}

impl Store for Shaky {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.begins().await?.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.begins().await?.get_many(keys).await
    }

    async fn members(&self, key: &Key) -> Result<BTreeSet<String>, StoreError> {
        self.begins().await?.members(key).await
    }

    async fn count(&self, key: &Key) -> Result<u64, StoreError> {
        self.begins().await?.count(key).await
    }

    async fn due(&self, key: &Key, until: Timestamp, limit: usize) -> Result<Vec<String>, StoreError> {
        self.begins().await?.due(key, until, limit).await
    }

    async fn list(&self, key: &Key, newest: usize) -> Result<Vec<String>, StoreError> {
        self.begins().await?.list(key, newest).await
    }

    async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        let (store, batch) = (self.begins().await?, self.mistaken(batch));
        let first = batch.changes.first().map(|change| change.key().to_string());
        let applied = store.apply(batch).await;
        if let Some(first) = first {
            self.trace.tell(format!("store {first} {applied:?}"));
        }
        self.ends(applied)
    }

    async fn lease(&self, key: &Key, holder: &str, keep: Duration) -> Result<Leased, StoreError> {
        let store = self.begins().await?;
        let holder = if self.faults.makes(Mistake::ShareLeases) { "everybody" } else { holder };
        let leased = store.lease(key, holder, keep).await;
        self.ends(leased)
    }

    async fn release(&self, key: &Key, holder: &str) -> Result<(), StoreError> {
        let released = self.begins().await?.release(key, holder).await;
        self.ends(released)
    }

    async fn reachable(&self) -> Result<(), StoreError> {
        self.begins().await.map(|_| ())
    }

    async fn durability(&self) -> Result<Durability, StoreError> {
        Ok(Durability::Durable)
    }
}
