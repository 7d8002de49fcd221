//! The nodes of a cluster, and which of them has which keys.
//!
//! A call goes to the node that has its key, and where that node says that another has it, there. A call that may have
//! been carried out is never sent a second time: what a batch then answers would not be what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ::redis::{Client, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, cmd};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared as SharedFuture, select_ok, try_join_all};

use super::call::Call;
use super::node::{Failure, Node, Patience, may_be_elsewhere};
use super::servers::{Address, ClusterServers, client};

/// How often a call follows a node's word that another node has the key.
const REDIRECTS: usize = 5;

const SLOTS: u16 = 16_384;

type Look = SharedFuture<BoxFuture<'static, Result<Arc<Map>, Failure>>>;

/// A cluster. All clones share one connection to each node.
#[derive(Clone)]
pub(super) struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    servers: ClusterServers,
    patience: Patience,
    state: Mutex<State>,
}

struct State {
    /// The look at who has what, done or under way, and how many there were before it.
    generation: u64,
    look: Look,
    nodes: BTreeMap<Address, Node>,
}

/// Who has which slots.
#[derive(Debug, Default)]
struct Map {
    shards: Vec<Shard>,
}

#[derive(Debug)]
struct Shard {
    first: u16,
    last: u16,
    master: Address,
}

impl Cluster {
    /// Prepares. Nothing is sent before the first call.
    pub(super) fn new(servers: ClusterServers, patience: Patience) -> RedisResult<Self> {
        for address in &servers.nodes {
            client(address, &servers.login, 0)?;
        }
        let shared = Arc::new_cyclic(|shared| Shared {
            servers,
            patience,
            state: Mutex::new(State {
                generation: 0,
                look: look(Weak::clone(shared)),
                nodes: BTreeMap::new(),
            }),
        });
        Ok(Self { shared })
    }

    /// Which nodes are asked first.
    pub(super) fn name(&self) -> String {
        let nodes: Vec<String> = self.shared.servers.nodes.iter().map(ToString::to_string).collect();
        format!("the cluster of {}", nodes.join(", "))
    }

    /// Sends a call to the node that has this key.
    pub(super) async fn call(&self, key: &str, call: &Call) -> Result<Vec<Value>, Failure> {
        let (generation, map) = self.map().await?;
        let slot = slot(key);
        let Some(shard) = map.shards.iter().find(|shard| (shard.first..=shard.last).contains(&slot)) else {
            self.look_anew(generation);
            return Err(self.unowned());
        };
        let (mut address, mut asking) = (shard.master.clone(), false);
        let mut redirects = 0;
        loop {
            let answer = self.shared.node(&address)?.call(call, asking).await;
            let Err(failure) = answer else { return answer };
            let kind = failure.error.kind();
            let other = failure.error.redirect_node().and_then(|(node, _)| redirected(node, &address));
            match other {
                Some(other) if redirects < REDIRECTS => {
                    asking = kind == ErrorKind::Server(ServerErrorKind::Ask);
                    if !asking {
                        self.look_anew(generation);
                    }
                    address = other;
                    redirects += 1;
                }
                _ => {
                    if may_be_elsewhere(&failure.error) {
                        self.look_anew(generation);
                    }
                    return Err(failure);
                }
            }
        }
    }

    /// All masters, each with its replicas, as a node tells it now; an error unless every key has a master.
    pub(super) async fn looked_at(&self) -> Result<Vec<(Node, Vec<Node>)>, Failure> {
        let known = self.state().generation;
        self.look_anew(known);
        let (_, map) = self.map().await?;
        let owned: u32 = map.shards.iter().map(|shard| u32::from(shard.last - shard.first) + 1).sum();
        if owned < u32::from(SLOTS) {
            return Err(self.unowned());
        }
        let masters: BTreeSet<&Address> = map.shards.iter().map(|shard| &shard.master).collect();
        let asked = masters.iter().map(|master| self.shared.replicas(master).boxed());
        let servers = try_join_all(asked).await?;
        let there: BTreeSet<String> = servers
            .iter()
            .flat_map(|(master, replicas)| std::iter::once(master).chain(replicas).map(Node::name))
            .collect();
        self.state().nodes.retain(|_, node| there.contains(&node.name()));
        Ok(servers)
    }

    async fn map(&self) -> Result<(u64, Arc<Map>), Failure> {
        let (generation, look) = {
            let state = self.state();
            (state.generation, state.look.clone())
        };
        match look.await {
            Ok(map) => Ok((generation, map)),
            Err(failure) => {
                self.look_anew(generation);
                Err(failure)
            }
        }
    }

    /// Forgets what the look of this generation has shown, unless another call has already done so.
    fn look_anew(&self, generation: u64) {
        let mut state = self.state();
        if state.generation == generation {
            tracing::debug!("asking the cluster who has which keys");
            state.generation += 1;
            state.look = look(Arc::downgrade(&self.shared));
        }
    }

    fn unowned(&self) -> Failure {
        let what = "no node has some of the keys; see CLUSTER INFO";
        let error = (ErrorKind::Server(ServerErrorKind::ClusterDown), what).into();
        Failure { server: self.name(), error }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

/// Asks the nodes who has what when it is first polled: whoever answers first is believed, for a node that knows better
/// says so when it is asked for a key.
fn look(shared: Weak<Shared>) -> Look {
    let look = async move {
        let Some(shared) = shared.upgrade() else {
            let gone = RedisError::from((ErrorKind::Client, "the store is closed"));
            return Err(Failure { server: "the cluster".to_owned(), error: gone });
        };
        let mut addresses: BTreeSet<Address> = shared.state().nodes.keys().cloned().collect();
        addresses.extend(shared.servers.nodes.iter().cloned());
        let asked = addresses.iter().map(|address| shared.asked(address).boxed());
        let (map, _) = select_ok(asked).await?;
        Ok(Arc::new(map))
    };
    look.boxed().shared()
}

impl Shared {
    async fn asked(&self, address: &Address) -> Result<Map, Failure> {
        let node = self.node(address)?;
        let answer: Value = node.ask(cmd("CLUSTER").arg("SLOTS").take()).await?;
        Map::read(&answer, address).ok_or_else(|| {
            let what = "it does not tell which node has which keys";
            node.failure((ErrorKind::Server(ServerErrorKind::ClusterDown), what).into())
        })
    }

    /// A master and its replicas, those that are down among them, as it tells them.
    async fn replicas(&self, address: &Address) -> Result<(Node, Vec<Node>), Failure> {
        let master = self.node(address)?;
        let told: String = master.ask(cmd("CLUSTER").arg("NODES").take()).await?;
        let replicas = replicas_of_the_asked(&told, address);
        let replicas = replicas.iter().map(|replica| self.node(replica)).collect::<Result<_, _>>()?;
        Ok((master, replicas))
    }

    fn node(&self, address: &Address) -> Result<Node, Failure> {
        if let Some(node) = self.state().nodes.get(address) {
            return Ok(node.clone());
        }
        let made = client(address, &self.servers.login, 0)
            .and_then(|client: Client| Node::new(client, self.patience))
            .map_err(|error| Failure { server: address.to_string(), error })?;
        Ok(self.state().nodes.entry(address.clone()).or_insert(made).clone())
    }

    /// Nothing that can panic runs while the lock is held, so that what is in it is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    /// What a node at this address answers to `CLUSTER SLOTS`; nothing where that names no master.
    fn read(answer: &Value, asked: &Address) -> Option<Self> {
        let Value::Array(ranges) = answer else { return None };
        let mut shards = Vec::with_capacity(ranges.len());
        for range in ranges {
            let Value::Array(fields) = range else { return None };
            let [Value::Int(first), Value::Int(last), nodes @ ..] = fields.as_slice() else { return None };
            shards.push(Shard {
                first: u16::try_from(*first).ok()?,
                last: u16::try_from(*last).ok().filter(|last| *last < SLOTS)?,
                master: address(nodes.first()?, asked)?,
            });
        }
        (!shards.is_empty()).then_some(Self { shards })
    }
}

/// The address of a node as another tells it: one without a host is where that one is.
fn address(node: &Value, asked: &Address) -> Option<Address> {
    let Value::Array(fields) = node else { return None };
    let [host, Value::Int(port), ..] = fields.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
        _ => asked.host.clone(),
    };
    Some(Address { host, port: u16::try_from(*port).ok()? })
}

/// The replicas of a master at this address, by what it answers to `CLUSTER NODES`: a line for each node, with its id,
/// address, flags and master's id.
fn replicas_of_the_asked(told: &str, asked: &Address) -> Vec<Address> {
    let nodes = || told.lines().map(|line| line.split(' ').collect::<Vec<_>>()).filter(|node| node.len() > 3);
    let Some(own) = nodes().find(|node| node[2].contains("myself")).map(|node| node[0]) else {
        return Vec::new();
    };
    let replicas = nodes().filter(|node| node[3] == own && !node[2].contains("noaddr"));
    let address = |node: Vec<&str>| redirected(node[1].split(['@', ',']).next()?, asked);
    replicas.filter_map(address).collect()
}

/// Where a node at this address sends a call to.
fn redirected(node: &str, asked: &Address) -> Option<Address> {
    let (host, port) = node.rsplit_once(':')?;
    let host = if host.is_empty() { &asked.host } else { host };
    Some(Address { host: host.to_owned(), port: port.parse().ok()? })
}

/// The slot of a key: the checksum (CRC-16, XMODEM) of what stands between its first braces, or of all of it.
fn slot(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
    let mut sum = 0_u16;
    for byte in hashed.bytes() {
        sum ^= u16::from(byte) << 8;
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 };
        }
    }
    sum % SLOTS
}

#[cfg(test)]
mod tests {
    use super::slot;

    #[test]
    fn a_slot_is_that_of_the_specification() {
        // The example of the specification, and what a server answers to CLUSTER KEYSLOT.
        assert_eq!(slot("123456789"), 12_739);
        assert_eq!(slot("tandem:{123456789}:link"), 12_739);
        assert_eq!(slot("foo{}{bar}"), 8_363);
        assert_eq!(slot("foo{bar}{zap}"), slot("bar"));
    }
}
