//! What an answer other than a success means. Pure: from a status, a body and whether it was a write to an [`Error`].

use reqwest::{StatusCode, header::HeaderMap};

use wire::Effect;

use crate::Error;

mod reason;

#[cfg(test)]
mod tests;

pub use reason::Reason;

/// Characters kept of what Exact said.
const WORDS_MAX: usize = 1_000;
/// How Exact's own failures begin, in contrast to what it refuses: both are status 500.
const UNEXPECTED: &str = "A problem has occurred";
/// What was seen of the block after too many errors; its status is not documented.
const BLOCKED: &str = "rate limit exceeded";

#[derive(serde::Deserialize)]
struct Body {
    error: Detail,
}

#[derive(serde::Deserialize)]
struct Detail {
    message: Message,
}

#[derive(serde::Deserialize)]
struct Message {
    value: String,
}

/// Whether an answer says that the endpoint is blocked because of too many errors.
pub(crate) fn is_block(status: StatusCode, body: &str) -> bool {
    status.is_client_error() && said(body).is_some_and(|words| words.to_ascii_lowercase().contains(BLOCKED))
}

/// The error that an answer stands for, 401 and 429 apart, which the caller settles before.
pub(crate) fn refusal(
    effect: Effect,
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    secrets: &[&str],
) -> Error {
    let said = said(body);
    let is_told = said.as_deref().is_some_and(|words| !words.starts_with(UNEXPECTED));
    let words = words(said, status, headers, secrets);
    let code = status.as_u16();
    match (code, effect) {
        // Business rules are status 500 in this API.
        (500, _) if is_told => Error::Refused { status: code, reason: Reason::of(&words), words },
        (403, Effect::Read) => Error::Forbidden { words },
        // The reason stands there when the trouble is the user's or the division's, not the record's.
        (403, Effect::Write) if headers.contains_key("reason") => Error::Forbidden { words },
        // A redirect (none is followed) leads to a login or a maintenance page: nothing was done.
        (300..=399, _) | (408 | 500..=599, Effect::Read) => Error::Unavailable { status: code, words },
        (408 | 500..=599, Effect::Write) => Error::WriteUnclear { status: code, words },
        _ => Error::Refused { status: code, reason: Reason::of(&words), words },
    }
}

fn said(body: &str) -> Option<String> {
    let body: Body = serde_json::from_str(body).ok()?;
    Some(body.error.message.value).filter(|words| !words.trim().is_empty())
}

fn words(said: Option<String>, status: StatusCode, headers: &HeaderMap, secrets: &[&str]) -> String {
    let reason = headers.get("reason").and_then(|reason| reason.to_str().ok());
    let mut words = match (said, reason) {
        (Some(said), Some(reason)) => format!("{said} ({reason})"),
        (Some(said), None) => said,
        (None, Some(reason)) => reason.to_owned(),
        (None, None) => status.canonical_reason().unwrap_or("no reason given").to_owned(),
    };
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        words = words.replace(secret, "(token)");
    }
    words.chars().take(WORDS_MAX).collect()
}
