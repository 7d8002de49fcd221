//! A CRM whose changes are told by hand, and all its collectors.

use std::net::{SocketAddr, TcpListener as Port};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use broker::{Broker, Delivery, InProcess, InProcessSubscription, Settlement, Subscription};
use collector::{Callbacks, Ports};
use contract::Message;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use model::{PairName, Record};
use reqwest::{Client, RequestBuilder, StatusCode};
use service::{CallbackConfig, Context, CustomCrmConfig, ServiceError};
use sha2::Sha256;
use simulator_customcrm::{Limits, Running, Settings, Simulator};
use store::Embedded;
use telemetry::Metrics;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{COLLECTIONS, context_of, pairs};
use crate::serve;

/// How long anything may take to come, also on a machine that is busy with other things.
const COMES_WITHIN: Duration = Duration::from_mins(1);
const LOOKS_EVERY: Duration = Duration::from_millis(20);
/// The path that is posted to.
pub(super) const PATH: &str = "/crm/acme";
/// Further apart than any test lasts.
const NEVER: Duration = Duration::from_mins(10);
/// The bytes of the secret, and the secret.
const KEY: &[u8] = b"0123456789abcdefghijklmnopqrstuv";

pub(super) struct Bench {
    pub(super) crm: Running,
    pub(super) listens: SocketAddr,
    pub(super) secret: String,
    pub(super) poll: Duration,
    pub(super) store: Embedded,
    pub(super) broker: InProcess,
}

/// The collectors of one replica.
pub(super) struct Replica {
    pub(super) listens: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<Result<(), ServiceError>>,
    metrics: Arc<Metrics>,
}

/// A notification of Standard Webhooks, signed by another program than ours.
#[derive(Clone)]
pub(super) struct Post {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) body: String,
    pub(super) signature: Option<String>,
}

/// An address that no other test has and no other process uses: one of this machine's own that is this test's alone.
fn own_address() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let host = [127, high.max(1), low, NEXT.fetch_add(1, Ordering::Relaxed)];
    Port::bind(SocketAddr::from((host, 0))).unwrap().local_addr().unwrap()
}

impl Bench {
    pub(super) async fn new() -> Self {
        let limits = Limits { calls: 1_000_000, window: Duration::from_mins(1) };
        Self {
            crm: Simulator::start(Settings { limits, ..Settings::default() }).await.unwrap(),
            listens: own_address(),
            secret: format!("whsec_{}", STANDARD.encode(KEY)),
            poll: NEVER,
            store: Embedded::in_memory().unwrap(),
            broker: InProcess::new(),
        }
    }

    pub(super) fn context(&self, listens: SocketAddr) -> Context {
        let webhooks = CallbackConfig {
            url: format!("http://{listens}{PATH}").parse().unwrap(),
            secret: self.secret.clone().into(),
            secret_file: PathBuf::from("/run/secrets/crm-webhook"),
        };
        let customcrm = CustomCrmConfig {
            url: self.crm.base_url.parse().unwrap(),
            token: self.crm.api_token.clone().into(),
            token_file: None,
            declaration: None,
            user: None,
            client_secret: None,
            poll_interval: self.poll,
            webhooks: Some(webhooks),
            calls_per_minute: NonZeroU32::MAX,
        };
        context_of(customcrm, Some(listens), pairs())
    }

    pub(super) fn ports(&self) -> Ports<InProcess, Embedded> {
        Ports {
            broker: self.broker.clone(),
            store: self.store.clone(),
            broker_forgets: false,
            callbacks: Callbacks::default(),
        }
    }

    async fn start(&self, listens: SocketAddr) -> Replica {
        self.start_with(self.context(listens)).await
    }

    /// Starts a replica that is configured like this.
    pub(super) async fn start_with(&self, context: Context) -> Replica {
        let listens = context.config.webhooks_listen.unwrap();
        self.broker.declare(&context.topology()).await.unwrap();
        let (stop, metrics) = (context.stop.clone(), Arc::clone(&context.metrics));
        let task = tokio::spawn(serve(self.ports(), context));
        until("it listens", || std::net::TcpStream::connect(listens).is_ok()).await;
        Replica { listens, stop, task, metrics }
    }

    /// Starts a replica and waits until it has read everything.
    pub(super) async fn start_and_rest(&self) -> Replica {
        let replica = self.start(self.listens).await;
        until("all is read", || self.reads().iter().all(|reads| *reads > 0)).await;
        replica
    }

    /// Starts a replica that stands by, at an address of its own.
    pub(super) async fn start_another(&self) -> Replica {
        self.start(own_address()).await
    }

    /// How often each collection was read, in the order of [`COLLECTIONS`].
    pub(super) fn reads(&self) -> [usize; 6] {
        let log = self.crm.control.log();
        COLLECTIONS.map(|(collection, _)| {
            // The directory of users is no read of changes.
            let changes = format!("/{collection}?include_deleted=true");
            log.iter().filter(|call| call.path.contains(&changes)).count()
        })
    }

    /// A person makes a record.
    pub(super) fn makes(&self, collection: &str, record: &str) {
        self.crm.control.seed(collection, [record]).unwrap();
    }

    /// What is seen of a collection.
    pub(super) async fn seen_of(&self, collection: &str) -> InProcessSubscription {
        let topology = self.context(self.listens).topology();
        self.broker.declare(&topology).await.unwrap();
        let queue = topology.names.pair(&PairName::parse(&format!("{collection}-accounts")).unwrap());
        self.broker.subscribe(&queue, 1).await.unwrap()
    }
}

impl Post {
    /// What the CRM sends now when this happens.
    pub(super) fn of(kind: &str) -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(0);
        Self {
            id: format!("msg_{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            at: Timestamp::now(),
            body: format!(r#"{{"type":"{kind}","data":{{"id":"x"}}}}"#),
            signature: None,
        }
    }

    pub(super) fn request(&self, listens: SocketAddr) -> RequestBuilder {
        let sent = self.at.as_second();
        let signature = self.signature.clone().unwrap_or_else(|| {
            let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
            mac.update(format!("{}.{sent}.{}", self.id, self.body).as_bytes());
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        });
        Client::new()
            .post(format!("http://{listens}{PATH}"))
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", sent)
            .header("webhook-signature", signature)
            .body(self.body.clone())
    }

    /// Posts it, and gives what is answered.
    pub(super) async fn to(&self, replica: &Replica) -> StatusCode {
        let answer = self.request(replica.listens).send().await.unwrap();
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

/// The next record that is seen.
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
        let (name, labels) = (
            "tandem_webhooks_total{connection=\"acme\"",
            [format!("result=\"{result}\""), "system=\"customcrm\"".to_owned()],
        );
        let rendered = self.metrics.render();
        let is_it = |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
        let found = rendered.lines().find(is_it);
        found.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }
}
