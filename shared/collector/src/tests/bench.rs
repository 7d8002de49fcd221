//! A deployment of collectors only: the queue of the pair is read by the test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use broker::{Broker, Delivery, Settlement, Subscription};
use contract::{Message, Names, Observed, PairEntities, ReadCompleted, Topology};
use jiff::Timestamp;
use model::{EntityName, PairName, UserId};
use service::Health;
use store::{Applied, Batch, Change, Embedded, Key, Links, Store};
use telemetry::Metrics;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fakes::{Changes, Watching};
use super::{SYSTEM, connection, entity, other_entity};
use crate::{Callbacks, Collector, CollectorError, Pace, Ports, kept_cursor};

/// How often collectors of these tests poll: longer than a lease lasts.
pub(super) const POLL: Duration = Duration::from_mins(1);

pub(super) struct Bench {
    pub(super) store: Embedded,
    pub(super) broker: Watching,
    pub(super) broker_forgets: bool,
    pub(super) pace: Pace,
    pub(super) health: Health,
    /// How many seconds the store's clock is ahead of the runtime's.
    ahead: Arc<AtomicU64>,
    topology: Topology,
    queue: String,
}

/// A collector at work.
pub(super) struct Running {
    pub(super) task: JoinHandle<Result<(), CollectorError>>,
    stop: CancellationToken,
}

impl Running {
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Ends as a process that was killed: nothing is given back.
    pub(super) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

impl Bench {
    /// An empty store that follows the runtime's clock, and an empty broker.
    pub(super) async fn new() -> Self {
        let (begun, epoch) = (Instant::now(), Timestamp::now());
        let ahead = Arc::new(AtomicU64::new(0));
        let leaps = Arc::clone(&ahead);
        let clock = move || epoch + begun.elapsed() + Duration::from_secs(leaps.load(Ordering::SeqCst));
        let store = Embedded::in_memory().unwrap().with_clock(clock);
        let names = Names::new("test");
        let kept = |pair: &str, customcrm: EntityName| PairEntities {
            pair: PairName::parse(pair).unwrap(),
            customcrm,
            exactonline: EntityName::parse("accounts").unwrap(),
        };
        let pairs = [kept("customer-account", entity()), kept("contact-account", other_entity())];
        let queue = names.pair(&pairs[0].pair);
        let topology = Topology::new(names, &pairs);
        let broker = Watching::new(store.clone());
        broker.declare(&topology).await.unwrap();
        let health = Health::new();
        let pace = Pace::polling(POLL);
        Self { store, broker, broker_forgets: false, pace, health, ahead, topology, queue }
    }

    /// Time goes by for the store while the collectors stand still, as in a process that is stopped for a while.
    pub(super) fn leap(&self, time: Duration) {
        self.ahead.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    pub(super) fn start(&self, source: &Changes) -> Running {
        self.start_of(entity(), source)
    }

    pub(super) fn start_of(&self, entity: EntityName, source: &Changes) -> Running {
        let stop = CancellationToken::new();
        let (broker, store) = (self.broker.clone(), self.store.clone());
        let collector = Collector {
            ports: Ports {
                broker,
                store,
                broker_forgets: self.broker_forgets,
                callbacks: Callbacks::default(),
            },
            source: source.clone(),
            namespace: "test".to_owned(),
            topology: self.topology.clone(),
            connection: connection(),
            system: SYSTEM,
            entity,
            pace: self.pace,
            health: self.health.clone(),
            metrics: Arc::new(Metrics::new("collector")),
            stop: stop.clone(),
        };
        Running { task: tokio::spawn(collector.run()), stop }
    }

    /// What has been published within the next second and was not taken before.
    pub(super) async fn published(&self) -> Vec<Message> {
        let mut subscription = self.broker.subscribe(&self.queue, 1).await.unwrap();
        let end = Instant::now() + Duration::from_secs(1);
        let mut messages = Vec::new();
        while let Ok(delivery) = tokio::time::timeout_at(end, subscription.next()).await {
            let delivery = delivery.unwrap();
            messages.push(Message::read(delivery.body()).unwrap());
            delivery.settle(Settlement::Acknowledge).await.unwrap();
        }
        messages
    }

    /// How much of what was published nobody has taken.
    pub(super) async fn left(&self) -> u64 {
        self.broker.depth(&self.queue).await.unwrap()
    }

    /// The same where only records and ends of full reads are expected.
    pub(super) async fn said(&self) -> (Vec<Observed>, Vec<ReadCompleted>) {
        let (mut seen, mut ends) = (Vec::new(), Vec::new());
        for message in self.published().await {
            match message {
                Message::Observed(observed) => seen.push(observed),
                Message::ReadCompleted(completed) => ends.push(completed),
                other => panic!("no collector says {other:?}"),
            }
        }
        (seen, ends)
    }

    pub(super) async fn cursor(&self) -> Option<String> {
        kept_cursor(&self.store, "test", &connection(), SYSTEM, &entity()).await.unwrap()
    }

    pub(super) async fn lose_cursor(&self) {
        let key = Key::of("test", "acme", &["cursor", SYSTEM.name(), "customers"]);
        assert!(self.store.get(&key).await.unwrap().is_some());
        let applied = self.store.apply(Batch::new().then(Change::Delete(key))).await.unwrap();
        assert!(matches!(applied, Applied::Done { .. }));
    }

    /// What is kept of the list of units.
    pub(super) async fn units(&self) -> Option<BTreeMap<String, String>> {
        Links::new(self.store.clone(), "test").lists(&connection()).await.unwrap().remove("units")
    }

    pub(super) async fn people(&self) -> Option<BTreeMap<UserId, String>> {
        Links::new(self.store.clone(), "test").people(&connection(), SYSTEM).await.unwrap()
    }
}

pub(super) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

pub(super) fn ids(observed: &[Observed]) -> Vec<&str> {
    observed.iter().map(|observed| observed.sighting.record.id.as_str()).collect()
}
