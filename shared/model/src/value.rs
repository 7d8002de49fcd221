//! Values in the canonical form that both systems share.

use std::{collections::BTreeMap, fmt};

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use crate::{LinkId, PairName, PropertyName, RecordId, System};

/// A record seen through a pair's mapping: what is compared, agreed on and written.
pub type View = BTreeMap<PropertyName, Value>;

/// One property in its canonical form. Equal facts are equal values, whichever side they were read from:
/// `1.10` equals `1.1`, and a reference is the link that stands for both records.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Nothing is there: null, an absent property, an empty text.
    Empty,
    /// A text, code, address or enum word.
    Text(String),
    /// A number, money, quantity or percentage, exact.
    Decimal(Decimal),
    /// Yes or no.
    Boolean(bool),
    /// A day, without a time zone.
    Date(Date),
    /// A moment.
    Timestamp(Timestamp),
    /// Another record.
    Reference(Reference),
    /// What a new record is given in place of an empty property, such as an order's number for the customer's own
    /// reference. It is written, and never taken for a value of the side that it came from.
    StandIn(String),
}

/// A record that this record points at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// It is linked: both systems know it.
    Linked(LinkId),
    /// It is not linked yet: only one system's id is known, so nothing can be written to the other.
    Unlinked {
        /// The pair through whose link it becomes known.
        pair: PairName,
        /// Whose id it is.
        system: System,
        /// The id.
        record: RecordId,
    },
    /// A person of the user directory, by e-mail in lower case.
    Person(String),
    /// A user whom the other system's directory does not know: nothing can be written to the other side.
    UnknownPerson {
        /// Whose user it is.
        system: System,
        /// The user's id there.
        user: String,
    },
}

impl Value {
    /// Whether nothing is there.
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether this is a reference that only one system can resolve: it can be neither compared nor written yet.
    pub const fn is_unresolved(&self) -> bool {
        matches!(self, Self::Reference(Reference::Unlinked { .. } | Reference::UnknownPerson { .. }))
    }
}

/// For people: history lines, conflicts, tables. Not for logs, because values may be personal.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("(empty)"),
            Self::Text(text) | Self::StandIn(text) => f.write_str(text),
            Self::Decimal(number) => write!(f, "{}", number.normalize()),
            Self::Boolean(yes) => f.write_str(if *yes { "yes" } else { "no" }),
            Self::Date(date) => write!(f, "{date}"),
            Self::Timestamp(moment) => write!(f, "{moment}"),
            Self::Reference(Reference::Linked(link)) => write!(f, "link {link}"),
            Self::Reference(Reference::Unlinked { system, record, .. }) => {
                write!(f, "{system} record {record} (not linked yet)")
            }
            Self::Reference(Reference::Person(email)) => f.write_str(email),
            Self::Reference(Reference::UnknownPerson { system, user }) => {
                write!(f, "{system} user {user} (not in the other directory)")
            }
        }
    }
}
