//! Schemas of what is sent and answered of records.

use serde_json::{Map, Value, json};

use super::schema_of;
use crate::change::DELETED;
use crate::records::ID_PATTERN;
use crate::schema::{Kind, LINE_ID, LINE_NUMBER, LINES, Presence, Property, Schema};
use crate::value::{LONG_TEXT_BYTES_MAX, TEXT_CHARACTERS_MAX};

/// A text with a visible character. What is blank is what Unicode calls white space.
const NOT_BLANK: &str =
    r"[^\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]";

/// The names of a collection's schemas.
pub(super) struct Names {
    pub(super) record: String,
    pub(super) new: String,
    pub(super) patch: String,
    pub(super) page: String,
    line: String,
    new_line: String,
    changed_line: String,
}

impl Names {
    pub(super) fn of(schema: &Schema) -> Self {
        let entity = capitalised(schema.entity);
        Self {
            new: format!("New{entity}"),
            patch: format!("{entity}Patch"),
            page: format!("{entity}Page"),
            line: format!("{entity}Line"),
            new_line: format!("New{entity}Line"),
            changed_line: format!("Changed{entity}Line"),
            record: entity,
        }
    }
}

pub(super) fn capitalised(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// What the records of all collections have in common.
pub(super) fn common() -> Map<String, Value> {
    let tombstone = object(
        [
            ("Id", schema_of("Id")),
            ("IsDeleted", json!({ "const": true })),
            ("ModifiedAt", time()),
            ("Version", version()),
        ],
        true,
    );
    let me = object(
        [
            ("Id", schema_of("Id")),
            ("FullName", json!({ "type": ["string", "null"] })),
            ("Email", json!({ "type": "string" })),
        ],
        true,
    );
    let id = json!({ "type": "string", "pattern": ID_PATTERN });
    [("Id", id), ("Tombstone", tombstone), ("Me", me)]
        .map(|(name, schema)| (name.to_owned(), schema))
        .into_iter()
        .collect()
}

/// The schemas of a collection.
pub(super) fn of(schema: &Schema, names: &Names) -> Vec<(String, Value)> {
    let item = json!({ "anyOf": [schema_of(&names.record), schema_of("Tombstone")] });
    let page = object(
        [
            ("data", json!({ "type": "array", "items": item })),
            (
                "next_cursor",
                json!({ "type": ["string", "null"], "description": "Leads to the next page; null on the last." }),
            ),
        ],
        true,
    );
    let mut all = vec![
        (names.record.clone(), record(schema, names)),
        (names.new.clone(), new(schema, names)),
        (names.patch.clone(), patch(schema, names)),
        (names.page.clone(), page),
    ];
    if let Some(properties) = schema.lines {
        all.extend([
            (names.line.clone(), line(properties)),
            (names.new_line.clone(), new_line(properties)),
            (names.changed_line.clone(), changed_line(properties)),
        ]);
    }
    all
}

fn record(schema: &Schema, names: &Names) -> Value {
    let mut members = vec![("Id", schema_of("Id"))];
    members.extend(schema.properties.iter().map(|property| (property.name(), answered(property))));
    if schema.lines.is_some() {
        members.push((LINES, json!({ "type": "array", "minItems": 1, "items": schema_of(&names.line) })));
    }
    members.extend([
        ("CreatedAt", time()),
        ("ModifiedBy", schema_of("Id")),
        ("ModifiedAt", time()),
        ("Version", version()),
        ("IsDeleted", json!({ "const": false })),
    ]);
    object(members, true)
}

fn line(properties: &[Property]) -> Value {
    let mut members = vec![(LINE_ID, json!({ "type": "string" }))];
    members.extend(properties.iter().map(|property| match property.name() {
        LINE_NUMBER => (LINE_NUMBER, typed(property.kind(), false)),
        name => (name, answered(property)),
    }));
    object(members, true)
}

fn new(schema: &Schema, names: &Names) -> Value {
    let lines = json!({ "type": "array", "minItems": 1, "items": schema_of(&names.new_line) });
    new_object(schema.properties, schema.lines.map(|_| (LINES, lines)))
}

/// What is sent to add a record or a line; the members besides its properties are required.
fn new_object(properties: &[Property], members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let besides: Vec<_> = members.into_iter().collect();
    let required: Vec<&str> = properties
        .iter()
        .filter(|property| property.presence == Presence::Required)
        .map(Property::name)
        .chain(besides.iter().map(|(name, _)| *name))
        .collect();
    let mut object = object(sent(properties).chain(besides), false);
    object["required"] = json!(required);
    let choices: Vec<Value> = properties.iter().filter_map(choice).collect();
    if !choices.is_empty() {
        object["allOf"] = json!(choices);
    }
    object
}

/// A line without an id, which adds it. Both members may say in so many words that they say nothing.
fn new_line(properties: &[Property]) -> Value {
    let mut object = new_object(properties, []);
    object["properties"][LINE_ID] = json!({ "type": "null" });
    object["properties"][DELETED] = json!({ "type": ["boolean", "null"], "enum": [false, null] });
    object
}

/// That a property is needed unless another is there.
fn choice(property: &Property) -> Option<Value> {
    let Presence::RequiredUnless(other) = property.presence else { return None };
    let given = |name: &str| json!({ "required": [name], "properties": { name: { "type": "string", "pattern": NOT_BLANK } } });
    Some(json!({ "anyOf": [given(property.name()), given(other)] }))
}

fn patch(schema: &Schema, names: &Names) -> Value {
    let item = json!({ "anyOf": [schema_of(&names.changed_line), schema_of(&names.new_line)] });
    let lines = json!({
        "type": "array",
        "items": item,
        "description": "Items with LineId change or remove a line, the others add one; lines that are not named stay.",
    });
    object(sent(schema.properties).chain(schema.lines.map(|_| (LINES, lines))), false)
}

fn changed_line(properties: &[Property]) -> Value {
    let besides = [
        (LINE_ID, json!({ "type": "string", "maxLength": TEXT_CHARACTERS_MAX })),
        (DELETED, json!({ "type": ["boolean", "null"], "description": "true removes the line." })),
    ];
    let mut object = object(sent(properties).chain(besides), false);
    object["required"] = json!([LINE_ID]);
    object
}

/// What callers write, null where that clears a property.
fn sent(properties: &[Property]) -> impl Iterator<Item = (&'static str, Value)> {
    properties.iter().filter(|property| property.presence != Presence::ReadOnly).map(|property| {
        let is_required = property.presence == Presence::Required;
        let mut schema = typed(property.kind(), !is_required);
        if is_required && matches!(property.kind(), Kind::Text | Kind::LongText) {
            schema["pattern"] = json!(NOT_BLANK);
        }
        (property.name(), schema)
    })
}

/// What is answered: null where nothing was ever set.
fn answered(property: &Property) -> Value {
    let is_set = property.presence == Presence::Required || property.initial.is_some();
    typed(property.kind(), !is_set)
}

fn typed(kind: Kind, is_nullable: bool) -> Value {
    let mut schema = match kind {
        Kind::Text => json!({ "type": "string", "maxLength": TEXT_CHARACTERS_MAX }),
        Kind::LongText => json!({
            "type": "string",
            "maxLength": LONG_TEXT_BYTES_MAX,
            "description": format!("At most {LONG_TEXT_BYTES_MAX} bytes of UTF-8."),
        }),
        Kind::Decimal => json!({
            "type": "number",
            "exclusiveMinimum": -1e28,
            "exclusiveMaximum": 1e28,
            "description": "Kept exactly; at most 28 significant digits and 28 decimal places.",
        }),
        Kind::Integer => {
            json!({ "type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX })
        }
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Timestamp => time(),
        Kind::Enumeration(values) => json!({ "type": "string", "enum": values }),
        Kind::Reference(target) => json!({
            "type": "string",
            "pattern": ID_PATTERN,
            "description": format!("The id of a record of {target}."),
        }),
    };
    if is_nullable {
        schema["type"] = json!([schema["type"], "null"]);
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
    }
    schema
}

fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn version() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 1 })
}

/// An object with these members and no others.
pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Value)>, is_complete: bool) -> Value {
    let properties: Map<String, Value> =
        members.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut object = json!({ "type": "object", "additionalProperties": false });
    if is_complete {
        object["required"] = properties.keys().cloned().collect();
    }
    object["properties"] = Value::Object(properties);
    object
}
