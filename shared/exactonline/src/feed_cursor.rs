//! Where the reading of an entity stands: its changes and the log of deletions, in one text.

use serde::{Deserialize, Serialize};

use crate::ChangesCursor;

/// The cursor that the collector keeps, and from which a writer starts its own reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedCursor {
    /// Of the sync feed.
    pub changes: ChangesCursor,
    /// Of the log of deletions.
    pub deleted: ChangesCursor,
}

#[derive(Serialize, Deserialize)]
struct Written {
    changes: String,
    deleted: String,
}

impl FeedCursor {
    /// Before anything was read.
    pub fn start() -> Self {
        Self { changes: ChangesCursor::start(), deleted: ChangesCursor::start() }
    }

    /// Reads what [`FeedCursor::write`] wrote; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let written: Written = serde_json::from_str(text).ok()?;
        Some(Self { changes: written.changes.parse().ok()?, deleted: written.deleted.parse().ok()? })
    }

    /// The cursor as text.
    pub fn write(&self) -> String {
        let written = Written { changes: self.changes.to_string(), deleted: self.deleted.to_string() };
        serde_json::to_string(&written).expect("a cursor holds only texts")
    }
}
