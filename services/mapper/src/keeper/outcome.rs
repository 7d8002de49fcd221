//! What became of a write.

use contract::{Lane, Outcome, OutcomeResult, RetryTier};
use jiff::Timestamp;
use link::{Event, Failure, Link, Side};
use model::{Presence, System, View};
use store::{Check, Known, Named, Store, Stored};
use telemetry::Direction;

use super::draft::Draft;
use super::seen::{Seen, as_seen, observation_of, side_of};
use super::{Case, Keeper};
use crate::error::MapperError;
use crate::handler::Handled;

impl<S: Store> Keeper<S> {
    /// `None`: somebody was faster.
    pub(crate) async fn outcome(&self, outcome: &Outcome) -> Result<Option<Handled>, MapperError> {
        let Outcome { system, claim, .. } = outcome;
        let Some(stored) = self.links.find(&self.connection, &self.pair.name, &outcome.link).await? else {
            // The store was emptied, or the link was joined with another: what was written will be seen and matched.
            tracing::info!(connection = %self.connection, link = %outcome.link, "an outcome's link is not there any more");
            return Ok(Some(Handled::Done(Vec::new())));
        };
        let (system, claim) = (*system, *claim);
        let record = match &outcome.result {
            OutcomeResult::Applied { record, .. } => Some(record),
            OutcomeResult::Adopted { found } => Some(&found.record.id),
            _ => None,
        };
        let of = record.map(|record| (system, record));
        let Known { named, released, held, link } =
            self.links.known(&self.connection, &self.pair.name, of).await?;
        let mut checks: Vec<Check> = held.into_iter().collect();
        // What is written next may be what a person has edited meanwhile.
        let (lane, now, policy) = (Lane::Live, ambient::now(), self.policy());
        let case = Case { lane, wakes: outcome.lane, part: None, is_of_read: false, now, released, policy };
        // The link that this record belongs to, if it is another one.
        let other = match link.filter(|id| *id != stored.link.id) {
            Some(id) => self.links.find(&self.connection, &self.pair.name, &id).await?,
            None => None,
        };
        let event = match (record, &other) {
            (Some(record), Some(other)) if other.link.has_both() => {
                // It has a partner already: a person decides.
                let failure = Failure::FoundSeveral { candidates: vec![record.clone()] };
                Event::Failed { system, claim, failure }
            }
            _ => {
                let Some((event, seen)) = self.event_of(outcome, named).await? else {
                    return Ok(Some(Handled::Later(
                        RetryTier::Seconds5,
                        "the user directory has not been read yet",
                    )));
                };
                checks.extend(seen);
                event
            }
        };
        let begun = edited_at(&stored.link, outcome);
        let mut draft = Draft::of(stored);
        if system == System::ExactOnline && draft.link.sides.exactonline.is_none() {
            self.follow_claim(&mut draft, &event).await?;
        }
        draft.step(event, &case);
        if let Some(other) = other.filter(|other| !other.link.has_both()) {
            absorb(&mut draft, system, other, &case);
        }
        let handled = self.commit(&case, draft, checks).await?;
        if handled.is_some() && matches!(outcome.result, OutcomeResult::Applied { .. }) {
            let direction = match system {
                System::CustomCrm => Direction::ToCrm,
                System::ExactOnline => Direction::ToExact,
            };
            let lag = case.now.duration_since(begun.unwrap_or(outcome.queued_at)).as_secs_f64().max(0.0);
            self.metrics.observe_lag(self.pair.name.as_str(), direction, lag);
        }
        Ok(handled)
    }

    /// What an outcome says, seen through the pair; `None` until the user directories are there.
    async fn event_of(
        &self,
        outcome: &Outcome,
        named: Named,
    ) -> Result<Option<(Event, Vec<Check>)>, MapperError> {
        let Outcome { system, claim, result, .. } = outcome;
        let (system, claim) = (*system, *claim);
        let shown = match result {
            OutcomeResult::Applied { after, .. } => after.as_ref(),
            OutcomeResult::Adopted { found } => Some(found),
            OutcomeResult::Stale { now } => now.as_ref(),
            OutcomeResult::Rejected { .. } | OutcomeResult::Gone | OutcomeResult::FoundSeveral { .. } => None,
        };
        let (seen, checks) = match shown {
            Some(sighting) => match self.seen(system, sighting, named).await? {
                Some(Seen { observation, checks, .. }) => (Some(observation), checks),
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

    /// Where another pair has claimed the record that a create has come to, the link only follows it.
    async fn follow_claim(&self, draft: &mut Draft, event: &Event) -> Result<(), MapperError> {
        let side = match event {
            Event::Adopted { side, .. } => side.clone(),
            Event::Applied { after: Some(after), .. } => side_of(after.clone()),
            Event::Applied { record, .. } => Side {
                record: record.clone(),
                version: None,
                modified_at: None,
                view: View::new(),
                presence: Presence::Present,
                admitted: true,
                stand_in: None,
            },
            _ => return Ok(()),
        };
        let claim = self.claim(&side).await?;
        draft.link_mut().follows = claim.by;
        draft.checks.extend(claim.checks);
        Ok(())
    }
}

/// When the edit was made that a write carried over, by the clock of the system that it was made in. `None` for what
/// nobody edited just now, as a first load, and where a later edit has been seen since.
fn edited_at(link: &Link, outcome: &Outcome) -> Option<Timestamp> {
    let edited = link.sides[outcome.system.other()].as_ref()?.modified_at?;
    (outcome.lane == Lane::Live && edited < outcome.queued_at).then_some(edited)
}

/// Takes over a link that holds just the record which this link has got: it was seen before the outcome arrived,
/// and perhaps at a newer version. A link whose record this one has not got stays.
fn absorb(draft: &mut Draft, system: System, other: Stored, case: &Case<'_>) {
    let Some(side) = as_seen(&other.link, system) else { return };
    if draft.link.record(system) != Some(&side.record) {
        return;
    }
    let observation = observation_of(side, !other.link.awaits_lines[system]);
    draft.step(Event::Observed { system, observation }, case);
    draft.leaves.push(other);
}
