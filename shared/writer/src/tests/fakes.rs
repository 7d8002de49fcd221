//! A system that answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use contract::{Lane, Sighting};
use link::Pending;
use mapping::{Problem, Put};
use model::{EntityName, FailureClass, PairName, Presence, Properties, Record, RecordId, Version};
use store::{Embedded, Links};
use tokio::sync::{Barrier, Notify};

use super::{EXACT, connection};
use crate::{Aim, Duplicate, SearchKey, Target};

/// What was asked of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Search(SearchKey),
    Record(RecordId),
    Create { properties: Properties, key: String },
    Update { record: RecordId, version: Option<Version>, put: Put },
    Delete { record: RecordId, version: Option<Version> },
}

/// A refusal as it was scripted.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{words}")]
pub(super) struct Refusal {
    class: FailureClass,
    words: String,
    duplicate: Option<Duplicate>,
}

pub(super) fn refusal(class: FailureClass, words: &str) -> Refusal {
    Refusal { class, words: words.to_owned(), duplicate: None }
}

pub(super) fn duplicate(of: &str) -> Refusal {
    taken(Duplicate::Of(super::record(of)))
}

pub(super) fn taken(duplicate: Duplicate) -> Refusal {
    Refusal { duplicate: Some(duplicate), ..refusal(FailureClass::Rejected, "the code exists already") }
}

/// Clones are the same system.
#[derive(Clone)]
pub(super) struct Scripted {
    state: Arc<Mutex<State>>,
    links: Links<Embedded>,
    pair: PairName,
    /// Told when a write that is held may be answered.
    pub(super) resume: Arc<Notify>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    lanes: Vec<Lane>,
    entities: Vec<EntityName>,
    /// The entities that were asked whether a write may go out.
    readied: Vec<EntityName>,
    /// How the writes of all links stood in the store at each call.
    stored: Vec<Vec<Pending>>,
    searches: BTreeMap<String, Vec<Sighting>>,
    search_failures: VecDeque<Refusal>,
    records: BTreeMap<RecordId, Sighting>,
    record_failures: VecDeque<Refusal>,
    write_failures: VecDeque<Refusal>,
    not_ready: VecDeque<Refusal>,
    problems: Vec<Problem>,
    /// Where set, what its records are at now: it refuses to write over another version.
    versions: Option<BTreeMap<RecordId, Version>>,
    /// What it shows of a record that was updated.
    updated: Option<Sighting>,
    holds: bool,
    holds_searches: bool,
    meeting: Option<Arc<Barrier>>,
    /// Of each write whether it could still leave when its turn had come.
    left: Vec<bool>,
    at_once: Option<usize>,
}

impl Scripted {
    /// A system that notes how the writes of this pair stand.
    pub(super) fn new(links: Links<Embedded>, pair: PairName) -> Self {
        Self { state: Arc::default(), links, pair, resume: Arc::new(Notify::new()) }
    }

    /// A search whose first condition is this property finds these.
    pub(super) fn finds(&self, property: &str, found: &[Sighting]) {
        self.state.lock().unwrap().searches.insert(property.to_owned(), found.to_vec());
    }

    pub(super) fn fail_search(&self, refusal: Refusal) {
        self.state.lock().unwrap().search_failures.push_back(refusal);
    }

    /// The record looks like this when it is read.
    pub(super) fn holds_record(&self, sighting: Sighting) {
        self.state.lock().unwrap().records.insert(sighting.record.id.clone(), sighting);
    }

    pub(super) fn shows_updated(&self, sighting: Sighting) {
        self.state.lock().unwrap().updated = Some(sighting);
    }

    pub(super) fn fail_record(&self, refusal: Refusal) {
        self.state.lock().unwrap().record_failures.push_back(refusal);
    }

    /// The next write is refused.
    pub(super) fn fail_write(&self, refusal: Refusal) {
        self.state.lock().unwrap().write_failures.push_back(refusal);
    }

    pub(super) fn not_ready(&self, refusal: Refusal) {
        self.state.lock().unwrap().not_ready.push_back(refusal);
    }

    /// What is to be written is found to be unfit in this way, before it is sent.
    pub(super) fn finds_unfit(&self, problem: Problem) {
        self.state.lock().unwrap().problems.push(problem);
    }

    /// From now on it writes over nothing that is not at the version that it is told. This record is at this one.
    pub(super) fn guards(&self, record: &str, version: u64) {
        let versions = &mut self.state.lock().unwrap().versions;
        versions.get_or_insert_default().insert(super::record(record), Version(version));
    }

    /// Writes are answered only after `resume` was notified for each.
    pub(super) fn hold(&self) {
        self.state.lock().unwrap().holds = true;
    }

    /// Searches are answered only after `resume` was notified for each.
    pub(super) fn hold_searches(&self) {
        self.state.lock().unwrap().holds_searches = true;
    }

    /// Writes are answered only when so many of them are under way at once.
    pub(super) fn answer_together(&self, writes: usize) {
        self.state.lock().unwrap().meeting = Some(Arc::new(Barrier::new(writes)));
    }

    /// So many writes may be claimed at once.
    pub(super) fn takes_at_once(&self, writes: usize) {
        self.state.lock().unwrap().at_once = Some(writes);
    }

    /// Of each write whether it could still leave when its turn had come.
    pub(super) fn left(&self) -> Vec<bool> {
        self.state.lock().unwrap().left.clone()
    }

    /// The entities of all calls.
    pub(super) fn entities(&self) -> Vec<String> {
        self.state.lock().unwrap().entities.iter().map(ToString::to_string).collect()
    }

    /// The entities that were asked whether a write may go out.
    pub(super) fn readied(&self) -> Vec<String> {
        self.state.lock().unwrap().readied.iter().map(ToString::to_string).collect()
    }

    /// The lanes of all calls.
    pub(super) fn lanes(&self) -> Vec<Lane> {
        self.state.lock().unwrap().lanes.clone()
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }

    /// The calls since this was asked last.
    pub(super) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    pub(super) fn stored_at_calls(&self) -> Vec<Vec<Pending>> {
        self.state.lock().unwrap().stored.clone()
    }

    async fn called(&self, aim: Aim<'_>, call: Call) {
        let mut stored = Vec::new();
        for id in self.links.all(&connection(), &self.pair).await.unwrap() {
            let found = self.links.find(&connection(), &self.pair, &id).await.unwrap();
            stored.extend(found.map(|found| found.link.pending[EXACT].clone()));
        }
        let mut state = self.state.lock().unwrap();
        state.calls.push(call);
        state.lanes.push(aim.lane);
        state.entities.push(aim.entity.clone());
        state.stored.push(stored);
    }

    /// Takes the time that a write takes, and then its answer.
    async fn write(&self) -> Result<(), Refusal> {
        let (holds, meeting) = {
            let state = self.state.lock().unwrap();
            (state.holds, state.meeting.clone())
        };
        if holds {
            self.resume.notified().await;
        }
        if let Some(meeting) = meeting {
            meeting.wait().await;
        }
        let mut state = self.state.lock().unwrap();
        state.left.push(wire::may_leave());
        state.write_failures.pop_front().map_or(Ok(()), Err)
    }
}

impl Target for Scripted {
    type Error = Refusal;

    fn class(error: &Refusal) -> FailureClass {
        error.class
    }

    fn duplicate(error: &Refusal) -> Option<Duplicate> {
        error.duplicate.clone()
    }

    fn at_once(&self) -> usize {
        self.state.lock().unwrap().at_once.unwrap_or(crate::AT_ONCE)
    }

    async fn ready(&self, aim: Aim<'_>) -> Result<(), Refusal> {
        let mut state = self.state.lock().unwrap();
        state.readied.push(aim.entity.clone());
        state.not_ready.pop_front().map_or(Ok(()), Err)
    }

    fn check(&self, _: Aim<'_>, _: &Put, _: bool) -> Vec<Problem> {
        self.state.lock().unwrap().problems.clone()
    }

    async fn search(&self, aim: Aim<'_>, key: &SearchKey) -> Result<Vec<Sighting>, Refusal> {
        self.called(aim, Call::Search(SearchKey { wanted: None, ..key.clone() })).await;
        let holds = self.state.lock().unwrap().holds_searches;
        if holds {
            self.resume.notified().await;
        }
        let mut state = self.state.lock().unwrap();
        match state.search_failures.pop_front() {
            Some(refusal) => Err(refusal),
            None => Ok(state.searches.get(&key.conditions[0].0).cloned().unwrap_or_default()),
        }
    }

    async fn record(&self, aim: Aim<'_>, record: &RecordId) -> Result<Option<Sighting>, Refusal> {
        self.called(aim, Call::Record(record.clone())).await;
        let mut state = self.state.lock().unwrap();
        match state.record_failures.pop_front() {
            Some(refusal) => Err(refusal),
            None => Ok(state.records.get(record).cloned()),
        }
    }

    async fn create(&self, aim: Aim<'_>, properties: &Properties, key: &str) -> Result<Sighting, Refusal> {
        self.called(aim, Call::Create { properties: properties.clone(), key: key.to_owned() }).await;
        self.write().await?;
        let record = Record {
            id: super::record("new"),
            version: Some(Version(1)),
            modified_by: None,
            modified_at: None,
            presence: Presence::Present,
            properties: properties.clone(),
        };
        Ok(Sighting { record, by_us: true })
    }

    async fn update(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
        version: Option<Version>,
        put: &Put,
    ) -> Result<Option<Sighting>, Refusal> {
        let call = Call::Update { record: record.clone(), version, put: put.clone() };
        self.called(aim, call).await;
        if let Some(versions) = &mut self.state.lock().unwrap().versions {
            let now = versions.entry(record.clone()).or_insert(Version(1));
            if version != Some(*now) {
                return Err(refusal(FailureClass::Stale, "changed since"));
            }
            // What comes of the write, it has begun.
            now.0 += 1;
        }
        self.write().await?;
        Ok(self.state.lock().unwrap().updated.clone())
    }

    async fn delete(&self, aim: Aim<'_>, record: &RecordId, version: Option<Version>) -> Result<(), Refusal> {
        self.called(aim, Call::Delete { record: record.clone(), version }).await;
        self.write().await
    }
}
