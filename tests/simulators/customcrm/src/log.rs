//! The log of all calls, for tests that ask what was called, by whom and how often.

use std::collections::VecDeque;

use serde::Serialize;

/// The most calls that are remembered; the oldest go first.
const CALLS_MAX: usize = 200_000;

/// One call of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedCall {
    /// Counts all calls since the start, from 1, in the order in which they were finished.
    pub number: u64,
    /// The HTTP method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The user whose token it was; nothing if the token was not valid.
    pub user_id: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// False if the answer was lost on purpose: the caller never saw the status.
    pub answered: bool,
    /// When it was finished, RFC 3339 in milliseconds, by the clock of the CRM.
    pub at: String,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    calls: VecDeque<LoggedCall>,
    finished: u64,
}

impl Log {
    /// Adds a call and numbers it.
    pub(crate) fn add(&mut self, mut call: LoggedCall) {
        self.finished += 1;
        call.number = self.finished;
        if self.calls.len() == CALLS_MAX {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    pub(crate) fn all(&self) -> Vec<LoggedCall> {
        self.calls.iter().cloned().collect()
    }

    /// Forgets the calls; the numbers go on.
    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }
}
