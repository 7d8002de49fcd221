//! A claimed write, said in the system's own words and sent.

use std::time::Duration;

use broker::Broker;
use contract::{OutcomeResult, WriteQueued};
use link::Write;
use mapping::{Onto, Pair, Problem, Put};
use model::{Content, FailureClass, Properties, RecordId, Version, View};
use store::Store;
use telemetry::Chain;

use super::claim::Claimed;
use super::fence::Touches;
use super::{Kept, Work};
use crate::{Aim, Duplicate, Target, WriterError};

/// Between a claim and its sending, another writer may have taken the write over when this much has passed.
const CLAIM_HOLDS: Duration = Duration::from_secs(5);

/// A claimed write and where it goes.
pub(super) struct Job<'a, T> {
    pub(super) queued: &'a WriteQueued,
    pub(super) kept: &'a Kept<T>,
    pub(super) pair: &'a Pair,
    pub(super) claimed: &'a Claimed,
}

/// What the system made of a write.
pub(super) enum Sent<E> {
    Result(OutcomeResult),
    Failed(E),
    TooLate,
}

impl<E> Sent<E> {
    /// Refused before anything was sent.
    pub(super) fn unfit(problems: &[Problem]) -> Self {
        let words = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self::Result(OutcomeResult::Rejected { words })
    }
}

impl<T> Job<'_, T> {
    /// Whether the claim may have been taken over by now.
    pub(super) fn is_too_late(&self) -> bool {
        self.claimed.at.elapsed() > CLAIM_HOLDS
    }

    /// Makes calls that must leave while the claim holds, however long they wait for their turn.
    pub(super) async fn in_time<A>(&self, calls: impl Future<Output = A>) -> A {
        wire::leaving_before(self.claimed.at + CLAIM_HOLDS, calls).await
    }

    pub(super) const fn is_create(&self) -> bool {
        matches!(self.claimed.write, Write::Create { .. })
    }
}

impl<B: Broker, S: Store, T: Target> Work<B, S, T> {
    pub(super) async fn send(&self, job: &Job<'_, T>) -> Result<Sent<T::Error>, WriterError> {
        let Job { pair, claimed, .. } = *job;
        let link = &claimed.link;
        let nothing = View::new();
        let [source, view] = [self.system.other(), self.system]
            .map(|system| link.sides[system].as_ref().map_or(&nothing, |side| &side.view));
        match &claimed.write {
            Write::Create { values } => match self.fit(job, Onto::New { source }).await? {
                Ok(put) => self.create(job, values, &self.nested(pair, put)).await,
                Err(unfit) => Ok(unfit),
            },
            Write::Update { record, version, .. } => {
                match self.fit(job, Onto::Known { source, view, lines: &link.lines }).await? {
                    Ok(put) => self.update(job, record, *version, &put).await,
                    Err(unfit) => Ok(unfit),
                }
            }
            Write::Delete { record, version } => self.delete(job, record, *version).await,
        }
    }

    /// The write in the system's own words, or why that would refuse it.
    async fn fit(
        &self,
        job: &Job<'_, T>,
        onto: Onto<'_>,
    ) -> Result<Result<Put, Sent<T::Error>>, WriterError> {
        let Job { pair, claimed, .. } = *job;
        let values = claimed.write.values();
        let lookups = self.lookups(job.queued, job.kept, pair, values).await?;
        let put = match pair.put(self.system, values, onto, &lookups) {
            Ok(put) => put,
            Err(problems) => return Ok(Err(Sent::unfit(&problems))),
        };
        let problems = job.kept.target.check(self.aim(pair, claimed.lane), &put, job.is_create());
        Ok(if problems.is_empty() { Ok(put) } else { Err(Sent::unfit(&problems)) })
    }

    async fn update(
        &self,
        job: &Job<'_, T>,
        record: &RecordId,
        version: Option<Version>,
        put: &Put,
    ) -> Result<Sent<T::Error>, WriterError> {
        let values = job.claimed.write.values();
        let touches = if put.lines.is_empty() { Touches::Properties(values) } else { Touches::Lines(values) };
        if let Some(stale) = self.fence(job, record, touches).await? {
            return Ok(stale);
        }
        if job.is_too_late() {
            return Ok(Sent::TooLate);
        }
        let aim = self.aim(job.pair, job.claimed.lane);
        Ok(match job.in_time(job.kept.target.update(aim, record, version, put)).await {
            Ok(after) => Sent::Result(OutcomeResult::Applied { record: record.clone(), after }),
            Err(error) => self.refused(job, error).await,
        })
    }

    async fn delete(
        &self,
        job: &Job<'_, T>,
        record: &RecordId,
        version: Option<Version>,
    ) -> Result<Sent<T::Error>, WriterError> {
        if let Some(stale) = self.fence(job, record, Touches::Everything).await? {
            return Ok(stale);
        }
        if job.is_too_late() {
            return Ok(Sent::TooLate);
        }
        let aim = self.aim(job.pair, job.claimed.lane);
        Ok(match job.in_time(job.kept.target.delete(aim, record, version)).await {
            Ok(()) => Sent::Result(OutcomeResult::Applied { record: record.clone(), after: None }),
            Err(error) => self.refused(job, error).await,
        })
    }

    pub(super) fn aim<'a>(&self, pair: &'a Pair, lane: contract::Lane) -> Aim<'a> {
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
    pub(super) async fn refused(&self, job: &Job<'_, T>, error: T::Error) -> Sent<T::Error> {
        let (aim, target) = (self.aim(job.pair, job.claimed.lane), &job.kept.target);
        match T::class(&error) {
            FailureClass::Rejected => {
                if let Some(Duplicate::Of(other)) = T::duplicate(&error).filter(|_| job.is_create()) {
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
                let Some(record) = job.claimed.write.record() else { return Sent::Failed(error) };
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
