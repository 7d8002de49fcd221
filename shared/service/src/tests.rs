#![allow(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::io;
use std::time::Duration;

use store::{Durability, StoreError};
use telemetry::Metrics;
use tokio::time::{Instant, advance};
use tokio_util::sync::CancellationToken;

use crate::{Backoff, Check, Health, ServiceError, TaskFailure, Tasks, Transient, steadily, supervise};

#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("the connection was lost")]
    Connection(#[source] io::Error),
    #[error("the credentials were refused")]
    Refused,
}

impl Transient for Lost {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Connection(_))
    }
}

fn lost() -> Lost {
    Lost::Connection(io::Error::other("reset"))
}

/// A store that was away, then weak for two reasons one after the other, and then durable.
#[tokio::test(start_paused = true)]
async fn a_store_that_may_lose_something_is_told_and_its_repair_shows() {
    let weak = |reason: &str| Ok(Durability::Weak { reason: reason.to_owned() });
    let answers = RefCell::new(VecDeque::from([
        Err(StoreError::Ended),
        weak("no file"),
        weak("no sync"),
        Err(StoreError::Ended),
        Ok(Durability::Durable),
    ]));
    let metrics = Metrics::new("mapper");
    let shown = || {
        metrics.render().lines().find_map(|line| {
            line.strip_prefix("tandem_store_durable{service=\"mapper\"} ").map(str::to_owned)
        })
    };
    let told = || {
        let answer = answers.borrow_mut().pop_front();
        async { answer.unwrap_or_else(|| panic!("asked too often")) }
    };
    let watched = crate::durability::watch(told, &metrics);
    tokio::pin!(watched);
    // It is asked again soon where it could not tell, and now and then where it could.
    for (passed, expected) in
        [(0, None), (1, None), (1, Some("0")), (30, Some("0")), (30, Some("0")), (2, Some("1"))]
    {
        advance(seconds(passed)).await;
        assert!(tokio::time::timeout(Duration::ZERO, &mut watched).await.is_err());
        assert_eq!(shown().as_deref(), expected);
    }
    assert!(answers.borrow().is_empty());
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_backoff_doubles_up_to_its_maximum_and_jitter_takes_up_to_half_away() {
    let backoff = Backoff::new(seconds(1), seconds(10)).unwrap();
    let longest: Vec<_> = (0..6).map(|attempt| backoff.delay(attempt, 1.0)).collect();
    assert_eq!(longest, [1, 2, 4, 8, 10, 10].map(seconds));
    assert_eq!(backoff.delay(3, 0.0), seconds(4));
    assert_eq!(backoff.delay(3, 0.5), seconds(6));
    assert_eq!(backoff.delay(u32::MAX, 7.0), seconds(10));
}

#[test]
fn a_backoff_that_cannot_be_is_refused() {
    let upside_down = Backoff::new(seconds(2), seconds(1)).unwrap_err();
    assert_eq!(
        upside_down.to_string(),
        "a backoff from 2s to 1s cannot be; give a minimum above zero that is at most the maximum"
    );
    assert!(Backoff::new(Duration::ZERO, seconds(1)).is_err());
    assert!(Backoff::new(seconds(1), seconds(1)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_session_is_run_anew_after_transient_failures_until_one_that_is_not() {
    let (stop, health) = (CancellationToken::new(), Health::new());
    let begun = RefCell::new(Vec::new());
    let started = Instant::now();
    let backoff = Backoff::new(seconds(1), seconds(600)).unwrap();
    let ended = supervise("broker", &stop, backoff, &health, || {
        begun.borrow_mut().push(started.elapsed());
        let attempt = begun.borrow().len();
        let (health, waits_for) = (health.clone(), health.waits_for());
        async move {
            match attempt {
                1 => assert_eq!(waits_for["broker"], "starting"),
                _ => assert_eq!(waits_for["broker"], "the connection was lost: reset"),
            }
            health.set("broker", Check::Ok);
            assert_eq!(health.waits_for(), BTreeMap::new());
            // The fourth lives long enough to count as recovered.
            tokio::time::sleep(if attempt == 4 { seconds(60) } else { Duration::ZERO }).await;
            if attempt == 6 { Err(Lost::Refused) } else { Err(lost()) }
        }
    })
    .await;
    assert!(matches!(ended, Err(Lost::Refused)));
    assert_eq!(health.waits_for()["broker"], "the credentials were refused");

    let begun = begun.into_inner();
    assert_eq!(begun.len(), 6);
    let waits: Vec<_> = begun.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    // Half to whole of 1, 2 and 4 seconds; after the recovery 1 and 2 seconds again.
    let bounds = [(500, 1_000), (1_000, 2_000), (2_000, 4_000), (60_500, 61_000), (1_000, 2_000)];
    for (wait, (min, max)) in waits.iter().zip(bounds) {
        // The paused clock ticks in milliseconds.
        assert!((min..=max + 2).contains(&wait.as_millis()), "{waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_thing_is_done_again_for_some_seconds_unless_its_failure_is_its_sessions() {
    let started = Instant::now();
    let after = async |failures: u32, own: bool| {
        let done = Cell::new(0);
        let ended = steadily(
            |_: &Lost| own,
            || {
                done.set(done.get() + 1);
                let failed = done.get() <= failures;
                async move { if failed { Err(lost()) } else { Ok(()) } }
            },
        );
        (ended.await.is_ok(), done.get())
    };
    assert_eq!(after(4, true).await, (true, 5));
    assert_eq!(after(5, true).await, (false, 5));
    assert!(started.elapsed() < seconds(5), "{:?}", started.elapsed());
    assert_eq!(after(1, false).await, (false, 1));
    let refused = steadily(|_: &Lost| true, async || Err::<(), _>(Lost::Refused)).await;
    assert!(matches!(refused, Err(Lost::Refused)), "what is not transient is not done again");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_between_two_sessions() {
    let (stop, health) = (CancellationToken::new(), Health::new());
    let backoff = Backoff::new(seconds(1_000), seconds(1_000)).unwrap();
    let started = Instant::now();
    let asked = async {
        tokio::time::sleep(seconds(1)).await;
        stop.cancel();
    };
    let (ended, ()) =
        tokio::join!(supervise("broker", &stop, backoff, &health, || async { Err(lost()) }), asked);
    assert!(ended.is_ok());
    assert!(started.elapsed() < seconds(2));
}

#[tokio::test(start_paused = true)]
async fn the_first_task_to_end_ends_all_and_the_deaf_are_named() {
    let stop = CancellationToken::new();
    let mut tasks = Tasks::new(stop.clone(), seconds(20));
    tasks.spawn("consume", async { Err(lost()) });
    let willing = stop.clone();
    tasks.spawn("publish", async move {
        willing.cancelled().await;
        Ok::<_, io::Error>(())
    });
    tasks.spawn("sweep", pending::<io::Result<()>>());
    tasks.spawn("poll", pending::<io::Result<()>>());

    let started = Instant::now();
    let ended = tasks.join().await.unwrap_err();
    assert_eq!(
        ended.to_string(),
        "3 task(s) did not end well: consume failed: the connection was lost: reset; \
         poll ignored the shutdown for 20s; sweep ignored the shutdown for 20s"
    );
    assert_eq!(started.elapsed().as_secs(), 20);
    assert!(stop.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_unasked_is_a_failure_and_one_that_ends_when_asked_is_not() {
    let stop = CancellationToken::new();
    let mut tasks = Tasks::new(stop.clone(), seconds(20));
    tasks.spawn("consume", async { Ok::<_, io::Error>(()) });
    let Err(ServiceError::Tasks(failures)) = tasks.join().await else { panic!("it must be told") };
    assert!(matches!(&failures[..], [TaskFailure::Ended { task }] if task == "consume"), "{failures:?}");

    let stop = CancellationToken::new();
    let mut tasks = Tasks::new(stop.clone(), seconds(20));
    let willing = stop.clone();
    tasks.spawn("consume", async move {
        willing.cancelled().await;
        Ok::<_, io::Error>(())
    });
    let asked = async {
        tokio::time::sleep(seconds(5)).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(tasks.join(), asked);
    assert!(ended.is_ok(), "{ended:?}");
}

#[test]
fn readiness_tells_what_it_waits_for_and_whose_it_is() {
    let health = Health::new();
    assert_eq!(health.waits_for()["start"], "nothing has reported yet");
    let mapper = health.part("mapper");
    mapper.set("broker", Check::Waiting("connection refused".to_owned()));
    health.set("broker", Check::Ok);
    assert_eq!(
        health.waits_for(),
        BTreeMap::from([("mapper/broker".to_owned(), "connection refused".to_owned())])
    );
    mapper.set("broker", Check::Ok);
    assert_eq!(health.waits_for(), BTreeMap::new());
}

#[test]
fn what_rests_for_a_person_is_told_and_holds_up_nobody() {
    let health = Health::new();
    health.part("collector").set("acme", Check::Resting("the grant is lost".to_owned()));
    assert_eq!(health.waits_for(), BTreeMap::new());
    assert_eq!(
        health.rests(),
        BTreeMap::from([("collector/acme".to_owned(), "the grant is lost".to_owned())])
    );
    health.part("collector").set("acme", Check::Ok);
    assert_eq!(health.rests(), BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_no_longer_beats_is_stalled_until_it_beats_or_ends() {
    let health = Health::new();
    let (poll, consume) = (health.pulse("poll Accounts"), health.pulse("consume"));
    advance(seconds(59)).await;
    assert_eq!(health.stalled(), Vec::<String>::new());
    consume.beat();
    advance(seconds(2)).await;
    assert_eq!(health.stalled(), ["poll Accounts"]);
    poll.beat();
    assert_eq!(health.stalled(), Vec::<String>::new());
    advance(seconds(61)).await;
    drop(poll);
    assert_eq!(health.stalled(), ["consume"]);
}
