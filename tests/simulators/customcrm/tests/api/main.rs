//! What the simulator promises, held over HTTP.
#![allow(clippy::unwrap_used)]

mod control;
mod crm;
mod faults;
mod filters;
mod lines;
mod listing;
mod openapi;
mod orders;
mod references;
mod schema;
mod strictness;
mod types;
mod versions;
mod webhooks;
mod writes;
