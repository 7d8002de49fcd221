//! The JSON Schema of a pair file, made from what `format` says.

use std::sync::LazyLock;

use serde_json::Value;

use super::format::File;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = files::document::<File>();
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
