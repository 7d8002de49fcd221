//! Lists and single records: filtered, ordered, cut into pages.

use std::cmp::Ordering;
use std::ops::Bound;

use super::{Context, Database, Key, Row};
use crate::answer::Refused;
use crate::edm::Value;
use crate::json::Json;
use crate::query::{Pairs, Query};
use crate::record::next_link;
use crate::schema::{Endpoint, Family, ServerValue, Shape, shape_of};

/// Milliseconds of about two months, after which the feed of deleted records forgets a row.
const DELETED_KEPT: i64 = 61 * 24 * 3_600 * 1_000;

impl Database {
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
