//! What the target promises its writer, against a strict simulator of the service.
#![allow(clippy::unwrap_used)]

mod bench;
mod calls;
mod documents;
mod prices;
mod records;
