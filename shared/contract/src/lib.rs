//! What travels on queues and what is stored: versioned messages, link documents, queue and key names.
//!
//! A type that is serialised is a promise to whoever reads it later, so these types are apart from the
//! ones that the rules work on (`model`, `link`), and each carries a version.

pub mod json;
mod link_document;
mod message;
mod topology;

#[cfg(test)]
mod tests;

pub use link_document::{DocumentError, read_link, write_link};
pub use message::{
    Message, MessageError, Observed, Outcome, OutcomeResult, ReadCompleted, ReadPart, Sighting, Woken,
    WriteQueued,
};
pub use topology::{Lane, Names, PairEntities, RetryTier, Topology, observation_key};
