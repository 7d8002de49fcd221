//! What a process knows of its own state: whether it is alive, whether it is ready, and what it waits for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::ConnectionName;
use tokio::time::Instant;

/// A loop that has not beaten for this long is stuck, and only a restart helps.
const STALLED_AFTER: Duration = Duration::from_mins(1);

/// How one part of a service stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It works.
    Ok,
    /// It waits for something, as told: no personal value, no secret.
    Waiting(String),
    /// It rests until a person repairs it, as told. The process is ready all the same, for all that goes on.
    Resting(String),
}

/// The checks and pulses of one process. Clones share them.
#[derive(Clone)]
pub struct Health {
    state: Arc<Mutex<State>>,
    prefix: Arc<str>,
    /// Whose checks these are, where they are one connection's.
    connection: Option<ConnectionName>,
}

#[derive(Default)]
struct State {
    checks: BTreeMap<String, Told>,
    pulses: BTreeMap<u64, (String, Instant)>,
    next: u64,
}

/// How a part stands, and whose it is.
struct Told {
    check: Check,
    connection: Option<ConnectionName>,
}

/// A loop's sign of life; see [`Health::pulse`].
pub struct Pulse {
    health: Health,
    id: u64,
}

impl Health {
    /// No checks yet, and so not ready.
    pub fn new() -> Self {
        Self { state: Arc::default(), prefix: "".into(), connection: None }
    }

    /// The same health, with names that begin with `part/`: for one of several services in a process.
    pub fn part(&self, part: &str) -> Self {
        Self { prefix: format!("{}{part}/", self.prefix).into(), ..self.clone() }
    }

    /// The same health, for what is done for one connection: its checks go with it.
    pub fn of(&self, connection: &ConnectionName) -> Self {
        Self { connection: Some(connection.clone()), ..self.clone() }
    }

    /// Says how the part called `name` stands; the first call makes the check.
    pub fn set(&self, name: &str, check: Check) {
        let name = format!("{}{name}", self.prefix);
        self.state().checks.insert(name, Told { check, connection: self.connection.clone() });
    }

    /// Forgets the check called `name`.
    pub fn forget(&self, name: &str) {
        self.state().checks.remove(&format!("{}{name}", self.prefix));
    }

    /// Forgets all checks of a connection, in this part of the process.
    pub fn forget_connection(&self, connection: &ConnectionName) {
        let is_its = |name: &str, told: &Told| {
            told.connection.as_ref() == Some(connection) && name.starts_with(&*self.prefix)
        };
        self.state().checks.retain(|name, told| !is_its(name, told));
    }

    /// Begins a sign of life for the loop called `name`. The loop must call [`Pulse::beat`] at least once a minute,
    /// or the process counts as dead; dropping the pulse ends it, so that a session takes it along when it ends.
    pub fn pulse(&self, name: &str) -> Pulse {
        let mut state = self.state();
        let id = state.next;
        state.next += 1;
        state.pulses.insert(id, (format!("{}{name}", self.prefix), Instant::now()));
        Pulse { health: self.clone(), id }
    }

    /// What is waited for, by the check's name; empty when the process is ready.
    pub fn waits_for(&self) -> BTreeMap<String, String> {
        let state = self.state();
        if state.checks.is_empty() {
            return BTreeMap::from([("start".to_owned(), "nothing has reported yet".to_owned())]);
        }
        state.told(|check| match check {
            Check::Waiting(reason) => Some(reason),
            Check::Ok | Check::Resting(_) => None,
        })
    }

    /// What rests until a person repairs it, by the check's name.
    pub fn rests(&self) -> BTreeMap<String, String> {
        self.state().told(|check| match check {
            Check::Resting(reason) => Some(reason),
            Check::Ok | Check::Waiting(_) => None,
        })
    }

    /// The loops that have not beaten for a minute; empty when the process is alive.
    pub fn stalled(&self) -> Vec<String> {
        let stalled =
            |(name, beat): &(String, Instant)| (beat.elapsed() > STALLED_AFTER).then(|| name.clone());
        self.state().pulses.values().filter_map(stalled).collect()
    }

    /// Nothing that can panic runs while the lock is held, so that a poisoned state is still whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn told(&self, reason: impl Fn(&Check) -> Option<&String>) -> BTreeMap<String, String> {
        let told = |(name, told): (&String, &Told)| Some((name.clone(), reason(&told.check)?.clone()));
        self.checks.iter().filter_map(told).collect()
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("waits_for", &self.waits_for()).finish_non_exhaustive()
    }
}

impl Pulse {
    /// The loop has gone round.
    pub fn beat(&self) {
        if let Some((_, beat)) = self.health.state().pulses.get_mut(&self.id) {
            *beat = Instant::now();
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.health.state().pulses.remove(&self.id);
    }
}
