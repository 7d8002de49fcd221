//! The types of OData version 2: values, how they travel as JSON and how they are read from it.
//!
//! A number never passes through binary floating point: it is kept as the decimal that was written.

use std::cmp::Ordering;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::json::Json;

/// An Edm type, as far as the tables use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edm {
    Guid,
    Text,
    Boolean,
    Byte,
    Int16,
    Int32,
    Int64,
    Double,
    DateTime,
    Binary,
    /// Records of another entity, delivered as a deferred address.
    Navigation,
}

impl Edm {
    /// The type that a table names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Guid" => Self::Guid,
            "String" => Self::Text,
            "Boolean" => Self::Boolean,
            "Byte" => Self::Byte,
            "Int16" => Self::Int16,
            "Int32" => Self::Int32,
            "Int64" => Self::Int64,
            "Double" => Self::Double,
            "DateTime" => Self::DateTime,
            "Binary" => Self::Binary,
            "Navigation" => Self::Navigation,
            _ => return None,
        })
    }

    /// Its name in the service's own messages.
    pub(crate) fn message_name(self) -> &'static str {
        match self {
            Self::Guid => "Guid",
            Self::Text => "String",
            Self::Boolean => "Boolean",
            Self::Byte => "Byte",
            Self::Int16 => "Int16",
            Self::Int32 => "Int32",
            Self::Int64 => "Int64",
            Self::Double => "Double",
            Self::DateTime => "DateTime",
            Self::Binary => "Binary",
            Self::Navigation => "Collection",
        }
    }

    fn integer_range(self) -> Option<std::ops::RangeInclusive<i64>> {
        match self {
            Self::Byte => Some(0..=i64::from(u8::MAX)),
            Self::Int16 => Some(i64::from(i16::MIN)..=i64::from(i16::MAX)),
            Self::Int32 => Some(i64::from(i32::MIN)..=i64::from(i32::MAX)),
            Self::Int64 => Some(i64::MIN..=i64::MAX),
            _ => None,
        }
    }
}

/// A value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Guid(Uuid),
    Text(String),
    Boolean(bool),
    Integer(i64),
    Double(Decimal),
    /// Milliseconds of the server's wall clock, counted as if that clock showed UTC.
    DateTime(i64),
}

impl Value {
    /// Reads a value of a request. `None` when the JSON text is no value of this type.
    ///
    /// Dates come as ISO 8601, with or without time, or in the American form. Without a zone they are
    /// wall-clock time; a zone or a trailing `Z` makes them an instant, which is shifted to the server's wall clock.
    pub(crate) fn from_json(raw: &str, edm: Edm, server_zone: &TimeZone) -> Option<Self> {
        if raw == "null" {
            return Some(Self::Null);
        }
        let text = || serde_json::from_str::<String>(raw).ok();
        if let Some(range) = edm.integer_range() {
            let digits =
                if edm == Edm::Int64 { text().unwrap_or_else(|| raw.to_owned()) } else { raw.to_owned() };
            let number = digits.parse().ok()?;
            return range.contains(&number).then_some(Self::Integer(number));
        }
        match edm {
            Edm::Text | Edm::Binary => text().map(Self::Text),
            Edm::Guid => text().and_then(|text| Uuid::try_parse(&text).ok()).map(Self::Guid),
            Edm::Boolean => serde_json::from_str(raw).ok().map(Self::Boolean),
            Edm::Double => decimal(raw).map(|number| Self::Double(number.normalize())),
            Edm::DateTime => text().and_then(|text| wall_clock(&text, server_zone)).map(Self::DateTime),
            _ => None,
        }
    }

    /// The value as it is delivered.
    pub(crate) fn to_json(&self, edm: Edm, int64_as_string: bool) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Guid(guid) => Json::Text(guid.to_string()),
            Self::Text(text) => Json::Text(text.clone()),
            Self::Boolean(flag) => Json::Boolean(*flag),
            Self::Integer(number) if edm == Edm::Int64 && int64_as_string => Json::Text(number.to_string()),
            Self::Integer(number) => Json::Raw(number.to_string()),
            Self::Double(number) => Json::Raw(number.to_string()),
            Self::DateTime(milliseconds) => Json::Text(format!("/Date({milliseconds})/")),
        }
    }

    /// The value as a literal of an address, for keys and skip tokens.
    pub(crate) fn to_literal(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Guid(guid) => format!("guid'{guid}'"),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Boolean(flag) => flag.to_string(),
            Self::Integer(number) => format!("{number}L"),
            Self::Double(number) => number.to_string(),
            Self::DateTime(milliseconds) => format!("datetime'{}'", iso(*milliseconds)),
        }
    }

    /// The order of two values of one property; nothing comes first.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            (Self::Guid(left), Self::Guid(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Boolean(left), Self::Boolean(right)) => left.cmp(right),
            (Self::Integer(left), Self::Integer(right)) | (Self::DateTime(left), Self::DateTime(right)) => {
                left.cmp(right)
            }
            (left, right) => left.number().cmp(&right.number()),
        }
    }

    fn number(&self) -> Option<Decimal> {
        match self {
            Self::Integer(number) => Some(Decimal::from(*number)),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }
}

/// A JSON number as a decimal; `None` when it has more digits than a decimal can hold.
pub(crate) fn decimal(raw: &str) -> Option<Decimal> {
    if raw.contains(['e', 'E']) {
        Decimal::from_scientific(raw).ok()
    } else {
        Decimal::from_str_exact(raw).ok()
    }
}

/// A date of a request on the server's wall clock, in milliseconds.
pub(crate) fn wall_clock(text: &str, server_zone: &TimeZone) -> Option<i64> {
    let civil = match Timestamp::from_str(text) {
        Ok(instant) => server_zone.to_datetime(instant),
        Err(_) => DateTime::from_str(text).or_else(|_| DateTime::strptime("%m/%d/%Y %H:%M:%S", text)).ok()?,
    };
    Some(TimeZone::UTC.to_timestamp(civil).ok()?.as_millisecond())
}

/// Wall-clock milliseconds in ISO 8601 without a zone.
pub(crate) fn iso(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map(|instant| TimeZone::UTC.to_datetime(instant).to_string())
        .unwrap_or_default()
}
