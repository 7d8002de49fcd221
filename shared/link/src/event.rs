//! What happens to a link, and what follows from it.

use jiff::Timestamp;
use model::{Presence, PropertyName, RecordId, System, Value, Version, View};

use crate::{Link, Side};

/// Something that happened to a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A record was seen.
    Observed {
        /// Where.
        system: System,
        /// How it looks.
        observation: Observation,
    },
    /// The partner was found among the unlinked records.
    Joined {
        /// Whose record it is.
        system: System,
        /// What is known of it.
        side: Side,
    },
    /// Several records could be the partner.
    FoundSeveral {
        /// They.
        candidates: Vec<RecordId>,
    },
    /// The pair may create: both systems have been read in full, and its owner has let it.
    Released,
    /// A writer holds quota and takes the pending write.
    Claimed {
        /// Which side's write.
        system: System,
    },
    /// A write has been carried out, or was found to have been carried out before.
    Applied {
        /// Which side's.
        system: System,
        /// Under which claim.
        claim: u64,
        /// The record written.
        record: RecordId,
        /// The record as the system holds it after the write, where it tells.
        after: Option<Observation>,
    },
    /// A search before a create found the partner already there.
    Adopted {
        /// Whose record it is.
        system: System,
        /// Under which claim.
        claim: u64,
        /// What is known of it.
        side: Side,
    },
    /// A write was not carried out.
    Failed {
        /// Which side's.
        system: System,
        /// Under which claim.
        claim: u64,
        /// Why.
        failure: Failure,
    },
    /// A newer version of the document took the place of this side's record: the link moves to it.
    Superseded {
        /// Whose record it is.
        system: System,
        /// What is known of the newer one.
        side: Side,
    },
    /// A record that this link refers to has become linked: the reference can now be compared and written.
    ReferenceLinked {
        /// Whose view holds the reference.
        system: System,
        /// Which property.
        property: PropertyName,
        /// The link that it now stands for.
        value: Value,
    },
    /// A person has decided what the link could not.
    Resolved(Choice),
}

/// What a person decides about a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Choice {
    /// A property that is held, or a line, shall be on both sides as it is on this one.
    Take {
        /// The property.
        property: PropertyName,
        /// Whose value stands.
        from: System,
    },
    /// A property that is held may differ as it does: the two sides agree on what each of them holds.
    Accept {
        /// The property.
        property: PropertyName,
    },
    /// The deletion stands though the partner was edited: the pair's policy for deletions is carried out.
    Delete,
    /// The record that was deleted is made anew from its partner.
    Recreate,
    /// The two records have nothing to do with one another: nothing is written any more.
    Unlink,
    /// The two records of a link that has ended, or was taken apart, belong together again.
    Relink,
}

/// How a record looked at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The record.
    pub record: RecordId,
    /// Its version; `None` where the answer does not tell, and then it is taken as the newest.
    pub version: Option<Version>,
    /// When it was changed last.
    pub modified_at: Option<Timestamp>,
    /// Whether Tandem's own user changed it last.
    pub by_us: bool,
    /// Whether it is there.
    pub presence: Presence,
    /// The properties that were seen; the others keep what was known.
    pub view: View,
    /// Whether all of the document's lines are in the view: then a line that it lacks is gone.
    pub whole_lines: bool,
    /// Whether a partner may be made for it: the pair admits it and no other pair has claimed it.
    pub admitted: bool,
    /// What its new partner is given in place of an empty property that has a stand-in.
    pub stand_in: Option<String>,
}

/// Why a write was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The remote, or our own check, refuses it as it stands.
    Rejected {
        /// In these words.
        words: String,
    },
    /// The record changed since we read it; nothing was written.
    Stale {
        /// How it looks now, where it was read.
        now: Option<Observation>,
    },
    /// The record is not there any more.
    Gone,
    /// The search before a create found several records.
    FoundSeveral {
        /// They.
        candidates: Vec<RecordId>,
    },
}

/// What follows from an event, to be carried out with the commit of the next state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Tell this side's writers that a write waits to be claimed.
    Enqueue(System),
    /// The link has become linked: those that wait for its records may go on.
    Wake,
    /// The observation showed nothing that was not known or agreed: our own write coming back, or a repeat.
    Echo(System),
    /// A line for the link's history, for people. It may hold personal values: never for logs.
    Note(String),
}

/// The result of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The link's next state.
    pub link: Link,
    /// What follows.
    pub effects: Vec<Effect>,
}
