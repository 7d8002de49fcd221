//! Starting the process's logs and traces, and flushing them.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::line::Line;
use crate::pushed::Pusher;
use crate::remembering::{LastLost, Remembering};
use crate::{Metrics, names};

/// How long spans are gathered before they are sent, at most.
const BATCH_DELAY: Duration = Duration::from_secs(1);
/// How long one export, and the last flush, may take: a collector that is down must not hold up a shutdown.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// How telemetry is started.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where telemetry is sent. `None`: nowhere.
    pub otlp: Option<Otlp>,
    /// Which events are logged. Spans are traced from level `info` upwards, whatever this says.
    pub log_filter: LogFilter,
    /// What a line of the log looks like.
    pub log_format: LogFormat,
}

/// Where telemetry is sent, and which of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otlp {
    /// The base address of an OTLP receiver over HTTP, as `http://127.0.0.1:4318`.
    pub endpoint: String,
    /// What is sent.
    pub signals: Signals,
}

/// What is sent over OTLP. Logs go to standard error, and metrics are there to be scraped, whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signals {
    /// Traces.
    pub traces: bool,
    /// Metrics.
    pub metrics: bool,
    /// Logs.
    pub logs: bool,
}

impl Signals {
    /// Traces alone: the rest is usually gathered otherwise.
    pub const TRACES: Self = Self { traces: true, metrics: false, logs: false };
    /// All of them.
    pub const ALL: Self = Self { traces: true, metrics: true, logs: true };
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Plain text for a person.
    Text,
}

/// Which events are logged: a filter in the notation of `tracing`, such as `info` or `info,lapin=warn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

/// Held down, whatever the filter says: lapin logs a returned message with its body, which holds personal values,
/// and traces its frames, one of which holds the password.
const HELD_DOWN: [&str; 5] = [
    "lapin::returned_messages=off",
    "lapin::channels=warn",
    "lapin::frames=warn",
    "lapin::internal_rpc=warn",
    "lapin::io_loop=warn",
];

/// Not sent over OTLP: what sends says this.
const UNSENT: [&str; 5] =
    ["opentelemetry=off", "opentelemetry_sdk=off", "opentelemetry-otlp=off", "hyper_util=off", "reqwest=off"];

impl LogFilter {
    /// Reads a filter; one that cannot be understood is refused.
    pub fn parse(text: &str) -> Result<Self, TelemetryError> {
        let filter = Self(text.to_owned());
        filter.build().map(|_| filter)
    }

    /// The filter as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn build(&self) -> Result<EnvFilter, TelemetryError> {
        EnvFilter::builder()
            .parse(&self.0)
            .map(|filter| {
                HELD_DOWN.iter().fold(filter, |filter, directive| {
                    filter.add_directive(directive.parse().expect("the directives above are well-formed"))
                })
            })
            .map_err(|source| TelemetryError::Filter { filter: self.0.clone(), source })
    }
}

/// Why telemetry did not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter cannot be understood.
    #[error(
        "the log filter {filter:?} cannot be understood; write a level as in \"info\", or \"info,lapin=warn\""
    )]
    Filter {
        /// The filter as written.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// An exporter could not be built.
    #[error("telemetry cannot be sent to {endpoint}; check the address")]
    Exporter {
        /// The address as configured.
        endpoint: String,
        /// What is wrong with it.
        source: ExporterBuildError,
    },
    /// The exporter of metrics could not be started.
    #[error("metrics cannot be sent: the system gives no thread for it")]
    Pusher(#[source] io::Error),
    /// Telemetry was started before in this process.
    #[error("telemetry has been started already; start it once for a process")]
    Started(#[source] TryInitError),
    /// The last traces could not be delivered.
    #[error("the last traces could not be delivered; check that the collector of traces answers")]
    Flush(#[source] OTelSdkError),
    /// The last traces that were sent by themselves could not be delivered, and none came after them.
    #[error("the last traces could not be delivered; check that the collector of traces answers")]
    Lost,
}

/// The process's logs and traces. Start it once; a process that hosts many services starts it as `tandem`.
pub struct Telemetry {
    provider: SdkTracerProvider,
    last_lost: LastLost,
    logs: Option<SdkLoggerProvider>,
    resource: Resource,
    pusher: Option<Pusher>,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Starts logs to stderr and, where they are sent somewhere, traces and logs over OTLP; all name `service`. Not to be called from async code
    /// without `spawn_blocking`.
    pub fn start(service: &str, settings: &Settings) -> Result<Self, TelemetryError> {
        let (last_lost, resource) = (LastLost::default(), resource(service));
        let traced = settings.otlp.as_ref().filter(|otlp| otlp.signals.traces);
        let provider = provider(&resource, traced, last_lost.clone())?;
        let logged = settings.otlp.as_ref().filter(|otlp| otlp.signals.logs);
        let logs = logged.map(|otlp| logs(&resource, otlp)).transpose()?;
        subscriber(service, settings, &provider, logs.as_ref(), io::stderr)?
            .try_init()
            .map_err(TelemetryError::Started)?;
        Ok(Self { provider, last_lost, logs, resource, pusher: None })
    }

    /// From now on sends these metrics too, if the settings say so. Not to be called from async code without
    /// `spawn_blocking`.
    pub fn push(&mut self, metrics: Arc<Metrics>, settings: &Settings) -> Result<(), TelemetryError> {
        if let Some(otlp) = settings.otlp.as_ref().filter(|otlp| otlp.signals.metrics) {
            let pusher = Pusher::start(&otlp.endpoint, &self.resource, metrics);
            self.pusher = Some(pusher.map_err(TelemetryError::Pusher)?);
        }
        Ok(())
    }

    /// Sends all spans that have ended. Blocks for seconds: in async code, call it in `spawn_blocking`.
    pub fn flush(&self) -> Result<(), TelemetryError> {
        self.provider.force_flush().map_err(TelemetryError::Flush)
    }

    /// Sends all that there is and stops sending; logs to stderr go on. Blocks for a few seconds at most: in async
    /// code, call it in `spawn_blocking`.
    pub fn shutdown(self) -> Result<(), TelemetryError> {
        drop(self.pusher);
        if let Some(logs) = self.logs {
            logs.shutdown_with_timeout(EXPORT_TIMEOUT).map_err(TelemetryError::Flush)?;
        }
        self.provider.shutdown_with_timeout(EXPORT_TIMEOUT).map_err(TelemetryError::Flush)?;
        if self.last_lost.is_so() { Err(TelemetryError::Lost) } else { Ok(()) }
    }
}

/// Without an endpoint spans still have ids, which logs and messages carry.
fn provider(
    resource: &Resource,
    otlp: Option<&Otlp>,
    last_lost: LastLost,
) -> Result<SdkTracerProvider, TelemetryError> {
    let builder = SdkTracerProvider::builder().with_resource(resource.clone());
    let Some(Otlp { endpoint, .. }) = otlp else {
        return Ok(builder.build());
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|source| TelemetryError::Exporter { endpoint: endpoint.clone(), source })?;
    let batches = BatchConfigBuilder::default().with_scheduled_delay(BATCH_DELAY).build();
    let processor =
        BatchSpanProcessor::builder(Remembering { exporter, last_lost }).with_batch_config(batches).build();
    Ok(builder.with_span_processor(processor).build())
}

fn logs(resource: &Resource, Otlp { endpoint, .. }: &Otlp) -> Result<SdkLoggerProvider, TelemetryError> {
    let exporter = LogExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/logs", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|source| TelemetryError::Exporter { endpoint: endpoint.clone(), source })?;
    Ok(SdkLoggerProvider::builder().with_resource(resource.clone()).with_batch_exporter(exporter).build())
}

/// Who sends: each process is an instance of its own.
fn resource(service: &str) -> Resource {
    Resource::builder()
        .with_service_name(service.to_owned())
        .with_attribute(KeyValue::new("service.namespace", "tandem"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", ambient::new_random_id().to_string()))
        .build()
}

/// Logs and traces are filtered apart: a quiet log must not cut holes into traces.
pub(crate) fn subscriber<W>(
    service: &str,
    settings: &Settings,
    provider: &SdkTracerProvider,
    sent: Option<&SdkLoggerProvider>,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, TelemetryError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let scope = InstrumentationScope::builder("tandem").with_schema_url(names::SCHEMA_URL).build();
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer_with_scope(scope))
        // What says of all spans the same, or tells of this program's inside, is sent with none.
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(LevelFilter::INFO);
    // That logs can't be sent is nothing to be sent as a log.
    let filter = settings.log_filter.build()?;
    let filter = UNSENT.iter().fold(filter, |filter, directive| {
        filter.add_directive(directive.parse().expect("the directives above are well-formed"))
    });
    let sent = sent.map(|provider| OpenTelemetryTracingBridge::new(provider).with_filter(filter));
    let logs = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(Line { format: settings.log_format, service: service.to_owned() })
        .with_writer(writer)
        .with_filter(settings.log_filter.build()?);
    Ok(tracing_subscriber::registry().with(traces).with(sent).with(logs))
}
