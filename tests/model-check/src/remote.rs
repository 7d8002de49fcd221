//! The two remote systems, as far as the protocol can tell.
//!
//! CustomCRM refuses a write on another version than the record's and answers with the record. Exact Online writes
//! whatever comes; its answer to a create has no version, and a change is told by its feed afterwards.

use link::{Observation, Side};
use model::{Presence, RecordId, System, Version};

use crate::words::{Given, Property, Word, Words, view};

/// A record in its system. Its place among its system's records is its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// Counts its changes.
    pub version: u8,
    /// What it holds.
    pub words: Words,
    /// At which version a person changed a property last.
    pub edited: [u8; 2],
    /// Whether we changed it last.
    pub by_us: bool,
    /// Whether we made it.
    pub made_by_us: bool,
    /// Whether it is gone.
    pub is_deleted: bool,
    /// Whether searches and feeds show it by now.
    pub shows: bool,
    /// Whether a change of it waits for the collector.
    pub is_untold: bool,
}

/// A record as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sighting {
    /// Where.
    pub system: System,
    /// Which record of its system.
    pub record: u8,
    /// At which version; `None` where the answer does not tell.
    pub version: Option<u8>,
    /// What it held.
    pub words: Words,
    /// Whether we had changed it last.
    pub by_us: bool,
    /// Whether it was gone.
    pub is_gone: bool,
}

impl Record {
    /// A record that a person has made.
    pub fn entered(words: Words) -> Self {
        Self {
            version: 1,
            words,
            edited: [1; 2],
            by_us: false,
            made_by_us: false,
            is_deleted: false,
            shows: true,
            is_untold: false,
        }
    }

    /// A record that we have made; a property that it was not given holds nothing.
    pub fn made(system: System, given: Given) -> Self {
        let words = Property::BOTH
            .map(|property| property.stored(system, given[property as usize].unwrap_or(Word::Nothing)));
        Self {
            edited: [0; 2],
            by_us: true,
            made_by_us: true,
            shows: false,
            is_untold: true,
            ..Self::entered(words)
        }
    }

    /// A person changes it.
    pub fn edit(&mut self, property: Property, word: Word) {
        self.changes(false);
        self.words[property as usize] = word;
        self.edited[property as usize] = self.version;
    }

    /// A person deletes it.
    pub fn delete(&mut self) {
        self.changes(false);
        self.is_deleted = true;
    }

    /// We write it.
    pub fn write(&mut self, system: System, given: Given) {
        self.changes(true);
        for property in Property::BOTH {
            if let Some(word) = given[property as usize] {
                self.words[property as usize] = property.stored(system, word);
            }
        }
    }

    fn changes(&mut self, by_us: bool) {
        self.version += 1;
        self.by_us = by_us;
        self.is_untold = true;
    }

    /// How it looks.
    pub fn seen(&self, system: System, record: u8) -> Sighting {
        let version = Some(self.version);
        Sighting { system, record, version, words: self.words, by_us: self.by_us, is_gone: self.is_deleted }
    }
}

impl Sighting {
    /// What a mapper makes of it.
    pub fn observation(self) -> Observation {
        Observation {
            record: id(self.system, self.record),
            version: self.version.map(|version| Version(version.into())),
            modified_at: None,
            by_us: self.by_us,
            presence: if self.is_gone { Presence::Deleted } else { Presence::Present },
            view: if self.is_gone { model::View::new() } else { view(self.words) },
            whole_lines: !self.is_gone,
            admitted: true,
            stand_in: None,
        }
    }

    /// The partner that it shows.
    pub fn side(self) -> Side {
        let Observation { record, version, modified_at, presence, view, admitted, stand_in, .. } =
            self.observation();
        Side { record, version, modified_at, view, presence, admitted, stand_in }
    }
}

/// The id of a record by its place among its system's.
pub fn id(system: System, record: u8) -> RecordId {
    let letter = match system {
        System::CustomCrm => 'c',
        System::ExactOnline => 'e',
    };
    RecordId::parse(&format!("{letter}{record}")).expect("it is a letter and a number")
}
