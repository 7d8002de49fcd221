//! What a record refers to: other links, and people.

use std::collections::{BTreeMap, BTreeSet};

use mapping::{List, Lookups, Pair, ReferenceNeed};
use model::{ConnectionName, Reference, System, UserId, Value, View};

use super::{Links, LinksError};
use crate::{Applied, Batch, Change, Check, Key, Store};

impl<S: Store> Links<S> {
    /// A system's users by e-mail; `None` until its collector has read them.
    pub async fn people(
        &self,
        connection: &ConnectionName,
        system: System,
    ) -> Result<Option<BTreeMap<UserId, String>>, LinksError> {
        let key = self.key(connection, &["people", system.name()]);
        let Some(entry) = self.store.get(&key).await? else { return Ok(None) };
        let people: BTreeMap<String, String> =
            serde_json::from_str(&entry.value).map_err(|_| LinksError::Entry { key: key.clone() })?;
        people
            .into_iter()
            .map(|(user, email)| UserId::parse(&user).map(|user| (user, email)))
            .collect::<Result<_, _>>()
            .map(Some)
            .map_err(|_| LinksError::Entry { key })
    }

    /// Replaces a system's users.
    pub async fn set_people(
        &self,
        connection: &ConnectionName,
        system: System,
        people: &BTreeMap<UserId, String>,
    ) -> Result<(), LinksError> {
        let key = self.key(connection, &["people", system.name()]);
        let texts: BTreeMap<String, String> =
            people.iter().map(|(user, email)| (user.to_string(), email.trim().to_lowercase())).collect();
        let value = serde_json::to_string(&texts).expect("a directory holds only texts");
        match self.store.apply(Batch::new().then(Change::Set { key, value })).await? {
            Applied::Done { .. } | Applied::Refused(_) => Ok(()),
        }
    }

    /// What was read of Exact's lists: each code's own id, by the list's name. A list that is not there has not been
    /// read.
    pub async fn lists(
        &self,
        connection: &ConnectionName,
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>, LinksError> {
        let keys: Vec<Key> = List::ALL.iter().map(|list| self.list_key(connection, list.name())).collect();
        let entries = self.store.get_many(&keys).await?;
        let mut lists = BTreeMap::new();
        for ((list, key), entry) in List::ALL.into_iter().zip(keys).zip(entries) {
            let Some(entry) = entry else { continue };
            let codes = serde_json::from_str(&entry.value).map_err(|_| LinksError::Entry { key })?;
            lists.insert(list.name().to_owned(), codes);
        }
        Ok(lists)
    }

    /// Replaces what was read of a list.
    pub async fn set_list(
        &self,
        connection: &ConnectionName,
        name: &str,
        ids: &BTreeMap<String, String>,
    ) -> Result<(), LinksError> {
        let value = serde_json::to_string(ids).expect("a list holds only texts");
        let change = Change::Set { key: self.list_key(connection, name), value };
        match self.store.apply(Batch::new().then(change)).await? {
            Applied::Done { .. } | Applied::Refused(_) => Ok(()),
        }
    }

    fn list_key(&self, connection: &ConnectionName, name: &str) -> Key {
        self.key(connection, &["list", name])
    }

    /// What a record's references stand for, and the checks that hold a commit to references that are not linked yet.
    pub async fn look_up_links(
        &self,
        connection: &ConnectionName,
        system: System,
        needs: &BTreeSet<ReferenceNeed>,
        lookups: &mut Lookups,
    ) -> Result<Vec<Check>, LinksError> {
        let mut checks = Vec::new();
        for need in needs {
            let ReferenceNeed { pair, record } = need;
            match self.link_of(connection, pair, system, record).await? {
                None => checks.push(Check::Absent(self.record_key(connection, pair, system, record))),
                Some(id) => match self.find(connection, pair, &id).await? {
                    Some(stored) if stored.link.has_both() => {
                        lookups.links.insert((pair.clone(), system, record.clone()), id);
                    }
                    Some(stored) => {
                        checks.push(Check::Revision(self.link_key(connection, pair, &id), stored.revision));
                    }
                    None => checks.push(Check::Absent(self.link_key(connection, pair, &id))),
                },
            }
        }
        Ok(checks)
    }

    /// The records, in one system, of the links that these values refer to.
    pub async fn look_up_records(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        system: System,
        values: &View,
        lookups: &mut Lookups,
    ) -> Result<(), LinksError> {
        for (property, value) in values {
            let Value::Reference(Reference::Linked(id)) = value else { continue };
            let Some(mapping::Lens::Reference { pair: through }) =
                pair.property(property).map(|row| &row.lens)
            else {
                continue;
            };
            let stored = self.find(connection, through, id).await?;
            if let Some(record) = stored.as_ref().and_then(|stored| stored.link.record(system)) {
                lookups.records.insert((through.clone(), id.clone(), system), record.clone());
            }
        }
        Ok(())
    }
}
