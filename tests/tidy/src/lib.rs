//! What must hold of the tree itself, as tests: which crate may use which, what a crate's graph must not reach,
//! how folders and files are named, and that documents name only what exists.
//!
//! There is no code here but the tests. `metadata` reads what cargo knows, `files` what lies in the tree; the rules
//! are in `layers` (between crates), `sources` (inside files) and `documents` (README.md and ARCHITECTURE.md).
//! A rule that fails says what to change; a rule that is wrong is changed here, in a commit of its own.

#[cfg(test)]
mod documents;
#[cfg(test)]
mod files;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod sources;
