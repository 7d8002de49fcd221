//! What the headers of an answer tell about the limits.

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use crate::ledger::{Told, ToldOf};

/// What they tell. A refusal tells of the exceeded limit only, or of none: a fact of this API.
pub(crate) fn told(headers: &HeaderMap) -> Told {
    Told {
        minute: of(headers, "x-ratelimit-minutely-remaining", "x-ratelimit-minutely-reset"),
        day: of(headers, "x-ratelimit-remaining", "x-ratelimit-reset"),
    }
}

fn of(headers: &HeaderMap, remaining: &str, reset: &str) -> ToldOf {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Less than nothing is nothing.
    let remaining = header(remaining).and_then(|text| text.parse::<i64>().ok());
    ToldOf {
        remaining: remaining.map(|left| u32::try_from(left.max(0)).unwrap_or(u32::MAX)),
        // In milliseconds since 1970: a fact of these headers.
        reset: header(reset).and_then(|text| Timestamp::from_millisecond(text.parse().ok()?).ok()),
    }
}
