//! The gate before the first create: both systems read in full, and every record of those reads taken in.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{ConnectionName, PairName, System};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Links, LinksError};
use crate::{Applied, Batch, Change, Check, Key, Store};

impl<S: Store> Links<S> {
    /// Notes that a system has been read in full and published as these pages.
    pub async fn read_completed(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        system: System,
        read: Uuid,
        pages: Vec<(Uuid, u32)>,
    ) -> Result<(), LinksError> {
        let value = serde_json::to_string(&ReadState { read, pages }).expect("a read state holds only ids");
        let batch = Batch::new().then(Change::Set { key: self.read_key(connection, pair, system), value });
        match self.store.apply(batch).await? {
            Applied::Done { .. } | Applied::Refused(_) => Ok(()),
        }
    }

    /// Whether both systems have been read in full and every record of those reads has been taken in.
    ///
    /// What was counted is forgotten with the pair's release, in one step: whoever finds less than all counted looks
    /// whether that is why. Two mappers that complete the reads of two pairs at once would else each take the other's
    /// pair for unread, and nobody would come again.
    pub async fn both_read(&self, connection: &ConnectionName, pair: &PairName) -> Result<bool, LinksError> {
        Ok(self.all_counted(connection, pair).await? || self.released(connection, pair).await?.0)
    }

    async fn all_counted(&self, connection: &ConnectionName, pair: &PairName) -> Result<bool, LinksError> {
        for system in System::BOTH {
            let Some(pages) = self.read_pages(connection, pair, system).await? else { return Ok(false) };
            for (page, records) in pages {
                if self.store.count(&self.page_key(connection, pair, page)).await? < u64::from(records) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The pages of a system's full read, once it was published whole.
    async fn read_pages(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        system: System,
    ) -> Result<Option<Vec<(Uuid, u32)>>, LinksError> {
        let key = self.read_key(connection, pair, system);
        let Some(entry) = self.store.get(&key).await? else { return Ok(None) };
        let state: ReadState = serde_json::from_str(&entry.value).map_err(|_| LinksError::Entry { key })?;
        Ok(Some(state.pages))
    }

    /// Whether the pair may create; and the check that holds a commit to the answer when it may not.
    pub async fn released(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
    ) -> Result<(bool, Option<Check>), LinksError> {
        let key = self.released_key(connection, pair);
        let is_there = self.store.get(&key).await?.is_some();
        Ok(released(key, is_there))
    }

    pub(super) fn released_key(&self, connection: &ConnectionName, pair: &PairName) -> Key {
        self.key(connection, &["released", pair.as_str()])
    }

    /// Lets the pair create. The links that are unmatched then know nothing of it and are to be woken: until that is
    /// [done](Self::all_woken), the pair is among those that are [waking](Self::waking). `false`: it was let before.
    pub async fn release(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        now: Timestamp,
    ) -> Result<bool, LinksError> {
        let key = self.released_key(connection, pair);
        let mut batch = Batch::new()
            .when(Check::Absent(key.clone()))
            .then(Change::Set { key, value: now.to_string() })
            .then(Change::Add { key: self.key(connection, &["waking"]), member: pair.to_string() });
        for system in System::BOTH {
            for (page, _) in self.read_pages(connection, pair, system).await?.unwrap_or_default() {
                batch.changes.push(Change::Delete(self.page_key(connection, pair, page)));
            }
        }
        match self.store.apply(batch).await? {
            Applied::Done { .. } => Ok(true),
            Applied::Refused(_) => Ok(false),
        }
    }

    /// The pairs that were released and whose unmatched links have not all been woken.
    pub async fn waking(&self, connection: &ConnectionName) -> Result<BTreeSet<PairName>, LinksError> {
        let key = self.key(connection, &["waking"]);
        let members = self.store.members(&key).await?;
        let name =
            |member: &String| PairName::parse(member).map_err(|_| LinksError::Entry { key: key.clone() });
        members.iter().map(name).collect()
    }

    /// Every link that was unmatched when the pair was released has been woken.
    pub async fn all_woken(&self, connection: &ConnectionName, pair: &PairName) -> Result<(), LinksError> {
        let member = pair.to_string();
        let batch = Batch::new().then(Change::Remove { key: self.key(connection, &["waking"]), member });
        match self.store.apply(batch).await? {
            Applied::Done { .. } | Applied::Refused(_) => Ok(()),
        }
    }
}

/// Whether a pair may create; and the check that holds a commit to the answer when it may not.
pub(super) fn released(key: Key, is_there: bool) -> (bool, Option<Check>) {
    (is_there, (!is_there).then_some(Check::Absent(key)))
}

/// A full read's state at the mapper: published whole, and then taken in whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ReadState {
    read: Uuid,
    pages: Vec<(Uuid, u32)>,
}
