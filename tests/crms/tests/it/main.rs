//! Each CRM starts, does what a person asks of it, and leaves nothing behind.
#![allow(clippy::unwrap_used, missing_docs)]

mod connector;
mod declarations;
mod json_server;
mod pocketbase;
mod probes;
mod scenario;

use std::path::Path;

/// Whether a process of this pid runs.
fn runs(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}
