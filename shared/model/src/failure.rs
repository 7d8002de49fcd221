//! What a failure at a system means for the work in hand.

use std::time::Duration;

/// The fate of a call that failed, decided once, at the connector that made it. There is no "unknown":
/// a failure of a new kind does not compile until someone has decided what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// Nothing happened over there and the world may heal by itself: try again later.
    Transient,
    /// The system, or our own budget for it, asks to wait: try again, not before this has passed.
    Throttled {
        /// How long to wait, counted from when the call failed.
        after: Duration,
    },
    /// The system refuses this as it stands: show its own words; only another content can succeed.
    Rejected,
    /// The record is not there any more.
    Gone,
    /// The record was changed since we read it: nothing was written, read it again first.
    Stale,
    /// No call can succeed until a person has repaired the connection: stop it and say so.
    Auth,
    /// A write whose answer never came: it may have happened. Search before it is repeated.
    Ambiguous,
}
