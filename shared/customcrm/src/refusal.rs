//! What an answer other than a success means. Pure: from a status, headers and a body to an [`Error`].

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use model::RecordId;
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};

use crate::{Error, transport::Effect};

#[cfg(test)]
mod tests;

/// Characters kept of what the CRM said.
const WORDS_MAX: usize = 1_000;
/// How long to wait when the CRM asks to wait and does not say how long.
const WAIT_UNTOLD: Duration = Duration::from_secs(5);
/// The longest wait that is believed.
const WAIT_MAX: Duration = Duration::from_hours(24);

/// A problem document (RFC 9457), as far as it is used.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    errors: Vec<PropertyProblem>,
    #[serde(rename = "duplicateId")]
    duplicate_id: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct PropertyProblem {
    #[serde(default)]
    property: String,
    #[serde(default)]
    message: String,
}

/// The error that an answer stands for. 404, 410 and 412 are general refusals here; calls of one record know better.
pub(crate) fn refusal(
    effect: Effect,
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    token: &str,
) -> Error {
    let problem: Option<Problem> = serde_json::from_str(body).ok();
    let duplicate =
        problem.as_ref().and_then(|problem| RecordId::parse(problem.duplicate_id.as_deref()?).ok());
    let words = words(problem, status, token);
    let code = status.as_u16();
    match (code, effect) {
        (429, _) => Error::Throttled { after: wait(headers) },
        (503, Effect::Read) if headers.contains_key(RETRY_AFTER) => Error::Throttled { after: wait(headers) },
        // Forbidden to a single write is that record's trouble; to a read it is the token's.
        (401, _) | (403, Effect::Read) => Error::Unauthorised { status: code, words },
        (409, _) => Error::Duplicate { record: duplicate, words },
        // A redirect (none is followed) comes from something before the CRM: nothing was done.
        (300..=399, _) | (408 | 425 | 500..=599, Effect::Read) => Error::Unavailable { status: code, words },
        (408 | 500..=599, Effect::Write) => Error::WriteUnclear { status: code, words },
        _ => Error::Refused { status: code, words },
    }
}

fn words(problem: Option<Problem>, status: StatusCode, token: &str) -> String {
    let untold = || status.canonical_reason().unwrap_or("no reason given").to_owned();
    let Some(problem) = problem else { return untold() };
    let mut words = problem.detail.or(problem.title).unwrap_or_else(untold);
    for (index, error) in problem.errors.iter().enumerate() {
        words.push_str(if index == 0 { ": " } else { "; " });
        words.push_str(&error.property);
        words.push(' ');
        words.push_str(&error.message);
    }
    if !token.is_empty() {
        words = words.replace(token, "(token)");
    }
    words.chars().take(WORDS_MAX).collect()
}

/// How long the CRM asks to wait: `Retry-After` (seconds or a date), else the `RateLimit` headers of the IETF draft.
fn wait(headers: &HeaderMap) -> Duration {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let told = header(RETRY_AFTER.as_str())
        .and_then(|text| seconds(text).or_else(|| until(text, header(DATE.as_str())?)))
        .or_else(|| header("ratelimit").and_then(reset))
        .or_else(|| header("ratelimit-reset").and_then(seconds));
    told.unwrap_or(WAIT_UNTOLD).min(WAIT_MAX)
}

fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The time from the answer's own date until this date, so that no clock of ours is needed.
fn until(date: &str, now: &str) -> Option<Duration> {
    let moment =
        |text: &str| -> Option<Timestamp> { rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()) };
    let left = moment(date)?.duration_since(moment(now)?);
    Some(Duration::try_from(left).unwrap_or_default())
}

/// The parameter `t` of `"default";r=0;t=30`.
fn reset(policy: &str) -> Option<Duration> {
    policy.split(';').find_map(|part| seconds(part.trim().strip_prefix("t=")?))
}
