//! The link state machine: what two records that must agree ask of one another.
//!
//! [`step`] is one pure function from a link and an event to the next link and its effects. No I/O, no
//! clock, no randomness: the time comes in with the call. What it refuses: to decide by arrival order.
//! Events carry state ("the record looks like this"), so a lost, repeated or reordered message does no harm.
//!
//! Start reading at [`Link`], then [`decide`] (the merge of properties and lines), then [`step`]. What must hold of every
//! step is in [`promises`]; what many links ask together is counted by [`mass_change`]. The states and events on one
//! page, with worked examples: `README.md`.

mod decide;
mod event;
mod lines;
pub mod mass_change;
mod policy;
pub mod promises;
mod state;
mod step;

#[cfg(test)]
mod tests;

pub use decide::{Decision, decide};
pub use event::{Choice, Effect, Event, Failure, Observation, Step};
pub use policy::{ConflictPolicy, DeleteConflict, DeletePolicy, Flow, LinesPolicy, Policy, Rule};
pub use state::{Link, Pending, Rejection, Side, Status, Turn, Write};
pub use step::step;
