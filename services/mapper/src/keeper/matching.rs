//! An unlinked record looks for its partner, and gets one made where there is none.

use std::collections::BTreeSet;

use link::{Event, Side, Status};
use mapping::Pair;
use model::{LinkId, Presence, RecordId, System};
use store::{Candidates, Store, Stored};

use super::draft::Draft;
use super::observed::Found;
use super::seen::as_seen;
use super::versions::Among;
use super::{Case, Keeper};
use crate::error::MapperError;

impl<S: Store> Keeper<S> {
    /// Looks for the partner of a one-sided link, and lets it create one where there is none. `found` is
    /// how the record was found just now, if it was.
    pub(super) async fn match_and_step(
        &self,
        system: System,
        mut draft: Draft,
        found: Option<Found<'_>>,
        case: &Case<'_>,
    ) -> Result<Draft, MapperError> {
        if !is_alone(&draft, system) {
            return Ok(draft);
        }
        if system == System::ExactOnline {
            draft = match self.among_versions(draft, case).await? {
                Among::Newest(draft) if is_alone(&draft, system) => draft,
                Among::Newest(draft) | Among::Older(draft) => return Ok(draft),
            };
            self.see_claim(&mut draft).await?;
        }
        let Some(side) = draft.link.sides[system].clone() else { return Ok(draft) };
        let Candidates { mut partners, others, checks } =
            self.links.candidates(&self.connection, &self.pair, system, &side, &draft.link.id).await?;
        draft.checks.extend(checks);
        if partners.len() == 1
            && let Some((_, partner)) = partners.pop_first()
        {
            return if self.may_be_an_older_version(case) {
                Ok(draft)
            } else {
                self.join(system, draft, partner, found, case).await
            };
        }
        if partners.is_empty() && others.is_empty() {
            let makes = system == System::ExactOnline && case.released && self.pair.creates.customcrm;
            if makes && side.admitted && self.is_awaited_by(&self.beside, &side, found).await? {
                is_not_admitted(&mut draft);
            }
            draft.step(Event::Released, case);
        } else {
            let candidates: BTreeSet<LinkId> = partners.into_keys().chain(others).collect();
            let candidates = self.records_of(system, candidates.iter()).await?;
            draft.step(Event::FoundSeveral { candidates }, case);
        }
        Ok(draft)
    }

    /// A record of Exact that another pair has claimed gets no partner made.
    async fn see_claim(&self, draft: &mut Draft) -> Result<(), MapperError> {
        let Some(side) = &draft.link.sides.exactonline else { return Ok(()) };
        let claim = self.claim(side).await?;
        draft.checks.extend(claim.checks);
        if claim.by.is_some() {
            is_not_admitted(draft);
        }
        Ok(())
    }

    /// The found link takes the record over. Where another pair has claimed the record of Exact, it only follows; and
    /// where another pair is to claim it first, it waits for that.
    async fn join(
        &self,
        system: System,
        mut draft: Draft,
        partner: Stored,
        found: Option<Found<'_>>,
        case: &Case<'_>,
    ) -> Result<Draft, MapperError> {
        let Some(side) = as_seen(&draft.link, system) else { return Ok(draft) };
        let (exact, found) = match system {
            System::ExactOnline => (Some(&side), found),
            System::CustomCrm => (partner.link.sides.exactonline.as_ref(), None),
        };
        let mut follows = None;
        if let Some(exact) = exact {
            let claim = self.claim(exact).await?;
            draft.checks.extend(claim.checks);
            if claim.by.is_none() && self.gives_way(exact, found, case).await? {
                return Ok(draft);
            }
            follows = claim.by;
        }
        let mut joined = draft.moves_to(Draft::of(partner));
        self.resolve(&mut joined, case).await?;
        joined.link_mut().follows = follows;
        joined.step(Event::Joined { system, side }, case);
        Ok(joined)
    }

    /// Whether one of the pairs that this one yields to may still take a record of Exact that nobody has claimed: not
    /// everything has been read, or a record of that pair looks for it. When it is claimed, this pair looks again.
    async fn gives_way(
        &self,
        exact: &Side,
        found: Option<Found<'_>>,
        case: &Case<'_>,
    ) -> Result<bool, MapperError> {
        let goes_first = |pair: &&Pair| self.pair.yields_to.contains(&pair.name);
        let before: Vec<&Pair> = self.beside.iter().filter(goes_first).collect();
        Ok(!before.is_empty() && (!case.released || self.is_awaited_by(before, exact, found).await?))
    }

    /// The records that a person has to choose from: the other side's where there is one.
    async fn records_of(
        &self,
        system: System,
        links: impl Iterator<Item = &LinkId>,
    ) -> Result<Vec<RecordId>, MapperError> {
        let mut records = Vec::new();
        for id in links {
            if let Some(stored) = self.links.find(&self.connection, &self.pair.name, id).await? {
                let link = stored.link;
                records.extend(link.record(system.other()).or(link.record(system)).cloned());
            }
        }
        Ok(records)
    }
}

/// Whether a link's record on this side is there and looks for a partner. A document whose lines were not seen looks
/// for none yet: it would be taken for one that has no lines.
fn is_alone(draft: &Draft, system: System) -> bool {
    let link = &draft.link;
    if link.awaits_lines[system] {
        return false;
    }
    let present = link.sides[system].as_ref().is_some_and(|side| side.presence == Presence::Present);
    present && !link.has_both() && link.status == Status::Unmatched && link.is_at_rest()
}

fn is_not_admitted(draft: &mut Draft) {
    if let Some(side) = &mut draft.link_mut().sides.exactonline {
        side.admitted = false;
    }
}
