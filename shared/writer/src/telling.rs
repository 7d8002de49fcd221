//! What the mapper was told, noted for the collectors: they see the same within a moment, and need not tell it again.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::OutcomeResult;
use link::Write;
use mapping::Pair;
use model::{ConnectionName, System};
use store::{Links, Store, Told};
use telemetry::Chain;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What is told within this time is noted in one step. A collector that looks earlier tells of it once more.
const GATHERED_FOR: Duration = Duration::from_millis(20);
/// So much at most, in one step.
const NOTED_AT_ONCE: usize = 200;

/// What was told and is not noted yet.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    told: Mutex<BTreeMap<ConnectionName, Vec<Told>>>,
    any: Notify,
}

impl Telling {
    /// To be noted soon.
    pub(crate) fn add(&self, connection: &ConnectionName, told: Told) {
        self.lock().entry(connection.clone()).or_default().push(told);
        self.any.notify_one();
    }

    /// Notes what is told until the service stops. What could not be noted is told once more by a collector.
    pub(crate) async fn note<S: Store>(&self, links: &Links<S>, system: System, stop: &CancellationToken) {
        while stop.run_until_cancelled(self.any.notified()).await.is_some() {
            tokio::time::sleep(GATHERED_FOR).await;
            let all = mem::take(&mut *self.lock());
            for (connection, told) in all {
                for some in told.chunks(NOTED_AT_ONCE) {
                    if let Err(error) = links.note_told(&connection, system, some).await {
                        tracing::debug!(%connection, error = %Chain(&error), "what was told will be told again");
                    }
                }
            }
        }
    }

    /// Nothing that can panic runs while the lock is held.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConnectionName, Vec<Told>>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an outcome tells of a record as a collector would tell it: an update of the only one among `pairs` that keeps
/// the entity. Of a document a collector may see lines that the outcome does not show; a new record leads to a link by
/// whichever is first.
pub(crate) fn told<'a>(
    write: &Write,
    result: &OutcomeResult,
    pair: &Pair,
    mut pairs: impl Iterator<Item = &'a Pair>,
    system: System,
) -> Option<Told> {
    let (Write::Update { .. }, OutcomeResult::Applied { after: Some(after), .. }) = (write, result) else {
        return None;
    };
    let entity = &pair.entities[system];
    let is_shared = pairs.any(|other| other.name != pair.name && other.entities[system] == *entity);
    if is_shared || pair.lines.is_some() {
        return None;
    }
    let (pair, entity, record) = (pair.name.clone(), entity.clone(), after.record.id.clone());
    after.record.version.map(|version| Told { pair, entity, record, version })
}
