//! The clock of the simulator: the machine's, moved forward as far as tests ask.

use jiff::{SignedDuration, Timestamp};

/// A clock that can be moved forward and can stand still.
#[derive(Debug)]
pub(crate) struct Clock {
    ahead: SignedDuration,
    stands_at: Option<Timestamp>,
}

impl Clock {
    /// A clock that shows `start_at` (or the time of the machine) now, and stands still if `frozen`.
    pub(crate) fn new(start_at: Option<Timestamp>, frozen: bool) -> Self {
        let now = Timestamp::now();
        let start = start_at.unwrap_or(now);
        Self { ahead: start.duration_since(now), stands_at: frozen.then_some(start) }
    }

    /// The moment that it shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.stands_at.unwrap_or_else(|| later(Timestamp::now(), self.ahead))
    }

    /// Moves it forward.
    pub(crate) fn advance(&mut self, by: SignedDuration) {
        match &mut self.stands_at {
            Some(at) => *at = later(*at, by),
            None => self.ahead = self.ahead.saturating_add(by),
        }
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}
