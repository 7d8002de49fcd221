//! Messages that are laid aside in the store, because their line does not get on: a schedule for each line, so that a
//! system that is away for a day costs neither the broker's memory nor anybody's turn.
//!
//! A message is in the schedule before it is acknowledged, and leaves it after it was handled. Who fetches it moves its
//! time ahead: should the process end, it is due again.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Lane, WriteQueued};
use jiff::{SignedDuration, Timestamp};
use model::{ConnectionName, LinkId, PairName, System};
use serde::{Deserialize, Serialize};
use store::{Applied, Batch, Change, Key, Leased, Links, LinksError, Store};

use crate::lines::LineName;

/// Who fetches for a line does so alone for this long after it last did.
const LEASE: Duration = Duration::from_secs(10);
/// No write is under way for longer.
const IN_HAND_FOR: SignedDuration = SignedDuration::from_mins(2);

/// A write that is to be handled, and what its message says beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) queued: WriteQueued,
    pub(crate) attempt: u32,
    pub(crate) headers: BTreeMap<String, String>,
}

/// A task as it was fetched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// Nothing where it can't be read.
    pub(crate) task: Option<Task>,
    /// What it is on its schedule.
    pub(crate) entry: String,
}

/// The form in which a task lies in the store. The rest of it is in the key.
#[derive(Serialize, Deserialize)]
struct Entry {
    id: String,
    link: String,
    attempt: u32,
    headers: BTreeMap<String, String>,
}

/// What is laid aside in one lane of one system.
pub(crate) struct Aside<'a, S> {
    pub(crate) links: &'a Links<S>,
    pub(crate) system: System,
    pub(crate) lane: Lane,
}

impl<S: Store> Aside<'_, S> {
    /// Lays a task aside until this moment.
    pub(crate) async fn lay(&self, line: &LineName, task: &Task, at: Timestamp) -> Result<(), LinksError> {
        let (key, member) = (self.index(line), self.index_member(line));
        let batch = Batch::new().then(Change::Add { key, member });
        let member = entry(task);
        self.apply(batch.then(Change::Schedule { key: self.schedule(line), member, at })).await
    }

    /// It was handled.
    pub(crate) async fn handled(&self, line: &LineName, entry: &str) -> Result<(), LinksError> {
        let change = Change::Unschedule { key: self.schedule(line), member: entry.to_owned() };
        self.apply(Batch::new().then(change)).await
    }

    /// Fetches what is due, at most so many, and tells whether anything else is laid aside or in another's hand. Nothing
    /// is fetched while another writer fetches for the line.
    pub(crate) async fn fetch(
        &self,
        line: &LineName,
        holder: &str,
        count: usize,
    ) -> Result<(Vec<Fetched>, bool), LinksError> {
        let (store, schedule) = (self.links.store(), self.schedule(line));
        if store.lease(&schedule, holder, LEASE).await? == Leased::Taken {
            return Ok((Vec::new(), true));
        }
        let now = ambient::now();
        let due = store.due(&schedule, now, count).await?;
        if due.is_empty() {
            let left = store.due(&schedule, Timestamp::MAX, 1).await?;
            return Ok((Vec::new(), !left.is_empty()));
        }
        let mut batch = Batch::new();
        for member in &due {
            let (key, member) = (schedule.clone(), member.clone());
            batch = batch.then(Change::Schedule { key, member, at: now + IN_HAND_FOR });
        }
        self.apply(batch).await?;
        let fetched = due.into_iter().map(|entry| Fetched { task: self.task(line, &entry), entry });
        Ok((fetched.collect(), true))
    }

    /// The pairs of a connection of which something was ever laid aside here, by whomever.
    pub(crate) async fn ever(&self, connection: &ConnectionName) -> Result<Vec<PairName>, LinksError> {
        let key = self.links.key(connection, &["aside"]);
        let members = self.links.store().members(&key).await?;
        let prefix = format!("{} {} ", self.system, self.lane.name());
        let pairs = members.iter().filter_map(|member| member.strip_prefix(&prefix));
        pairs.map(|pair| PairName::parse(pair).map_err(|_| LinksError::Entry { key: key.clone() })).collect()
    }

    async fn apply(&self, batch: Batch) -> Result<(), LinksError> {
        match self.links.store().apply(batch).await? {
            Applied::Done { .. } | Applied::Refused(_) => Ok(()),
        }
    }

    fn task(&self, line: &LineName, entry: &str) -> Option<Task> {
        let Entry { id, link, attempt, headers } = serde_json::from_str(entry).ok()?;
        let queued = WriteQueued {
            connection: line.connection.clone(),
            pair: line.pair.clone(),
            link: LinkId::parse(&link).ok()?,
            system: self.system,
        };
        Some(Task { id, queued, attempt, headers })
    }

    fn schedule(&self, line: &LineName) -> Key {
        let parts = ["aside", self.system.name(), self.lane.name(), line.pair.as_str()];
        self.links.key(&line.connection, &parts)
    }

    fn index(&self, line: &LineName) -> Key {
        self.links.key(&line.connection, &["aside"])
    }

    fn index_member(&self, line: &LineName) -> String {
        format!("{} {} {}", self.system, self.lane.name(), line.pair)
    }
}

fn entry(task: &Task) -> String {
    let Task { id, queued, attempt, headers } = task.clone();
    let entry = Entry { id, link: queued.link.to_string(), attempt, headers };
    serde_json::to_string(&entry).expect("an entry holds only texts and a number")
}
