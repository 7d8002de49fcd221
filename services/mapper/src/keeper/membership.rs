//! A membership: each record of Exact belongs to one of CustomCRM, and many may belong to the same.
//!
//! A record of CustomCRM has a link of its own, so that what is known of it is in one place; the links of Exact's
//! records show it as their other side. Nothing is compared and nothing is written.

use std::collections::BTreeSet;

use link::{Effect, Side, Status};
use model::{LinkId, Presence, System};
use store::{Store, Stored};

use super::Keeper;
use super::draft::Draft;
use crate::error::MapperError;

impl<S: Store> Keeper<S> {
    /// Finds out whom a record of Exact belongs to by now, or which records look at one of CustomCRM.
    pub(super) async fn belong(&self, mut draft: Draft) -> Result<Draft, MapperError> {
        let before = draft.before.as_ref().map(|stored| stored.link.sides.clone());
        if draft.link.sides.exactonline.is_none() {
            let news = before.as_ref() != Some(&draft.link.sides);
            if news {
                let belonging = self.belonging(&mut draft, before.and_then(|sides| sides.customcrm)).await?;
                draft.wakes.extend(belonging);
            }
            return Ok(draft);
        }
        let owner = self.owner(&mut draft).await?;
        let known = draft.link.record(System::CustomCrm).cloned();
        let found = owner.as_ref().map(|owner| owner.record.clone());
        if known != found {
            let text = match &found {
                Some(record) => format!("belongs to {} record {record}", System::CustomCrm),
                None => "belongs to nobody who is known".to_owned(),
            };
            draft.effects.push(Effect::Note(text));
        }
        draft.link_mut().sides.customcrm = owner;
        if matches!(draft.link.status, Status::Unmatched | Status::Linked) {
            draft.link_mut().status = if found.is_some() { Status::Linked } else { Status::Unmatched };
        }
        Ok(draft)
    }

    /// The record of CustomCRM that a record of Exact belongs to: the only one that is known by the same key, is there
    /// and is admitted.
    async fn owner(&self, draft: &mut Draft) -> Result<Option<Side>, MapperError> {
        let Some(side) = &draft.link.sides.exactonline else { return Ok(None) };
        if side.presence == Presence::Deleted {
            return Ok(draft.link.sides.customcrm.clone());
        }
        let sharing = self.links.sharing(&self.connection, &self.pair, System::CustomCrm, side).await?;
        draft.checks.extend(sharing.1);
        let mut owners = Vec::new();
        for id in sharing.0 {
            let Some(stored) = self.links.find(&self.connection, &self.pair.name, &id).await? else {
                continue;
            };
            draft.checks.push(self.links.unchanged(&self.connection, &self.pair.name, &stored));
            owners.extend(owner_of(&stored));
        }
        match <[Side; 1]>::try_from(owners) {
            Ok([owner]) => Ok(Some(owner)),
            Err(_) => Ok(None),
        }
    }

    /// The links that have to be looked at again after a record of CustomCRM has changed: those that belong to it, and
    /// those that do by now.
    async fn belonging(
        &self,
        draft: &mut Draft,
        before: Option<Side>,
    ) -> Result<BTreeSet<LinkId>, MapperError> {
        let mut links = BTreeSet::new();
        for side in before.iter().chain(&draft.link.sides.customcrm) {
            let sharing = self.links.sharing(&self.connection, &self.pair, System::ExactOnline, side).await?;
            draft.checks.extend(sharing.1);
            links.extend(sharing.0);
            links.extend(self.links.members(&self.connection, &self.pair.name, &side.record).await?);
        }
        Ok(links)
    }
}

fn owner_of(stored: &Stored) -> Option<Side> {
    let is_there = |side: &&Side| side.presence == Presence::Present && side.admitted;
    stored.link.sides.customcrm.as_ref().filter(is_there).cloned()
}
