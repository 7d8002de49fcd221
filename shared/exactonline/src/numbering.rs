//! Row versions across the numberings of a division.
//!
//! Exact numbers all row versions of a division anew when it moves to another database, and when it is linked to Exact
//! HR or unlinked from it. The new numbers may be below the old ones, so that a cursor would pass over changes, and a
//! change would look older than what is known. So each version of ours holds, above Exact's own number, the numbering
//! that this is of: versions only ever rise, and a cursor of an earlier numbering begins anew by itself.
//!
//! After a long silence, of which Exact has forgotten the deletions, a numbering of our own begins: what has no version of
//! it once everything was read is gone.

use std::time::Duration;

use jiff::Timestamp;
use model::{Properties, Version};
use serde::{Deserialize, Serialize};

use crate::odata;

#[cfg(test)]
mod tests;

/// The bits of a version that hold Exact's own number. The samples of this API have 37; what is above them must leave
/// a version exact as a floating-point number, by which schedules sort.
const BITS: u32 = 44;
/// The last numbering that finds room.
const LAST: u64 = (1 << (53 - BITS)) - 1;
/// The first row version that is asked for is above this: what Exact's documentation begins with.
const FIRST: u64 = 1;
/// How often it is looked whether all was numbered anew. What a person edits meanwhile is seen as late as this, unless a
/// write that does not show leads to a look before.
pub const NUMBERING_LOOKED_AT_EVERY: Duration = Duration::from_hours(8);
/// How soon it is looked at again where something hints at it: feeds that are late hint at it with each write.
const LOOKED_AT_AT_MOST: Duration = Duration::from_mins(10);

/// The properties of a division that tell of a new numbering.
const MOVED: &str = "DivisionMoveDate";
const LINKED: &str = "DivisionHRLinkUnlinkDate";

/// What is asked of a division.
pub(crate) const SELECT: &str = "Code,DivisionMoveDate,DivisionHRLinkUnlinkDate";

/// One numbering of a division's row versions; the first is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Numbering(u64);

impl Numbering {
    /// The numbering that a version is of.
    pub(crate) const fn of(Version(version): Version) -> Self {
        Self(version >> BITS)
    }

    /// Below every version of this numbering.
    pub(crate) const fn start(self) -> Version {
        Version(self.0 << BITS | FIRST)
    }

    /// The version that Exact's number stands for; `None` for a number that finds no room.
    pub(crate) fn version(self, number: u64) -> Option<Version> {
        (number >> BITS == 0).then_some(Version(self.0 << BITS | number))
    }
}

/// Exact's own number of a version.
pub(crate) const fn number(Version(version): Version) -> u64 {
    version & ((1 << BITS) - 1)
}

/// When Exact last numbered a division anew, in its own words; `None` where it never did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dates {
    moved: Option<String>,
    linked: Option<String>,
}

impl Dates {
    /// What a division tells.
    pub(crate) fn of(division: &Properties) -> Self {
        let date = |name| odata::text(division, name).map(str::to_owned);
        Self { moved: date(MOVED), linked: date(LINKED) }
    }

    /// Whether `later` tells of a numbering that these do not know.
    fn differ(&self, later: &Self) -> bool {
        let is_new = |known: &Option<String>, told: &Option<String>| told.is_some() && told != known;
        is_new(&self.moved, &later.moved) || is_new(&self.linked, &later.linked)
    }
}

/// What is kept of a division's numbering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) numbering: Numbering,
    dates: Dates,
    looked_at: Timestamp,
}

impl Known {
    /// What is known after a look. `told` is `None` where Exact does not tell: then the numbering is taken to be the
    /// same.
    pub(crate) fn after(before: Option<Self>, told: Option<Dates>, now: Timestamp) -> Self {
        let Some(before) = before else {
            return Self { numbering: Numbering::default(), dates: told.unwrap_or_default(), looked_at: now };
        };
        match told {
            Some(dates) if before.dates.differ(&dates) => {
                let numbering = Numbering((before.numbering.0 + 1).min(LAST));
                Self { numbering, dates, looked_at: now }
            }
            _ => Self { looked_at: now, ..before },
        }
    }

    /// The same above everything that a process remembers, where it does not follow from that: the store was lost in
    /// between, and whoever did not know what had been began to count again.
    pub(crate) fn raised_above(&self, remembered: &Self) -> Option<Self> {
        let is_lower = self.numbering < remembered.numbering;
        let is_another = self.numbering == remembered.numbering && remembered.dates.differ(&self.dates);
        (is_lower || is_another)
            .then(|| Self { numbering: remembered.numbering, ..self.clone() }.begun_anew())
    }

    /// The same with everything to be read again, though Exact has numbered nothing anew.
    pub(crate) fn begun_anew(self) -> Self {
        Self { numbering: Numbering((self.numbering.0 + 1).min(LAST)), ..self }
    }

    /// Whether it is to be looked at again.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.age(now) >= NUMBERING_LOOKED_AT_EVERY
    }

    /// Whether it may be looked at again where there is a reason to.
    pub(crate) fn may_be_looked_at(&self, now: Timestamp) -> bool {
        self.age(now) >= LOOKED_AT_AT_MOST
    }

    fn age(&self, now: Timestamp) -> Duration {
        now.duration_since(self.looked_at).unsigned_abs()
    }
}
