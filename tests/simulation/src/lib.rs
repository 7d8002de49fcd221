//! The whole system in one thread, under virtual time: both systems, the broker, the store, every service in one to
//! three replicas, and the people who edit. Every delay, crash, loss and repetition is drawn from one seed, so that the
//! same seed gives the same run again, to the byte.
//!
//! The services are the real ones. What surrounds them is not: time and chance come from [`ambient`], calls are carried
//! by [`wire`] to simulators within the process, the broker is that of the one-process mode, and the store is in memory.
//! Each stands behind a layer that fails ([`faults`]).
//!
//! Start reading at [`run`]. What a seed draws is in [`Scenario`], what must hold at the end in `rest`.

#![allow(clippy::unwrap_used, reason = "a test's harness ends the test where something can't be done")]

mod broker;
pub mod faults;
mod fleet;
mod memory;
mod mistakes;
mod network;
mod rest;
mod run;
mod scenario;
mod shrink;
mod site;
mod store;
mod trace;

pub use mistakes::Mistake;
pub use run::{Outcome, run};
pub use scenario::Scenario;
pub use shrink::shrink;
pub use trace::Trace;
