//! Mistakes that are made on purpose, to prove that the simulation sees what it is there for. Each is made at a port, as
//! if the services did not do what they do there.

use clap::ValueEnum;

/// A mistake of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mistake {
    /// A link is stored though somebody else has changed it since it was read.
    OverwriteLinks,
    /// An index entry is taken though it belongs to another link.
    OverwriteIndexes,
    /// A link is stored though the set of candidates has changed since it was read.
    ForgetCandidates,
    /// A cursor is moved by whoever has lost its lease.
    ForgetFencing,
    /// Two hold one lease.
    ShareLeases,
    /// A message is acknowledged before it is handled.
    AcknowledgeFirst,
    /// What follows from a commit is not published, and not kept in the outbox.
    DropOutbox,
    /// A record of the CRM is written whatever version it has.
    IgnoreVersions,
    /// A create of the CRM is repeated as another one.
    ForgetIdempotency,
}
