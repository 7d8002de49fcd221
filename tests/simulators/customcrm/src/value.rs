//! Typed values of properties: read strictly from JSON, kept exactly, written back as they are.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::document::write_text;
use crate::schema::Kind;

/// The most characters of a text.
pub(crate) const TEXT_CHARACTERS_MAX: usize = 255;
/// The most bytes of a long text.
pub(crate) const LONG_TEXT_BYTES_MAX: usize = 64 * 1024;

/// The first whole number of more digits than are kept.
const DECIMAL_END: u128 = 10_u128.pow(28);

/// The value of a property that is set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Texts, dates, times, enumerations and references.
    Text(String),
    /// A number that is kept exactly. Two of them are equal when they are the same amount.
    Decimal(Decimal),
    Integer(i64),
    Bool(bool),
}

impl Value {
    /// Reads the JSON text of a value as `kind`; `null` is `None`. The error says what was expected.
    pub(crate) fn read(kind: Kind, json: &str) -> Result<Option<Self>, String> {
        if json == "null" {
            return Ok(None);
        }
        match kind {
            Kind::LongText => read_long_text(json).map(Self::Text),
            Kind::Decimal => read_decimal(json).map(Self::Decimal),
            Kind::Integer => read_integer(json).map(Self::Integer),
            Kind::Bool => read_bool(json).map(Self::Bool),
            Kind::Date => read_date(json).map(Self::Text),
            Kind::Timestamp => read_timestamp(json).map(Self::Text),
            Kind::Enumeration(values) => read_enumeration(json, values).map(Self::Text),
            Kind::Text | Kind::Reference(_) => read_text(json).map(Self::Text),
        }
        .map(Some)
    }

    /// Appends the value as JSON.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => write_text(out, text),
            Self::Decimal(number) => out.push_str(&number.to_string()),
            Self::Integer(number) => out.push_str(&number.to_string()),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Decimal(_) | Self::Integer(_) | Self::Bool(_) => None,
        }
    }

    /// What the value is found by: a text or a whole number, in lower case.
    pub(crate) fn search_key(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_lowercase()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Decimal(_) | Self::Bool(_) => None,
        }
    }

    /// True for a text without a visible character.
    pub(crate) fn is_blank(&self) -> bool {
        self.text().is_some_and(|text| text.trim().is_empty())
    }
}

/// The form in which times are written: UTC, milliseconds, always three digits.
pub(crate) fn write_time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Reads a time in the form of RFC 3339: a date, a `T`, seconds, and an offset.
pub(crate) fn read_time(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if bytes.len() < 20 || separators.iter().any(|(at, separator)| bytes[*at] != *separator) {
        return None;
    }
    let offset = &bytes[19..];
    let offset_at = offset.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b'.'))?;
    let offset_ok = matches!(&offset[offset_at..], [b'Z'] | [b'+' | b'-', _, _, b':', _, _]);
    if offset_ok { text.parse().ok() } else { None }
}

fn read_string(json: &str) -> Result<String, String> {
    if !json.starts_with('"') {
        return Err("must be a string".to_owned());
    }
    serde_json::from_str(json).map_err(|_| "must be a string of Unicode characters".to_owned())
}

fn read_text(json: &str) -> Result<String, String> {
    let text = read_string(json)?;
    let characters = text.chars().count();
    if characters > TEXT_CHARACTERS_MAX {
        return Err(format!("must have at most {TEXT_CHARACTERS_MAX} characters, has {characters}"));
    }
    Ok(text)
}

fn read_long_text(json: &str) -> Result<String, String> {
    let text = read_string(json)?;
    if text.len() > LONG_TEXT_BYTES_MAX {
        return Err(format!("must have at most {LONG_TEXT_BYTES_MAX} bytes, has {}", text.len()));
    }
    Ok(text)
}

fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

fn read_decimal(json: &str) -> Result<Decimal, String> {
    if !is_number(json) {
        return Err("must be a number".to_owned());
    }
    exact_decimal(json)
        .filter(|number| number.mantissa().unsigned_abs() < DECIMAL_END)
        .ok_or_else(|| "must be a number of at most 28 digits".to_owned())
}

/// The decimal that a JSON number stands for, or nothing if it can't be kept to the last digit.
fn exact_decimal(json: &str) -> Option<Decimal> {
    let Some((digits, exponent)) = json.split_once(['e', 'E']) else {
        return Decimal::from_str_exact(json).ok();
    };
    let mut number = Decimal::from_str_exact(digits).ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    if number.is_zero() {
        return Some(Decimal::ZERO);
    }
    if exponent < 0 {
        number.set_scale(number.scale().checked_add(exponent.unsigned_abs())?).ok()?;
        return Some(number);
    }
    for _ in 0..exponent {
        number = number.checked_mul(Decimal::TEN)?;
    }
    Some(number)
}

fn read_integer(json: &str) -> Result<i64, String> {
    if !is_number(json) {
        return Err("must be a whole number".to_owned());
    }
    json.parse().map_err(|_| "must be a whole number of 64 bits".to_owned())
}

fn read_bool(json: &str) -> Result<bool, String> {
    match json {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

fn read_date(json: &str) -> Result<String, String> {
    let text = read_string(json)?;
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
    if shaped && text.parse::<Date>().is_ok() {
        Ok(text)
    } else {
        Err("must be a date of the form YYYY-MM-DD".to_owned())
    }
}

fn read_timestamp(json: &str) -> Result<String, String> {
    let text = read_string(json)?;
    read_time(&text).map(write_time).ok_or_else(|| "must be a time in the form of RFC 3339".to_owned())
}

fn read_enumeration(json: &str, values: &[&str]) -> Result<String, String> {
    let text = read_string(json)?;
    if values.contains(&text.as_str()) {
        Ok(text)
    } else {
        Err(format!("must be one of {}", values.join(", ")))
    }
}

#[cfg(test)]
mod tests;
