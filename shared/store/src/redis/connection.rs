//! The connection to a Redis server, made when first needed and made anew when it does not serve any more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind};
use secrecy::{ExposeSecret, SecretString};

use crate::{Key, StoreError};

/// How long to wait for a server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a connection.
    pub(super) connect: Duration,
    /// For an answer.
    pub(super) answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(5) }
    }
}

/// One connection that all clones share.
#[derive(Clone)]
pub(super) struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    patience: Patience,
    /// The manager in use and how many there were before it.
    current: Mutex<(u64, ConnectionManager)>,
}

/// A call to the server that can be sent.
pub(super) trait Call {
    /// Sends it and reads the answer.
    fn send<T: FromRedisValue + Send>(
        &self,
        manager: &mut ConnectionManager,
    ) -> impl Future<Output = RedisResult<T>> + Send;
}

impl Call for Cmd {
    async fn send<T: FromRedisValue + Send>(&self, manager: &mut ConnectionManager) -> RedisResult<T> {
        self.query_async(manager).await
    }
}

impl Call for Pipeline {
    async fn send<T: FromRedisValue + Send>(&self, manager: &mut ConnectionManager) -> RedisResult<T> {
        self.query_async(manager).await
    }
}

impl Call for ::redis::ScriptInvocation<'_> {
    async fn send<T: FromRedisValue + Send>(&self, manager: &mut ConnectionManager) -> RedisResult<T> {
        self.invoke_async(manager).await
    }
}

impl Connection {
    /// Prepares a connection. Nothing is sent before the first call.
    pub(super) fn new(address: &SecretString, patience: Patience) -> Result<Self, StoreError> {
        let address = address.expose_secret();
        if address.starts_with("rediss:") && !cfg!(feature = "tls") {
            return Err(StoreError::Address { reason: "this build has no TLS, so it cannot use rediss://" });
        }
        let client = Client::open(address)
            .map_err(|_| StoreError::Address { reason: "it is not a URL that names a Redis server" })?;
        let manager = manager(&client, patience)
            .map_err(|_| StoreError::Address { reason: "no connection can be made of it" })?;
        Ok(Self { shared: Arc::new(Shared { client, patience, current: Mutex::new((0, manager)) }) })
    }

    /// Host and port, never a user or a password.
    pub(super) fn server(&self) -> String {
        self.shared.client.get_connection_info().addr().to_string()
    }

    /// Sends a call about `key` and reads its answer.
    pub(super) async fn ask<T: FromRedisValue + Send>(
        &self,
        key: &Key,
        call: impl Call,
    ) -> Result<T, StoreError> {
        self.send(call).await.map_err(|error| {
            let damaged =
                error.kind() == ErrorKind::UnexpectedReturnType || error.code() == Some("WRONGTYPE");
            if damaged {
                StoreError::Corrupt { key: key.clone(), what: error.to_string() }
            } else {
                self.failure(error)
            }
        })
    }

    /// Sends a call about no key in particular and reads its answer.
    pub(super) async fn ask_server<T: FromRedisValue + Send>(
        &self,
        call: impl Call,
    ) -> Result<T, StoreError> {
        self.send(call).await.map_err(|error| self.failure(error))
    }

    async fn send<T: FromRedisValue + Send>(&self, call: impl Call) -> RedisResult<T> {
        let (generation, mut manager) =
            self.shared.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = call.send(&mut manager).await;
        if let Err(error) = &answer
            && needs_another_connection(error)
        {
            self.replace(generation);
        }
        answer
    }

    /// Gives up the connection of this generation, unless another call has already done so.
    fn replace(&self, generation: u64) {
        let mut current = self.shared.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 == generation
            && let Ok(manager) = manager(&self.shared.client, self.shared.patience)
        {
            tracing::debug!(server = self.server(), "connecting anew to the store");
            *current = (generation + 1, manager);
        }
    }

    pub(super) fn failure(&self, source: RedisError) -> StoreError {
        let server = self.server();
        if is_passing(&source) {
            StoreError::Unreachable { server, source }
        } else {
            StoreError::Denied { server, source }
        }
    }
}

fn manager(client: &Client, patience: Patience) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(patience.connect))
        .set_response_timeout(Some(patience.answer))
        // Few and quick: callers try again by their own schedule, and health must show an outage soon.
        .set_number_of_retries(1)
        .set_max_delay(Duration::from_millis(200));
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

/// Whether the server, or another one at this address, may work later without a change of configuration.
fn is_passing(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => true,
        ErrorKind::Server(kind) => match kind {
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly => true,
            _ => error.to_string().contains("max number of clients"),
        },
        ErrorKind::Extension => matches!(error.code(), Some("OOM" | "MISCONF" | "BUSY" | "NOREPLICAS")),
        _ => false,
    }
}

/// Whether only a new connection can help. The manager replaces a connection that was cut by itself, but keeps one that
/// is silent, one to a server that has become a replica, and a failed greeting.
fn needs_another_connection(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Io => !error.is_connection_dropped(),
        ErrorKind::UnexpectedReturnType | ErrorKind::Extension => false,
        ErrorKind::Server(kind) => {
            matches!(
                kind,
                ServerErrorKind::ReadOnly | ServerErrorKind::ResponseError | ServerErrorKind::NoPerm
            )
        }
        _ => true,
    }
}
