//! What a pair's file says about its decisions.

use std::collections::BTreeMap;

use model::{PropertyName, System, SystemPair, Value};

/// The rules of a pair that the state machine follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// One rule for each row, those of lines among them.
    pub rules: BTreeMap<PropertyName, Rule>,
    /// Whether a missing partner may be created in this system.
    pub creates: SystemPair<bool>,
    /// What becomes of the record *in this system* when its partner is deleted.
    pub deletes: SystemPair<DeletePolicy>,
    /// What happens when a record is deleted whose partner holds an edit that it never received.
    pub delete_conflict: DeleteConflict,
    /// How lines are told apart, for a pair of documents.
    pub lines: Option<LinesPolicy>,
}

/// How the lines of two documents are tied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinesPolicy {
    /// The row of the lines; the rows of their properties begin with its name and a dot.
    pub row: PropertyName,
    /// The rows by which a line finds its partner at first, the strongest first: all of them equal, then all but the
    /// last, and so on; among equals, by position.
    pub match_by: Vec<PropertyName>,
}

/// The rule of one row. By itself it flows both ways, a person decides, and nothing else is special.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rule {
    /// Which way it flows.
    pub flow: Flow,
    /// What happens when both sides changed it.
    pub conflict: ConflictPolicy,
    /// Whether emptying it is undone rather than carried over.
    pub keep_filled: bool,
    /// Whether no record, or no line, is made in Exact without it.
    pub required: bool,
    /// Whether Exact takes it when a record is made, and never after.
    pub create_only: bool,
    /// Whether a new record in Exact is given the other side's stand-in where it is empty.
    pub stand_in: bool,
}

impl Rule {
    /// Whether the later of two changes wins.
    pub(crate) fn goes_by_date(self) -> bool {
        self.conflict == ConflictPolicy::Newest
    }
}

/// Which way a property flows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flow {
    /// Both ways.
    #[default]
    Both,
    /// Only into this system; an edit made there is set back to what the other side holds.
    To(System),
    /// Only into this system, which follows the other side's edits; its own edits stand until then. For a property
    /// that another pair writes there too.
    Follow(System),
}

impl Flow {
    /// Whether the property may be written to this system.
    pub fn reaches(self, system: System) -> bool {
        match self {
            Self::Both => true,
            Self::To(only) | Self::Follow(only) => only == system,
        }
    }
}

/// What happens when both sides changed a property to different values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConflictPolicy {
    /// This system's value wins.
    Wins(System),
    /// The later change wins by the two systems' clocks; a person decides where they do not tell.
    Newest,
    /// A person decides; both values are kept.
    #[default]
    Ask,
}

/// What becomes of a record when its partner is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletePolicy {
    /// It is marked as no longer in use, by this property and value; then the link ends.
    Archive(PropertyName, Value),
    /// It is deleted too.
    Propagate,
    /// It stays as it is and the link ends: a record that is entered anew may take the place of the deleted one.
    Unlink,
    /// It stays as it is and so does the link, which goes on when that very record is back.
    Ignore,
}

/// What happens when a record is deleted whose partner holds an edit that it never received. It concerns only the
/// deletions that would touch the partner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeleteConflict {
    /// The deletion is carried over all the same.
    Delete,
    /// The edit stands: the deleted record is made anew.
    Recreate,
    /// A person decides; the partner is kept as it is.
    #[default]
    Ask,
}
