//! What a record refers to: other links, and people.

use std::collections::{BTreeMap, BTreeSet};

use mapping::{Lookups, Pair, ReferenceNeed};
use model::{ConnectionName, Reference, System, UserId, Value, View};

use super::{Links, LinksError};
use crate::{Applied, Batch, Change, Check, Store};

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
