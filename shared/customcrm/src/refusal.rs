//! What an answer other than a success means. Pure: from a status, headers and a body to an [`Error`].

use std::time::Duration;

use contract::json::read_properties;
use jiff::{Timestamp, fmt::rfc2822};
use model::{Content, Properties, RecordId};
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};
use wire::Effect;

use crate::{
    Error,
    declaration::{Errors, Meaning},
    record::{name, written},
};

#[cfg(test)]
mod tests;

/// Characters kept of what the CRM said.
const WORDS_MAX: usize = 1_000;
/// How long to wait when the CRM asks to wait and does not say how long.
const WAIT_UNTOLD: Duration = Duration::from_secs(5);
/// The longest wait that is believed.
const WAIT_MAX: Duration = Duration::from_hours(24);

/// The error that an answer stands for, as the declaration says what it says. Gone and stale are general refusals here;
/// calls of one record know better. What is `secret` is never told.
pub(crate) fn refusal(
    errors: &Errors,
    effect: Effect,
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    secret: &str,
) -> Error {
    let properties = read_properties(body).unwrap_or_default();
    let duplicate = errors.duplicate.as_ref().and_then(|path| name(path.find(&properties)?));
    let duplicate = duplicate.and_then(|id| RecordId::parse(&id).ok());
    let words = words(errors, &properties, status, secret);
    let code = status.as_u16();
    match meaning(errors, effect, status, headers, body) {
        Some(Meaning::Throttled) => Error::Throttled { after: wait(headers) },
        Some(Meaning::Auth) => Error::Unauthorised { status: code, words },
        Some(Meaning::Duplicate) => Error::Duplicate { record: duplicate, words },
        Some(Meaning::Transient) => Error::Unavailable { status: code, words },
        Some(Meaning::Gone | Meaning::Stale | Meaning::Rejected) => Error::Refused { status: code, words },
        None => Error::WriteUnclear { status: code, words },
    }
}

/// What a refusal means: as the declaration says, else as is usual. `None`: the write may have happened.
pub(crate) fn meaning(
    errors: &Errors,
    effect: Effect,
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
) -> Option<Meaning> {
    let code = status.as_u16();
    let is_duplicate = || errors.duplicate_words.iter().any(|word| body.contains(word.as_str()));
    if let Some(meaning) = errors.statuses.get(&code) {
        return Some(*meaning);
    }
    Some(match (code, effect) {
        (429, _) => Meaning::Throttled,
        (503, Effect::Read) if headers.contains_key(RETRY_AFTER) => Meaning::Throttled,
        // Forbidden to a single write is that record's trouble; to a read it is the token's.
        (401, _) | (403, Effect::Read) => Meaning::Auth,
        (409, _) => Meaning::Duplicate,
        (404 | 410, _) => Meaning::Gone,
        (412, _) => Meaning::Stale,
        (400..=499, Effect::Write) if is_duplicate() => Meaning::Duplicate,
        // A redirect (none is followed) comes from something before the CRM: nothing was done.
        (300..=399, _) | (408 | 425 | 500..=599, Effect::Read) => Meaning::Transient,
        (408 | 500..=599, Effect::Write) => return None,
        _ => Meaning::Rejected,
    })
}

fn words(errors: &Errors, properties: &Properties, status: StatusCode, secret: &str) -> String {
    let told = errors.message.iter().find_map(|path| written(path.find(properties)?));
    let mut words = told.unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason given").to_owned());
    for (index, (property, text)) in of_properties(errors, properties).into_iter().enumerate() {
        words.push_str(if index == 0 { ": " } else { "; " });
        words.push_str(&property);
        words.push(' ');
        words.push_str(&text);
    }
    if !secret.is_empty() {
        words = words.replace(secret, "(token)");
    }
    words.chars().take(WORDS_MAX).collect()
}

/// What is wrong property by property: from a list of problems, or from a table of them.
fn of_properties(errors: &Errors, properties: &Properties) -> Vec<(String, String)> {
    let text = |problem: &Content| match (problem, &errors.text) {
        (Content::Object(members), Some(path)) => path.find(members).and_then(written).unwrap_or_default(),
        (other, _) => written(other).unwrap_or_default(),
    };
    match errors.properties.as_ref().and_then(|path| path.find(properties)) {
        Some(Content::List(problems)) => problems
            .iter()
            .map(|problem| {
                let property = match (problem, &errors.property) {
                    (Content::Object(members), Some(path)) => path.find(members).and_then(written),
                    _ => None,
                };
                (property.unwrap_or_default(), text(problem))
            })
            .collect(),
        Some(Content::Object(problems)) => {
            problems.iter().map(|(property, problem)| (property.clone(), text(problem))).collect()
        }
        _ => Vec::new(),
    }
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
