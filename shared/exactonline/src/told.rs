//! What the headers of an answer tell about the limits.

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use crate::ledger::{Told, ToldOf};

/// What they tell. A refusal tells of the exceeded limit only, or of none: a fact of this API.
pub(crate) fn told(headers: &HeaderMap) -> Told {
    Told { minute: of(headers, "x-ratelimit-minutely"), day: of(headers, "x-ratelimit") }
}

fn of(headers: &HeaderMap, limit: &str) -> ToldOf {
    let header = |what: &str| {
        let value = headers.get(format!("{limit}-{what}"));
        value.and_then(|value| value.to_str().ok())
    };
    let count = |what: &str| {
        // Less than nothing is nothing.
        let count = header(what).and_then(|text| text.parse::<i64>().ok());
        count.map(|count| u32::try_from(count.max(0)).unwrap_or(u32::MAX))
    };
    ToldOf {
        limit: count("limit"),
        remaining: count("remaining"),
        // In milliseconds since 1970: a fact of these headers.
        reset: header("reset").and_then(|text| Timestamp::from_millisecond(text.parse().ok()?).ok()),
    }
}
