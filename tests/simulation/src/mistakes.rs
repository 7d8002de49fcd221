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
    /// What a writer claims is not kept.
    DropClaims,
    /// What both sides agreed on is stored the wrong way round.
    SwapAgreed,
    /// One in twenty records that were seen is told to nobody, and its cursor moves on.
    LoseSightings,
    /// One in twenty outcomes of writes is told to nobody.
    LoseOutcomes,
    /// What shall be tried again later is not.
    LoseRetries,
    /// Nobody hears that what it waited for is there.
    LoseWakes,
    /// What is searched before a create is never found.
    SearchBlindly,
    /// Nobody asks what was deleted.
    ForgetDeletions,
    /// A record of the CRM is written whatever version it has.
    IgnoreVersions,
}
