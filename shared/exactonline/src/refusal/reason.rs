//! Why Exact refuses a record, as far as its words tell: they come in the user's language, and with nothing else.

use std::fmt;

/// What is wrong with a record that Exact refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Something must be filled in.
    Mandatory,
    /// It refers to something that is not there, or is of another kind.
    Reference,
    /// Another record has what only one may have.
    Duplicate,
    /// A value is not of the kind, or not within the range, that Exact takes.
    Value,
    /// The record, or one that it refers to, is in a state in which this can't be done.
    State,
    /// It can't be deleted, because others refer to it.
    InUse,
    /// The edition of the licence does not include this.
    Licence,
    /// Its words tell none of these.
    Other,
}

/// How a line of each reason begins, in English and in Dutch, in small letters; after a colon it names what is wrong.
const WORDS: [(&str, Reason); 25] = [
    ("mandatory:", Reason::Mandatory),
    ("verplicht:", Reason::Mandatory),
    ("invalid reference:", Reason::Reference),
    ("ongeldige referentie:", Reason::Reference),
    ("data already exists", Reason::Duplicate),
    ("gegeven bestaat reeds", Reason::Duplicate),
    ("already exists:", Reason::Duplicate),
    ("bestaat reeds:", Reason::Duplicate),
    ("must be: unique", Reason::Duplicate),
    ("moet zijn: uniek", Reason::Duplicate),
    ("already processed", Reason::State),
    ("reeds verwerkt", Reason::State),
    ("blocked:", Reason::State),
    ("geblokkeerd:", Reason::State),
    ("item: inactive", Reason::State),
    ("artikel: non actief", Reason::State),
    ("artikel: toekomstig", Reason::State),
    ("cannot delete:", Reason::InUse),
    ("kan niet verwijderen:", Reason::InUse),
    ("in use:", Reason::InUse),
    ("in gebruik:", Reason::InUse),
    ("not allow to update in", Reason::Licence),
    ("invalid:", Reason::Value),
    ("ongeldig:", Reason::Value),
    ("error processing request stream", Reason::Value),
];

impl Reason {
    /// The reason that the words tell; of several lines that of the first which tells one.
    pub(crate) fn of(words: &str) -> Self {
        let of_line = |line: &str| {
            let line = line.trim_start().to_lowercase();
            WORDS.iter().find(|(known, _)| line.starts_with(known)).map(|(_, reason)| *reason)
        };
        words.lines().find_map(of_line).unwrap_or(Self::Other)
    }
}

/// What to do about it, to be put behind Exact's words; nothing where they say all that is known.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mandatory => " (fill in what it names, here or in Exact Online's settings)",
            Self::Reference => {
                " (what it names refers to a record that is gone in Exact Online, or of another kind)"
            }
            Self::Duplicate => " (another record of Exact Online has this already: change one of the two)",
            Self::Value => " (correct what it names)",
            Self::State => " (end the state that it names in Exact Online, or take the change back)",
            Self::InUse => " (end in Exact Online what refers to the record, or keep it)",
            Self::Licence => " (the edition of Exact Online does not include this: switch the row off)",
            Self::Other => "",
        })
    }
}
