//! Records of Exact that other pairs could take as well: who may.

use link::Side;
use mapping::Pair;
use model::{LinkId, Properties, System};
use store::{Claim, Store};

use super::Keeper;
use super::observed::Found;
use crate::error::MapperError;

/// The other pairs that take records of the same entity of Exact. A membership takes none.
pub(super) fn beside<'a>(pair: &'a Pair, kept: &'a [Pair]) -> impl Iterator<Item = &'a Pair> {
    kept.iter().filter(move |other| {
        let same = other.entities.exactonline == pair.entities.exactonline;
        same && other.name != pair.name && !other.is_membership && !pair.is_membership
    })
}

impl<S: Store> Keeper<S> {
    /// Whether one of the pairs that this one yields to takes the record, once it finds it unclaimed.
    pub(super) fn yields(&self, system: System, properties: &Properties) -> bool {
        let goes_first = |pair: &Pair| self.pair.yields_to.contains(&pair.name);
        system == System::ExactOnline
            && self
                .beside
                .iter()
                .any(|pair| goes_first(pair) && pair.creates.customcrm && pair.admits(system, properties))
    }

    /// Which other pair has claimed a record of Exact.
    pub(super) async fn claim(&self, side: &Side) -> Result<Claim, MapperError> {
        if self.beside.is_empty() {
            return Ok(Claim::default());
        }
        Ok(self.links.claimed(&self.connection, &self.pair, side).await?)
    }

    /// Whether a record of one of these other pairs looks for this one of Exact, and will find it: the store was
    /// emptied, or a create was carried out and its outcome is not known. Where it was not found just now, those pairs
    /// see it as they saw it last.
    pub(super) async fn is_awaited_by<'p>(
        &self,
        pairs: impl IntoIterator<Item = &'p Pair>,
        side: &Side,
        found: Option<Found<'_>>,
    ) -> Result<bool, MapperError> {
        for pair in pairs {
            let seen = match found {
                Some(Found { properties, lookups }) => {
                    let view = pair.view(System::ExactOnline, properties, lookups).view;
                    Some(Side { view, ..side.clone() })
                }
                None => self.seen_last_by(pair, side).await?,
            };
            let Some(seen) = seen else { continue };
            let own = LinkId::begun_by(System::ExactOnline, &side.record);
            let found =
                self.links.candidates(&self.connection, pair, System::ExactOnline, &seen, &own).await?;
            if !found.partners.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How a record of Exact looks in another pair, with all that can be resolved by now.
    async fn seen_last_by(&self, pair: &Pair, side: &Side) -> Result<Option<Side>, MapperError> {
        let exact = System::ExactOnline;
        let link = self.links.link_of(&self.connection, &pair.name, exact, &side.record).await?;
        let Some(link) = link else { return Ok(None) };
        let Some(stored) = self.links.find(&self.connection, &pair.name, &link).await? else {
            return Ok(None);
        };
        let resolvable = self.links.resolvable(&self.connection, &stored.link).await?;
        let Some(mut seen) = stored.link.sides.exactonline.clone() else { return Ok(None) };
        let resolved = resolvable.resolved.into_iter().filter(|(of, _, _)| *of == exact);
        seen.view.extend(resolved.map(|(_, property, value)| (property, value)));
        Ok(Some(seen))
    }
}
