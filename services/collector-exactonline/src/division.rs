//! A division as the collector's source.

mod deletions;
mod documents;
mod rights;
mod sweep;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use collector::{Hint, Lists, Page, Source};
use exactonline::{
    DocumentStore, Entity, Error, ExactOnline, FeedCursor, FeedReader, Row, Selection, Source as Feed,
};
use mapping::List;
use model::{EntityName, FailureClass, Record, UserId};
use store::Store;
use tokio::sync::Mutex;

use deletions::Deletions;
pub(crate) use deletions::POLLS_PER_DELETED;
pub(crate) use rights::LOOKED_AT_EVERY;
use rights::Rights;
pub(crate) use sweep::Known;

/// What a page is made of.
struct Read {
    records: Vec<Record>,
    cursor: FeedCursor,
    more: bool,
}

/// One entity of a division.
pub(crate) struct Division<S> {
    client: ExactOnline<S>,
    entity: Entity,
    selection: Selection,
    /// Where its records are put together, when they come in parts.
    documents: Option<DocumentStore<S>>,
    lists: BTreeSet<List>,
    rights: Rights,
    deletions: Deletions,
    /// What else is known of the entity's records.
    known: Known<S>,
    /// How far the feeds were read at the end of the last page.
    reader: Mutex<Option<FeedReader>>,
}

impl<S: Store> Division<S> {
    pub(crate) fn new(
        client: ExactOnline<S>,
        entity: &Entity,
        selection: Selection,
        documents: DocumentStore<S>,
        lists: BTreeSet<List>,
        deletions_every: Duration,
        known: Known<S>,
    ) -> Self {
        let documents = selection.parts.is_some().then_some(documents);
        let (rights, deletions) = (Rights::default(), Deletions::new(deletions_every));
        let reader = Mutex::new(None);
        Self { client, entity: *entity, selection, documents, lists, rights, deletions, known, reader }
    }

    async fn read(&self, feed: Feed, reader: &mut FeedReader) -> Result<(Vec<Row>, bool), Error> {
        let priority = reader.cursor.priority();
        let page = self.client.read(&self.entity, &self.selection, feed, reader, priority).await?;
        Ok((page.rows, page.more))
    }

    /// A page of records that are whole as their feed shows them.
    async fn plain_page(&self, cursor: FeedCursor) -> Result<Read, Error> {
        let mut reader = FeedReader::at(cursor);
        let (mut rows, mut more) = self.read(Feed::Own, &mut reader).await?;
        // After the last page of changes only: a record must not be gone before it was seen.
        if !more && self.deletions.is_turn() {
            let read = self.read(Feed::Deleted, &mut reader).await;
            more = self.deletions.read(read.map(|(deleted, more)| {
                rows.extend(deleted);
                more
            }))?;
        }
        Ok(Read { records: rows.into_iter().filter_map(own).collect(), cursor: reader.cursor, more })
    }
}

fn own(row: Row) -> Option<Record> {
    match row {
        Row::Own(record) => Some(record),
        Row::Part { .. } | Row::PartGone(_) => None,
    }
}

impl<S: Store> Source for Division<S> {
    type Error = Error;

    fn class(error: &Error) -> FailureClass {
        error.class()
    }

    async fn ourselves(&self) -> Result<UserId, Error> {
        Ok(self.client.me().await?.user)
    }

    async fn page(&self, _: &EntityName, cursor: Option<&str>) -> Result<Page, Error> {
        self.check_rights(cursor.is_none()).await?;
        // A cursor that this version, or these pairs, can't go on from begins anew: a repeat does no harm.
        let cursor = cursor.and_then(|text| FeedCursor::read(text, &self.selection));
        let mut cursor = cursor.unwrap_or_else(|| FeedCursor::start(&self.selection));
        if self.client.begin_anew_after_silence(&cursor).await? {
            cursor.deletions_at = None;
            self.deletions.come_next();
        }
        let mut read = match &self.documents {
            Some(documents) => self.document_page(documents, cursor).await?,
            None => self.plain_page(cursor).await?,
        };
        if !read.more {
            self.sweep(&mut read).await?;
        }
        Ok(Page { records: read.records, cursor: read.cursor.write(), more: read.more })
    }

    fn hinted(&self, hint: Hint) {
        match hint {
            Hint::Changed => {}
            Hint::Deleted => self.deletions.come_next(),
        }
    }

    async fn people(&self) -> Result<BTreeMap<UserId, String>, Error> {
        let users = self.client.users().await?;
        Ok(users.into_iter().filter_map(|(user, email)| Some((user, email?))).collect())
    }

    async fn lists(&self) -> Result<Lists, Error> {
        let mut lists = Lists::new();
        for list in &self.lists {
            match self.client.list(*list).await {
                Ok(codes) => {
                    lists.insert(list.name().to_owned(), codes);
                }
                // A licence may lack the module that a list is of, and its codes are not judged then.
                Err(error @ (Error::Forbidden { .. } | Error::Refused { .. })) => {
                    tracing::warn!(list = list.name(), %error, "a list can't be read, so its codes are taken as they are");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(lists)
    }
}
