//! What a record refers to: other links, and people.

use std::collections::BTreeSet;

use link::Link;
use mapping::{Lens, Lookups, Pair, ReferenceNeed};
use model::{ConnectionName, Content, PropertyName, Reference, System, Value, View};

use super::indexed::has_stranger;
use super::{Links, LinksError};
use crate::{Check, Store};

/// What has become known of that which a link refers to.
#[derive(Debug, Clone, Default)]
pub struct Resolvable {
    /// Whose view holds the reference, under which property, and what it stands for by now.
    pub resolved: Vec<(System, PropertyName, Value)>,
    /// What the commit must still find, for those that are not known yet.
    pub checks: Vec<Check>,
}

impl<S: Store> Links<S> {
    /// The references of a link's records that can be resolved by now.
    pub async fn resolvable(
        &self,
        connection: &ConnectionName,
        link: &Link,
    ) -> Result<Resolvable, LinksError> {
        let mut found = Resolvable::default();
        let mut lookups = Lookups::default();
        for (pair, system, record) in link.waits_for() {
            let needs = BTreeSet::from([ReferenceNeed { pair, record }]);
            found.checks.extend(self.look_up_links(connection, system, &needs, &mut lookups).await?);
        }
        if has_stranger(link)
            && let Some(directories) = self.directories(connection).await?
        {
            lookups.people = directories.people;
            found.checks.extend(directories.checks);
        }
        for system in System::BOTH {
            let Some(side) = &link.sides[system] else { continue };
            for (property, value) in &side.view {
                let resolved = resolved(value, &lookups).map(|value| (system, property.clone(), value));
                found.resolved.extend(resolved);
            }
        }
        Ok(found)
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
            let Some(Lens::Reference { pair: through }) = pair.property(property).map(|row| &row.lens) else {
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

/// What an unresolved reference stands for by now.
fn resolved(value: &Value, lookups: &Lookups) -> Option<Value> {
    match value {
        Value::Reference(Reference::Unlinked { pair, system, record }) => {
            let link = lookups.links.get(&(pair.clone(), *system, record.clone()))?;
            Some(Value::Reference(Reference::Linked(link.clone())))
        }
        Value::Reference(Reference::UnknownPerson { system, user }) => {
            let value = Lens::Person.get(*system, &Content::from(user.as_str()), lookups).ok()?;
            Some(value).filter(|value| !value.is_unresolved())
        }
        _ => None,
    }
}
