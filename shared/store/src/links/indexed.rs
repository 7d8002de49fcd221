//! The indexes that lead to a link.

use std::collections::{BTreeMap, BTreeSet};

use link::{Link, Side};
use mapping::Pair;
use model::{ConnectionName, LinkId, Reference, System, Value};

use super::claims::{claims, number};
use super::keys::match_keys;
use super::{Links, LinksError, parsed};
use crate::{Check, Key, Store};

/// The index entries of one link.
#[derive(Default)]
pub(super) struct Indexed {
    /// Members of sets.
    pub(super) sets: BTreeSet<(Key, String)>,
    /// Entries that one link alone may have: of its records, of the pair for the record that it claims.
    pub(super) entries: BTreeMap<Key, String>,
    /// The entry of its claim.
    pub(super) claim: Option<Key>,
}

impl<S: Store> Links<S> {
    /// The links of a pair whose document has this number in Exact, whatever its version; and the check that no other
    /// came since. `None` for a record that has no such number.
    pub async fn versions(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        side: &Side,
    ) -> Result<Option<(BTreeSet<LinkId>, Check)>, LinksError> {
        let Some(number) = number(pair, side) else { return Ok(None) };
        let key = self.versions_key(connection, pair, &number);
        let members = self.store.members(&key).await?;
        Ok(Some((parsed(&key, &members)?, Check::Members(key, members))))
    }

    pub(super) fn indexed(&self, connection: &ConnectionName, pair: &Pair, link: &Link) -> Indexed {
        let mut indexed = Indexed::default();
        let (own, name) = (link.id.to_string(), pair.name.as_str());
        let mut listed = vec![self.key(connection, &["links", name])];
        if !link.has_both() {
            listed.push(self.key(connection, &["unmatched", name]));
        }
        if !link.is_at_rest() {
            listed.push(self.key(connection, &["pending", name]));
        }
        listed.extend(self.stands(connection, pair, link));
        listed.extend(self.making(connection, pair, link));
        if has_stranger(link) {
            listed.push(self.key(connection, &["strangers", name]));
        }
        for system in System::BOTH {
            // What is still heard of a record that another one has replaced must find the link that knows.
            for record in link.former[system].keys() {
                indexed.entries.insert(self.record_key(connection, &pair.name, system, record), own.clone());
            }
            let Some(side) = &link.sides[system] else { continue };
            if pair.is_membership && system == System::CustomCrm && link.sides.exactonline.is_some() {
                // The record's own link has its keys.
                listed.push(self.members_key(connection, &pair.name, &side.record));
                continue;
            }
            let keys = match_keys(pair, system, side);
            listed.extend(keys.iter().map(|key| self.match_key(connection, &pair.name, system, key)));
            let key = self.record_key(connection, &pair.name, system, &side.record);
            indexed.entries.insert(key, own.clone());
        }
        indexed.sets.extend(listed.into_iter().map(|key| (key, own.clone())));
        let waiter = format!("{name} {own}");
        for (waited_pair, system, record) in link.waits_for() {
            indexed
                .sets
                .insert((self.waiting_key(connection, &waited_pair, system, &record), waiter.clone()));
        }
        if let Some(side) = &link.sides.exactonline {
            if let Some(number) = number(pair, side) {
                indexed.sets.insert((self.versions_key(connection, pair, &number), own));
            }
            if claims(pair, link) {
                let key = self.claim_key(connection, pair, &side.record);
                indexed.entries.insert(key.clone(), name.to_owned());
                indexed.claim = Some(key);
                let numbers = self.number_claims_key(connection, pair, side);
                indexed.sets.extend(numbers.map(|key| (key, waiter)));
            }
        }
        indexed
    }

    fn versions_key(&self, connection: &ConnectionName, pair: &Pair, number: &str) -> Key {
        self.key(connection, &["versions", pair.name.as_str(), number])
    }
}

/// Whether a record of the link names a user whom the other system's directory does not know.
pub(super) fn has_stranger(link: &Link) -> bool {
    let values = System::BOTH.into_iter().filter_map(|system| link.sides[system].as_ref());
    values
        .flat_map(|side| side.view.values())
        .any(|value| matches!(value, Value::Reference(Reference::UnknownPerson { .. })))
}
