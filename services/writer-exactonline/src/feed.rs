//! What the writer knows of an entity beyond the links: its newest changes, read a moment ago.

use std::collections::BTreeMap;
use std::time::Duration;

use exactonline::{ChangesCursor, Entity};
use model::{Record, RecordId, Version};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A read vouches for the writes that go out within this time after it began.
pub(crate) const VOUCHES_FOR: Duration = Duration::from_secs(2);

/// Writes that come within this time share one read.
pub(crate) const GATHERS: Duration = Duration::from_millis(50);

/// How many changed records are remembered; the oldest changes are forgotten first, and by then taken in.
const KNOWN_MAX: usize = 20_000;

/// The feed of one entity, as this writer reads it.
pub(crate) struct Feed {
    pub(crate) entity: Entity,
    pub(crate) select: Vec<String>,
    pub(crate) state: Mutex<State>,
}

/// What has been read.
#[derive(Default)]
pub(crate) struct State {
    /// Where the reading stands; `None` until the collector has read the entity.
    pub(crate) cursor: Option<ChangesCursor>,
    /// When the last read began.
    pub(crate) read_at: Option<Instant>,
    known: BTreeMap<RecordId, Record>,
}

impl Feed {
    pub(crate) fn new(entity: Entity, select: Vec<String>) -> Self {
        Self { entity, select, state: Mutex::new(State::default()) }
    }
}

impl State {
    /// Whether a read began at or after this moment.
    pub(crate) fn is_read_since(&self, moment: Instant) -> bool {
        self.read_at.is_some_and(|at| at >= moment)
    }

    /// Takes in what a read gave.
    pub(crate) fn learn(&mut self, records: Vec<Record>) {
        for record in records {
            self.known.insert(record.id.clone(), record);
        }
        if self.known.len() > KNOWN_MAX {
            let mut versions: Vec<Option<Version>> =
                self.known.values().map(|record| record.version).collect();
            versions.sort_unstable();
            let oldest_kept = versions[versions.len() / 2];
            self.known.retain(|_, record| record.version >= oldest_kept);
        }
    }

    /// The record, if a read gave it.
    pub(crate) fn known(&self, record: &RecordId) -> Option<&Record> {
        self.known.get(record)
    }

    /// The record, if a read gave it at a later version than this.
    pub(crate) fn later_than(&self, record: &RecordId, version: Option<Version>) -> Option<&Record> {
        self.known(record).filter(|known| known.version > version)
    }
}
