//! One record of a collection, and its JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::document::write_text;
use crate::schema::Schema;
use crate::value::{Value, write_time};

/// A record, or the tombstone of one. A tombstone has no values.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    pub(crate) modified_by: String,
    pub(crate) deleted: bool,
    pub(crate) values: BTreeMap<&'static str, Value>,
}

impl Record {
    /// The JSON of the record with every property of its schema; a tombstone shows only that it is one.
    pub(crate) fn render(&self, schema: &Schema) -> String {
        let mut out = String::from("{\"Id\":");
        write_text(&mut out, &self.id);
        if !self.deleted {
            for property in schema.properties {
                let _ = write!(out, ",\"{}\":", property.name);
                match self.values.get(property.name) {
                    Some(value) => value.write(&mut out),
                    None => out.push_str("null"),
                }
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
        self.values.get(property).and_then(Value::text)
    }
}
