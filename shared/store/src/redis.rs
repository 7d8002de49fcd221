//! The store on a Redis server.

mod connection;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use ::redis::{Cmd, Pipeline, Script, cmd};
use jiff::Timestamp;
use secrecy::SecretString;

use self::connection::{Connection, Patience};
use crate::{Applied, Batch, Change, Check, Durability, Entry, Key, Leased, Store, StoreError};

static APPLY: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/apply.lua")));
static LEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/lease.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("redis/release.lua")));

/// The longest time that anything is kept for; longer ones count as this. It keeps sums within what Lua counts exactly.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// A store on a Redis server, version 6.2 or later. Clones share one connection.
///
/// What a batch does is one Lua script, so it is atomic; leases go by the server's clock. All keys of a call
/// carry one hash tag, so the data may live in a Redis Cluster, of which this is given the node.
///
/// An entry is a hash under the key itself; a set, schedule, list or lease has its kind appended to the key.
#[derive(Clone)]
pub struct Redis {
    connection: Connection,
}

impl Redis {
    /// A store on the server at this address, `redis://user:password@host:port/database`. It connects when first used
    /// and as often as it must, so the server may come up later. Must be called within a tokio runtime.
    pub fn open(address: &SecretString) -> Result<Self, StoreError> {
        Ok(Self { connection: Connection::new(address, Patience::default())? })
    }

    /// As [`open`](Self::open), with another patience.
    #[cfg(test)]
    pub(crate) fn open_with_patience(address: &SecretString, patience: Duration) -> Result<Self, StoreError> {
        let patience = Patience { connect: patience, answer: patience };
        Ok(Self { connection: Connection::new(address, patience)? })
    }

    /// What the server is configured to do; nothing if it does not tell.
    async fn configured(&self, pattern: &str) -> Result<Option<Vec<(String, String)>>, StoreError> {
        match self.connection.ask_server(command("CONFIG").arg("GET").arg(pattern).take()).await {
            Ok(settings) => Ok(Some(settings)),
            Err(StoreError::Denied { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("server", &self.connection.server()).finish_non_exhaustive()
    }
}

impl Store for Redis {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let fields = self.connection.ask(key, read(key)).await?;
        entry(key, fields)
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, StoreError> {
        let Some(first) = keys.first() else { return Ok(Vec::new()) };
        let mut pipeline = Pipeline::with_capacity(keys.len());
        for key in keys {
            pipeline.add_command(read(key));
        }
        let all: Vec<(Option<String>, Option<String>)> = self.connection.ask(first, pipeline).await?;
        keys.iter().zip(all).map(|(key, fields)| entry(key, fields)).collect()
    }

    async fn members(&self, key: &Key) -> Result<BTreeSet<String>, StoreError> {
        self.connection.ask(key, command("SMEMBERS").arg(set(key)).take()).await
    }

    async fn count(&self, key: &Key) -> Result<u64, StoreError> {
        self.connection.ask(key, command("SCARD").arg(set(key)).take()).await
    }

    async fn due(&self, key: &Key, until: Timestamp, limit: usize) -> Result<Vec<String>, StoreError> {
        let mut due = command("ZRANGEBYSCORE");
        due.arg(schedule(key)).arg("-inf").arg(until.as_microsecond());
        due.arg("LIMIT").arg(0).arg(i64::try_from(limit).unwrap_or(i64::MAX));
        self.connection.ask(key, due).await
    }

    async fn list(&self, key: &Key, newest: usize) -> Result<Vec<String>, StoreError> {
        let Some(last) = newest.checked_sub(1) else { return Ok(Vec::new()) };
        let last = i64::try_from(last).unwrap_or(i64::MAX);
        self.connection.ask(key, command("LRANGE").arg(list(key)).arg(0).arg(last).take()).await
    }

    async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        let Some(any) = batch.scope()?.cloned() else { return Ok(Applied::Done { revision: 0 }) };
        let mut call = APPLY.prepare_invoke();
        call.key(format!("{}%revision", any.scope()));
        call.arg(batch.checks.len()).arg(batch.changes.len());
        for check in &batch.checks {
            add_check(&mut call, check);
        }
        for change in &batch.changes {
            add_change(&mut call, change);
        }
        let (done, number): (u8, u64) = self.connection.ask(&any, call).await?;
        if done == 1 {
            return Ok(Applied::Done { revision: number });
        }
        let failed = usize::try_from(number).ok().and_then(|number| batch.checks.get(number.checked_sub(1)?));
        let key = failed.map_or(any, |check| check.key().clone());
        Ok(Applied::Refused(key))
    }

    async fn lease(&self, key: &Key, holder: &str, keep: Duration) -> Result<Leased, StoreError> {
        let mut call = LEASE.key(lease(key));
        call.arg(holder).arg(microseconds(keep));
        let token: Option<u64> = self.connection.ask(key, call).await?;
        Ok(token.map_or(Leased::Taken, |token| Leased::Held { token }))
    }

    async fn release(&self, key: &Key, holder: &str) -> Result<(), StoreError> {
        let mut call = RELEASE.key(lease(key));
        call.arg(holder);
        self.connection.ask(key, call).await
    }

    async fn reachable(&self) -> Result<(), StoreError> {
        self.connection.ask_server(command("PING")).await
    }

    async fn durability(&self) -> Result<Durability, StoreError> {
        let (Some(append), Some(memory)) =
            (self.configured("append*").await?, self.configured("maxmemory*").await?)
        else {
            let reason = "the server does not tell its configuration (CONFIG GET); \
                          see that it has appendonly yes, appendfsync always and maxmemory-policy noeviction";
            return Ok(Durability::Weak { reason: reason.into() });
        };
        let value = |settings: &[(String, String)], name: &str| {
            let found = settings.iter().find(|(setting, _)| setting == name);
            found.map_or_else(String::new, |(_, value)| value.clone())
        };
        let mut weak = Vec::new();
        if value(&append, "appendonly") != "yes" {
            weak.push(
                "set appendonly yes: without it a crash loses everything since the last snapshot".into(),
            );
        } else if value(&append, "appendfsync") != "always" {
            let found = value(&append, "appendfsync");
            weak.push(format!("set appendfsync always: with {found} a crash loses what came last"));
        }
        if value(&memory, "maxmemory") != "0" && value(&memory, "maxmemory-policy") != "noeviction" {
            let found = value(&memory, "maxmemory-policy");
            weak.push(format!("set maxmemory-policy noeviction: with {found} a full server forgets links"));
        }
        Ok(if weak.is_empty() { Durability::Durable } else { Durability::Weak { reason: weak.join("; ") } })
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
    let corrupt = |what: &str| StoreError::Corrupt { key: key.clone(), what: what.to_owned() };
    match (revision, value) {
        (None, None) => Ok(None),
        (Some(revision), Some(value)) => {
            let revision = revision.parse().map_err(|_| corrupt("its revision is no number"))?;
            Ok(Some(Entry { revision, value }))
        }
        (Some(_), None) => Err(corrupt("it has a revision and no value")),
        (None, Some(_)) => Err(corrupt("it has a value and no revision")),
    }
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

fn add_check(call: &mut ::redis::ScriptInvocation<'_>, check: &Check) {
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

fn add_change(call: &mut ::redis::ScriptInvocation<'_>, change: &Change) {
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
