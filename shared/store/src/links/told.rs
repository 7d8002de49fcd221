//! Which versions of records writers have told the mapper of: seen again, they say nothing new.

use std::time::Duration;

use model::{ConnectionName, EntityName, PairName, RecordId, System, Version};

use super::{Links, LinksError};
use crate::{Applied, Batch, Change, Key, Store};

/// A collector sees a record within this time after it was written, or tells of it once more, which does no harm.
const KEPT_FOR: Duration = Duration::from_mins(2);

/// What a writer told the mapper: how it left a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The pair to which it was told, the only one that keeps the entity.
    pub pair: PairName,
    /// The entity.
    pub entity: EntityName,
    /// The record.
    pub record: RecordId,
    /// The version that was told.
    pub version: Version,
}

impl<S: Store> Links<S> {
    /// Notes what was told of records of one connection and system. It may be lost: what was told is then told again.
    pub async fn note_told(
        &self,
        connection: &ConnectionName,
        system: System,
        told: &[Told],
    ) -> Result<(), LinksError> {
        let noted = |told: &Told| Change::SetFor {
            key: self.told_key(connection, system, &told.entity, &told.record),
            value: format!("{} {}", told.version.0, told.pair),
            keep: KEPT_FOR,
        };
        let batch = told.iter().map(noted).fold(Batch::new(), Batch::then);
        // Nothing is checked, so nothing is refused.
        let (Applied::Done { .. } | Applied::Refused(_)) = self.store.apply(batch).await?;
        Ok(())
    }

    /// For each of these records of an entity at its version: the pair to which just that was told.
    pub async fn told(
        &self,
        connection: &ConnectionName,
        system: System,
        entity: &EntityName,
        records: &[(&RecordId, Version)],
    ) -> Result<Vec<Option<PairName>>, LinksError> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let keys = records.iter().map(|(record, _)| self.told_key(connection, system, entity, record));
        let entries = self.store.get_many(&keys.collect::<Vec<_>>()).await?;
        let told = entries.into_iter().zip(records).map(|(entry, (_, seen))| {
            let entry = entry?;
            let (version, pair) = entry.value.split_once(' ')?;
            PairName::parse(pair).ok().filter(|_| version.parse() == Ok(seen.0))
        });
        Ok(told.collect())
    }

    fn told_key(
        &self,
        connection: &ConnectionName,
        system: System,
        entity: &EntityName,
        record: &RecordId,
    ) -> Key {
        self.key(connection, &["told", system.name(), entity.as_str(), record.as_str()])
    }
}
