//! Documents as they are kept between two reads, so that nothing is lost when a reader ends between a header and its
//! lines.
//!
//! Each document is an entry of its own. Beside it stand whose part each part is, because the log of deletions does not
//! tell; and the list of the documents that changed and are to be published, each at its version.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{ConnectionName, Properties, Record, RecordId, Version};
use store::{Applied, Batch, Change, Check, Entry, Key, Store, StoreError};

use crate::{Document, Entity, Row};

#[cfg(test)]
mod tests;

/// Documents that are changed in one atomic step.
const STEP: usize = 50;

/// The documents of one entity of one connection.
#[derive(Debug, Clone)]
pub struct DocumentStore<S> {
    store: S,
    namespace: String,
    connection: ConnectionName,
    entity: &'static str,
}

/// What a page of rows does to one document.
#[derive(Default)]
struct Changes {
    header: Vec<Record>,
    parts: Vec<Record>,
    gone: Vec<Record>,
}

impl<S: Store> DocumentStore<S> {
    /// Those of an entity, where the collector of the connection keeps them.
    pub fn new(store: S, namespace: &str, connection: &ConnectionName, entity: &Entity) -> Self {
        let (namespace, connection) = (namespace.to_owned(), connection.clone());
        Self { store, namespace, connection, entity: entity.name }
    }

    /// Takes rows in and puts the documents that they belong to on the list, changed or not: who reads anew wants all of
    /// them. The same rows may come again, and from several readers at once. The deletion of a part that was never seen
    /// says nothing.
    pub async fn take_in(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        let changes: Vec<(RecordId, Changes)> = self.by_document(rows).await?.into_iter().collect();
        for step in changes.chunks(STEP) {
            // Whoever is faster has taken a step itself, so this ends.
            while let Applied::Refused(_) = self.step(step).await? {}
        }
        Ok(())
    }

    /// The documents of these ids, in their order, where they are kept.
    pub async fn load(&self, ids: &[RecordId]) -> Result<Vec<Option<Document>>, StoreError> {
        let keys: Vec<Key> = ids.iter().map(|id| self.document_key(id)).collect();
        let entries = self.store.get_many(&keys).await?;
        keys.iter()
            .zip(&entries)
            .map(|(key, entry)| entry.as_ref().map(|entry| read(key, entry)).transpose())
            .collect()
    }

    /// Whose part each of these is, in their order; `None` for one that is not kept.
    pub async fn owners(&self, parts: &[RecordId]) -> Result<Vec<Option<RecordId>>, StoreError> {
        let keys: Vec<Key> = parts.iter().map(|part| self.part_key(part)).collect();
        let entries = self.store.get_many(&keys).await?;
        Ok(entries.into_iter().map(|entry| RecordId::parse(&entry?.value).ok()).collect())
    }

    /// Keeps what the records themselves show of their late properties, each read when its document was at this version.
    pub async fn take_late(&self, shown: &[(RecordId, Version, Properties)]) -> Result<(), StoreError> {
        for step in shown.chunks(STEP) {
            while let Applied::Refused(_) = self.late_step(step).await? {}
        }
        Ok(())
    }

    /// The documents on the list that have this version or a lower one, the lowest first.
    pub async fn listed(&self, until: Version, limit: usize) -> Result<Vec<RecordId>, StoreError> {
        let members = self.store.due(&self.list_key(), at(until), limit).await?;
        Ok(members.iter().filter_map(|member| RecordId::parse(member).ok()).collect())
    }

    /// Takes documents off the list: they have been published as they are kept, and that is safe.
    pub async fn published(&self, ids: &[RecordId]) -> Result<(), StoreError> {
        for step in ids.chunks(STEP) {
            while let Applied::Refused(_) = self.published_step(step).await? {}
        }
        Ok(())
    }

    async fn by_document(&self, rows: Vec<Row>) -> Result<BTreeMap<RecordId, Changes>, StoreError> {
        let mut documents: BTreeMap<RecordId, Changes> = BTreeMap::new();
        let mut gone = Vec::new();
        for row in rows {
            match row {
                Row::Own(record) => documents.entry(record.id.clone()).or_default().header.push(record),
                Row::Part { of, part } => documents.entry(of).or_default().parts.push(part),
                Row::PartGone(part) => gone.push(part),
            }
        }
        let ids: Vec<RecordId> = gone.iter().map(|part| part.id.clone()).collect();
        // Within a page a part may be shown and then be gone, before anything of it is kept.
        let shown: BTreeMap<RecordId, RecordId> = documents
            .iter()
            .flat_map(|(of, changes)| changes.parts.iter().map(|part| (part.id.clone(), of.clone())))
            .collect();
        for (part, owner) in gone.into_iter().zip(self.owners(&ids).await?) {
            if let Some(of) = shown.get(&part.id).cloned().or(owner) {
                documents.entry(of).or_default().gone.push(part);
            }
        }
        Ok(documents)
    }

    async fn step(&self, step: &[(RecordId, Changes)]) -> Result<Applied, StoreError> {
        let keys: Vec<Key> = step.iter().map(|(id, _)| self.document_key(id)).collect();
        let entries = self.store.get_many(&keys).await?;
        let mut batch = Batch::new();
        for (((id, changes), key), entry) in step.iter().zip(keys).zip(entries) {
            let mut document = match &entry {
                Some(entry) => read(&key, entry)?,
                None => Document::new(id.clone()),
            };
            batch = batch.when(seen(&key, entry));
            for record in &changes.header {
                document.take_header(record.clone());
            }
            for part in &changes.parts {
                if !document.holds(&part.id) {
                    let (key, value) = (self.part_key(&part.id), id.as_str().to_owned());
                    batch = batch.then(Change::Set { key, value });
                }
                document.take_part(part.clone());
            }
            for part in &changes.gone {
                document.take_part(part.clone());
                batch = batch.then(Change::Delete(self.part_key(&part.id)));
            }
            if let Some(version) = document.version() {
                let (list, member) = (self.list_key(), id.as_str().to_owned());
                batch = batch.then(Change::Schedule { key: list, member, at: at(version) });
            }
            batch = batch.then(Change::Set { key, value: document.write() });
        }
        self.store.apply(batch).await
    }

    async fn late_step(&self, step: &[(RecordId, Version, Properties)]) -> Result<Applied, StoreError> {
        let keys: Vec<Key> = step.iter().map(|(id, ..)| self.document_key(id)).collect();
        let entries = self.store.get_many(&keys).await?;
        let mut batch = Batch::new();
        for (((_, version, properties), key), entry) in step.iter().zip(keys).zip(entries) {
            let Some(entry) = entry else { continue };
            let mut document = read(&key, &entry)?;
            document.take_late(*version, properties.clone());
            batch = batch.when(seen(&key, Some(entry))).then(Change::Set { key, value: document.write() });
        }
        self.store.apply(batch).await
    }

    async fn published_step(&self, step: &[RecordId]) -> Result<Applied, StoreError> {
        let keys: Vec<Key> = step.iter().map(|id| self.document_key(id)).collect();
        let entries = self.store.get_many(&keys).await?;
        let mut batch = Batch::new();
        for ((id, key), entry) in step.iter().zip(keys).zip(entries) {
            if let Some(entry) = entry {
                let mut document = read(&key, &entry)?;
                document.was_told(document.version());
                batch =
                    batch.when(seen(&key, Some(entry))).then(Change::Set { key, value: document.write() });
            }
            let (key, member) = (self.list_key(), id.as_str().to_owned());
            batch = batch.then(Change::Unschedule { key, member });
        }
        self.store.apply(batch).await
    }

    fn document_key(&self, id: &RecordId) -> Key {
        self.key(&["documents", self.entity, id.as_str()])
    }

    fn part_key(&self, part: &RecordId) -> Key {
        self.key(&["parts", self.entity, part.as_str()])
    }

    fn list_key(&self) -> Key {
        self.key(&["changed", self.entity])
    }

    fn key(&self, parts: &[&str]) -> Key {
        let parts: Vec<&str> = std::iter::once("exactonline").chain(parts.iter().copied()).collect();
        Key::of(&self.namespace, self.connection.as_str(), &parts)
    }
}

fn read(key: &Key, entry: &Entry) -> Result<Document, StoreError> {
    Document::read(&entry.value)
        .map_err(|error| StoreError::Corrupt { key: key.clone(), what: error.to_string() })
}

fn seen(key: &Key, entry: Option<Entry>) -> Check {
    match entry {
        Some(entry) => Check::Revision(key.clone(), entry.revision),
        None => Check::Absent(key.clone()),
    }
}

/// A version as the time that a schedule sorts by: what is due first is what changed first. The versions of many
/// thousand years fit.
fn at(Version(version): Version) -> Timestamp {
    let microsecond = i64::try_from(version).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(microsecond).unwrap_or(Timestamp::MAX)
}
