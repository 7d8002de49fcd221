//! Creating, changing and deleting records by the rules of their table.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::answer::{Language, Refused};
use crate::codes;
use crate::database::{Context, Database, Key, Row};
use crate::edm::{Edm, Value};
use crate::schema::{Access, Endpoint, Property, ServerValue, Shape, shape_of};
use crate::settings::Rendition;

/// The values that a request names, by position.
type Named = BTreeMap<usize, Value>;

impl Database {
    /// Creates a record from the body of a request.
    pub(crate) fn create(
        &mut self,
        endpoint: &Endpoint,
        body: &str,
        context: &Context<'_>,
    ) -> Result<Key, Refused> {
        let shape = shape_of(endpoint.table);
        let mut named = read_body(shape, body, true, context)?;
        for (position, property) in shape.properties.iter().enumerate() {
            if let Some(default) = &property.default {
                let value = Value::from_json(default, property.edm, context.zone)
                    .expect("defaults in the tables are values of their type");
                named.entry(position).or_insert(value);
            }
        }
        let id = Uuid::new_v4();
        let mut row = Row {
            division: Some(context.division),
            written_at: context.now,
            timestamp: 0,
            values: vec![Value::Null; shape.properties.len()],
        };
        row.values[shape.key] = Value::Guid(id);
        self.settle(shape, &mut row, named, true, context)?;
        stamp(shape, &mut row, true, context);
        self.store(endpoint.table, Key::Guid(id), row);
        Ok(Key::Guid(id))
    }

    /// Changes the properties that the body of a request names and leaves all others as they are.
    pub(crate) fn change(
        &mut self,
        endpoint: &Endpoint,
        key: Key,
        body: &str,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        let shape = shape_of(endpoint.table);
        let mut row = self
            .find(endpoint.table, key, context.division)
            .cloned()
            .ok_or_else(|| Refused::not_found(endpoint.path))?;
        let named = read_body(shape, body, false, context)?;
        self.settle(shape, &mut row, named, false, context)?;
        row.written_at = context.now;
        stamp(shape, &mut row, false, context);
        self.store(endpoint.table, key, row);
        Ok(())
    }

    /// Deletes a record that no other one refers to, and says so in the feed of deleted records.
    pub(crate) fn remove(
        &mut self,
        endpoint: &Endpoint,
        key: Key,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        let shape = shape_of(endpoint.table);
        if self.find(endpoint.table, key, context.division).is_none() {
            return Err(Refused::not_found(endpoint.path));
        }
        if let Some(user) = self.used_in(shape, key) {
            let language = context.switches.language;
            let text = format!(
                "{}: {} - {}: {}s",
                language.pick("Cannot delete", "Kan niet verwijderen"),
                language.pick(shape.labels[0], shape.labels[1]),
                language.pick("Used in", "Gebruikt in"),
                language.pick(user.labels[0], user.labels[1]),
            );
            return Err(Refused::business(&[text]));
        }
        self.take(endpoint.table, key);
        if let (Some(number), Key::Guid(id)) = (shape.deleted_type, key) {
            self.log_deleted(number, id, context);
        }
        Ok(())
    }

    fn log_deleted(&mut self, entity_type: i64, id: Uuid, context: &Context<'_>) {
        let row = fill(
            shape_of("deleted"),
            Some(context.division),
            context.now,
            &[
                ("ID", Value::Guid(Uuid::new_v4())),
                ("EntityKey", Value::Guid(id)),
                ("EntityType", Value::Integer(entity_type)),
                ("DeletedBy", Value::Guid(context.user)),
                ("DeletedDate", Value::DateTime(context.wall_clock())),
                ("Division", Value::Integer(i64::from(context.division))),
            ],
        );
        self.store("deleted", Key::Number(0), row);
    }

    /// A table that holds a reference to this record.
    fn used_in(&self, shape: &Shape, key: Key) -> Option<&'static Shape> {
        let refers = |property: &Property| property.reference.as_deref() == Some(shape.name);
        self.tables.values().find_map(|table| {
            let positions: Vec<usize> =
                (0..table.shape.properties.len()).filter(|at| refers(&table.shape.properties[*at])).collect();
            let used = table
                .rows
                .iter()
                .filter(|(other, _)| **other != key || table.shape.name != shape.name)
                .any(|(_, row)| positions.iter().any(|at| Key::of(&row.values[*at]) == Some(key)));
            used.then_some(table.shape)
        })
    }

    /// Puts the named values into the row if all rules hold; else tells every rule that does not.
    fn settle(
        &self,
        shape: &Shape,
        row: &mut Row,
        named: Named,
        creating: bool,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        for (position, value) in &named {
            let property = &shape.properties[*position];
            row.values[*position] = rendered(property, value.clone(), context);
        }
        let mut messages = Vec::new();
        for (position, property) in shape.properties.iter().enumerate() {
            if creating && property.assigned && row.values[position] == Value::Null {
                row.values[position] = self.next_number(shape, position, property, context.division);
            }
            let touched = named.contains_key(&position)
                || property.within.is_some_and(|within| named.contains_key(&within))
                || (creating && property.mandatory);
            if touched {
                messages.extend(self.fault(shape, row, position, creating, context));
            }
        }
        if !messages.is_empty() {
            return Err(Refused::business(&messages));
        }
        if self.is_duplicate(shape, row, context.division) {
            let text = context.switches.language.pick("Data already exists", "Gegeven bestaat reeds.");
            return Err(Refused::business(&[text.to_owned()]));
        }
        Ok(())
    }

    /// What is wrong with the value of a property. An unknown code of a lenient property is emptied instead.
    fn fault(
        &self,
        shape: &Shape,
        row: &mut Row,
        position: usize,
        creating: bool,
        context: &Context<'_>,
    ) -> Option<String> {
        let property = &shape.properties[position];
        let say =
            |english: &str, dutch: &str| Some(message(context.switches.language, property, english, dutch));
        let value = &row.values[position];
        let empty = match value {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            _ => false,
        };
        if empty {
            let needed = property.mandatory || !property.nullable || (property.assigned && !creating);
            return if needed { say("Mandatory", "Verplicht") } else { None };
        }
        if let (Value::Guid(guid), Some(table)) = (value, &property.reference) {
            let known = self.find(table, Key::Guid(*guid), context.division).is_some();
            return if known { None } else { say("Invalid reference", "Ongeldige referentie") };
        }
        let Value::Text(text) = value else { return None };
        // Lengths come from another vendor's model of the service, and these texts are inferred: no source shows
        // what the service answers to a text that is too long.
        if property.max_length.is_some_and(|most| text.chars().count() > most) {
            return say("Too long", "Te lang");
        }
        if !property.one_of.is_empty() && !property.one_of.contains(text) {
            return say("Invalid", "Ongeldig");
        }
        if property.padded.is_some() && !text.trim_start().bytes().all(|byte| byte.is_ascii_digit()) {
            return say("Invalid", "Ongeldig");
        }
        let list = property.list.as_deref()?;
        let parent = property.within.map(|within| match &row.values[within] {
            Value::Text(parent) => parent.as_str(),
            _ => "",
        });
        if codes::find(list, text, parent).is_some() {
            None
        } else if property.lenient {
            row.values[position] = Value::Null;
            None
        } else {
            say("Invalid reference", "Ongeldige referentie")
        }
    }

    fn is_duplicate(&self, shape: &Shape, row: &Row, division: i32) -> bool {
        let own = Key::of(&row.values[shape.key]);
        let taken = |at: usize| match &row.values[at] {
            Value::Text(text) => {
                let holder = self.table(shape.name).by_text.get(&(Some(division), at, text.clone()));
                holder.is_some_and(|holder| Some(*holder) != own)
            }
            _ => false,
        };
        (0..shape.properties.len()).any(|at| shape.properties[at].unique && taken(at))
    }

    /// The highest number used plus one. Numbers of one width sort as their texts do.
    fn next_number(&self, shape: &Shape, position: usize, property: &Property, division: i32) -> Value {
        let used = &self.table(shape.name).by_text;
        let at = |text: String| (Some(division), position, text);
        let highest = used.range(at(String::new())..at(char::MAX.to_string())).next_back();
        let mut number =
            highest.and_then(|((_, _, code), _)| code.trim().parse::<u64>().ok()).unwrap_or(0) + 1;
        while used.contains_key(&at(padded(property, number.to_string()))) {
            number += 1;
        }
        Value::Text(padded(property, number.to_string()))
    }
}

/// A row of a table with these values and nothing else.
pub(crate) fn fill(shape: &Shape, division: Option<i32>, now: i64, values: &[(&str, Value)]) -> Row {
    let mut row =
        Row { division, written_at: now, timestamp: 0, values: vec![Value::Null; shape.properties.len()] };
    for (name, value) in values {
        let position = shape.position(name).expect("the simulator fills properties that exist");
        row.values[position] = value.clone();
    }
    row
}

fn message(language: Language, property: &Property, english: &str, dutch: &str) -> String {
    format!("{}: {}", language.pick(english, dutch), language.pick(&property.english, &property.dutch))
}

fn padded(property: &Property, text: String) -> String {
    property.padded.map_or(text.clone(), |width| format!("{text:>width$}"))
}

/// The value as the service stores it.
fn rendered(property: &Property, value: Value, context: &Context<'_>) -> Value {
    let Value::Text(mut text) = value else { return value };
    if let Some(rendition) = context.renditions.get(&property.name) {
        text = rendition.apply(&text);
    }
    if property.padded.is_some() {
        text = Rendition::Trim.apply(&text);
    }
    if text.is_empty() && context.switches.empty_text_is_null {
        return Value::Null;
    }
    Value::Text(padded(property, text))
}

fn stamp(shape: &Shape, row: &mut Row, creating: bool, context: &Context<'_>) {
    for (position, property) in shape.properties.iter().enumerate() {
        let value = match property.server {
            Some(ServerValue::Created) if creating => Value::DateTime(context.wall_clock()),
            Some(ServerValue::Creator) if creating => Value::Guid(context.user),
            Some(ServerValue::Division) if creating => Value::Integer(i64::from(context.division)),
            Some(ServerValue::Modified) => Value::DateTime(context.wall_clock()),
            Some(ServerValue::Modifier) => Value::Guid(context.user),
            _ => continue,
        };
        row.values[position] = value;
    }
}

/// Reads the body of a write. Its form is judged before the rules of the business: first 400, then 500.
fn read_body(shape: &Shape, body: &str, creating: bool, context: &Context<'_>) -> Result<Named, Refused> {
    let properties: BTreeMap<String, &RawValue> = serde_json::from_str(body).map_err(|_| {
        Refused::new(
            400,
            "Error processing request stream. The request should be a valid top-level resource object.",
        )
    })?;
    let mut named = Named::new();
    let mut messages = Vec::new();
    for (name, raw) in properties.iter().filter(|(name, _)| *name != "__metadata") {
        // The text is that of the framework under the service (inferred).
        let position =
            shape.position(name).filter(|at| shape.properties[*at].name != "Timestamp").ok_or_else(|| {
                Refused::new(
                    400,
                    format!(
                        "Error processing request stream. The property name '{name}' specified is not valid."
                    ),
                )
            })?;
        let property = &shape.properties[position];
        let writable = match property.access {
            Access::Always => true,
            Access::CreateOnly => creating,
            Access::Never => false,
        };
        if property.edm == Edm::Navigation || (!writable && !property.tolerated) {
            messages.push(message(context.switches.language, property, "Invalid", "Ongeldig"));
            continue;
        }
        let value = Value::from_json(raw.get(), property.edm, context.zone)
            .ok_or_else(|| unreadable(&property.name, property.edm))?;
        if writable {
            named.insert(position, value);
        }
    }
    if messages.is_empty() { Ok(named) } else { Err(Refused::business(&messages)) }
}

fn unreadable(name: &str, edm: Edm) -> Refused {
    let edm = edm.message_name();
    Refused::new(
        400,
        format!(
            "Error processing request stream. Error encountered in converting the value from request payload for \
             property '{name}' to type '{edm}', which is the property's expected type. See inner exception for more \
             detail."
        ),
    )
}
