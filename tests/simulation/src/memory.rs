//! A store in memory that keeps the promises of its port and nothing else: what the embedded store does takes most of a
//! simulation's time.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ::store::{Applied, Batch, Change, Check, Durability, Entry, Key, Leased, Store, StoreError};
use ambient::{Process, run_as};
use jiff::Timestamp;

/// A store in memory. Clones share it. Its clock is that of a server of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// With the moment, in microseconds, at which each becomes absent by itself.
    entries: BTreeMap<Key, (Entry, Option<i64>)>,
    sets: BTreeMap<Key, BTreeSet<String>>,
    schedules: BTreeMap<Key, BTreeMap<String, i64>>,
    lists: BTreeMap<Key, VecDeque<String>>,
    leases: BTreeMap<Key, Lease>,
    /// The highest revision, or token, that was given.
    given: u64,
}

#[derive(Debug)]
struct Lease {
    holder: String,
    token: u64,
    until: i64,
}

/// What the clock of the server shows, whichever process asks.
async fn moment() -> i64 {
    run_as(Process::default(), async { ambient::now().as_microsecond() }).await
}

fn after(now: i64, keep: Duration) -> i64 {
    now.saturating_add(i64::try_from(keep.as_micros()).unwrap_or(i64::MAX))
}

impl Memory {
    /// Loses everything but what it has given.
    pub(crate) fn flush(&self) {
        let given = self.state().given;
        *self.state() = State { given, ..State::default() };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    /// A number that was never given: the moment, or one more than the last.
    fn give(&mut self, now: i64) -> u64 {
        self.given = (self.given + 1).max(now.unsigned_abs());
        self.given
    }

    fn entry(&self, key: &Key, now: i64) -> Option<&Entry> {
        let (entry, until) = self.entries.get(key)?;
        until.is_none_or(|until| until > now).then_some(entry)
    }

    fn holds(&self, check: &Check, now: i64) -> bool {
        match check {
            Check::Absent(key) => self.entry(key, now).is_none(),
            Check::Revision(key, revision) => {
                self.entry(key, now).is_some_and(|entry| entry.revision == *revision)
            }
            Check::Members(key, expected) => match self.sets.get(key) {
                Some(members) => members == expected,
                None => expected.is_empty(),
            },
            Check::Lease { key, token } => {
                self.leases.get(key).is_some_and(|lease| lease.token == *token && lease.until > now)
            }
        }
    }

    fn change(&mut self, change: Change, revision: u64, now: i64) {
        match change {
            Change::Set { key, value } => {
                self.entries.insert(key, (Entry { revision, value }, None));
            }
            Change::SetFor { key, value, keep } => {
                self.entries.insert(key, (Entry { revision, value }, Some(after(now, keep))));
            }
            Change::Delete(key) => {
                self.entries.remove(&key);
                self.sets.remove(&key);
                self.schedules.remove(&key);
                self.lists.remove(&key);
            }
            Change::Add { key, member } => {
                self.sets.entry(key).or_default().insert(member);
            }
            Change::Remove { key, member } => {
                self.sets.entry(key).or_default().remove(&member);
            }
            Change::Schedule { key, member, at } => {
                self.schedules.entry(key).or_default().insert(member, at.as_microsecond());
            }
            Change::Unschedule { key, member } => {
                self.schedules.entry(key).or_default().remove(&member);
            }
            Change::Append { key, value, keep } => {
                let list = self.lists.entry(key).or_default();
                list.push_front(value);
                list.truncate(keep);
            }
        }
    }
}

impl Store for Memory {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        let now = moment().await;
        Ok(self.state().entry(key, now).cloned())
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, StoreError> {
        let (now, state) = (moment().await, self.state());
        Ok(keys.iter().map(|key| state.entry(key, now).cloned()).collect())
    }

    async fn members(&self, key: &Key) -> Result<BTreeSet<String>, StoreError> {
        Ok(self.state().sets.get(key).cloned().unwrap_or_default())
    }

    async fn count(&self, key: &Key) -> Result<u64, StoreError> {
        Ok(self.state().sets.get(key).map_or(0, |members| u64::try_from(members.len()).unwrap()))
    }

    async fn due(&self, key: &Key, until: Timestamp, limit: usize) -> Result<Vec<String>, StoreError> {
        let state = self.state();
        let members = state.schedules.get(key).into_iter().flatten();
        let mut due: Vec<(i64, &String)> = members
            .filter(|(_, at)| **at <= until.as_microsecond())
            .map(|(member, at)| (*at, member))
            .collect();
        due.sort_unstable();
        Ok(due.into_iter().take(limit).map(|(_, member)| member.clone()).collect())
    }

    async fn list(&self, key: &Key, newest: usize) -> Result<Vec<String>, StoreError> {
        Ok(self.state().lists.get(key).into_iter().flatten().take(newest).cloned().collect())
    }

    async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        if batch.checks.is_empty() && batch.changes.is_empty() {
            return Ok(Applied::Done { revision: 0 });
        }
        let (now, mut state) = (moment().await, self.state());
        if let Some(check) = batch.checks.iter().find(|check| !state.holds(check, now)) {
            return Ok(Applied::Refused(check.key().clone()));
        }
        let revision = state.give(now);
        for change in batch.changes {
            state.change(change, revision, now);
        }
        Ok(Applied::Done { revision })
    }

    async fn lease(&self, key: &Key, holder: &str, keep: Duration) -> Result<Leased, StoreError> {
        let (now, mut state) = (moment().await, self.state());
        let token = match state.leases.get(key) {
            Some(lease) if lease.until > now && lease.holder != holder => return Ok(Leased::Taken),
            Some(lease) if lease.until > now => lease.token,
            _ => state.give(now),
        };
        state.leases.insert(key.clone(), Lease { holder: holder.to_owned(), token, until: after(now, keep) });
        Ok(Leased::Held { token })
    }

    async fn release(&self, key: &Key, holder: &str) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(lease) = state.leases.get_mut(key).filter(|lease| lease.holder == holder) {
            lease.until = i64::MIN;
        }
        Ok(())
    }

    async fn reachable(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn durability(&self) -> Result<Durability, StoreError> {
        Ok(Durability::Durable)
    }
}
