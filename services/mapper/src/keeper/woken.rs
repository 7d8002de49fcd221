//! What something that was waited for sets going.

use contract::Woken;
use link::Event;
use model::System;
use store::{Check, Store};

use super::draft::Draft;
use super::{Case, Keeper};
use crate::error::MapperError;
use crate::handler::Handled;

impl<S: Store> Keeper<S> {
    /// `None`: somebody was faster.
    pub(crate) async fn woken(&self, woken: &Woken) -> Result<Option<Handled>, MapperError> {
        let Some(stored) = self.links.find(&self.connection, &self.pair.name, &woken.link).await? else {
            return Ok(Some(Handled::Done(Vec::new())));
        };
        let (released, held) = self.links.released(&self.connection, &self.pair.name).await?;
        let checks: Vec<Check> = held.into_iter().collect();
        let (lane, now, policy) = (woken.lane, ambient::now(), self.policy());
        let case = Case { lane, wakes: lane, part: None, is_of_read: false, now, released, policy };
        let mut draft = Draft::of(stored);
        self.resolve(&mut draft, &case).await?;
        let missing = System::BOTH.into_iter().find(|system| draft.link.sides[*system].is_none());
        let draft = match missing {
            _ if self.pair.is_membership => self.belong(draft).await?,
            Some(missing) => self.match_and_step(missing.other(), draft, None, &case).await?,
            None => draft,
        };
        self.commit(&case, draft, checks).await
    }

    /// Takes in what has become known of that which a link refers to, and holds the commit to what has not.
    pub(super) async fn resolve(&self, draft: &mut Draft, case: &Case<'_>) -> Result<(), MapperError> {
        let resolvable = self.links.resolvable(&self.connection, &draft.link).await?;
        draft.checks.extend(resolvable.checks);
        for (system, property, value) in resolvable.resolved {
            draft.step(Event::ReferenceLinked { system, property, value }, case);
        }
        let view = draft.link.sides.customcrm.as_ref().map(|side| side.view.clone());
        let Some(view) = view.filter(|_| !draft.link.has_both()) else { return Ok(()) };
        let inherited = self.inherited(System::CustomCrm, &view).await?;
        if let Some(side) = &mut draft.link_mut().sides.customcrm {
            side.stand_in = inherited.or(side.stand_in.take());
        }
        Ok(())
    }
}
