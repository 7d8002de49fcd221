//! All that the simulator knows, behind one lock: every call is performed alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::faults::Faults;
use crate::idempotency::FirstAnswers;
use crate::limits::Meter;
use crate::log::Log;
use crate::problem::{Problem, ProblemKind};
use crate::records::Records;
use crate::value::Value;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) records: Records,
    /// Token to user id.
    pub(crate) tokens: HashMap<String, String>,
    pub(crate) first_answers: FirstAnswers,
    pub(crate) meter: Meter,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    /// Calls other than GET that were performed and succeeded, per user.
    pub(crate) writes: BTreeMap<String, u64>,
    /// Those of them that changed a record, per user.
    pub(crate) changes: BTreeMap<String, u64>,
    /// The user that seeds are made by.
    pub(crate) seeder: String,
}

impl State {
    /// The id of the active user whose token this is, or 401, or 403.
    pub(crate) fn user_of(&self, token: &str) -> Result<&str, Problem> {
        let unknown = || Problem::new(ProblemKind::Unauthorized, "the token is unknown or was revoked");
        let user_id = self.tokens.get(token).ok_or_else(unknown)?;
        let (_, user) = self.records.find("users", user_id).map_err(|_| unknown())?;
        if user.content.values.get("IsActive") == Some(&Value::Bool(false)) {
            return Err(Problem::new(ProblemKind::Forbidden, "the user of this token is not active"));
        }
        Ok(user_id)
    }
}

/// The state and its lock.
#[derive(Debug)]
pub(crate) struct World(Mutex<State>);

impl World {
    pub(crate) fn new(state: State) -> Self {
        Self(Mutex::new(state))
    }

    /// The state. A test that panicked while it held the lock does not take the CRM down with it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
