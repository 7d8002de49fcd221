//! The ledger as several processes keep it.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use model::ConnectionName;
use store::{Applied, Batch, Durability, Embedded, Entry, Key, Leased, Store, StoreError};
use telemetry::Metrics;
use tokio::task::JoinSet;

use super::Quota;
use crate::{
    Error, Priority, Settings,
    ledger::{Counted, Granted, Told, ToldOf},
};

/// A store that counts what it is asked.
#[derive(Clone)]
struct Counting {
    inner: Embedded,
    asked: Arc<AtomicU32>,
}

impl Counting {
    fn count(&self) -> &Embedded {
        self.asked.fetch_add(1, Ordering::SeqCst);
        &self.inner
    }

    /// How often it was asked since this was asked last.
    fn asked(&self) -> u32 {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

impl Store for Counting {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.count().get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.count().get_many(keys).await
    }

    async fn members(&self, key: &Key) -> Result<BTreeSet<String>, StoreError> {
        self.count().members(key).await
    }

    async fn count(&self, key: &Key) -> Result<u64, StoreError> {
        Store::count(self.count(), key).await
    }

    async fn due(&self, key: &Key, until: Timestamp, limit: usize) -> Result<Vec<String>, StoreError> {
        self.count().due(key, until, limit).await
    }

    async fn list(&self, key: &Key, newest: usize) -> Result<Vec<String>, StoreError> {
        self.count().list(key, newest).await
    }

    async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        // Others come in between.
        tokio::task::yield_now().await;
        self.count().apply(batch).await
    }

    async fn lease(&self, key: &Key, holder: &str, keep: Duration) -> Result<Leased, StoreError> {
        self.count().lease(key, holder, keep).await
    }

    async fn release(&self, key: &Key, holder: &str) -> Result<(), StoreError> {
        self.count().release(key, holder).await
    }

    async fn reachable(&self) -> Result<(), StoreError> {
        self.inner.reachable().await
    }

    async fn durability(&self) -> Result<Durability, StoreError> {
        self.inner.durability().await
    }
}

/// One store, one clock, and as many processes as a test wants.
struct Bench {
    store: Counting,
    now: Arc<AtomicI64>,
}

const START: &str = "2026-11-22T10:00:20Z";

impl Bench {
    fn new() -> Self {
        let store = Counting { inner: Embedded::in_memory().unwrap(), asked: Arc::default() };
        let now = START.parse::<Timestamp>().unwrap().as_millisecond();
        Self { store, now: Arc::new(AtomicI64::new(now)) }
    }

    fn process(&self) -> Quota<Counting> {
        self.process_of("acme")
    }

    fn process_of(&self, connection: &str) -> Quota<Counting> {
        let now = Arc::clone(&self.now);
        let clock = move || Timestamp::from_millisecond(now.load(Ordering::SeqCst)).unwrap();
        Quota::new(&settings_of(connection), self.store.clone(), Arc::new(clock))
    }

    fn pass(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

/// They wait for nothing.
fn settings_of(connection: &str) -> Settings {
    let settings = Settings::new(
        "https://exact.example".parse().unwrap(),
        1,
        ConnectionName::parse(connection).unwrap(),
        "test",
        ("id", "secret".to_owned().into()),
        "/nowhere".into(),
    );
    Settings { wait_max: Duration::ZERO, ..settings }
}

async fn take(quota: &Quota<Counting>, endpoint: &str) -> Result<Granted, Error> {
    quota.take(Priority::Edit, Counted::MinuteAndDay, endpoint).await
}

/// An answer that knows of so many calls in this minute.
fn told(used: u32) -> Told {
    let reset = "2026-11-22T10:01:00Z".parse().unwrap();
    Told {
        minute: ToldOf { limit: Some(60), remaining: Some(60 - used), reset: Some(reset) },
        ..Told::default()
    }
}

#[tokio::test]
async fn a_call_that_meets_no_other_process_costs_one_round_trip() {
    let (bench, mut used) = (Bench::new(), 0);
    let quota = bench.process();
    for round_trips in [2, 1, 1, 1, 1] {
        let call = take(&quota, "crm/accounts").await.unwrap();
        used += 1;
        quota.answered(call, &told(used)).await.unwrap();
        assert_eq!(bench.store.asked(), round_trips, "of call {used}");
        bench.pass(500);
    }
}

#[tokio::test]
async fn calls_of_several_processes_in_turn_cost_three_round_trips_at_most() {
    let bench = Bench::new();
    let processes = [bench.process(), bench.process(), bench.process()];
    for used in 1..=30 {
        let quota = &processes[used % 3];
        let call = take(quota, "crm/accounts").await.unwrap();
        quota.answered(call, &told(u32::try_from(used).unwrap())).await.unwrap();
        let round_trips = bench.store.asked();
        assert!(round_trips <= 3, "call {used}: {round_trips}");
        bench.pass(500);
    }
}

#[tokio::test]
async fn processes_at_once_never_get_more_calls_than_there_are() {
    for processes in [1, 2, 6, 20] {
        let bench = Bench::new();
        bench.pass(35_000);
        let processes: Vec<Quota<Counting>> = (0..processes).map(|_| bench.process()).collect();
        let mut calls = JoinSet::new();
        for number in 0..100 {
            let quota = processes[number % processes.len()].clone();
            calls.spawn(async move { take(&quota, &format!("endpoint-{}", number % 20)).await.is_ok() });
        }
        let granted = calls.join_all().await.into_iter().filter(|granted| *granted).count();
        println!(
            "{} processes that ask for 100 calls at once: {} round trips",
            processes.len(),
            bench.store.asked()
        );
        assert_eq!(granted, 60);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_a_little_for_its_turn_and_fails_when_that_is_too_long() {
    let start: Timestamp = "2026-11-22T10:00:57Z".parse().unwrap();
    let began = tokio::time::Instant::now();
    let clock = move || start + jiff::SignedDuration::try_from(began.elapsed()).unwrap();
    let store = Counting { inner: Embedded::in_memory().unwrap(), asked: Arc::default() };
    let process = |wait_max| {
        let settings = Settings { wait_max: Duration::from_millis(wait_max), ..settings_of("acme") };
        Quota::new(&settings, store.clone(), Arc::new(clock))
    };
    let patient = process(4_000);
    for number in 0..60 {
        let _ = take(&patient, &format!("endpoint-{}", number % 20)).await.unwrap();
    }
    let spent = take(&process(3_999), "crm/accounts").await.unwrap_err();
    assert!(matches!(spent, Error::QuotaSpent { after } if after == Duration::from_secs(4)), "{spent:?}");
    assert_eq!(began.elapsed(), Duration::ZERO);
    let _ = take(&patient, "crm/accounts").await.unwrap();
    // The timer has a resolution of a millisecond.
    assert!((4_000..=4_001).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn every_process_hears_at_once_of_what_others_use_of_an_error_and_of_a_call_too_many() {
    let bench = Bench::new();
    let (first, second) = (bench.process(), bench.process());
    let call = take(&first, "crm/accounts").await.unwrap();
    let _ = take(&second, "crm/contacts").await.unwrap();
    first.answered(call, &told(59)).await.unwrap();
    let spent = take(&second, "crm/contacts").await.unwrap_err();
    assert!(matches!(spent, Error::QuotaSpent { .. }), "{spent:?}");

    bench.pass(45_000);
    for _ in 0..8 {
        let call = take(&first, "crm/accounts").await.unwrap();
        first.failed(&call, &Told::default()).await.unwrap();
    }
    let resting = take(&second, "crm/accounts").await.unwrap_err();
    assert!(matches!(resting, Error::EndpointResting { .. }), "{resting:?}");

    let call = take(&first, "crm/contacts").await.unwrap();
    let rest = first.exceeded(&call, &Told::default()).await.unwrap();
    // To the end of the minute and one second more.
    assert_eq!(rest, Duration::from_secs(56));
    let spent = take(&second, "crm/items").await.unwrap_err();
    assert!(matches!(spent, Error::QuotaSpent { after } if after == rest), "{spent:?}");
}

#[tokio::test]
async fn each_connection_has_its_own_ledger() {
    let bench = Bench::new();
    let (one, other) = (bench.process_of("acme"), bench.process_of("globex"));
    let call = take(&one, "crm/accounts").await.unwrap();
    let _ = one.exceeded(&call, &Told::default()).await.unwrap();
    assert!(take(&one, "crm/accounts").await.is_err());
    let _ = take(&other, "crm/accounts").await.unwrap();
}

#[tokio::test]
async fn a_call_that_waits_for_others_of_its_endpoint_goes_when_one_comes_back() {
    let bench = Bench::new();
    let quota = bench.process();
    let mut under_way = Vec::new();
    for _ in 0..8 {
        under_way.push(take(&quota, "crm/accounts").await.unwrap());
    }
    let crowded = take(&quota, "crm/accounts").await.unwrap_err();
    assert!(matches!(crowded, Error::QuotaSpent { .. }), "{crowded:?}");
    quota.unanswered(under_way.pop().unwrap()).await.unwrap();
    let _ = take(&quota, "crm/accounts").await.unwrap();
}

#[tokio::test]
async fn calls_that_came_back_to_processes_that_fell_silent_keep_nobody_waiting() {
    let (bench, mut used) = (Bench::new(), 0);
    for at_once in [1, 2, 3, 1, 2, 3] {
        let quota = bench.process();
        let mut calls = Vec::new();
        for _ in 0..at_once {
            calls.push(take(&quota, "crm/accounts").await.unwrap());
            used += 1;
        }
        for call in calls {
            quota.answered(call, &told(used)).await.unwrap();
        }
    }
    let other = bench.process();
    for _ in 0..4 {
        let _ = take(&other, "crm/accounts").await.unwrap();
    }
}

#[tokio::test]
async fn a_ledger_of_another_version_is_not_taken_for_an_empty_one() {
    let bench = Bench::new();
    let quota = bench.process();
    let value = r#"{"version":2,"ledger":{}}"#.to_owned();
    let batch = Batch::new().then(store::Change::Set { key: quota.inner.key.clone(), value });
    let _ = bench.store.apply(batch).await.unwrap();
    let error = take(&quota, "crm/accounts").await.unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Corrupt { .. })), "{error:?}");
}

#[tokio::test]
async fn what_is_left_is_shown_with_each_call() {
    let (bench, metrics) = (Bench::new(), Arc::new(Metrics::new("writer-exactonline")));
    let quota = bench.process().measured(Arc::clone(&metrics));
    let _ = take(&quota, "crm/accounts").await.unwrap();
    quota.take_token_call().await.unwrap();
    let text = metrics.render();
    for (window, left) in [("minute", 59), ("day", 4_999), ("token-day", 189)] {
        let line = format!(
            r#"tandem_quota_left_calls{{connection="acme",window="{window}",service="writer-exactonline"}} {left}"#
        );
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
}
