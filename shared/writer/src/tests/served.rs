//! The writer as it runs: on its queues.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Delivery, Outgoing, REASON_HEADER, Settlement, Subscription};
use contract::{Lane, Message, OutcomeResult, Woken, WriteQueued};
use jiff::Timestamp;
use mapping::Reading;
use model::{ConnectionName, FailureClass, LinkId, PairName, RecordId};
use service::{
    BrokerConfig, Config, ConnectionConfig, Context, Health, LiteralConfig, Reloads, ServiceError,
    StoreConfig,
};
use telemetry::{LogFilter, LogFormat, Metrics};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::bench::Bench;
use super::fakes::{Scripted, refusal};
use super::{CRM, EXACT, connection};
use crate::{Ports, Writer};

/// Longer than anything here takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn context(bench: &Bench) -> Context {
    context_of(bench, vec![configured(connection(), None)])
}

/// A connection that gives this account to its pairs.
pub(super) fn configured(name: ConnectionName, account: Option<RecordId>) -> ConnectionConfig {
    let literal = LiteralConfig { account, item: None };
    ConnectionConfig {
        name,
        file: None,
        reading: Reading::Practical,
        is_test: false,
        literal,
        customcrm: None,
        exactonline: None,
    }
}

pub(super) fn context_of(bench: &Bench, connections: Vec<ConnectionConfig>) -> Context {
    let config = Config {
        namespace: "test".to_owned(),
        pairs: PathBuf::new(),
        health_listen: ([127, 0, 0, 1], 0).into(),
        webhooks_listen: None,
        auth_listen: None,
        log_filter: LogFilter::parse("info").unwrap(),
        log_format: LogFormat::Text,
        otlp: None,
        broker: BrokerConfig::InProcess,
        store: StoreConfig::File { path: PathBuf::new() },
        shutdown_grace: Duration::from_secs(5),
        connections,
    };
    Context {
        config: Arc::new(config),
        pairs: vec![bench.pair.clone()].into(),
        stop: CancellationToken::new(),
        health: Health::new(),
        metrics: Arc::new(Metrics::new("writer")),
        reloads: Reloads::none(),
    }
}

pub(super) struct Running {
    task: JoinHandle<Result<(), ServiceError>>,
    stop: CancellationToken,
}

impl Running {
    fn of(bench: &Bench) -> Self {
        Self::with(bench, context(bench))
    }

    /// Runs on this context, with the one system for all of its connections.
    pub(super) fn with(bench: &Bench, context: Context) -> Self {
        let target = bench.target.clone();
        Self::making(bench, context, move |_| target.clone())
    }

    /// Runs on this context, with a system for each connection that is made by its configuration.
    pub(super) fn making(
        bench: &Bench,
        context: Context,
        target: impl Fn(&ConnectionConfig) -> Scripted + Send + 'static,
    ) -> Self {
        let stop = context.stop.clone();
        let targets = move |context: &Context| {
            let made = context.config.connections.iter();
            Ok(made.map(|connection| (connection.name.clone(), target(connection))).collect())
        };
        let writer = Writer {
            ports: Ports { broker: bench.broker.clone(), store: bench.store.clone() },
            system: EXACT,
            targets,
            topology: bench.topology.clone(),
            context,
        };
        Self { task: tokio::spawn(writer.run()), stop }
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

async fn send(bench: &Bench, lane: Lane, body: Vec<u8>) {
    let outgoing = Outgoing {
        exchange: String::new(),
        routing_key: bench.topology.names.writes(EXACT, lane),
        id: Uuid::now_v7().to_string(),
        headers: BTreeMap::new(),
        at: Timestamp::now(),
        body,
    };
    bench.broker.publish(vec![outgoing]).await.unwrap();
}

pub(super) async fn queue(bench: &Bench, lane: Lane, queued: WriteQueued) {
    let body = Message::WriteQueued(queued).write(Uuid::now_v7(), "test", Timestamp::now());
    send(bench, lane, body).await;
}

/// A link whose account is to be given another city.
pub(super) async fn edited(bench: &Bench, customer: &str, account: &str) -> LinkId {
    let link = bench.linked(customer, account, &[("Name", customer), ("City", "Delft")]).await;
    bench.edit(&link, &[("City", "Leiden")]).await;
    link
}

async fn until_called(bench: &Bench, calls: usize) {
    let looked = tokio::time::timeout(PATIENCE, async {
        while bench.target.calls().len() < calls {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(looked.await.is_ok(), "not {calls} calls within {PATIENCE:?}");
}

#[tokio::test]
async fn writes_of_both_lanes_are_carried_out_and_acknowledged() {
    let bench = Bench::new().await;
    let running = Running::of(&bench);
    for (lane, customer, account) in [(Lane::Live, "c1", "a1"), (Lane::Backfill, "c2", "a2")] {
        let link = edited(&bench, customer, account).await;
        queue(&bench, lane, bench.queued(&link)).await;
        let outcome = bench.outcome_within(PATIENCE).await.unwrap();
        assert_eq!(outcome.link, link);
        assert!(matches!(outcome.result, OutcomeResult::Applied { .. }));
    }
    // The system is told, so that people's edits go before backfill in its quota too.
    assert_eq!(bench.target.lanes(), Lane::BOTH);
    running.stop().await;
    for lane in Lane::BOTH {
        let queue = bench.topology.names.writes(EXACT, lane);
        assert_eq!(bench.broker.depth(&queue).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn what_cannot_be_a_write_of_ours_becomes_a_dead_letter_that_says_why() {
    let bench = Bench::new().await;
    let link = edited(&bench, "c1", "a1").await;
    let queued = bench.queued(&link);
    let other_pair = PairName::parse("item-item").unwrap();
    let woken =
        Woken { connection: connection(), pair: queued.pair.clone(), link: link.clone(), lane: Lane::Live };
    let written = |message: Message| message.write(Uuid::now_v7(), "test", Timestamp::now());
    let write = |queued: WriteQueued| written(Message::WriteQueued(queued));
    let bodies = [
        (write(WriteQueued { pair: other_pair, ..queued.clone() }), "item-item"),
        (write(WriteQueued { system: CRM, ..queued.clone() }), "customcrm"),
        (written(Message::Woken(woken)), "not a write"),
        (b"{".to_vec(), "CloudEvent"),
    ];
    let running = Running::of(&bench);
    let mut dead = bench.broker.subscribe(&bench.topology.names.dead_letters(), 1).await.unwrap();
    for (body, reason) in bodies {
        send(&bench, Lane::Live, body.clone()).await;
        let letter = tokio::time::timeout(PATIENCE, dead.next()).await.expect(reason).unwrap();
        assert!(letter.headers()[REASON_HEADER].contains(reason), "{}", letter.headers()[REASON_HEADER]);
        assert_eq!(letter.body(), body);
        letter.settle(Settlement::Acknowledge).await.unwrap();
    }
    assert_eq!(bench.target.calls(), []);
    queue(&bench, Lane::Live, queued).await;
    assert!(bench.outcome_within(PATIENCE).await.is_some(), "the next one is carried out");
    running.stop().await;
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_hand_and_takes_nothing_more() {
    let bench = Bench::new().await;
    let (first, second) = (edited(&bench, "c1", "a1").await, edited(&bench, "c2", "a2").await);
    bench.target.hold();
    let running = Running::of(&bench);
    queue(&bench, Lane::Live, bench.queued(&first)).await;
    until_called(&bench, 1).await;
    running.stop.cancel();
    // The stop is noticed before the next message is there.
    tokio::time::sleep(Duration::from_millis(50)).await;
    queue(&bench, Lane::Live, bench.queued(&second)).await;
    assert!(!running.task.is_finished(), "the write in hand is not cut off");
    bench.target.resume.notify_one();
    running.stop().await;
    assert_eq!(bench.outcome().await.unwrap().link, first);
    assert_eq!(bench.target.calls().len(), 1);
    let left = bench.broker.depth(&bench.topology.names.writes(EXACT, Lane::Live)).await.unwrap();
    assert_eq!(left, 1, "the second one waits for the next writer");
}

#[tokio::test]
async fn a_stop_claims_nothing_of_what_waits_for_its_turn() {
    let bench = Bench::new().await;
    bench.target.takes_at_once(1);
    bench.target.hold();
    let (first, second) = (edited(&bench, "c1", "a1").await, edited(&bench, "c2", "a2").await);
    let running = Running::of(&bench);
    queue(&bench, Lane::Live, bench.queued(&first)).await;
    until_called(&bench, 1).await;
    queue(&bench, Lane::Live, bench.queued(&second)).await;
    // It is taken, and its turn has not come.
    tokio::time::sleep(Duration::from_millis(50)).await;
    running.stop.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    bench.target.resume.notify_one();
    running.stop().await;
    assert_eq!(bench.outcome().await.unwrap().link, first);
    assert_eq!(bench.target.calls().len(), 1, "a stop waits for what was claimed and for nothing else");
    let left = bench.broker.depth(&bench.topology.names.writes(EXACT, Lane::Live)).await.unwrap();
    assert_eq!(left, 1, "the second one waits for the next writer");
}

#[tokio::test]
async fn two_slow_writes_are_under_way_at_once() {
    let bench = Bench::new().await;
    bench.target.answer_together(2);
    let running = Running::of(&bench);
    for (customer, account) in [("c1", "a1"), ("c2", "a2")] {
        let link = edited(&bench, customer, account).await;
        queue(&bench, Lane::Live, bench.queued(&link)).await;
    }
    for _ in 0..2 {
        let outcome = bench.outcome_within(PATIENCE).await.expect("neither waits for the other");
        assert!(matches!(outcome.result, OutcomeResult::Applied { .. }));
    }
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_failed_for_now_comes_back_and_is_carried_out() {
    let bench = Bench::new().await;
    let link = edited(&bench, "c1", "a1").await;
    bench.target.fail_write(refusal(FailureClass::Transient, "out of order"));
    let running = Running::of(&bench);
    queue(&bench, Lane::Live, bench.queued(&link)).await;
    assert_eq!(bench.outcome_within(Duration::from_secs(4)).await, None);
    let outcome = bench.outcome_within(Duration::from_secs(2)).await.unwrap();
    assert_eq!((outcome.claim, bench.target.calls().len()), (2, 2));
    running.stop().await;
}

/// A write that is laid aside for this long, because the system has no quota for it.
async fn throttled(bench: &Bench, after: Duration) -> LinkId {
    let link = edited(bench, "c1", "a1").await;
    bench.target.not_ready(refusal(FailureClass::Throttled { after }, "no quota"));
    queue(bench, Lane::Live, bench.queued(&link)).await;
    let live = bench.topology.names.writes(EXACT, Lane::Live);
    let taken = tokio::time::timeout(PATIENCE, async {
        while bench.broker.depth(&live).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    taken.await.expect("the writer takes the message");
    link
}

#[tokio::test]
async fn a_throttled_write_goes_out_when_it_may_and_not_at_the_end_of_a_tier() {
    let bench = Bench::new().await;
    let running = Running::of(&bench);
    let (begun, after) = (tokio::time::Instant::now(), Duration::from_millis(1_500));
    let link = throttled(&bench, after).await;
    // What comes for the same line meanwhile does not even ask.
    let next = edited(&bench, "c2", "a2").await;
    queue(&bench, Lane::Live, bench.queued(&next)).await;
    let mut written = vec![bench.outcome_within(PATIENCE).await.unwrap().link];
    assert!(begun.elapsed() >= after, "written after {:?}", begun.elapsed());
    written.push(bench.outcome_within(PATIENCE).await.unwrap().link);
    written.sort();
    assert_eq!(written, [link, next]);
    assert!(begun.elapsed() < Duration::from_secs(5), "written after {:?}", begun.elapsed());
    running.stop().await;
}

#[tokio::test]
async fn what_a_writer_laid_aside_and_left_is_found_by_the_next_one() {
    let bench = Bench::new().await;
    let running = Running::of(&bench);
    let link = throttled(&bench, Duration::from_millis(500)).await;
    running.stop().await;
    let running = Running::of(&bench);
    assert_eq!(bench.outcome_within(PATIENCE).await.expect("it is not lost").link, link);
    running.stop().await;
}

#[tokio::test]
async fn what_fails_for_now_after_it_was_laid_aside_rests_in_a_tier_with_its_attempt() {
    let bench = Bench::new().await;
    let running = Running::of(&bench);
    bench.target.fail_write(refusal(FailureClass::Transient, "out of order"));
    throttled(&bench, Duration::from_millis(200)).await;
    let tier = bench.topology.names.retry(contract::RetryTier::Seconds5);
    let resting = tokio::time::timeout(PATIENCE, async {
        while bench.broker.depth(&tier).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    resting.await.expect("it rests in the tier");
    running.stop().await;
    let queue = bench.topology.names.writes(EXACT, Lane::Live);
    let mut subscription = bench.broker.subscribe(&queue, 1).await.unwrap();
    let again = tokio::time::timeout(PATIENCE, subscription.next()).await.unwrap().unwrap();
    assert_eq!((again.attempt(), again.headers()[REASON_HEADER].as_str()), (2, "out of order"));
}
