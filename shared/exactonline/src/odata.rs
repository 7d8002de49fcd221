//! OData version 2 as Exact Online speaks it: envelopes, records, dates, literals. Pure.

use contract::json::read_properties;
use jiff::{SignedDuration, Timestamp};
use model::{Content, Presence, Properties, Record, RecordId, UserId, Version};
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::Error;

#[cfg(test)]
mod tests;

/// A text as a literal of `$filter`: in quotes, with quotes inside doubled.
pub fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A GUID as a literal of `$filter` and of keys; `None` if the text is no GUID.
pub fn guid_literal(text: &str) -> Option<String> {
    Uuid::parse_str(text).ok().map(|guid| format!("guid'{}'", guid.hyphenated()))
}

/// The records of an answer, and where the next page is.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) records: Vec<&'a RawValue>,
    pub(crate) next: Option<String>,
}

#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    d: &'a RawValue,
}

#[derive(serde::Deserialize)]
struct Results<'a> {
    #[serde(borrow)]
    results: Option<Vec<&'a RawValue>>,
    #[serde(rename = "__next")]
    next: Option<String>,
}

/// Reads `{"d":{"results":[...],"__next":...}}`, `{"d":[...]}` and `{"d":{...}}`: all three occur.
pub(crate) fn page(json: &str) -> Result<Page<'_>, Error> {
    let no_envelope = |_| Error::Unexpected { what: "is not JSON with `d`".to_owned() };
    let envelope: Envelope<'_> = serde_json::from_str(json).map_err(no_envelope)?;
    let inner = envelope.d.get();
    if inner.starts_with('[') {
        let records = serde_json::from_str(inner).map_err(no_envelope)?;
        return Ok(Page { records, next: None });
    }
    let results: Results<'_> = serde_json::from_str(inner).map_err(no_envelope)?;
    Ok(match results.results {
        Some(records) => Page { records, next: results.next },
        None => Page { records: vec![envelope.d], next: None },
    })
}

/// The properties of an answer's first record; none where it has no record.
pub(crate) fn first(json: &str) -> Result<Properties, Error> {
    page(json)?.records.first().map_or_else(|| Ok(Properties::new()), |raw| properties(raw.get()))
}

/// Reads a record with this key. The row version is there in sync feeds only.
pub(crate) fn record(json: &str, key: &str, server_offset: Option<SignedDuration>) -> Result<Record, Error> {
    let mut properties = properties(json)?;
    properties.remove("__metadata");
    let id = text(&properties, key).and_then(|text| RecordId::parse(text).ok());
    Ok(Record {
        id: id.ok_or_else(|| Error::Unexpected { what: format!("has a record without {key}") })?,
        version: integer(&properties, "Timestamp").map(Version),
        modified_by: text(&properties, "Modifier").and_then(|text| UserId::parse(text).ok()),
        modified_at: text(&properties, "Modified").and_then(|text| moment(text, server_offset?)),
        presence: Presence::Present,
        properties,
    })
}

/// The properties of an object.
pub(crate) fn properties(json: &str) -> Result<Properties, Error> {
    read_properties(json).map_err(Error::NotARecord)
}

/// A property's text, if it is one.
pub(crate) fn text<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    properties.get(name).and_then(Content::as_text)
}

/// A whole number that is not negative; Exact writes an Int64 as a number or as a text.
pub(crate) fn integer(properties: &Properties, name: &str) -> Option<u64> {
    match properties.get(name)? {
        Content::Number(number) => number.to_u64(),
        Content::Text(text) => text.parse().ok(),
        Content::Null | Content::Boolean(_) | Content::List(_) | Content::Object(_) => None,
    }
}

/// The moment that `/Date(milliseconds)/` stands for: the server's wall clock, written as if it were UTC (the best
/// reading of this API; nothing states it). The offset is that of now, so a moment in the other half of the year may
/// be an hour off.
fn moment(text: &str, server_offset: SignedDuration) -> Option<Timestamp> {
    let milliseconds = text.strip_prefix("/Date(")?.strip_suffix(")/")?.parse().ok()?;
    Timestamp::from_millisecond(milliseconds).ok()?.checked_sub(server_offset).ok()
}
