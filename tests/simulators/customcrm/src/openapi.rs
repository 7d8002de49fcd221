//! The API's description in OpenAPI 3.1, made from the schemas that records are checked against.

mod answers;
mod operations;
mod records;
mod webhooks;

use serde_json::{Map, Value, json};

use crate::schema::Schema;
use records::Names;

/// The path of the description below the base path.
pub(crate) const FILE: &str = "openapi.json";

/// The description of an API that serves these collections.
pub fn document(schemas: &[&Schema]) -> Value {
    let mut schemas = schemas.to_vec();
    schemas.sort_by_key(|schema| schema.collection);
    let tags: Vec<Value> = schemas.iter().map(|schema| json!({ "name": schema.collection })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "CustomCRM",
            "version": "1.0.0",
            "description": "Records of a CRM as JSON. Every answer that refuses a call is a problem document \
                (RFC 9457). A path is answered with 405 and an Allow header to methods that are not described, and a \
                query parameter that is not described with 400.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": crate::api::BASE_PATH }],
        "security": [{ "token": [] }],
        "tags": tags,
        "paths": operations::paths(&schemas),
        "webhooks": webhooks::all(&schemas),
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": all_schemas(&schemas),
            "parameters": operations::parameters(),
            "headers": answers::headers(),
            "responses": answers::refusals(),
        },
    })
}

fn all_schemas(schemas: &[&Schema]) -> Map<String, Value> {
    let mut all = records::common();
    all.extend(answers::schemas());
    for schema in schemas {
        all.extend(records::of(schema, &Names::of(schema)));
    }
    all
}

/// A reference to a component.
fn component(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// A reference to a schema.
fn schema_of(name: &str) -> Value {
    component("schemas", name)
}
