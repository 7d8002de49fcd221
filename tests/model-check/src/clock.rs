//! Time, which this world has none of: every step is taken at one and the same moment, long after all before it.

use jiff::{SignedDuration, Timestamp};
use link::Link;

/// The moment of every step.
pub(crate) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Puts what a link remembers the moment of long into the past, so that links which differ in time only are one. The
/// oscillation breaker, which counts turns in quick succession, is left out by it.
pub(crate) fn forget(link: &mut Link) {
    for turn in link.turns.values_mut() {
        turn.at = NOW - SignedDuration::from_hours(24);
    }
}
