//! Where an incremental read stands.

use std::{collections::BTreeMap, fmt, str::FromStr};

use model::{Record, Version};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::numbering::{self, Numbering};

#[cfg(test)]
mod tests;

/// Records remembered for the overlap, at most; those beyond are reported again at each read, which does no harm.
const RECENT_MAX: usize = 500;

/// Where the read of one sync feed stands: kept by the caller as text, opaque to it.
///
/// A feed gives the records whose row version is above a number; the number moves only after the last page, as Exact
/// asks. Whether a long transaction can publish a lower row version later is not documented, so each round starts a
/// little below the highest seen (the overlap), and what that shows a second time is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesCursor(State);

/// The text is not one that a cursor was written as.
#[derive(Debug, thiserror::Error)]
#[error("this is no cursor of a sync feed; start from the beginning instead")]
pub struct InvalidCursor(#[source] serde_json::Error);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// The round asks for row versions above this one.
    after: u64,
    /// The next page of the round; `None` is its first.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<Url>,
    /// The highest row version seen.
    highest: u64,
    /// The records within the overlap: row version by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recent: BTreeMap<String, u64>,
}

impl ChangesCursor {
    /// Before the first record: reading from here shows everything that is there.
    pub fn start() -> Self {
        Self::begin(Numbering::default())
    }

    fn begin(numbering: Numbering) -> Self {
        let Version(first) = numbering.start();
        Self(State { after: first, page: None, highest: first, recent: BTreeMap::new() })
    }

    /// The same place in this numbering of the row versions; in another one than the cursor's own it begins anew.
    pub(crate) fn within(&self, numbering: Numbering) -> Self {
        if self.numbering() == numbering { self.clone() } else { Self::begin(numbering) }
    }

    /// Whether reading on from here is a read of everything, because the cursor is of another numbering than this, or its
    /// first round is not over.
    pub(crate) fn begins_anew(&self, numbering: Numbering) -> bool {
        let is_first_round = self.0.page.is_some() && Version(self.0.after) == numbering.start();
        self.numbering() != numbering || is_first_round
    }

    /// Below every version of the numbering that it reads in.
    pub(crate) fn start_of_numbering(&self) -> Version {
        self.numbering().start()
    }

    /// Whether it stands in the middle of the very first read.
    pub(crate) fn is_in_first_read(&self) -> bool {
        self.0.page.is_some() && Version(self.0.after) == Numbering::default().start()
    }

    fn numbering(&self) -> Numbering {
        Numbering::of(Version(self.0.after))
    }

    /// The same round from its first page: for when the address of the next page is refused.
    pub fn first_page(&self) -> Self {
        Self(State { page: None, ..self.0.clone() })
    }

    /// The highest row version seen so far; 1 before the first record.
    pub fn highest(&self) -> Version {
        Version(self.0.highest)
    }

    /// The round asks for what Exact numbers above this.
    pub(crate) fn above(&self) -> u64 {
        numbering::number(Version(self.0.after))
    }

    /// Where the next page is, if the round has begun.
    pub(crate) fn page(&self) -> Option<&Url> {
        self.0.page.as_ref()
    }

    /// Takes in a page: gives those of its records that were not seen at this version, and where reading goes on.
    pub(crate) fn after<T>(
        &self,
        records: Vec<T>,
        record: impl Fn(&T) -> &Record,
        next_page: Option<Url>,
        overlap: u64,
    ) -> (Vec<T>, Self) {
        let mut state = State { page: next_page, ..self.0.clone() };
        let mut fresh = Vec::with_capacity(records.len());
        for item in records {
            let seen = record(&item);
            let Version(version) = seen.version.unwrap_or(Version(0));
            state.highest = state.highest.max(version);
            if state.recent.insert(seen.id.as_str().to_owned(), version) != Some(version) {
                fresh.push(item);
            }
        }
        let Version(first) = self.numbering().start();
        let floor = state.highest.saturating_sub(overlap).max(first);
        state.recent.retain(|_, version| *version > floor);
        let surplus = state.recent.len().saturating_sub(RECENT_MAX);
        if surplus > 0 {
            let mut versions: Vec<u64> = state.recent.values().copied().collect();
            versions.sort_unstable();
            let forgotten = versions[surplus - 1];
            state.recent.retain(|_, version| *version > forgotten);
        }
        if state.page.is_none() {
            state.after = floor;
        }
        (fresh, Self(state))
    }
}

impl fmt::Display for ChangesCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for ChangesCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        serde_json::from_str(text).map(Self).map_err(InvalidCursor)
    }
}
