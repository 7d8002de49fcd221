//! A division as the writer's target.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Lane, Sighting};
use exactonline::{Error, ExactOnline, FeedCursor, Priority, text_literal};
use model::{
    ConnectionName, Content, EntityName, FailureClass, Properties, Record, RecordId, System, UserId, Version,
};
use store::{Store, StoreError};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use writer::{Aim, SearchKey, Target};

use crate::feed::{Feed, GATHERS, VOUCHES_FOR};

/// How often the feed is asked for a write that it does not show yet, and how long between.
const SHOWS_AFTER: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1)];

/// Who made a record: a fact of the API that no later change touches, unlike its modifier.
const CREATOR: &str = "Creator";

/// One division.
pub(crate) struct Division<S> {
    pub(crate) client: ExactOnline<S>,
    pub(crate) store: S,
    pub(crate) namespace: String,
    pub(crate) connection: ConnectionName,
    pub(crate) feeds: BTreeMap<EntityName, Feed>,
    pub(crate) ours: OnceCell<UserId>,
}

/// A failure of a write to Exact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Exact, or the way to it.
    #[error("could not write to Exact Online")]
    Exact(#[from] Error),
    /// The record was changed and the link has not taken it in.
    #[error("{record} was changed in Exact Online since it was last taken in")]
    Stale {
        /// The record.
        record: RecordId,
    },
    /// Nothing vouches for the record yet.
    #[error(
        "the entity {entity} has not been read yet, so nothing may be written over; its collector must run first"
    )]
    Unread {
        /// The entity.
        entity: EntityName,
    },
    /// The cursor could not be read.
    #[error("could not read the collector's cursor")]
    Store(#[from] StoreError),
}

impl<S: Store> Division<S> {
    fn feed(&self, entity: &EntityName) -> Result<&Feed, WriteError> {
        self.feeds.get(entity).ok_or_else(|| WriteError::Unread { entity: entity.clone() })
    }

    async fn ours(&self) -> Result<&UserId, WriteError> {
        Ok(self.ours.get_or_try_init(|| async { self.client.me().await.map(|me| me.user) }).await?)
    }

    async fn sighting(&self, record: Record) -> Result<Sighting, WriteError> {
        let by_us = record.modified_by.as_ref() == Some(self.ours().await?);
        Ok(Sighting { record, by_us })
    }

    /// Makes sure that the feed was read at or after `since`. Whoever waits meanwhile shares the read.
    async fn read_since(
        &self,
        entity: &EntityName,
        since: Instant,
        priority: Priority,
    ) -> Result<(), WriteError> {
        let feed = self.feed(entity)?;
        let mut state = feed.state.lock().await;
        if state.is_read_since(since) {
            return Ok(());
        }
        tokio::time::sleep(GATHERS).await;
        let mut cursor = match &state.cursor {
            Some(cursor) => cursor.clone(),
            None => self.collectors_cursor(entity).await?,
        };
        let began = Instant::now();
        let select: Vec<&str> = feed.select.iter().map(String::as_str).collect();
        loop {
            let page = self.client.changes(feed.entity.feed, &select, &cursor, priority).await?;
            state.learn(page.records);
            cursor = page.next;
            state.cursor = Some(cursor.clone());
            if !page.more {
                break;
            }
        }
        state.read_at = Some(began);
        Ok(())
    }

    /// Where the collector stands: everything before it is on its way into the links.
    async fn collectors_cursor(&self, entity: &EntityName) -> Result<exactonline::ChangesCursor, WriteError> {
        let kept = collector::kept_cursor(
            &self.store,
            &self.namespace,
            &self.connection,
            System::ExactOnline,
            entity,
        )
        .await?;
        kept.as_deref()
            .and_then(FeedCursor::read)
            .map(|cursor| cursor.changes.first_page())
            .ok_or_else(|| WriteError::Unread { entity: entity.clone() })
    }

    /// The record as the feed shows it after a write, which is to be finished whatever lane it came by; `None` when it
    /// does not show it in time.
    async fn shown(
        &self,
        entity: &EntityName,
        record: &RecordId,
        before: Option<Version>,
    ) -> Result<Option<Sighting>, WriteError> {
        for wait in SHOWS_AFTER {
            tokio::time::sleep(wait).await;
            self.read_since(entity, Instant::now(), Priority::Edit).await?;
            let later = self.feed(entity)?.state.lock().await.later_than(record, before).cloned();
            if let Some(record) = later {
                return self.sighting(record).await.map(Some);
            }
        }
        Ok(None)
    }
}

impl<S: Store> Target for Division<S> {
    type Error = WriteError;

    fn class(error: &WriteError) -> FailureClass {
        match error {
            WriteError::Exact(error) => error.class(),
            WriteError::Stale { .. } => FailureClass::Stale,
            WriteError::Unread { .. } | WriteError::Store(_) => FailureClass::Transient,
        }
    }

    /// Exact names no other record in its refusals.
    fn duplicate_of(_: &WriteError) -> Option<RecordId> {
        None
    }

    async fn ready(&self, aim: Aim<'_>) -> Result<(), WriteError> {
        self.ours().await?;
        self.read_since(aim.entity, Instant::now() - VOUCHES_FOR, priority(aim)).await
    }

    async fn search(&self, aim: Aim<'_>, key: &SearchKey) -> Result<Vec<Sighting>, WriteError> {
        let Content::Text(text) = &key.content else { return Ok(Vec::new()) };
        let feed = self.feed(aim.entity)?;
        let filter = format!("{} eq {}", key.property, text_literal(text));
        let mut select: Vec<&str> = feed.select.iter().map(String::as_str).collect();
        select.push(CREATOR);
        let ours = Content::from(self.ours().await?.as_str());
        let mut found = Vec::new();
        for record in self.client.find(feed.entity.resource, &filter, &select, priority(aim)).await? {
            if !key.only_ours || record.properties.get(CREATOR) == Some(&ours) {
                found.push(self.sighting(record).await?);
            }
        }
        Ok(found)
    }

    async fn record(&self, aim: Aim<'_>, record: &RecordId) -> Result<Option<Sighting>, WriteError> {
        let feed = self.feed(aim.entity)?;
        let known = feed.state.lock().await.known(record).cloned();
        if let Some(known) = known {
            return self.sighting(known).await.map(Some);
        }
        let select: Vec<&str> = feed.select.iter().map(String::as_str).collect();
        match self.client.record(feed.entity.resource, record, &select, priority(aim)).await {
            Ok(record) => self.sighting(record).await.map(Some),
            Err(error) if error.class() == FailureClass::Gone => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn create(&self, aim: Aim<'_>, properties: &Properties, _: &str) -> Result<Sighting, WriteError> {
        let feed = self.feed(aim.entity)?;
        let record = self.client.create(feed.entity.resource, properties, priority(aim)).await?;
        self.sighting(record).await
    }

    async fn update(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
        version: Option<Version>,
        properties: &Properties,
    ) -> Result<Option<Sighting>, WriteError> {
        let feed = self.feed(aim.entity)?;
        self.read_since(aim.entity, Instant::now() - VOUCHES_FOR, priority(aim)).await?;
        let before = {
            let state = feed.state.lock().await;
            if state.later_than(record, version).is_some() {
                return Err(WriteError::Stale { record: record.clone() });
            }
            state.known(record).and_then(|known| known.version).max(version)
        };
        self.client.update(feed.entity.resource, record, properties, priority(aim)).await?;
        self.shown(aim.entity, record, before).await
    }
}

/// What people edited goes before backfill.
const fn priority(aim: Aim<'_>) -> Priority {
    match aim.lane {
        Lane::Live => Priority::Edit,
        Lane::Backfill => Priority::Backfill,
    }
}
