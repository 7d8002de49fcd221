//! The query of a listing.

use axum::extract::Query;
use axum::http::Uri;
use jiff::{SignedDuration, Timestamp};

use crate::collection::Listing;
use crate::cursor;
use crate::problem::{Problem, ProblemKind};
use crate::schema::{Schema, Search};
use crate::value::read_time;

/// The most records of a page where none is asked for.
pub(crate) const LIMIT_DEFAULT: usize = 100;
/// The most records of a page.
pub(crate) const LIMIT_MAX: usize = 500;
/// How long tombstones are listed.
const TOMBSTONE_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Reads a query, strictly: what is not understood is refused, not skipped.
pub(super) fn read(schema: &'static Schema, uri: &Uri, now: Timestamp) -> Result<Listing, Problem> {
    let Query(parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| refused("the query can't be read".to_owned()))?;
    let mut listing = Listing {
        updated_since: None,
        after: None,
        deleted_since: None,
        filters: Vec::new(),
        limit: LIMIT_DEFAULT,
    };
    let mut cursor = None;
    for (position, (name, value)) in parameters.iter().enumerate() {
        if parameters[..position].iter().any(|(before, _)| before == name) {
            return Err(refused(format!("{name} comes twice")));
        }
        match name.as_str() {
            "updated_since" => listing.updated_since = Some(time(value)?),
            "limit" => listing.limit = limit(value)?,
            "cursor" => cursor = Some(value),
            "include_deleted" => listing.deleted_since = deleted_since(value, now)?,
            _ => listing.filters.push((filtered(schema, name)?, value.clone())),
        }
    }
    if let Some(cursor) = cursor {
        listing.after = Some(cursor::read(schema.collection, &listing, cursor).ok_or_else(|| {
            refused(
                "the cursor is not one of this listing: pass it as it was given, with the same filters and \
                 include_deleted"
                    .to_owned(),
            )
        })?);
    }
    Ok(listing)
}

/// Refuses a query of a call that takes none.
pub(super) fn none(uri: &Uri) -> Result<(), Problem> {
    match uri.query() {
        None | Some("") => Ok(()),
        Some(query) => Err(refused(format!("this call has no parameters: leave out {query}"))),
    }
}

fn refused(detail: String) -> Problem {
    Problem::new(ProblemKind::BadRequest, detail)
}

fn time(value: &str) -> Result<Timestamp, Problem> {
    read_time(value).ok_or_else(|| refused(format!("updated_since must be a time of RFC 3339, not {value}")))
}

fn limit(value: &str) -> Result<usize, Problem> {
    let digits = Some(value).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .filter(|limit| (1..=LIMIT_MAX).contains(limit))
        .ok_or_else(|| refused(format!("limit must be a number from 1 to {LIMIT_MAX}, not {value}")))
}

fn deleted_since(value: &str, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    match value {
        "true" => Ok(Some(now.checked_sub(TOMBSTONE_KEPT).unwrap_or(Timestamp::MIN))),
        "false" => Ok(None),
        _ => Err(refused(format!("include_deleted must be true or false, not {value}"))),
    }
}

/// The property of a parameter `filter[Property]`.
fn filtered(schema: &'static Schema, parameter: &str) -> Result<&'static str, Problem> {
    let property = parameter
        .strip_prefix("filter[")
        .and_then(|rest| rest.strip_suffix(']'))
        .ok_or_else(|| refused(format!("there is no parameter {parameter}")))?;
    if property == "Id" {
        return Ok("Id");
    }
    schema
        .property(property)
        .filter(|property| property.search != Search::No)
        .map(|property| property.name)
        .ok_or_else(|| refused(format!("{} can't be filtered by {property}", schema.collection)))
}
