//! What a service counts, and the text that Prometheus reads.

mod families;
mod labels;
mod openmetrics;
mod traced;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus::proto::{Metric, MetricFamily};
use prometheus::{GaugeVec, HistogramVec, IntCounterVec, IntGauge, Registry, TextEncoder};

pub use self::families::Family;
use self::families::{Families, forget};
pub use self::labels::{
    Direction, Hop, LinkState, QuotaWindow, ReloadResult, Settlement, WebhookResult, WriteOutcome,
};
pub(crate) use self::traced::Exemplars;
use self::traced::Traced;
use crate::names::metric;

/// Bounds of the lag histograms in seconds: from a webhook's hint to a day of exhausted quota.
const LAG_SECONDS: [f64; 14] =
    [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0];

/// Bounds of the durations of calls and of the handling of messages in seconds, as the conventions advise.
const CALL_SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The same for operations of the store.
const STORE_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

const LAG_LABELS: [&str; 2] = ["pair", "direction"];
const HOP_LABELS: [&str; 2] = ["hop", "system"];
/// The labels of calls, messages and operations: the names of the conventions, with `_` for each dot.
const HTTP_LABELS: [&str; 6] = [
    "http_request_method",
    "server_address",
    "server_port",
    "url_template",
    "http_response_status_code",
    "error_type",
];
const PROCESSING_LABELS: [&str; 4] =
    ["messaging_operation_name", "messaging_system", "messaging_destination_name", "error_type"];
const STORE_LABELS: [&str; 3] = ["db_operation_name", "db_system_name", "error_type"];

/// A call to a system, as it is counted: never with a key or a filter in it.
#[derive(Debug, Clone, Copy)]
pub struct HttpCall<'a> {
    /// Its method.
    pub method: &'a str,
    /// The host that it goes to.
    pub server_address: &'a str,
    /// And the port.
    pub server_port: Option<u16>,
    /// The path, with placeholders for keys.
    pub template: &'a str,
}

/// The handling of a message.
#[derive(Debug, Clone, Copy)]
pub struct Processing<'a> {
    /// The kind of broker.
    pub system: &'a str,
    /// What is done with the message.
    pub operation: &'a str,
    /// The queue that it came from.
    pub queue: &'a str,
}

/// A cursor: connection, system, entity.
type Cursor = (String, String, String);
/// A limit: connection, window.
type Limit = (String, &'static str);

/// The counters, gauges and histograms of one process. Pass it by `Arc`; there is no global one.
///
/// Label values are names of pairs, queues, systems and connections: never an id of a record, never a person's data.
pub struct Metrics {
    registry: Registry,
    made: Vec<Family>,
    writes: IntCounterVec,
    queued_writes: IntCounterVec,
    echoes: IntCounterVec,
    conflicts: IntCounterVec,
    broken_promises: IntCounterVec,
    oscillations: IntCounterVec,
    dead_letters: IntCounterVec,
    messages: IntCounterVec,
    unknown_connections: IntCounterVec,
    exactonline_calls: IntCounterVec,
    sync_lag: Traced,
    hop_lag: Traced,
    http_duration: HistogramVec,
    processing_duration: HistogramVec,
    store_duration: HistogramVec,
    poll_age: GaugeVec,
    poll_interval: GaugeVec,
    quota_left: GaugeVec,
    grant_usable: GaugeVec,
    grant_age: GaugeVec,
    links: GaugeVec,
    queue_depth: GaugeVec,
    webhooks: IntCounterVec,
    webhooks_kept: GaugeVec,
    store_durable: GaugeVec,
    configuration_reloads: IntCounterVec,
    ready: IntGauge,
    polled: Mutex<BTreeMap<Cursor, (Duration, Instant)>>,
    granted: Mutex<BTreeMap<String, (Duration, Instant)>>,
    /// When the window ends that the gauge tells of.
    quotas: Mutex<BTreeMap<Limit, Instant>>,
    /// Until when it holds that a connection's grant does not serve.
    useless_grants: Mutex<BTreeMap<String, Instant>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// All metrics at zero; each carries the label `service`.
    pub fn new(service: &str) -> Self {
        let mut families = Families::new(service);
        let mut counter = |name, help, labels: &[&str]| families.counter(name, help, labels);
        let writes =
            counter(metric::WRITES, "Writes by what became of them.", &["pair", "system", "outcome"]);
        let help = "Writes that were queued, by what they ask.";
        let queued_writes = counter(metric::QUEUED_WRITES, help, &["pair", "system", "change"]);
        let help = "Observations that were our own write coming back.";
        let echoes = counter(metric::ECHOES, help, &["pair", "system"]);
        let conflicts = counter(metric::CONFLICTS, "Conflicts that wait for a person.", &["pair"]);
        let help = "Steps of links that broke a promise.";
        let broken_promises = counter(metric::BROKEN_PROMISES, help, &["pair", "promise"]);
        let help = "Properties that two systems keep rewriting, and that are held for a person.";
        let oscillations = counter(metric::OSCILLATIONS, help, &["pair"]);
        let dead_letters = counter(metric::DEAD_LETTERS, "Messages that could not be handled.", &["queue"]);
        let help = "Messages that were settled, by how.";
        let messages = counter(metric::MESSAGES, help, &["queue", "settlement"]);
        let help = "Deliveries of messages that wait because their connection is not configured here.";
        let unknown_connections = counter(metric::UNKNOWN_CONNECTIONS, help, &["queue"]);
        let help = "Calls to Exact Online by what they are for.";
        let exactonline_calls = counter(metric::EXACTONLINE_CALLS, help, &["endpoint", "class", "status"]);
        let help = "Posts to the address of a connection's webhooks, by what they were.";
        let webhooks = counter(metric::WEBHOOKS, help, &["connection", "system", "result"]);
        let help = "How often the configuration was read anew, by what came of it.";
        let configuration_reloads = counter(metric::CONFIGURATION_RELOADS, help, &["result"]);

        let mut histogram =
            |name, help, labels: &[&str], bounds: &[f64]| families.histogram(name, help, labels, bounds);
        let help = "Seconds from an edit to its write being applied.";
        let sync_lag = histogram(metric::SYNC_LAG, help, &LAG_LABELS, &LAG_SECONDS);
        let sync_lag = Traced::new(metric::SYNC_LAG, sync_lag, &LAG_LABELS, &LAG_SECONDS);
        let help = "Seconds that a change spent on a part of its way.";
        let hop_lag = histogram(metric::HOP_LAG, help, &HOP_LABELS, &LAG_SECONDS);
        let hop_lag = Traced::new(metric::HOP_LAG, hop_lag, &HOP_LABELS, &LAG_SECONDS);
        let help = "Seconds that calls to CustomCRM and Exact Online took.";
        let http_duration = histogram(metric::HTTP_DURATION, help, &HTTP_LABELS, &CALL_SECONDS);
        let help = "Seconds that the handling of messages took.";
        let processing_duration =
            histogram(metric::PROCESSING_DURATION, help, &PROCESSING_LABELS, &CALL_SECONDS);
        let help = "Seconds that operations of the store took.";
        let store_duration = histogram(metric::STORE_DURATION, help, &STORE_LABELS, &STORE_SECONDS);

        let mut gauge = |name, help, labels: &[&str]| families.gauge(name, help, labels);
        let help = "Seconds since the cursor was last known to be up to date.";
        let poll_age = gauge(metric::POLL_AGE, help, &["connection", "system", "entity"]);
        let help = "Seconds from the end of a poll of the cursor to the next one, as things are.";
        let poll_interval = gauge(metric::POLL_INTERVAL, help, &["connection", "system", "entity"]);
        let help = "Calls to Exact Online that are left of a limit, as of the last call.";
        let quota_left = gauge(metric::QUOTA_LEFT, help, &["connection", "window"]);
        let help = "1 while the grant of Exact Online serves, 0 while it is lost or was never given: give consent with \
                    `tandem auth exactonline`.";
        let grant_usable = gauge(metric::GRANT_USABLE, help, &["connection"]);
        let help = "Seconds since the grant of Exact Online was refreshed, as far as this process knows.";
        let grant_age = gauge(metric::GRANT_AGE, help, &["connection"]);
        let help = "Links by where they stand, of all connections, as of a mapper's last look.";
        let links = gauge(metric::LINKS, help, &["pair", "state"]);
        let help = "Messages that wait in a queue, as of a mapper's last look.";
        let queue_depth = gauge(metric::QUEUE_DEPTH, help, &["queue"]);
        let help = "1 while the subscriptions to webhooks are kept, 0 while they can't be.";
        let webhooks_kept = gauge(metric::WEBHOOKS_KEPT, help, &["connection"]);
        let help = "1 while the store keeps all that it acknowledges, 0 while a crash of it may lose some: the log says why.";
        let store_durable = gauge(metric::STORE_DURABLE, help, &[]);
        let help = "1 when the process is ready, 0 when it waits for something.";
        let ready = families.plain_gauge(metric::READY, help);
        let Families { registry, made } = families;
        Self {
            registry,
            made,
            writes,
            queued_writes,
            echoes,
            conflicts,
            broken_promises,
            oscillations,
            dead_letters,
            messages,
            unknown_connections,
            exactonline_calls,
            sync_lag,
            hop_lag,
            http_duration,
            processing_duration,
            store_duration,
            poll_age,
            poll_interval,
            quota_left,
            grant_usable,
            grant_age,
            links,
            queue_depth,
            webhooks,
            webhooks_kept,
            store_durable,
            configuration_reloads,
            ready,
            polled: Mutex::default(),
            granted: Mutex::default(),
            quotas: Mutex::default(),
            useless_grants: Mutex::default(),
        }
    }

    /// Every family that there is, also those of which nothing is known yet.
    pub fn families(&self) -> &[Family] {
        &self.made
    }

    /// A write to `system` in `pair` ended with `outcome`.
    pub fn count_write(&self, pair: &str, system: &str, outcome: WriteOutcome) {
        self.writes.with_label_values(&[pair, system, outcome.name()]).inc();
    }

    /// A write to `system` in `pair` was queued that asks for this kind of change.
    pub fn count_queued_write(&self, pair: &str, system: &str, change: &str) {
        self.queued_writes.with_label_values(&[pair, system, change]).inc();
    }

    /// An observation from `system` in `pair` was our own write coming back.
    pub fn count_echo(&self, pair: &str, system: &str) {
        self.echoes.with_label_values(&[pair, system]).inc();
    }

    /// A conflict in `pair` now waits for a person.
    pub fn count_conflict(&self, pair: &str) {
        self.conflicts.with_label_values(&[pair]).inc();
    }

    /// A step of a link of `pair` broke a promise.
    pub fn count_broken_promise(&self, pair: &str, promise: &str) {
        self.broken_promises.with_label_values(&[pair, promise]).inc();
    }

    /// The oscillation breaker holds one more property of a link of `pair`.
    pub fn count_oscillation(&self, pair: &str) {
        self.oscillations.with_label_values(&[pair]).inc();
    }

    /// A message of `queue` could not be handled and was put aside.
    pub fn count_dead_letter(&self, queue: &str) {
        self.dead_letters.with_label_values(&[queue]).inc();
    }

    /// A message of `queue` was settled.
    pub fn count_message(&self, queue: &str, settlement: Settlement) {
        self.messages.with_label_values(&[queue, settlement.name()]).inc();
    }

    /// A message of `queue` waits because its connection is not configured here.
    pub fn count_unknown_connection(&self, queue: &str) {
        self.unknown_connections.with_label_values(&[queue]).inc();
    }

    /// A call of this endpoint of Exact Online was answered with this status; `None`: no answer came.
    pub fn count_exactonline_call(&self, endpoint: &str, class: &str, status: Option<u16>) {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.exactonline_calls.with_label_values(&[endpoint, class, &status]).inc();
    }

    /// A change in `pair` took `seconds` from the edit to its write being applied. Negative values (clocks that
    /// differ) count as zero.
    pub fn observe_lag(&self, pair: &str, direction: Direction, seconds: f64) {
        self.sync_lag.observe(&[pair, direction.name()], seconds.max(0.0));
    }

    /// A change spent `seconds` on this part of its way, to or from `system`. Negative values count as zero.
    pub fn observe_hop(&self, hop: Hop, system: &str, seconds: f64) {
        self.hop_lag.observe(&[hop.name(), system], seconds.max(0.0));
    }

    /// A call to a system took `seconds`.
    pub fn observe_http(&self, call: &HttpCall<'_>, status: Option<u16>, error: Option<&str>, seconds: f64) {
        let status = status.map(|status| status.to_string()).unwrap_or_default();
        let port = call.server_port.map(|port| port.to_string()).unwrap_or_default();
        let labels =
            [call.method, call.server_address, &port, call.template, &status, error.unwrap_or_default()];
        self.http_duration.with_label_values(&labels).observe(seconds);
    }

    /// The handling of a message took `seconds`.
    pub fn observe_processing(&self, handled: &Processing<'_>, error: Option<&str>, seconds: f64) {
        let Processing { system, operation, queue } = handled;
        let labels = [*operation, system, queue, error.unwrap_or_default()];
        self.processing_duration.with_label_values(&labels).observe(seconds);
    }

    /// An operation of the store took `seconds`.
    pub fn observe_store(&self, system: &str, operation: &str, error: Option<&str>, seconds: f64) {
        let labels = [operation, system, error.unwrap_or_default()];
        self.store_duration.with_label_values(&labels).observe(seconds);
    }

    /// So many links of `pair` stand like this, in all connections together.
    pub fn set_links(&self, pair: &str, state: LinkState, count: u64) {
        self.links.with_label_values(&[pair, state.name()]).set(whole(count));
    }

    /// So many messages wait in `queue`.
    pub fn set_queue_depth(&self, queue: &str, messages: u64) {
        self.queue_depth.with_label_values(&[queue]).set(whole(messages));
    }

    /// The connection's grant of Exact Online was refreshed `age` ago. From here on the age grows by itself.
    pub fn set_grant_age(&self, connection: &str, age: Duration) {
        let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        granted.insert(connection.to_owned(), (age, Instant::now()));
    }

    /// The cursor of `entity` was up to date `age` ago: zero after a poll that read to the end.
    ///
    /// From here on the age grows by itself, so that a poller that hangs is seen to hang.
    pub fn set_poll_age(&self, connection: &str, system: &str, entity: &str, age: Duration) {
        let cursor = (connection.to_owned(), system.to_owned(), entity.to_owned());
        self.polled.lock().unwrap_or_else(PoisonError::into_inner).insert(cursor, (age, Instant::now()));
    }

    /// The cursor of `entity` is polled again after this time.
    pub fn set_poll_interval(&self, connection: &str, system: &str, entity: &str, interval: Duration) {
        self.poll_interval.with_label_values(&[connection, system, entity]).set(interval.as_secs_f64());
    }

    /// The cursor of `entity` is no longer this process's: another one holds the lease.
    pub fn forget_poll_age(&self, connection: &str, system: &str, entity: &str) {
        let cursor = (connection.to_owned(), system.to_owned(), entity.to_owned());
        self.polled.lock().unwrap_or_else(PoisonError::into_inner).remove(&cursor);
        // There is nothing to remove when nobody has scraped since the cursor was polled.
        let _ = self.poll_age.remove_label_values(&[connection, system, entity]);
        let _ = self.poll_interval.remove_label_values(&[connection, system, entity]);
    }

    /// Of the connection's calls to Exact Online so many are left in this window, which ends so soon.
    pub fn set_quota_left(&self, connection: &str, window: QuotaWindow, calls: u32, ends_in: Duration) {
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        quotas.insert((connection.to_owned(), window.name()), Instant::now() + ends_in);
        self.quota_left.with_label_values(&[connection, window.name()]).set(f64::from(calls));
    }

    /// A connection's grant of Exact Online serves.
    pub fn set_grant_usable(&self, connection: &str) {
        self.useless_grants.lock().unwrap_or_else(PoisonError::into_inner).remove(connection);
        self.grant_usable.with_label_values(&[connection]).set(1.0);
    }

    /// A connection's grant of Exact Online does not serve. Unless that is said again within this time it is forgotten:
    /// another process may be the one that finds it repaired.
    pub fn set_grant_unusable(&self, connection: &str, said_again_within: Duration) {
        let mut useless = self.useless_grants.lock().unwrap_or_else(PoisonError::into_inner);
        useless.insert(connection.to_owned(), Instant::now() + said_again_within);
        self.grant_usable.with_label_values(&[connection]).set(0.0);
    }

    /// Something was posted to the address of a connection's webhooks.
    pub fn count_webhook(&self, connection: &str, system: &str, result: WebhookResult) {
        self.webhooks.with_label_values(&[connection, system, result.name()]).inc();
    }

    /// Whether a connection's subscriptions to webhooks are kept.
    pub fn set_webhooks_kept(&self, connection: &str, kept: bool) {
        self.webhooks_kept.with_label_values(&[connection]).set(f64::from(u8::from(kept)));
    }

    /// Another process keeps the connection's subscriptions.
    pub fn forget_webhooks_kept(&self, connection: &str) {
        // There is nothing to remove when this process never kept them.
        let _ = self.webhooks_kept.remove_label_values(&[connection]);
    }

    /// Whether the store keeps all that it acknowledges.
    pub fn set_store_durable(&self, durable: bool) {
        self.store_durable.with_label_values::<&str>(&[]).set(f64::from(u8::from(durable)));
    }

    /// The configuration was read anew, with this result.
    pub fn count_reload(&self, result: ReloadResult) {
        self.configuration_reloads.with_label_values(&[result.name()]).inc();
    }

    /// A connection is this process's no longer: nothing more is told of it.
    pub fn forget_connection(&self, connection: &str) {
        let of_it = |name: &String| name == connection;
        self.polled.lock().unwrap_or_else(PoisonError::into_inner).retain(|cursor, _| !of_it(&cursor.0));
        self.quotas.lock().unwrap_or_else(PoisonError::into_inner).retain(|limit, _| !of_it(&limit.0));
        self.useless_grants.lock().unwrap_or_else(PoisonError::into_inner).remove(connection);
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).remove(connection);
        forget(&self.poll_age, connection);
        forget(&self.poll_interval, connection);
        forget(&self.quota_left, connection);
        forget(&self.grant_usable, connection);
        forget(&self.grant_age, connection);
        forget(&self.webhooks, connection);
        forget(&self.webhooks_kept, connection);
    }

    /// Whether the process is ready.
    pub fn set_ready(&self, ready: bool) {
        self.ready.set(i64::from(ready));
    }

    /// Everything in the text format of Prometheus (`text/plain; version=0.0.4`).
    pub fn render(&self) -> String {
        self.take_time();
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("families without metrics are not gathered")
    }

    /// The same in the format of OpenMetrics, and what that is called: with exemplars, which lead from an observation to
    /// the trace that it was made in.
    pub fn render_openmetrics(&self) -> (&'static str, String) {
        let (families, exemplars) = self.gathered();
        let text = openmetrics::written(&families, exemplars).expect("a string takes any text");
        (openmetrics::CONTENT_TYPE, text)
    }

    /// Everything as it is counted, and which exemplars there are of a metric of a family.
    pub(crate) fn gathered(
        &self,
    ) -> (Vec<MetricFamily>, impl Fn(&str, &Metric) -> Option<Exemplars> + use<'_>) {
        self.take_time();
        let of = |family: &str, metric: &Metric| {
            self.sync_lag.of(family, metric).or_else(|| self.hop_lag.of(family, metric))
        };
        (self.registry.gather(), of)
    }

    /// Sets what changes by itself while time passes.
    fn take_time(&self) {
        for ((connection, system, entity), (age, since)) in
            self.polled.lock().unwrap_or_else(PoisonError::into_inner).iter()
        {
            let age = *age + since.elapsed();
            self.poll_age.with_label_values(&[connection, system, entity]).set(age.as_secs_f64());
        }
        for (connection, (age, since)) in self.granted.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            self.grant_age.with_label_values(&[connection]).set((*age + since.elapsed()).as_secs_f64());
        }
        let now = Instant::now();
        self.quotas.lock().unwrap_or_else(PoisonError::into_inner).retain(|(connection, window), end| {
            let goes_on = now < *end;
            if !goes_on {
                // A new window has begun, of which nothing is known.
                let _ = self.quota_left.remove_label_values(&[connection.as_str(), window]);
            }
            goes_on
        });
        self.useless_grants.lock().unwrap_or_else(PoisonError::into_inner).retain(|connection, until| {
            let goes_on = now < *until;
            if !goes_on {
                let _ = self.grant_usable.remove_label_values(&[connection.as_str()]);
            }
            goes_on
        });
    }
}

/// A count as a gauge shows it; exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "nobody has that many links or messages")]
fn whole(count: u64) -> f64 {
    count as f64
}
