//! What a system's connector gives to its collector.

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;

use model::{EntityName, FailureClass, Record, UserId};

use crate::Hint;

/// A part of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What was read, deleted records among them.
    pub records: Vec<Record>,
    /// Where to go on once the records are safe: the connector's own words.
    pub cursor: String,
    /// Whether more is there already.
    pub more: bool,
}

/// Lists by name: each code's own id.
pub type Lists = BTreeMap<String, BTreeMap<String, String>>;

/// A system of one connection, as its collector reads it.
pub trait Source: Send + Sync + 'static {
    /// How it fails.
    type Error: Error + Send + Sync + 'static;

    /// What a failure means.
    fn class(error: &Self::Error) -> FailureClass;

    /// The user that we are there: whose changes are ours.
    fn ourselves(&self) -> impl Future<Output = Result<UserId, Self::Error>> + Send;

    /// The next page after the cursor; without one, the first page of a full read.
    fn page(
        &self,
        entity: &EntityName,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<Page, Self::Error>> + Send;

    /// A hint has come, which the next page should show: deletions too, if it is one of those.
    fn hinted(&self, _: Hint) {}

    /// All users with an e-mail address, whichever entity's collector asks.
    fn people(&self) -> impl Future<Output = Result<BTreeMap<UserId, String>, Self::Error>> + Send;

    /// The lists whose codes records hold, such as payment conditions, whichever entity's collector asks: each code's
    /// own id, by the list's name. None by itself.
    fn lists(&self) -> impl Future<Output = Result<Lists, Self::Error>> + Send {
        async { Ok(Lists::new()) }
    }
}
