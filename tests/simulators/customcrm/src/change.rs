//! What a body asks to change, read against the schema.

use crate::document::Document;
use crate::problem::PropertyError;
use crate::schema::{KEPT_BY_THE_CRM, Presence, Property, Schema};
use crate::value::Value;

/// Properties with their new values; nothing clears a property.
pub(crate) type Change = Vec<(&'static Property, Option<Value>)>;

/// Reads all members of a body that can be read, and says what is wrong with the others.
pub(crate) fn read(schema: &Schema, document: &Document) -> (Change, Vec<PropertyError>) {
    let mut change = Change::new();
    let mut errors = Vec::new();
    for (name, json) in &document.0 {
        match schema.property(name) {
            None if KEPT_BY_THE_CRM.contains(&name.as_str()) => {
                errors.push(PropertyError::new(name, "is read-only: leave it out"));
            }
            None => {
                errors.push(PropertyError::new(name, format!("is no property of a {}", schema.entity)));
            }
            Some(property) if property.presence == Presence::ReadOnly => {
                errors.push(PropertyError::new(name, "is read-only: leave it out"));
            }
            Some(property) => match Value::read(property.kind, json.get()) {
                Ok(value) => change.push((property, value.or(property.initial.map(Value::Bool)))),
                Err(message) => errors.push(PropertyError::new(name, message)),
            },
        }
    }
    (change, errors)
}
