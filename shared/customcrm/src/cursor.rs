//! Where an incremental read stands.

use std::{cmp::Reverse, collections::BTreeMap, fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use model::{Record, Version};
use serde::{Deserialize, Serialize, Serializer};

use crate::record::fingerprint;

#[cfg(test)]
mod tests;

/// Records remembered for the overlap, at most; those beyond are reported again at each read, which does no harm.
const RECENT_MAX: usize = 20_000;

/// So many of them are written down, for the text is kept with every page: what it leaves out is reported once more
/// where a read goes on from it.
const RECENT_WRITTEN: usize = 100;

/// How long after a record was read it is read once more, where versions are the moments of reads: longer than any call
/// lasts. A read that began before a write ended counts as older than the write, whatever it has seen.
pub const SETTLES_AFTER: SignedDuration = SignedDuration::from_secs(40);

/// Where an incremental read of one collection stands: kept by the caller as text, opaque to it. The cursor itself knows
/// more of what it has shown than its text does, so whoever goes on reading uses that; it has shown just what another one
/// has whose text is the same.
///
/// A round reads, page by page, every record changed at or after its start; the next round starts a little before
/// the latest change seen (the overlap). So several changes within one moment, a record that becomes visible late, and
/// a clock that is set back by less than the overlap lose nothing; what the overlap shows a second time as it was is left
/// out.
///
/// Where pages are counted, what changes in the middle of a round moves all that comes behind it. There each page begins
/// at the latest change that the one before has shown, and only within one moment pages are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangesCursor(State);

/// The text is not one that a cursor was written as.
#[derive(Debug, thiserror::Error)]
#[error("this is no cursor of an incremental read; start from the beginning instead")]
pub struct InvalidCursor(#[source] serde_json::Error);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// From when on is read; `None` is the beginning of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// The next page of the round; `None` is its first.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// The latest change seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    highest: Option<Timestamp>,
    /// What this pass over the records of one moment has shown, where pages are counted.
    #[serde(default, skip_serializing_if = "Tie::is_nothing")]
    tie: Tie,
    /// The first moment of this round of which records were read over several pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tied: Option<Timestamp>,
    /// How many records were reported, in all.
    #[serde(default)]
    reported: u64,
    /// Whether this round has shown anything new.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_new: bool,
    /// The records within the overlap, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", serialize_with = "write_newest")]
    recent: BTreeMap<String, Recent>,
    /// Where the read of the lines stands that are in a collection of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    children: Option<Box<State>>,
}

/// A pass over the records of one moment, which may fill several pages. What moves out of it meanwhile moves another record
/// over the border of a page, so it is read again until a pass has shown nothing new and as many as the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tie {
    is_new: bool,
    count: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<usize>,
}

/// A record that the overlap may show again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Recent {
    /// What tells its states apart: its version, or what it holds.
    mark: u64,
    /// When it was changed.
    at: Timestamp,
    /// When it is to be reported once more, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Timestamp>,
}

/// A page as it was read.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// The CRM's mark of the next page, or how far it is counted.
    pub(crate) next: Option<String>,
}

/// How a collection is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) overlap: SignedDuration,
    /// Whether pages are counted.
    pub(crate) is_counted: bool,
    /// The time, where versions are the moments of reads.
    pub(crate) settles: Option<Timestamp>,
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

    /// From when on the next page reads; `None` reads everything.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.0.since
    }

    /// The CRM's own mark of the next page, or how far it is counted.
    pub(crate) fn page(&self) -> Option<&str> {
        self.0.page.as_deref()
    }

    /// Where the read of the lines stands that are in a collection of their own.
    pub(crate) fn children(&self) -> Self {
        Self(self.0.children.as_deref().cloned().unwrap_or_default())
    }

    /// The same cursor with the read of those lines at another place.
    pub(crate) fn with_children(mut self, children: Self) -> Self {
        self.0.children = Some(Box::new(children.0));
        self
    }

    /// Takes in a page: gives those of its records that are new, where reading goes on, and whether more is there.
    pub(crate) fn after(&self, page: Page, rules: Rules) -> (Vec<Record>, Self, bool) {
        let mut state = State { page: page.next, ..self.0.clone() };
        let latest = page.records.iter().filter_map(|record| record.modified_at).max();
        let is_at_since =
            |record: &Record| record.modified_at.is_some() && record.modified_at == self.0.since;
        state.tie.count += page.records.iter().filter(|record| is_at_since(record)).count();
        let mut fresh = Vec::with_capacity(page.records.len());
        for record in page.records {
            if state.is_new(&record, rules.settles) {
                state.tie.is_new |= is_at_since(&record);
                fresh.push(record);
            }
        }
        state.highest = state.highest.max(latest);
        state.has_new |= !fresh.is_empty();
        state.reported += u64::try_from(fresh.len()).unwrap_or_default();
        let is_again = rules.is_counted && state.count_on(latest, self.0.page.is_some());
        let more = is_again || state.page.is_some() || state.since != self.0.since;
        state.forget(rules.overlap, !more);
        (fresh, Self(state), more)
    }
}

impl State {
    /// Whether a record is to be reported.
    fn is_new(&mut self, record: &Record, settles: Option<Timestamp>) -> bool {
        let Some(at) = record.modified_at else { return true };
        let mark = match (settles, record.version) {
            (None, Some(Version(version))) => version,
            _ => fingerprint(record),
        };
        let id = record.id.as_str();
        let known = self.recent.get(id).filter(|known| known.mark == mark).copied();
        let again = match (known, settles) {
            (None, Some(now)) => now.checked_add(SETTLES_AFTER).ok(),
            (Some(Recent { again: Some(again), .. }), Some(now)) if again > now => Some(again),
            _ => None,
        };
        let is_due = known.and_then(|known| known.again).is_some() && again.is_none();
        self.recent.insert(id.to_owned(), Recent { mark, at, again });
        known.is_none() || is_due
    }

    /// The next page begins where this one ended in time, and is counted only within one moment. Whether the records of
    /// a moment are read again from their first page on.
    fn count_on(&mut self, latest: Option<Timestamp>, is_behind_first: bool) -> bool {
        let is_full = self.page.is_some();
        if is_behind_first {
            self.tied = self.tied.or(self.since);
        }
        if is_full && latest <= self.since {
            return false;
        }
        let tie = std::mem::take(&mut self.tie);
        if is_behind_first && (tie.is_new || tie.before != Some(tie.count)) {
            self.tie.before = Some(tie.count);
            self.page = None;
            return true;
        }
        if is_full {
            (self.since, self.page) = (latest, None);
        }
        false
    }

    /// Forgets what no read shows again, and begins the next round.
    fn forget(&mut self, overlap: SignedDuration, is_end: bool) {
        let Some(highest) = self.highest else { return };
        let mut floor = highest.checked_sub(overlap).unwrap_or(Timestamp::MIN);
        let unsettled = self.recent.values().filter(|recent| recent.again.is_some());
        if let Some(earliest) = unsettled.map(|recent| recent.at).min() {
            floor = floor.min(earliest);
        }
        // Within one pass one record may take another's place, so what was read over several pages is read once more in a
        // round of its own. What is read over and over again is known as long as that lasts.
        let since = if is_end { self.tied.filter(|_| self.has_new) } else { self.tied.or(self.since) };
        floor = since.map_or(floor, |since| floor.min(since));
        self.recent.retain(|_, recent| recent.at >= floor);
        forget_oldest(&mut self.recent, since);
        if is_end {
            (self.since, self.tied, self.has_new) = (Some(floor), None, false);
        }
    }
}

impl Tie {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Forgets the oldest of too many, but for those of this moment.
fn forget_oldest(recent: &mut BTreeMap<String, Recent>, moment: Option<Timestamp>) {
    let surplus = recent.len().saturating_sub(RECENT_MAX);
    if surplus > 0 {
        let mut times: Vec<Timestamp> = recent.values().map(|recent| recent.at).collect();
        times.sort_unstable();
        let newest_forgotten = times[surplus - 1];
        let mut left = surplus;
        recent.retain(|_, recent| {
            let forget = left > 0 && recent.at <= newest_forgotten && Some(recent.at) != moment;
            left -= usize::from(forget);
            !forget
        });
    }
}

/// Writes the newest of the records within the overlap, as many as are written down.
fn write_newest<S: Serializer>(recent: &BTreeMap<String, Recent>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut newest: Vec<(&String, &Recent)> = recent.iter().collect();
    if newest.len() > RECENT_WRITTEN {
        newest.select_nth_unstable_by_key(RECENT_WRITTEN, |(_, recent)| Reverse(recent.at));
        newest.truncate(RECENT_WRITTEN);
        newest.sort_unstable_by_key(|(id, _)| *id);
    }
    serializer.collect_map(newest)
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
