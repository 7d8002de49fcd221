//! What ships in `deploy` for containers and clusters, as others read it: Kustomize builds the overlays, Compose its
//! file, and each is held against the schemas of its kinds, against what it refers to, and against our own binaries.
//!
//! Each tool comes from its package registry, in the version that is named here; nothing is installed for the machine.
//! Start reading at [`Overlay`]; the rules are in `tests/it`.

#![allow(clippy::unwrap_used, reason = "a test's harness ends the test where something can't be done")]

mod built;
mod document;
mod mounted;
mod secrets;
mod tools;

use std::path::Path;

pub use built::{Built, EXAMPLES, OVERLAYS, Overlay, Pods};
pub use document::{Container, Document, Template, matches};
pub use mounted::Mounted;
pub use secrets::Secrets;
pub use tools::{checkov, compose, hadolint, kubectl, problems, validated};

/// The top of the tree.
pub fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}
