//! What is gone though nobody has told so.
//!
//! Once everything was read again, because Exact has forgotten deletions or numbered all anew, whatever did not show is
//! gone. The links know what there was. Each record is asked for before it is said to be gone: the mapper may be behind
//! with what was read, and then it has an old version only for now.

use exactonline::{Error, Priority};
use model::{ConnectionName, PairName, Presence, Properties, Record, RecordId, System, Version};
use store::{Links, Store};

use super::{Division, Read};

/// Records that are asked for at once: as many as one call takes.
const ASKED_MAX: usize = 15;

/// The records of an entity that the links know.
#[derive(Debug, Clone)]
pub(crate) struct Known<S> {
    pub(crate) links: Links<S>,
    pub(crate) connection: ConnectionName,
    /// The pairs that keep the entity.
    pub(crate) pairs: Vec<PairName>,
}

impl<S: Store> Known<S> {
    /// Some of the records that are there as far as is known, and have an older version than this.
    async fn older_than(&self, start: Version) -> Result<Vec<RecordId>, Error> {
        let exact = System::ExactOnline;
        let mut older = Vec::new();
        for pair in &self.pairs {
            for id in self.links.all(&self.connection, pair).await.map_err(Error::Links)? {
                let stored = self.links.find(&self.connection, pair, &id).await.map_err(Error::Links)?;
                let Some(link) = stored.map(|stored| stored.link).filter(|link| link.is_present(exact))
                else {
                    continue;
                };
                if let Some(side) = &link.sides[exact]
                    && side.version.is_some_and(|version| version < start)
                    && !older.contains(&side.record)
                {
                    older.push(side.record.clone());
                }
                if older.len() == ASKED_MAX {
                    return Ok(older);
                }
            }
        }
        Ok(older)
    }
}

impl<S: Store> Division<S> {
    /// After everything was read again: tells of some of what is gone. The rest comes with later polls.
    pub(super) async fn sweep(&self, read: &mut Read) -> Result<(), Error> {
        let Some(start) = read.cursor.to_sweep() else { return Ok(()) };
        let older = self.known.older_than(start).await?;
        if older.is_empty() {
            read.cursor.was_swept(start);
            return Ok(());
        }
        // What may not be read would look gone.
        self.check_rights(true).await?;
        let there = self.client.records(self.entity.resource, &older, &[], Priority::Scan).await?;
        let gone: Vec<RecordId> =
            older.into_iter().filter(|id| there.iter().all(|record| record.id != *id)).collect();
        if !gone.is_empty() {
            tracing::info!(
                connection = %self.known.connection, entity = self.entity.name, records = gone.len(),
                "gone from exact online while nobody looked"
            );
        }
        read.records.extend(gone.into_iter().map(|id| deleted(id, start)));
        Ok(())
    }
}

fn deleted(id: RecordId, version: Version) -> Record {
    Record {
        id,
        version: Some(version),
        modified_by: None,
        modified_at: None,
        presence: Presence::Deleted,
        properties: Properties::new(),
    }
}
