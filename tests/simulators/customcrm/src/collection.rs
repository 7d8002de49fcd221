//! The records of one collection, with what is needed to list and to search them.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use jiff::Timestamp;

use crate::record::Record;
use crate::schema::{Property, Schema, Search};

/// The place of a record in listings.
pub(crate) type Place = (Timestamp, String);

/// What a listing asks for.
#[derive(Debug)]
pub(crate) struct Listing {
    /// Only records that were modified at or after this time.
    pub(crate) updated_since: Option<Timestamp>,
    /// Only records behind this place.
    pub(crate) after: Option<Place>,
    /// Tombstones too, those that were made at or after this time.
    pub(crate) deleted_since: Option<Timestamp>,
    /// Property and value; all must match, whatever the case.
    pub(crate) filters: Vec<(&'static str, String)>,
    /// The most records of a page.
    pub(crate) limit: usize,
}

#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) schema: &'static Schema,
    records: HashMap<String, Record>,
    by_change: BTreeSet<Place>,
    by_value: HashMap<(&'static str, String), BTreeSet<String>>,
    live: usize,
}

impl Collection {
    pub(crate) fn new(schema: &'static Schema) -> Self {
        Self {
            schema,
            records: HashMap::new(),
            by_change: BTreeSet::new(),
            by_value: HashMap::new(),
            live: 0,
        }
    }

    /// The record or tombstone with this id.
    pub(crate) fn get(&self, id: &str) -> Option<&Record> {
        self.records.get(id)
    }

    /// The record with this id, if it is not deleted.
    pub(crate) fn live(&self, id: &str) -> Option<&Record> {
        self.get(id).filter(|record| !record.deleted)
    }

    /// How many records are not deleted.
    pub(crate) fn live_count(&self) -> usize {
        self.live
    }

    /// All records that are not deleted, oldest change first.
    pub(crate) fn all_live(&self) -> impl Iterator<Item = &Record> {
        self.by_change.iter().filter_map(|(_, id)| self.live(id))
    }

    /// Another live record than `id` that has this value in a searchable property, whatever the case.
    pub(crate) fn other_holder(&self, property: &'static str, value: &str, id: &str) -> Option<&str> {
        let holders = self.by_value.get(&(property, value.to_lowercase()))?;
        holders.iter().map(String::as_str).find(|holder| *holder != id)
    }

    /// Stores a record in place of the one with the same id, if there is one.
    pub(crate) fn store(&mut self, record: Record) {
        if let Some(old) = self.records.remove(&record.id) {
            self.by_change.remove(&(old.modified_at, old.id.clone()));
            self.live -= usize::from(!old.deleted);
            for key in keys(self.schema, &old) {
                if let Some(holders) = self.by_value.get_mut(&key) {
                    holders.remove(&old.id);
                }
            }
        }
        self.by_change.insert((record.modified_at, record.id.clone()));
        self.live += usize::from(!record.deleted);
        for key in keys(self.schema, &record) {
            self.by_value.entry(key).or_default().insert(record.id.clone());
        }
        self.records.insert(record.id.clone(), record);
    }

    /// A page in the order of (ModifiedAt, Id), and the place to go on behind, if there is more.
    pub(crate) fn page(&self, listing: &Listing) -> (Vec<&Record>, Option<Place>) {
        let matching = self.matching(&listing.filters);
        let places: Box<dyn Iterator<Item = &Place>> = match &matching {
            Some(places) => Box::new(places.range(from(listing))),
            None => Box::new(self.by_change.range(from(listing))),
        };
        let mut records: Vec<&Record> = places
            .filter(|(modified_at, _)| listing.updated_since.is_none_or(|since| *modified_at >= since))
            .filter_map(|(_, id)| self.records.get(id))
            .filter(|record| {
                !record.deleted || listing.deleted_since.is_some_and(|since| record.modified_at >= since)
            })
            .take(listing.limit + 1)
            .collect();
        let more = records.len() > listing.limit;
        records.truncate(listing.limit);
        let next = records.last().filter(|_| more).map(|record| (record.modified_at, record.id.clone()));
        (records, next)
    }

    /// The places of the records that pass all filters; nothing if there is no filter.
    fn matching(&self, filters: &[(&'static str, String)]) -> Option<BTreeSet<Place>> {
        let mut found: Option<BTreeSet<String>> = None;
        for (property, value) in filters {
            let holders = self.by_value.get(&(*property, value.to_lowercase())).cloned().unwrap_or_default();
            found = Some(match found {
                Some(before) => before.intersection(&holders).cloned().collect(),
                None => holders,
            });
        }
        let found = found?;
        Some(
            found
                .into_iter()
                .filter_map(|id| self.records.get(&id).map(|record| (record.modified_at, id)))
                .collect(),
        )
    }
}

fn from(listing: &Listing) -> (Bound<Place>, Bound<Place>) {
    let start = match (&listing.after, listing.updated_since) {
        (Some(after), _) => Bound::Excluded(after.clone()),
        (None, Some(since)) => Bound::Included((since, String::new())),
        (None, None) => Bound::Unbounded,
    };
    (start, Bound::Unbounded)
}

/// What a record is found by: its id and its searchable values.
fn keys(schema: &'static Schema, record: &Record) -> Vec<(&'static str, String)> {
    let searchable = schema.properties.iter().filter(|property| property.search != Search::No);
    let found_by = |property: &'static Property| {
        Some((property.name, record.content.values.get(property.name)?.search_key()?))
    };
    let mut keys = vec![("Id", record.id.to_lowercase())];
    keys.extend(searchable.filter_map(found_by));
    keys
}
