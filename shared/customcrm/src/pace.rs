//! How often a client calls.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Calls that may go at once after a rest, as the time that they would else take.
const BURST: Duration = Duration::from_secs(10);

/// Lets so many calls a minute through, evenly, and a few at once after a rest.
#[derive(Debug)]
pub(crate) struct Pace {
    each: Duration,
    /// When the calls let through so far would have gone, one after the other.
    taken: Mutex<Option<Instant>>,
}

impl Pace {
    pub(crate) fn new(calls_per_minute: NonZeroU32) -> Self {
        Self { each: Duration::from_mins(1) / calls_per_minute.get(), taken: Mutex::default() }
    }

    /// When the next call may go, which is then taken.
    pub(crate) fn next(&self, now: Instant) -> Instant {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let before = taken.map_or(now, |taken| taken.max(now));
        *taken = Some(before + self.each);
        before.checked_sub(BURST).map_or(now, |at| at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_rest_a_few_go_at_once_and_then_one_after_the_other() {
        let pace = Pace::new(NonZeroU32::new(60).expect("sixty is not zero"));
        let now = Instant::now() + Duration::from_hours(1);
        let waits: Vec<u64> = (0..14).map(|_| (pace.next(now) - now).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
        assert_eq!(pace.next(now + Duration::from_mins(1)), now + Duration::from_mins(1));
    }
}
