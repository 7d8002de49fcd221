//! One record of a collection, and its JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::document::write_text;
use crate::schema::{LINE_ID, LINE_NUMBER, LINES, Property, Schema};
use crate::value::{Value, write_time};

/// The values of those properties that have one.
pub(crate) type Values = BTreeMap<&'static str, Value>;

/// A record, or the tombstone of one. A tombstone has no content.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    pub(crate) modified_by: String,
    pub(crate) deleted: bool,
    pub(crate) content: Content,
}

/// What callers write of a record.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Content {
    pub(crate) values: Values,
    /// In their order; none if the record is no document.
    pub(crate) lines: Vec<Line>,
}

/// A line of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// Given by the CRM, never to a second line.
    pub(crate) id: String,
    pub(crate) values: Values,
}

impl Content {
    /// What a record holds before anybody has written to it.
    pub(crate) fn initial(schema: &Schema) -> Self {
        Self { values: initial(schema.properties), lines: Vec::new() }
    }
}

/// The values of properties that nobody has written.
pub(crate) fn initial(properties: &[Property]) -> Values {
    let initial = |property: &Property| Some((property.name, Value::Bool(property.initial?)));
    properties.iter().filter_map(initial).collect()
}

impl Record {
    /// The JSON of the record with every property of its schema; a tombstone shows only that it is one.
    pub(crate) fn render(&self, schema: &Schema) -> String {
        let mut out = String::from("{\"Id\":");
        write_text(&mut out, &self.id);
        if !self.deleted {
            write_values(&mut out, schema.properties, &self.content.values);
            if let Some(properties) = schema.lines {
                write_lines(&mut out, properties, &self.content.lines);
            }
            let _ = write!(out, ",\"CreatedAt\":\"{}\",\"ModifiedBy\":", write_time(self.created_at));
            write_text(&mut out, &self.modified_by);
        }
        let _ = write!(
            out,
            ",\"ModifiedAt\":\"{}\",\"Version\":{},\"IsDeleted\":{}}}",
            write_time(self.modified_at),
            self.version,
            self.deleted
        );
        out
    }

    /// The text of a property, if it has one.
    pub(crate) fn text(&self, property: &str) -> Option<&str> {
        self.content.values.get(property).and_then(Value::text)
    }
}

fn write_values<'a>(out: &mut String, properties: impl IntoIterator<Item = &'a Property>, values: &Values) {
    for property in properties {
        let _ = write!(out, ",\"{}\":", property.name);
        match values.get(property.name) {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

fn write_lines(out: &mut String, properties: &[Property], lines: &[Line]) {
    let _ = write!(out, ",\"{LINES}\":[");
    for (position, line) in lines.iter().enumerate() {
        out.push_str(if position > 0 { ",{" } else { "{" });
        let _ = write!(out, "\"{LINE_ID}\":");
        write_text(out, &line.id);
        if !line.values.contains_key(LINE_NUMBER) {
            let _ = write!(out, ",\"{LINE_NUMBER}\":{}", position + 1);
        }
        let said =
            |property: &&Property| property.name != LINE_NUMBER || line.values.contains_key(LINE_NUMBER);
        write_values(out, properties.iter().filter(said), &line.values);
        out.push('}');
    }
    out.push(']');
}
