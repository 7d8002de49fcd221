//! Collections as data: the properties of a record, their types and their rules.

mod tables;

pub use tables::{CONTACTS, CUSTOMERS, DEFAULT, ORDERS, PRODUCTS, QUOTES, USERS};

/// A collection: its name in paths, and what its records hold besides the properties that every record has
/// (`Id`, `CreatedAt`, `ModifiedAt`, `ModifiedBy`, `Version`, `IsDeleted`).
#[derive(Debug)]
pub struct Schema {
    /// The name in paths, a plural: `customers`.
    pub collection: &'static str,
    /// The name of one record in messages: `customer`.
    pub entity: &'static str,
    /// The properties, in the order of answers.
    pub properties: &'static [Property],
    /// What a line holds besides `LineId`, if the records are documents: then they have `Lines`, at
    /// least one. Lines are not searched, so that none of their properties is unique or searchable.
    pub lines: Option<&'static [Property]>,
}

/// One property of a collection and its rules.
#[derive(Debug)]
pub struct Property {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    pub(crate) search: Search,
    pub(crate) initial: Option<bool>,
}

/// Who gives a property its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Callers, if they like.
    Optional,
    /// Callers, always.
    Required,
    /// Callers, unless they give this other property a value.
    RequiredUnless(&'static str),
    /// The CRM.
    ReadOnly,
}

/// Whether records are found by a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Search {
    No,
    /// By its value, whatever the case.
    Exact,
    /// The same, and no two live records have the same value.
    Unique,
}

/// The type of a property, as JSON and in meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string of at most 255 characters. Codes, e-mail addresses, phone numbers and web addresses are texts too:
    /// the CRM does not look into them.
    Text,
    /// A string of at most 64 KiB of UTF-8.
    LongText,
    /// A number that is kept exactly: money, quantities, percentages. At most 28 significant digits.
    Decimal,
    /// A whole number of 64 bits.
    Integer,
    /// `true` or `false`.
    Bool,
    /// A string `YYYY-MM-DD` that is a day of the calendar.
    Date,
    /// A string with an RFC 3339 time; kept in UTC, in whole milliseconds.
    Timestamp,
    /// One of these strings, in exactly this case.
    Enumeration(&'static [&'static str]),
    /// The id of a record of this collection, which must be live when the reference is written.
    Reference(&'static str),
}

/// The properties that every record has and that only the CRM writes.
pub(crate) const KEPT_BY_THE_CRM: [&str; 6] =
    ["Id", "CreatedAt", "ModifiedAt", "ModifiedBy", "Version", "IsDeleted"];

/// The property that holds the lines of a document.
pub(crate) const LINES: &str = "Lines";

/// The property that tells a line from the others of its document, whatever becomes of them.
pub(crate) const LINE_ID: &str = "LineId";

/// The property that tells a line's number: where the caller gave none, its place, from 1.
pub(crate) const LINE_NUMBER: &str = "LineNumber";

impl Schema {
    pub(crate) fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

impl Property {
    /// A property of `kind` that is optional, writable, neither unique nor searchable.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, presence: Presence::Optional, search: Search::No, initial: None }
    }

    /// A record can't be without it; a blank text counts as being without.
    pub const fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    /// A record can't be without both it and this other property; a blank text counts as being without.
    pub const fn required_unless(mut self, other: &'static str) -> Self {
        self.presence = Presence::RequiredUnless(other);
        self
    }

    /// Only the CRM writes it.
    pub const fn read_only(mut self) -> Self {
        self.presence = Presence::ReadOnly;
        self
    }

    /// No two live records have the same value, whatever the case. A unique property is searchable.
    pub const fn unique(mut self) -> Self {
        self.search = Search::Unique;
        self
    }

    /// `filter[Property]=value` finds it. For texts and whole numbers.
    pub const fn searchable(mut self) -> Self {
        self.search = Search::Exact;
        self
    }

    /// The value of a boolean that was not given, or that was cleared.
    pub const fn initially(mut self, value: bool) -> Self {
        self.initial = Some(value);
        self
    }

    /// The name in JSON.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The type.
    pub const fn kind(&self) -> Kind {
        self.kind
    }
}
