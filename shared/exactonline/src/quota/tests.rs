#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use model::ConnectionName;
use reqwest::header::HeaderMap;
use store::Embedded;

use super::{Counted, Priority, Quota};
use crate::{Error, Settings};

const NOW: &str = "2026-11-22T10:00:20Z";

fn quota(per_minute: u32, per_day: u32) -> Quota<Embedded> {
    let now: Timestamp = NOW.parse().unwrap();
    let mut settings = Settings::new(
        "https://exact.example".parse().unwrap(),
        1,
        ConnectionName::parse("acme").unwrap(),
        "test",
        ("id", "secret".to_owned().into()),
        "/nowhere".into(),
    );
    settings.limits.per_minute = per_minute;
    settings.limits.per_day = per_day;
    settings.wait_max = Duration::ZERO;
    let store = Embedded::in_memory().unwrap().with_clock(move || now);
    Quota::new(&settings, store, Arc::new(move || now))
}

async fn granted(quota: &Quota<Embedded>, priority: Priority, counted: Counted) -> u32 {
    let mut granted = 0;
    while quota.take(priority, counted).await.is_ok() {
        granted += 1;
    }
    granted
}

fn headers(pairs: &[(&'static str, i64)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), (*value).into())).collect()
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

#[tokio::test]
async fn less_urgent_calls_leave_some_to_the_more_urgent() {
    let quota = quota(60, 5_000);
    assert_eq!(granted(&quota, Priority::Scan, Counted::MinuteAndDay).await, 42);
    assert_eq!(granted(&quota, Priority::Backfill, Counted::MinuteAndDay).await, 6);
    assert_eq!(granted(&quota, Priority::Read, Counted::MinuteAndDay).await, 9);
    assert_eq!(granted(&quota, Priority::Edit, Counted::MinuteAndDay).await, 3);
}

#[tokio::test]
async fn a_call_without_division_does_not_count_for_the_day() {
    let quota = quota(60, 3);
    assert_eq!(granted(&quota, Priority::Edit, Counted::MinuteAndDay).await, 3);
    quota.take(Priority::Edit, Counted::Minute).await.unwrap();
}

#[tokio::test]
async fn what_an_answer_tells_of_this_minute_counts_and_of_another_does_not() {
    let quota = quota(60, 5_000);
    let told = |reset: &str| {
        headers(&[("x-ratelimit-minutely-remaining", 2), ("x-ratelimit-minutely-reset", at(reset))])
    };
    quota.correct(&told("2026-11-22T10:00:00Z")).await.unwrap();
    quota.take(Priority::Scan, Counted::MinuteAndDay).await.unwrap();
    quota.correct(&told("2026-11-22T10:01:00Z")).await.unwrap();
    assert_eq!(granted(&quota, Priority::Edit, Counted::MinuteAndDay).await, 2);
}

#[tokio::test]
async fn a_call_too_many_closes_the_window_that_its_headers_name_until_its_reset() {
    let day = [("x-ratelimit-remaining", 0), ("x-ratelimit-reset", at("2026-11-23T00:00:00Z"))];
    let minute =
        [("x-ratelimit-minutely-remaining", 49), ("x-ratelimit-minutely-reset", at("2026-11-22T10:01:00Z"))];
    for (told, seconds) in [(&day[..], 50_380), (&minute[..], 40), (&[][..], 40)] {
        let quota = quota(60, 5_000);
        assert_eq!(quota.exhaust(&headers(told)).await.unwrap(), Duration::from_secs(seconds));
        let refused = quota.take(Priority::Edit, Counted::MinuteAndDay).await.unwrap_err();
        assert!(matches!(refused, Error::QuotaSpent { after } if after.as_secs() == seconds), "{refused:?}");
        assert_eq!(quota.take(Priority::Edit, Counted::Minute).await.is_ok(), seconds > 60);
    }
}
