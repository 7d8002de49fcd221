//! One write: claimed, said in the system's words, sent, reported.

mod create;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Outgoing};
use contract::{Lane, Message, Names, Outcome, OutcomeResult, RetryTier, WriteQueued};
use jiff::{SignedDuration, Timestamp};
use link::{Effect, Event, Link, Pending, Write, step};
use mapping::{Lookups, Onto, Pair, Problem, Put};
use model::{ConnectionName, Content, FailureClass, PairName, Properties, System, SystemPair, View};
use store::{Commit, LinkChange, Links, OutboxMessage, Store, Stored};
use telemetry::{Chain, Metrics, WriteOutcome};
use uuid::Uuid;

use crate::{Aim, Target, WriterError};

/// The longest that a writer's call to a system may take, its answer included.
pub const CALL_MAX: Duration = Duration::from_secs(10);

/// A create whose answer is not known is given this long to arrive and to show in a search: [`CALL_MAX`] and the lag
/// of the target's reads.
const SHOWS_WITHIN: SignedDuration = SignedDuration::from_secs(12);

/// Between a claim and its sending, another writer may have taken the write over when this much has passed.
const CLAIM_HOLDS: Duration = Duration::from_secs(5);

/// Two services may meet at one link; the one who is late reads again, at most this often in a row.
const COLLISIONS_MAX: u32 = 20;

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Handled {
    Done,
    Later(RetryTier, String),
    Bad(String),
}

/// What a writer needs for any of its writes.
pub(crate) struct Work<B, S, T> {
    pub(crate) links: Links<S>,
    pub(crate) broker: B,
    pub(crate) names: Names,
    pub(crate) system: System,
    pub(crate) targets: BTreeMap<ConnectionName, T>,
    pub(crate) pairs: BTreeMap<PairName, Pair>,
    pub(crate) metrics: Arc<Metrics>,
}

/// A write that is ours to send.
struct Claimed {
    link: Link,
    write: Write,
    claim: u64,
    queued_at: Timestamp,
    lane: Lane,
    at: tokio::time::Instant,
}

enum Claiming {
    Ours(Box<Claimed>),
    Nothing,
    /// An earlier attempt may still be under way.
    Wait,
}

/// What the system made of a write.
enum Sent<E> {
    Result(OutcomeResult),
    Failed(E),
    TooLate,
}

impl<B: Broker, S: Store, T: Target> Work<B, S, T> {
    pub(crate) async fn handle(
        &self,
        queued: &WriteQueued,
        lane: Lane,
        attempt: u32,
    ) -> Result<Handled, WriterError> {
        let Some(pair) = self.pairs.get(&queued.pair) else {
            return Ok(Handled::Bad(format!("the pair {} is not kept here: add its file", queued.pair)));
        };
        let Some(target) = self.targets.get(&queued.connection) else {
            return Ok(Handled::Bad(format!(
                "the connection {} is not configured here: add it",
                queued.connection
            )));
        };
        if queued.system != self.system {
            return Ok(Handled::Bad(format!("the write is for {}", queued.system)));
        }
        if !self.is_pending(queued).await? {
            return Ok(Handled::Done);
        }
        if let Err(error) = target.ready(self.aim(pair, lane)).await {
            return Ok(self.later(&queued.pair, &error, attempt));
        }
        let claimed = match self.claim(queued, pair, lane).await? {
            Claiming::Ours(claimed) => claimed,
            Claiming::Nothing => return Ok(Handled::Done),
            Claiming::Wait => {
                return Ok(Handled::Later(
                    RetryTier::Seconds5,
                    "an earlier attempt may still arrive".to_owned(),
                ));
            }
        };
        if let Some(trace) = &claimed.link.trace {
            // Several edits may have folded into this write: the latest one is linked, the first one is the parent.
            telemetry::link_to_traceparent(&tracing::Span::current(), trace);
        }
        match self.send(queued, pair, target, &claimed).await? {
            Sent::Result(result) => {
                self.metrics.count_write(pair.name.as_str(), self.system.name(), outcome_label(&result));
                self.report(queued, &claimed, result).await?;
                Ok(Handled::Done)
            }
            Sent::Failed(error) => Ok(self.later(&queued.pair, &error, attempt)),
            Sent::TooLate => Ok(Handled::Later(RetryTier::Seconds5, "the claim took too long".to_owned())),
        }
    }

    async fn is_pending(&self, queued: &WriteQueued) -> Result<bool, WriterError> {
        let stored = self.links.find(&queued.connection, &queued.pair, &queued.link).await?;
        Ok(stored.is_some_and(|stored| stored.link.pending[self.system] != Pending::None))
    }

    /// Stores the claim, so that whoever comes after a crash knows that something may have been sent.
    async fn claim(&self, queued: &WriteQueued, pair: &Pair, lane: Lane) -> Result<Claiming, WriterError> {
        let policy = pair.policy();
        for _ in 0..COLLISIONS_MAX {
            let now = Timestamp::now();
            let Some(stored) = self.links.find(&queued.connection, &queued.pair, &queued.link).await? else {
                return Ok(Claiming::Nothing);
            };
            let queued_at = match &stored.link.pending[self.system] {
                Pending::None => return Ok(Claiming::Nothing),
                Pending::InFlight { write: Write::Create { .. }, since, .. }
                    if now.duration_since(*since) < SHOWS_WITHIN =>
                {
                    return Ok(Claiming::Wait);
                }
                Pending::Queued { since } | Pending::InFlight { since, .. } => *since,
            };
            let next = step(&stored.link, Event::Claimed { system: self.system }, &policy, true, now);
            let outbox = self.follow_ups(queued, &next.effects, now);
            if !self.commit(queued, pair, stored, next.link.clone(), outbox, now).await? {
                continue;
            }
            let at = tokio::time::Instant::now();
            match &next.link.pending[self.system] {
                Pending::InFlight { write, claim, .. } => {
                    let (write, claim) = (write.clone(), *claim);
                    let claimed = Claimed { link: next.link, write, claim, queued_at, lane, at };
                    return Ok(Claiming::Ours(Box::new(claimed)));
                }
                // An earlier attempt has said all that it had to say, and what was edited since is queued in its place:
                // this message serves it, for no other one does.
                Pending::Queued { .. } => {}
                Pending::None => return Ok(Claiming::Nothing),
            }
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
        after: Link,
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

    async fn send(
        &self,
        queued: &WriteQueued,
        pair: &Pair,
        target: &T,
        claimed: &Claimed,
    ) -> Result<Sent<T::Error>, WriterError> {
        let lookups = self.lookups(queued, pair, claimed.write.values()).await?;
        let creating = matches!(claimed.write, Write::Create { .. });
        let nothing = View::new();
        let view = |system: System| claimed.link.sides[system].as_ref().map_or(&nothing, |side| &side.view);
        let source = view(self.system.other());
        let onto = if creating {
            Onto::New { source }
        } else {
            Onto::Known { source, view: view(self.system), lines: &claimed.link.lines }
        };
        let put = match pair.put(self.system, claimed.write.values(), onto, &lookups) {
            Ok(put) => put,
            Err(problems) => return Ok(Sent::Result(OutcomeResult::Rejected { words: words(&problems) })),
        };
        match &claimed.write {
            Write::Create { values } => {
                let properties = self.nested(pair, put);
                self.create(queued, pair, target, claimed, values, &properties).await
            }
            Write::Update { record, version, .. } => {
                if claimed.at.elapsed() > CLAIM_HOLDS {
                    return Ok(Sent::TooLate);
                }
                let aim = self.aim(pair, claimed.lane);
                match target.update(aim, record, *version, &put).await {
                    Ok(after) => Ok(Sent::Result(OutcomeResult::Applied { record: record.clone(), after })),
                    Err(error) => Ok(self.refused(pair, target, claimed, error).await),
                }
            }
        }
    }

    fn aim<'a>(&self, pair: &'a Pair, lane: Lane) -> Aim<'a> {
        Aim { entity: &pair.entities[self.system], lines: pair.lines.as_ref(), lane }
    }

    /// A new document as its system takes it: its lines in a list among its properties.
    fn nested(&self, pair: &Pair, put: Put) -> Properties {
        let list = put.added().cloned().map(Content::Object).collect();
        let mut properties = put.properties;
        if let Some(lines) = &pair.lines {
            properties.entry(lines.names[self.system].clone()).or_insert(Content::List(list));
        }
        properties
    }

    /// What an error of the system makes of the write.
    async fn refused(&self, pair: &Pair, target: &T, claimed: &Claimed, error: T::Error) -> Sent<T::Error> {
        let aim = self.aim(pair, claimed.lane);
        match T::class(&error) {
            FailureClass::Rejected => {
                let creating = matches!(claimed.write, Write::Create { .. });
                if let Some(other) = T::duplicate_of(&error).filter(|_| creating) {
                    match target.record(aim, &other).await {
                        Ok(Some(found)) => return Sent::Result(OutcomeResult::Adopted { found }),
                        // A refusal stands until an edit: it may not come of a read that only failed for now.
                        Err(unread) if may_heal(T::class(&unread)) => return Sent::Failed(unread),
                        Ok(None) | Err(_) => {}
                    }
                }
                Sent::Result(OutcomeResult::Rejected { words: Chain(&error).to_string() })
            }
            FailureClass::Gone => Sent::Result(OutcomeResult::Gone),
            FailureClass::Stale => {
                let Write::Update { record, .. } = &claimed.write else { return Sent::Failed(error) };
                match target.record(aim, record).await {
                    Ok(Some(now)) => Sent::Result(OutcomeResult::Stale { now: Some(now) }),
                    Ok(None) => Sent::Result(OutcomeResult::Gone),
                    Err(error) => Sent::Failed(error),
                }
            }
            FailureClass::Transient
            | FailureClass::Throttled { .. }
            | FailureClass::Auth
            | FailureClass::Ambiguous => Sent::Failed(error),
        }
    }

    /// When a write that failed for now is tried again.
    fn later(&self, pair: &PairName, error: &T::Error, attempt: u32) -> Handled {
        let class = T::class(error);
        let (tier, outcome) = match class {
            FailureClass::Throttled { after } => (tier_for(after), WriteOutcome::Retried),
            FailureClass::Ambiguous => (RetryTier::Seconds5, WriteOutcome::Ambiguous),
            FailureClass::Auth => (RetryTier::Seconds30, WriteOutcome::Retried),
            FailureClass::Transient | FailureClass::Rejected | FailureClass::Gone | FailureClass::Stale => {
                (RetryTier::after_attempt(attempt), WriteOutcome::Retried)
            }
        };
        self.metrics.count_write(pair.as_str(), self.system.name(), outcome);
        let reason = Chain(error).to_string();
        if class == FailureClass::Auth {
            tracing::error!(
                error = reason,
                "the connection is refused: its writes wait until it is repaired"
            );
        } else {
            tracing::warn!(error = reason, attempt, "the write waits");
        }
        Handled::Later(tier, reason)
    }

    async fn lookups(
        &self,
        queued: &WriteQueued,
        pair: &Pair,
        values: &View,
    ) -> Result<Lookups, WriterError> {
        let crm = self.links.people(&queued.connection, System::CustomCrm).await?;
        let exact = self.links.people(&queued.connection, System::ExactOnline).await?;
        let people =
            SystemPair { customcrm: crm.unwrap_or_default(), exactonline: exact.unwrap_or_default() };
        let mut lookups = Lookups { people, ..Lookups::default() };
        self.links.look_up_records(&queued.connection, pair, self.system, values, &mut lookups).await?;
        Ok(lookups)
    }

    async fn report(
        &self,
        queued: &WriteQueued,
        claimed: &Claimed,
        result: OutcomeResult,
    ) -> Result<(), WriterError> {
        let message = Message::Outcome(Outcome {
            connection: queued.connection.clone(),
            pair: queued.pair.clone(),
            link: queued.link.clone(),
            system: self.system,
            claim: claimed.claim,
            queued_at: claimed.queued_at,
            result,
        });
        let (id, at) = (Uuid::now_v7(), Timestamp::now());
        let mut headers = BTreeMap::new();
        telemetry::inject(&mut headers);
        let outgoing = Outgoing {
            exchange: String::new(),
            routing_key: self.names.pair(&queued.pair),
            id: id.to_string(),
            headers,
            at,
            body: message.write(id, &format!("writer-{}", self.system), at),
        };
        Ok(self.broker.publish(vec![outgoing]).await?)
    }
}

fn words(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Whether the same call may succeed later.
const fn may_heal(class: FailureClass) -> bool {
    match class {
        FailureClass::Transient
        | FailureClass::Throttled { .. }
        | FailureClass::Auth
        | FailureClass::Ambiguous => true,
        FailureClass::Rejected | FailureClass::Gone | FailureClass::Stale => false,
    }
}

/// The shortest rest that is long enough.
fn tier_for(wait: Duration) -> RetryTier {
    RetryTier::ALL.into_iter().find(|tier| tier.delay() >= wait).unwrap_or(RetryTier::Hour1)
}

const fn outcome_label(result: &OutcomeResult) -> WriteOutcome {
    match result {
        OutcomeResult::Applied { .. } => WriteOutcome::Applied,
        OutcomeResult::Adopted { .. } => WriteOutcome::Adopted,
        OutcomeResult::Rejected { .. } => WriteOutcome::Rejected,
        OutcomeResult::Stale { .. } => WriteOutcome::Stale,
        OutcomeResult::Gone => WriteOutcome::Gone,
        OutcomeResult::FoundSeveral { .. } => WriteOutcome::Ambiguous,
    }
}
