//! What the simulator promises, held over HTTP.
#![allow(clippy::unwrap_used)]

mod control;
mod crm;
mod faults;
mod listing;
mod types;
mod versions;
mod writes;
