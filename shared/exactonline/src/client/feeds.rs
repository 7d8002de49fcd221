//! Incremental reading: what changed, and what was deleted.

use model::{Presence, Properties, Record, UserId, Version};
use store::Store;
use url::Url;

use super::{ExactOnline, call::Call, in_query, selected};
use crate::{ChangesCursor, Error, Feed, Priority, numbering::Numbering, odata};

/// A part of an incremental read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesPage {
    /// What was changed, with only the properties that were asked for and those that every record has.
    pub records: Vec<Record>,
    /// Where to go on, once the records are safe.
    pub next: ChangesCursor,
    /// Whether more is there already; if not, ask again after a while.
    pub more: bool,
}

/// A record that the feed of deletions names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedRecord {
    /// The kind of record by Exact's number, such as 2 for accounts.
    pub entity_type: u64,
    /// The record: deleted, at the row version of its deletion, by whom where that is told.
    pub record: Record,
}

/// A part of the feed of deletions, which Exact keeps for two months.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedPage {
    /// What was deleted, of all kinds.
    pub deleted: Vec<DeletedRecord>,
    /// Where to go on, once the deletions are safe.
    pub next: ChangesCursor,
    /// Whether more is there already.
    pub more: bool,
}

impl<S: Store> ExactOnline<S> {
    /// What was changed in a sync feed since the cursor, up to 1,000 records; pages of one
    /// round are to be read one after the other. A whole read begins with [`ChangesCursor::start`]. What is deleted
    /// does not show here but in [`Self::deleted`].
    pub async fn changes(
        &self,
        feed: Feed,
        select: &[&str],
        cursor: &ChangesCursor,
        priority: Priority,
    ) -> Result<ChangesPage, Error> {
        let numbering = self.numbering(priority).await?;
        let cursor = cursor.within(numbering);
        let select = selected(select, &[feed.key, "Timestamp", "Modifier"]);
        let (rows, next) = self.feed(&format!("sync/{}", feed.path), &select, &cursor, priority).await?;
        let offset = self.server_offset();
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let record = odata::record(&row, feed.key, offset)?;
            records.push(Record { version: Some(version(numbering, &record)?), ..record });
        }
        let more = next.is_some();
        let (records, next) = cursor.after(records, |record| record, next, self.settings.overlap);
        Ok(ChangesPage { records, next, more })
    }

    /// What was deleted since the cursor, of all kinds. Exact keeps this for two months.
    pub async fn deleted(&self, cursor: &ChangesCursor, priority: Priority) -> Result<DeletedPage, Error> {
        let numbering = self.numbering(priority).await?;
        let cursor = cursor.within(numbering);
        let select = "EntityKey,EntityType,Timestamp,DeletedBy";
        let (rows, next) = self.feed("sync/Deleted", select, &cursor, priority).await?;
        let deleted = rows.iter().map(|row| deleted_record(row, numbering)).collect::<Result<_, _>>()?;
        let more = next.is_some();
        let overlap = self.settings.overlap;
        let (deleted, next) = cursor.after(deleted, |row: &DeletedRecord| &row.record, next, overlap);
        Ok(DeletedPage { deleted, next, more })
    }

    /// One page of a sync feed: its rows as JSON, and where the next is.
    async fn feed(
        &self,
        path: &str,
        select: &str,
        cursor: &ChangesCursor,
        priority: Priority,
    ) -> Result<(Vec<String>, Option<Url>), Error> {
        let url = match cursor.page() {
            Some(page) => self.own(page.clone())?,
            None => {
                let filter = format!("Timestamp gt {}L", cursor.above());
                self.in_division(path, &format!("$filter={}&$select={}", in_query(&filter), in_query(select)))
            }
        };
        let body = self.perform(Call::read(url, path, priority)).await?;
        let page = odata::page(&body)?;
        let next = self.next(page.next)?;
        Ok((page.records.iter().map(|raw| raw.get().to_owned()).collect(), next))
    }
}

/// The version of a row of a feed; every row has one.
fn version(numbering: Numbering, row: &Record) -> Result<Version, Error> {
    let unexpected = |what: &str| Error::Unexpected { what: what.to_owned() };
    let Version(number) = row.version.ok_or_else(|| unexpected("has a row without Timestamp"))?;
    numbering
        .version(number)
        .ok_or_else(|| unexpected("has a Timestamp beyond what this version of tandem keeps"))
}

fn deleted_record(row: &str, numbering: Numbering) -> Result<DeletedRecord, Error> {
    let mut record = odata::record(row, "EntityKey", None)?;
    let entity_type = odata::integer(&record.properties, "EntityType");
    let missing = || Error::Unexpected { what: "has a deletion without EntityType".to_owned() };
    record.version = Some(version(numbering, &record)?);
    record.modified_by =
        odata::text(&record.properties, "DeletedBy").and_then(|text| UserId::parse(text).ok());
    record.presence = Presence::Deleted;
    record.properties = Properties::new();
    Ok(DeletedRecord { entity_type: entity_type.ok_or_else(missing)?, record })
}
