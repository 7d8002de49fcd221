//! The metrics as OTLP has them, and the thread that sends them.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar as Sent, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prometheus::proto::{Metric as Counted, MetricFamily, MetricType};
use prost::Message;

use crate::metrics::Exemplars;
use crate::{Metrics, names};

/// How often metrics are sent.
const EVERY: Duration = Duration::from_secs(15);
/// How long that may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The names of the conventions, for which Prometheus has `_` in place of each dot.
const CONVENTIONAL: [&str; 16] = [
    "http.client.request.duration",
    "messaging.process.duration",
    "db.client.operation.duration",
    "http.request.method",
    "http.response.status_code",
    "server.address",
    "server.port",
    "url.template",
    "error.type",
    "messaging.system",
    "messaging.operation.name",
    "messaging.destination.name",
    "db.operation.name",
    "db.system.name",
    "service.name",
    "service.instance.id",
];

/// Sends metrics until it is dropped, and once more then.
pub(crate) struct Pusher {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pusher {
    /// Sends them to this base address, as coming from this resource.
    pub(crate) fn start(
        endpoint: &str,
        resource: &opentelemetry_sdk::Resource,
        metrics: Arc<Metrics>,
    ) -> Result<Self, std::io::Error> {
        let (stop, stopped) = mpsc::sync_channel::<()>(1);
        let (url, resource) = (format!("{}/v1/metrics", endpoint.trim_end_matches('/')), described(resource));
        let thread = std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            let client = match reqwest::blocking::Client::builder().timeout(TIMEOUT).build() {
                Ok(client) => client,
                Err(error) => {
                    tracing::error!(error = %crate::Chain(&error), "no metrics are sent: there is no client for it");
                    return;
                }
            };
            let begun = SystemTime::now();
            loop {
                let is_last = stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout);
                let body = request(&metrics, resource.clone(), begun).encode_to_vec();
                let sent =
                    client.post(&url).header("content-type", "application/x-protobuf").body(body).send();
                if let Err(error) = sent.and_then(reqwest::blocking::Response::error_for_status) {
                    let error = error.without_url();
                    tracing::warn!(error = %crate::Chain(&error), "metrics could not be sent");
                }
                if is_last {
                    return;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Pusher {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has told so itself.
            let _ = thread.join();
        }
    }
}

fn described(resource: &opentelemetry_sdk::Resource) -> Resource {
    let attributes = resource.iter().map(|(name, value)| attribute(name.as_str(), &value.as_str()));
    Resource { attributes: attributes.collect(), ..Resource::default() }
}

fn request(metrics: &Metrics, resource: Resource, begun: SystemTime) -> ExportMetricsServiceRequest {
    let (families, exemplars) = metrics.gathered();
    let times = (nanos(begun), nanos(SystemTime::now()));
    let metrics = families.iter().map(|family| metric(family, &exemplars, times)).collect();
    let scope = InstrumentationScope { name: "tandem".to_owned(), ..InstrumentationScope::default() };
    let schema_url = names::SCHEMA_URL.to_owned();
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, schema_url: schema_url.clone() }];
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics { resource: Some(resource), scope_metrics, schema_url }],
    }
}

fn metric(
    family: &MetricFamily,
    exemplars: &impl Fn(&str, &Counted) -> Option<Exemplars>,
    times: (u64, u64),
) -> Metric {
    let name = family.name();
    let points = |value: fn(&Counted) -> f64| {
        family.get_metric().iter().map(|metric| number(metric, value(metric), times)).collect()
    };
    let data = match family.get_field_type() {
        MetricType::COUNTER => Data::Sum(Sum {
            data_points: points(|metric| metric.get_counter().get_value()),
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        }),
        MetricType::HISTOGRAM => {
            let point = |metric: &Counted| distribution(metric, exemplars(name, metric), times);
            Data::Histogram(Histogram {
                data_points: family.get_metric().iter().map(point).collect(),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
            })
        }
        _ => Data::Gauge(Gauge { data_points: points(|metric| metric.get_gauge().get_value()) }),
    };
    let is_in_seconds = name.ends_with("_seconds") || name.ends_with("_seconds_total");
    let unit = if is_in_seconds {
        "s"
    } else if name.ends_with("_bytes") {
        "By"
    } else {
        ""
    };
    Metric {
        name: conventional(name.strip_suffix("_seconds").unwrap_or(name)).unwrap_or(name).to_owned(),
        description: family.help().to_owned(),
        unit: unit.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

/// The conventions' own name for what Prometheus calls so.
fn conventional(name: &str) -> Option<&'static str> {
    CONVENTIONAL.into_iter().find(|conventional| conventional.replace('.', "_") == name)
}

fn number(metric: &Counted, value: f64, (begun, now): (u64, u64)) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(metric),
        start_time_unix_nano: begun,
        time_unix_nano: now,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn distribution(
    metric: &Counted,
    exemplars: Option<Exemplars>,
    (begun, now): (u64, u64),
) -> HistogramDataPoint {
    let histogram = metric.get_histogram();
    let bounds = histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound().is_finite());
    let mut before = 0;
    let mut bucket_counts: Vec<u64> = bounds
        .clone()
        .map(|bucket| std::mem::replace(&mut before, bucket.cumulative_count()).abs_diff(before))
        .collect();
    bucket_counts.push(histogram.get_sample_count().saturating_sub(before));
    let sent = exemplars.unwrap_or_default().into_iter().flatten().map(|exemplar| Sent {
        time_unix_nano: nanos(exemplar.at),
        span_id: exemplar.span_id.to_vec(),
        trace_id: exemplar.trace_id.to_vec(),
        value: Some(exemplar::Value::AsDouble(exemplar.value)),
        ..Sent::default()
    });
    HistogramDataPoint {
        attributes: attributes(metric),
        start_time_unix_nano: begun,
        time_unix_nano: now,
        count: histogram.get_sample_count(),
        sum: Some(histogram.get_sample_sum()),
        bucket_counts,
        explicit_bounds: bounds.map(prometheus::proto::Bucket::upper_bound).collect(),
        exemplars: sent.collect(),
        ..HistogramDataPoint::default()
    }
}

/// The labels that hold something; the service is the resource's.
fn attributes(metric: &Counted) -> Vec<KeyValue> {
    let labels =
        metric.get_label().iter().filter(|pair| !pair.value().is_empty() && pair.name() != "service");
    labels.map(|pair| attribute(conventional(pair.name()).unwrap_or(pair.name()), pair.value())).collect()
}

fn attribute(name: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value.to_owned())) };
    KeyValue { key: name.to_owned(), value: Some(value), ..KeyValue::default() }
}

fn nanos(at: SystemTime) -> u64 {
    u64::try_from(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
