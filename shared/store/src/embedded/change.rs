//! Batches and leases.

use std::collections::BTreeSet;
use std::time::Duration;

use redb::{ReadableMultimapTable, ReadableTable};

use super::tables::{FOR_GOOD, Tables};
use crate::{Applied, Batch, Change, Check, Key, Leased};

/// How many expired entries one commit removes at most.
const SWEEP: usize = 64;

/// Applies a batch of this scope.
pub(super) fn apply(
    tables: &mut Tables<'_>,
    now: i64,
    scope: &str,
    batch: &Batch,
) -> Result<Applied, redb::Error> {
    for check in &batch.checks {
        if !tables.holds(now, check)? {
            return Ok(Applied::Refused(check.key().clone()));
        }
    }
    // Never a revision twice, not even after the file was replaced by an empty one: at least the time.
    let newest = tables.revisions.get(scope)?.map_or(0, |revision| revision.value());
    let revision = (newest + 1).max(now.cast_unsigned());
    tables.revisions.insert(scope, revision)?;
    for change in &batch.changes {
        tables.change(now, revision, change)?;
    }
    tables.sweep(now)?;
    tables.changed = true;
    Ok(Applied::Done { revision })
}

/// Takes or renews a lease.
pub(super) fn lease(
    tables: &mut Tables<'_>,
    now: i64,
    key: &Key,
    holder: &str,
    keep: Duration,
) -> Result<Leased, redb::Error> {
    let stored = tables.leases.get(key.as_str())?.map(|lease| {
        let (holder, token, until) = lease.value();
        (holder.to_owned(), token, until)
    });
    let token = match stored {
        Some((by, token, until)) if until > now => {
            if by != holder {
                return Ok(Leased::Taken);
            }
            token
        }
        Some((_, token, _)) => (token + 1).max(now.cast_unsigned()),
        None => now.cast_unsigned().max(1),
    };
    tables.leases.insert(key.as_str(), (holder, token, after(now, keep)))?;
    tables.changed = true;
    Ok(Leased::Held { token })
}

/// Ends a lease that this holder has. Its token stays, so that the next one is higher.
pub(super) fn release(tables: &mut Tables<'_>, key: &Key, holder: &str) -> Result<(), redb::Error> {
    let stored = tables.leases.get(key.as_str())?.map(|lease| {
        let (by, token, _) = lease.value();
        (by == holder, token)
    });
    if let Some((true, token)) = stored {
        tables.leases.insert(key.as_str(), (holder, token, i64::MIN))?;
        tables.changed = true;
    }
    Ok(())
}

fn after(now: i64, keep: Duration) -> i64 {
    now.saturating_add(i64::try_from(keep.as_micros()).unwrap_or(i64::MAX))
}

impl Tables<'_> {
    fn holds(&self, now: i64, check: &Check) -> Result<bool, redb::Error> {
        Ok(match check {
            Check::Absent(key) => self.revision(now, key)?.is_none(),
            Check::Revision(key, revision) => self.revision(now, key)? == Some(*revision),
            Check::Members(key, expected) => {
                let mut found = BTreeSet::new();
                for member in self.sets.get(key.as_str())? {
                    found.insert(member?.value().to_owned());
                }
                found == *expected
            }
            Check::Lease { key, token } => self.leases.get(key.as_str())?.is_some_and(|lease| {
                let (_, held, until) = lease.value();
                held == *token && until > now
            }),
        })
    }

    fn revision(&self, now: i64, key: &Key) -> Result<Option<u64>, redb::Error> {
        Ok(self.entries.get(key.as_str())?.and_then(|entry| {
            let (revision, until, _) = entry.value();
            (until == FOR_GOOD || until > now).then_some(revision)
        }))
    }

    fn change(&mut self, now: i64, revision: u64, change: &Change) -> Result<(), redb::Error> {
        match change {
            Change::Set { key, value } => self.set(key, revision, FOR_GOOD, value),
            Change::SetFor { key, value, keep } => self.set(key, revision, after(now, *keep), value),
            Change::Delete(key) => self.delete(key),
            Change::Add { key, member } => {
                self.sets.insert(key.as_str(), member.as_str())?;
                Ok(())
            }
            Change::Remove { key, member } => {
                self.sets.remove(key.as_str(), member.as_str())?;
                Ok(())
            }
            Change::Schedule { key, member, at } => {
                let (key, member, at) = (key.as_str(), member.as_str(), at.as_microsecond());
                let before = self.scheduled.insert((key, member), at)?.map(|at| at.value());
                if let Some(before) = before {
                    self.schedules.remove((key, before, member))?;
                }
                self.schedules.insert((key, at, member), ())?;
                Ok(())
            }
            Change::Unschedule { key, member } => {
                let (key, member) = (key.as_str(), member.as_str());
                let before = self.scheduled.remove((key, member))?.map(|at| at.value());
                if let Some(before) = before {
                    self.schedules.remove((key, before, member))?;
                }
                Ok(())
            }
            Change::Append { key, value, keep } => self.append(key.as_str(), value, *keep),
        }
    }

    fn set(&mut self, key: &Key, revision: u64, until: i64, value: &str) -> Result<(), redb::Error> {
        let key = key.as_str();
        let before = self.entries.insert(key, (revision, until, value))?.map(|entry| entry.value().1);
        if let Some(before) = before
            && before != FOR_GOOD
        {
            self.expiries.remove((before, key))?;
        }
        if until != FOR_GOOD {
            self.expiries.insert((until, key), ())?;
        }
        Ok(())
    }

    fn delete(&mut self, key: &Key) -> Result<(), redb::Error> {
        let key = key.as_str();
        let until = self.entries.remove(key)?.map(|entry| entry.value().1);
        if let Some(until) = until
            && until != FOR_GOOD
        {
            self.expiries.remove((until, key))?;
        }
        drop(self.sets.remove_all(key)?);
        self.lists.retain_in((key, 0)..=(key, u64::MAX), |_, _| false)?;
        let mut members = Vec::new();
        for found in self.schedules.range((key, i64::MIN, "")..(key, i64::MAX, ""))? {
            members.push(found?.0.value().2.to_owned());
        }
        for member in &members {
            self.scheduled.remove((key, member.as_str()))?;
        }
        self.schedules.retain_in((key, i64::MIN, "")..(key, i64::MAX, ""), |_, ()| false)?;
        Ok(())
    }

    fn append(&mut self, key: &str, value: &str, keep: usize) -> Result<(), redb::Error> {
        let newest = match self.lists.range((key, 0)..=(key, u64::MAX))?.next_back() {
            Some(found) => found?.0.value().1,
            None => 0,
        };
        let number = newest + 1;
        self.lists.insert((key, number), value)?;
        // Numbers are consecutive, so the newest `keep` are those above this one.
        let dropped = number.saturating_sub(u64::try_from(keep).unwrap_or(u64::MAX));
        self.lists.retain_in((key, 0)..=(key, dropped), |_, _| false)?;
        Ok(())
    }

    /// Removes entries that have expired.
    fn sweep(&mut self, now: i64) -> Result<(), redb::Error> {
        let mut expired = Vec::new();
        for found in self.expiries.range((i64::MIN, "")..(now.saturating_add(1), ""))?.take(SWEEP) {
            let found = found?.0;
            let (until, key) = found.value();
            expired.push((until, key.to_owned()));
        }
        for (until, key) in &expired {
            self.expiries.remove((*until, key.as_str()))?;
            self.entries.remove(key.as_str())?;
        }
        Ok(())
    }
}
