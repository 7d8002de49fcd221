//! One write: claimed, said in the system's words, sent, reported.

mod claim;
mod create;
mod fence;
mod raise;
mod refusals;
mod send;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Outgoing};
use contract::{Lane, Message, Names, Outcome, OutcomeResult, RetryTier, WriteQueued};
use link::Pending;
use mapping::{Lookups, Pair};
use model::{ConnectionName, Content, FailureClass, PairName, System, View};
use service::{Context, Given, UnknownConnections};
use store::{Links, Named, Store, Stored};
use telemetry::{Chain, Hop, Metrics, WriteOutcome};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use self::claim::{Claimed, Claiming};
pub(crate) use self::refusals::Refusals;
use self::send::{Job, Sent};
use crate::connections::Connections;
use crate::given::{GivenRecords, Looked};
use crate::telling::{Telling, told};
use crate::{Target, WriterError};

/// The longest that a writer's call to a system may take, its answer included.
pub const CALL_MAX: Duration = Duration::from_secs(10);

/// How long writes to a connection that refuses us rest before it is tried again, so that a repair is noticed.
const REFUSED_REST: Duration = Duration::from_secs(30);

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Handled {
    Done,
    /// It comes again after the tier's rest.
    Later(RetryTier, String),
    /// Nothing goes to its line before this has passed.
    Rests(Duration),
    Bad(String),
    /// The service stops before anything of it was claimed: it is the next writer's.
    Left,
}

/// What a writer needs for any of its writes.
pub(crate) struct Work<B, S, T> {
    pub(crate) links: Links<S>,
    pub(crate) broker: B,
    pub(crate) names: Names,
    pub(crate) system: System,
    pub(crate) connections: Connections<T>,
    pub(crate) unknown: UnknownConnections,
    pub(crate) refusals: Refusals,
    pub(crate) telling: Telling,
    pub(crate) metrics: Arc<Metrics>,
    /// From here on nothing more is claimed.
    pub(crate) stop: CancellationToken,
}

/// What is kept for a connection.
pub(crate) struct Kept<T> {
    /// Its system.
    pub(crate) target: T,
    /// Its pairs, in the reading that it keeps.
    pub(crate) pairs: BTreeMap<PairName, Pair>,
    /// What it gives to them.
    pub(crate) given: BTreeMap<String, Content>,
    /// Whether the records among that are there.
    pub(crate) records: GivenRecords,
    /// Who of the live lane and of the backfill may claim now.
    turns: [Semaphore; 2],
}

impl<T: Target> Kept<T> {
    /// What the configuration and the pair files say of a connection.
    pub(crate) fn of(context: &Context, system: System, connection: ConnectionName, target: T) -> Self {
        let pairs = context.pairs_of(&connection).iter();
        let pairs = pairs.map(|pair| (pair.name.clone(), pair.clone())).collect();
        let mut records = context.given_to(&connection);
        let named = |given: &Given| (given.name.to_owned(), Content::from(given.record.as_str()));
        let given = records.iter().map(named).collect();
        // They are records of Exact: its own writer looks for them.
        records.retain(|_| system == System::ExactOnline);
        Self::new(target, pairs, given, GivenRecords::new(connection, records))
    }

    /// What is kept for a connection that gives this.
    pub(crate) fn new(
        target: T,
        pairs: BTreeMap<PairName, Pair>,
        given: BTreeMap<String, Content>,
        records: GivenRecords,
    ) -> Self {
        let turns = [(); 2].map(|()| Semaphore::new(target.at_once().max(1)));
        Self { target, pairs, given, records, turns }
    }

    /// Waits until a write of this lane may be claimed, and holds the turn as long as what it gives lives.
    async fn turn(&self, lane: Lane) -> Option<SemaphorePermit<'_>> {
        let [live, backfill] = &self.turns;
        let turns = match lane {
            Lane::Live => live,
            Lane::Backfill => backfill,
        };
        // It is never closed.
        turns.acquire().await.ok()
    }
}

impl<B: Broker, S: Store, T: Target> Work<B, S, T> {
    pub(crate) async fn handle(
        &self,
        queued: &WriteQueued,
        lane: Lane,
        attempt: u32,
    ) -> Result<Handled, WriterError> {
        let connection = &queued.connection;
        let Some(kept) = self.connections.get(connection) else {
            return Ok(match self.unknown.rest(connection, &self.names.writes(self.system, lane)) {
                Some(tier) => Handled::Later(tier, "its connection is not configured here".to_owned()),
                None => Handled::Bad(format!("the connection {connection} is not configured here: add it")),
            });
        };
        let handled = self.handle_for(&kept, queued, lane, attempt).await;
        self.forget_if_gone(connection);
        handled
    }

    /// Tells nothing more of a connection that went, though a write of it was in hand.
    pub(crate) fn forget_if_gone(&self, connection: &ConnectionName) {
        if self.connections.get(connection).is_none() {
            self.refusals.forget_connection(connection);
            self.metrics.forget_connection(connection.as_str());
        }
    }

    async fn handle_for(
        &self,
        kept: &Kept<T>,
        queued: &WriteQueued,
        lane: Lane,
        attempt: u32,
    ) -> Result<Handled, WriterError> {
        let Some(pair) = kept.pairs.get(&queued.pair) else {
            return Ok(Handled::Bad(format!("the pair {} is not kept here: add its file", queued.pair)));
        };
        if queued.system != self.system {
            return Ok(Handled::Bad(format!("the write is for {}", queued.system)));
        }
        let Some(pending) = self.pending(queued).await? else { return Ok(Handled::Done) };
        let turn = match self.stop.run_until_cancelled(self.turn(kept, queued, pair, lane, attempt)).await {
            Some(Ok(turn)) => turn,
            Some(Err(handled)) => return Ok(handled),
            None => return Ok(Handled::Left),
        };
        let claimed = match self.claim(queued, pending, pair, lane).await? {
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
        let waited = ambient::now().duration_since(claimed.queued_at).as_secs_f64();
        self.metrics.observe_hop(Hop::Claim, self.system.name(), waited);
        let sent = self.send(&Job { queued, kept, pair, claimed: &claimed }).await?;
        drop(turn);
        self.metrics.observe_hop(Hop::Apply, self.system.name(), claimed.at.elapsed().as_secs_f64());
        match sent {
            Sent::Result(result) => {
                let outcome = outcome_label(&result);
                self.metrics.count_write(pair.name.as_str(), self.system.name(), outcome);
                tracing::Span::current().record("outcome", outcome.name());
                self.refusals.made(queued);
                let told = told(&claimed.write, &result, pair, kept.pairs.values(), self.system);
                self.report(queued, &claimed, result).await?;
                if let Some(told) = told {
                    self.telling.add(&queued.connection, told);
                }
                Ok(Handled::Done)
            }
            Sent::Failed(error) => Ok(self.later(queued, &error, attempt)),
            Sent::TooLate => Ok(Handled::Later(RetryTier::Seconds5, "the claim took too long".to_owned())),
        }
    }

    /// Waits until the write may be claimed and sent: what the connection gives is there, it is this write's turn, and
    /// the system is ready.
    async fn turn<'a>(
        &self,
        kept: &'a Kept<T>,
        queued: &WriteQueued,
        pair: &Pair,
        lane: Lane,
        attempt: u32,
    ) -> Result<Option<SemaphorePermit<'a>>, Handled> {
        match kept.records.look(&kept.target).await {
            Looked::All => {}
            Looked::Missing(words) => return Err(Handled::Later(RetryTier::Seconds30, words)),
            Looked::Failed(error) => return Err(self.later(queued, &error, attempt)),
        }
        let turn = kept.turn(lane).await;
        match kept.target.ready(self.aim(pair, lane)).await {
            Ok(()) => Ok(turn),
            Err(error) => Err(self.later(queued, &error, attempt)),
        }
    }

    /// The link, while there is something to write for it.
    async fn pending(&self, queued: &WriteQueued) -> Result<Option<Stored>, WriterError> {
        let stored = self.links.find(&queued.connection, &queued.pair, &queued.link).await?;
        Ok(stored.filter(|stored| stored.link.pending[self.system] != Pending::None))
    }

    /// When a write that failed for now is tried again.
    fn later(&self, queued: &WriteQueued, error: &T::Error, attempt: u32) -> Handled {
        let class = T::class(error);
        let outcome = match class {
            FailureClass::Ambiguous => WriteOutcome::Ambiguous,
            _ => WriteOutcome::Retried,
        };
        self.metrics.count_write(queued.pair.as_str(), self.system.name(), outcome);
        tracing::Span::current().record("outcome", outcome.name());
        let reason = Chain(error).to_string();
        if class == FailureClass::Auth {
            tracing::error!(
                connection = %queued.connection, system = %self.system, error = reason,
                "the connection is refused: its writes wait until it is repaired"
            );
            self.refusals.refused(queued, &reason);
        } else {
            tracing::warn!(error = reason, attempt, "the write waits");
        }
        match class {
            FailureClass::Throttled { after } => Handled::Rests(after),
            FailureClass::Auth => Handled::Rests(REFUSED_REST),
            FailureClass::Ambiguous => Handled::Later(RetryTier::Seconds5, reason),
            FailureClass::Transient | FailureClass::Rejected | FailureClass::Gone | FailureClass::Stale => {
                Handled::Later(RetryTier::after_attempt(attempt), reason)
            }
        }
    }

    async fn lookups(
        &self,
        queued: &WriteQueued,
        kept: &Kept<T>,
        pair: &Pair,
        values: &View,
    ) -> Result<Lookups, WriterError> {
        // A link was decided on when both directories had been read; after the store was emptied there is none.
        let Named { directories, lists } = self.links.named(&queued.connection).await?;
        let people = directories.map(|read| read.people).unwrap_or_default();
        let (given, today) = (kept.given.clone(), ambient::today());
        let mut lookups = Lookups { people, lists, given, today, ..Lookups::default() };
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
            lane: claimed.lane,
            result,
        });
        let (id, at) = (ambient::new_id(), ambient::now());
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
