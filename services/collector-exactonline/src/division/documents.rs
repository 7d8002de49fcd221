//! A page of records that come in parts.
//!
//! Each row is put into its document in the store before the cursor moves. What changed is listed there, and published
//! whole once it is settled: once every feed was read after its newest part was seen. A document that was published is
//! taken off the list with the next page, when the observations are safe.

use std::collections::BTreeMap;

use exactonline::{Document, DocumentStore, Error, FeedCursor, FeedReader, Priority, Source as Feed};
use model::{Properties, Record, RecordId, Version};
use store::Store;

use super::{Division, Read};

/// Documents on a page, at most.
const DOCUMENTS_MAX: usize = 100;

/// Documents on a page that must be read themselves, at most: as many as one call asks for.
const LATE_MAX: usize = 15;

/// Feeds that are read again within one page so that what just changed is settled.
const AGAIN_MAX: usize = 6;

/// Everything that is listed.
const ALL: Version = Version(u64::MAX);

impl<S: Store> Division<S> {
    pub(super) async fn document_page(
        &self,
        documents: &DocumentStore<S>,
        mut cursor: FeedCursor,
    ) -> Result<Read, Error> {
        let published = std::mem::take(&mut cursor.published);
        if !published.is_empty() {
            documents.published(&published).await.map_err(Error::Store)?;
        }
        let mut known = self.reader.lock().await;
        let mut reader = match known.take() {
            Some(known) => known.moved_to(cursor),
            None => FeedReader::at(cursor),
        };
        // A round of feeds is read to its end, and what is left of the list goes before the next one.
        let is_between = reader.cursor.unfinished().is_none();
        let is_ready = is_between && !self.listed(documents, reader.settled(), 1).await?.is_empty();
        let mut more = !is_ready && self.read_round(documents, &mut reader).await?;
        let mut records = Vec::new();
        if !more {
            let ready = self.listed(documents, reader.settled(), DOCUMENTS_MAX).await?;
            let (ids, whole) = self.told(documents, &ready).await?;
            more = ids.len() < ready.len() || ready.len() == DOCUMENTS_MAX;
            records = whole;
            reader.cursor.published = ids;
        }
        let cursor = reader.cursor.clone();
        *known = Some(reader);
        Ok(Read { records, cursor, more })
    }

    /// Reads all feeds up to the end or up to the end of a page, which is told; then goes on with that page.
    async fn read_round(&self, documents: &DocumentStore<S>, reader: &mut FeedReader) -> Result<bool, Error> {
        let from = reader.cursor.unfinished().unwrap_or(Feed::Own);
        for feed in [Feed::Own, Feed::Parts] {
            if feed >= from && self.take_in(documents, feed, reader).await? {
                return Ok(true);
            }
        }
        if (self.deletions.is_turn() || from == Feed::Deleted)
            && self.deletions.read(self.take_in(documents, Feed::Deleted, reader).await)?
        {
            return Ok(true);
        }
        for _ in 0..AGAIN_MAX {
            let (all, ready) = (
                self.listed(documents, ALL, DOCUMENTS_MAX).await?.len(),
                self.listed(documents, reader.settled(), DOCUMENTS_MAX).await?.len(),
            );
            let Some(feed) = reader.lacking(reader.cursor.highest()).filter(|_| ready < all) else { break };
            if self.take_in(documents, feed, reader).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn take_in(
        &self,
        documents: &DocumentStore<S>,
        feed: Feed,
        reader: &mut FeedReader,
    ) -> Result<bool, Error> {
        let mut next = reader.clone();
        let (rows, more) = self.read(feed, &mut next).await?;
        documents.take_in(rows).await.map_err(Error::Store)?;
        *reader = next;
        Ok(more)
    }

    async fn listed(
        &self,
        documents: &DocumentStore<S>,
        until: Version,
        limit: usize,
    ) -> Result<Vec<RecordId>, Error> {
        documents.listed(until, limit).await.map_err(Error::Store)
    }

    /// The first of these documents, as many as one call for their late properties allows, and their records. A document
    /// of which only lines were seen has none yet.
    async fn told(
        &self,
        documents: &DocumentStore<S>,
        ready: &[RecordId],
    ) -> Result<(Vec<RecordId>, Vec<Record>), Error> {
        let loaded = documents.load(ready).await.map_err(Error::Store)?;
        let mut told: Vec<Document> = Vec::with_capacity(loaded.len());
        let (mut ids, mut wanting) = (Vec::new(), Vec::new());
        for (id, document) in ready.iter().zip(loaded) {
            if let Some(document) = document {
                if document.wants_late(&self.selection.late) {
                    if wanting.len() == LATE_MAX {
                        break;
                    }
                    wanting.push(id.clone());
                }
                told.push(document);
            }
            ids.push(id.clone());
        }
        let late = self.late(documents, &wanting, &told).await?;
        let today = self.client.today();
        let records = told.into_iter().filter_map(|mut document| {
            if let Some((version, properties)) = late.get(&document.id) {
                document.take_late(*version, properties.clone());
            }
            document.record(&self.entity, &self.selection.late, today)
        });
        Ok((ids, records.collect()))
    }

    /// What the records themselves show of their late properties. One that is not there any more shows nothing.
    async fn late(
        &self,
        documents: &DocumentStore<S>,
        wanting: &[RecordId],
        told: &[Document],
    ) -> Result<BTreeMap<RecordId, (Version, Properties)>, Error> {
        let select: Vec<&str> = self.selection.late.iter().map(String::as_str).collect();
        let shown = self.client.records(self.entity.resource, wanting, &select, Priority::Read).await?;
        let mut shown: BTreeMap<RecordId, Properties> =
            shown.into_iter().map(|record| (record.id, record.properties)).collect();
        let late: Vec<(RecordId, Version, Properties)> = told
            .iter()
            .filter(|document| wanting.contains(&document.id))
            .filter_map(|document| {
                let mut properties = shown.remove(&document.id).unwrap_or_default();
                properties.retain(|name, _| self.selection.late.contains(name));
                Some((document.id.clone(), document.version()?, properties))
            })
            .collect();
        documents.take_late(&late).await.map_err(Error::Store)?;
        Ok(late.into_iter().map(|(id, version, properties)| (id, (version, properties))).collect())
    }
}
