//! What travels on queues and what is stored: versioned messages, link documents, queue and key names.
//!
//! A type that is serialised is a promise to whoever reads it later, so these types are apart from the
//! ones that the rules work on (`model`, `link`), and each carries a version.

mod topology;

pub use topology::{Lane, Names, PairEntities, RetryTier, Topology, observation_key};
