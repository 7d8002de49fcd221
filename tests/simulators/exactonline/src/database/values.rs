//! What a property holds, be it stored or derived from other records when it is read.

use super::{Database, Key, Row, Term};
use crate::codes;
use crate::edm::Value;
use crate::schema::{Derived, Property, Shape};

impl Database {
    /// The value of a property.
    pub(crate) fn value(&self, shape: &Shape, row: &Row, position: usize) -> Value {
        match &shape.properties[position].derived {
            None => row.values[position].clone(),
            Some(Derived::Equals { source, text }) => {
                Value::Boolean(matches!(&row.values[*source], Value::Text(stored) if stored == text))
            }
            Some(Derived::Mirror { source, field }) => self.looked_up(shape, row, *source, field),
            Some(Derived::NamedBy { source, field }) => {
                Value::Boolean(self.looked_up(shape, row, *source, field) == row.values[shape.key])
            }
            Some(Derived::Joined(parts)) => joined(row, parts),
            Some(Derived::Same(other)) => row.values[*other].clone(),
            Some(Derived::Total(total)) => self.total(shape, row, *total),
            Some(Derived::BasePrice) => self.base_price(shape, row),
        }
    }

    /// The records of a table that `row` owns, oldest first.
    pub(crate) fn lines(&self, owned: &Shape, row: &Row, shape: &Shape) -> Vec<&Row> {
        let (Some(position), Some(term)) = (owned.owner, Term::of(&row.values[shape.key])) else {
            return Vec::new();
        };
        let table = self.table(owned.name);
        let keys = table.holders(row.division, position, &term);
        let mut rows: Vec<&Row> = keys.filter_map(|key| table.rows.get(&key)).collect();
        rows.sort_by_key(|row| row.first_timestamp);
        rows
    }

    /// `field` of the record, or of the entry of a code list, that the property `source` names.
    pub(crate) fn looked_up(&self, shape: &Shape, row: &Row, source: usize, field: &str) -> Value {
        let property = &shape.properties[source];
        if let Some(list) = &property.list {
            return code_text(&row.values[source])
                .and_then(|code| codes::find(list, &code, group(row, property)))
                .map_or(Value::Null, |code| code.field(field));
        }
        let (Value::Guid(guid), Some(reference)) = (&row.values[source], &property.reference) else {
            return Value::Null;
        };
        let Some(table) = self.tables.get(reference.as_str()) else { return Value::Null };
        match (table.rows.get(&Key::Guid(*guid)), table.shape.position(field)) {
            (Some(found), Some(position)) => self.value(table.shape, found, position),
            _ => Value::Null,
        }
    }
}

/// The code that a property of a list holds, as the list spells it.
fn code_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The code that a property's own code must belong to, where there is such a rule and a code.
fn group<'a>(row: &'a Row, property: &Property) -> Option<&'a str> {
    match &row.values[property.within?] {
        Value::Text(parent) => Some(parent),
        _ => None,
    }
}

fn joined(row: &Row, parts: &[usize]) -> Value {
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| match &row.values[*part] {
            Value::Text(text) if !text.trim().is_empty() => Some(text.trim()),
            _ => None,
        })
        .collect();
    if texts.is_empty() { Value::Null } else { Value::Text(texts.join(" ")) }
}
