//! What the source promises its collector, against a strict simulator of the service.
#![allow(clippy::unwrap_used)]

mod bench;
mod calls;
mod documents;
mod lists;
mod plain;
mod sweep;
