//! What a connection's records refer to by name: the users of both systems, and Exact's lists.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use mapping::{List, Shared};
use model::{ConnectionName, LinkId, PairName, RecordId, System, SystemPair, UserId};

use super::{Links, LinksError};
use crate::{Applied, Batch, Change, Check, Entry, Key, Store};

/// The users of both systems.
#[derive(Debug, Clone)]
pub struct Directories {
    /// Each system's users, by e-mail in lower case.
    pub people: Shared<SystemPair<BTreeMap<UserId, String>>>,
    /// What the commit must still find, where a user is not known by now.
    pub checks: Vec<Check>,
}

/// What is known at the first look at a record.
#[derive(Debug, Clone)]
pub struct Known {
    /// What it may refer to by name.
    pub named: Named,
    /// Whether its pair may create.
    pub released: bool,
    /// What holds a commit to that.
    pub held: Option<Check>,
    /// The link that it belongs to.
    pub link: Option<LinkId>,
}

/// What a connection's records refer to by name.
#[derive(Debug, Clone)]
pub struct Named {
    /// The users of both systems; `None` until both collectors have read them.
    pub directories: Option<Directories>,
    /// What was read of Exact's lists: each code's own id, by the list's name. A list that is not there has not been
    /// read.
    pub lists: Shared<BTreeMap<String, BTreeMap<String, String>>>,
}

impl<S: Store> Links<S> {
    /// A system's users by e-mail; `None` until its collector has read them.
    pub async fn people(
        &self,
        connection: &ConnectionName,
        system: System,
    ) -> Result<Option<BTreeMap<UserId, String>>, LinksError> {
        let key = self.people_key(connection, system);
        self.store.get(&key).await?.map(|entry| people(key, &entry)).transpose()
    }

    /// The users of both systems; `None` until both collectors have read them.
    pub async fn directories(&self, connection: &ConnectionName) -> Result<Option<Directories>, LinksError> {
        Ok(self.named(connection).await?.directories)
    }

    /// All that a connection's records refer to by name, read at once.
    pub async fn named(&self, connection: &ConnectionName) -> Result<Named, LinksError> {
        let at = self.store.get(&self.names_key(connection)).await?;
        self.named_at(connection, at).await
    }

    /// What is known of a record of a pair, or, without a record, of the pair; all of it read at once.
    pub async fn known(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        record: Option<(System, &RecordId)>,
    ) -> Result<Known, LinksError> {
        let released_key = self.released_key(connection, pair);
        let record_key = record.map(|(system, record)| self.record_key(connection, pair, system, record));
        let mut keys = vec![self.names_key(connection), released_key.clone()];
        keys.extend(record_key.clone());
        let mut entries = self.store.get_many(&keys).await?.into_iter();
        let mut next = || entries.next().flatten();
        let (names, is_released, link) = (next(), next().is_some(), next());
        let (released, held) = super::gate::released(released_key, is_released);
        let link = record_key.zip(link).map(|(key, entry)| super::link_id(key, &entry)).transpose()?;
        Ok(Known { named: self.named_at(connection, names).await?, released, held, link })
    }

    /// What is referred to by name is read again only when it has changed. `at` was read before: should it change in
    /// between, it is newer than it is taken for, and read once more.
    async fn named_at(&self, connection: &ConnectionName, at: Option<Entry>) -> Result<Named, LinksError> {
        let revision = at.map(|entry| entry.revision);
        let known = self.names().get(connection).filter(|(at, _)| Some(*at) == revision).cloned();
        if let Some((_, named)) = known {
            return Ok(named);
        }
        let named = self.read_named(connection).await?;
        if let Some(revision) = revision {
            self.names().insert(connection.clone(), (revision, named.clone()));
        }
        Ok(named)
    }

    /// Nothing that can panic runs while the lock is held.
    fn names(&self) -> MutexGuard<'_, BTreeMap<ConnectionName, (u64, Named)>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_named(&self, connection: &ConnectionName) -> Result<Named, LinksError> {
        let people_keys = System::BOTH.map(|system| self.people_key(connection, system));
        let list_keys = List::ALL.map(|list| self.list_key(connection, list.name()));
        let keys: Vec<Key> = people_keys.iter().chain(&list_keys).cloned().collect();
        let mut entries = self.store.get_many(&keys).await?.into_iter();
        let mut read = Some(Directories { people: Shared::default(), checks: Vec::new() });
        for ((system, key), entry) in System::BOTH.into_iter().zip(people_keys).zip(&mut entries) {
            let (Some(directories), Some(entry)) = (&mut read, entry) else {
                read = None;
                continue;
            };
            directories.checks.push(Check::Revision(key.clone(), entry.revision));
            directories.people[system] = people(key, &entry)?;
        }
        let mut lists = BTreeMap::new();
        for ((list, key), entry) in List::ALL.into_iter().zip(list_keys).zip(entries) {
            let Some(entry) = entry else { continue };
            let codes = serde_json::from_str(&entry.value).map_err(|_| LinksError::Entry { key })?;
            lists.insert(list.name().to_owned(), codes);
        }
        Ok(Named { directories: read, lists: lists.into() })
    }

    /// What changes whenever the users of a system do; `None` until they were read.
    pub async fn directory_revisions(
        &self,
        connection: &ConnectionName,
    ) -> Result<SystemPair<Option<u64>>, LinksError> {
        let keys = System::BOTH.map(|system| self.people_key(connection, system));
        let mut revisions = SystemPair::default();
        for (system, entry) in System::BOTH.into_iter().zip(self.store.get_many(&keys).await?) {
            revisions[system] = entry.map(|entry| entry.revision);
        }
        Ok(revisions)
    }

    /// Replaces a system's users; where they are the same as before, nothing changes.
    pub async fn set_people(
        &self,
        connection: &ConnectionName,
        system: System,
        people: &BTreeMap<UserId, String>,
    ) -> Result<(), LinksError> {
        let key = self.people_key(connection, system);
        let texts: BTreeMap<String, String> =
            people.iter().map(|(user, email)| (user.to_string(), email.trim().to_lowercase())).collect();
        let value = serde_json::to_string(&texts).expect("a directory holds only texts");
        self.set_named(connection, key, value).await
    }

    /// What was read of Exact's lists.
    pub async fn lists(
        &self,
        connection: &ConnectionName,
    ) -> Result<Shared<BTreeMap<String, BTreeMap<String, String>>>, LinksError> {
        Ok(self.named(connection).await?.lists)
    }

    /// Replaces what was read of a list; where it is the same as before, nothing changes.
    pub async fn set_list(
        &self,
        connection: &ConnectionName,
        name: &str,
        ids: &BTreeMap<String, String>,
    ) -> Result<(), LinksError> {
        let value = serde_json::to_string(ids).expect("a list holds only texts");
        self.set_named(connection, self.list_key(connection, name), value).await
    }

    /// Sets an entry, and gives all that is referred to by name another revision with it.
    async fn set_named(
        &self,
        connection: &ConnectionName,
        key: Key,
        value: String,
    ) -> Result<(), LinksError> {
        let names = self.names_key(connection);
        let there = self.store.get_many(&[names.clone(), key.clone()]).await?;
        if let [Some(_), Some(entry)] = &there[..]
            && entry.value == value
        {
            return Ok(());
        }
        let renewed = Change::Set { key: names, value: String::new() };
        match self.store.apply(Batch::new().then(Change::Set { key, value }).then(renewed)).await? {
            Applied::Done { .. } | Applied::Refused(_) => Ok(()),
        }
    }

    fn names_key(&self, connection: &ConnectionName) -> Key {
        self.key(connection, &["names"])
    }

    fn people_key(&self, connection: &ConnectionName, system: System) -> Key {
        self.key(connection, &["people", system.name()])
    }

    fn list_key(&self, connection: &ConnectionName, name: &str) -> Key {
        self.key(connection, &["list", name])
    }
}

fn people(key: Key, entry: &Entry) -> Result<BTreeMap<UserId, String>, LinksError> {
    let unreadable = || LinksError::Entry { key: key.clone() };
    let texts: BTreeMap<String, String> = serde_json::from_str(&entry.value).map_err(|_| unreadable())?;
    let parsed = texts.into_iter().map(|(user, email)| UserId::parse(&user).map(|user| (user, email)));
    parsed.collect::<Result<_, _>>().map_err(|_| unreadable())
}
