//! What is posted to those who want to be told.

use serde_json::{Map, Value, json};

use super::records::object;
use super::schema_of;
use crate::schema::Schema;
use crate::webhooks::{ACTIONS, SIGNATURE_PATTERN};

/// One webhook for each entity and what happens to it.
pub(super) fn all(schemas: &[&Schema]) -> Map<String, Value> {
    let mut all = Map::new();
    for schema in schemas {
        for action in ACTIONS {
            let r#type = format!("{}.{action}", schema.entity);
            all.insert(r#type.clone(), json!({ "post": operation(schema, &r#type) }));
        }
    }
    all
}

fn operation(schema: &Schema, r#type: &str) -> Value {
    let header = |name: &str, schema: Value| json!({ "name": name, "in": "header", "required": true, "schema": schema });
    let body = object(
        [
            ("type", json!({ "const": r#type })),
            ("timestamp", json!({ "type": "string", "format": "date-time" })),
            ("data", object([("id", schema_of("Id"))], true)),
        ],
        true,
    );
    json!({
        "summary": "At least once, in no order, sometimes never.",
        "tags": [schema.collection],
        "security": [],
        "parameters": [
            header("webhook-id", json!({ "type": "string" })),
            header("webhook-timestamp", json!({ "type": "integer" })),
            header("webhook-signature", json!({ "type": "string", "pattern": SIGNATURE_PATTERN })),
        ],
        "requestBody": { "required": true, "content": { "application/json": { "schema": body } } },
        "responses": {
            "2XX": { "description": "It is taken." },
            "default": { "description": "It is not taken, and comes again a few times." },
        },
    })
}
