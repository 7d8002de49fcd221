//! A division as the writer's target.

use std::collections::BTreeMap;

use contract::{Lane, Sighting};
use exactonline::{Entity, Error, ExactOnline, Priority, Reason};
use mapping::{Problem, Put};
use model::{
    ConnectionName, Content, EntityName, FailureClass, Properties, Record, RecordId, UserId, Version,
};
use store::{LinksError, Store, StoreError};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use writer::{Aim, Duplicate, SearchKey, Target};

use crate::feed::{Feed, VOUCHES_FOR};
use crate::reading::{or_untold, present};

/// Who made a record: a fact of the API that no later change touches, unlike its modifier.
const CREATOR: &str = "Creator";

/// One division.
pub(crate) struct Division<S> {
    pub(crate) client: ExactOnline<S>,
    pub(crate) store: S,
    pub(crate) namespace: String,
    pub(crate) connection: ConnectionName,
    pub(crate) feeds: BTreeMap<EntityName, Feed<S>>,
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
    /// The record was made a moment ago and the feed does not show it yet.
    #[error("{record} does not show in its feed yet, so nobody knows which version is written over")]
    Unshown {
        /// The record.
        record: RecordId,
    },
    /// An item's price is not the one that the feeds have shown.
    #[error(
        "the sales price of {item} was changed in Exact Online a moment ago; it is written over only when that has been \
         seen"
    )]
    Repriced {
        /// The item.
        item: RecordId,
    },
    /// A new item has not got its price.
    #[error(
        "{item} was made in Exact Online and could not be given its price; it is searched for and priced then"
    )]
    Unpriced {
        /// The item.
        item: RecordId,
        /// Why not.
        #[source]
        source: Box<WriteError>,
    },
    /// Nothing vouches for the record yet.
    #[error(
        "the entity {entity} has not been read in whole, so nothing may be written over; its collector must come to the end first"
    )]
    Unread {
        /// The entity.
        entity: EntityName,
    },
    /// The store could not tell whether it is the one that it was.
    #[error("could not read the revisions of the users' directories")]
    Directories(#[from] LinksError),
    /// The cursor could not be read.
    #[error("could not read the collector's cursor")]
    Store(#[from] StoreError),
}

impl<S: Store> Division<S> {
    pub(crate) fn feed(&self, entity: &EntityName) -> Result<&Feed<S>, WriteError> {
        self.feeds.get(entity).ok_or_else(|| WriteError::Unread { entity: entity.clone() })
    }

    async fn ours(&self) -> Result<&UserId, WriteError> {
        Ok(self.ours.get_or_try_init(|| async { self.client.me().await.map(|me| me.user) }).await?)
    }

    /// Reads what happened since a write was decided on, and gives the feed. A write that was decided on at a version of
    /// an earlier numbering can't be compared with it.
    async fn read_before_write(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
        version: Option<Version>,
    ) -> Result<&Feed<S>, WriteError> {
        let feed = self.feed(aim.entity)?;
        let since = Instant::now() - VOUCHES_FOR;
        self.read_since(aim.entity, since, feed.changes(), priority(aim)).await?;
        match version {
            Some(version) if self.client.is_renumbered(version, priority(aim)).await? => {
                Err(WriteError::Stale { record: record.clone() })
            }
            _ => Ok(feed),
        }
    }

    pub(crate) async fn sighting(&self, record: Record) -> Result<Sighting, WriteError> {
        let by_us = record.modified_by.as_ref() == Some(self.ours().await?);
        Ok(Sighting { record, by_us })
    }
}

impl<S: Store> Target for Division<S> {
    type Error = WriteError;

    fn class(error: &WriteError) -> FailureClass {
        match error {
            WriteError::Exact(error) => error.class(),
            WriteError::Stale { .. } => FailureClass::Stale,
            WriteError::Unpriced { .. } => FailureClass::Ambiguous,
            WriteError::Unshown { .. }
            | WriteError::Repriced { .. }
            | WriteError::Unread { .. }
            | WriteError::Directories(_)
            | WriteError::Store(_) => FailureClass::Transient,
        }
    }

    /// Exact names no other record in its refusals.
    fn duplicate(error: &WriteError) -> Option<Duplicate> {
        matches!(error, WriteError::Exact(Error::Refused { reason: Reason::Duplicate, .. }))
            .then_some(Duplicate::Unnamed)
    }

    async fn ready(&self, aim: Aim<'_>) -> Result<(), WriteError> {
        self.ours().await?;
        let sources = self.feed(aim.entity)?.changes();
        self.read_since(aim.entity, Instant::now() - VOUCHES_FOR, sources, priority(aim)).await
    }

    async fn search(&self, aim: Aim<'_>, key: &SearchKey) -> Result<Vec<Sighting>, WriteError> {
        let feed = self.feed(aim.entity)?;
        let condition = |(name, content): &(String, Content)| feed.entity.condition(name, content);
        let Some(filters) = key.conditions.iter().map(condition).collect::<Option<Vec<_>>>() else {
            return Ok(Vec::new());
        };
        let mut select = names(&feed.selection.records);
        select.push(CREATOR);
        let ours = Content::from(self.ours().await?.as_str());
        let mut found = Vec::new();
        let filter = filters.join(" and ");
        for record in self.client.find(feed.entity.resource, &filter, &select, priority(aim)).await? {
            if !key.only_ours || record.properties.get(CREATOR) == Some(&ours) {
                found.push(self.whole(feed, record, priority(aim)).await?);
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
        if let Some(document) = self.document(feed, record).await?
            && let Some(told) = self.told(feed, document, None, priority(aim)).await?
        {
            return Ok(present(Some(told)));
        }
        let select = names(&feed.selection.records);
        match self.client.record(feed.entity.resource, record, &select, priority(aim)).await {
            Ok(record) => self.whole(feed, record, priority(aim)).await.map(Some),
            Err(error) if error.class() == FailureClass::Gone => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn exists(&self, aim: Aim<'_>, record: &RecordId) -> Result<bool, WriteError> {
        let unknown = || WriteError::Unread { entity: aim.entity.clone() };
        let resource = Entity::named(aim.entity.as_str()).ok_or_else(unknown)?.resource;
        match self.client.record(resource, record, &[], priority(aim)).await {
            Ok(_) => Ok(true),
            // What is no id of Exact's is the id of nothing.
            Err(Error::Gone { .. } | Error::NotAGuid { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn check(&self, aim: Aim<'_>, put: &Put, creating: bool) -> Vec<Problem> {
        Entity::named(aim.entity.as_str()).map(|entity| entity.check(put, creating)).unwrap_or_default()
    }

    async fn create(&self, aim: Aim<'_>, properties: &Properties, _: &str) -> Result<Sighting, WriteError> {
        let feed = self.feed(aim.entity)?;
        let mut properties = properties.clone();
        let price = feed.entity.take_price(&mut properties).filter(|price| *price != Content::Null);
        let record = self.client.create(feed.entity.resource, &properties, priority(aim)).await?;
        match price {
            Some(price) => self.created_with_price(aim, &feed.entity, record, &price).await,
            None if feed.entity.has_lines() => self.created(aim, record, &properties).await,
            None => self.sighting(record).await,
        }
    }

    async fn update(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
        version: Option<Version>,
        put: &Put,
    ) -> Result<Option<Sighting>, WriteError> {
        let feed = self.read_before_write(aim, record, version).await?;
        if feed.documents.is_some() {
            return self.update_whole(aim, record, version, put).await;
        }
        let before = {
            let state = feed.state.lock().await;
            if state.later_than(record, version).is_some() {
                return Err(WriteError::Stale { record: record.clone() });
            }
            let known = state.known(record).and_then(|known| known.version).max(version);
            // A version from before the write that is seen after it would be taken for an edit.
            if known.is_none() {
                return Err(WriteError::Unshown { record: record.clone() });
            }
            known
        };
        self.client.update(feed.entity.resource, record, &put.properties, priority(aim)).await?;
        Ok(or_untold(record, self.shown(aim.entity, record, before).await))
    }

    async fn delete(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
        version: Option<Version>,
    ) -> Result<(), WriteError> {
        let feed = self.read_before_write(aim, record, version).await?;
        let is_stale = match self.document(feed, record).await? {
            Some(document) => document.version() > version,
            None => feed.state.lock().await.later_than(record, version).is_some(),
        };
        if is_stale {
            return Err(WriteError::Stale { record: record.clone() });
        }
        Ok(self.client.delete(feed.entity.resource, record, priority(aim)).await?)
    }
}

fn names(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// What people edited goes before backfill.
pub(crate) const fn priority(aim: Aim<'_>) -> Priority {
    match aim.lane {
        Lane::Live => Priority::Edit,
        Lane::Backfill => Priority::Backfill,
    }
}
