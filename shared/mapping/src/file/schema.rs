//! The JSON Schema of a pair file, made from what `format` says.

use std::sync::LazyLock;

use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform},
};
use serde_json::Value;

use super::format::File;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<File>();
    RecursiveTransform(without_null).transform(&mut schema);
    let mut schema = schema.to_value();
    describe_literal(&mut schema);
    schema
});

/// The JSON Schema of a pair file, as text: for editors that complete and check TOML.
pub fn schema() -> String {
    format!("{:#}\n", *SCHEMA)
}

/// The schema, for what holds a file against it.
pub(super) fn document() -> &'static Value {
    &SCHEMA
}

/// What a key of the literal reading replaces is what it says.
fn describe_literal(schema: &mut Value) {
    let keys = schema["properties"].clone();
    let literal = schema.pointer_mut("/$defs/Literal/properties").and_then(Value::as_object_mut);
    for (name, key) in literal.into_iter().flatten() {
        key["description"] = keys[name]["description"].clone();
    }
}

/// TOML has no null: a key that need not be there is left out.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let Some(Value::Array(variants)) = schema.get_mut("anyOf") else { return };
    variants.retain(|variant| variant["type"] != "null");
    if let [Value::Object(only)] = variants.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        for (key, value) in only {
            if schema.get(&key).is_none() {
                schema.insert(key, value);
            }
        }
    }
}
