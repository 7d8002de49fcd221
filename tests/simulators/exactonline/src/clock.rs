//! The clock of the simulator: the machine's, moved forward as far as tests ask and as fast as they ask.

use jiff::{SignedDuration, Timestamp};

/// A clock that can be moved forward, run fast and stand still.
#[derive(Debug)]
pub(crate) struct Clock {
    /// What it showed when the machine's clock showed `began`, and how far it was moved since.
    shown: Timestamp,
    began: Timestamp,
    /// How many times as fast as the machine's it runs; 0 stands still.
    speed: u16,
}

impl Clock {
    /// A clock that shows `start_at` (or the time of the machine) now, and runs this many times as fast as the
    /// machine's from there on.
    pub(crate) fn new(start_at: Option<Timestamp>, speed: u16) -> Self {
        let began = ambient::now();
        Self { shown: start_at.unwrap_or(began), began, speed }
    }

    /// The moment that it shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(ambient::now())
    }

    /// The moment that it shows when the machine's clock shows `machine`.
    fn at(&self, machine: Timestamp) -> Timestamp {
        let passed = machine.duration_since(self.began).checked_mul(i32::from(self.speed));
        later(self.shown, passed.unwrap_or(SignedDuration::MAX))
    }

    /// Moves it forward.
    pub(crate) fn advance(&mut self, by: SignedDuration) {
        self.shown = later(self.shown, by);
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_as_many_times_as_fast_as_the_machine_and_is_moved_beside_that() {
        let start: Timestamp = "2026-01-15T10:00:00Z".parse().unwrap();
        for (speed, shown) in [(0, 7), (1, 17), (60, 607)] {
            let mut clock = Clock::new(Some(start), speed);
            clock.advance(SignedDuration::from_secs(7));
            let in_ten_seconds = clock.began + SignedDuration::from_secs(10);
            assert_eq!(clock.at(in_ten_seconds), start + SignedDuration::from_secs(shown), "{speed}");
        }
    }
}
