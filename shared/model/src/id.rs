//! Ids and names that cannot be confused with one another. All are cheap to clone: every record carries many.

use std::{fmt, sync::Arc};

use crate::System;

/// Why a text is not a name or an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The text is empty.
    #[error("a {kind} may not be empty")]
    Empty {
        /// What was being read.
        kind: &'static str,
    },
    /// The text is longer than the kind allows.
    #[error("a {kind} may have at most {max} bytes, this one has {bytes}")]
    TooLong {
        /// What was being read.
        kind: &'static str,
        /// Length of the text.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// The text has a character that queues, keys or logs could not carry.
    #[error("a {kind} may not contain {character:?}; use lower-case letters, digits and hyphens")]
    Character {
        /// What was being read.
        kind: &'static str,
        /// The first offending character.
        character: char,
    },
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads a text; empty, over-long or ill-formed texts are refused.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() {
                    return Err(InvalidName::Empty { kind: $kind });
                }
                if text.len() > $max {
                    return Err(InvalidName::TooLong { kind: $kind, bytes: text.len(), max: $max });
                }
                match text.chars().find(|character| !allowed(*character)) {
                    Some(character) => Err(InvalidName::Character { kind: $kind, character }),
                    None => Ok(Self(text.into())),
                }
            }

            /// The text as it was read.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Names stand in routing keys and in Redis keys, where dots, braces and stars have a meaning.
fn in_slug(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
}

/// Ids are the vendors' own: anything visible.
fn visible(character: char) -> bool {
    !character.is_control()
}

text_id!(
    /// One CustomCRM workspace joined to one Exact division. Every message and every key carries it.
    ConnectionName, "connection name", 64, in_slug
);
text_id!(
    /// A pair of entities with a mapping between them, such as `customer-account`.
    PairName, "pair name", 64, in_slug
);
text_id!(
    /// A kind of record in one system, such as `customers` or `accounts`: lower case, for queues and keys.
    EntityName, "entity name", 64, in_slug
);
text_id!(
    /// The name of one row of a pair's mapping table (the CustomCRM property's name unless the file says otherwise).
    ///
    /// What a view holds of a document's lines has a name made of the row and of the line ([`Self::of_line`],
    /// [`Self::in_line`]), so that lines are compared, agreed on and written cell by cell, as any property is.
    PropertyName, "property name", 600, visible
);
text_id!(
    /// Which line of a document is meant. A line's identity is its own id in its system; in a link, that of the
    /// line that it began with stands for both.
    LineKey, "line key", 300, visible
);
text_id!(
    /// A record's own id in its system.
    RecordId, "record id", 200, visible
);
text_id!(
    /// A user's own id in one of the systems.
    UserId, "user id", 200, visible
);
text_id!(
    /// A link's id. Derived from the record that the link began with, so that two services which see
    /// that record at once name the same link.
    LinkId, "link id", 300, visible
);

impl LinkId {
    /// The id of the link that begins with this record.
    pub fn begun_by(system: System, record: &RecordId) -> Self {
        Self(format!("{system}:{record}").into())
    }
}

impl LineKey {
    /// The key of the line that has this id in its system.
    pub fn begun_by(system: System, line: &RecordId) -> Self {
        Self([system.name(), ":", line.as_str()].concat().into())
    }

    /// The line's own id in this system; `None` for a line of the other one.
    pub fn id_in(&self, system: System) -> Option<RecordId> {
        RecordId::parse(self.0.strip_prefix(system.name())?.strip_prefix(':')?).ok()
    }
}

impl PropertyName {
    /// Whether the line is there: `Lines[key]`.
    pub fn of_line(lines: &Self, line: &LineKey) -> Self {
        Self([&*lines.0, "[", &*line.0, "]"].concat().into())
    }

    /// A line's own property: `Lines[key].Quantity` of the row `Lines.Quantity`.
    pub fn in_line(line: &LineKey, row: &Self) -> Self {
        match row.0.split_once('.') {
            Some((lines, property)) => Self([lines, "[", &*line.0, "].", property].concat().into()),
            None => Self::of_line(row, line),
        }
    }

    /// A property of the line that this is the presence of: `Lines[key].Quantity` of `Lines[key]` and `Quantity`. For
    /// one cell [`Self::in_line`] says more plainly what is meant; for a line of them this does less.
    pub fn cell_of(&self, property: &str) -> Self {
        Self([&*self.0, ".", property].concat().into())
    }

    /// The row that it is an instance of: `Lines.Quantity` of `Lines[key].Quantity`, `Lines` of `Lines[key]`, and of
    /// a record's own property the property itself.
    pub fn row(&self) -> Self {
        match self.brackets() {
            Some((open, close)) => Self([&self.0[..open], &self.0[close + 1..]].concat().into()),
            None => self.clone(),
        }
    }

    /// The line that it speaks of; `None` for a record's own property.
    pub fn line(&self) -> Option<LineKey> {
        LineKey::parse(self.cell()?.0).ok()
    }

    /// The line's key and the property that it is made of, borrowed: `key` and `Quantity` of `Lines[key].Quantity`,
    /// `key` and nothing of `Lines[key]`; `None` for a record's own property.
    pub fn cell(&self) -> Option<(&str, &str)> {
        let (open, close) = self.brackets()?;
        let property = &self.0[close + 1..];
        Some((self.0.get(open + 1..close)?, property.strip_prefix('.').unwrap_or(property)))
    }

    /// The property of a row of lines, without the lines: `Quantity` of `Lines.Quantity`.
    pub fn property(&self) -> &str {
        let dot = self.0.bytes().position(|byte| byte == b'.');
        dot.map_or(&*self.0, |dot| &self.0[dot + 1..])
    }

    /// Where a line's key begins and ends.
    fn brackets(&self) -> Option<(usize, usize)> {
        let bytes = self.0.as_bytes();
        Some((bytes.iter().position(|byte| *byte == b'[')?, bytes.iter().rposition(|byte| *byte == b']')?))
    }
}

/// One thing for each system: what a rule reads with `[system]` instead of an `if`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SystemPair<T> {
    /// CustomCRM's.
    pub customcrm: T,
    /// Exact Online's.
    pub exactonline: T,
}

impl<T> std::ops::Index<System> for SystemPair<T> {
    type Output = T;

    fn index(&self, system: System) -> &T {
        match system {
            System::CustomCrm => &self.customcrm,
            System::ExactOnline => &self.exactonline,
        }
    }
}

impl<T> std::ops::IndexMut<System> for SystemPair<T> {
    fn index_mut(&mut self, system: System) -> &mut T {
        match system {
            System::CustomCrm => &mut self.customcrm,
            System::ExactOnline => &mut self.exactonline,
        }
    }
}

impl<T> SystemPair<T> {
    /// The same pair with the sides exchanged: what a symmetry test compares with.
    pub fn swapped(self) -> Self {
        Self { customcrm: self.exactonline, exactonline: self.customcrm }
    }
}
