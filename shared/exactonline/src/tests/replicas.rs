//! Five replicas of writer and collector over one store and one grant file: for an hour of virtual time, in which
//! everything that differs between runs comes from a seed; and in real time at sixty times its speed, in which a token
//! lives ten seconds and may be refreshed in its last half second.
//!
//! The form in real time takes twelve seconds, or as many as `TANDEM_REPLICAS_SECONDS` says.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use model::{FailureClass, RecordId};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use simulator_exactonline::{Fault, FaultKind, Limits};
use store::{Key, Redis, Store};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

use super::{ACCOUNTS, Company, properties};
use crate::{Error, ExactOnline, Priority, Resource, Settings};

const TOKENS: &str = "/api/oauth2/token";
const REPLICAS: usize = 5;
const HOUR: u32 = 3_600;
/// A fact of this API: a refresh is accepted from so long after the one before it.
const WINDOW: SignedDuration = SignedDuration::from_secs(570);
/// The real seconds of the short form: longer than a token lives.
const SECONDS: u64 = 12;

/// What five processes share. Each has a client of its own, with what it remembers, and opens the store by itself.
struct Fleet<Open> {
    company: Company,
    settings: Settings,
    account: RecordId,
    open: Open,
}

impl<S: Store, Open: Fn() -> S> Fleet<Open> {
    fn over(company: Company, open: Open) -> Self {
        let settings = Settings {
            namespace: Uuid::new_v4().to_string(),
            wait_max: Duration::from_secs(10),
            limits: crate::Limits { per_minute: 6_000, per_day: 1_000_000, ..Default::default() },
            ..company.settings()
        };
        let account = company.running.control().create_account(r#"{"Name":"Acme"}"#).unwrap();
        let account = RecordId::parse(&account.to_string()).unwrap();
        Self { company, settings, account, open }
    }

    /// A replica that has just started, whose clock is so many seconds ahead of the service's.
    fn replica(&self, ahead: i64) -> Replica<S> {
        let control = self.company.running.control();
        let clock = move || control.now() + SignedDuration::from_secs(ahead);
        let client = ExactOnline::with_clock(self.settings.clone(), (self.open)(), clock).unwrap();
        Replica { client, account: self.account.clone() }
    }

    /// The next refresh takes a while of the real clock, so that others come meanwhile.
    fn slow_refresh(&self, ms: u64) {
        let control = self.company.running.control();
        if control.faults().is_empty() {
            let path_contains = Some("/oauth2/token".to_owned());
            control.add_fault(Fault { kind: FaultKind::Delay { ms }, method: None, path_contains, count: 1 });
        }
    }

    /// How many refreshes succeeded.
    fn refreshes(&self) -> usize {
        let log = self.company.running.control().log();
        log.iter().filter(|call| call.path == TOKENS && call.status == 200).count()
    }

    /// One refresh at a time, one in each window, and the grant is where it is to be. Gives how many refreshes were
    /// refused as too early.
    async fn assert_one_grant(&self) -> usize {
        let control = self.company.running.control();
        assert_eq!(control.counts().token_calls_at_once, 1);
        let mut refreshed: Vec<Timestamp> = Vec::new();
        let mut too_early = 0;
        for call in control.log().iter().filter(|call| call.path == TOKENS) {
            match call.status {
                200 => refreshed.push(call.at.parse().unwrap()),
                400 => too_early += 1,
                status => panic!("a refresh was answered with {status} at {}", call.at),
            }
        }
        assert!(refreshed.len() > 1, "there was one token only");
        for pair in refreshed.windows(2) {
            let apart = pair[1].duration_since(pair[0]);
            assert!(apart >= WINDOW, "two refreshes in {apart:#}");
        }
        self.assert_grant_is_kept().await;
        too_early
    }

    /// Of all refresh tokens that were given out the service takes one, and that one is in both places.
    async fn assert_grant_is_kept(&self) {
        let key = Key::of(&self.settings.namespace, "acme", &["exactonline", "grant"]);
        let stored = (self.open)().get(&key).await.unwrap().unwrap().value;
        let filed = std::fs::read_to_string(self.company.grant_file()).unwrap();
        let tokens = [stored, filed].map(|json| {
            let tokens: serde_json::Value = serde_json::from_str(&json).unwrap();
            tokens["refresh_token"].as_str().unwrap().to_owned()
        });
        let [good] = self.company.running.control().unused_refresh_tokens().try_into().unwrap();
        assert_eq!(tokens, [good.clone(), good]);
    }
}

#[derive(Clone)]
struct Replica<S> {
    client: ExactOnline<S>,
    account: RecordId,
}

impl<S: Store> Replica<S> {
    /// A call as a writer or as a collector makes it.
    async fn call(self, writes: bool) -> Result<(), Error> {
        if writes {
            let change = properties(r#"{"City":"Gent"}"#);
            self.client.update(ACCOUNTS, &self.account, &change, Priority::Edit).await
        } else {
            let contacts = Resource::authored("crm/Contacts", "ID");
            self.client.find(contacts, "Email eq 'x'", &[], Priority::Read).await.map(drop)
        }
    }
}

/// An hour, from moment to moment at which one replica or more make calls at once. No call fails and none is answered
/// with 401. Gives how many refreshes were refused as too early.
async fn an_hour<S: Store>(seed: u64, ahead: [i64; REPLICAS], fleet: Fleet<impl Fn() -> S>) -> usize {
    let control = fleet.company.running.control();
    let mut random = StdRng::seed_from_u64(seed);
    let mut replicas = ahead.map(|ahead| fleet.replica(ahead));
    let mut plan = Plan::new();
    while plan.now < HOUR {
        let passed = plan.next();
        control.advance_clock(passed);
        fleet.slow_refresh(random.random_range(0..=30));
        let mut calls = JoinSet::new();
        for number in plan.callers(&mut random) {
            if random.random_ratio(1, 40) {
                replicas[number] = fleet.replica(ahead[number]);
            }
            for _ in 0..random.random_range(1..=2) {
                calls.spawn(replicas[number].clone().call(random.random()));
            }
        }
        while let Some(called) = calls.join_next().await {
            if let Err(error) = called.unwrap() {
                panic!("seed {seed}, after {} s: {error}", plan.now);
            }
        }
        let refreshes = fleet.refreshes();
        if refreshes > plan.refreshes {
            fleet.assert_grant_is_kept().await;
            plan.refreshed(refreshes, &mut random);
        }
    }
    assert_eq!(fleet.company.statuses(401), 0, "seed {seed}");
    fleet.assert_one_grant().await
}

/// Who calls when, in seconds since the start.
struct Plan {
    now: u32,
    due: [u32; REPLICAS],
    refreshes: usize,
    /// Around the moment from which the next refresh is accepted, if some replica is to call then at every second.
    edge: Option<RangeInclusive<u32>>,
}

impl Plan {
    fn new() -> Self {
        Self { now: 0, due: [0; REPLICAS], refreshes: 0, edge: None }
    }

    /// Goes to the next moment; gives how far that is.
    fn next(&mut self) -> u32 {
        let at_edge = self.edge.clone().into_iter().flatten().find(|second| *second > self.now);
        let next = self.due.into_iter().chain(at_edge).min().unwrap();
        next - std::mem::replace(&mut self.now, next)
    }

    /// Who calls now. They call again within half a minute, and now and then after many.
    fn callers(&mut self, random: &mut StdRng) -> Vec<usize> {
        let at_edge = self.edge.as_ref().is_some_and(|edge| edge.contains(&self.now));
        let all = random.random_ratio(1, 10);
        let mut callers = Vec::new();
        for (number, due) in self.due.iter_mut().enumerate() {
            if all || *due <= self.now || (at_edge && random.random()) {
                callers.push(number);
                let is_idle = random.random_ratio(1, 20);
                let gap = if is_idle { random.random_range(60..=900) } else { random.random_range(1..=30) };
                *due = self.now + gap;
            }
        }
        callers
    }

    /// After a refresh: how it goes on until the next. In some of the time all are silent until the token has ended.
    fn refreshed(&mut self, refreshes: usize, random: &mut StdRng) {
        self.refreshes = refreshes;
        self.edge = random.random_ratio(3, 4).then(|| self.now + 566..=self.now + 572);
        if self.edge.is_none() {
            self.due = self.due.map(|due| due + random.random_range(560..=700));
        }
    }
}

/// A company whose clock is moved by the test only.
async fn in_virtual_time() -> Company {
    Company::start_with(simulator_exactonline::Settings {
        start_at: Some("2026-11-22T10:00:20Z".parse().unwrap()),
        frozen_clock: true,
        ..simulated()
    })
    .await
}

/// Calls are not what is short here.
fn simulated() -> simulator_exactonline::Settings {
    let limits = Limits { per_minute: 6_000, per_day: 1_000_000, ..Limits::default() };
    simulator_exactonline::Settings { limits, ..Default::default() }
}

fn redis() -> Redis {
    Redis::open(&servers::Redis::shared_url().into()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_replicas_refresh_one_at_a_time_through_an_hour_over_an_embedded_store() {
    for seed in [1, 2] {
        let company = in_virtual_time().await;
        let store = company.store.clone();
        let fleet = Fleet::over(company, move || store.clone());
        assert_eq!(an_hour(seed, [0; REPLICAS], fleet).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_replicas_refresh_one_at_a_time_through_an_hour_over_redis() {
    let fleet = Fleet::over(in_virtual_time().await, redis);
    assert_eq!(an_hour(4, [0; REPLICAS], fleet).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_replicas_whose_clocks_differ_lose_no_grant_through_an_hour() {
    let fleet = Fleet::over(in_virtual_time().await, redis);
    // Whose clock is behind has the first token, and so it is older than the others think.
    fleet.replica(-2).call(false).await.unwrap();
    let too_early = an_hour(5, [-2, -1, 0, 1, 2], fleet).await;
    assert!(too_early > 0, "no clock was ahead");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_replicas_refresh_one_at_a_time_in_real_time() {
    let seconds = std::env::var("TANDEM_REPLICAS_SECONDS").map_or(SECONDS, |text| text.parse().unwrap());
    let company =
        Company::start_with(simulator_exactonline::Settings { clock_speed: 60, ..simulated() }).await;
    let fleet = Arc::new(Fleet::over(company, redis));
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut replicas = JoinSet::new();
    for seed in 0..REPLICAS {
        let fleet = Arc::clone(&fleet);
        replicas.spawn(async move {
            let mut random = StdRng::seed_from_u64(u64::try_from(seed).unwrap());
            let mut replica = fleet.replica(0);
            while Instant::now() < end {
                sleep(Duration::from_millis(random.random_range(0..=400))).await;
                if random.random_ratio(1, 40) {
                    replica = fleet.replica(0);
                }
                fleet.slow_refresh(random.random_range(0..=100));
                match replica.clone().call(random.random()).await {
                    // On a machine that is too busy tokens end on the way, and then their endpoint is spared.
                    Err(error) if !matches!(error.class(), FailureClass::Throttled { .. }) => {
                        panic!("replica {seed}: {error}")
                    }
                    _ => {}
                }
            }
            replica.client.me().await.unwrap();
        });
    }
    replicas.join_all().await;
    assert_eq!(fleet.assert_one_grant().await, 0);
}
