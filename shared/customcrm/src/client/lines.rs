//! Documents, and lines that are records of their own.

use std::collections::{BTreeMap, BTreeSet};

use model::{Content, Presence, Properties, Record, RecordId, Version};
use store::Store;

use super::CustomCrm;
use crate::{
    ChangesCursor, Error,
    cursor::{Page, Rules},
    declaration::{Collection, Incremental, Lines, LinesStyle},
    path::Path,
    record::{id, name, record},
};

impl<S: Store> CustomCrm<S> {
    /// The documents of which lines were changed that are records of their own, and where the read of those stands.
    pub(super) async fn changed_children(
        &self,
        collection: &Collection,
        incremental: &Incremental,
        path: &str,
        parent: &Path,
        cursor: &ChangesCursor,
        limit: u32,
    ) -> Result<(BTreeSet<RecordId>, ChangesCursor, bool), Error> {
        let keys = &collection.record;
        let mut query = incremental.query.clone();
        query.extend(self.since(collection, incremental, cursor.since())?);
        let listed = self.page(collection, path, &query, cursor.page(), limit).await?;
        let line = |properties: Properties| {
            let time = keys.modified_at.as_ref().and_then(|path| keys.times.read(path.find(&properties)?));
            Ok(Record {
                id: id(keys, &properties)?,
                version: None,
                modified_by: None,
                modified_at: time,
                presence: Presence::Present,
                properties,
            })
        };
        let records = listed.records.into_iter().map(line).collect::<Result<Vec<_>, Error>>()?;
        let is_counted = self.declaration.paging.style.is_counted();
        let rules = Rules { overlap: incremental.overlap, is_counted, settles: None };
        let (fresh, next, more) = cursor.after(Page { records, next: listed.next }, rules);
        let of = |line: &Record| RecordId::parse(&name(parent.find(&line.properties)?)?).ok();
        Ok((fresh.iter().filter_map(of).collect(), next, more))
    }

    /// Records with their lines, wherever these are.
    pub(super) async fn whole(
        &self,
        collection: &Collection,
        listed: Vec<Properties>,
        seen_at: Option<Version>,
    ) -> Result<Vec<Record>, Error> {
        let children = collection.lines.as_ref().and_then(|lines| match &lines.style {
            LinesStyle::Children { path, parent } => Some((lines, path, parent)),
            LinesStyle::Patched { .. } | LinesStyle::Whole => None,
        });
        let mut records = Vec::with_capacity(listed.len());
        let Some((lines, path, parent)) = children else {
            for properties in listed {
                records.push(record(collection, properties, seen_at)?);
            }
            return Ok(records);
        };
        for mut properties in listed {
            let own = id(&collection.record, &properties)?;
            let list = self.children(collection, lines, path, parent, &own).await?;
            properties.insert(lines.property.clone(), Content::List(list));
            records.push(record(collection, properties, seen_at)?);
        }
        Ok(records)
    }

    /// The lines of a document that are records of their own, by their ids.
    pub(super) async fn children(
        &self,
        collection: &Collection,
        lines: &Lines,
        path: &str,
        parent: &Path,
        document: &RecordId,
    ) -> Result<Vec<Content>, Error> {
        let condition = vec![(parent.to_string(), document.as_str().to_owned())];
        let query =
            self.declaration.search.as_ref().map(|search| search.query(&condition)).unwrap_or_default();
        let (mut found, mut mark): (BTreeMap<String, Properties>, _) = (BTreeMap::new(), None);
        loop {
            let size = self.declaration.paging.size;
            let listed = self.page(collection, path, &query, mark.as_deref(), size).await?;
            for mut line in listed.records {
                let is_of_it =
                    parent.find(&line).and_then(name).is_some_and(|name| name == document.as_str());
                lines.shape.read(&mut line);
                if let Some(id) = line.get(&lines.id).and_then(name).filter(|_| is_of_it) {
                    found.insert(id, line);
                }
            }
            mark = listed.next;
            if mark.is_none() {
                return Ok(found.into_values().map(Content::Object).collect());
            }
        }
    }
}
