//! What a body asks to change, read against the schema.

use serde_json::value::RawValue;

use crate::document::Document;
use crate::problem::{Problem, PropertyError};
use crate::schema::{KEPT_BY_THE_CRM, Kind, LINE_ID, LINES, Presence, Property, Schema};
use crate::value::Value;

/// What marks a line that is to be removed.
pub(crate) const DELETED: &str = "Deleted";

/// Properties with their new values; nothing clears a property.
pub(crate) type Edits = Vec<Edit>;
type Edit = (&'static Property, Option<Value>);

/// What a body asks to change, as far as it can be read, and what is wrong with the rest.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) edits: Edits,
    /// In the order of the body's list; empty if it has none.
    pub(crate) lines: Vec<LineChange>,
    pub(crate) errors: Vec<PropertyError>,
}

/// What an item of the list of lines asks for.
#[derive(Debug)]
pub(crate) struct LineChange {
    pub(crate) target: Target,
    pub(crate) edits: Edits,
    /// Their properties are those of the line; an empty one stands for the line itself.
    pub(crate) errors: Vec<PropertyError>,
}

/// The line that is meant.
#[derive(Debug)]
pub(crate) enum Target {
    New,
    Change(String),
    Remove(String),
    /// It can't be told; an error says why.
    Unclear,
}

/// Reads a body. An object with a name twice is no JSON object, wherever it stands.
pub(crate) fn read(schema: &Schema, document: &Document) -> Result<Change, Problem> {
    let mut change = Change::default();
    for (name, json) in &document.0 {
        match schema.lines {
            Some(properties) if name == LINES => match read_list(json.get()) {
                Ok(items) => change.lines = read_lines(properties, &items)?,
                Err(message) => change.errors.push(PropertyError::new(LINES, message)),
            },
            _ => match read_edit(schema.properties, schema.entity, &KEPT_BY_THE_CRM, name, json) {
                Ok(edit) => change.edits.push(edit),
                Err(error) => change.errors.push(error),
            },
        }
    }
    Ok(change)
}

fn read_edit(
    properties: &'static [Property],
    entity: &str,
    kept_by_the_crm: &[&str],
    name: &str,
    json: &RawValue,
) -> Result<Edit, PropertyError> {
    match properties.iter().find(|property| property.name == name) {
        None if kept_by_the_crm.contains(&name) => {
            Err(PropertyError::new(name, "is read-only: leave it out"))
        }
        None => Err(PropertyError::new(name, format!("is no property of a {entity}"))),
        Some(property) if property.presence == Presence::ReadOnly => {
            Err(PropertyError::new(name, "is read-only: leave it out"))
        }
        Some(property) => {
            let value = read_value(property.kind, name, json)?;
            Ok((property, value.or(property.initial.map(Value::Bool))))
        }
    }
}

fn read_value(kind: Kind, name: &str, json: &RawValue) -> Result<Option<Value>, PropertyError> {
    Value::read(kind, json.get()).map_err(|message| PropertyError::new(name, message))
}

fn read_list(json: &str) -> Result<Vec<Box<RawValue>>, &'static str> {
    match json {
        "null" => Err("needs at least one line"),
        _ => serde_json::from_str(json).map_err(|_| "must be a list of lines"),
    }
}

fn read_lines(properties: &'static [Property], items: &[Box<RawValue>]) -> Result<Vec<LineChange>, Problem> {
    items.iter().enumerate().map(|(position, item)| read_item(properties, position, item)).collect()
}

fn read_item(
    properties: &'static [Property],
    position: usize,
    item: &RawValue,
) -> Result<LineChange, Problem> {
    if !item.get().starts_with('{') {
        let errors = vec![PropertyError::new("", "must be an object")];
        return Ok(LineChange { target: Target::Unclear, edits: Vec::new(), errors });
    }
    let document = Document::parse(item.get().as_bytes(), &format!("{LINES}[{position}]"))?;
    Ok(read_line(properties, &document))
}

fn read_line(properties: &'static [Property], document: &Document) -> LineChange {
    let (mut edits, mut errors) = (Edits::new(), Vec::new());
    let (mut id, mut deleted) = (None, None);
    for (name, json) in &document.0 {
        let read = match name.as_str() {
            LINE_ID => read_value(Kind::Text, name, json).map(|value| id = value),
            DELETED => read_value(Kind::Bool, name, json).map(|value| deleted = value),
            _ => read_edit(properties, "line", &[], name, json).map(|edit| edits.push(edit)),
        };
        errors.extend(read.err());
    }
    let unclear = errors.iter().any(|error| [LINE_ID, DELETED].contains(&error.property.as_str()));
    let target = match (id, deleted == Some(Value::Bool(true))) {
        _ if unclear => Target::Unclear,
        (Some(Value::Text(id)), true) => Target::Remove(id),
        (Some(Value::Text(id)), false) => Target::Change(id),
        (_, false) => Target::New,
        (_, true) => {
            errors.push(PropertyError::new(LINE_ID, "is required to remove a line"));
            Target::Unclear
        }
    };
    LineChange { target, edits, errors }
}
