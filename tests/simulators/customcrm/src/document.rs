//! JSON documents read without losing anything: numbers stay text, and a name that comes twice is seen.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::problem::{Problem, ProblemKind};

/// A JSON object as it was sent: names in their order, values as text.
#[derive(Debug)]
pub(crate) struct Document(pub(crate) Vec<(String, Box<RawValue>)>);

impl Document {
    /// Reads `what`, such as the body, or says with 400 why it can't be read.
    pub(crate) fn parse(json: &[u8], what: &str) -> Result<Self, Problem> {
        serde_json::from_slice(json).map_err(|error| {
            Problem::new(ProblemKind::BadRequest, format!("{what} is not a JSON object: {error}"))
        })
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Document;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with each name once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if members.iter().any(|(seen, _)| *seen == name) {
                return Err(A::Error::custom(format_args!("{name} comes twice")));
            }
            members.push((name, value));
        }
        Ok(Document(members))
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn write_text(out: &mut String, text: &str) {
    // A string always has a JSON form: `Value` can't fail to print one.
    out.push_str(&serde_json::Value::from(text).to_string());
}
