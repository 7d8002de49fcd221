//! Where a collector stands, as it is kept in the store.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The cursor of one entity of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The connector's own cursor; `None` before the first page.
    pub(crate) cursor: Option<String>,
    /// The full read that is under way.
    pub(crate) full_read: Option<FullRead>,
}

/// A full read under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FullRead {
    pub(crate) id: Uuid,
    /// The pages that have been published, and how many records each holds.
    pub(crate) pages: Vec<(Uuid, u32)>,
}

impl State {
    /// A full read that has not begun yet.
    pub(crate) fn start() -> Self {
        Self { cursor: None, full_read: Some(FullRead { id: ambient::new_id(), pages: Vec::new() }) }
    }
}
