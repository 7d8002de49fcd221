//! Paths, their operations and their parameters.

use serde_json::{Map, Value, json};

use super::answers::{Refusals, bad_request, headers_with};
use super::records::{Names, capitalised};
use super::{FILE, component, schema_of};
use crate::api::{
    BODY_BYTES_MAX, IDEMPOTENCY_KEY_PATTERN, IF_MATCH_PATTERN, LIMIT_DEFAULT, LIMIT_MAX, NEW_RECORD, PATCH,
};
use crate::schema::{Property, Schema, Search};

/// The parameters that collections share.
pub(super) fn parameters() -> Map<String, Value> {
    let query = |name: &str, schema: Value, description: &str| json!({ "name": name, "in": "query", "schema": schema, "description": description });
    let header = |name: &str, pattern: &str, description: &str| {
        json!({
            "name": name,
            "in": "header",
            "schema": { "type": "string", "pattern": pattern },
            "description": description,
        })
    };
    let time = json!({ "type": "string", "format": "date-time" });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT });
    let since = "Only records that were modified at or after this time.";
    let cursor = "Where to go on: next_cursor of the page before, with the same filters and include_deleted.";
    let deleted = "Tombstones of the last 90 days too.";
    let key = "The same key gives the first answer again for 24 hours, and none to another body.";
    let version = "Only if the record still has this version.";
    [
        ("Id", json!({ "name": "id", "in": "path", "required": true, "schema": schema_of("Id") })),
        ("UpdatedSince", query("updated_since", time, since)),
        ("Limit", query("limit", limit, "The most records of a page.")),
        ("Cursor", query("cursor", json!({ "type": "string" }), cursor)),
        ("IncludeDeleted", query("include_deleted", json!({ "type": "boolean", "default": false }), deleted)),
        ("IdempotencyKey", header("Idempotency-Key", IDEMPOTENCY_KEY_PATTERN, key)),
        ("IfMatch", header("If-Match", IF_MATCH_PATTERN, version)),
    ]
    .map(|(name, parameter)| (name.to_owned(), parameter))
    .into_iter()
    .collect()
}

/// All paths.
pub(super) fn paths(schemas: &[&Schema]) -> Map<String, Value> {
    let mut paths = Map::new();
    paths.insert("/me".to_owned(), json!({ "get": me() }));
    paths.insert(format!("/{FILE}"), json!({ "get": description() }));
    for schema in schemas {
        let names = Names::of(schema);
        paths.insert(
            format!("/{}", schema.collection),
            json!({ "get": list(schema, &names), "post": create(schema, &names) }),
        );
        paths.insert(
            format!("/{}/{{id}}", schema.collection),
            json!({
                "parameters": [component("parameters", "Id")],
                "get": read(schema, &names),
                "patch": change(schema, &names),
                "delete": delete(schema),
            }),
        );
    }
    paths
}

fn me() -> Value {
    operation(
        "readMe",
        "The user of the token.",
        Refusals::default(),
        "200",
        json_answer("The user.", "Me", &[]),
    )
}

fn description() -> Value {
    json!({
        "operationId": "readDescription",
        "summary": "This description.",
        "security": [],
        "responses": {
            "200": {
                "description": "The description in OpenAPI 3.1.",
                "content": { "application/json": { "schema": { "type": "object" } } },
            },
            "400": bad_request(),
        },
    })
}

fn list(schema: &Schema, names: &Names) -> Value {
    let shared =
        ["UpdatedSince", "Limit", "Cursor", "IncludeDeleted"].map(|name| component("parameters", name));
    let searchable = schema.properties.iter().filter(|property| property.search != Search::No);
    let filters = std::iter::once("Id").chain(searchable.map(Property::name)).map(|property| {
        json!({
            "name": format!("filter[{property}]"),
            "in": "query",
            "schema": { "type": "string" },
            "description": format!("Only records with this {property}, whatever the case."),
        })
    });
    let parameters: Vec<Value> = shared.into_iter().chain(filters).collect();
    let answer = json_answer("A page in the order of ModifiedAt and Id.", &names.page, &[]);
    let id = format!("list{}", capitalised(schema.collection));
    let mut operation = operation(&id, "Records, page by page.", Refusals::default(), "200", answer);
    operation["parameters"] = json!(parameters);
    tagged(schema, operation)
}

fn create(schema: &Schema, names: &Names) -> Value {
    let refusals =
        Refusals { of_body: true, of_unique_value: has_unique_value(schema), ..Refusals::default() };
    let mut answer = json_answer("The new record.", &names.record, &["ETag"]);
    answer["links"] = links(names);
    let id = format!("create{}", names.record);
    let mut operation = operation(&id, "Adds a record.", refusals, "201", answer);
    operation["parameters"] = json!([component("parameters", "IdempotencyKey")]);
    operation["requestBody"] = body(&NEW_RECORD, &names.new);
    tagged(schema, operation)
}

fn read(schema: &Schema, names: &Names) -> Value {
    let refusals = Refusals { of_record: true, ..Refusals::default() };
    let answer = json_answer("The record.", &names.record, &["ETag"]);
    tagged(schema, operation(&format!("read{}", names.record), "A record.", refusals, "200", answer))
}

fn change(schema: &Schema, names: &Names) -> Value {
    let refusals = Refusals {
        of_record: true,
        of_version: true,
        of_body: true,
        of_unique_value: has_unique_value(schema),
    };
    let answer = json_answer("The record as it is now.", &names.record, &["ETag"]);
    let id = format!("change{}", names.record);
    let mut operation =
        operation(&id, "Changes a record by a merge patch (RFC 7396).", refusals, "200", answer);
    operation["parameters"] = json!([component("parameters", "IfMatch")]);
    operation["requestBody"] = body(&PATCH, &names.patch);
    tagged(schema, operation)
}

fn delete(schema: &Schema) -> Value {
    let refusals = Refusals { of_record: true, of_version: true, ..Refusals::default() };
    let answer = json!({ "description": "It is deleted.", "headers": headers_with(&[]) });
    let id = format!("delete{}", capitalised(schema.entity));
    let mut operation = operation(&id, "Deletes a record.", refusals, "204", answer);
    operation["parameters"] = json!([component("parameters", "IfMatch")]);
    tagged(schema, operation)
}

fn operation(id: &str, summary: &str, refusals: Refusals, status: &str, answer: Value) -> Value {
    let mut responses = refusals.responses();
    responses.insert(status.to_owned(), answer);
    json!({ "operationId": id, "summary": summary, "responses": responses })
}

fn tagged(schema: &Schema, mut operation: Value) -> Value {
    operation["tags"] = json!([schema.collection]);
    operation
}

fn json_answer(description: &str, schema: &str, headers: &[&str]) -> Value {
    json!({
        "description": description,
        "headers": headers_with(headers),
        "content": { "application/json": { "schema": schema_of(schema) } },
    })
}

fn body(media_types: &[&str], schema: &str) -> Value {
    let content: Map<String, Value> = media_types
        .iter()
        .map(|media_type| ((*media_type).to_owned(), json!({ "schema": schema_of(schema) })))
        .collect();
    json!({
        "required": true,
        "content": content,
        "description": format!("At most {BODY_BYTES_MAX} bytes."),
    })
}

/// What can be done to a record that was just created.
fn links(names: &Names) -> Value {
    ["read", "change", "delete"]
        .map(|verb| {
            let link = json!({
                "operationId": format!("{verb}{}", names.record),
                "parameters": { "id": "$response.body#/Id" },
            });
            (verb.to_owned(), link)
        })
        .into_iter()
        .collect()
}

fn has_unique_value(schema: &Schema) -> bool {
    schema.properties.iter().any(|property| property.search == Search::Unique)
}
