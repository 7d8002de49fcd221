//! The records of a collection that are known to be there, for a CRM that does not tell what was deleted.
//!
//! Their ids are kept in the store, so that a record which goes while no collector runs is missed all the same. What each
//! held is known while the process runs: after that everything is told once more, which changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use customcrm::SETTLES_AFTER;
use model::{ConnectionName, EntityName, Presence, Record, RecordId, System};
use store::{Applied, Batch, Change, Key, Store, StoreError};
use tokio::time::Instant;

/// The records of one collection.
#[derive(Debug)]
pub(crate) struct Known<S> {
    store: S,
    key: Key,
    records: Option<BTreeMap<RecordId, State>>,
    /// What the pass under way has shown.
    shown: BTreeSet<RecordId>,
    /// What was told to be gone on the last page: it is known until that is safe.
    gone: Vec<RecordId>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// What it held, as far as that is known.
    fingerprint: Option<u64>,
    /// When it is to be told once more.
    again: Option<Instant>,
}

impl<S: Store> Known<S> {
    pub(crate) fn new(store: S, namespace: &str, connection: &ConnectionName, entity: &EntityName) -> Self {
        let parts = [System::CustomCrm.name(), "known", entity.as_str()];
        let key = Key::of(namespace, connection.as_str(), &parts);
        Self { store, key, records: None, shown: BTreeSet::new(), gone: Vec::new() }
    }

    /// A pass over everything begins.
    pub(crate) fn begin(&mut self) {
        self.shown.clear();
    }

    /// Takes in what a read shows, and keeps the ids of what is new. Gives what is to be told: what is new or changed, and
    /// what has settled. `tells_untold` is whether that includes what was there before, held who knows what.
    pub(crate) async fn take_in(
        &mut self,
        records: Vec<Record>,
        is_pass: bool,
        tells_untold: bool,
    ) -> Result<Vec<Record>, StoreError> {
        self.load().await?;
        let now = Instant::now();
        let settled = now + SETTLES_AFTER.unsigned_abs();
        let Some(known) = &mut self.records else { return Ok(Vec::new()) };
        let (mut told, mut batch) = (Vec::new(), Batch::new());
        for record in records {
            if is_pass {
                self.shown.insert(record.id.clone());
            }
            let member = record.id.as_str().to_owned();
            if record.presence == Presence::Deleted {
                known.remove(&record.id);
                self.gone.push(record.id.clone());
                told.push(record);
                continue;
            }
            let before = known.get(&record.id).copied();
            if before.is_none() {
                batch = batch.then(Change::Add { key: self.key.clone(), member });
            }
            let fingerprint = customcrm::fingerprint(&record);
            let state = State { fingerprint: Some(fingerprint), again: None };
            let (is_told, state) = match before {
                None => (true, State { again: Some(settled), ..state }),
                Some(State { fingerprint: None, .. }) => (tells_untold, state),
                Some(State { fingerprint: Some(held), .. }) if held != fingerprint => {
                    (true, State { again: Some(settled), ..state })
                }
                Some(State { again: Some(again), .. }) if again > now => {
                    (false, State { again: Some(again), ..state })
                }
                Some(State { again, .. }) => (again.is_some(), state),
            };
            known.insert(record.id.clone(), state);
            if is_told {
                told.push(record);
            }
        }
        self.apply(batch).await?;
        Ok(told)
    }

    /// What the pass that ends now has not shown, though it was there.
    pub(crate) async fn missing(&mut self) -> Result<Vec<RecordId>, StoreError> {
        self.load().await?;
        let known = self.records.iter().flat_map(BTreeMap::keys);
        Ok(known.filter(|id| !self.shown.contains(*id)).cloned().collect())
    }

    /// What was told on the last page is safe.
    pub(crate) async fn safe(&mut self) -> Result<(), StoreError> {
        let remove = |id: &RecordId| Change::Remove { key: self.key.clone(), member: id.as_str().to_owned() };
        let batch = self.gone.iter().map(remove).fold(Batch::new(), Batch::then);
        self.apply(batch).await?;
        self.gone.clear();
        Ok(())
    }

    /// Forgets what each held: it is not sure that what was told on the last page is safe.
    pub(crate) fn doubt(&mut self) {
        self.records = None;
        self.gone.clear();
    }

    async fn load(&mut self) -> Result<(), StoreError> {
        if self.records.is_none() {
            let members = self.store.members(&self.key).await?;
            let ids = members.iter().filter_map(|member| RecordId::parse(member).ok());
            self.records = Some(ids.map(|id| (id, State::default())).collect());
        }
        Ok(())
    }

    async fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.changes.is_empty() {
            return Ok(());
        }
        match self.store.apply(batch).await? {
            Applied::Done { .. } => Ok(()),
            Applied::Refused(_) => unreachable!("the batch checks nothing"),
        }
    }
}
