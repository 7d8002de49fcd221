//! From the API's JSON to records.

use contract::json::read_properties;
use jiff::Timestamp;
use model::{Content, Presence, Properties, Record, RecordId, UserId, Version};
use serde_json::value::RawValue;

use crate::Error;

/// A listing as the API gives it; each record is read by itself.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Listing<'a> {
    #[serde(borrow)]
    pub(crate) data: Vec<&'a RawValue>,
    #[serde(default)]
    pub(crate) next_cursor: Option<String>,
}

/// Reads a listing's envelope.
pub(crate) fn listing(json: &str) -> Result<Listing<'_>, Error> {
    serde_json::from_str(json)
        .map_err(|_| Error::Unexpected { what: "is no JSON object with the list `data`".to_owned() })
}

/// Reads a record. `Id`, `Version` and `ModifiedAt` are the API's promise; without them it is no record.
pub(crate) fn record(json: &str) -> Result<Record, Error> {
    let properties = read_properties(json).map_err(Error::NotARecord)?;
    let id = record_id(&properties)?;
    let missing =
        |property: &str| Error::Unexpected { what: format!("has a record without a valid {property}") };
    let version = match properties.get("Version") {
        Some(Content::Number(number)) => u64::try_from(*number).map_err(|_| missing("Version"))?,
        _ => return Err(missing("Version")),
    };
    let modified_at: Timestamp = text(&properties, "ModifiedAt")
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| missing("ModifiedAt"))?;
    let modified_by = text(&properties, "ModifiedBy").and_then(|text| UserId::parse(text).ok());
    let deleted = properties.get("IsDeleted") == Some(&Content::Boolean(true));
    Ok(Record {
        id,
        version: Some(Version(version)),
        modified_by,
        modified_at: Some(modified_at),
        presence: if deleted { Presence::Deleted } else { Presence::Present },
        properties: if deleted { Properties::new() } else { properties },
    })
}

/// Reads the id of a user from `GET /me`.
pub(crate) fn user_id(json: &str) -> Result<UserId, Error> {
    let properties = read_properties(json).map_err(Error::NotARecord)?;
    let id = text(&properties, "Id").and_then(|text| UserId::parse(text).ok());
    id.ok_or_else(|| Error::Unexpected { what: "names no user".to_owned() })
}

/// A property's text, if it is one.
pub(crate) fn text<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    properties.get(name).and_then(Content::as_text)
}

fn record_id(properties: &Properties) -> Result<RecordId, Error> {
    let id = text(properties, "Id").and_then(|text| RecordId::parse(text).ok());
    id.ok_or_else(|| Error::Unexpected { what: "has a record without a valid Id".to_owned() })
}
