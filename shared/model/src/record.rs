//! A record as a connector saw it.

use jiff::Timestamp;

use crate::{Properties, RecordId, UserId};

/// A record's version in its own system: greater is newer, and nothing else may be read from it.
///
/// CustomCRM counts versions; in Exact Online it is the row version (`Timestamp`) of the sync feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// Whether a record is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It was seen with its properties.
    Present,
    /// The system itself said that it is gone (a deletion feed, a tombstone, or a lookup answered "gone").
    Deleted,
}

/// A record at one version, under the vendor's own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The record's own id.
    pub id: RecordId,
    /// Which state of the record this is; `None` where an answer does not tell (Exact's answer to a POST).
    pub version: Option<Version>,
    /// Who changed it last, where the system tells.
    pub modified_by: Option<UserId>,
    /// When it was changed last, by the system's own clock, where the system tells.
    pub modified_at: Option<Timestamp>,
    /// Whether it is there; a deleted record has no properties.
    pub presence: Presence,
    /// What it holds.
    pub properties: Properties,
}
