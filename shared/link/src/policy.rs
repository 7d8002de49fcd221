//! What a pair's file says about its decisions.

use std::collections::BTreeMap;

use model::{PropertyName, System, SystemPair, Value};

/// The rules of a pair that the state machine follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// One rule for each property.
    pub rules: BTreeMap<PropertyName, Rule>,
    /// Whether a missing partner may be created in this system.
    pub creates: SystemPair<bool>,
    /// What becomes of the record *in this system* when its partner is deleted.
    pub deletes: SystemPair<DeletePolicy>,
}

/// The rule of one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Which way it flows.
    pub flow: Flow,
    /// What happens when both sides changed it.
    pub conflict: ConflictPolicy,
    /// Whether emptying it is undone rather than carried over.
    pub keep_filled: bool,
}

/// Which way a property flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Both ways.
    Both,
    /// Only into this system; an edit made there is set back to what the other side holds.
    To(System),
}

impl Flow {
    /// Whether the property may be written to this system.
    pub fn reaches(self, system: System) -> bool {
        match self {
            Self::Both => true,
            Self::To(only) => only == system,
        }
    }
}

/// What happens when both sides changed a property to different values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictPolicy {
    /// This system's value wins.
    Wins(System),
    /// The later change wins by the two systems' clocks; a person decides where they do not tell.
    Newest,
    /// A person decides; both values are kept.
    Ask,
}

/// What becomes of a record when its partner is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeletePolicy {
    /// It is marked as no longer in use, by this property and value.
    Archive(PropertyName, Value),
    /// It stays as it is; the link ends.
    Unlink,
}
