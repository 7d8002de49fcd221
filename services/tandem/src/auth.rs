//! `tandem auth`: a person's consent to the app at Exact Online, for the first time or anew.
//!
//! The order is that of what can fail: the configuration, the store and the port first, so that nobody is asked in vain;
//! then the person; then the code, which is exchanged at once because it lives for three minutes. No token, code or
//! secret is printed.

mod answer;
mod told;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use exactonline::{Code, Consent, ConsentError, ExactOnline};
use model::ConnectionName;
use service::{Config, ExactOnlineConfig, Needs, ServiceError, StoreConfig};
use store::{Embedded, Store, StoreError};
use telemetry::{Chain, LogFilter, LogFormat, Settings, Telemetry};
use tokio::runtime::Builder;
use uuid::Uuid;

use crate::BAD_USAGE;
use crate::arguments::AuthOptions;
use answer::Answers;
use told::{Kept, Seen};

/// Why a consent did not become a grant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    /// The configuration can't be used.
    #[error("the configuration can't be used")]
    Configuration(#[source] ServiceError),
    /// It has no such connection.
    #[error("{} has no connection {name}; it has {}", file.display(), list(connections))]
    NoConnection {
        /// The configuration.
        file: PathBuf,
        /// What was asked for.
        name: ConnectionName,
        /// What there is.
        connections: Vec<ConnectionName>,
    },
    /// It has several connections, and none was named.
    #[error("{} has several connections; name one with --connection: {}", file.display(), list(connections))]
    SeveralConnections {
        /// The configuration.
        file: PathBuf,
        /// What there is.
        connections: Vec<ConnectionName>,
    },
    /// Nobody knows where Exact is to send the person back to.
    #[error(
        "connection {connection} has no redirect_uri; add to its [connection.exactonline] the redirect URI that is \
         registered with the app in Exact's App Center, as redirect_uri = \"https://sync.example.com/exact/consent\""
    )]
    NoRedirect {
        /// The connection.
        connection: ConnectionName,
    },
    /// The operating system refused what every process needs, or the terminal has gone.
    #[error("the operating system refused a runtime, a thread or the terminal")]
    Process(#[source] io::Error),
    /// Logs did not start.
    #[error("logs did not start")]
    Telemetry(#[source] telemetry::TelemetryError),
    /// The store can't be used, so that a grant would have no second place.
    #[error("the store can't be used, and a grant must be kept there too; nothing was asked or spent")]
    Store(#[source] StoreError),
    /// The port for the redirect can't be opened.
    #[error("the redirect can't be taken in on {listen}; end what holds the port, or change auth.listen")]
    Listen {
        /// The address as configured.
        listen: SocketAddr,
        /// Why it can't be opened.
        source: io::Error,
    },
    /// Nothing came from whoever was asked.
    #[error("nothing was pasted; run the command in a terminal, or write the address to its standard input")]
    NothingPasted,
    /// Nobody answered.
    #[error("nobody answered within {} minutes; run the command again", answer::WAITS.as_secs() / 60)]
    NoAnswer,
    /// The answer brings no code.
    #[error("there is no consent; run the command again for a new address")]
    Consent(#[from] ConsentError),
    /// The code brought no grant, or the grant could not be kept.
    #[error(
        "the consent did not become a grant; repair what is told, and run the command again for a new code"
    )]
    Grant(#[source] exactonline::Error),
    /// The grant is there, and could not be tried.
    #[error(
        "the grant is kept, but its user and companies can't be asked for; run the command again if it lasts"
    )]
    Trial(#[source] exactonline::Error),
}

/// Asks for a consent and keeps it; exit code 0 when the grant serves for the connection's division.
pub(crate) fn run(options: &AuthOptions) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(AuthError::Process);
    match runtime.and_then(|runtime| runtime.block_on(asked(options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell when the terminal has gone.
            let _ = writeln!(io::stderr(), "tandem: {}", Chain(&error));
            match error {
                AuthError::Configuration(_)
                | AuthError::NoConnection { .. }
                | AuthError::SeveralConnections { .. }
                | AuthError::NoRedirect { .. }
                | AuthError::Store(StoreError::Address { .. }) => ExitCode::from(BAD_USAGE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// Whose consent is asked for.
struct Asked<'a> {
    config: &'a Config,
    connection: &'a ConnectionName,
    side: &'a ExactOnlineConfig,
    redirect_uri: &'a str,
}

async fn asked(options: &AuthOptions) -> Result<bool, AuthError> {
    let log_filter = LogFilter::parse("error").map_err(AuthError::Telemetry)?;
    let logs = Settings { otlp: None, log_filter, log_format: LogFormat::Text };
    let _telemetry = Telemetry::start("tandem", &logs).map_err(AuthError::Telemetry)?;
    let needs = Needs { exactonline: true, ..Needs::NOTHING };
    let config = Config::load(&options.config, needs).map_err(AuthError::Configuration)?;
    let asked = Asked::of(&config, options)?;
    match &config.store {
        StoreConfig::Redis(redis) => {
            let store = redis.open().map_err(AuthError::Store)?;
            store.reachable().await.map_err(AuthError::Store)?;
            let code = asked.code().await?;
            asked.taken(&code, store, Kept::InBoth).await
        }
        StoreConfig::File { path } => {
            // Not kept open while a person is waited for: a Tandem may start meanwhile.
            match Embedded::open(path) {
                Ok(_) | Err(StoreError::FileHeld { .. }) => {}
                Err(error) => return Err(AuthError::Store(error)),
            }
            let code = asked.code().await?;
            match Embedded::open(path) {
                Ok(store) => asked.taken(&code, store, Kept::InBoth).await,
                // The Tandem that runs finds the newer grant in the file, and keeps it in its store before it uses it.
                Err(StoreError::FileHeld { .. }) => {
                    let store = Embedded::in_memory().map_err(AuthError::Store)?;
                    asked.taken(&code, store, Kept::InFile).await
                }
                Err(error) => Err(AuthError::Store(error)),
            }
        }
    }
}

impl<'a> Asked<'a> {
    fn of(config: &'a Config, options: &AuthOptions) -> Result<Self, AuthError> {
        let file = || options.config.clone();
        let connections = || config.exactonline().map(|(name, _)| name.clone()).collect();
        let mut sides = config
            .exactonline()
            .filter(|(name, _)| options.connection.as_ref().is_none_or(|wanted| wanted == *name));
        let (connection, side) = match (sides.next(), sides.next(), &options.connection) {
            (Some(side), None, _) => side,
            (None, _, Some(name)) => {
                let (file, name) = (file(), name.clone());
                return Err(AuthError::NoConnection { file, name, connections: connections() });
            }
            _ => return Err(AuthError::SeveralConnections { file: file(), connections: connections() }),
        };
        let no_redirect = || AuthError::NoRedirect { connection: connection.clone() };
        let redirect_uri = side.redirect_uri.as_deref().ok_or_else(no_redirect)?;
        Ok(Self { config, connection, side, redirect_uri })
    }

    /// Shows the address, and waits for the code that a person brings or is sent back with.
    async fn code(&self) -> Result<Code, AuthError> {
        let state = Uuid::new_v4().simple().to_string();
        let consent = Consent::ask(&self.side.url, &self.side.client_id, self.redirect_uri, &state);
        let answers = Answers::new(consent, self.redirect_uri, self.config.auth_listen).await?;
        say(&told::question(self.connection, answers.question(), self.redirect_uri, answers.listens()))?;
        answers.code().await
    }

    /// Exchanges the code, keeps the grant and tries it; whether it serves for the division.
    async fn taken<S: Store>(&self, code: &Code, store: S, kept: Kept) -> Result<bool, AuthError> {
        let settings = collector_exactonline::settings(&self.config.namespace, self.connection, self.side);
        let client = ExactOnline::new(settings, store).map_err(AuthError::Grant)?;
        client.begin_grant(code, self.redirect_uri).await.map_err(AuthError::Grant)?;
        say(&told::kept(self.connection, &self.side.grant_file, kept))?;
        let seen = Seen::by(&client, u64::from(self.side.division.get())).await.map_err(AuthError::Trial)?;
        say(&seen.told())?;
        if let Some(warning) = seen.warning(self.connection) {
            let _ = writeln!(io::stderr(), "tandem: {warning}");
            return Ok(false);
        }
        Ok(true)
    }
}

fn say(text: &str) -> Result<(), AuthError> {
    let mut terminal = io::stdout();
    terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush()).map_err(AuthError::Process)
}

fn list(connections: &[ConnectionName]) -> String {
    if connections.is_empty() {
        return "none".to_owned();
    }
    connections.iter().map(ConnectionName::as_str).collect::<Vec<_>>().join(", ")
}
