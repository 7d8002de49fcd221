//! Starting the process's logs and traces, and flushing them.

use std::fmt;
use std::io;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::line::Line;
use crate::remembering::{LastLost, Remembering};

/// How long spans are gathered before they are sent, at most.
const BATCH_DELAY: Duration = Duration::from_secs(1);
/// How long one export, and the last flush, may take: a collector that is down must not hold up a shutdown.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// How telemetry is started.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where traces go: the base address of an OTLP receiver over HTTP, as `http://127.0.0.1:4318`. `None`: nowhere.
    pub otlp_endpoint: Option<String>,
    /// Which events are logged. Spans are traced from level `info` upwards, whatever this says.
    pub log_filter: LogFilter,
    /// What a line of the log looks like.
    pub log_format: LogFormat,
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
    /// The exporter of traces could not be built.
    #[error("traces cannot be sent to {endpoint}; check the address")]
    Exporter {
        /// The address as configured.
        endpoint: String,
        /// What is wrong with it.
        source: ExporterBuildError,
    },
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
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Starts logs to stderr and, with an endpoint, traces; both name `service`. Not to be called from async code
    /// without `spawn_blocking`.
    pub fn start(service: &str, settings: &Settings) -> Result<Self, TelemetryError> {
        let last_lost = LastLost::default();
        let provider = provider(service, settings.otlp_endpoint.as_deref(), last_lost.clone())?;
        subscriber(service, settings, &provider, io::stderr)?.try_init().map_err(TelemetryError::Started)?;
        Ok(Self { provider, last_lost })
    }

    /// Sends all spans that have ended. Blocks for seconds: in async code, call it in `spawn_blocking`.
    pub fn flush(&self) -> Result<(), TelemetryError> {
        self.provider.force_flush().map_err(TelemetryError::Flush)
    }

    /// Sends all spans that have ended and stops sending; logs go on. Blocks for a few seconds at most: in async
    /// code, call it in `spawn_blocking`.
    pub fn shutdown(self) -> Result<(), TelemetryError> {
        self.provider.shutdown_with_timeout(EXPORT_TIMEOUT).map_err(TelemetryError::Flush)?;
        if self.last_lost.is_so() { Err(TelemetryError::Lost) } else { Ok(()) }
    }
}

/// Without an endpoint spans still have ids, which logs and messages carry.
fn provider(
    service: &str,
    endpoint: Option<&str>,
    last_lost: LastLost,
) -> Result<SdkTracerProvider, TelemetryError> {
    let resource = Resource::builder().with_service_name(service.to_owned()).build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = endpoint else {
        return Ok(builder.build());
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|source| TelemetryError::Exporter { endpoint: endpoint.to_owned(), source })?;
    let batches = BatchConfigBuilder::default().with_scheduled_delay(BATCH_DELAY).build();
    let processor =
        BatchSpanProcessor::builder(Remembering { exporter, last_lost }).with_batch_config(batches).build();
    Ok(builder.with_span_processor(processor).build())
}

/// Logs and traces are filtered apart: a quiet log must not cut holes into traces.
pub(crate) fn subscriber<W>(
    service: &str,
    settings: &Settings,
    provider: &SdkTracerProvider,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, TelemetryError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        .with_filter(LevelFilter::INFO);
    let logs = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(Line { format: settings.log_format, service: service.to_owned() })
        .with_writer(writer)
        .with_filter(settings.log_filter.build()?);
    Ok(tracing_subscriber::registry().with(traces).with(logs))
}
