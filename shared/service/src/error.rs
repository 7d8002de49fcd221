//! Why a service did not start, or did not end well.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use telemetry::{Chain, TelemetryError};

use crate::Problem;

/// The exit code for a configuration that cannot be used (`EX_USAGE`).
pub(crate) const BAD_CONFIGURATION: u8 = 64;

/// Why a service did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The configuration file cannot be read.
    #[error("the configuration {} cannot be read; name the right file with --config", .file.display())]
    Unreadable {
        /// The file as it was named.
        file: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// The configuration has problems: all of them.
    #[error("the configuration has {} problem(s)\n{}", .0.len(), Lines(.0))]
    Configuration(Vec<Problem>),
    /// A pair file, or the folder of them, cannot be read.
    #[error("{} cannot be read; check the file and its rights", .file.display())]
    UnreadablePair {
        /// What was to be read.
        file: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// The folder holds no pair file.
    #[error("{} holds no pair file (*.toml); put the files of the pairs to keep there", .folder.display())]
    NoPairs {
        /// The folder.
        folder: PathBuf,
    },
    /// Two files are about one pair.
    #[error("{file} is about the pair {pair}, and so is another file of its folder; remove one of them")]
    PairTwice {
        /// The pair.
        pair: model::PairName,
        /// The second file.
        file: String,
    },
    /// A pair is to be served that there is not.
    #[error("there is no pair {name:?}; write --pair with one of {}", words(pairs))]
    UnknownPair {
        /// What was asked for.
        name: String,
        /// What there is.
        pairs: Vec<model::PairName>,
    },
    /// A connection keeps a reading that no other one kept, and the pair files are others than at the start.
    #[error(
        "a connection keeps the pairs in another reading, and their files have changed since the start; restart the service, or put the files back"
    )]
    PairsChanged,
    /// Pair files that cannot work: all that is wrong with any of them.
    #[error("the pair files have {} problem(s)\n{}", .0.len(), Lines(.0))]
    Pairs(Vec<mapping::FileProblem>),
    /// The service shares its work with other processes, and no servers are named.
    #[error("{service} is one process of several: name a RabbitMQ in [broker] and a Redis in [store]")]
    NoServers {
        /// The service.
        service: String,
    },
    /// The broker's address cannot be used.
    #[error("the broker cannot be used as configured")]
    Broker(#[source] broker::BrokerError),
    /// The store's address cannot be used.
    #[error("the store cannot be used as configured")]
    Store(#[source] store::StoreError),
    /// A system cannot be called as configured.
    #[error("{system} of connection {connection} cannot be called as configured")]
    System {
        /// The system.
        system: model::System,
        /// The connection.
        connection: model::ConnectionName,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A backoff that would be a busy loop, or that ends before it begins.
    #[error(
        "a backoff from {min:?} to {max:?} cannot be; give a minimum above zero that is at most the maximum"
    )]
    Backoff {
        /// The shortest delay asked for.
        min: Duration,
        /// The longest delay asked for.
        max: Duration,
    },
    /// Logs and traces did not start.
    #[error("logs and traces did not start")]
    Telemetry(#[source] TelemetryError),
    /// The operating system refused what every process needs.
    #[error("the runtime did not start; check the limits on threads and open files")]
    Runtime(#[source] io::Error),
    /// The port for health and metrics cannot be opened.
    #[error("health cannot listen on {listen}; end what holds the port, or change health.listen")]
    HealthListener {
        /// The address as configured.
        listen: SocketAddr,
        /// Why it cannot be opened.
        source: io::Error,
    },
    /// The port for notifications of webhooks cannot be opened.
    #[error("webhooks cannot listen on {listen}; end what holds the port, or change webhooks.listen")]
    WebhooksListener {
        /// The address as configured.
        listen: SocketAddr,
        /// Why it cannot be opened.
        source: io::Error,
    },
    /// The service itself failed.
    #[error("{service} failed")]
    Failed {
        /// The service.
        service: String,
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The service panicked, which is a defect; the panic was logged where it happened.
    #[error("{service} panicked; report it with the log line of the panic")]
    Panicked {
        /// The service.
        service: String,
    },
    /// The service did not end within its grace after it was asked to stop.
    #[error("{service} ignored the shutdown for {grace:?}; what it held is delivered again")]
    Deaf {
        /// The service.
        service: String,
        /// How long it was waited for.
        grace: Duration,
    },
    /// Tasks of a service failed, in the order in which it happened.
    #[error("{} task(s) did not end well: {}", .0.len(), Sentence(.0))]
    Tasks(Vec<TaskFailure>),
}

impl ServiceError {
    /// What the process exits with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. }
            | Self::Configuration(_)
            | Self::UnreadablePair { .. }
            | Self::NoPairs { .. }
            | Self::PairTwice { .. }
            | Self::UnknownPair { .. }
            | Self::PairsChanged
            | Self::Pairs(_)
            | Self::NoServers { .. }
            | Self::Broker(_)
            | Self::Store(_)
            | Self::System { .. } => BAD_CONFIGURATION,
            // What a service refuses at its start is refused in the same way wherever it is found.
            Self::Failed { source, .. } => source.downcast_ref::<Self>().map_or(1, Self::exit_code),
            Self::Backoff { .. }
            | Self::Telemetry(_)
            | Self::Runtime(_)
            | Self::HealthListener { .. }
            | Self::WebhooksListener { .. }
            | Self::Panicked { .. }
            | Self::Deaf { .. }
            | Self::Tasks(_) => 1,
        }
    }
}

fn words(names: &[model::PairName]) -> String {
    names.iter().map(model::PairName::as_str).collect::<Vec<_>>().join(", ")
}

/// How a task ended that did not end well.
#[derive(Debug, thiserror::Error)]
pub enum TaskFailure {
    /// It returned an error.
    #[error("{task} failed")]
    Failed {
        /// The task.
        task: String,
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It panicked.
    #[error("{task} panicked")]
    Panicked {
        /// The task.
        task: String,
    },
    /// It ended although nobody had asked it to.
    #[error("{task} ended unasked")]
    Ended {
        /// The task.
        task: String,
    },
    /// It did not end within the grace, and was dropped.
    #[error("{task} ignored the shutdown for {grace:?}")]
    Deaf {
        /// The task.
        task: String,
        /// How long it was waited for.
        grace: Duration,
    },
}

struct Lines<'a, P>(&'a [P]);

impl<P: fmt::Display> fmt::Display for Lines<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}  {problem}")?;
        }
        Ok(())
    }
}

/// A list has no single source, so that the failures' own sources are told here.
struct Sentence<'a>(&'a [TaskFailure]);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, failure) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{}", Chain(failure))?;
        }
        Ok(())
    }
}
