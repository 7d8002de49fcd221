//! How many links stand where: what the people who run it look at.

use link::{Link, Status};
use mapping::Pair;
use model::{ConnectionName, PairName, System};

use super::{Links, LinksError};
use crate::{Key, Store};

/// How many links of a pair stand where. A link may be counted in several places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// All of them.
    pub all: u64,
    /// That have one record only.
    pub unmatched: u64,
    /// That have a write pending.
    pub pending: u64,
    /// That wait for another link.
    pub parked: u64,
    /// That wait for a person.
    pub held: u64,
    /// Of which a system has refused what would be written.
    pub refused: u64,
}

const PARKED: &str = "parked";
const HELD: &str = "held";
const REFUSED: &str = "refused";

impl<S: Store> Links<S> {
    /// How many links of a pair stand where.
    pub async fn standing(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
    ) -> Result<Standing, LinksError> {
        let count = async |state: &str| {
            self.store.count(&self.key(connection, &[state, pair.as_str()])).await.map_err(LinksError::from)
        };
        Ok(Standing {
            all: count("links").await?,
            unmatched: count("unmatched").await?,
            pending: count("pending").await?,
            parked: count(PARKED).await?,
            held: count(HELD).await?,
            refused: count(REFUSED).await?,
        })
    }

    /// The lists of those that get on with nobody's help but their own.
    pub(super) fn stands(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        link: &Link,
    ) -> impl Iterator<Item = Key> {
        let is_refused = System::BOTH.iter().any(|system| link.rejected[*system].is_some());
        let stands = [(PARKED, !link.waits_for().is_empty()), (HELD, is_held(link)), (REFUSED, is_refused)];
        let stands = stands.into_iter().filter(|(_, is_so)| *is_so);
        stands.map(|(state, _)| self.key(connection, &[state, pair.name.as_str()]))
    }
}

/// Whether a person has to decide something about the link.
fn is_held(link: &Link) -> bool {
    let asks = matches!(link.status, Status::Ambiguous(_) | Status::DeletedAgainstEdit);
    asks || !link.conflicts.is_empty()
}
