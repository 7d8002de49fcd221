#![allow(clippy::unwrap_used)]

use std::time::Duration;

use model::FailureClass;
use reqwest::{StatusCode, header::HeaderMap};

use super::{refusal, wait};
use wire::Effect;

use crate::{Declaration, Error};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[track_caller]
fn check(effect: Effect, status: u16, expected: FailureClass) {
    let status = StatusCode::from_u16(status).unwrap();
    assert_eq!(
        refusal(&Declaration::default_api().errors, effect, status, &HeaderMap::new(), "", "secret").class(),
        expected,
        "{status}"
    );
}

#[test]
fn every_status_has_its_class() {
    for status in [302, 408, 500, 502, 503, 504] {
        check(Effect::Read, status, FailureClass::Transient);
    }
    for status in [408, 500, 502, 503, 504] {
        check(Effect::Write, status, FailureClass::Ambiguous);
    }
    for status in [400, 403, 405, 409, 413, 415, 422] {
        check(Effect::Write, status, FailureClass::Rejected);
    }
    check(Effect::Write, 307, FailureClass::Transient);
    check(Effect::Write, 401, FailureClass::Auth);
    check(Effect::Read, 401, FailureClass::Auth);
    check(Effect::Read, 403, FailureClass::Auth);
    check(Effect::Write, 429, FailureClass::Throttled { after: Duration::from_secs(5) });
}

#[test]
fn the_wait_is_read_from_any_of_the_headers() {
    let date = [("retry-after", "Sun, 22 Nov 2026 10:01:30 GMT"), ("date", "Sun, 22 Nov 2026 10:00:00 GMT")];
    assert_eq!(wait(&headers(&[("retry-after", "7"), ("ratelimit", "\"x\";r=0;t=3")])).as_secs(), 7);
    assert_eq!(wait(&headers(&date)).as_secs(), 90);
    assert_eq!(wait(&headers(&[("ratelimit", "\"default\";r=0;t=33")])).as_secs(), 33);
    assert_eq!(wait(&headers(&[("ratelimit-reset", "12")])).as_secs(), 12);
    assert_eq!(wait(&headers(&[("retry-after", "soon")])).as_secs(), 5);
    assert_eq!(wait(&headers(&[("retry-after", "99999999999")])), Duration::from_hours(24));
}

#[test]
fn the_words_are_the_crms_own_bounded_and_without_the_token() {
    let body = format!(
        r#"{{"title":"No","detail":"token s3cret is bad","errors":[{{"property":"Name","message":"{}"}}]}}"#,
        "é".repeat(2_000)
    );
    let error = refusal(
        &Declaration::default_api().errors,
        Effect::Write,
        StatusCode::UNPROCESSABLE_ENTITY,
        &HeaderMap::new(),
        &body,
        "s3cret",
    );
    let Error::Refused { words, .. } = error else { panic!("{error:?}") };
    assert!(words.starts_with("token (token) is bad: Name é"), "{words}");
    assert_eq!(words.chars().count(), 1_000);
}
