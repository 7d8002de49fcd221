//! The time that records are stamped with.

use jiff::{SignedDuration, Timestamp};

/// The clock of the CRM. It never goes back, unless a test sets it so.
#[derive(Debug)]
pub(crate) struct Clock {
    frozen: Option<Timestamp>,
    last: Timestamp,
}

impl Clock {
    pub(crate) const fn new() -> Self {
        Self { frozen: None, last: Timestamp::UNIX_EPOCH }
    }

    /// The time now, in whole milliseconds: the frozen one, else that of the machine.
    pub(crate) fn now(&mut self) -> Timestamp {
        if let Some(frozen) = self.frozen {
            return frozen;
        }
        self.last = self.last.max(whole_milliseconds(ambient::now()));
        self.last
    }

    /// Stops the clock at a time, or lets it run again.
    pub(crate) fn freeze(&mut self, at: Option<Timestamp>) {
        self.frozen = at.map(whole_milliseconds);
    }
}

fn whole_milliseconds(at: Timestamp) -> Timestamp {
    let beyond = at.as_nanosecond().rem_euclid(1_000_000);
    let beyond = i64::try_from(beyond).unwrap_or_default();
    at.checked_sub(SignedDuration::from_nanos(beyond)).unwrap_or(at)
}
