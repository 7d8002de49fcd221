//! The records, their row versions and the ways to read them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::answer::Refused;
use crate::codes;
use crate::edm::Value;
use crate::json::Json;
use crate::query::{Pairs, Query};
use crate::record::next_link;
use crate::schema::{Derived, Endpoint, Family, SHAPES, ServerValue, Shape, shape_of};
use crate::settings::{Limits, Renditions, Switches};

/// Milliseconds of about two months, after which the feed of deleted records forgets a row.
const DELETED_KEPT: i64 = 61 * 24 * 3_600 * 1_000;

/// The key of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Number(i64),
    Guid(Uuid),
}

impl Key {
    /// The key in a literal, where it is one.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Guid(guid) => Some(Self::Guid(*guid)),
            Value::Integer(number) => Some(Self::Number(*number)),
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
    pub(crate) values: Vec<Value>,
}

/// The records of one kind.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) shape: &'static Shape,
    pub(crate) rows: BTreeMap<Key, Row>,
    by_timestamp: BTreeMap<i64, Key>,
    /// The records by company, position and text of their unique properties.
    pub(crate) by_text: BTreeMap<(Option<i32>, usize, String), Key>,
}

impl Table {
    fn new(shape: &'static Shape) -> Self {
        Self { shape, rows: BTreeMap::new(), by_timestamp: BTreeMap::new(), by_text: BTreeMap::new() }
    }

    fn unique_texts(&self, row: &Row) -> Vec<(Option<i32>, usize, String)> {
        let unique = (0..self.shape.properties.len()).filter(|at| self.shape.properties[*at].unique);
        unique
            .filter_map(|at| match &row.values[at] {
                Value::Text(text) => Some((row.division, at, text.clone())),
                _ => None,
            })
            .collect()
    }

    fn insert(&mut self, key: Key, row: Row) {
        self.remove(key);
        self.by_timestamp.insert(row.timestamp, key);
        for text in self.unique_texts(&row) {
            self.by_text.insert(text, key);
        }
        self.rows.insert(key, row);
    }

    fn remove(&mut self, key: Key) -> Option<Row> {
        let row = self.rows.remove(&key)?;
        self.by_timestamp.remove(&row.timestamp);
        for text in self.unique_texts(&row) {
            self.by_text.remove(&text);
        }
        Some(row)
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
}

/// The wall clock of a zone at an instant, in milliseconds labelled as UTC.
pub(crate) fn wall_clock_at(now: i64, zone: &TimeZone) -> i64 {
    let offset =
        jiff::Timestamp::from_millisecond(now).map_or(0, |instant| zone.to_offset(instant).seconds());
    now + i64::from(offset) * 1_000
}

/// Everything that is stored, of all companies.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) tables: HashMap<&'static str, Table>,
    last_timestamp: i64,
}

impl Database {
    /// An empty database.
    pub(crate) fn new() -> Self {
        let tables = SHAPES
            .values()
            .filter(|shape| shape.name != "me")
            .map(|shape| (shape.name, Table::new(shape)))
            .collect();
        Self { tables, last_timestamp: 10_000 }
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
        row.timestamp = self.last_timestamp;
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

    /// Gives every record of a company a new row version, as happens when it moves to another database.
    pub(crate) fn regenerate_timestamps(&mut self, division: i32, now: i64) {
        for name in ["accounts", "deleted"] {
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

    /// The value of a property, mirrors included.
    pub(crate) fn value(&self, shape: &Shape, row: &Row, position: usize) -> Value {
        match &shape.properties[position].derived {
            None => row.values[position].clone(),
            Some(Derived::Equals { source, text }) => {
                Value::Boolean(matches!(&row.values[*source], Value::Text(stored) if stored == text))
            }
            Some(Derived::Mirror { source, field }) => self.mirror(shape, row, *source, field),
        }
    }

    fn mirror(&self, shape: &Shape, row: &Row, source: usize, field: &str) -> Value {
        let property = &shape.properties[source];
        match (&row.values[source], &property.list, &property.reference) {
            (Value::Text(code), Some(list), _) => {
                let parent = property.within.and_then(|within| match &row.values[within] {
                    Value::Text(parent) => Some(parent.as_str()),
                    _ => None,
                });
                codes::find(list, code, parent).map_or(Value::Null, |code| Value::Text(code.name.to_owned()))
            }
            (Value::Guid(guid), _, Some(table)) => {
                let Some(target) = self.tables.get(table.as_str()) else { return Value::Null };
                match (target.rows.get(&Key::Guid(*guid)), target.shape.position(field)) {
                    (Some(found), Some(position)) => found.values[position].clone(),
                    _ => Value::Null,
                }
            }
            _ => Value::Null,
        }
    }

    /// Counts the records that a list would hold without paging.
    pub(crate) fn count(&self, endpoint: &Endpoint, query: &Query, context: &Context<'_>) -> usize {
        self.matching(endpoint, query, context).len()
    }

    /// One page of a list: `{"d": {"results": [...]}}`, with `__next` where more follow.
    pub(crate) fn list(
        &self,
        endpoint: &Endpoint,
        query: &Query,
        pairs: &Pairs,
        context: &Context<'_>,
    ) -> Json {
        let shape = shape_of(endpoint.table);
        let mut rows = self.matching(endpoint, query, context);
        let count = rows.len();
        let order = ordering(endpoint, shape, query);
        if !query.order.is_empty() {
            rows.sort_by(|left, right| self.compare(shape, left, right, &order));
        }
        if let Some(after) = &query.skip_token {
            rows.retain(|row| self.is_after(shape, row, after, &order));
        }
        let page = match endpoint.family {
            Family::Regular => context.limits.page_size,
            Family::Bulk | Family::Sync => context.limits.large_page_size,
        };
        let wanted = query.top.unwrap_or(usize::MAX);
        let more = rows.len() > page && wanted > page;
        rows.truncate(page.min(wanted));
        let results = rows.iter().map(|row| self.record(endpoint, row, query, context)).collect();
        let mut body = vec![("results".to_owned(), Json::List(results))];
        if query.inline_count {
            body.push(("__count".to_owned(), Json::text(count.to_string())));
        }
        if let (true, Some(last)) = (more, rows.last()) {
            let token: Vec<String> =
                order.iter().map(|(position, _)| self.value(shape, last, *position).to_literal()).collect();
            let next = next_link(endpoint, pairs, query.top.map(|top| top - page), &token.join(","), context);
            body.push(("__next".to_owned(), Json::text(next)));
        }
        Json::object([("d", Json::Object(body))])
    }

    fn matching(&self, endpoint: &Endpoint, query: &Query, context: &Context<'_>) -> Vec<&Row> {
        let table = self.table(endpoint.table);
        let sync = endpoint.family == Family::Sync;
        let visible = |row: &&Row| {
            let age = context.now - row.written_at;
            row.division.is_none_or(|owner| owner == context.division)
                && (!sync || age >= context.switches.sync_lag_milliseconds)
                && (endpoint.table != "deleted" || age <= DELETED_KEPT)
                && query.filter.as_ref().is_none_or(|filter| {
                    let value_at = |position| self.value(table.shape, row, position);
                    filter.holds(context.switches.ignore_case, &value_at)
                })
        };
        if sync {
            let from = match query.skip_token.as_deref() {
                Some([Value::Integer(after)]) if !query.inline_count => Bound::Excluded(*after),
                _ => Bound::Unbounded,
            };
            let keys = table.by_timestamp.range((from, Bound::Unbounded)).map(|(_, key)| key);
            keys.filter_map(|key| table.rows.get(key)).filter(visible).collect()
        } else {
            table.rows.values().filter(visible).collect()
        }
    }

    fn compare(&self, shape: &Shape, left: &Row, right: &Row, order: &[(usize, bool)]) -> Ordering {
        order.iter().fold(Ordering::Equal, |so_far, (position, descending)| {
            let step = self.value(shape, left, *position).order(&self.value(shape, right, *position));
            so_far.then(if *descending { step.reverse() } else { step })
        })
    }

    fn is_after(&self, shape: &Shape, row: &Row, after: &[Value], order: &[(usize, bool)]) -> bool {
        let order =
            order.iter().zip(after).fold(Ordering::Equal, |so_far, ((position, descending), bound)| {
                let step = self.value(shape, row, *position).order(bound);
                so_far.then(if *descending { step.reverse() } else { step })
            });
        order.is_gt()
    }

    /// The record with the key that a path names.
    pub(crate) fn single(
        &self,
        endpoint: &Endpoint,
        key: Key,
        query: &Query,
        context: &Context<'_>,
    ) -> Result<Json, Refused> {
        // A feed is keyed by its row versions.
        let key = match (endpoint.family, key) {
            (Family::Sync, Key::Number(timestamp)) => {
                *self.table(endpoint.table).by_timestamp.get(&timestamp).unwrap_or(&key)
            }
            _ => key,
        };
        let row = self
            .find(endpoint.table, key, context.division)
            .ok_or_else(|| Refused::not_found(endpoint.path))?;
        Ok(Json::object([("d", self.record(endpoint, row, query, context))]))
    }
}

/// The order of a list, down to the key, which makes it total.
fn ordering(endpoint: &Endpoint, shape: &Shape, query: &Query) -> Vec<(usize, bool)> {
    let mut order = query.order.clone();
    let last = match endpoint.family {
        Family::Sync => shape.server_position(ServerValue::Timestamp).unwrap_or(shape.key),
        Family::Regular | Family::Bulk => shape.key,
    };
    order.push((last, false));
    order
}
