//! How large the world is that is checked.

use model::{System, SystemPair};

use crate::words::{Property, Word};

/// What may happen, and how often: everything else of the world follows from it.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// How the world begins.
    pub start: Start,
    /// How a record is recognised that was seen before the outcome of its create.
    pub recognised: Recognised,
    /// What CustomCRM's record is called at first.
    pub name: Word,
    /// What people may enter, on either side.
    pub entries: SystemPair<Vec<(Property, Word)>>,
    /// How many edits there are, on either side.
    pub edits: SystemPair<u8>,
    /// How many records people delete.
    pub deletes: SystemPair<u8>,
    /// How often a mapper or a writer crashes with what it holds.
    pub crashes: u8,
    /// How often a message is delivered once more: by the broker, by the sweeper that publishes again what may not
    /// have been published, or because its handler crashed before it could acknowledge.
    pub repeats: u8,
    /// How often a system's answer to a write does not arrive.
    pub lost_answers: u8,
    /// How often a record can't be read after a write that Exact Online has carried out.
    pub unread: u8,
    /// How many mappers there are.
    pub mappers: usize,
    /// How many writes are in hand at a time, of whatever writers.
    pub writers: usize,
    /// Whether a link is read at one moment and committed at another. It is one and the same moment to a reader who is
    /// refused when the link has changed meanwhile; so this shows the races, and the other worlds are larger without.
    pub apart: bool,
    /// What is left out of the protocol, to show that the check would tell.
    pub without: Option<Safeguard>,
}

/// How a world begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// CustomCRM has a record whose partner is to be made.
    Alone,
    /// Both records are there, linked and agreed.
    Linked,
}

/// How a record is recognised that was seen before the outcome of its create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// By a match key, which nobody edits here.
    ByKey,
    /// It is called as what is being made: its observation waits for the outcome.
    ByName,
}

/// What the protocol rests on beside the link's own step: a check without it has to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safeguard {
    /// A claim is stored before anything is sent.
    StoredClaim,
    /// A create is sent only after a search.
    Search,
    /// A create whose answer is not known is not repeated before it would show.
    Wait,
    /// A link is changed only if nobody was faster.
    Comparison,
    /// A write is refused when the record has changed since it was seen.
    VersionCheck,
    /// A message is acknowledged after its commit.
    LateAcknowledgement,
    /// The messages that follow are committed with the link.
    Outbox,
}

impl Bounds {
    /// Whether both sides may change what a person decides about.
    pub(crate) fn asks(&self) -> bool {
        let notes = |system: System| {
            let entries = self.entries[system].iter();
            self.edits[system] > 0 && entries.into_iter().any(|(property, _)| *property == Property::Note)
        };
        System::BOTH.into_iter().all(notes)
    }

    /// Whether the protocol has this.
    pub(crate) fn has(&self, safeguard: Safeguard) -> bool {
        self.without != Some(safeguard)
    }
}
