//! Reading an entity feed by feed, and how far all of them together have been read.

use model::{Presence, Record, RecordId, Version};
use store::Store;

use crate::{
    ChangesCursor, Entity, Error, ExactOnline, FeedCursor, PartKind, Parts, Priority, Selection,
    documents::is_general, odata,
};

/// One of the feeds that an entity is read from, in the order in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Its own: of a document that of the headers.
    Own,
    /// That of its parts.
    Parts,
    /// The log of deletions.
    Deleted,
}

/// What a row of a feed says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Of the record itself, or of the header of a document: how it is now, or that it is gone.
    Own(Record),
    /// How a part of this record is now.
    Part {
        /// Whose part it is.
        of: RecordId,
        /// The part.
        part: Record,
    },
    /// That a part is gone. Whose it was is not told.
    PartGone(Record),
}

/// A part of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// What it says.
    pub rows: Vec<Row>,
    /// Whether more is there already.
    pub more: bool,
}

/// Where a reader of an entity stands, and how far it has read each feed.
///
/// A document's version is the highest of its parts. That tells two states of it apart only if both were seen with
/// everything that happened before their version: a header that is seen after a newer line would change the document and
/// not its version. So a document is *settled*, and may be told with its version, once every feed has been read after
/// its newest part was seen.
#[derive(Debug, Clone)]
pub struct FeedReader {
    /// Where it stands.
    pub cursor: FeedCursor,
    /// For each feed the row version up to which it holds nothing more that is new.
    covered: [Version; 3],
}

impl FeedReader {
    /// A reader that goes on at a cursor and has read no feed to its end yet.
    pub fn at(cursor: FeedCursor) -> Self {
        Self { cursor, covered: [Version(0); 3] }
    }

    /// The same reader at a cursor that was kept and read back.
    pub fn moved_to(&self, cursor: FeedCursor) -> Self {
        // A cursor that was begun anew covers nothing yet.
        if cursor.highest() < self.cursor.highest() {
            Self::at(cursor)
        } else {
            Self { cursor, ..self.clone() }
        }
    }

    /// The row version up to which nothing new is in any feed: documents of this version and below are settled.
    pub fn settled(&self) -> Version {
        self.covered.into_iter().min().unwrap_or(Version(0))
    }

    /// A feed that must be read before a document of this version is settled.
    pub fn lacking(&self, version: Version) -> Option<Source> {
        let lacking = |source: &Source| self.covered[*source as usize] < version;
        [Source::Own, Source::Parts, Source::Deleted].into_iter().find(lacking)
    }

    fn cursor_of(&self, source: Source) -> ChangesCursor {
        match source {
            Source::Own => self.cursor.changes.clone(),
            Source::Parts => self.cursor.parts.clone().unwrap_or_else(ChangesCursor::start),
            Source::Deleted => self.cursor.deleted.clone(),
        }
    }

    /// What was there when the read began had a row version of at most the highest that any feed had shown by then, as far
    /// as anybody can tell; so to the end of this feed nothing below that is left.
    fn read_on(&mut self, source: Source, next: ChangesCursor, more: bool) {
        let known = self.cursor.highest();
        match source {
            Source::Own => self.cursor.changes = next,
            Source::Parts => self.cursor.parts = Some(next),
            Source::Deleted => self.cursor.deleted = next,
        }
        if !more {
            self.covered[source as usize] = known.max(self.cursor_of(source).highest());
        }
    }
}

impl<S: Store> ExactOnline<S> {
    /// The next page of one of an entity's feeds; the reader stands behind it then.
    pub async fn read(
        &self,
        entity: &Entity,
        selection: &Selection,
        source: Source,
        reader: &mut FeedReader,
        priority: Priority,
    ) -> Result<FeedPage, Error> {
        let cursor = reader.cursor_of(source);
        let parts = entity.parts.zip(selection.parts.as_ref());
        let (rows, next, more) = match (source, parts) {
            (Source::Own, _) => {
                let select: Vec<&str> = selection.own.iter().map(String::as_str).collect();
                let page = self.changes(entity.feed, &select, &cursor, priority).await?;
                (page.records.into_iter().map(Row::Own).collect(), page.next, page.more)
            }
            (Source::Parts, Some((parts, names))) => {
                let mut select: Vec<&str> = names.iter().map(String::as_str).collect();
                select.push(parts.parent);
                let page = self.changes(parts.feed, &select, &cursor, priority).await?;
                let rows = page.records.into_iter().filter_map(|part| part_row(part, parts)).collect();
                (rows, page.next, page.more)
            }
            (Source::Parts, None) => (Vec::new(), cursor, false),
            (Source::Deleted, _) => {
                let page = self.deleted(&cursor, priority).await?;
                let part_type = parts.map(|(parts, _)| parts.deleted_type);
                let rows = page.deleted.into_iter().filter_map(|gone| match gone.entity_type {
                    own if own == entity.deleted_type => Some(Row::Own(gone.record)),
                    part if Some(part) == part_type => Some(Row::PartGone(gone.record)),
                    _ => None,
                });
                (rows.collect(), page.next, page.more)
            }
        };
        reader.read_on(source, next, more);
        if source == Source::Deleted && !more {
            reader.cursor.read_deletions(self.now());
        }
        Ok(FeedPage { rows, more })
    }
}

/// What a row of the parts' feed says; `None` for a part that belongs to no record, of which nothing can be told.
fn part_row(mut part: Record, parts: Parts) -> Option<Row> {
    // A price that was agreed with somebody is no part of its item, also when it was one before.
    if matches!(parts.kind, PartKind::Prices(_)) && !is_general(&part.properties) {
        part.presence = Presence::Deleted;
        part.properties.clear();
        return Some(Row::PartGone(part));
    }
    let of = odata::text(&part.properties, parts.parent).and_then(|id| RecordId::parse(id).ok());
    if of.is_none() {
        tracing::warn!(part = %part.id, feed = parts.feed.path, "a part that belongs to no record is left out");
    }
    Some(Row::Part { of: of?, part })
}
