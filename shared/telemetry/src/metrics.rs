//! What a service counts, and the text that Prometheus reads.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use crate::names::metric;

/// Bounds of the sync-lag histogram in seconds: from a webhook's hint to a day of exhausted quota.
const LAG_SECONDS: [f64; 14] =
    [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0];

const STATIC: &str = "names, labels and bounds are constants that agree with each other";

macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The label's value.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

label! {
    /// Which way a change went.
    Direction {
        /// From CustomCRM to Exact Online.
        ToExact => "to-exact",
        /// From Exact Online to CustomCRM.
        ToCrm => "to-crm",
    }
}

label! {
    /// What became of a write.
    WriteOutcome {
        /// It was applied, and the other side's answer was seen.
        Applied => "applied",
        /// The search before a create found the record: it was adopted, none was created.
        Adopted => "adopted",
        /// The record had changed since it was last seen; nothing was written.
        Stale => "stale",
        /// The system refused the values.
        Rejected => "rejected",
        /// The record is no longer there.
        Gone => "gone",
        /// Nobody knows whether it was applied; it is searched for before it is repeated.
        Ambiguous => "ambiguous",
        /// It will be tried again.
        Retried => "retried",
    }
}

label! {
    /// How a message was settled.
    Settlement {
        /// It was handled.
        Done => "done",
        /// It will be delivered again later.
        Retried => "retried",
        /// It was laid aside until its connection gets on.
        LaidAside => "laid-aside",
        /// It could not be handled and lies in the dead-letter queue.
        Dead => "dead",
    }
}

label! {
    /// How a call to a system ended, in the words of its classification.
    CallResult {
        /// It succeeded.
        Ok => "ok",
        /// It may succeed later: no connection, or an answer of the 500 kind.
        Transient => "transient",
        /// The system asked to wait.
        Throttled => "throttled",
        /// The system refused what was sent.
        Rejected => "rejected",
        /// The record is not there.
        Gone => "gone",
        /// The credentials were refused.
        Auth => "auth",
        /// No answer came, and the call may have had its effect.
        Ambiguous => "ambiguous",
    }
}

label! {
    /// The window of a limit of Exact Online.
    QuotaWindow {
        /// Calls in a clock minute.
        Minute => "minute",
        /// Calls in a day (UTC).
        Day => "day",
        /// Calls of the token endpoint in a day (UTC).
        TokenDay => "token-day",
    }
}

label! {
    /// What a post to the address of a connection's webhooks was.
    WebhookResult {
        /// A notification that leads to a read.
        Hint => "hint",
        /// The empty body by which the address is tried.
        Validation => "validation",
        /// A notification of something that is not kept, or not ours: accepted, and ignored.
        Ignored => "ignored",
        /// Not signed with our secret, or no notification at all.
        Forged => "forged",
        /// Signed, but sent too long ago.
        Late => "late",
        /// A notification that had been taken in before.
        Replayed => "replayed",
        /// Larger than any notification.
        TooLarge => "too-large",
    }
}

label! {
    /// What came of reading the configuration anew.
    ReloadResult {
        /// All of it is in force.
        Applied => "applied",
        /// What can be is in force; the rest waits for a restart.
        RestartNeeded => "restart-needed",
        /// It can't work, and what was in force before is still.
        Refused => "refused",
    }
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
    writes: IntCounterVec,
    queued_writes: IntCounterVec,
    echoes: IntCounterVec,
    conflicts: IntCounterVec,
    broken_promises: IntCounterVec,
    dead_letters: IntCounterVec,
    messages: IntCounterVec,
    unknown_connections: IntCounterVec,
    calls: IntCounterVec,
    exactonline_calls: IntCounterVec,
    sync_lag: HistogramVec,
    poll_age: GaugeVec,
    quota_left: GaugeVec,
    grant_usable: GaugeVec,
    webhooks: IntCounterVec,
    webhooks_kept: GaugeVec,
    store_durable: GaugeVec,
    configuration_reloads: IntCounterVec,
    ready: IntGauge,
    polled: Mutex<BTreeMap<Cursor, (Duration, Instant)>>,
    /// When the window ends that the gauge tells of.
    quotas: Mutex<BTreeMap<Limit, Instant>>,
    /// Until when it holds that a connection's grant does not serve.
    useless_grants: Mutex<BTreeMap<String, Instant>>,
}

impl Metrics {
    /// All metrics at zero; each carries the label `service`.
    pub fn new(service: &str) -> Self {
        let registry = registry(service);
        Self {
            writes: counter(
                &registry,
                metric::WRITES,
                "Writes by what became of them.",
                &["pair", "system", "outcome"],
            ),
            queued_writes: counter(
                &registry,
                metric::QUEUED_WRITES,
                "Writes that were queued, by what they ask.",
                &["pair", "system", "change"],
            ),
            echoes: counter(
                &registry,
                metric::ECHOES,
                "Observations that were our own write coming back.",
                &["pair", "system"],
            ),
            conflicts: counter(&registry, metric::CONFLICTS, "Conflicts that wait for a person.", &["pair"]),
            broken_promises: counter(
                &registry,
                metric::BROKEN_PROMISES,
                "Steps of links that broke a promise.",
                &["pair", "promise"],
            ),
            dead_letters: counter(
                &registry,
                metric::DEAD_LETTERS,
                "Messages that could not be handled.",
                &["queue"],
            ),
            messages: counter(
                &registry,
                metric::MESSAGES,
                "Messages that were settled, by how.",
                &["queue", "settlement"],
            ),
            unknown_connections: counter(
                &registry,
                metric::UNKNOWN_CONNECTIONS,
                "Deliveries of messages that wait because their connection is not configured here.",
                &["queue"],
            ),
            calls: counter(
                &registry,
                metric::CALLS,
                "Calls to a system by their result.",
                &["system", "result"],
            ),
            exactonline_calls: counter(
                &registry,
                metric::EXACTONLINE_CALLS,
                "Calls to Exact Online by what they are for.",
                &["endpoint", "class", "status"],
            ),
            sync_lag: sync_lag(&registry),
            poll_age: poll_age(&registry),
            quota_left: quota_left(&registry),
            grant_usable: grant_usable(&registry),
            webhooks: counter(
                &registry,
                metric::WEBHOOKS,
                "Posts to the address of a connection's webhooks, by what they were.",
                &["connection", "system", "result"],
            ),
            webhooks_kept: webhooks_kept(&registry),
            store_durable: store_durable(&registry),
            configuration_reloads: counter(
                &registry,
                metric::CONFIGURATION_RELOADS,
                "How often the configuration was read anew, by what came of it.",
                &["result"],
            ),
            ready: ready(&registry),
            polled: Mutex::default(),
            quotas: Mutex::default(),
            useless_grants: Mutex::default(),
            registry,
        }
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

    /// A call to `system` ended.
    pub fn count_call(&self, system: &str, result: CallResult) {
        self.calls.with_label_values(&[system, result.name()]).inc();
    }

    /// A call of this endpoint of Exact Online was answered with this status; `None`: no answer came.
    pub fn count_exactonline_call(&self, endpoint: &str, class: &str, status: Option<u16>) {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.exactonline_calls.with_label_values(&[endpoint, class, &status]).inc();
    }

    /// A change in `pair` took `seconds` from the edit to its write being applied. Negative values (clocks that
    /// differ) count as zero.
    pub fn observe_lag(&self, pair: &str, direction: Direction, seconds: f64) {
        self.sync_lag.with_label_values(&[pair, direction.name()]).observe(seconds.max(0.0));
    }

    /// The cursor of `entity` was up to date `age` ago: zero after a poll that read to the end.
    ///
    /// From here on the age grows by itself, so that a poller that hangs is seen to hang.
    pub fn set_poll_age(&self, connection: &str, system: &str, entity: &str, age: Duration) {
        let cursor = (connection.to_owned(), system.to_owned(), entity.to_owned());
        self.polled.lock().unwrap_or_else(PoisonError::into_inner).insert(cursor, (age, Instant::now()));
    }

    /// The cursor of `entity` is no longer this process's: another one holds the lease.
    pub fn forget_poll_age(&self, connection: &str, system: &str, entity: &str) {
        let cursor = (connection.to_owned(), system.to_owned(), entity.to_owned());
        self.polled.lock().unwrap_or_else(PoisonError::into_inner).remove(&cursor);
        // There is nothing to remove when nobody has scraped since the cursor was polled.
        let _ = self.poll_age.remove_label_values(&[connection, system, entity]);
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
        forget(&self.poll_age, connection);
        forget(&self.quota_left, connection);
        forget(&self.grant_usable, connection);
        forget(&self.webhooks, connection);
        forget(&self.webhooks_kept, connection);
    }

    /// Whether the process is ready.
    pub fn set_ready(&self, ready: bool) {
        self.ready.set(i64::from(ready));
    }

    /// Everything in the text format of Prometheus (`text/plain; version=0.0.4`).
    pub fn render(&self) -> String {
        for ((connection, system, entity), (age, since)) in
            self.polled.lock().unwrap_or_else(PoisonError::into_inner).iter()
        {
            let age = *age + since.elapsed();
            self.poll_age.with_label_values(&[connection, system, entity]).set(age.as_secs_f64());
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
        text(&self.registry)
    }
}

fn registry(service: &str) -> Registry {
    let labels = [("service".to_owned(), service.to_owned())].into();
    Registry::new_custom(None, Some(labels)).expect(STATIC)
}

fn counter(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels).expect(STATIC))
}

fn sync_lag(registry: &Registry) -> HistogramVec {
    let help = "Seconds from an edit to its write being applied.";
    let options = HistogramOpts::new(metric::SYNC_LAG, help).buckets(LAG_SECONDS.to_vec());
    registered(registry, HistogramVec::new(options, &["pair", "direction"]).expect(STATIC))
}

fn poll_age(registry: &Registry) -> GaugeVec {
    let help = "Seconds since the cursor was last known to be up to date.";
    let options = Opts::new(metric::POLL_AGE, help);
    registered(registry, GaugeVec::new(options, &["connection", "system", "entity"]).expect(STATIC))
}

fn quota_left(registry: &Registry) -> GaugeVec {
    let help = "Calls to Exact Online that are left of a limit, as of the last call.";
    let options = Opts::new(metric::QUOTA_LEFT, help);
    registered(registry, GaugeVec::new(options, &["connection", "window"]).expect(STATIC))
}

fn grant_usable(registry: &Registry) -> GaugeVec {
    let help = "1 while the grant of Exact Online serves, 0 while it is lost or was never given: give consent with \
                `tandem auth exactonline`.";
    let options = Opts::new(metric::GRANT_USABLE, help);
    registered(registry, GaugeVec::new(options, &["connection"]).expect(STATIC))
}

fn webhooks_kept(registry: &Registry) -> GaugeVec {
    let help = "1 while the subscriptions to webhooks are kept, 0 while they can't be.";
    registered(
        registry,
        GaugeVec::new(Opts::new(metric::WEBHOOKS_KEPT, help), &["connection"]).expect(STATIC),
    )
}

fn store_durable(registry: &Registry) -> GaugeVec {
    let help = "1 while the store keeps all that it acknowledges, 0 while a crash of it may lose some: the log says why.";
    registered(registry, GaugeVec::new(Opts::new(metric::STORE_DURABLE, help), &[]).expect(STATIC))
}

fn ready(registry: &Registry) -> IntGauge {
    let help = "1 when the process is ready, 0 when it waits for something.";
    registered(registry, IntGauge::with_opts(Opts::new(metric::READY, help)).expect(STATIC))
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, family: C) -> C {
    registry.register(Box::new(family.clone())).expect(STATIC);
    family
}

/// Forgets everything that a family tells of a connection.
fn forget<B: MetricVecBuilder>(family: &MetricVec<B>, connection: &str) {
    for metric in family.collect().iter().flat_map(prometheus::proto::MetricFamily::get_metric) {
        let labels =
            metric.get_label().iter().map(|label| (label.name(), label.value())).collect::<HashMap<_, _>>();
        if labels.get("connection") == Some(&connection) {
            // Somebody else may have been faster.
            let _ = family.remove(&labels);
        }
    }
}

fn text(registry: &Registry) -> String {
    TextEncoder::new()
        .encode_to_string(&registry.gather())
        .expect("families without metrics are not gathered")
}
