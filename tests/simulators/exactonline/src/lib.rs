//! A strict simulator of the Exact Online REST API.
//!
//! It holds its callers to what the real service is known to insist on: OAuth with single-use refresh tokens, clock
//! minutes, an error budget, OData version 2 in verbose JSON, mandatory `$select` and `$filter`, padded codes, row
//! versions and business errors with status 500. Where nobody knows what the service does, the choice made here is
//! marked as inferred beside the code, and where it matters it is one of the [`Switches`].
//!
//! It has the entities that the mapping pairs use: accounts, contacts, items and their prices, quotations and sales
//! orders with their lines, the actions on both, users, divisions and lists of codes. `schema` tells of all of them
//! what tables can tell; `write` holds writes to that; `business` adds what no table tells.
//!
//! It tells of changes by webhooks, signed as the service signs them: `webhooks`.
//!
//! All state is in memory. A second port, without authentication, moves the clock, makes trouble and tells what
//! was called; [`Control`] does the same from within the process.

mod answer;
mod business;
mod call;
mod clock;
mod codes;
mod connection;
mod control;
mod control_server;
mod database;
mod edm;
mod error;
mod faults;
mod filter;
mod grants;
mod in_process;
mod json;
mod limiter;
mod oauth;
mod own_user;
mod query;
mod record;
mod register;
mod running;
mod schema;
mod server;
mod service;
mod settings;
mod webhooks;
mod write;

pub use control::{Control, Counts};
pub use error::SimulatorError;
pub use faults::{Fault, FaultKind, LoggedCall};
pub use in_process::InProcess;
pub use running::{Running, Simulator};
pub use settings::{Language, Limits, Person, Rendition, Settings, Switches};
pub use webhooks::Delivered;
