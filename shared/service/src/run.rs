//! From the command line to the exit code, in the order in which it happens.

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use telemetry::{Chain, Otlp, Settings, Telemetry};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use crate::arguments::Arguments;
use crate::endpoints::endpoints;
use crate::error::BAD_CONFIGURATION;
use crate::reload::Reloader;
use crate::{Config, Context, Needs, OtlpConfig, ServiceError};

/// Two workers do for one service, and keep a deployment of many small ones small.
const WORKERS: usize = 2;
/// What a service gets beyond the configured grace, so that its own [`Tasks`] can name who was deaf.
const SLACK: Duration = Duration::from_secs(2);
/// How long blocking work may still hold up the end of the process.
const BLOCKING_GRACE: Duration = Duration::from_secs(1);

/// A service, as far as its process must know it.
#[derive(Clone, Copy)]
pub struct Service {
    /// Its name, in logs, traces and metrics.
    pub name: &'static str,
    /// What it needs of the configuration.
    pub needs: Needs,
    /// Whether its command line may choose some of the pairs.
    pub chooses_pairs: bool,
    /// Refuses what it can't work with, beyond what the configuration itself can tell: at the start, and whenever the
    /// configuration is read anew. It calls nobody.
    pub check: fn(&Context) -> Result<(), ServiceError>,
}

/// Runs a service: arguments, configuration, telemetry, runtime, health port, signals, `start`, flush.
///
/// The future that `start` returns runs the service until `stop` is cancelled. At `SIGHUP` the configuration is read
/// anew: what can work comes into force ([`Context::renewed`]), and what can't is told and changes nothing. The exit code
/// is 0 after a clean stop, 1 after a failure, and 64 when the command line or the configuration cannot be used.
pub fn run<S, F, E>(service: Service, start: S) -> ExitCode
where
    S: FnOnce(Context) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    let arguments = match Arguments::read(&service, std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(told) => {
            // Help and version come this way too. Nobody is left to tell when the terminal has gone.
            let _ = told.print();
            return if told.use_stderr() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::SUCCESS };
        }
    };
    if let Some(probe) = arguments.probe {
        // What runs has been given its secrets; who only asks may do without.
        return match Config::load(&arguments.config, Needs::NOTHING) {
            Err(error) => refused(service.name, &error),
            Ok(config) => ExitCode::from(u8::from(!probe.asks(config.health_listen))),
        };
    }
    run_chosen(service, &arguments.config, arguments.print_config, &arguments.pairs, start)
}

/// Runs a service as [`run`] does, from a command line that is already read: the configuration `file`, and whether it
/// shall only be printed.
pub fn run_from<S, F, E>(service: Service, file: &Path, print_config: bool, start: S) -> ExitCode
where
    S: FnOnce(Context) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    run_chosen(service, file, print_config, &[], start)
}

fn run_chosen<S, F, E>(
    service: Service,
    file: &Path,
    print_config: bool,
    chosen: &[String],
    start: S,
) -> ExitCode
where
    S: FnOnce(Context) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    match Config::load(file, service.needs) {
        Err(error) => refused(service.name, &error),
        Ok(config) if print_config => {
            let _ = io::stdout().write_all(config.to_toml().as_bytes());
            ExitCode::SUCCESS
        }
        Ok(config) => match Reloader::new(service, file, config, chosen) {
            Err(error) => refused(service.name, &error),
            Ok(reloader) => run_with(reloader, start),
        },
    }
}

/// Runs what `start` starts, from a configuration that is already loaded.
fn run_with<S, F, E>(reloader: Reloader, start: S) -> ExitCode
where
    S: FnOnce(Context) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    let name = reloader.service.name;
    let started = telemetry(name, &reloader.context).and_then(|telemetry| Ok((telemetry, runtime()?)));
    let (telemetry, runtime) = match started {
        Ok(started) => started,
        Err(error) => return refused(name, &error),
    };
    std::panic::set_hook(Box::new(log_panic));
    let outcome = runtime.block_on(host(reloader, start));
    runtime.shutdown_timeout(BLOCKING_GRACE);
    let code = match &outcome {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(error = %Chain(error), "stopped after a failure");
            ExitCode::from(error.exit_code())
        }
    };
    if let Err(error) = telemetry.shutdown() {
        tracing::warn!(error = %Chain(&error), "traces were lost");
    }
    code
}

async fn host<S, F, E>(reloader: Reloader, start: S) -> Result<(), ServiceError>
where
    S: FnOnce(Context) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    // First of all: whoever sees the port open may send a signal.
    let signals = Signals::new()?;
    let (name, context) = (reloader.service.name, reloader.context.clone());
    let grace = context.config.shutdown_grace;
    let port = listen(context.config.health_listen, &context).await?;
    let signals = tokio::spawn(follow_signals(signals, reloader));

    let stop = context.stop.clone();
    let service = start(context);
    let mut work = tokio::spawn(service);
    let ended = match stop.run_until_cancelled(&mut work).await {
        Some(ended) => Some(ended),
        None => timeout(grace + SLACK, &mut work).await.ok(),
    };
    stop.cancel();
    work.abort();
    signals.abort();
    port.abort();
    let service = name.to_owned();
    match ended {
        Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error))) => Err(ServiceError::Failed { service, source: Box::new(error) }),
        Some(Err(_)) => Err(ServiceError::Panicked { service }),
        None => Err(ServiceError::Deaf { service, grace: grace + SLACK }),
    }
}

fn telemetry(name: &str, context: &Context) -> Result<Telemetry, ServiceError> {
    let config = &context.config;
    let otlp = |otlp: &OtlpConfig| Otlp { endpoint: otlp.url.to_string(), signals: otlp.signals };
    let settings = Settings {
        otlp: config.otlp.as_ref().map(otlp),
        log_filter: config.log_filter.clone(),
        log_format: config.log_format,
    };
    let mut telemetry = Telemetry::start(name, &settings).map_err(ServiceError::Telemetry)?;
    telemetry.push(Arc::clone(&context.metrics), &settings).map_err(ServiceError::Telemetry)?;
    Ok(telemetry)
}

fn runtime() -> Result<Runtime, ServiceError> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(WORKERS).thread_name("worker").enable_all().build().map_err(ServiceError::Runtime)
}

async fn listen(listen: SocketAddr, context: &Context) -> Result<tokio::task::JoinHandle<()>, ServiceError> {
    let refused = |source| ServiceError::HealthListener { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    tracing::info!(%address, "health listens");
    let routes = endpoints(context.health.clone(), Arc::clone(&context.metrics), context.stop.clone());
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            tracing::error!(error = %Chain(&error), "health no longer listens");
        }
    }))
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> Result<Self, ServiceError> {
        let of = |kind| signal(kind).map_err(ServiceError::Runtime);
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
            hang_up: of(SignalKind::hangup())?,
        })
    }

    async fn asked_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Reads the configuration anew as often as it is asked for, until a signal asks to stop. A second one does not ask.
#[expect(clippy::disallowed_methods, reason = "a second signal shall skip what hangs")]
async fn follow_signals(mut signals: Signals, mut reloader: Reloader) {
    let stop = reloader.context.stop.clone();
    loop {
        let Signals { terminate, interrupt, hang_up } = &mut signals;
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => {}
        }
        // A stop does not wait for a file that can't be read.
        tokio::select! {
            () = reloader.reload() => {}
            () = signals.asked_to_stop() => break,
        }
    }
    stop.cancel();
    tracing::info!("asked to stop");
    signals.asked_to_stop().await;
    tracing::warn!("told to stop at once");
    std::process::exit(1);
}

/// A panic is a line like any other, so that it reaches whoever reads the logs.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("no message");
    let location = panic.location().map(ToString::to_string);
    tracing::error!(panic = message, location, "panicked");
}

/// Before logs are started, a person reads what is wrong on the terminal.
fn refused(name: &str, error: &ServiceError) -> ExitCode {
    let _ = writeln!(io::stderr(), "{name}: {}", Chain(error));
    ExitCode::from(error.exit_code())
}
