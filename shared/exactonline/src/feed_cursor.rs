//! Where the reading of an entity stands: its changes, its parts' and the log of deletions, in one text.

use jiff::{SignedDuration, Timestamp};
use model::{RecordId, Version};
use serde::{Deserialize, Serialize};

use crate::{ChangesCursor, Priority, Selection, Source, numbering::Numbering};

#[cfg(test)]
mod tests;

/// The cursor that the collector keeps, and from which a writer starts its own reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedCursor {
    /// Of the entity's own sync feed.
    pub changes: ChangesCursor,
    /// Of the feed of its parts; `None` where they are not read.
    pub parts: Option<ChangesCursor>,
    /// Of the log of deletions.
    pub deleted: ChangesCursor,
    /// When the log of deletions was last read to its end, to the day; `None` where that is not known.
    pub deletions_at: Option<Timestamp>,
    /// What has no version above this, though everything was read, is gone, unless it was looked for since.
    pub(crate) swept: Version,
    /// The documents that were published last, and are on the list of those to be published until that is safe.
    pub published: Vec<RecordId>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    changes: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<String>,
    deleted: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deletions_at: Option<Timestamp>,
    #[serde(default)]
    swept: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    published: Vec<String>,
}

impl FeedCursor {
    /// Before anything was read.
    pub fn start(selection: &Selection) -> Self {
        Self {
            changes: ChangesCursor::start(),
            parts: selection.parts.is_some().then(ChangesCursor::start),
            deleted: ChangesCursor::start(),
            deletions_at: None,
            swept: Version(0),
            published: Vec::new(),
        }
    }

    /// Reads what [`FeedCursor::write`] wrote, or a version before this one; `None` for anything else, and for a cursor of
    /// a reading without the parts that are read now: what it passed over was not kept.
    pub fn read(text: &str, selection: &Selection) -> Option<Self> {
        let written: Written = serde_json::from_str(text).ok()?;
        let parts = match (&selection.parts, written.parts) {
            (Some(_), Some(parts)) => Some(parts.parse().ok()?),
            (Some(_), None) => return None,
            (None, _) => None,
        };
        let ids = written.published.iter().map(|id| RecordId::parse(id).ok());
        Some(Self {
            changes: written.changes.parse().ok()?,
            parts,
            deleted: written.deleted.parse().ok()?,
            deletions_at: written.deletions_at,
            swept: Version(written.swept),
            published: ids.collect::<Option<_>>()?,
        })
    }

    /// The cursor as text.
    pub fn write(&self) -> String {
        let written = Written {
            changes: self.changes.to_string(),
            parts: self.parts.as_ref().map(ToString::to_string),
            deleted: self.deleted.to_string(),
            deletions_at: self.deletions_at,
            swept: self.swept.0,
            published: self.published.iter().map(ToString::to_string).collect(),
        };
        serde_json::to_string(&written).expect("a cursor holds only texts")
    }

    /// The same place for another reader, who begins each round with its first page.
    pub fn first_pages(&self) -> Self {
        Self {
            changes: self.changes.first_page(),
            parts: self.parts.as_ref().map(ChangesCursor::first_page),
            deleted: self.deleted.first_page(),
            published: Vec::new(),
            ..self.clone()
        }
    }

    /// The feed that is in the middle of a round: the others wait until it is read to its end.
    pub fn unfinished(&self) -> Option<Source> {
        let in_round = |cursor: &ChangesCursor| cursor.page().is_some();
        if in_round(&self.deleted) {
            Some(Source::Deleted)
        } else if self.parts.as_ref().is_some_and(in_round) {
            Some(Source::Parts)
        } else {
            in_round(&self.changes).then_some(Source::Own)
        }
    }

    /// What the next read is for: after its first page the first read of everything is a backfill.
    pub fn priority(&self) -> Priority {
        let mut changes = [Some(&self.changes), self.parts.as_ref()].into_iter().flatten();
        if changes.any(ChangesCursor::is_in_first_read) { Priority::Backfill } else { Priority::Read }
    }

    /// Whether everything that is there would be read from here. The log of deletions is short and does not count.
    pub(crate) fn begins_anew(&self, numbering: Numbering) -> bool {
        [Some(&self.changes), self.parts.as_ref()]
            .into_iter()
            .flatten()
            .any(|cursor| cursor.begins_anew(numbering))
    }

    /// The log of deletions was read to its end.
    pub(crate) fn read_deletions(&mut self, now: Timestamp) {
        const TOLD_EVERY: SignedDuration = SignedDuration::from_hours(24);
        if self.deletions_at.is_none_or(|at| now.duration_since(at).abs() >= TOLD_EVERY) {
            self.deletions_at = Some(now);
        }
    }

    /// What is older than this and is still known must be looked for: everything was read again, and it did not show.
    pub fn to_sweep(&self) -> Option<Version> {
        let start = self.changes.start_of_numbering();
        let is_read = self.unfinished().is_none() && !self.begins_anew(Numbering::of(start));
        // Where nothing at all shows, nothing is concluded from it.
        let is_any = self.changes.highest() > start;
        (is_read && is_any && start > self.swept && start > Numbering::default().start()).then_some(start)
    }

    /// What was older than this was looked for.
    pub fn was_swept(&mut self, start: Version) {
        self.swept = start;
    }

    /// The highest row version seen in any of the feeds.
    pub fn highest(&self) -> Version {
        let parts = self.parts.as_ref().map(ChangesCursor::highest);
        self.changes.highest().max(self.deleted.highest()).max(parts.unwrap_or(Version(0)))
    }
}
