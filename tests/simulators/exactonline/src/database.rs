//! The records of all entities and their row versions. `values` derives what is not stored, `lists` reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::edm::Value;
use crate::schema::{SHAPES, ServerValue, Shape};
use crate::settings::{Limits, Renditions, Switches};
use crate::webhooks::Happened;

mod lists;
mod values;

const DAY: i64 = 24 * 3_600 * 1_000;

/// The key of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Number(i64),
    Guid(Uuid),
}

impl Key {
    const LOWEST: Self = Self::Number(i64::MIN);
    const HIGHEST: Self = Self::Guid(Uuid::max());

    /// The key in a literal, where it is one.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Guid(guid) => Some(Self::Guid(*guid)),
            Value::Integer(number) => Some(Self::Number(*number)),
            _ => None,
        }
    }
}

/// A value by which records are found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    Text(String),
    Number(i64),
    Guid(Uuid),
}

impl Term {
    /// The value as a term, where records can be found by it.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(Self::Text(text.clone())),
            Value::Integer(number) => Some(Self::Number(*number)),
            Value::Guid(guid) => Some(Self::Guid(*guid)),
            _ => None,
        }
    }
}

/// A record.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The company that it belongs to; `None` is every company.
    pub(crate) division: Option<i32>,
    /// When it was last written, in milliseconds since 1970, UTC.
    pub(crate) written_at: i64,
    pub(crate) timestamp: i64,
    /// The row version that it was first stored under: of two records, the lower is the older.
    pub(crate) first_timestamp: i64,
    pub(crate) values: Vec<Value>,
}

impl Row {
    /// A record that holds nothing yet.
    pub(crate) fn empty(shape: &Shape, division: Option<i32>, now: i64) -> Self {
        let values = vec![Value::Null; shape.properties.len()];
        Self { division, written_at: now, timestamp: 0, first_timestamp: 0, values }
    }

    /// What the property with this name stores.
    pub(crate) fn get(&self, shape: &Shape, name: &str) -> &Value {
        &self.values[named(shape, name)]
    }

    /// Stores a value in the property with this name.
    pub(crate) fn set(&mut self, shape: &Shape, name: &str, value: Value) {
        self.values[named(shape, name)] = value;
    }
}

/// The position of a property that the simulator itself names.
fn named(shape: &Shape, name: &str) -> usize {
    shape.position(name).expect("the simulator names properties that exist")
}

/// Company, position and value of a property by which records are found, and the record.
type Entry = (Option<i32>, usize, Term, Key);

/// The records of one kind.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) shape: &'static Shape,
    pub(crate) rows: BTreeMap<Key, Row>,
    by_timestamp: BTreeMap<i64, Key>,
    /// The records by their unique and numbered properties and by their owners.
    by_term: BTreeSet<Entry>,
}

impl Table {
    fn new(shape: &'static Shape) -> Self {
        Self { shape, rows: BTreeMap::new(), by_timestamp: BTreeMap::new(), by_term: BTreeSet::new() }
    }

    fn entries(&self, key: Key, row: &Row) -> Vec<Entry> {
        let properties = self.shape.properties.iter().enumerate();
        properties
            .filter(|(_, property)| property.unique || property.assigned || property.owner)
            .filter_map(|(at, _)| Some((row.division, at, Term::of(&row.values[at])?, key)))
            .collect()
    }

    fn insert(&mut self, key: Key, row: Row) {
        self.remove(key);
        self.by_timestamp.insert(row.timestamp, key);
        self.by_term.extend(self.entries(key, &row));
        self.rows.insert(key, row);
    }

    fn remove(&mut self, key: Key) -> Option<Row> {
        let row = self.rows.remove(&key)?;
        self.by_timestamp.remove(&row.timestamp);
        for entry in self.entries(key, &row) {
            self.by_term.remove(&entry);
        }
        Some(row)
    }

    /// The keys of a company's records that hold `term` at `position`, which is unique, assigned or an owner.
    pub(crate) fn holders(
        &self,
        division: Option<i32>,
        position: usize,
        term: &Term,
    ) -> impl Iterator<Item = Key> {
        let at = |key| (division, position, term.clone(), key);
        self.by_term.range(at(Key::LOWEST)..=at(Key::HIGHEST)).map(|(.., key)| *key)
    }

    /// The highest term between two at `position` among a company's records.
    pub(crate) fn highest(
        &self,
        division: Option<i32>,
        position: usize,
        from: Term,
        to: Term,
    ) -> Option<&Term> {
        let from = (division, position, from, Key::LOWEST);
        let to = (division, position, to, Key::HIGHEST);
        self.by_term.range(from..=to).next_back().map(|(_, _, term, _)| term)
    }
}

/// Under which circumstances a request is carried out.
pub(crate) struct Context<'a> {
    /// The address of the service as the caller sees it, without a slash at the end.
    pub(crate) base: &'a str,
    pub(crate) division: i32,
    pub(crate) user: Uuid,
    /// Milliseconds since 1970, UTC.
    pub(crate) now: i64,
    pub(crate) zone: &'a TimeZone,
    pub(crate) limits: &'a Limits,
    pub(crate) switches: &'a Switches,
    pub(crate) renditions: &'a Renditions,
}

impl Context<'_> {
    /// The server's wall clock, in milliseconds labelled as UTC.
    pub(crate) fn wall_clock(&self) -> i64 {
        wall_clock_at(self.now, self.zone)
    }

    /// Midnight of the day that the server's wall clock shows.
    pub(crate) fn today(&self) -> Value {
        let now = self.wall_clock();
        Value::DateTime(now - now.rem_euclid(DAY))
    }
}

/// The wall clock of a zone at an instant, in milliseconds labelled as UTC.
pub(crate) fn wall_clock_at(now: i64, zone: &TimeZone) -> i64 {
    let offset =
        jiff::Timestamp::from_millisecond(now).map_or(0, |instant| zone.to_offset(instant).seconds());
    now + i64::from(offset) * 1_000
}

/// Row versions begin above this.
const FIRST_TIMESTAMP: i64 = 10_000;
/// Those of a company that has moved begin above this, where they are to be below all before.
const FIRST_AFTER_A_MOVE: i64 = 100;

/// Everything that is stored, of all companies.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) tables: HashMap<&'static str, Table>,
    /// What may be told by webhooks, the oldest first.
    pub(crate) happened: Vec<Happened>,
    last_timestamp: i64,
}

impl Database {
    /// An empty database.
    pub(crate) fn new() -> Self {
        let tables = SHAPES
            .values()
            .filter(|shape| shape.stored)
            .map(|shape| (shape.name, Table::new(shape)))
            .collect();
        Self { tables, happened: Vec::new(), last_timestamp: FIRST_TIMESTAMP }
    }

    /// The table of an endpoint.
    pub(crate) fn table(&self, name: &str) -> &Table {
        self.tables.get(name).expect("every endpoint names an existing table")
    }

    fn table_mut(&mut self, name: &str) -> &mut Table {
        self.tables.get_mut(name).expect("every endpoint names an existing table")
    }

    /// Stores a record under a row version above all others, in place of what had its key.
    pub(crate) fn store(&mut self, table: &str, key: Key, mut row: Row) {
        self.last_timestamp += 1;
        // Another company, which was not numbered anew, may have it.
        while self.table(table).by_timestamp.contains_key(&self.last_timestamp) {
            self.last_timestamp += 1;
        }
        row.timestamp = self.last_timestamp;
        if row.first_timestamp == 0 {
            row.first_timestamp = row.timestamp;
        }
        let table = self.table_mut(table);
        if let Some(position) = table.shape.server_position(ServerValue::Timestamp) {
            row.values[position] = Value::Integer(row.timestamp);
        }
        // The feed of deleted records has the row version as its key.
        let key = if table.shape.properties[table.shape.key].server == Some(ServerValue::Timestamp) {
            Key::Number(row.timestamp)
        } else {
            key
        };
        table.insert(key, row);
    }

    /// Takes a record away without a trace.
    pub(crate) fn take(&mut self, table: &str, key: Key) -> Option<Row> {
        self.table_mut(table).remove(key)
    }

    /// Gives every record of a company a new row version, as happens when it moves to another database: above all that
    /// there were, or below them.
    pub(crate) fn regenerate_timestamps(&mut self, division: i32, now: i64, below: bool) {
        if below {
            self.last_timestamp = FIRST_AFTER_A_MOVE;
        }
        for name in SHAPES.values().filter(|shape| shape.stored).map(|shape| shape.name) {
            let table = self.table(name);
            let mut moved: Vec<(Key, Row)> = table
                .rows
                .iter()
                .filter(|(_, row)| row.division == Some(division))
                .map(|(key, row)| (*key, row.clone()))
                .collect();
            moved.sort_by_key(|(_, row)| row.timestamp);
            for (key, mut row) in moved {
                self.take(name, key);
                row.written_at = now;
                self.store(name, key, row);
            }
        }
    }

    /// The record with this key, seen from a company.
    pub(crate) fn find(&self, table: &str, key: Key, division: i32) -> Option<&Row> {
        let row = self.tables.get(table)?.rows.get(&key)?;
        row.division.is_none_or(|owner| owner == division).then_some(row)
    }
}
