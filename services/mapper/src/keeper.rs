//! One pair of one connection, kept in agreement.

mod claims;
pub(crate) mod commit;
mod draft;
mod gate;
mod matching;
mod membership;
mod observed;
mod outcome;
mod seen;
mod versions;
mod woken;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::{Lane, Message, Names, ReadPart};
use jiff::Timestamp;
use link::{DeleteConflict, DeletePolicy, Pending, Policy};
use mapping::Pair;
use model::{ConnectionName, Content, PairName, System, SystemPair};
use store::{Links, OutboxMessage, Store};
use telemetry::Metrics;

use crate::error::{BadMessage, MapperError};

/// Keeps one pair of one connection.
pub(crate) struct Keeper<S> {
    pub(crate) links: Links<S>,
    pub(crate) connection: ConnectionName,
    pub(crate) pair: Pair,
    names: Names,
    pub(crate) metrics: Arc<Metrics>,
    /// The other pairs that take records of the same entity of Exact.
    beside: Vec<Pair>,
    /// For each pair whose creates wait for the reads of this one: all pairs whose reads they wait for.
    gates: BTreeMap<PairName, BTreeSet<PairName>>,
    /// What the connection gives to its pairs, by name.
    given: BTreeMap<String, Content>,
}

/// What a handling is about.
struct Case<'a> {
    /// By which lane the writes go that follow from it.
    lane: Lane,
    /// How urgent the links are that it wakes.
    wakes: Lane,
    part: Option<&'a ReadPart>,
    /// Whether it comes of a full read. What it opens is looked at even if it is not counted any more: the first time
    /// that it was taken in, its pair may have been released and nothing after that.
    is_of_read: bool,
    now: Timestamp,
    /// Whether the pair may create.
    released: bool,
    /// The pair's rules on this day.
    policy: Box<Policy>,
}

impl<S: Store> Keeper<S> {
    /// `None` where the pair is not among those that the connection keeps.
    pub(crate) fn new(
        links: &Links<S>,
        names: &Names,
        metrics: Arc<Metrics>,
        connection: &ConnectionName,
        pair: &PairName,
        kept: &[Pair],
        given: BTreeMap<String, Content>,
    ) -> Option<Self> {
        let pair = kept.iter().find(|kept| kept.name == *pair)?;
        Some(Self {
            links: links.clone(),
            connection: connection.clone(),
            pair: pair.clone(),
            names: names.clone(),
            metrics,
            beside: claims::beside(pair, kept).cloned().collect(),
            gates: gate::gates(pair, kept),
            given,
        })
    }

    fn policy(&self) -> Box<Policy> {
        let today = ambient::today();
        Box::new(if self.pair.is_membership { of_membership() } else { self.pair.policy(today) })
    }

    pub(crate) fn misfit(&self, message: &Message) -> Option<BadMessage> {
        let (system, entity) = match message {
            Message::Observed(observed) => (observed.system, &observed.entity),
            Message::ReadCompleted(completed) => (completed.system, &completed.entity),
            Message::Woken(_) | Message::Outcome(_) | Message::WriteQueued(_) => return None,
        };
        (self.pair.entities[system] != *entity).then(|| BadMessage::UnknownEntity {
            pair: self.pair.name.clone(),
            entity: entity.clone(),
            system,
        })
    }

    /// Messages for everything that may have been lost with a broker that keeps nothing: pending writes and
    /// links that wait.
    pub(crate) async fn lost(&self) -> Result<Vec<OutboxMessage>, MapperError> {
        let now = ambient::now();
        let (lane, policy) = (Lane::Backfill, self.policy());
        let case = Case { lane, wakes: lane, part: None, is_of_read: false, now, released: true, policy };
        let mut messages = Vec::new();
        for id in self.links.all(&self.connection, &self.pair.name).await? {
            let Some(stored) = self.links.find(&self.connection, &self.pair.name, &id).await? else {
                continue;
            };
            for system in System::BOTH {
                if stored.link.pending[system] != Pending::None {
                    messages.push(self.enqueue(&case, &stored.link, system));
                }
            }
            if !stored.link.has_both() || !stored.link.waits_for().is_empty() {
                messages.push(self.wake(&self.pair.name, id, lane, now));
            }
        }
        Ok(messages)
    }

    /// Messages that wake the links with a user whom the other system's directory did not know.
    pub(crate) async fn wake_strangers(&self) -> Result<Vec<OutboxMessage>, MapperError> {
        let (strangers, now) =
            (self.links.strangers(&self.connection, &self.pair.name).await?, ambient::now());
        Ok(strangers.into_iter().map(|link| self.wake(&self.pair.name, link, Lane::Backfill, now)).collect())
    }
}

/// A membership only tells which records are whose: it compares nothing and writes nothing.
const fn of_membership() -> Policy {
    Policy {
        rules: BTreeMap::new(),
        creates: SystemPair { customcrm: false, exactonline: false },
        deletes: SystemPair { customcrm: DeletePolicy::Unlink, exactonline: DeletePolicy::Unlink },
        delete_conflict: DeleteConflict::Ask,
        lines: None,
    }
}
