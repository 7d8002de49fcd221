//! How a division is read around its writes.

use std::time::Duration;

use contract::Sighting;
use exactonline::{Document, FeedCursor, FeedReader, Priority, Row, Source};
use model::{Content, EntityName, Presence, Record, RecordId, System, Version};
use store::{Links, Store};
use telemetry::Chain;
use tokio::time::Instant;

use crate::feed::{Feed, GATHERS, State};
use crate::target::{Division, WriteError};

/// How often the feeds are asked for a write that they do not show yet, and how long between.
const SHOWS_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1)];

/// Feeds that are read again so that a document is told with its version.
const AGAIN_MAX: usize = 4;

/// What the feeds must show of a document before it is told as it is after a write.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// The header, at a later version than this one.
    pub(crate) header: Option<Version>,
    /// Parts, each at a later version than this one.
    pub(crate) changed: Vec<(RecordId, Version)>,
    /// Parts that are there now.
    pub(crate) added: Vec<RecordId>,
    /// Parts that are gone.
    pub(crate) removed: Vec<RecordId>,
    /// At least so many parts.
    pub(crate) count: usize,
    /// A price, which is not this one any more.
    pub(crate) repriced: Option<(RecordId, Content)>,
    /// The version that it had before the write.
    pub(crate) before: Option<Version>,
    /// The feed of what was written last: read first, the others are read after it and settle the document.
    pub(crate) last: Option<Source>,
}

impl Awaited {
    fn is_shown(&self, document: &Document) -> bool {
        self.header.is_none_or(|before| document.header_version() > Some(before))
            && self.changed.iter().all(|(part, before)| document.part_version(part) > Some(*before))
            && self.added.iter().all(|part| document.part_version(part).is_some())
            && self.removed.iter().all(|part| !document.holds(part))
            && self
                .repriced
                .as_ref()
                .is_none_or(|(part, before)| document.price(part).is_some_and(|price| price != before))
            && document.count() >= self.count
    }

    fn order(&self) -> [Source; 3] {
        match self.last {
            None | Some(Source::Own) => [Source::Own, Source::Parts, Source::Deleted],
            Some(Source::Parts) => [Source::Parts, Source::Own, Source::Deleted],
            Some(Source::Deleted) => [Source::Deleted, Source::Own, Source::Parts],
        }
    }
}

impl<S: Store> Division<S> {
    /// Makes sure that these feeds were read at or after `since`. Whoever waits meanwhile shares the read.
    pub(crate) async fn read_since(
        &self,
        entity: &EntityName,
        since: Instant,
        sources: &[Source],
        priority: Priority,
    ) -> Result<(), WriteError> {
        let feed = self.feed(entity)?;
        let mut state = feed.state.lock().await;
        let links = Links::new(self.store.clone(), &self.namespace);
        state.begins_with(links.directory_revisions(&self.connection).await?);
        if sources.iter().all(|source| state.is_read_since(*source, since)) {
            return Ok(());
        }
        tokio::time::sleep(GATHERS).await;
        for source in sources {
            if !state.is_read_since(*source, since) {
                self.read_to_end(feed, &mut state, *source, priority).await?;
            }
        }
        Ok(())
    }

    async fn read_to_end(
        &self,
        feed: &Feed<S>,
        state: &mut State,
        source: Source,
        priority: Priority,
    ) -> Result<(), WriteError> {
        let mut reading = self.reading(feed, state.reading.take(), priority).await?;
        let began = Instant::now();
        let mut more = true;
        while more {
            let mut next = reading.clone();
            let page = self.client.read(&feed.entity, &feed.selection, source, &mut next, priority).await;
            let learnt = match page {
                Ok(page) => self.learn(feed, state, page.rows).await.map(|()| page.more),
                Err(error) => Err(error.into()),
            };
            match learnt {
                Ok(goes_on) => (reading, more) = (next, goes_on),
                Err(error) => {
                    state.reading = Some(reading);
                    return Err(error);
                }
            }
        }
        state.reading = Some(reading);
        state.was_read(source, began);
        Ok(())
    }

    async fn learn(&self, feed: &Feed<S>, state: &mut State, rows: Vec<Row>) -> Result<(), WriteError> {
        let Some(documents) = &feed.documents else {
            for row in rows {
                match row {
                    Row::Own(record) => state.learn(record),
                    Row::Part { .. } | Row::PartGone(_) => {}
                }
            }
            return Ok(());
        };
        for row in rows {
            match row {
                Row::Own(record) => state.learning(&record.id.clone()).take_header(record),
                Row::Part { of, part } => state.learning(&of).take_part(part),
                Row::PartGone(part) => {
                    let owner = match state.owner(&part.id) {
                        Some(owner) => Some(owner),
                        None => documents.owners(std::slice::from_ref(&part.id)).await?.remove(0),
                    };
                    if let Some(owner) = owner {
                        state.learning(&owner).take_part(part);
                    }
                }
            }
        }
        Ok(())
    }

    /// A reader for what is new: the present one, or one where the collector stands. While the collector reads everything
    /// nothing is written, for only then is it known what a write may not be written over.
    async fn reading(
        &self,
        feed: &Feed<S>,
        present: Option<FeedReader>,
        priority: Priority,
    ) -> Result<FeedReader, WriteError> {
        if let Some(reading) = present
            && !self.client.begins_anew(&reading.cursor, priority).await?
        {
            return Ok(reading);
        }
        Ok(FeedReader::at(self.collectors_cursor(feed, priority).await?.first_pages()))
    }

    /// Where the collector stands: everything before it is on its way into the links. Fails while it reads everything.
    async fn collectors_cursor(&self, feed: &Feed<S>, priority: Priority) -> Result<FeedCursor, WriteError> {
        let entity = feed.entity_name();
        let (namespace, connection) = (&self.namespace, &self.connection);
        let kept =
            collector::kept_cursor(&self.store, namespace, connection, System::ExactOnline, &entity).await?;
        let cursor = kept.as_deref().and_then(|text| FeedCursor::read(text, &feed.selection));
        match cursor {
            Some(cursor) if !self.client.begins_anew(&cursor, priority).await? => Ok(cursor),
            _ => Err(WriteError::Unread { entity }),
        }
    }

    /// A document as the collector keeps it with what this writer has read since; `None` when neither has seen it. Fails
    /// while the collector has not read everything: what is not kept then may be there.
    pub(crate) async fn document(
        &self,
        feed: &Feed<S>,
        id: &RecordId,
    ) -> Result<Option<Document>, WriteError> {
        let Some(documents) = &feed.documents else { return Ok(None) };
        self.collectors_cursor(feed, Priority::Edit).await?;
        let kept = documents.load(std::slice::from_ref(id)).await?.remove(0);
        let read = feed.state.lock().await.document(id).cloned();
        Ok(match (kept, read) {
            (Some(mut kept), Some(read)) => {
                kept.merge(&read);
                Some(kept)
            }
            (kept, read) => kept.or(read),
        })
    }

    /// The document once each feed was read after its newest part was seen, as far as it comes to rest.
    async fn settled(
        &self,
        feed: &Feed<S>,
        mut document: Document,
        priority: Priority,
    ) -> Result<Document, WriteError> {
        for _ in 0..AGAIN_MAX {
            let Some(version) = document.version() else { break };
            let reader = feed.state.lock().await.reading.clone();
            let Some(source) = reader.and_then(|reader| reader.lacking(version)) else { break };
            self.read_since(&feed.entity_name(), Instant::now(), &[source], priority).await?;
            document = self.document(feed, &document.id).await?.unwrap_or(document);
        }
        Ok(document)
    }

    /// A document as a whole, with its late properties; `None` when only lines of it were seen. One that may lack
    /// something that happened before its version is told without a version. It is by us when we alone changed it since
    /// it had the version `before`, or was told.
    pub(crate) async fn told(
        &self,
        feed: &Feed<S>,
        document: Document,
        before: Option<Version>,
        priority: Priority,
    ) -> Result<Option<Sighting>, WriteError> {
        let mut document = self.settled(feed, document, priority).await?;
        document.was_told(before);
        let late = &feed.selection.late;
        if let Some(version) = document.version().filter(|_| document.wants_late(late)) {
            let select: Vec<&str> = late.iter().map(String::as_str).collect();
            let ids = std::slice::from_ref(&document.id);
            let shown = self.client.records(feed.entity.resource, ids, &select, priority).await?;
            let properties = shown.into_iter().next().map(|record| record.properties).unwrap_or_default();
            document.take_late(version, properties);
        }
        let Some(mut record) = document.record(&feed.entity, late, self.client.today()) else {
            return Ok(None);
        };
        let state = feed.state.lock().await;
        record.version = record.version.filter(|version| state.is_settled(*version));
        drop(state);
        self.sighting(record).await.map(Some)
    }

    /// The record as its feed shows it after a write, which is to be finished whatever lane it came by; `None` when it
    /// does not show it in time.
    pub(crate) async fn shown(
        &self,
        entity: &EntityName,
        record: &RecordId,
        before: Option<Version>,
    ) -> Result<Option<Sighting>, WriteError> {
        for wait in SHOWS_AFTER {
            tokio::time::sleep(wait).await;
            self.read_since(entity, Instant::now(), &[Source::Own], Priority::Edit).await?;
            let later = self.feed(entity)?.state.lock().await.later_than(record, before).cloned();
            if let Some(record) = later {
                return self.sighting(record).await.map(Some);
            }
        }
        self.client.look_at_numbering(Priority::Edit).await?;
        Ok(None)
    }

    /// The document as its feeds show it after a write; `None` when they do not show it in time.
    pub(crate) async fn shown_whole(
        &self,
        entity: &EntityName,
        id: &RecordId,
        awaited: &Awaited,
    ) -> Result<Option<Sighting>, WriteError> {
        let (feed, priority) = (self.feed(entity)?, Priority::Edit);
        for wait in SHOWS_AFTER {
            tokio::time::sleep(wait).await;
            self.read_since(entity, Instant::now(), &awaited.order(), priority).await?;
            let Some(document) = self.document(feed, id).await? else { continue };
            if !awaited.is_shown(&document) {
                continue;
            }
            return self.told(feed, document, awaited.before, priority).await;
        }
        self.client.look_at_numbering(priority).await?;
        Ok(None)
    }

    /// A record that no feed has shown yet, its lines among its properties.
    pub(crate) async fn with_lines(
        &self,
        feed: &Feed<S>,
        mut record: Record,
        priority: Priority,
    ) -> Result<Record, WriteError> {
        let lines = feed.entity.lines_name().zip(feed.entity.parts);
        let Some((name, parts)) = lines.filter(|_| feed.selection.parts.is_some()) else { return Ok(record) };
        let Some(filter) = parts.condition(record.id.as_str()) else { return Ok(record) };
        let select = feed.selection.single_parts();
        let found = self.client.find(parts.resource, &filter, &select, priority).await?;
        let lines = found.into_iter().map(|line| Content::Object(line.properties)).collect();
        record.properties.insert(name.to_owned(), Content::List(lines));
        Ok(record)
    }
}

/// After a write has happened it is not repeated because it could not be read.
pub(crate) fn or_untold(record: &RecordId, shown: Result<Option<Sighting>, WriteError>) -> Option<Sighting> {
    shown.unwrap_or_else(|error| {
        tracing::warn!(%record, error = %Chain(&error), "written, and could not be read after it");
        None
    })
}

/// A record that is gone is none.
pub(crate) fn present(sighting: Option<Sighting>) -> Option<Sighting> {
    sighting.filter(|sighting| sighting.record.presence == Presence::Present)
}
