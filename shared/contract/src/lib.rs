//! What travels on queues and what is stored: versioned messages, link documents, queue and key names.
//!
//! A type that is serialised is a promise to whoever reads it later, so these types are apart from the
//! ones that the rules work on (`model`, `link`), and each carries a version.

mod asyncapi;
pub mod json;
mod link_document;
mod message;
mod topology;

#[cfg(test)]
mod tests;

pub use asyncapi::asyncapi;
pub use link_document::{DocumentError, read_link, write_link};
pub use message::{
    Message, MessageError, Observed, Outcome, OutcomeResult, ReadCompleted, ReadPart, Sighting, Woken,
    WriteQueued,
};
pub use topology::{
    Argument, DELIVERY_LIMIT, Lane, Names, PairEntities, Queue, QueueKind, RetryTier, Topology,
    observation_key,
};
