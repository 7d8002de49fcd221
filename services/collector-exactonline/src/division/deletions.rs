//! When the log of deletions is read: with every so many polls, for deletions are rarer than changes and reading them
//! costs as much; and sooner where polls are far apart, or a deletion was told of.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// They are read with every so many polls.
pub(crate) const POLLS_PER_DELETED: u32 = 10;

/// When they are due.
pub(super) struct Deletions {
    /// The longest that they are not read.
    every: Duration,
    due: Mutex<Due>,
}

struct Due {
    /// Polls since they were due by number.
    polls: u32,
    read_at: Instant,
}

impl Deletions {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, due: Mutex::new(Due { polls: 0, read_at: Instant::now() }) }
    }

    /// Whether this poll reads them, which each poll asks once.
    pub(super) fn is_turn(&self) -> bool {
        let mut due = self.due();
        let is_turn = due.polls.is_multiple_of(POLLS_PER_DELETED) || due.read_at.elapsed() >= self.every;
        due.polls = due.polls.wrapping_add(1);
        if is_turn {
            due.read_at = Instant::now();
        }
        is_turn
    }

    /// They come with the next page.
    pub(super) fn come_next(&self) {
        self.due().polls = 0;
    }

    /// They were read, and this tells whether more are there. The rest, or all if they could not be read, come with the
    /// next page.
    pub(super) fn read<E>(&self, more: Result<bool, E>) -> Result<bool, E> {
        if !matches!(more, Ok(false)) {
            self.come_next();
        }
        more
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
