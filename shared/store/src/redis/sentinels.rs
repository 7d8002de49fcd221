//! The master that the Sentinels name, looked for when first needed and anew when it does not serve any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, cmd,
};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared as SharedFuture, join_all};

use super::call::Call;
use super::node::{Failure, Node, Patience, may_be_elsewhere};
use super::servers::{Address, SentinelServers, client};

/// A Sentinel that has not answered by then is not waited for: others have.
const SENTINEL_PATIENCE: Duration = Duration::from_secs(1);

type Search = SharedFuture<BoxFuture<'static, Result<Node, Failure>>>;

/// The servers that Sentinels watch. All clones share one connection to the master.
#[derive(Clone)]
pub(super) struct Sentinels {
    shared: Arc<Shared>,
}

struct Shared {
    servers: SentinelServers,
    sentinels: Vec<Client>,
    patience: Patience,
    /// The search for the master, done or under way, and how many there were before it.
    current: Mutex<(u64, Search)>,
    /// The master that was found last: found again, it still knows what replicas it had.
    last: Mutex<Option<Node>>,
}

/// What a Sentinel knows of the master.
struct Named {
    address: Address,
    /// Grows with each fail-over.
    epoch: u64,
}

impl Sentinels {
    /// Prepares. Nothing is sent before the first call.
    pub(super) fn new(servers: SentinelServers, patience: Patience) -> RedisResult<Self> {
        let sentinels = servers.sentinels.iter().map(|address| client(address, &servers.sentinel_login, 0));
        let sentinels = sentinels.collect::<RedisResult<Vec<_>>>()?;
        // Nothing connects to it; that it can be made shows that logging in to a server can be tried.
        let any = Address { host: "localhost".to_owned(), port: 1 };
        client(&any, &servers.login, servers.database)?;
        let shared = Arc::new_cyclic(|shared| Shared {
            servers,
            sentinels,
            patience,
            current: Mutex::new((0, search(std::sync::Weak::clone(shared)))),
            last: Mutex::new(None),
        });
        Ok(Self { shared })
    }

    /// Which Sentinels are asked, and for whom.
    pub(super) fn name(&self) -> String {
        let SentinelServers { master, sentinels, .. } = &self.shared.servers;
        let sentinels: Vec<String> = sentinels.iter().map(ToString::to_string).collect();
        format!("{master}, as the Sentinels {} name it", sentinels.join(", "))
    }

    /// Sends a call to the master. What another master may have to be asked is told as it came: it may have been done.
    pub(super) async fn call(&self, call: &Call) -> Result<Vec<Value>, Failure> {
        let (generation, master) = self.found().await?;
        let answer = master.call(call, false).await;
        if let Err(failure) = &answer
            && may_be_elsewhere(&failure.error)
        {
            self.search_anew(generation);
        }
        answer
    }

    /// The master as the Sentinels name it now, and its replicas.
    pub(super) async fn looked_for(&self) -> Result<(Node, Vec<Node>), Failure> {
        let (generation, known) = self.found().await?;
        let named = self.shared.named().await?;
        let master = if known.name() == self.shared.node(&named.address)?.name() {
            known
        } else {
            self.search_anew(generation);
            self.found().await?.1
        };
        Ok((master, self.shared.replicas().await?))
    }

    async fn found(&self) -> Result<(u64, Node), Failure> {
        let (generation, search) = self.shared.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match search.await {
            Ok(master) => Ok((generation, master)),
            Err(failure) => {
                self.search_anew(generation);
                Err(failure)
            }
        }
    }

    /// Forgets what the search of this generation found, unless another call has already done so.
    fn search_anew(&self, generation: u64) {
        let mut current = self.shared.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 == generation {
            tracing::debug!(master = self.shared.servers.master, "asking the Sentinels for the master");
            *current = (generation + 1, search(Arc::downgrade(&self.shared)));
        }
    }
}

/// Looks for the master when it is first polled. All that wait for it share it, so that none waits twice.
fn search(shared: std::sync::Weak<Shared>) -> Search {
    let search = async move {
        let Some(shared) = shared.upgrade() else {
            let gone = RedisError::from((ErrorKind::Client, "the store is closed"));
            return Err(Failure { server: "the master".to_owned(), error: gone });
        };
        let Named { address, .. } = shared.named().await?;
        let master = shared.master(&address)?;
        let role: Result<Value, Failure> = master.ask(cmd("ROLE")).await;
        let is_master = match role {
            Ok(Value::Array(role)) => {
                matches!(role.first(), Some(Value::BulkString(name)) if name == b"master")
            }
            Ok(_) => false,
            // It does not let us ask: the Sentinels are believed.
            Err(failure) if failure.error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => true,
            Err(failure) => return Err(failure),
        };
        if is_master {
            Ok(master)
        } else {
            let what = "the Sentinels name a server that is no master yet, or no longer";
            Err(master.failure((ErrorKind::Server(ServerErrorKind::MasterDown), what).into()))
        }
    };
    search.boxed().shared()
}

impl Shared {
    /// What the Sentinel says that has seen the newest fail-over.
    async fn named(&self) -> Result<Named, Failure> {
        newest(&self.asked("MASTER").await?).ok_or_else(|| {
            let what = "the Sentinels do not tell where the master is";
            self.failure((ErrorKind::UnexpectedReturnType, what).into())
        })
    }

    /// The replicas that a Sentinel knows.
    async fn replicas(&self) -> Result<Vec<Node>, Failure> {
        let mut addresses = std::collections::BTreeSet::new();
        for answer in self.asked("REPLICAS").await? {
            let replicas: Vec<BTreeMap<String, String>> =
                ::redis::from_redis_value(answer).map_err(|error| self.failure(error.into()))?;
            addresses.extend(replicas.iter().filter_map(address));
        }
        addresses.iter().map(|address| self.node(address)).collect()
    }

    /// What the Sentinels answer about the master, at least one of them.
    async fn asked(&self, what: &str) -> Result<Vec<Value>, Failure> {
        let patience = SENTINEL_PATIENCE.min(self.patience.connect);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(patience))
            .set_response_timeout(Some(patience));
        let asked = self.sentinels.iter().map(async |sentinel| {
            let mut connection = sentinel.get_multiplexed_async_connection_with_config(&config).await?;
            let mut command = cmd("SENTINEL");
            command.arg(what).arg(&self.servers.master).query_async::<Value>(&mut connection).await
        });
        let (mut answers, mut errors) = (Vec::new(), Vec::new());
        for (answer, address) in join_all(asked).await.into_iter().zip(&self.servers.sentinels) {
            match answer {
                Ok(answer) => answers.push(answer),
                Err(error) => errors.push(Failure { server: format!("{address} (a Sentinel)"), error }),
            }
        }
        // One that refuses tells more than one that is not there.
        errors.sort_by_key(|failure| super::node::is_passing(&failure.error));
        match errors.into_iter().next() {
            Some(failure) if answers.is_empty() => Err(failure),
            _ => Ok(answers),
        }
    }

    fn master(&self, address: &Address) -> Result<Node, Failure> {
        let made = self.node(address)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let again = last.take().filter(|last| last.name() == made.name());
        Ok(last.insert(again.unwrap_or(made)).clone())
    }

    fn node(&self, address: &Address) -> Result<Node, Failure> {
        let made = client(address, &self.servers.login, self.servers.database)
            .and_then(|client| Node::new(client, self.patience));
        made.map_err(|error| Failure { server: address.to_string(), error })
    }

    fn failure(&self, error: RedisError) -> Failure {
        Failure { server: format!("{} (a master)", self.servers.master), error }
    }
}

/// What the Sentinel says that has seen the newest fail-over.
fn newest(answers: &[Value]) -> Option<Named> {
    let named = answers.iter().filter_map(|answer| {
        let fields: BTreeMap<String, String> = ::redis::from_redis_value_ref(answer).ok()?;
        Some(Named { address: address(&fields)?, epoch: fields.get("config-epoch")?.parse().ok()? })
    });
    named.max_by_key(|named| named.epoch)
}

fn address(fields: &BTreeMap<String, String>) -> Option<Address> {
    Some(Address { host: fields.get("ip")?.clone(), port: fields.get("port")?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use ::redis::Value;

    use super::newest;

    #[test]
    fn a_sentinel_that_was_away_while_others_failed_over_is_not_believed() {
        let told = |port: &str, epoch: &str| {
            let fields = ["name", "tandem", "ip", "127.0.0.1", "port", port, "config-epoch", epoch];
            Value::Array(fields.iter().map(|field| Value::BulkString(field.as_bytes().to_vec())).collect())
        };
        let answers = [told("1", "8"), told("2", "10"), told("3", "9"), Value::Nil];
        assert_eq!(newest(&answers).map(|named| named.address.to_string()).as_deref(), Some("127.0.0.1:2"));
        assert!(newest(&[Value::Nil]).is_none());
    }
}
