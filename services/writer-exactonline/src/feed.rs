//! What the writer knows of an entity beyond the links: its newest changes, read a moment ago.

use std::collections::BTreeMap;
use std::time::Duration;

use exactonline::{Document, DocumentStore, Entity, FeedReader, Selection, Source};
use model::{EntityName, Record, RecordId, SystemPair, Version};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A read vouches for the writes that go out within this time after it began.
pub(crate) const VOUCHES_FOR: Duration = Duration::from_secs(2);

/// Writes that come within this time share one read.
pub(crate) const GATHERS: Duration = Duration::from_millis(50);

/// How many changed records are remembered; the oldest changes are forgotten first, and by then taken in.
const KNOWN_MAX: usize = 20_000;

/// The feeds of one entity, as this writer reads them.
pub(crate) struct Feed<S> {
    pub(crate) entity: Entity,
    pub(crate) selection: Selection,
    /// Where the collector puts its records together, when they come in parts.
    pub(crate) documents: Option<DocumentStore<S>>,
    pub(crate) state: Mutex<State>,
}

/// What has been read.
#[derive(Default)]
pub(crate) struct State {
    /// The revisions of the users' directories when the reading began: others show that the store was lost meanwhile, and
    /// with it what the collector had kept. What was read beyond that is then no whole any more, and may hold parts
    /// whose deletion nobody will tell again.
    directories: Option<SystemPair<Option<u64>>>,
    /// Where the reading stands; `None` until the collector has read the entity.
    pub(crate) reading: Option<FeedReader>,
    /// When the last read of each feed began.
    read_at: [Option<Instant>; 3],
    known: BTreeMap<RecordId, Record>,
    /// Of each document only the parts that were read since the reading began; the collector keeps what was before.
    documents: BTreeMap<RecordId, Document>,
}

impl<S> Feed<S> {
    pub(crate) fn new(entity: &Entity, selection: Selection, documents: DocumentStore<S>) -> Self {
        let documents = selection.parts.is_some().then_some(documents);
        Self { entity: *entity, selection, documents, state: Mutex::new(State::default()) }
    }

    /// The entity's name.
    pub(crate) fn entity_name(&self) -> EntityName {
        EntityName::parse(self.entity.name).expect("the names of Exact's entities are names")
    }

    /// The feeds that show a change of it.
    pub(crate) fn changes(&self) -> &'static [Source] {
        if self.documents.is_some() { &[Source::Own, Source::Parts] } else { &[Source::Own] }
    }
}

impl State {
    /// Forgets all that was read where the store has other directories than those that the reading began with.
    pub(crate) fn begins_with(&mut self, directories: SystemPair<Option<u64>>) {
        if self.directories.as_ref() != Some(&directories) {
            *self = Self { directories: Some(directories), ..Self::default() };
        }
    }

    /// Whether a read of this feed began at or after this moment.
    pub(crate) fn is_read_since(&self, source: Source, moment: Instant) -> bool {
        self.read_at[source as usize].is_some_and(|at| at >= moment)
    }

    /// A read of this feed began then and has come to its end.
    pub(crate) fn was_read(&mut self, source: Source, began: Instant) {
        self.read_at[source as usize] = Some(began);
    }

    /// Takes in a record as its feed shows it whole.
    pub(crate) fn learn(&mut self, record: Record) {
        self.known.insert(record.id.clone(), record);
        forget_oldest(&mut self.known, |record| record.version);
    }

    /// The document of this id, as far as this writer has read it, to take a part in.
    pub(crate) fn learning(&mut self, id: &RecordId) -> &mut Document {
        forget_oldest(&mut self.documents, Document::version);
        self.documents.entry(id.clone()).or_insert_with(|| Document::new(id.clone()))
    }

    /// The document that a part was seen in.
    pub(crate) fn owner(&self, part: &RecordId) -> Option<RecordId> {
        let owner = self.documents.values().find(|document| document.part_version(part).is_some());
        owner.map(|document| document.id.clone())
    }

    /// The record, if a read gave it whole.
    pub(crate) fn known(&self, record: &RecordId) -> Option<&Record> {
        self.known.get(record)
    }

    /// The record, if a read gave it whole and at a later version than this.
    pub(crate) fn later_than(&self, record: &RecordId, version: Option<Version>) -> Option<&Record> {
        self.known(record).filter(|known| known.version > version)
    }

    /// What was read of a document.
    pub(crate) fn document(&self, id: &RecordId) -> Option<&Document> {
        self.documents.get(id)
    }

    /// Whether a document of this version was read with all that happened before.
    pub(crate) fn is_settled(&self, version: Version) -> bool {
        self.reading.as_ref().is_some_and(|reading| version <= reading.settled())
    }
}

/// Keeps the newer half of what has become too much.
fn forget_oldest<T>(known: &mut BTreeMap<RecordId, T>, version: impl Fn(&T) -> Option<Version>) {
    if known.len() > KNOWN_MAX {
        let mut versions: Vec<Option<Version>> = known.values().map(&version).collect();
        versions.sort_unstable();
        let oldest_kept = versions[versions.len() / 2];
        known.retain(|_, item| version(item) >= oldest_kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line whose deletion was told to the store that was lost would be there again.
    #[test]
    fn what_was_read_before_the_store_was_lost_is_forgotten() {
        let order = RecordId::parse("order").expect("it is an id");
        let directories = |revision| SystemPair { customcrm: Some(revision), exactonline: Some(7) };
        let mut state = State::default();
        for (revision, is_known) in [(3, false), (3, true), (8, false)] {
            state.begins_with(directories(revision));
            assert_eq!(state.document(&order).is_some(), is_known, "{revision}");
            state.learning(&order);
            state.was_read(Source::Own, Instant::now());
        }
        state.begins_with(SystemPair::default());
        assert!(state.document(&order).is_none() && state.read_at == [None; 3], "the store is empty now");
    }
}
