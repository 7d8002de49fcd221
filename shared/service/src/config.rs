//! The configuration: the file as written, and the configuration as meant.
//!
//! One schema serves all services, so that one file can be mounted everywhere. All of it is checked always; secrets
//! are read only from the sections that a service [`Needs`].

mod difference;
mod print;
mod read;
mod section;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mapping::Reading;
use model::{ConnectionName, RecordId};
use secrecy::SecretString;
use store::{ClusterServers, Redis, SentinelServers, StoreError};
use telemetry::{LogFilter, LogFormat, Signals};
use url::Url;

use crate::ServiceError;
pub(crate) use difference::Changes;

/// What a service runs on. Every value it can hold is valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// Begins the names of all queues and keys: lower-case letters, digits and hyphens.
    pub namespace: String,
    /// The folder with the pair files. It exists if the service needs it.
    pub pairs: PathBuf,
    /// Where `/health/live`, `/health/ready` and `/metrics` listen; port 0 takes a free one.
    pub health_listen: SocketAddr,
    /// Where notifications of webhooks are taken in, from both systems; port 0 takes a free one. It is there if a
    /// connection has webhooks and the service needs them.
    pub webhooks_listen: Option<SocketAddr>,
    /// Where `tandem auth` takes in the redirect that answers a consent; port 0 takes a free one. `None`: nowhere, and a
    /// person pastes it.
    pub auth_listen: Option<SocketAddr>,
    /// Which events are logged.
    pub log_filter: LogFilter,
    /// What a log line looks like.
    pub log_format: LogFormat,
    /// Where telemetry is sent, and which of it. `None`: nowhere.
    pub otlp: Option<OtlpConfig>,
    /// The broker.
    pub broker: BrokerConfig,
    /// The store.
    pub store: StoreConfig,
    /// How long a stop may take.
    pub shutdown_grace: Duration,
    /// The connections, each with its own name.
    pub connections: Vec<ConnectionConfig>,
}

/// Where telemetry is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpConfig {
    /// The base address of an OTLP receiver over HTTP.
    pub url: Url,
    /// What is sent.
    pub signals: Signals,
}

/// Which broker.
#[derive(Debug, Clone)]
pub enum BrokerConfig {
    /// A RabbitMQ server.
    RabbitMq {
        /// Its address, with the credentials in it.
        url: SecretString,
        /// The file that the address was read from; `None` when it stands in the configuration.
        url_file: Option<PathBuf>,
    },
    /// Within this process.
    InProcess,
}

/// Which store.
#[derive(Debug, Clone)]
pub enum StoreConfig {
    /// Redis.
    Redis(RedisConfig),
    /// One file on this machine; it is made when it does not exist.
    File {
        /// Where it is.
        path: PathBuf,
    },
}

/// Which Redis.
#[derive(Debug, Clone)]
pub enum RedisConfig {
    /// One server.
    Server {
        /// Its address, with the credentials in it.
        url: SecretString,
        /// The file that the address was read from; `None` when it stands in the configuration.
        url_file: Option<PathBuf>,
    },
    /// Of several servers the master that Sentinels name.
    Sentinels {
        /// The Sentinels, and how to log in to them and to the servers.
        servers: SentinelServers,
        /// The file that the servers' password was read from; `None` where they have none.
        password_file: Option<PathBuf>,
        /// The file that the Sentinels' password was read from; `None` where they have none.
        sentinel_password_file: Option<PathBuf>,
    },
    /// A cluster.
    Cluster {
        /// Some of its nodes, and how to log in to any.
        servers: ClusterServers,
        /// The file that the password was read from; `None` where they have none.
        password_file: Option<PathBuf>,
    },
}

impl RedisConfig {
    /// The store on it. Nothing is connected to yet.
    pub fn open(&self) -> Result<Redis, StoreError> {
        match self {
            Self::Server { url, .. } => Redis::open(url),
            Self::Sentinels { servers, .. } => Redis::open_sentinel(servers.clone()),
            Self::Cluster { servers, .. } => Redis::open_cluster(servers.clone()),
        }
    }
}

/// One CustomCRM workspace joined to one Exact division.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// Its name, in every message and key.
    pub name: ConnectionName,
    /// The file that it has for itself; `None` where it stands in the configuration.
    pub file: Option<PathBuf>,
    /// Which reading of the pair files it keeps.
    pub reading: Reading,
    /// Whether both its systems hold nothing but test records, which may be made and changed at will.
    pub is_test: bool,
    /// The records that it gives to pair files which ask for them.
    pub literal: LiteralConfig,
    /// The CustomCRM side; present if the service needs it.
    pub customcrm: Option<CustomCrmConfig>,
    /// The Exact Online side; present if the service needs it.
    pub exactonline: Option<ExactOnlineConfig>,
}

/// Records of Exact for documents that stand for something that is no document: pair files call them
/// `$literal.account` and `$literal.item`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiteralConfig {
    /// The account that such a document is for.
    pub account: Option<RecordId>,
    /// The item that its line is about.
    pub item: Option<RecordId>,
}

/// How to reach a CustomCRM workspace.
#[derive(Debug, Clone)]
pub struct CustomCrmConfig {
    /// The base of its interface, over TLS unless it is on this machine.
    pub url: Url,
    /// The declaration that fits the connector to it. `None`: it has the default API.
    pub declaration: Option<DeclarationFile>,
    /// What its authentication asks for: a token, a key, a password, or a client's secret. Empty where it asks for none.
    pub token: SecretString,
    /// The file that this was read from; `None` where there is none.
    pub token_file: Option<PathBuf>,
    /// The name of the user, or the id of the client, that it belongs to, where the authentication asks for one.
    pub user: Option<String>,
    /// The secret of the client that a refresh token belongs to, and the file that it was read from.
    pub client_secret: Option<(PathBuf, SecretString)>,
    /// How often changes are asked for, whether or not it tells of them.
    pub poll_interval: Duration,
    /// How it tells of changes by itself. `None`: it does not, or the service does not need it.
    pub webhooks: Option<CallbackConfig>,
    /// Calls a minute, at most, of each process.
    pub calls_per_minute: NonZeroU32,
}

/// A declaration, as it was when the configuration was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclarationFile {
    /// Its file.
    pub path: PathBuf,
    /// What is written in it.
    pub text: String,
}

/// Where a system posts to when it tells of changes by itself.
#[derive(Debug, Clone)]
pub struct CallbackConfig {
    /// The address, over TLS. Its path is the one that the process answers to, and is that of no other callback.
    pub url: Url,
    /// What its notifications are signed with. It is none of the secrets that the system is called with.
    pub secret: SecretString,
    /// The file that the secret was read from.
    pub secret_file: PathBuf,
}

/// How to reach an Exact Online division.
#[derive(Debug, Clone)]
pub struct ExactOnlineConfig {
    /// The base of its interface, over TLS unless it is on this machine.
    pub url: Url,
    /// The division's number.
    pub division: NonZeroU32,
    /// The app's id, as registered with Exact.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: SecretString,
    /// The file that the app's secret was read from.
    pub client_secret_file: PathBuf,
    /// Where the current refresh token is kept as the second durable place. Its folder exists; the file may not yet.
    pub grant_file: PathBuf,
    /// Where Exact sends a person back to who gave the app consent, letter by letter as it is registered with the app.
    /// Only a consent needs it.
    pub redirect_uri: Option<String>,
    /// The command by which a person gives consent, for messages.
    pub consent_command: String,
    /// How often changes are asked for while people change things, and up to four times as far apart while they do not;
    /// unless set, every [150 s](Self::POLL_INTERVAL).
    pub poll_interval: Duration,
    /// How it tells of changes by itself. `None`: it does not, or the service does not need it.
    pub webhooks: Option<WebhooksConfig>,
    /// Calls a minute, at most. A fact of Exact's API: 60 by default, per app and division.
    pub calls_per_minute: NonZeroU32,
    /// Calls a day, at most. A fact of Exact's API: 5,000 by default, per app and division.
    pub calls_per_day: NonZeroU32,
}

impl CustomCrmConfig {
    /// The path and the text of its declaration; `None` where it has the default API.
    pub fn declared(&self) -> Option<(&Path, &str)> {
        self.declaration.as_ref().map(|file| (file.path.as_path(), file.text.as_str()))
    }
}

impl ExactOnlineConfig {
    /// How often changes are asked for where the configuration does not say: with all seven pairs a day of ten busy hours
    /// then takes less than three fifths of the 5,000 calls that Exact allows, and the rest is left for what is read and
    /// written; an idle hour takes less than 60.
    pub const POLL_INTERVAL: Duration = Duration::from_secs(150);
}

/// How Exact Online tells of changes by itself.
#[derive(Debug, Clone)]
pub struct WebhooksConfig {
    /// Where it posts to. The secret belongs to the app, and is not that of its OAuth client.
    pub callback: CallbackConfig,
    /// How often changes are asked for while subscriptions are kept; unless set, every [hour](Self::POLL_INTERVAL).
    pub poll_interval: Duration,
}

impl WebhooksConfig {
    /// How often changes are asked for while Exact Online tells of them, where the configuration does not say: with all
    /// seven pairs an idle hour then takes twelve calls at most. A notification that is lost costs no more than this.
    pub const POLL_INTERVAL: Duration = Duration::from_hours(1);
}

/// The command by which a person gives the app consent for a connection of this configuration, as it can be pasted into
/// a shell.
fn consent_command(file: &Path, connection: &ConnectionName) -> String {
    let file = file.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,@".contains(&byte);
    let file = if file.bytes().all(is_plain) { file } else { format!("'{}'", file.replace('\'', "'\\''")) };
    format!("tandem auth exactonline --config {file} --connection {connection}")
}

/// What a service needs of the configuration, beyond what all need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Whether the folder with the pair files must exist.
    pub pairs: bool,
    /// Whether each connection must say how to reach CustomCRM, secrets included.
    pub customcrm: bool,
    /// Whether each connection must say how to reach Exact Online, secrets included.
    pub exactonline: bool,
    /// Whether it takes in what the systems that it needs tell by themselves, where a connection has webhooks.
    pub webhooks: bool,
    /// Whether the broker and the store must be servers.
    pub servers: Servers,
}

impl Needs {
    /// Nothing beyond that: what a service needs is told by what it adds.
    pub const NOTHING: Self = Self {
        pairs: false,
        customcrm: false,
        exactonline: false,
        webhooks: false,
        servers: Servers::Optional,
    };
}

/// Whether the broker and the store must be servers that processes share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Servers {
    /// Yes: the service is one process of several.
    Required,
    /// No: without them, the broker is in this process and the store a file.
    Optional,
}

impl Config {
    /// Reads a configuration file and the secrets it names.
    ///
    /// Fails with all problems at once. Nothing is connected to.
    pub fn load(file: &Path, needs: Needs) -> Result<Self, ServiceError> {
        let unreadable = |source| ServiceError::Unreadable { file: file.to_owned(), source };
        let text = std::fs::read_to_string(file).map_err(unreadable)?;
        let whole = std::path::absolute(file).map_err(unreadable)?;
        read::config(file, &whole, &text, needs).map_err(ServiceError::Configuration)
    }

    /// The effective configuration as TOML. Secrets are not in it: it names their files, and masks the passwords of
    /// addresses.
    pub fn to_toml(&self) -> String {
        print::toml(self)
    }

    /// Whether a system posts to this path, for any of the connections.
    pub fn is_posted_to(&self, path: &str) -> bool {
        let crm = self.customcrm().filter_map(|(_, side)| side.webhooks.as_ref());
        let exact = self.exactonline().filter_map(|(_, side)| Some(&side.webhooks.as_ref()?.callback));
        crm.chain(exact).any(|callback| callback.url.path() == path)
    }

    /// The readings that its connections keep; the practical one where it has none.
    pub fn readings(&self) -> BTreeSet<Reading> {
        let readings: BTreeSet<_> = self.connections.iter().map(|connection| connection.reading).collect();
        if readings.is_empty() { BTreeSet::from([Reading::default()]) } else { readings }
    }

    /// The CustomCRM sides of all connections; complete if the service needs them.
    pub fn customcrm(&self) -> impl Iterator<Item = (&ConnectionName, &CustomCrmConfig)> {
        self.connections
            .iter()
            .filter_map(|connection| Some((&connection.name, connection.customcrm.as_ref()?)))
    }

    /// The Exact Online sides of all connections; complete if the service needs them.
    pub fn exactonline(&self) -> impl Iterator<Item = (&ConnectionName, &ExactOnlineConfig)> {
        self.connections
            .iter()
            .filter_map(|connection| Some((&connection.name, connection.exactonline.as_ref()?)))
    }
}

/// One thing that is wrong with a configuration, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1. For a key that is missing: the line where its section begins; `None` for one that only the
    /// pair files ask for.
    pub line: Option<usize>,
    /// The key with its sections, as `connection.acme.customcrm.url`.
    pub key: String,
    /// The value as written; `None` when there is none, or when it might hold a secret.
    pub value: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        write!(f, ": {}; {}", self.what, self.remedy)
    }
}
