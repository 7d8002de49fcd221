//! What a link holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::{
    ConnectionName, LineKey, LinkId, PairName, Presence, PropertyName, RecordId, Reference, System,
    SystemPair, Value, Version, View,
};

/// The state that ties one record of each system in one pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Link {
    /// Its id, derived from the record that it began with.
    pub id: LinkId,
    /// The connection it belongs to.
    pub connection: ConnectionName,
    /// The pair it belongs to.
    pub pair: PairName,
    /// Where it stands.
    pub status: Status,
    /// What is known of the two records; `None` where there is no record (yet).
    pub sides: SystemPair<Option<Side>>,
    /// The values at the last agreement, kept for each side: a side's own rendition is what its edits are
    /// measured against.
    pub agreed: BTreeMap<PropertyName, SystemPair<Value>>,
    /// The write that each side awaits; at most one.
    pub pending: SystemPair<Pending>,
    /// The last write that a side refused, until an edit changes what would be written.
    pub rejected: SystemPair<Option<Rejection>>,
    /// When each side's properties that are not agreed on were changed by anybody but us, by that system's clock.
    pub edited: SystemPair<BTreeMap<PropertyName, Timestamp>>,
    /// Properties that both sides changed and that wait for a person.
    pub conflicts: BTreeSet<PropertyName>,
    /// For the oscillation breaker: how often a property's direction turned in quick succession.
    pub turns: BTreeMap<PropertyName, Turn>,
    /// How many claims there have been on either side.
    pub claims: u64,
    /// The lines of a document: each side's own key of the line, under the key of the line that it began with. While
    /// there is one record only, these are the same.
    pub lines: BTreeMap<LineKey, SystemPair<Option<LineKey>>>,
    /// Whether a side was seen last without all of its lines: then they count even at the version that is known, and
    /// what is not among those seen is not known to be missing.
    pub awaits_lines: SystemPair<bool>,
    /// The records that this side had before they were deleted and made anew, and the version at which each was known
    /// last: what is still heard of them says nothing.
    pub former: SystemPair<BTreeMap<RecordId, Option<Version>>>,
    /// The pair that writes the properties of a record which both links share; this link then only follows it.
    pub follows: Option<PairName>,
    /// The trace of the edit that the pending writes carry on (W3C `traceparent`).
    pub trace: Option<String>,
}

/// Where a link stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Status {
    /// One record, no partner yet.
    Unmatched,
    /// Several records could be the partner: a person decides, or an edit of a match key does.
    Ambiguous(Vec<RecordId>),
    /// Both records are known and kept in agreement.
    Linked,
    /// A record was deleted and its partner is kept as it is: the link goes on when that very record is back.
    Missing,
    /// A record was deleted while its partner had an edit of its own: a person decides.
    DeletedAgainstEdit,
    /// A record was deleted and the pair's policy has been carried out; nothing more is written.
    Ended,
    /// A person has taken the two records apart: nothing is written, and neither looks for another partner.
    Unlinked,
}

/// What is known of one record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Side {
    /// The record.
    pub record: RecordId,
    /// The newest version seen.
    pub version: Option<Version>,
    /// When it was changed last by anybody but us, by its system's clock; of a record that nobody else has changed yet,
    /// when it was made.
    pub modified_at: Option<Timestamp>,
    /// How it looks. A property that could not be read is absent, and so is neither compared nor written.
    pub view: View,
    /// Whether it is there.
    pub presence: Presence,
    /// Whether a partner may be made for it: the pair admits it and no other pair has claimed it.
    pub admitted: bool,
    /// What its new partner is given in place of an empty property that has a stand-in.
    pub stand_in: Option<String>,
}

/// The write that a side awaits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pending {
    /// None.
    None,
    /// One is queued. What it will say is not fixed: it is computed when it is claimed, so later edits fold in.
    Queued {
        /// Since when.
        since: Timestamp,
    },
    /// A writer has claimed it and may have sent it.
    InFlight {
        /// What was claimed.
        write: Write,
        /// Which claim this is: an outcome speaks of the claim that it carries, and of no other.
        claim: u64,
        /// How many claims there have been, from 1. From the second on, the first may have been carried out.
        attempt: u32,
        /// When this attempt was claimed.
        since: Timestamp,
    },
}

impl Pending {
    /// What is in flight.
    pub(crate) fn sent(&self) -> Option<&View> {
        match self {
            Self::InFlight { write, .. } => Some(write.values()),
            Self::Queued { .. } | Self::None => None,
        }
    }
}

/// What a writer has to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Write {
    /// Make the partner.
    Create {
        /// Its properties.
        values: View,
    },
    /// Change these properties.
    Update {
        /// Of this record.
        record: RecordId,
        /// Which was last seen at this version.
        version: Option<Version>,
        /// To these values.
        values: View,
    },
    /// Delete this record, as its partner was.
    Delete {
        /// Which.
        record: RecordId,
        /// Which was last seen at this version.
        version: Option<Version>,
    },
}

impl Write {
    /// The properties that it sets; a deletion sets none.
    pub fn values(&self) -> &View {
        static NOTHING: View = View::new();
        match self {
            Self::Create { values } | Self::Update { values, .. } => values,
            Self::Delete { .. } => &NOTHING,
        }
    }

    /// The record that it speaks of; `None` for one that it makes.
    pub const fn record(&self) -> Option<&RecordId> {
        match self {
            Self::Create { .. } => None,
            Self::Update { record, .. } | Self::Delete { record, .. } => Some(record),
        }
    }
}

/// A write that the other system, or our own check, refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rejection {
    /// The remote's own words, or our check's.
    pub words: String,
    /// What was refused: it is not sent again until it differs.
    pub values: View,
    /// When.
    pub at: Timestamp,
}

/// A property's last direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Turn {
    /// Where it was written last.
    pub to: System,
    /// When.
    pub at: Timestamp,
    /// How often the direction turned in quick succession.
    pub count: u8,
}

impl Link {
    /// A link that begins with one record, before its partner is known.
    pub fn begin(connection: ConnectionName, pair: PairName, system: System, side: Side) -> Self {
        let mut sides = SystemPair { customcrm: None, exactonline: None };
        let id = LinkId::begun_by(system, &side.record);
        let mut lines: BTreeMap<LineKey, SystemPair<Option<LineKey>>> = BTreeMap::new();
        for line in side.view.keys().filter_map(PropertyName::line) {
            let keys = lines.entry(line.clone()).or_default();
            keys[system] = Some(line);
        }
        sides[system] = Some(side);
        Self {
            id,
            connection,
            pair,
            status: Status::Unmatched,
            sides,
            agreed: BTreeMap::new(),
            pending: SystemPair { customcrm: Pending::None, exactonline: Pending::None },
            rejected: SystemPair { customcrm: None, exactonline: None },
            edited: SystemPair::default(),
            conflicts: BTreeSet::new(),
            turns: BTreeMap::new(),
            claims: 0,
            lines,
            awaits_lines: SystemPair::default(),
            former: SystemPair::default(),
            follows: None,
            trace: None,
        }
    }

    /// A view of one of its records with that side's own keys of lines replaced by the link's. A line that has no tie keeps
    /// its own.
    pub fn tied(&self, system: System, view: View) -> View {
        let ties: BTreeMap<&LineKey, &LineKey> =
            self.lines.iter().filter_map(|(tie, keys)| Some((keys[system].as_ref()?, tie))).collect();
        let renamed = |name: &PropertyName| {
            let tie = ties.get(&name.line()?)?;
            Some(PropertyName::in_line(tie, &name.row()))
        };
        view.into_iter().map(|(name, value)| (renamed(&name).unwrap_or(name), value)).collect()
    }

    /// The record of a side, when there is one.
    pub fn record(&self, system: System) -> Option<&RecordId> {
        self.sides[system].as_ref().map(|side| &side.record)
    }

    /// Whether a side's record is known, and there as far as is known.
    pub fn is_present(&self, system: System) -> bool {
        self.sides[system].as_ref().is_some_and(|side| side.presence == Presence::Present)
    }

    /// Whether both records are known.
    pub const fn has_both(&self) -> bool {
        self.sides.customcrm.is_some() && self.sides.exactonline.is_some()
    }

    /// The records of other links that must be linked before all of this link's properties can flow.
    pub fn waits_for(&self) -> BTreeSet<(PairName, System, RecordId)> {
        System::BOTH
            .into_iter()
            .filter_map(|system| self.sides[system].as_ref())
            .flat_map(|side| side.view.values())
            .filter_map(|value| match value {
                Value::Reference(Reference::Unlinked { pair, system, record }) => {
                    Some((pair.clone(), *system, record.clone()))
                }
                _ => None,
            })
            .collect()
    }

    /// Whether nothing is left to do without a new event: no write pending on either side.
    pub const fn is_at_rest(&self) -> bool {
        matches!((&self.pending.customcrm, &self.pending.exactonline), (Pending::None, Pending::None))
    }
}
