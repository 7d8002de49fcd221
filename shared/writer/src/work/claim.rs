//! A claim: what is sent is decided here, and stored before anything is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::Broker;
use contract::{Lane, Message, WriteQueued};
use jiff::{SignedDuration, Timestamp};
use link::promises::{Taken, broken};
use link::{Effect, Event, Link, Pending, Write, step};
use mapping::Pair;
use model::{PropertyName, System, Value};
use store::{Commit, LinkChange, OutboxMessage, Store, Stored};

use super::Work;
use crate::{Target, WriterError};

/// What makes something and whose answer is not known is given this long to arrive and to show in a read: as long as its
/// claim holds (5 s), the longest call (10 s), the lag of the target's reads, and what clocks may differ by.
const SHOWS_WITHIN: SignedDuration = SignedDuration::from_secs(20);

/// Two services may meet at one link; the one who is late reads again, at most this often in a row.
const COLLISIONS_MAX: u32 = 20;

/// A write that is ours to send.
pub(super) struct Claimed {
    pub(super) link: Arc<Link>,
    pub(super) write: Write,
    pub(super) claim: u64,
    pub(super) queued_at: Timestamp,
    pub(super) lane: Lane,
    pub(super) at: tokio::time::Instant,
}

pub(super) enum Claiming {
    Ours(Box<Claimed>),
    Nothing,
    /// An earlier attempt may still be under way.
    Wait,
}

impl<B: Broker, S: Store, T: Target> Work<B, S, T> {
    /// Stores the claim, so that whoever comes after a crash knows that something may have been sent. Where the link has
    /// changed since it was read as `stored`, it is read again.
    pub(super) async fn claim(
        &self,
        queued: &WriteQueued,
        mut stored: Stored,
        pair: &Pair,
        lane: Lane,
    ) -> Result<Claiming, WriterError> {
        let policy = pair.policy(ambient::today());
        for _ in 0..COLLISIONS_MAX {
            let now = ambient::now();
            let queued_at = match &stored.link.pending[self.system] {
                Pending::None => return Ok(Claiming::Nothing),
                Pending::InFlight { write, since, .. }
                    if makes(write) && now.duration_since(*since) < SHOWS_WITHIN =>
                {
                    return Ok(Claiming::Wait);
                }
                Pending::Queued { since } | Pending::InFlight { since, .. } => *since,
            };
            let event = Event::Claimed { system: self.system };
            let next = step(Link::clone(&stored.link), event.clone(), &policy, true, now);
            let taken = Taken { before: &stored.link, event: &event, step: &next, policy: &policy };
            for promise in broken(&taken) {
                self.metrics.count_broken_promise(pair.name.as_str(), promise.id);
                tracing::error!(
                    promise = promise.id,
                    "a claim broke a promise: this is an error of Tandem's, report it with the link's history"
                );
            }
            let outbox = self.follow_ups(queued, &next.effects, now);
            let link = Arc::new(next.link);
            if self.commit(queued, pair, stored, Arc::clone(&link), outbox, now).await? {
                let at = tokio::time::Instant::now();
                match &link.pending[self.system] {
                    Pending::InFlight { write, claim, .. } => {
                        let (write, claim) = (write.clone(), *claim);
                        let claimed = Claimed { link, write, claim, queued_at, lane, at };
                        return Ok(Claiming::Ours(Box::new(claimed)));
                    }
                    // An earlier attempt has said all that it had to say, and what was edited since is queued in its
                    // place: this message serves it, for no other one does.
                    Pending::Queued { .. } => {}
                    Pending::None => return Ok(Claiming::Nothing),
                }
            }
            let Some(again) = self.pending(queued).await? else { return Ok(Claiming::Nothing) };
            stored = again;
        }
        Ok(Claiming::Wait)
    }

    /// What a claim lets follow for the other side: it is published from the outbox.
    fn follow_ups(&self, queued: &WriteQueued, effects: &[Effect], now: Timestamp) -> Vec<OutboxMessage> {
        let enqueued = |effect: &Effect| match effect {
            Effect::Enqueue(system) if *system != self.system => Some(*system),
            Effect::Enqueue(_) | Effect::Wake | Effect::Note(_) | Effect::Echo(_) => None,
        };
        let message = |system: System| {
            let mut headers = BTreeMap::new();
            telemetry::inject(&mut headers);
            let message = Message::WriteQueued(WriteQueued { system, ..queued.clone() });
            let queue = self.names.writes(system, Lane::Live);
            OutboxMessage::to_queue(queue, &message, &format!("writer-{}", self.system), headers, now)
        };
        effects.iter().filter_map(enqueued).map(message).collect()
    }

    async fn commit(
        &self,
        queued: &WriteQueued,
        pair: &Pair,
        before: Stored,
        after: Arc<Link>,
        outbox: Vec<OutboxMessage>,
        now: Timestamp,
    ) -> Result<bool, WriterError> {
        let commit = Commit {
            pair,
            connection: &queued.connection,
            links: vec![LinkChange { before: Some(before), after: Some(after) }],
            checks: Vec::new(),
            outbox,
            notes: Vec::new(),
            part: None,
            now,
        };
        Ok(self.links.commit(commit).await?)
    }
}

/// Whether a write that is sent twice makes something twice: a record, or a line of one.
fn makes(write: &Write) -> bool {
    let is_new_line = |(name, value): (&PropertyName, &Value)| {
        name.cell().is_some_and(|(_, property)| property.is_empty()) && *value == Value::Boolean(true)
    };
    match write {
        Write::Create { .. } => true,
        Write::Update { values, .. } => values.iter().any(is_new_line),
        Write::Delete { .. } => false,
    }
}
