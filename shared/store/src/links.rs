//! Links over a store: documents, the indexes that lead to them, and what is committed together.

use std::collections::{BTreeMap, BTreeSet};

use contract::{DocumentError, ReadPart, read_link, write_link};
use jiff::Timestamp;
use link::Link;
use mapping::{Lookups, MatchKey, Pair, ReferenceNeed};
use model::{ConnectionName, LinkId, PairName, Presence, RecordId, Reference, System, UserId, Value, View};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Applied, Batch, Change, Check, Key, Store, StoreError};

#[cfg(test)]
mod tests;

/// A link's history keeps this many lines.
const HISTORY_KEPT: usize = 200;

/// The links of a deployment.
#[derive(Debug, Clone)]
pub struct Links<S> {
    store: S,
    namespace: String,
}

/// A link as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The link.
    pub link: Link,
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

/// A change of one link: from what was read (or nothing) to what it becomes (or nothing).
#[derive(Debug, Clone)]
pub struct LinkChange {
    /// What was read.
    pub before: Option<Stored>,
    /// What it becomes.
    pub after: Option<Link>,
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

/// What an unlinked record's match keys lead to.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// Links that have the other side and lack this one.
    pub partners: BTreeSet<LinkId>,
    /// Links that have a record of this side, or both sides: a person must say which is meant.
    pub others: BTreeSet<LinkId>,
    /// What the commit must still find, so that a partner that comes at this moment is not missed.
    pub checks: Vec<Check>,
}

/// A full read's state at the mapper: published whole, and then taken in whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ReadState {
    read: Uuid,
    pages: Vec<(Uuid, u32)>,
}

impl<S: Store> Links<S> {
    /// The links in this store whose keys begin with `namespace`.
    pub fn new(store: S, namespace: &str) -> Self {
        Self { store, namespace: namespace.to_owned() }
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
        Ok(Some(Stored { link, revision: entry.revision }))
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
        LinkId::parse(&entry.value).map(Some).map_err(|_| LinksError::Entry { key })
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

    /// The links that a one-sided link's match keys lead to; `own` itself is left out.
    pub async fn candidates(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        system: System,
        keys: &[MatchKey],
        own: &LinkId,
    ) -> Result<Candidates, LinksError> {
        let mut found = Candidates::default();
        for key in keys {
            let mut partners = BTreeSet::new();
            for side in System::BOTH {
                let index = self.match_key(connection, &pair.name, side, key);
                let members = self.store.members(&index).await?;
                found.checks.push(Check::Members(index.clone(), members.clone()));
                for member in members {
                    let id = LinkId::parse(&member).map_err(|_| LinksError::Entry { key: index.clone() })?;
                    if id == *own {
                        continue;
                    }
                    let Some(stored) = self.find(connection, &pair.name, &id).await? else { continue };
                    let lacks_ours = stored.link.sides[system].is_none();
                    if side == system.other() && lacks_ours && is_present(&stored.link, side) {
                        partners.insert(id);
                    } else if is_present(&stored.link, side) {
                        found.others.insert(id);
                    }
                }
            }
            if found.partners.is_empty() {
                found.partners = partners;
            }
        }
        found.others.retain(|id| !found.partners.contains(id));
        Ok(found)
    }

    /// Commits, if everything is still as it was read. `false`: somebody was faster; read and decide again.
    pub async fn commit(&self, commit: Commit<'_>) -> Result<bool, LinksError> {
        let mut batch = Batch { checks: commit.checks.clone(), changes: Vec::new() };
        self.change_links(&commit, &mut batch);
        for (link, note) in &commit.notes {
            batch.changes.push(Change::Append {
                key: self.history_key(commit.connection, &commit.pair.name, link),
                value: format!("{} {note}", commit.now),
                keep: HISTORY_KEPT,
            });
        }
        for message in &commit.outbox {
            batch.changes.extend(self.outbox_changes(commit.connection, message));
        }
        if let Some(part) = &commit.part {
            batch.changes.push(Change::Add {
                key: self.page_key(commit.connection, &commit.pair.name, part.page),
                member: part.index.to_string(),
            });
        }
        match self.store.apply(batch).await? {
            Applied::Done { .. } => Ok(true),
            Applied::Refused(_) => Ok(false),
        }
    }

    /// What was leaves before what comes, because a record may move from one link to another.
    fn change_links(&self, commit: &Commit<'_>, batch: &mut Batch) {
        let (connection, pair) = (commit.connection, commit.pair);
        let indexed =
            |link: Option<&Link>| link.map(|link| self.indexed(connection, pair, link)).unwrap_or_default();
        let mut left = BTreeSet::new();
        let mut coming = Vec::new();
        for change in &commit.links {
            let (before, after) = (change.before.as_ref().map(|stored| &stored.link), change.after.as_ref());
            let Some(id) = before.or(after).map(|link| &link.id) else { continue };
            let key = self.link_key(connection, &pair.name, id);
            batch.checks.push(match &change.before {
                Some(stored) => Check::Revision(key.clone(), stored.revision),
                None => Check::Absent(key.clone()),
            });
            let (was, is) = (indexed(before), indexed(after));
            for (index, member) in was.sets.difference(&is.sets) {
                batch.changes.push(Change::Remove { key: index.clone(), member: member.clone() });
            }
            for record in was.records.difference(&is.records) {
                batch.changes.push(Change::Delete(record.clone()));
                left.insert(record.clone());
            }
            coming.push((key, id, after, was, is));
        }
        for (key, id, after, was, is) in coming {
            batch.changes.push(match after {
                Some(link) => Change::Set { key, value: write_link(link) },
                None => Change::Delete(key),
            });
            for (index, member) in is.sets.difference(&was.sets) {
                batch.changes.push(Change::Add { key: index.clone(), member: member.clone() });
            }
            for record in is.records.difference(&was.records) {
                if !left.contains(record) {
                    batch.checks.push(Check::Absent(record.clone()));
                }
                batch.changes.push(Change::Set { key: record.clone(), value: id.to_string() });
            }
        }
    }

    fn indexed(&self, connection: &ConnectionName, pair: &Pair, link: &Link) -> Indexed {
        let mut indexed = Indexed::default();
        let own = link.id.to_string();
        indexed.sets.insert((self.key(connection, &["links", pair.name.as_str()]), own.clone()));
        if !link.has_both() {
            indexed.sets.insert((self.key(connection, &["unmatched", pair.name.as_str()]), own.clone()));
        }
        if !link.is_at_rest() {
            indexed.sets.insert((self.key(connection, &["pending", pair.name.as_str()]), own.clone()));
        }
        for (waited_pair, system, record) in link.waits_for() {
            let waiter = format!("{} {own}", pair.name);
            indexed.sets.insert((self.waiting_key(connection, &waited_pair, system, &record), waiter));
        }
        for system in System::BOTH {
            let Some(side) = &link.sides[system] else { continue };
            indexed.records.insert(self.record_key(connection, &pair.name, system, &side.record));
            for key in pair.match_keys(&side.view) {
                indexed.sets.insert((self.match_key(connection, &pair.name, system, &key), own.clone()));
            }
        }
        indexed
    }

    fn outbox_changes(&self, connection: &ConnectionName, message: &OutboxMessage) -> [Change; 2] {
        let id = message.id.to_string();
        let body = serde_json::to_string(message).expect("an outbox message holds only texts");
        [
            Change::Set { key: self.key(connection, &["outbox", &id]), value: body },
            Change::Schedule { key: self.key(connection, &["outbox"]), member: id, at: message.at },
        ]
    }

    /// Messages that were committed before `until` and not yet known to be published, the oldest first.
    pub async fn outbox(
        &self,
        connection: &ConnectionName,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>, LinksError> {
        let ids = self.store.due(&self.key(connection, &["outbox"]), until, limit).await?;
        let keys: Vec<Key> = ids.iter().map(|id| self.key(connection, &["outbox", id])).collect();
        let entries = self.store.get_many(&keys).await?;
        keys.into_iter()
            .zip(entries)
            .filter_map(|(key, entry)| {
                entry.map(|entry| serde_json::from_str(&entry.value).map_err(|_| LinksError::Entry { key }))
            })
            .collect()
    }

    /// Forgets messages that have been published.
    pub async fn published(&self, connection: &ConnectionName, ids: &[Uuid]) -> Result<(), LinksError> {
        let mut batch = Batch::new();
        for id in ids {
            let id = id.to_string();
            batch = batch
                .then(Change::Delete(self.key(connection, &["outbox", &id])))
                .then(Change::Unschedule { key: self.key(connection, &["outbox"]), member: id });
        }
        match self.store.apply(batch).await? {
            Applied::Done { .. } | Applied::Refused(_) => Ok(()),
        }
    }

    /// Notes that a system has been read in full and published as these pages.
    pub async fn read_completed(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        system: System,
        read: Uuid,
        pages: Vec<(Uuid, u32)>,
    ) -> Result<(), LinksError> {
        let value = serde_json::to_string(&ReadState { read, pages }).expect("a read state holds only ids");
        let batch = Batch::new().then(Change::Set { key: self.read_key(connection, pair, system), value });
        match self.store.apply(batch).await? {
            Applied::Done { .. } | Applied::Refused(_) => Ok(()),
        }
    }

    /// Whether both systems have been read in full and every record of those reads has been taken in.
    pub async fn both_read(&self, connection: &ConnectionName, pair: &PairName) -> Result<bool, LinksError> {
        for system in System::BOTH {
            let key = self.read_key(connection, pair, system);
            let Some(entry) = self.store.get(&key).await? else { return Ok(false) };
            let state: ReadState =
                serde_json::from_str(&entry.value).map_err(|_| LinksError::Entry { key })?;
            for (page, records) in state.pages {
                if self.store.count(&self.page_key(connection, pair, page)).await? < u64::from(records) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether the pair may create; and the check that holds a commit to the answer when it may not.
    pub async fn released(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
    ) -> Result<(bool, Option<Check>), LinksError> {
        let key = self.key(connection, &["released", pair.as_str()]);
        let released = self.store.get(&key).await?.is_some();
        Ok((released, (!released).then_some(Check::Absent(key))))
    }

    /// Lets the pair create, together with the messages that wake these links, which must still be all its unmatched
    /// ones: a link that comes at this moment knows nothing of the release. `false`: it was let before, or the
    /// unmatched links are others by now; look again.
    pub async fn release(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        unmatched: &BTreeSet<LinkId>,
        wakes: &[OutboxMessage],
        now: Timestamp,
    ) -> Result<bool, LinksError> {
        let key = self.key(connection, &["released", pair.as_str()]);
        let members = unmatched.iter().map(ToString::to_string).collect();
        let mut batch = Batch::new()
            .when(Check::Absent(key.clone()))
            .when(Check::Members(self.key(connection, &["unmatched", pair.as_str()]), members))
            .then(Change::Set { key, value: now.to_string() });
        for message in wakes {
            batch.changes.extend(self.outbox_changes(connection, message));
        }
        match self.store.apply(batch).await? {
            Applied::Done { .. } => Ok(true),
            Applied::Refused(_) => Ok(false),
        }
    }

    /// A system's users by e-mail; `None` until its collector has read them.
    pub async fn people(
        &self,
        connection: &ConnectionName,
        system: System,
    ) -> Result<Option<BTreeMap<UserId, String>>, LinksError> {
        let key = self.key(connection, &["people", system.name()]);
        let Some(entry) = self.store.get(&key).await? else { return Ok(None) };
        let people: BTreeMap<String, String> =
            serde_json::from_str(&entry.value).map_err(|_| LinksError::Entry { key: key.clone() })?;
        people
            .into_iter()
            .map(|(user, email)| UserId::parse(&user).map(|user| (user, email)))
            .collect::<Result<_, _>>()
            .map(Some)
            .map_err(|_| LinksError::Entry { key })
    }

    /// Replaces a system's users.
    pub async fn set_people(
        &self,
        connection: &ConnectionName,
        system: System,
        people: &BTreeMap<UserId, String>,
    ) -> Result<(), LinksError> {
        let key = self.key(connection, &["people", system.name()]);
        let texts: BTreeMap<String, String> =
            people.iter().map(|(user, email)| (user.to_string(), email.trim().to_lowercase())).collect();
        let value = serde_json::to_string(&texts).expect("a directory holds only texts");
        match self.store.apply(Batch::new().then(Change::Set { key, value })).await? {
            Applied::Done { .. } | Applied::Refused(_) => Ok(()),
        }
    }

    /// What a record's references stand for, and the checks that hold a commit to references that are not linked yet.
    pub async fn look_up_links(
        &self,
        connection: &ConnectionName,
        system: System,
        needs: &BTreeSet<ReferenceNeed>,
        lookups: &mut Lookups,
    ) -> Result<Vec<Check>, LinksError> {
        let mut checks = Vec::new();
        for need in needs {
            let ReferenceNeed { pair, record } = need;
            match self.link_of(connection, pair, system, record).await? {
                None => checks.push(Check::Absent(self.record_key(connection, pair, system, record))),
                Some(id) => match self.find(connection, pair, &id).await? {
                    Some(stored) if stored.link.has_both() => {
                        lookups.links.insert((pair.clone(), system, record.clone()), id);
                    }
                    Some(stored) => {
                        checks.push(Check::Revision(self.link_key(connection, pair, &id), stored.revision));
                    }
                    None => checks.push(Check::Absent(self.link_key(connection, pair, &id))),
                },
            }
        }
        Ok(checks)
    }

    /// The records, in one system, of the links that these values refer to.
    pub async fn look_up_records(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        system: System,
        values: &View,
        lookups: &mut Lookups,
    ) -> Result<(), LinksError> {
        for (property, value) in values {
            let Value::Reference(Reference::Linked(id)) = value else { continue };
            let Some(mapping::Lens::Reference { pair: through }) =
                pair.property(property).map(|row| &row.lens)
            else {
                continue;
            };
            let stored = self.find(connection, through, id).await?;
            if let Some(record) = stored.as_ref().and_then(|stored| stored.link.record(system)) {
                lookups.records.insert((through.clone(), id.clone(), system), record.clone());
            }
        }
        Ok(())
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

    fn match_key(&self, connection: &ConnectionName, pair: &PairName, system: System, key: &MatchKey) -> Key {
        self.key(connection, &["match", pair.as_str(), system.name(), key.property.as_str(), &key.value])
    }

    fn read_key(&self, connection: &ConnectionName, pair: &PairName, system: System) -> Key {
        self.key(connection, &["read", pair.as_str(), system.name()])
    }

    fn page_key(&self, connection: &ConnectionName, pair: &PairName, page: Uuid) -> Key {
        self.key(connection, &["page", pair.as_str(), &page.to_string()])
    }

    async fn ids(&self, key: Key) -> Result<BTreeSet<LinkId>, LinksError> {
        let members = self.store.members(&key).await?;
        members
            .iter()
            .map(|member| LinkId::parse(member).map_err(|_| LinksError::Entry { key: key.clone() }))
            .collect()
    }
}

fn is_present(link: &Link, system: System) -> bool {
    link.sides[system].as_ref().is_some_and(|side| side.presence == Presence::Present)
}

/// The index entries of one link.
#[derive(Default)]
struct Indexed {
    sets: BTreeSet<(Key, String)>,
    records: BTreeSet<Key>,
}
