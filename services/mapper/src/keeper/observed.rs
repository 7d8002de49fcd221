//! What a collector has seen.

use contract::{Lane, Observed, RetryTier};
use link::{Event, Link, Observation, Status};
use mapping::Lookups;
use model::{LinkId, Presence, Properties, System};
use store::{Known, Store, Stored};

use super::draft::Draft;
use super::seen::{Seen, side_of};
use super::{Case, Keeper};
use crate::error::MapperError;
use crate::handler::Handled;

/// A record as it was found, for pairs that see it in another way.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) properties: &'a Properties,
    pub(super) lookups: &'a Lookups,
}

impl<S: Store> Keeper<S> {
    /// `None`: somebody was faster.
    pub(crate) async fn observed(
        &self,
        observed: &Observed,
        attempt: u32,
    ) -> Result<Option<Handled>, MapperError> {
        let system = observed.system;
        let record = Some((system, &observed.sighting.record.id));
        let Known { named, released, held, link: known } =
            self.links.known(&self.connection, &self.pair.name, record).await?;
        let Some(Seen { observation, mut checks, lookups }) =
            self.seen(system, &observed.sighting, named).await?
        else {
            return Ok(Some(Handled::Later(RetryTier::Seconds5, "the user directory has not been read yet")));
        };
        checks.extend(held);
        let lane = if observed.part.is_some() { Lane::Backfill } else { Lane::Live };
        let case = Case {
            lane,
            wakes: lane,
            // Once the pair may create, nobody counts what has been taken in any more.
            part: observed.part.as_ref().filter(|_| !released),
            is_of_read: observed.part.is_some(),
            now: ambient::now(),
            released,
            policy: self.policy(),
        };
        let found = Found { properties: &observed.sighting.record.properties, lookups: &lookups };
        // The link that the record began may have moved to a newer version of the document: then it is not news.
        let id = known.clone().unwrap_or_else(|| LinkId::begun_by(system, &observation.record));
        let draft = match self.links.find(&self.connection, &self.pair.name, &id).await? {
            Some(stored) => seen_again(system, stored, observation, &case),
            None if known.is_some() => return Ok(None),
            None => {
                let by_us = observation.by_us;
                let draft = self.seen_first(system, observation);
                if self.may_be_ours(system, &draft.link, by_us, found).await? {
                    let tier = RetryTier::after_attempt(attempt);
                    return Ok(Some(Handled::Later(
                        tier,
                        "a create of ours may have made the record: its outcome is due",
                    )));
                }
                draft
            }
        };
        let draft = if self.pair.is_membership {
            self.belong(draft).await?
        } else {
            self.match_and_step(system, draft, Some(found), &case).await?
        };
        self.commit(&case, draft, checks).await
    }

    /// A record that is gone before it was ever linked is remembered, so that an older sighting which comes after
    /// this one does not bring it back.
    fn seen_first(&self, system: System, observation: Observation) -> Draft {
        let is_gone = observation.presence == Presence::Deleted;
        let awaits_lines = !is_gone && !observation.whole_lines;
        let side = side_of(observation);
        let mut link = Link::begin(self.connection.clone(), self.pair.name.clone(), system, side);
        link.awaits_lines[system] = awaits_lines;
        if is_gone {
            link.status = Status::Ended;
        }
        Draft::begin(link)
    }

    /// Whether a create in flight may have made a record that no key leads to a link: our own user changed it last, or
    /// it is called as what is being created, in this pair or in one that makes records of the same entity of Exact. A
    /// record is there only after its create was claimed, so one of these is seen in time.
    async fn may_be_ours(
        &self,
        system: System,
        link: &Link,
        by_us: bool,
        found: Found<'_>,
    ) -> Result<bool, MapperError> {
        if link.status == Status::Ended || !self.is_unknown(system, link).await? {
            return Ok(false);
        }
        let beside = if system == System::ExactOnline { self.beside.as_slice() } else { &[] };
        for pair in std::iter::once(&self.pair).chain(beside) {
            let view = pair.view(system, found.properties, found.lookups).view;
            if self.links.may_be_making(&self.connection, pair, system, &view, by_us).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether no key of the record leads to a link.
    async fn is_unknown(&self, system: System, link: &Link) -> Result<bool, MapperError> {
        let Some(side) = &link.sides[system] else { return Ok(false) };
        let candidates = |of| self.links.candidates(&self.connection, &self.pair, of, side, &link.id);
        let (others, partners) =
            (candidates(system.other()).await?.others, candidates(system).await?.partners);
        Ok(others.is_empty() && partners.is_empty())
    }
}

/// The match keys of a record without a partner may have changed: one is looked for before it is made.
fn seen_again(system: System, stored: Stored, observation: Observation, case: &Case<'_>) -> Draft {
    let (event, both) = (Event::Observed { system, observation }, stored.link.has_both());
    let mut draft = Draft::of(stored);
    if both {
        draft.step(event, case);
    } else {
        draft.step_without_create(event, case);
    }
    draft
}
