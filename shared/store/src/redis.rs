//! The store on a Redis server.

mod call;
mod cluster;
mod connection;
mod durability;
mod followers;
mod node;
mod observed;
mod sentinels;
mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ::redis::{Cmd, FromRedisValue, cmd};
use jiff::Timestamp;
use secrecy::SecretString;
use telemetry::Metrics;

use self::call::{Call, Invocation, Script};
use self::connection::Connection;
use self::node::Patience;
use self::observed::Operation;
pub use self::servers::{Address, ClusterServers, Login, NoAddress, SentinelServers};
use crate::{Applied, Batch, Change, Check, Durability, Entry, Key, Leased, Store, StoreError};

static APPLY: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/apply.lua")));
static LEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/lease.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/release.lua")));

/// The longest time that anything is kept for; longer ones count as this. It keeps sums within what Lua counts exactly.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// A store on Redis, version 6.2 or later: on one server, on the master that Sentinels name, or on a cluster. Clones
/// share one connection, or one to each node.
///
/// What a batch does is one Lua script, so it is atomic; leases go by the server's clock. All keys of a batch carry one
/// hash tag, so one node of a cluster has them all. What is answered has been taken over by as many replicas as the
/// server wants for a write (`min-replicas-to-write`), so that a fail-over does not lose it.
///
/// An entry is a hash under the key itself; a set, schedule, list or lease has its kind appended to the key.
#[derive(Clone)]
pub struct Redis {
    connection: Connection,
    /// Where operations are counted, if anywhere.
    metrics: Option<Arc<Metrics>>,
}

impl Redis {
    /// A store on the server at this address, `redis://user:password@host:port/database`. It connects when first used
    /// and as often as it must, so the server may come up later. Must be called within a tokio runtime.
    pub fn open(address: &SecretString) -> Result<Self, StoreError> {
        Ok(Self::on(Connection::one(address, Patience::default())?))
    }

    /// A store on the master that Sentinels name, whichever that is. Otherwise as [`open`](Self::open).
    pub fn open_sentinel(servers: SentinelServers) -> Result<Self, StoreError> {
        Ok(Self::on(Connection::sentinels(servers, Patience::default())?))
    }

    /// A store on a cluster. Otherwise as [`open`](Self::open).
    pub fn open_cluster(servers: ClusterServers) -> Result<Self, StoreError> {
        Ok(Self::on(Connection::cluster(servers, Patience::default())?))
    }

    /// The same store, whose operations are counted there.
    pub fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    fn on(connection: Connection) -> Self {
        Self { connection, metrics: None }
    }

    async fn ask<T: FromRedisValue>(
        &self,
        operation: Operation,
        key: &Key,
        call: impl Into<Call>,
    ) -> Result<T, StoreError> {
        operation.sent(self.metrics.as_deref(), self.connection.ask(key, call)).await
    }

    /// As [`open`](Self::open), with another patience.
    #[cfg(test)]
    pub(crate) fn open_with_patience(address: &SecretString, patience: Duration) -> Result<Self, StoreError> {
        Ok(Self::on(Connection::one(address, Patience { connect: patience, answer: patience })?))
    }

    /// As [`open_sentinel`](Self::open_sentinel), with another patience.
    #[cfg(test)]
    pub(crate) fn open_sentinel_with_patience(
        servers: SentinelServers,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let patience = Patience { connect: patience, answer: patience };
        Ok(Self::on(Connection::sentinels(servers, patience)?))
    }

    /// As [`open_cluster`](Self::open_cluster), with another patience.
    #[cfg(test)]
    pub(crate) fn open_cluster_with_patience(
        servers: ClusterServers,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let patience = Patience { connect: patience, answer: patience };
        Ok(Self::on(Connection::cluster(servers, patience)?))
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("server", &self.connection.server()).finish_non_exhaustive()
    }
}

impl Store for Redis {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let fields = self.ask(Operation::command("HMGET"), key, read(key)).await?;
        entry(key, fields)
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, StoreError> {
        // Keys of one scope are on one node, those of several may be on several.
        let mut scopes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, key) in keys.iter().enumerate() {
            scopes.entry(key.scope()).or_default().push(at);
        }
        let mut found = vec![None; keys.len()];
        for places in scopes.into_values() {
            let reads: Vec<Cmd> = places.iter().map(|at| read(&keys[*at])).collect();
            let answers = self.connection.ask_all(&keys[places[0]], Call::Read(reads));
            let answers = Operation::command("HMGET").sent(self.metrics.as_deref(), answers).await?;
            for (at, answer) in places.into_iter().zip(answers) {
                let fields = FromRedisValue::from_redis_value(answer);
                let fields = fields.map_err(|error| corrupt(&keys[at], &error.to_string()))?;
                found[at] = entry(&keys[at], fields)?;
            }
        }
        Ok(found)
    }

    async fn members(&self, key: &Key) -> Result<BTreeSet<String>, StoreError> {
        self.ask(Operation::command("SMEMBERS"), key, command("SMEMBERS").arg(set(key)).take()).await
    }

    async fn count(&self, key: &Key) -> Result<u64, StoreError> {
        self.ask(Operation::command("SCARD"), key, command("SCARD").arg(set(key)).take()).await
    }

    async fn due(&self, key: &Key, until: Timestamp, limit: usize) -> Result<Vec<String>, StoreError> {
        let mut due = command("ZRANGEBYSCORE");
        due.arg(schedule(key)).arg("-inf").arg(until.as_microsecond());
        due.arg("LIMIT").arg(0).arg(i64::try_from(limit).unwrap_or(i64::MAX));
        self.ask(Operation::command("ZRANGEBYSCORE"), key, due).await
    }

    async fn list(&self, key: &Key, newest: usize) -> Result<Vec<String>, StoreError> {
        let Some(last) = newest.checked_sub(1) else { return Ok(Vec::new()) };
        let last = i64::try_from(last).unwrap_or(i64::MAX);
        self.ask(Operation::command("LRANGE"), key, command("LRANGE").arg(list(key)).arg(0).arg(last).take())
            .await
    }

    async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        let Some(any) = batch.scope()?.cloned() else { return Ok(Applied::Done { revision: 0 }) };
        let mut call = APPLY.invoke();
        call.key(format!("{}%revision", any.scope()));
        call.arg(batch.checks.len()).arg(batch.changes.len());
        for check in &batch.checks {
            add_check(&mut call, check);
        }
        for change in &batch.changes {
            add_change(&mut call, change);
        }
        let (done, number): (u8, u64) = self.ask(Operation::script("apply"), &any, call).await?;
        if done == 1 {
            return Ok(Applied::Done { revision: number });
        }
        let failed = usize::try_from(number).ok().and_then(|number| batch.checks.get(number.checked_sub(1)?));
        let key = failed.map_or(any, |check| check.key().clone());
        Ok(Applied::Refused(key))
    }

    async fn lease(&self, key: &Key, holder: &str, keep: Duration) -> Result<Leased, StoreError> {
        let mut call = LEASE.invoke();
        call.key(lease(key)).arg(holder).arg(microseconds(keep));
        let token: Option<u64> = self.ask(Operation::script("lease"), key, call).await?;
        Ok(token.map_or(Leased::Taken, |token| Leased::Held { token }))
    }

    async fn release(&self, key: &Key, holder: &str) -> Result<(), StoreError> {
        let mut call = RELEASE.invoke();
        call.key(lease(key)).arg(holder);
        self.ask(Operation::script("release"), key, call).await
    }

    async fn reachable(&self) -> Result<(), StoreError> {
        self.connection.reachable().await
    }

    async fn durability(&self) -> Result<Durability, StoreError> {
        Ok(durability::of(&self.connection.servers().await?).await?)
    }
}

fn command(name: &str) -> Cmd {
    cmd(name)
}

fn read(key: &Key) -> Cmd {
    command("HMGET").arg(key.as_str()).arg("r").arg("v").take()
}

fn entry(
    key: &Key,
    (revision, value): (Option<String>, Option<String>),
) -> Result<Option<Entry>, StoreError> {
    match (revision, value) {
        (None, None) => Ok(None),
        (Some(revision), Some(value)) => {
            let revision = revision.parse().map_err(|_| corrupt(key, "its revision is no number"))?;
            Ok(Some(Entry { revision, value }))
        }
        (Some(_), None) => Err(corrupt(key, "it has a revision and no value")),
        (None, Some(_)) => Err(corrupt(key, "it has a value and no revision")),
    }
}

fn corrupt(key: &Key, what: &str) -> StoreError {
    StoreError::Corrupt { key: key.clone(), what: what.to_owned() }
}

// The place of each kind. A lone `%` never occurs in an escaped part, so no key names the place of another.

fn set(key: &Key) -> String {
    format!("{key}%set")
}

fn schedule(key: &Key) -> String {
    format!("{key}%schedule")
}

fn list(key: &Key) -> String {
    format!("{key}%list")
}

fn lease(key: &Key) -> String {
    format!("{key}%lease")
}

fn microseconds(keep: Duration) -> u64 {
    u64::try_from(keep.min(LONGEST).as_micros()).expect("a hundred years of microseconds fit")
}

fn add_check(call: &mut Invocation, check: &Check) {
    match check {
        Check::Absent(key) => call.key(key.as_str()).arg("A"),
        Check::Revision(key, revision) => call.key(key.as_str()).arg("R").arg(*revision),
        Check::Members(key, members) => {
            call.key(set(key)).arg("M").arg(members.len());
            for member in members {
                call.arg(member);
            }
            call
        }
        Check::Lease { key, token } => call.key(lease(key)).arg("L").arg(*token),
    };
}

fn add_change(call: &mut Invocation, change: &Change) {
    match change {
        Change::Set { key, value } => call.key(key.as_str()).arg("S").arg(value),
        Change::SetFor { key, value, keep } => {
            call.key(key.as_str()).arg("F").arg(value).arg(microseconds(*keep).div_ceil(1_000))
        }
        Change::Delete(key) => {
            call.key(key.as_str()).key(set(key)).key(schedule(key)).key(list(key)).arg("D")
        }
        Change::Add { key, member } => call.key(set(key)).arg("A").arg(member),
        Change::Remove { key, member } => call.key(set(key)).arg("R").arg(member),
        Change::Schedule { key, member, at } => {
            call.key(schedule(key)).arg("T").arg(member).arg(at.as_microsecond())
        }
        Change::Unschedule { key, member } => call.key(schedule(key)).arg("U").arg(member),
        Change::Append { key, value, keep } => {
            call.key(list(key)).arg("P").arg(value).arg(u32::try_from(*keep).unwrap_or(u32::MAX))
        }
    };
}
