//! The way to the server that has a key, whichever servers there are.

use ::redis::{Client, ErrorKind, FromRedisValue, RedisError, Value, cmd};
use futures_util::future::try_join_all;
use secrecy::{ExposeSecret, SecretString};

use super::call::Call;
use super::cluster::Cluster;
use super::durability::Replicated;
use super::node::{Failure, Node, Patience, is_passing};
use super::sentinels::Sentinels;
use super::servers::{ClusterServers, SentinelServers};
use crate::{Key, StoreError};

/// One connection that all clones share, or one to each node.
#[derive(Clone)]
pub(super) enum Connection {
    One(Node),
    Sentinels(Sentinels),
    Cluster(Cluster),
}

const UNUSABLE: StoreError = StoreError::Address { reason: "no connection can be made of it" };

impl Connection {
    /// Prepares a connection to one server. Nothing is sent before the first call.
    pub(super) fn one(address: &SecretString, patience: Patience) -> Result<Self, StoreError> {
        let address = address.expose_secret();
        if address.starts_with("rediss:") && !cfg!(feature = "tls") {
            return Err(StoreError::Address { reason: "this build has no TLS, so it cannot use rediss://" });
        }
        let client = Client::open(address)
            .map_err(|_| StoreError::Address { reason: "it is not a URL that names a Redis server" })?;
        Node::new(client, patience).map(Self::One).map_err(|_| UNUSABLE)
    }

    /// Prepares a connection to the master that Sentinels name.
    pub(super) fn sentinels(servers: SentinelServers, patience: Patience) -> Result<Self, StoreError> {
        if servers.sentinels.is_empty() {
            return Err(StoreError::Address { reason: "it names no Sentinel" });
        }
        Sentinels::new(servers, patience).map(Self::Sentinels).map_err(|_| UNUSABLE)
    }

    /// Prepares connections to the nodes of a cluster.
    pub(super) fn cluster(servers: ClusterServers, patience: Patience) -> Result<Self, StoreError> {
        if servers.nodes.is_empty() {
            return Err(StoreError::Address { reason: "it names no node of the cluster" });
        }
        Cluster::new(servers, patience).map(Self::Cluster).map_err(|_| UNUSABLE)
    }

    /// Which servers, never a user or a password.
    pub(super) fn server(&self) -> String {
        match self {
            Self::One(node) => node.name(),
            Self::Sentinels(sentinels) => sentinels.name(),
            Self::Cluster(cluster) => cluster.name(),
        }
    }

    /// Sends a call about `key` and reads its only answer.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        key: &Key,
        call: impl Into<Call>,
    ) -> Result<T, StoreError> {
        let answer = self.ask_all(key, call).await?.pop().unwrap_or(Value::Nil);
        T::from_redis_value(answer).map_err(|error| self.damaged(key, &error.into()))
    }

    /// Sends a call about `key`, and other keys of its scope, and gives the answers.
    pub(super) async fn ask_all(&self, key: &Key, call: impl Into<Call>) -> Result<Vec<Value>, StoreError> {
        let call = call.into();
        let answers = match self {
            Self::One(node) => node.call(&call, false).await,
            Self::Sentinels(sentinels) => sentinels.call(&call).await,
            Self::Cluster(cluster) => cluster.call(key.as_str(), &call).await,
        };
        answers.map_err(|failure| {
            let error = &failure.error;
            if error.kind() == ErrorKind::UnexpectedReturnType || error.code() == Some("WRONGTYPE") {
                self.damaged(key, error)
            } else {
                failure.into()
            }
        })
    }

    /// Each master with its replicas, as the servers tell it now; an error where a key has none.
    pub(super) async fn servers(&self) -> Result<Vec<Replicated>, StoreError> {
        let replicated = |fails_over| move |(master, replicas)| Replicated { master, replicas, fails_over };
        Ok(match self {
            Self::One(node) => vec![replicated(false)((node.clone(), Vec::new()))],
            Self::Sentinels(sentinels) => vec![replicated(true)(sentinels.looked_for().await?)],
            Self::Cluster(cluster) => cluster.looked_at().await?.into_iter().map(replicated(true)).collect(),
        })
    }

    /// Succeeds if every key has a server that answers.
    pub(super) async fn reachable(&self) -> Result<(), StoreError> {
        let servers = self.servers().await?;
        try_join_all(servers.iter().map(|server| server.master.ask::<()>(cmd("PING")))).await?;
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "beside the calls whose answer is damaged")]
    fn damaged(&self, key: &Key, error: &RedisError) -> StoreError {
        StoreError::Corrupt { key: key.clone(), what: error.to_string() }
    }
}

impl From<Failure> for StoreError {
    fn from(Failure { server, error: source }: Failure) -> Self {
        if is_passing(&source) {
            Self::Unreachable { server, source }
        } else {
            Self::Denied { server, source }
        }
    }
}
