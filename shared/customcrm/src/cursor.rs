//! Where an incremental read stands.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use model::{Record, Version};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Records remembered for the overlap, at most; those beyond are reported again at each read, which does no harm.
const RECENT_MAX: usize = 500;

/// Where an incremental read of one collection stands: kept by the caller as text, opaque to it.
///
/// A round reads, page by page, every record changed at or after its start; the next round starts a little before
/// the latest change seen (the overlap). So several changes within one millisecond, a record that becomes visible
/// late, and a clock that is set back by less than the overlap lose nothing; what the overlap shows a second time
/// at the same version is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangesCursor(State);

/// The text is not one that a cursor was written as.
#[derive(Debug, thiserror::Error)]
#[error("this is no cursor of an incremental read; start from the beginning instead")]
pub struct InvalidCursor(#[source] serde_json::Error);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// Where the round began; `None` is the beginning of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// The next page of the round; `None` is its first.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// The latest change seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    highest: Option<Timestamp>,
    /// The records within the overlap: version and time of change by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    recent: BTreeMap<String, (u64, Timestamp)>,
}

impl ChangesCursor {
    /// Before the first record: reading from here shows everything that is there, and what was deleted lately.
    pub fn start() -> Self {
        Self::default()
    }

    /// The same round from its first page: for when the CRM has forgotten the page that was next.
    pub fn first_page(&self) -> Self {
        Self(State { page: None, ..self.0.clone() })
    }

    /// From when on the round reads; `None` reads everything.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.0.since
    }

    /// The CRM's own mark of the next page.
    pub(crate) fn page(&self) -> Option<&str> {
        self.0.page.as_deref()
    }

    /// Takes in a page: gives those of its records that were not seen at this version, and where reading goes on.
    pub(crate) fn after(
        &self,
        records: Vec<Record>,
        next_page: Option<String>,
        overlap: SignedDuration,
    ) -> (Vec<Record>, Self) {
        let mut state = State { page: next_page, ..self.0.clone() };
        let mut fresh = Vec::with_capacity(records.len());
        for record in records {
            if let (Some(Version(version)), Some(at)) = (record.version, record.modified_at) {
                let before = state.recent.insert(record.id.as_str().to_owned(), (version, at));
                state.highest = state.highest.max(Some(at));
                if before.is_some_and(|(seen, _)| seen == version) {
                    continue;
                }
            }
            fresh.push(record);
        }
        if let Some(highest) = state.highest {
            let floor = highest.checked_sub(overlap).unwrap_or(Timestamp::MIN);
            state.recent.retain(|_, (_, at)| *at >= floor);
            forget_oldest(&mut state.recent);
            if state.page.is_none() {
                state.since = Some(floor);
            }
        }
        (fresh, Self(state))
    }
}

fn forget_oldest(recent: &mut BTreeMap<String, (u64, Timestamp)>) {
    let surplus = recent.len().saturating_sub(RECENT_MAX);
    if surplus > 0 {
        let mut times: Vec<Timestamp> = recent.values().map(|(_, at)| *at).collect();
        times.sort_unstable();
        let newest_forgotten = times[surplus - 1];
        let mut left = surplus;
        recent.retain(|_, (_, at)| {
            let forget = left > 0 && *at <= newest_forgotten;
            left -= usize::from(forget);
            !forget
        });
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
