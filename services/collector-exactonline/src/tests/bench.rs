//! A division that tells of its changes, and all its collectors.

use std::fs;
use std::net::{SocketAddr, TcpListener as Port};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use broker::{Broker, Delivery, InProcess, InProcessSubscription, Settlement, Subscription};
use collector::{Callbacks, Ports};
use contract::Message;
use mapping::Reading;
use model::{ConnectionName, PairName, Record};
use reqwest::{Client, StatusCode};
use service::{
    BrokerConfig, CallbackConfig, Config, ConnectionConfig, Context, ExactOnlineConfig, Health,
    LiteralConfig, Reloads, ServiceError, StoreConfig, WebhooksConfig,
};
use simulator_exactonline::{Control, Limits, Running, Settings, Simulator, Switches};
use store::Embedded;
use telemetry::{LogFilter, LogFormat, Metrics};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::pace::Intervals;
use crate::serve_at;
use crate::tests::shipped;

/// How long anything may take to come, also on a machine that is busy with other things.
const COMES_WITHIN: Duration = Duration::from_mins(1);
const LOOKS_EVERY: Duration = Duration::from_millis(20);
/// The path that is posted to.
pub(super) const PATH: &str = "/exact/acme";
/// Further apart than any test lasts.
pub(super) const NEVER: Duration = Duration::from_mins(10);

pub(super) struct Bench {
    pub(super) exact: Running,
    pub(super) store: Embedded,
    pub(super) broker: InProcess,
    pub(super) folder: TempDir,
    pub(super) listens: SocketAddr,
    pub(super) intervals: Intervals,
    pub(super) poll: Duration,
    pub(super) poll_told: Duration,
    pub(super) has_webhooks: bool,
}

/// The collectors of one replica.
pub(super) struct Replica {
    stop: CancellationToken,
    task: JoinHandle<Result<(), ServiceError>>,
    metrics: Arc<Metrics>,
}

/// An address that no other test has and no other process uses: one of this machine's own that is this test's alone.
pub(super) fn own_address() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let host = [127, high.max(1), low, NEXT.fetch_add(1, Ordering::Relaxed)];
    Port::bind(SocketAddr::from((host, 0))).unwrap().local_addr().unwrap()
}

impl Bench {
    pub(super) async fn new() -> Self {
        let limits = Limits { per_minute: 1_000_000, per_day: 1_000_000, ..Limits::default() };
        let switches = Switches {
            webhooks_on_loopback: true,
            webhooks_after_milliseconds: 0,
            webhooks_minute_milliseconds: 100,
            ..Switches::default()
        };
        let exact = Simulator::start(Settings { limits, switches, ..Settings::default() }).await.unwrap();
        Self {
            exact,
            store: Embedded::in_memory().unwrap(),
            broker: InProcess::new(),
            folder: tempfile::tempdir().unwrap(),
            listens: own_address(),
            intervals: Intervals::default(),
            poll: NEVER,
            poll_told: NEVER,
            has_webhooks: true,
        }
    }

    pub(super) fn control(&self) -> Control {
        self.exact.control()
    }

    pub(super) fn callback(&self) -> String {
        format!("http://{}{PATH}", self.listens)
    }

    fn context(&self) -> Context {
        let grant_file = self.folder.path().join("grant.json");
        if !grant_file.exists() {
            fs::write(&grant_file, format!(r#"{{"refresh_token":"{}"}}"#, self.exact.refresh_token)).unwrap();
        }
        let callback = CallbackConfig {
            url: self.callback().parse().unwrap(),
            secret: self.exact.webhook_secret.clone().into(),
            secret_file: PathBuf::new(),
        };
        let webhooks = WebhooksConfig { callback, poll_interval: self.poll_told };
        let exactonline = ExactOnlineConfig {
            url: self.exact.base_url.parse().unwrap(),
            division: NonZeroU32::new(u32::try_from(self.exact.division).unwrap()).unwrap(),
            client_id: self.exact.client_id.clone(),
            client_secret: self.exact.client_secret.clone().into(),
            client_secret_file: PathBuf::new(),
            grant_file,
            redirect_uri: None,
            consent_command: String::new(),
            poll_interval: self.poll,
            webhooks: self.has_webhooks.then_some(webhooks),
            calls_per_minute: NonZeroU32::new(1_000_000).unwrap(),
            calls_per_day: NonZeroU32::new(1_000_000).unwrap(),
        };
        let connection = ConnectionConfig {
            name: ConnectionName::parse("acme").unwrap(),
            file: None,
            reading: Reading::Practical,
            is_test: true,
            literal: LiteralConfig::default(),
            customcrm: None,
            exactonline: Some(exactonline),
        };
        let config = Config {
            namespace: "test".to_owned(),
            pairs: PathBuf::new(),
            health_listen: ([127, 0, 0, 1], 0).into(),
            webhooks_listen: self.has_webhooks.then_some(self.listens),
            auth_listen: None,
            log_filter: LogFilter::parse("off").unwrap(),
            log_format: LogFormat::Text,
            otlp: None,
            broker: BrokerConfig::InProcess,
            store: StoreConfig::File { path: PathBuf::new() },
            shutdown_grace: Duration::from_secs(5),
            connections: vec![connection],
        };
        Context {
            config: Arc::new(config),
            pairs: shipped(Reading::Practical).into(),
            stop: CancellationToken::new(),
            health: Health::new(),
            metrics: Arc::new(Metrics::new("collector-exactonline")),
            reloads: Reloads::none(),
        }
    }

    /// Starts a replica.
    pub(super) async fn start(&self) -> Replica {
        self.start_in(self.context()).await
    }

    async fn start_in(&self, context: Context) -> Replica {
        self.broker.declare(&context.topology()).await.unwrap();
        let ports = Ports {
            broker: self.broker.clone(),
            store: self.store.clone(),
            broker_forgets: false,
            callbacks: Callbacks::default(),
        };
        let (stop, metrics) = (context.stop.clone(), Arc::clone(&context.metrics));
        let task = tokio::spawn(serve_at(self.intervals, ports, context));
        Replica { stop, task, metrics }
    }

    /// Starts a replica whose listener nobody calls: the address is that of the first one.
    pub(super) async fn start_another(&self) -> Replica {
        let mut context = self.context();
        let config = Config { webhooks_listen: Some(own_address()), ..(*context.config).clone() };
        context.config = Arc::new(config);
        self.start_in(context).await
    }

    /// Starts a replica and waits until it has read everything and is told of changes.
    pub(super) async fn start_and_rest(&self) -> Replica {
        let replica = self.start().await;
        until("all subscriptions are made", || self.subscriptions().len() == 5).await;
        until("all is read", || self.polls().iter().all(|polls| *polls > 0)).await;
        replica
    }

    /// The topics that are subscribed to, with their addresses.
    pub(super) fn subscriptions(&self) -> Vec<(String, String)> {
        let listed = self.control().records("webhooks/WebhookSubscriptions").unwrap();
        let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        listed.iter().map(|one| (text(&one["Topic"]), text(&one["CallbackURL"]))).collect()
    }

    /// How often each entity's feed was read.
    pub(super) fn polls(&self) -> [usize; 5] {
        [
            "crm/accounts",
            "crm/contacts",
            "logistics/items",
            "salesorder/salesorderheaders",
            "crm/quotationheaders",
        ]
        .map(|feed| self.calls(&format!("GET sync/{feed}")))
    }

    pub(super) fn calls(&self, endpoint: &str) -> usize {
        self.control().counts().by_endpoint.get(endpoint).copied().unwrap_or_default()
    }

    /// What is seen of accounts.
    pub(super) async fn accounts(&self) -> InProcessSubscription {
        self.seen_by("customer-account").await
    }

    /// What is seen of a pair's records.
    pub(super) async fn seen_by(&self, pair: &str) -> InProcessSubscription {
        let topology = self.context().topology();
        self.broker.declare(&topology).await.unwrap();
        let queue = topology.names.pair(&PairName::parse(pair).unwrap());
        self.broker.subscribe(&queue, 1).await.unwrap()
    }

    /// Posts a body to the listener.
    pub(super) async fn post(&self, body: impl Into<reqwest::Body>) -> StatusCode {
        let answer = Client::new().post(self.callback()).body(body).send().await.unwrap();
        let status = answer.status();
        assert_eq!(answer.text().await.unwrap(), "", "nothing is said");
        status
    }
}

/// Waits until this is so.
pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + COMES_WITHIN;
    while !is_so() {
        assert!(Instant::now() < until, "{what}: not within {COMES_WITHIN:?}");
        sleep(LOOKS_EVERY).await;
    }
}

/// The next record of Exact that is seen.
pub(super) async fn next_of(subscription: &mut InProcessSubscription) -> Record {
    loop {
        let delivery = tokio::time::timeout(COMES_WITHIN, subscription.next()).await.unwrap().unwrap();
        let message = Message::read(delivery.body()).unwrap();
        delivery.settle(Settlement::Acknowledge).await.unwrap();
        if let Message::Observed(seen) = message {
            return seen.sighting.record;
        }
    }
}

impl Replica {
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// How often this was posted.
    pub(super) fn posted(&self, result: &str) -> u64 {
        let line = format!("tandem_webhooks_total{{connection=\"acme\",result=\"{result}\"");
        let rendered = self.metrics.render();
        let found = rendered.lines().find(|text| text.starts_with(&line));
        found.map_or(0, |text| text.rsplit(' ').next().unwrap().parse().unwrap())
    }

    pub(super) fn keeps(&self) -> Option<bool> {
        let rendered = self.metrics.render();
        let found = rendered.lines().find(|text| text.starts_with("tandem_webhooks_kept{"));
        found.map(|text| text.ends_with(" 1"))
    }
}
