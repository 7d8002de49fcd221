//! Links over a store: documents, the indexes that lead to them, and what is committed together.

mod candidates;
mod claims;
mod commit;
mod directory;
mod gate;
mod indexed;
mod keys;
mod lookups;
mod making;
mod standing;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use contract::{DocumentError, Message, ReadPart, read_link};
use jiff::Timestamp;
use link::Link;
use mapping::{MatchKey, Pair};
use model::{ConnectionName, LinkId, PairName, RecordId, System};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::candidates::Candidates;
pub use self::claims::Claim;
pub use self::directory::{Directories, Known, Named};
pub use self::keys::through_row;
pub use self::lookups::Resolvable;
pub use self::standing::Standing;
pub use self::told::Told;
use crate::{Check, Entry, Key, Store, StoreError};

#[cfg(test)]
mod tests;

/// A link's history keeps this many lines.
const HISTORY_KEPT: usize = 200;

/// The links of a deployment.
#[derive(Debug, Clone)]
pub struct Links<S> {
    store: S,
    namespace: String,
    /// What was read last of what is referred to by name, and the revision at which it was.
    names: Arc<Mutex<BTreeMap<ConnectionName, (u64, Named)>>>,
}

/// A link as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The link.
    pub link: Arc<Link>,
    /// The revision that a commit must still find.
    pub revision: u64,
}

/// Why links can't be read or committed.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// The store failed.
    #[error("the store failed while links were read or committed")]
    Store(#[from] StoreError),
    /// A stored link can't be read.
    #[error("the link {link} of pair {pair} can't be read")]
    Document {
        /// The pair.
        pair: PairName,
        /// The link.
        link: String,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// Something else under our keys can't be read.
    #[error("the entry {key} can't be read; delete it, it will be made anew by the next full read")]
    Entry {
        /// Where it stands.
        key: Key,
    },
}

impl LinksError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Document { .. } | Self::Entry { .. } => false,
        }
    }
}

/// A message that is committed with a link and published after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxMessage {
    /// Its id, on the queue too.
    pub id: Uuid,
    /// The exchange; empty for the default exchange.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// When it was made.
    pub at: Timestamp,
    /// Its body, a CloudEvent.
    pub body: String,
}

impl OutboxMessage {
    /// A message straight to a queue, said by the service `source`; `headers` carry the trace.
    pub fn to_queue(
        queue: String,
        message: &Message,
        source: &str,
        headers: BTreeMap<String, String>,
        now: Timestamp,
    ) -> Self {
        let id = ambient::new_id();
        let body =
            String::from_utf8(message.write(id, source, now)).expect("a message is written as JSON text");
        Self { id, exchange: String::new(), routing_key: queue, headers, at: now, body }
    }
}

/// A change of one link: from what was read (or nothing) to what it becomes (or nothing).
#[derive(Debug, Clone)]
pub struct LinkChange {
    /// What was read.
    pub before: Option<Stored>,
    /// What it becomes.
    pub after: Option<Arc<Link>>,
}

/// Everything that happens in one atomic step.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    /// The pair.
    pub pair: &'a Pair,
    /// The connection.
    pub connection: &'a ConnectionName,
    /// Links that change.
    pub links: Vec<LinkChange>,
    /// What else must still be as it was read.
    pub checks: Vec<Check>,
    /// Messages to be published after the commit.
    pub outbox: Vec<OutboxMessage>,
    /// Lines for the history of a link.
    pub notes: Vec<(LinkId, String)>,
    /// The part of a full read that this takes in.
    pub part: Option<ReadPart>,
    /// When.
    pub now: Timestamp,
}

impl<S: Store> Links<S> {
    /// The links in this store whose keys begin with `namespace`.
    pub fn new(store: S, namespace: &str) -> Self {
        Self { store, namespace: namespace.to_owned(), names: Arc::default() }
    }

    /// The store beneath.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// A key of this deployment and connection.
    pub fn key(&self, connection: &ConnectionName, parts: &[&str]) -> Key {
        Key::of(&self.namespace, connection.as_str(), parts)
    }

    /// Reads a link.
    pub async fn find(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        id: &LinkId,
    ) -> Result<Option<Stored>, LinksError> {
        let key = self.link_key(connection, pair, id);
        let Some(entry) = self.store.get(&key).await? else { return Ok(None) };
        let link = read_link(&entry.value).map_err(|source| LinksError::Document {
            pair: pair.clone(),
            link: id.to_string(),
            source,
        })?;
        Ok(Some(Stored { link: Arc::new(link), revision: entry.revision }))
    }

    /// The link that a record belongs to.
    pub async fn link_of(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        system: System,
        record: &RecordId,
    ) -> Result<Option<LinkId>, LinksError> {
        let key = self.record_key(connection, pair, system, record);
        let Some(entry) = self.store.get(&key).await? else { return Ok(None) };
        link_id(key, &entry).map(Some)
    }

    /// All links of a pair.
    pub async fn all(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
    ) -> Result<BTreeSet<LinkId>, LinksError> {
        self.ids(self.key(connection, &["links", pair.as_str()])).await
    }

    /// The links of a pair that have one record only.
    pub async fn unmatched(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
    ) -> Result<BTreeSet<LinkId>, LinksError> {
        self.ids(self.key(connection, &["unmatched", pair.as_str()])).await
    }

    /// The links of a pair that have a write pending.
    pub async fn pending(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
    ) -> Result<BTreeSet<LinkId>, LinksError> {
        self.ids(self.key(connection, &["pending", pair.as_str()])).await
    }

    /// The links of a pair with a user whom the other system's directory does not know.
    pub async fn strangers(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
    ) -> Result<BTreeSet<LinkId>, LinksError> {
        self.ids(self.key(connection, &["strangers", pair.as_str()])).await
    }

    /// The links of a membership that belong to this record of CustomCRM.
    pub async fn members(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        record: &RecordId,
    ) -> Result<BTreeSet<LinkId>, LinksError> {
        self.ids(self.members_key(connection, pair, record)).await
    }

    /// The check that a link is still as it was read.
    pub fn unchanged(&self, connection: &ConnectionName, pair: &PairName, stored: &Stored) -> Check {
        Check::Revision(self.link_key(connection, pair, &stored.link.id), stored.revision)
    }

    /// The newest lines of a link's history, the newest first.
    pub async fn history(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        id: &LinkId,
        newest: usize,
    ) -> Result<Vec<String>, LinksError> {
        Ok(self.store.list(&self.history_key(connection, pair, id), newest).await?)
    }

    /// The links that wait for this record to be linked, as (pair, link), and the check that no other came since.
    pub async fn waiting_for(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        system: System,
        record: &RecordId,
    ) -> Result<(Vec<(PairName, LinkId)>, Check), LinksError> {
        let key = self.waiting_key(connection, pair, system, record);
        let members = self.store.members(&key).await?;
        let waiting = members
            .iter()
            .map(|member| {
                let (pair, link) = member.split_once(' ')?;
                Some((PairName::parse(pair).ok()?, LinkId::parse(link).ok()?))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| LinksError::Entry { key: key.clone() })?;
        Ok((waiting, Check::Members(key, members)))
    }

    fn link_key(&self, connection: &ConnectionName, pair: &PairName, id: &LinkId) -> Key {
        self.key(connection, &["link", pair.as_str(), id.as_str()])
    }

    fn history_key(&self, connection: &ConnectionName, pair: &PairName, id: &LinkId) -> Key {
        self.key(connection, &["history", pair.as_str(), id.as_str()])
    }

    fn record_key(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        system: System,
        record: &RecordId,
    ) -> Key {
        self.key(connection, &["record", pair.as_str(), system.name(), record.as_str()])
    }

    fn waiting_key(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        system: System,
        record: &RecordId,
    ) -> Key {
        self.key(connection, &["waiting", pair.as_str(), system.name(), record.as_str()])
    }

    fn members_key(&self, connection: &ConnectionName, pair: &PairName, record: &RecordId) -> Key {
        self.key(connection, &["members", pair.as_str(), record.as_str()])
    }

    fn match_key(&self, connection: &ConnectionName, pair: &PairName, system: System, key: &MatchKey) -> Key {
        self.key(connection, &["match", pair.as_str(), system.name(), &key.name(), &key.value])
    }

    fn read_key(&self, connection: &ConnectionName, pair: &PairName, system: System) -> Key {
        self.key(connection, &["read", pair.as_str(), system.name()])
    }

    fn page_key(&self, connection: &ConnectionName, pair: &PairName, page: Uuid) -> Key {
        self.key(connection, &["page", pair.as_str(), &page.to_string()])
    }

    async fn ids(&self, key: Key) -> Result<BTreeSet<LinkId>, LinksError> {
        let members = self.store.members(&key).await?;
        parsed(&key, &members)
    }
}

fn link_id(key: Key, entry: &Entry) -> Result<LinkId, LinksError> {
    LinkId::parse(&entry.value).map_err(|_| LinksError::Entry { key })
}

fn parsed(key: &Key, members: &BTreeSet<String>) -> Result<BTreeSet<LinkId>, LinksError> {
    let id = |member: &String| LinkId::parse(member).map_err(|_| LinksError::Entry { key: key.clone() });
    members.iter().map(id).collect()
}
