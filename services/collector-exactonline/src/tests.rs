//! What webhooks promise, against a strict simulator of the service that tells of changes.
#![allow(clippy::unwrap_used)]

mod bench;
mod hints;
mod listener;
mod subscriptions;
