//! Records of Exact that several pairs could take: the first one to take such a record claims it.
//!
//! A claim is an entry for the record, and for a document one more under the number that all its versions share. It is
//! committed with the link that makes it: one that has both records, or whose create in CustomCRM is pending.

use link::{Link, Pending, Side};
use mapping::Pair;
use model::{ConnectionName, PairName, RecordId, Value};

use super::{Links, LinksError};
use crate::{Check, Key, Store};

/// Who has claimed a record.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// The other pair that has; `None` where nobody has, or the pair that asks.
    pub by: Option<PairName>,
    /// What the commit must still find, so that two pairs do not claim one record at the same moment.
    pub checks: Vec<Check>,
}

impl<S: Store> Links<S> {
    /// Which other pair has claimed a record of Exact, or another version of the same document.
    pub async fn claimed(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        side: &Side,
    ) -> Result<Claim, LinksError> {
        let mut claim = Claim::default();
        let key = self.claim_key(connection, pair, &side.record);
        match self.store.get(&key).await? {
            None => claim.checks.push(Check::Absent(key)),
            Some(entry) => {
                let by = PairName::parse(&entry.value).map_err(|_| LinksError::Entry { key: key.clone() })?;
                claim.by = Some(by).filter(|by| *by != pair.name);
                claim.checks.push(Check::Revision(key, entry.revision));
            }
        }
        let Some(key) = self.number_claims_key(connection, pair, side) else { return Ok(claim) };
        let members = self.store.members(&key).await?;
        for member in &members {
            let by = member.split_once(' ').and_then(|(by, _)| PairName::parse(by).ok());
            let by = by.ok_or_else(|| LinksError::Entry { key: key.clone() })?;
            claim.by = claim.by.or_else(|| Some(by).filter(|by| *by != pair.name));
        }
        claim.checks.push(Check::Members(key, members));
        Ok(claim)
    }

    pub(super) fn claim_key(&self, connection: &ConnectionName, pair: &Pair, record: &RecordId) -> Key {
        self.key(connection, &["claim", pair.entities.exactonline.as_str(), record.as_str()])
    }

    /// Where the pairs stand that have claimed a version of this document, as (pair, link).
    pub(super) fn number_claims_key(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        side: &Side,
    ) -> Option<Key> {
        let number = number(pair, side)?;
        Some(self.key(connection, &["claims", pair.entities.exactonline.as_str(), &number]))
    }
}

/// Whether a link claims its record of Exact.
pub(super) fn claims(pair: &Pair, link: &Link) -> bool {
    let taken = link.sides.customcrm.is_some() || link.pending.customcrm != Pending::None;
    !pair.is_membership && taken && link.follows.is_none()
}

/// The number that all versions of a document share.
pub(super) fn number(pair: &Pair, side: &Side) -> Option<String> {
    let number = side.view.get(&pair.versions.as_ref()?.number)?;
    let is_known = matches!(number, Value::Text(_) | Value::Decimal(_));
    is_known.then(|| number.to_string())
}
