//! Where a writer tells which of its writes a system refuses to make at all.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::WriteQueued;
use model::{ConnectionName, System};
use service::{Check, Health};
use tokio::time::Instant;

/// A write that is refused is tried again after half a minute. One that was not for so long has come to another replica,
/// or is no longer wanted.
const REPEATED_WITHIN: Duration = Duration::from_mins(2);

/// The kinds of writes that are refused: by pair, because what is forbidden may be one pair's records only.
pub(crate) struct Refusals {
    system: System,
    health: Health,
    /// Whose each check is, and when it was refused last.
    at: Mutex<BTreeMap<String, (ConnectionName, Instant)>>,
}

impl Refusals {
    pub(crate) fn new(system: System, health: Health) -> Self {
        Self { system, health, at: Mutex::default() }
    }

    /// A write was refused, for this reason.
    pub(super) fn refused(&self, queued: &WriteQueued, reason: &str) {
        let check = self.check(queued);
        self.health.of(&queued.connection).set(&check, Check::Resting(reason.to_owned()));
        self.at().insert(check, (queued.connection.clone(), Instant::now()));
    }

    /// A write was made.
    pub(super) fn made(&self, queued: &WriteQueued) {
        let check = self.check(queued);
        if self.at().remove(&check).is_some() {
            self.health.forget(&check);
        }
    }

    /// Forgets all that is told of a connection, whose system is called otherwise from now on, or no longer.
    pub(crate) fn forget_connection(&self, connection: &ConnectionName) {
        self.at().retain(|_, (refused, _)| refused != connection);
        self.health.forget_connection(connection);
    }

    /// Forgets refusals that were not repeated; to be called now and then.
    pub(crate) fn forget(&self) {
        self.at().retain(|check, (_, at)| {
            let goes_on = at.elapsed() < REPEATED_WITHIN;
            if !goes_on {
                self.health.forget(check);
            }
            goes_on
        });
    }

    fn check(&self, queued: &WriteQueued) -> String {
        format!("{} {} {}", queued.connection, self.system, queued.pair)
    }

    fn at(&self) -> MutexGuard<'_, BTreeMap<String, (ConnectionName, Instant)>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
