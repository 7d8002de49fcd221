//! Sentinels: the master changes, and nothing that was acknowledged is lost with it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use servers::RedisSentinel;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Names, add, all_promises, done, eventually, everything_said, passing, set, token, works_again};
use crate::{
    Applied, Batch, Check, Durability, Key, Leased, Login, Redis, SentinelServers, Store, StoreError,
};

const LONG: Duration = Duration::from_mins(10);

/// Of the store in these tests. A call may wait for a connection twice, for the Sentinels and for an answer.
const PATIENCE: Duration = Duration::from_secs(1);
const LONGEST_CALL: Duration = Duration::from_secs(6);

fn servers_of(watched: &RedisSentinel) -> SentinelServers {
    SentinelServers {
        sentinels: watched.sentinels().iter().map(|address| address.parse().unwrap()).collect(),
        sentinel_login: Login::default(),
        master: RedisSentinel::MASTER.to_owned(),
        login: Login::default(),
        database: 0,
    }
}

fn opened(watched: &RedisSentinel) -> Redis {
    Redis::open_sentinel_with_patience(servers_of(watched), PATIENCE).unwrap()
}

/// What a store answers within its patience; nothing if that may be tried again.
async fn in_time<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    passing(timeout(LONGEST_CALL, answer).await.expect("no longer than its patience"))
}

/// What a store answers at last: around a fail-over, or on a slow disk, a call may have to be tried again.
async fn at_last<T, F: Future<Output = Result<T, StoreError>>>(ask: impl Fn() -> F) -> T {
    eventually("an answer", async || in_time(ask()).await).await
}

async fn written(store: &Redis, batch: Batch) -> u64 {
    match at_last(|| store.apply(batch.clone())).await {
        Applied::Done { revision } => revision,
        Applied::Refused(key) => panic!("refused because of {key}"),
    }
}

async fn read(store: &Redis, key: &Key) -> Option<String> {
    at_last(|| store.get(key)).await.map(|entry| entry.value)
}

async fn leased(store: &Redis, key: &Key, holder: &str) -> Option<u64> {
    match at_last(|| store.lease(key, holder, LONG)).await {
        Leased::Held { token } => Some(token),
        Leased::Taken => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_holds_on_a_master_that_sentinels_name() {
    let watched = RedisSentinel::start().unwrap();
    let store = Redis::open_sentinel(servers_of(&watched)).unwrap();
    all_promises(&store).await;
    assert_eq!(store.durability().await.unwrap(), Durability::Durable);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_to_the_new_master_and_nothing_acknowledged_is_lost() {
    let mut watched = RedisSentinel::start().unwrap();
    let (store, names) = (opened(&watched), Names::new());
    let [lease, all] = ["lease", "all"].map(|name| names.key(&[name]));
    let held = leased(&store, &lease, "me").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let (store, all, lease, stop) = (store.clone(), all.clone(), lease.clone(), Arc::clone(&stop));
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            for count in 0_u64.. {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let batch = Batch::new()
                    .when(Check::Lease { key: lease.clone(), token: held })
                    .then(add(&all, &format!("{writer}-{count}")));
                match in_time(store.apply(batch)).await {
                    Some(Applied::Done { revision }) => {
                        acknowledged.push((revision, format!("{writer}-{count}")));
                    }
                    Some(Applied::Refused(key)) => panic!("{key} was lost"),
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
            acknowledged
        });
    }
    eventually("some to be written", async || (at_last(|| store.count(&all)).await > 200).then_some(()))
        .await;
    watched.servers()[0].kill().unwrap();
    let begun = std::time::Instant::now();
    works_again(&store).await;
    println!("calls went on {:.1} s after the master was killed", begun.elapsed().as_secs_f64());
    eventually("each Sentinel to know", async || watched.master().ok().filter(|at| *at != 0)).await;
    let before = at_last(|| store.count(&all)).await;
    let more = async || (at_last(|| store.count(&all)).await > before + 200).then_some(());
    eventually("more to be written", more).await;
    stop.store(true, Ordering::SeqCst);
    let acknowledged: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    let kept = at_last(|| store.members(&all)).await;
    let lost: Vec<_> = acknowledged.iter().filter(|(_, member)| !kept.contains(member)).collect();
    assert!(lost.is_empty(), "of {} acknowledged, lost: {lost:?}", acknowledged.len());
    let revisions: BTreeSet<u64> = acknowledged.iter().map(|(revision, _)| *revision).collect();
    assert_eq!(revisions.len(), acknowledged.len(), "a revision was given twice");
    assert_eq!(leased(&store, &lease, "me").await, Some(held));
    assert_eq!(leased(&store, &lease, "another").await, None);

    // The old master comes back as one, until it is told otherwise: nobody goes there.
    let last = written(&store, Batch::new().then(set(&all, "last"))).await;
    assert!(revisions.last().is_some_and(|newest| *newest < last));
    watched.servers()[0].restart().unwrap();
    for _ in 0..50 {
        assert_eq!(read(&store, &all).await.as_deref(), Some("last"));
        at_last(|| store.durability()).await;
    }
}

/// What a server whose clock was ahead has left is with its replicas too.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_rise_over_a_fail_over_to_a_server_whose_clock_is_behind() {
    let mut watched = RedisSentinel::start().unwrap();
    let (store, names) = (opened(&watched), Names::new());
    let (key, lease) = (names.key(&["link"]), names.key(&["lease"]));
    let ahead = 5_000_000_000_000_000_u64;
    let master = &watched.servers()[0];
    master.must(&format!("SET {}%revision {ahead}", key.scope())).unwrap();
    master.command(&format!("HSET {lease}%lease holder me token {ahead} until 0")).unwrap();
    // Tried once, so that each number is given once.
    let patient = Redis::open_sentinel(servers_of(&watched)).unwrap();
    let before = done(&patient, Batch::new().then(set(&key, "before"))).await;
    let held = token(&patient, &lease, "me", LONG).await.unwrap();
    assert_eq!((before, held), (ahead + 1, ahead + 1));
    watched.servers()[0].kill().unwrap();
    works_again(&store).await;
    let after = written(&store, Batch::new().then(set(&key, "after"))).await;
    assert!(after > before, "{after} after {before}");
    at_last(|| store.release(&lease, "me")).await;
    assert!(leased(&store, &lease, "another").await.unwrap() > held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_is_demoted_and_answers_is_left() {
    let mut watched = RedisSentinel::start().unwrap();
    let (store, key) = (opened(&watched), Names::new().key(&["link"]));
    written(&store, Batch::new().then(set(&key, "before"))).await;
    watched.fail_over().unwrap();
    eventually("another master", async || watched.master().ok().filter(|at| *at != 0)).await;
    let revision = written(&store, Batch::new().then(set(&key, "after"))).await;
    let at = watched.master().unwrap();
    let there = watched.servers()[at].command(&format!("HGET {key} r")).unwrap();
    assert_eq!(there, revision.to_string());
    assert!(watched.servers()[0].command("PING").unwrap().contains("PONG"), "the old one answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_falls_silent_is_left() {
    let mut watched = RedisSentinel::start().unwrap();
    let (store, key) = (opened(&watched), Names::new().key(&["link"]));
    let before = written(&store, Batch::new().then(set(&key, "before"))).await;
    watched.servers()[0].halt().unwrap();
    let after = written(&store, Batch::new().then(set(&key, "after"))).await;
    assert!(after > before);
    watched.servers()[0].go_on().unwrap();
    for _ in 0..50 {
        assert_eq!(read(&store, &key).await.as_deref(), Some("after"));
    }
}

/// As it is for a moment in every fail-over.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_the_sentinels_name_and_that_is_no_master_is_not_believed() {
    let mut watched = RedisSentinel::start().unwrap();
    let other = watched.servers()[1].port();
    watched.servers()[0].must(&format!("REPLICAOF 127.0.0.1 {other}")).unwrap();
    let store = opened(&watched);
    let error = store.reachable().await.unwrap_err();
    assert!(
        error.is_transient() && everything_said(&error).contains("no master"),
        "{}",
        everything_said(&error)
    );
}

/// Any of them may be the one that takes over.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_that_a_replica_lacks() {
    let mut watched = RedisSentinel::start().unwrap();
    let (store, names) = (opened(&watched), Names::new());
    let (key, lease) = (names.key(&["link"]), names.key(&["lease"]));
    written(&store, Batch::new().then(set(&key, "one"))).await;
    let is_refused = async || {
        let batch = store.apply(Batch::new().then(set(&key, "two")));
        let error = timeout(LONGEST_CALL, batch).await.expect("no longer than its patience").unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert!(everything_said(&error).contains("replica"), "{}", everything_said(&error));
    };
    for halted in [&[1, 2][..], &[2]] {
        for replica in halted {
            watched.servers()[*replica].halt().unwrap();
        }
        is_refused().await;
        assert!(in_time(store.lease(&lease, "me", LONG)).await.is_none());
        for replica in halted {
            watched.servers()[*replica].go_on().unwrap();
        }
        written(&store, Batch::new().then(set(&key, "three"))).await;
    }
    // One that is being told to take over is none any more, and the others will follow it.
    watched.servers()[2].must("REPLICAOF NO ONE").unwrap();
    is_refused().await;
    // One that has been away for long is not waited for.
    watched.servers()[2].kill().unwrap();
    written(&store, Batch::new().then(set(&key, "four"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_that_know_no_such_master_are_said_to_refuse() {
    let watched = RedisSentinel::start().unwrap();
    let servers = SentinelServers { master: "another".to_owned(), ..servers_of(&watched) };
    let error = Redis::open_sentinel(servers).unwrap().reachable().await.unwrap_err();
    assert!(matches!(error, StoreError::Denied { .. }) && !error.is_transient(), "{error:?}");
    let said = everything_said(&error);
    assert!(said.contains("Sentinel") && said.contains("No such master"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_that_are_away_are_waited_for_and_no_password_is_told() {
    let port = servers::free_port();
    let login = Login { user: Some("tandem".to_owned()), password: Some(SecretString::from("hunter2")) };
    let servers = SentinelServers {
        sentinels: vec![format!("127.0.0.1:{port}").parse().unwrap()],
        sentinel_login: login.clone(),
        master: "tandem".to_owned(),
        login,
        database: 3,
    };
    let store = Redis::open_sentinel_with_patience(servers, PATIENCE).unwrap();
    for _ in 0..3 {
        let error =
            timeout(LONGEST_CALL, store.reachable()).await.expect("no longer than its patience").unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
        let said = format!("{} {store:?}", everything_said(&error));
        assert!(said.contains(&port.to_string()) && !said.contains("hunter2"), "{said}");
    }
}
