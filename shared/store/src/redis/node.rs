//! The connection to one server, made when first needed and made anew when it does not serve any more.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use ::redis::{
    Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind, Value,
};

use super::call::Call;
use super::followers::{Followers, following};

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

/// Why a server did not do what it was asked, and which one.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// Host and port, never a user or a password.
    pub(super) server: String,
    pub(super) error: RedisError,
}

/// One connection that all clones share.
#[derive(Clone)]
pub(super) struct Node {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    patience: Patience,
    current: Mutex<Current>,
}

/// The manager in use.
#[derive(Clone)]
struct Current {
    /// How many there were before it.
    generation: u64,
    manager: ConnectionManager,
    /// How many replicas the server wants for a write; unknown until it is asked.
    wanted_replicas: Option<u32>,
    followers: Followers,
}

impl Node {
    /// Prepares a connection. Nothing is sent before the first call.
    pub(super) fn new(client: Client, patience: Patience) -> RedisResult<Self> {
        let manager = manager(&client, patience)?;
        let current = Mutex::new(Current {
            generation: 0,
            manager,
            wanted_replicas: None,
            followers: Followers::default(),
        });
        Ok(Self { shared: Arc::new(Shared { client, patience, current }) })
    }

    /// Host and port, never a user or a password.
    pub(super) fn name(&self) -> String {
        self.shared.client.get_connection_info().addr().to_string()
    }

    /// Sends a call and gives its answers, of which none is an error; with `asking`, also for a slot that is on its way to
    /// this server.
    pub(super) async fn call(&self, call: &Call, asking: bool) -> Result<Vec<Value>, Failure> {
        let answers = match call {
            Call::Read(commands) => self.read(commands, asking).await,
            Call::Script(invocation) => {
                let answer = self.run(invocation.by_hash(), asking).await;
                match answer {
                    // The server has forgotten the script, or never had it: told its text, it keeps it.
                    Err(error) if is_unknown_script(&error) => self.run(invocation.by_text(), asking).await,
                    answer => answer,
                }
                .map(|answer| vec![answer])
            }
        };
        answers.map_err(|error| self.failure(error))
    }

    /// Sends one command that only reads.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: Cmd) -> Result<T, Failure> {
        let answer = self.send(&[command]).await.map_err(|error| self.failure(error))?.swap_remove(0);
        let read = answer.extract_error().and_then(|answer| Ok(T::from_redis_value(answer)?));
        read.map_err(|error| self.failure(error))
    }

    /// Takes over how many replicas the server wants for a write.
    pub(super) fn learn_wanted_replicas(&self, wanted: u32) {
        self.current().wanted_replicas = Some(wanted);
    }

    pub(super) fn failure(&self, error: RedisError) -> Failure {
        Failure { server: self.name(), error }
    }

    async fn read(&self, commands: &[Cmd], asking: bool) -> RedisResult<Vec<Value>> {
        if !asking {
            let answers = self.send(commands).await?;
            return answers.into_iter().map(Value::extract_error).collect();
        }
        let asked: Vec<Cmd> =
            commands.iter().flat_map(|command| [::redis::cmd("ASKING"), command.clone()]).collect();
        let answers = self.send(&asked).await?;
        answers.into_iter().skip(1).step_by(2).map(Value::extract_error).collect()
    }

    /// Runs a script. Where the server wants replicas for a write (`min-replicas-to-write`), what the script has written
    /// is acknowledged by every one that follows: whichever takes over then has all that was answered.
    async fn run(&self, script: Cmd, asking: bool) -> RedisResult<Value> {
        let wanted = self.wanted_replicas().await?;
        let mut commands = Vec::with_capacity(4);
        if asking {
            commands.push(::redis::cmd("ASKING"));
        }
        commands.push(script);
        if wanted == 0 {
            let answer = self.send(&commands).await?.pop();
            return answer.unwrap_or(Value::Nil).extract_error();
        }
        let awaited = wanted.max(self.current().followers.count);
        commands.extend(self.wait(awaited));
        let mut answers = self.send(&commands).await?;
        let waited = answers.split_off(answers.len() - 2);
        let answer = answers.pop().unwrap_or(Value::Nil).extract_error()?;
        let (mut holding, mut needed) = self.waited(wanted, waited)?;
        if (awaited..needed).contains(&holding) {
            // More follow than had been known.
            (holding, needed) = self.waited(wanted, self.send(&self.wait(needed)).await?)?;
        }
        if holding < needed {
            let what = "no replica has taken the write over in time, or not every one";
            return Err((ErrorKind::Io, what, format!("{holding} of {needed}")).into());
        }
        Ok(answer)
    }

    /// Waits until so many replicas have what was written last, and asks which follow.
    fn wait(&self, replicas: u32) -> [Cmd; 2] {
        let longest = u64::try_from((self.shared.patience.answer / 2).as_millis()).unwrap_or(u64::MAX);
        [::redis::cmd("WAIT").arg(replicas).arg(longest).take(), ::redis::cmd("ROLE")]
    }

    /// How many replicas have what was written last, and how many must, by what the commands of [`Self::wait`] told.
    fn waited(&self, wanted: u32, answers: Vec<Value>) -> RedisResult<(u32, u32)> {
        let mut answers = answers.into_iter().map(Value::extract_error);
        let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
        let (holding, role) = (u32::from_redis_value(next()?)?, next());
        let followers = &mut self.current().followers;
        // One that may not be asked is believed to need no more than it wants.
        *followers = followers.told(role.map_or(0, |role| following(&role)), Instant::now());
        Ok((holding, wanted.max(followers.count)))
    }

    /// How many replicas the server wants for a write. One that does not tell wants none.
    async fn wanted_replicas(&self) -> RedisResult<u32> {
        let known = self.current().wanted_replicas;
        if let Some(known) = known {
            return Ok(known);
        }
        let asked = ::redis::cmd("CONFIG").arg("GET").arg(MIN_REPLICAS).take();
        let wanted = match self.send(&[asked]).await?.swap_remove(0).extract_error() {
            Ok(settings) => wanted_replicas(&Vec::<(String, String)>::from_redis_value(settings)?),
            Err(_) => 0,
        };
        self.learn_wanted_replicas(wanted);
        Ok(wanted)
    }

    /// Sends commands at once and gives an answer for each, which may be an error.
    async fn send(&self, commands: &[Cmd]) -> RedisResult<Vec<Value>> {
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for command in commands {
            pipeline.add_command(command.clone());
        }
        let (generation, mut manager) = {
            let current = self.current();
            (current.generation, current.manager.clone())
        };
        let answers = manager.req_packed_commands(&pipeline, 0, commands.len()).await;
        let refused = match &answers {
            Err(error) => needs_another_connection(error),
            Ok(answers) => answers.iter().any(is_of_a_replica),
        };
        if refused {
            self.replace(generation);
        }
        match answers {
            Ok(answers) if answers.len() != commands.len() => {
                Err((ErrorKind::UnexpectedReturnType, "another number of answers than of commands").into())
            }
            answers => answers,
        }
    }

    /// Gives up the connection of this generation, unless another call has already done so.
    fn replace(&self, generation: u64) {
        let mut current = self.current();
        if current.generation == generation
            && let Ok(manager) = manager(&self.shared.client, self.shared.patience)
        {
            tracing::debug!(server = self.name(), "connecting anew to the store");
            let followers = current.followers;
            *current = Current { generation: generation + 1, manager, wanted_replicas: None, followers };
        }
    }

    /// Nothing that can panic runs while the lock is held, so that what is in it is whole.
    fn current(&self) -> MutexGuard<'_, Current> {
        self.shared.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Node").field(&self.name()).finish()
    }
}

/// The setting that says how many replicas must be there for a write.
pub(super) const MIN_REPLICAS: &str = "min-replicas-to-write";

/// How many replicas a server wants for a write, by what it tells of its configuration.
pub(super) fn wanted_replicas(settings: &[(String, String)]) -> u32 {
    let found = settings.iter().find(|(setting, _)| setting == MIN_REPLICAS);
    found.and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
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

fn is_of_a_replica(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::ReadOnly))
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether the server, or another one at this address, may work later without a change of configuration.
pub(super) fn is_passing(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => true,
        ErrorKind::Server(kind) => match kind {
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask
            | ServerErrorKind::ReadOnly => true,
            _ => error.to_string().contains("max number of clients"),
        },
        ErrorKind::Extension => {
            matches!(error.code(), Some("OOM" | "MISCONF" | "BUSY" | "NOREPLICAS" | "UNBLOCKED"))
        }
        _ => false,
    }
}

/// Whether another server may be the one to ask: where there are several, they are asked who it is.
pub(super) fn may_be_elsewhere(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::TryAgain) => false,
        ErrorKind::Extension => matches!(error.code(), Some("NOREPLICAS" | "UNBLOCKED")),
        _ => is_passing(error) || needs_another_connection(error),
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
