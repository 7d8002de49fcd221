//! Refusals and headers of answers.

use serde_json::{Map, Value, json};

use super::records::object;
use super::{component, schema_of};
use crate::problem::ProblemKind;

/// A status, the name of its response, and all that can be meant by it.
type Refusal = (&'static str, &'static [ProblemKind]);

/// The refusals that are described, by status.
const REFUSALS: [Refusal; 11] = [
    ("BadRequest", &[ProblemKind::BadRequest]),
    ("Unauthorized", &[ProblemKind::Unauthorized]),
    ("Forbidden", &[ProblemKind::Forbidden]),
    ("NotFound", &[ProblemKind::NotFound]),
    ("Conflict", &[ProblemKind::Conflict]),
    ("Gone", &[ProblemKind::Gone]),
    ("Stale", &[ProblemKind::Stale]),
    ("TooLarge", &[ProblemKind::TooLarge]),
    ("NotJson", &[ProblemKind::NotJson]),
    ("Invalid", &[ProblemKind::Invalid, ProblemKind::KeyReused]),
    ("TooManyCalls", &[ProblemKind::TooManyCalls]),
];

/// What a call may be refused with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Refusals {
    /// It names a record.
    pub(super) of_record: bool,
    /// It may say which version it knows.
    pub(super) of_version: bool,
    /// It has a body that is stored.
    pub(super) of_body: bool,
    /// A value that it writes may be another record's.
    pub(super) of_unique_value: bool,
}

impl Refusals {
    /// The refusals as the responses of an operation.
    pub(super) fn responses(self) -> Map<String, Value> {
        let may_come = |kind: ProblemKind| match kind {
            ProblemKind::NotFound | ProblemKind::Gone => self.of_record,
            ProblemKind::Stale => self.of_version,
            ProblemKind::TooLarge | ProblemKind::NotJson | ProblemKind::Invalid | ProblemKind::KeyReused => {
                self.of_body
            }
            ProblemKind::Conflict => self.of_unique_value,
            _ => true,
        };
        let mut responses: Map<String, Value> = REFUSALS
            .iter()
            .filter(|(_, kinds)| may_come(kinds[0]))
            .map(|(name, kinds)| (kinds[0].status().as_u16().to_string(), component("responses", name)))
            .collect();
        responses.insert("5XX".to_owned(), component("responses", "ServerError"));
        responses
    }
}

/// The response of a call without a token that has a query.
pub(super) fn bad_request() -> Value {
    let mut response = refusal(&[ProblemKind::BadRequest]);
    if let Some(members) = response.as_object_mut() {
        members.remove("headers");
    }
    response
}

/// The responses that operations share.
pub(super) fn refusals() -> Map<String, Value> {
    let mut all: Map<String, Value> =
        REFUSALS.iter().map(|(name, kinds)| ((*name).to_owned(), refusal(kinds))).collect();
    let server_error = json!({
        "description": "The CRM failed. Whether the call was performed is not known.",
        "content": problem(schema_of("Problem")),
    });
    all.insert("ServerError".to_owned(), server_error);
    all
}

fn refusal(kinds: &[ProblemKind]) -> Value {
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
    let types: Vec<String> = kinds.iter().map(|kind| kind.type_uri()).collect();
    let exactly = json!({
        "properties": {
            "type": { "enum": types },
            "title": { "enum": titles },
            "status": { "const": kinds[0].status().as_u16() },
        },
    });
    let headers = match kinds[0] {
        ProblemKind::Unauthorized => header_references(&["WWW-Authenticate"]),
        ProblemKind::Forbidden => header_references(&[]),
        ProblemKind::TooManyCalls => headers_with(&["Retry-After"]),
        _ => headers_with(&[]),
    };
    json!({
        "description": titles.join(", or: "),
        "headers": headers,
        "content": problem(json!({ "allOf": [schema_of("Problem"), exactly] })),
    })
}

fn problem(schema: Value) -> Value {
    json!({ "application/problem+json": { "schema": schema } })
}

/// The headers of an answer to a known caller: these, and those that tell what is left.
pub(super) fn headers_with(names: &[&str]) -> Value {
    let mut all = vec!["RateLimit", "RateLimit-Policy"];
    all.extend(names);
    header_references(&all)
}

fn header_references(names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), component("headers", name))).collect()
}

/// The headers that answers share; each is always there where it is described.
pub(super) fn headers() -> Map<String, Value> {
    [
        (
            "ETag",
            "The version of the record, in quotes.",
            json!({ "type": "string", "pattern": "^\"[1-9][0-9]*\"$" }),
        ),
        (
            "RateLimit",
            "How many calls are left, and for how many seconds.",
            json!({ "type": "string", "pattern": "^\"default\";r=[0-9]+;t=[0-9]+$" }),
        ),
        (
            "RateLimit-Policy",
            "How many calls are allowed in how many seconds.",
            json!({ "type": "string", "pattern": "^\"default\";q=[0-9]+;w=[0-9]+$" }),
        ),
        ("Retry-After", "After how many seconds to call again.", json!({ "type": "integer", "minimum": 0 })),
        ("WWW-Authenticate", "That a bearer token is asked for.", json!({ "const": "Bearer" })),
    ]
    .into_iter()
    .map(|(name, description, schema)| {
        (name.to_owned(), json!({ "description": description, "required": true, "schema": schema }))
    })
    .collect()
}

/// The schemas of refusals.
pub(super) fn schemas() -> Map<String, Value> {
    let text = || json!({ "type": "string", "minLength": 1 });
    let property_error = object([("property", json!({ "type": "string" })), ("message", text())], true);
    let mut problem = object(
        [
            ("type", json!({ "type": "string", "format": "uri" })),
            ("title", text()),
            ("status", json!({ "type": "integer", "minimum": 400, "maximum": 599 })),
            ("detail", text()),
            ("errors", json!({ "type": "array", "items": schema_of("PropertyError") })),
        ],
        true,
    );
    problem["properties"]["duplicateId"] = json!({ "$ref": "#/components/schemas/Id", "description": "The record that holds the unique value." });
    [("Problem", problem), ("PropertyError", property_error)]
        .map(|(name, schema)| (name.to_owned(), schema))
        .into_iter()
        .collect()
}
