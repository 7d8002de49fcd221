//! What became of a write.

use contract::{Lane, Outcome, OutcomeResult, RetryTier};
use jiff::Timestamp;
use link::{Event, Failure, step};
use model::{ConnectionName, RecordId, System};
use store::{Check, LinkChange, Store, Stored};
use telemetry::Direction;

use super::{Case, Decided, Handled, Handler, observation_of, side_of};
use crate::error::MapperError;

impl<S: Store> Handler<S> {
    pub(super) async fn outcome(&self, outcome: &Outcome) -> Result<Option<Handled>, MapperError> {
        let Outcome { connection, system, claim, .. } = outcome;
        let now = Timestamp::now();
        let case = Case { connection, lane: Lane::Live, part: None, now };
        let Some(stored) = self.links.find(connection, &self.pair.name, &outcome.link).await? else {
            // The store was emptied, or the link was joined with another: what was written will be seen and matched.
            tracing::info!(%connection, link = %outcome.link, "an outcome's link is not there any more");
            return Ok(Some(Handled::Done(Vec::new())));
        };
        let (released, held) = self.links.released(connection, &self.pair.name).await?;
        let mut checks: Vec<Check> = held.into_iter().collect();
        let (system, claim) = (*system, *claim);
        let record = match &outcome.result {
            OutcomeResult::Applied { record, .. } => Some(record),
            OutcomeResult::Adopted { found } => Some(&found.record.id),
            _ => None,
        };
        let other = match record {
            Some(record) => self.other_link(connection, system, record, &stored).await?,
            None => None,
        };
        let event = match (record, &other) {
            (Some(record), Some(other)) if other.link.has_both() => {
                // It has a partner already: a person decides.
                let failure = Failure::FoundSeveral { candidates: vec![record.clone()] };
                Event::Failed { system, claim, failure }
            }
            _ => {
                let Some((event, seen)) = self.event_of(outcome).await? else {
                    return Ok(Some(Handled::Later(
                        RetryTier::Seconds5,
                        "the user directory has not been read yet",
                    )));
                };
                checks.extend(seen);
                event
            }
        };
        let mut decided = self.decide(stored, event, released, now);
        if let Some(other) = other.filter(|other| !other.link.has_both()) {
            self.absorb(&mut decided, system, other, released, now);
        }
        let handled = self.commit(&case, decided, checks).await?;
        if handled.is_some() && matches!(outcome.result, OutcomeResult::Applied { .. }) {
            let direction = match system {
                System::CustomCrm => Direction::ToCrm,
                System::ExactOnline => Direction::ToExact,
            };
            let lag = now.duration_since(outcome.queued_at).as_secs_f64().max(0.0);
            self.metrics.observe_lag(self.pair.name.as_str(), direction, lag);
        }
        Ok(handled)
    }

    /// What an outcome says, seen through the pair; `None` until the user directories are there.
    async fn event_of(&self, outcome: &Outcome) -> Result<Option<(Event, Vec<Check>)>, MapperError> {
        let Outcome { connection, system, claim, result, .. } = outcome;
        let (system, claim) = (*system, *claim);
        let shown = match result {
            OutcomeResult::Applied { after, .. } => after.as_ref(),
            OutcomeResult::Adopted { found } => Some(found),
            OutcomeResult::Stale { now } => now.as_ref(),
            OutcomeResult::Rejected { .. } | OutcomeResult::Gone | OutcomeResult::FoundSeveral { .. } => None,
        };
        let (seen, checks) = match shown {
            Some(sighting) => match self.observation(connection, system, sighting).await? {
                Some((observation, checks)) => (Some(observation), checks),
                None => return Ok(None),
            },
            None => (None, Vec::new()),
        };
        let failed = |failure| Event::Failed { system, claim, failure };
        let event = match (result, seen) {
            (OutcomeResult::Applied { record, .. }, after) => {
                Event::Applied { system, claim, record: record.clone(), after }
            }
            (OutcomeResult::Adopted { .. }, Some(found)) => {
                Event::Adopted { system, claim, side: side_of(found) }
            }
            (OutcomeResult::Stale { .. }, now) => failed(Failure::Stale { now }),
            (OutcomeResult::Rejected { words }, _) => failed(Failure::Rejected { words: words.clone() }),
            (OutcomeResult::FoundSeveral { candidates }, _) => {
                failed(Failure::FoundSeveral { candidates: candidates.clone() })
            }
            (OutcomeResult::Gone | OutcomeResult::Adopted { .. }, _) => failed(Failure::Gone),
        };
        Ok(Some((event, checks)))
    }

    /// The link that this record belongs to, if it is another one.
    async fn other_link(
        &self,
        connection: &ConnectionName,
        system: System,
        record: &RecordId,
        own: &Stored,
    ) -> Result<Option<Stored>, MapperError> {
        let Some(id) = self.links.link_of(connection, &self.pair.name, system, record).await? else {
            return Ok(None);
        };
        if id == own.link.id {
            return Ok(None);
        }
        Ok(self.links.find(connection, &self.pair.name, &id).await?)
    }

    /// Takes over a link that holds just the record which this link has got: it was seen before the outcome arrived,
    /// and perhaps at a newer version. A link whose record this one has not got stays.
    fn absorb(&self, decided: &mut Decided, system: System, other: Stored, released: bool, now: Timestamp) {
        let Some(side) = other.link.sides[system].clone() else { return };
        if decided.link.record(system) != Some(&side.record) {
            return;
        }
        let event = Event::Observed { system, observation: observation_of(side) };
        let next = step(&decided.link, event, &self.policy, released, now);
        decided.effects.extend(next.effects);
        decided.link = next.link.clone();
        for change in &mut decided.links {
            change.after = Some(next.link.clone());
        }
        decided.links.push(LinkChange { before: Some(other), after: None });
    }
}
