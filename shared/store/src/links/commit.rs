//! One atomic step: links, their indexes, their history, and the messages that follow.

use std::collections::BTreeSet;

use contract::write_link;
use jiff::Timestamp;
use link::Link;
use model::ConnectionName;
use uuid::Uuid;

use super::{Commit, HISTORY_KEPT, Links, LinksError, OutboxMessage};
use crate::{Applied, Batch, Change, Check, Key, Store};

impl<S: Store> Links<S> {
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
            let (before, after) =
                (change.before.as_ref().map(|stored| &*stored.link), change.after.as_deref());
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
            for entry in was.entries.keys().filter(|entry| !is.entries.contains_key(*entry)) {
                // An earlier version of a document that the link has moved from is nobody else's.
                if was.claim.as_ref() != Some(entry) || is.claim.is_none() {
                    batch.changes.push(Change::Delete(entry.clone()));
                    left.insert(entry.clone());
                }
            }
            coming.push((key, after, was, is));
        }
        for (key, after, was, is) in coming {
            batch.changes.push(match after {
                Some(link) => Change::Set { key, value: write_link(link) },
                None => Change::Delete(key),
            });
            for (index, member) in is.sets.difference(&was.sets) {
                batch.changes.push(Change::Add { key: index.clone(), member: member.clone() });
            }
            for (entry, value) in is.entries.iter().filter(|(entry, _)| !was.entries.contains_key(*entry)) {
                if !left.contains(entry) {
                    batch.checks.push(Check::Absent(entry.clone()));
                }
                batch.changes.push(Change::Set { key: entry.clone(), value: value.clone() });
            }
        }
    }

    pub(super) fn outbox_changes(&self, connection: &ConnectionName, message: &OutboxMessage) -> [Change; 2] {
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
}
