//! The calls of the default API.

use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use bytes::Bytes;

use crate::cursor;
use crate::document::{Document, write_text};
use crate::idempotency::{Fingerprint, Known};
use crate::openapi;
use crate::problem::{Answer, Problem, ProblemKind};
use crate::record::Record;
use crate::schema::Schema;
use crate::state::State;

use super::precondition::check_version;
use super::{Call, PageFault, query};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The keys that can be read.
pub(crate) const IDEMPOTENCY_KEY_PATTERN: &str = "^[!-~]{1,255}$";
/// The media types of a new record.
pub(crate) const NEW_RECORD: [&str; 1] = ["application/json"];
/// The media types of a patch.
pub(crate) const PATCH: [&str; 2] = ["application/merge-patch+json", "application/json"];

/// Performs a call of a known user.
pub(super) fn perform(
    state: &mut State,
    call: &Call,
    user_id: &str,
    page_fault: Option<PageFault>,
) -> Result<Answer, Problem> {
    match (call.segments().as_slice(), &call.method) {
        (["me"], &Method::GET) => query::none(&call.uri).and_then(|()| me(state, user_id)),
        (["me" | openapi::FILE], _) => Err(not_allowed("GET")),
        ([collection], method) => {
            state.records.collection(collection)?;
            match *method {
                Method::GET => list(state, call, collection, page_fault),
                Method::POST => {
                    query::none(&call.uri)?;
                    create(state, call, user_id, collection)
                }
                _ => Err(not_allowed("GET, POST")),
            }
        }
        ([collection, id], method) => {
            state.records.collection(collection)?;
            let perform = match *method {
                Method::GET => read,
                Method::PATCH => patch,
                Method::DELETE => delete,
                _ => return Err(not_allowed("GET, PATCH, DELETE")),
            };
            query::none(&call.uri)?;
            perform(state, call, user_id, collection, id)
        }
        _ => Err(Problem::new(ProblemKind::NotFound, format!("nothing is served at {}", call.uri.path()))),
    }
}

/// The description of the API, which nobody needs a token for.
pub(super) fn describe(state: &State, call: &Call) -> Result<Answer, Problem> {
    query::none(&call.uri)?;
    let schemas: Vec<&Schema> = state.records.collections().map(|collection| collection.schema).collect();
    Ok(Answer::json(StatusCode::OK, openapi::document(&schemas).to_string()))
}

fn me(state: &State, user_id: &str) -> Result<Answer, Problem> {
    let (_, user) = state.records.find("users", user_id)?;
    let body = serde_json::json!({
        "Id": user.id, "FullName": user.text("FullName"), "Email": user.text("Email"),
    });
    Ok(Answer::json(StatusCode::OK, body.to_string()))
}

fn list(state: &mut State, call: &Call, name: &str, fault: Option<PageFault>) -> Result<Answer, Problem> {
    let now = state.records.clock.now();
    let collection = state.records.collection(name)?;
    let listing = query::read(collection.schema, &call.uri, now)?;
    let (mut records, mut next) = collection.page(&listing);
    match (fault, records.first()) {
        (Some(PageFault::Repeated), Some(first)) => {
            // No record has an empty id: right behind this place comes the first one.
            let before = || (first.modified_at, String::new());
            next = Some(listing.after.clone().unwrap_or_else(before));
        }
        (Some(PageFault::Reversed), _) => records.reverse(),
        _ => {}
    }
    let mut body = String::from("{\"data\":[");
    for (position, record) in records.iter().enumerate() {
        if position > 0 {
            body.push(',');
        }
        body.push_str(&record.render(collection.schema));
    }
    body.push_str("],\"next_cursor\":");
    match next {
        Some(place) => write_text(&mut body, &cursor::write(name, &listing, &place)),
        None => body.push_str("null"),
    }
    body.push('}');
    Ok(Answer::json(StatusCode::OK, body))
}

fn read(state: &mut State, _: &Call, _: &str, name: &str, id: &str) -> Result<Answer, Problem> {
    let (collection, record) = state.records.find(name, id)?;
    Ok(show(StatusCode::OK, collection.schema, record))
}

fn create(state: &mut State, call: &Call, user_id: &str, name: &str) -> Result<Answer, Problem> {
    let body = body(call, &NEW_RECORD)?;
    let Some(key) = idempotency_key(&call.headers)? else {
        return create_now(state, &body, user_id, name);
    };
    let fingerprint = Fingerprint::of(call.uri.path(), &body);
    let now = state.records.clock.now();
    match state.first_answers.look_up(user_id, &key, fingerprint, now) {
        Known::Same(answer) => Ok(answer),
        Known::Other => Err(Problem::new(
            ProblemKind::KeyReused,
            "use a new key for a new body, or repeat the first body under this key",
        )),
        Known::No => {
            let answer = create_now(state, &body, user_id, name).unwrap_or_else(Answer::from);
            state.first_answers.keep(user_id, &key, fingerprint, &answer, now);
            Ok(answer)
        }
    }
}

fn create_now(state: &mut State, body: &[u8], user_id: &str, name: &str) -> Result<Answer, Problem> {
    let document = Document::parse(body, "the body")?;
    let schema = state.records.collection(name)?.schema;
    let record = state.records.create(name, user_id, &document, None)?;
    *state.changes.entry(user_id.to_owned()).or_default() += 1;
    Ok(show(StatusCode::CREATED, schema, record))
}

fn patch(state: &mut State, call: &Call, user_id: &str, name: &str, id: &str) -> Result<Answer, Problem> {
    let (collection, record) = state.records.find(name, id)?;
    let schema = collection.schema;
    check_version(&call.headers, record.version)?;
    let body = body(call, &PATCH)?;
    let document = Document::parse(&body, "the body")?;
    let (record, changed) = state.records.patch(name, user_id, id, &document)?;
    *state.changes.entry(user_id.to_owned()).or_default() += u64::from(changed);
    Ok(show(StatusCode::OK, schema, record))
}

fn delete(state: &mut State, call: &Call, user_id: &str, name: &str, id: &str) -> Result<Answer, Problem> {
    let (_, record) = state.records.find(name, id)?;
    check_version(&call.headers, record.version)?;
    state.records.delete(name, user_id, id)?;
    *state.changes.entry(user_id.to_owned()).or_default() += 1;
    Ok(Answer::new(StatusCode::NO_CONTENT))
}

fn show(status: StatusCode, schema: &Schema, record: &Record) -> Answer {
    Answer::json(status, record.render(schema)).with(header::ETAG, &format!("\"{}\"", record.version))
}

fn not_allowed(allow: &'static str) -> Problem {
    Problem { allow: Some(allow), ..Problem::new(ProblemKind::MethodNotAllowed, format!("allowed: {allow}")) }
}

/// The body of a call, if it is small enough and says that it is one of these media types.
fn body(call: &Call, media_types: &[&str]) -> Result<Bytes, Problem> {
    let Some(body) = &call.body else {
        return Err(Problem::new(ProblemKind::TooLarge, "a body has at most 1 MiB"));
    };
    let given = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = given.split(';').next().unwrap_or("").trim();
    if media_types.iter().any(|accepted| accepted.eq_ignore_ascii_case(media_type)) {
        Ok(body.clone())
    } else {
        let detail = format!("the content type must be {}", media_types.join(" or "));
        Err(Problem::new(ProblemKind::NotJson, detail))
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(key.to_owned()))
        }
        _ => Err(Problem::new(
            ProblemKind::BadRequest,
            "an idempotency key has 1 to 255 visible ASCII characters",
        )),
    }
}
