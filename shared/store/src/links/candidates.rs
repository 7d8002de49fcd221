//! Where an unlinked record's match keys lead.

use std::collections::{BTreeMap, BTreeSet};

use link::{Link, Side, Status};
use mapping::{Lens, MatchKey, Pair};
use model::{ConnectionName, LinkId, PairName, Presence, PropertyName, System};

use super::keys::{linked, match_keys, through_row};
use super::{Links, LinksError, Stored, parsed};
use crate::{Check, Store};

/// What an unlinked record's match keys lead to.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// Links that have the other side and lack this one, as they were read: a commit of one of them fails where it has
    /// found another partner since.
    pub partners: BTreeMap<LinkId, Stored>,
    /// Links that have a record of this side, or both sides: a person must say which is meant.
    pub others: BTreeSet<LinkId>,
    /// What the commit must still find, so that a partner that comes at this moment is not missed.
    pub checks: Vec<Check>,
}

impl<S: Store> Links<S> {
    /// The links that the match keys of an unlinked record lead to; its `own` link is left out.
    pub async fn candidates(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        system: System,
        side: &Side,
        own: &LinkId,
    ) -> Result<Candidates, LinksError> {
        let mut found = Candidates::default();
        for key in match_keys(pair, system, side) {
            let mut partners = BTreeMap::new();
            for holder in System::BOTH {
                let index = self.match_key(connection, &pair.name, holder, &key);
                let members = self.store.members(&index).await?;
                for id in parsed(&index, &members)?.into_iter().filter(|id| id != own) {
                    let Some(stored) = self.find(connection, &pair.name, &id).await? else { continue };
                    if holder == system.other() && lacks_only(&stored.link, system) {
                        partners.insert(id, stored);
                    } else if is_present(&stored.link, holder) {
                        found.others.insert(id);
                    }
                }
                found.checks.push(Check::Members(index, members));
            }
            partners.extend(self.about_to_match(connection, pair, system, side, &key, own).await?);
            if found.partners.is_empty() {
                found.partners = partners;
            }
        }
        found.others.retain(|id| !found.partners.contains_key(id));
        Ok(found)
    }

    /// The links whose record in `holder` has a match key of this record, and the checks that no other came since.
    pub async fn sharing(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        holder: System,
        side: &Side,
    ) -> Result<(BTreeSet<LinkId>, Vec<Check>), LinksError> {
        let (mut links, mut checks) = (BTreeSet::new(), Vec::new());
        for key in match_keys(pair, holder.other(), side) {
            let index = self.match_key(connection, &pair.name, holder, &key);
            let members = self.store.members(&index).await?;
            links.extend(parsed(&index, &members)?);
            checks.push(Check::Members(index, members));
        }
        Ok((links, checks))
    }

    /// The links that will carry the key as soon as they are woken, because a record that it refers to has become
    /// linked: whoever is woken first must find them, or it would make a partner that is there.
    ///
    /// Nothing comes to wait for a record that is linked, so no check is needed.
    async fn about_to_match(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        system: System,
        side: &Side,
        key: &MatchKey,
        own: &LinkId,
    ) -> Result<BTreeMap<LinkId, Stored>, LinksError> {
        let mut found = BTreeMap::new();
        for row in &key.rows.0 {
            let (Some(through), Some(link)) = (leads_through(pair, row), side.view.get(row).and_then(linked))
            else {
                continue;
            };
            let Some(referred) = self.find(connection, through, link).await? else { continue };
            let Some(record) = referred.link.record(system.other()) else { continue };
            let (waiting, _) = self.waiting_for(connection, through, system.other(), record).await?;
            for (_, id) in waiting.into_iter().filter(|(waiter, id)| *waiter == pair.name && id != own) {
                let Some(stored) = self.find(connection, &pair.name, &id).await? else { continue };
                if lacks_only(&stored.link, system)
                    && self.will_carry(connection, pair, system.other(), &stored.link, key).await?
                {
                    found.insert(id, stored);
                }
            }
        }
        Ok(found)
    }

    /// Whether a link's record has this key once what it refers to is resolved.
    async fn will_carry(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        system: System,
        link: &Link,
        key: &MatchKey,
    ) -> Result<bool, LinksError> {
        let Some(mut side) = link.sides[system].clone() else { return Ok(false) };
        let resolvable = self.resolvable(connection, link).await?;
        let resolved = resolvable.resolved.into_iter().filter(|(of, _, _)| *of == system);
        side.view.extend(resolved.map(|(_, property, value)| (property, value)));
        Ok(match_keys(pair, system, &side).contains(key))
    }
}

/// The pair whose links a row of a match key refers to.
fn leads_through<'a>(pair: &'a Pair, row: &PropertyName) -> Option<&'a PairName> {
    let adopts = pair.adopts.as_ref().filter(|adopts| through_row(adopts).as_ref() == Some(row));
    adopts.map(|adopts| &adopts.pair).or_else(|| match &pair.property(row)?.lens {
        Lens::Reference { pair } => Some(pair),
        _ => None,
    })
}

/// Whether the other side's record is there and has no partner here: none yet, or one that was deleted and whose link
/// has ended, in whose place another may come.
fn lacks_only(link: &Link, system: System) -> bool {
    let is_free = match &link.sides[system] {
        None => true,
        Some(side) => side.presence == Presence::Deleted && link.status == Status::Ended,
    };
    is_free && is_present(link, system.other())
}

fn is_present(link: &Link, system: System) -> bool {
    link.sides[system].as_ref().is_some_and(|side| side.presence == Presence::Present)
}
