//! A vendor's JSON as [`Content`], and back. A number goes from digits to digits: never through a float.

use std::collections::BTreeMap;

use model::{Content, Properties};
use rust_decimal::Decimal;
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap, SerializeSeq},
};
use serde_json::value::RawValue;

#[cfg(test)]
mod tests;

/// Objects and lists inside one another, at most: more is no record.
const DEPTH_MAX: usize = 64;

/// Why a text is not a record's content. Names where, never the value: values may be personal.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The text is not JSON.
    #[error("this is not JSON")]
    Syntax(#[source] serde_json::Error),
    /// The text is JSON, but no object.
    #[error("a record must be a JSON object, this is {found}")]
    NotAnObject {
        /// What it is instead.
        found: &'static str,
    },
    /// A number is too large to be held exactly.
    #[error(
        "the number in {path:?} has more than 28 digits before its point; leave the property out or store it as a text"
    )]
    Number {
        /// Where it stands, such as `Lines.0.Quantity`.
        path: String,
    },
    /// Objects are nested deeper than any record is.
    #[error("the content of {path:?} is nested more than {DEPTH_MAX} levels deep")]
    TooDeep {
        /// Where the limit was met.
        path: String,
    },
}

/// Reads a JSON object. Digits beyond the 28th decimal place are rounded off (a float's residue, such as
/// `1.1368683772161603E-13`, has them); all other numbers are exact. Of a property given twice, the last counts.
pub fn read_properties(json: &str) -> Result<Properties, JsonError> {
    match read_content(json)? {
        Content::Object(properties) => Ok(properties),
        other => Err(JsonError::NotAnObject { found: other.kind() }),
    }
}

/// Reads any JSON value, with the numbers of [`read_properties`].
pub fn read_content(json: &str) -> Result<Content, JsonError> {
    let raw: &RawValue = serde_json::from_str(json).map_err(JsonError::Syntax)?;
    content(raw, &mut Vec::new())
}

/// Writes a JSON object; what [`read_properties`] reads back is equal, digit by digit.
pub fn write_properties(properties: &Properties) -> String {
    to_text(&Object(properties))
}

/// Writes any value; what [`read_content`] reads back is equal, digit by digit.
pub fn write_content(content: &Content) -> String {
    to_text(&Any(content))
}

fn content(raw: &RawValue, path: &mut Vec<String>) -> Result<Content, JsonError> {
    let text = raw.get();
    if path.len() > DEPTH_MAX {
        return Err(JsonError::TooDeep { path: path.join(".") });
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = parsed(text)?;
            let read = fields.into_iter().map(|(name, value)| {
                path.push(name.clone());
                let value = content(value, path)?;
                path.pop();
                Ok((name, value))
            });
            read.collect::<Result<_, _>>().map(Content::Object)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = parsed(text)?;
            let read = items.into_iter().enumerate().map(|(index, value)| {
                path.push(index.to_string());
                let value = content(value, path)?;
                path.pop();
                Ok(value)
            });
            read.collect::<Result<_, _>>().map(Content::List)
        }
        Some(b'"') => parsed(text).map(Content::Text),
        Some(b't' | b'f') => parsed(text).map(Content::Boolean),
        Some(b'n') => Ok(Content::Null),
        _ => match decimal(text) {
            Some(number) => Ok(Content::Number(number)),
            None => Err(JsonError::Number { path: path.join(".") }),
        },
    }
}

fn parsed<'a, T: serde::Deserialize<'a>>(json: &'a str) -> Result<T, JsonError> {
    serde_json::from_str(json).map_err(JsonError::Syntax)
}

/// The number that a JSON number's text stands for; `None` when it is too large.
fn decimal(number: &str) -> Option<Decimal> {
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else {
        return number.parse().ok();
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some(Decimal::ZERO);
    }
    // Where the point stands, counted from the first significant digit. An exponent that no integer holds is
    // as good as endless, in the direction of its sign.
    let endless = if exponent.starts_with('-') { i64::from(i32::MIN) } else { i64::from(i32::MAX) };
    let exponent = exponent.parse::<i32>().map_or(endless, i64::from);
    let leading = i64::try_from(whole.len()).ok()? - i64::try_from(digits.len() - significant.len()).ok()?;
    let point = leading + exponent;
    if point > 29 {
        return None;
    }
    if point < -29 {
        return Some(Decimal::ZERO);
    }
    let plain = match usize::try_from(point) {
        Ok(point) if point >= significant.len() => format!("{significant:0<point$}"),
        Ok(point) => format!("{}.{}", &significant[..point], &significant[point..]),
        Err(_) => format!("0.{}{significant}", "0".repeat(usize::try_from(-point).ok()?)),
    };
    let plain = if plain.starts_with('.') { format!("0{plain}") } else { plain };
    format!("{sign}{plain}").parse().ok()
}

fn to_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names are texts, and a decimal's digits are a JSON number")
}

struct Any<'a>(&'a Content);

struct Object<'a>(&'a Properties);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, &Any(value))?;
        }
        map.end()
    }
}

impl Serialize for Any<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Content::Null => serializer.serialize_unit(),
            Content::Boolean(yes) => serializer.serialize_bool(*yes),
            Content::Number(number) => {
                RawValue::from_string(number.to_string()).map_err(S::Error::custom)?.serialize(serializer)
            }
            Content::Text(text) => serializer.serialize_str(text),
            Content::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Any(item))?;
                }
                list.end()
            }
            Content::Object(properties) => Object(properties).serialize(serializer),
        }
    }
}
