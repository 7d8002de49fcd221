//! From the command line to the exit code, in the order in which it happens.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use contract::{Names, PairEntities, Topology};
use mapping::Pair;
use model::ConnectionName;
use telemetry::{Chain, Metrics, Settings, Telemetry};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::arguments::Arguments;
use crate::endpoints::endpoints;
use crate::error::BAD_CONFIGURATION;
use crate::{Config, ConnectionConfig, Given, Health, Needs, Pairs, ServiceError, Tasks, given};

/// Two workers do for one service, and keep a deployment of many small ones small.
const WORKERS: usize = 2;
/// What a service gets beyond the configured grace, so that its own [`Tasks`] can name who was deaf.
const SLACK: Duration = Duration::from_secs(2);
/// How long blocking work may still hold up the end of the process.
const BLOCKING_GRACE: Duration = Duration::from_secs(1);

/// What a service is started with.
#[derive(Clone)]
pub struct Context {
    /// The configuration; every value in it is valid.
    pub config: Arc<Config>,
    /// The pairs to keep, in each reading that a connection keeps; none unless the service needs them.
    pub pairs: Pairs,
    /// Cancelled when the process shall stop: take nothing more, settle what is in hand, return.
    pub stop: CancellationToken,
    /// Where the service tells how it stands.
    pub health: Health,
    /// Where the service counts.
    pub metrics: Arc<Metrics>,
}

impl Context {
    /// No tasks yet; they end with `stop`, within the configured grace.
    pub fn tasks(&self) -> Tasks {
        Tasks::new(self.stop.clone(), self.config.shutdown_grace)
    }

    /// The pairs of a connection, in the reading that it keeps; none for one that is not configured.
    pub fn pairs_of(&self, connection: &ConnectionName) -> &[Pair] {
        self.connection(connection).map_or(&[], |connection| self.pairs.of(connection.reading))
    }

    /// Each pair once, whatever its reading: for queues and entities, which are the same in both.
    pub fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.once()
    }

    /// What a connection gives to its pairs and is asked for by one of them.
    pub fn given_to(&self, connection: &ConnectionName) -> Vec<Given> {
        let asked: BTreeSet<&str> = self.pairs_of(connection).iter().flat_map(given::asked).collect();
        let given = self.connection(connection).map(ConnectionConfig::given).unwrap_or_default();
        given.into_iter().filter(|given| asked.contains(given.name)).collect()
    }

    fn connection(&self, name: &ConnectionName) -> Option<&ConnectionConfig> {
        self.config.connections.iter().find(|connection| connection.name == *name)
    }

    /// The exchanges and queues of this deployment.
    pub fn topology(&self) -> Topology {
        let entities: Vec<PairEntities> = self
            .pairs()
            .map(|pair| PairEntities {
                pair: pair.name.clone(),
                customcrm: pair.entities.customcrm.clone(),
                exactonline: pair.entities.exactonline.clone(),
            })
            .collect();
        Topology::new(Names::new(&self.config.namespace), &entities)
    }

    /// The context for one of several services in this process: its checks are named `part/…`.
    pub fn part(&self, part: &str) -> Self {
        Self { health: self.health.part(part), ..self.clone() }
    }
}

/// Runs the service `name`: arguments, configuration, telemetry, runtime, health port, signals, `start`, flush.
///
/// The future that `start` returns runs the service until `stop` is cancelled. The exit code is 0 after a clean
/// stop, 1 after a failure, and 64 when the command line or the configuration cannot be used.
pub fn run<S, F, E>(name: &'static str, needs: Needs, start: S) -> ExitCode
where
    S: FnOnce(Context) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    let arguments = match Arguments::read(name, std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(told) => {
            // Help and version come this way too. Nobody is left to tell when the terminal has gone.
            let _ = told.print();
            return if told.use_stderr() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::SUCCESS };
        }
    };
    run_from(name, &arguments.config, arguments.print_config, needs, start)
}

/// Runs the service `name` as [`run`] does, from a command line that is already read: the configuration `file`, and
/// whether it shall only be printed.
pub fn run_from<S, F, E>(
    name: &'static str,
    file: &Path,
    print_config: bool,
    needs: Needs,
    start: S,
) -> ExitCode
where
    S: FnOnce(Context) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    match Config::load(file, needs) {
        Err(error) => refused(name, &error),
        Ok(config) if print_config => {
            let _ = io::stdout().write_all(config.to_toml().as_bytes());
            ExitCode::SUCCESS
        }
        Ok(config) => match pairs(file, &config, needs) {
            Err(error) => refused(name, &error),
            Ok(pairs) => run_with(name, config, pairs, start),
        },
    }
}

/// The pairs that the configuration names, and nothing that they ask of it missing.
fn pairs(file: &Path, config: &Config, needs: Needs) -> Result<Pairs, ServiceError> {
    if !needs.pairs {
        return Ok(Vec::new().into());
    }
    let pairs = Pairs::load(&config.pairs, &config.readings())?;
    given::check(file, config, &pairs)?;
    Ok(pairs)
}

/// Runs what `start` starts under the name `name`, as [`run`] does, from a configuration that is already loaded.
pub fn run_with<S, F, E>(name: &'static str, config: Config, pairs: Pairs, start: S) -> ExitCode
where
    S: FnOnce(Context) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    let started = telemetry(name, &config).and_then(|telemetry| Ok((telemetry, runtime()?)));
    let (telemetry, runtime) = match started {
        Ok(started) => started,
        Err(error) => return refused(name, &error),
    };
    std::panic::set_hook(Box::new(log_panic));
    let outcome = runtime.block_on(host(name, config, pairs, start));
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

async fn host<S, F, E>(name: &'static str, config: Config, pairs: Pairs, start: S) -> Result<(), ServiceError>
where
    S: FnOnce(Context) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Error + Send + Sync + 'static,
{
    // First of all: whoever sees the port open may send a signal.
    let signals = Signals::new()?;
    let grace = config.shutdown_grace;
    let context = Context {
        stop: CancellationToken::new(),
        health: Health::new(),
        metrics: Arc::new(Metrics::new(name)),
        config: Arc::new(config),
        pairs,
    };
    let port = listen(context.config.health_listen, &context).await?;
    let signals = tokio::spawn(stop_on_signals(signals, context.stop.clone()));

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

fn telemetry(name: &str, config: &Config) -> Result<Telemetry, ServiceError> {
    let settings = Settings {
        otlp_endpoint: config.otlp_endpoint.as_ref().map(ToString::to_string),
        log_filter: config.log_filter.clone(),
        log_format: config.log_format,
    };
    Telemetry::start(name, &settings).map_err(ServiceError::Telemetry)
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
}

impl Signals {
    fn new() -> Result<Self, ServiceError> {
        let of = |kind| signal(kind).map_err(ServiceError::Runtime);
        Ok(Self { terminate: of(SignalKind::terminate())?, interrupt: of(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The first signal asks, the second one does not.
#[expect(clippy::disallowed_methods, reason = "a second signal shall skip what hangs")]
async fn stop_on_signals(mut signals: Signals, stop: CancellationToken) {
    signals.next().await;
    stop.cancel();
    tracing::info!("asked to stop");
    signals.next().await;
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
