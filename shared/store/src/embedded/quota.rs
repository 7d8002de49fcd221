//! Quota budgets.

use std::time::Duration;

use redb::ReadableTable;

use super::tables::Tables;
use crate::{Key, Spent, Window};

const SECOND: i64 = 1_000_000;

/// A window as it is now.
struct Current {
    /// In seconds.
    start: i64,
    used: u32,
    /// In microseconds; nothing is granted before.
    rest: i64,
}

impl Current {
    fn of(tables: &Tables<'_>, now: i64, key: &Key, window: Window) -> Result<Self, redb::Error> {
        let second = now.div_euclid(SECOND);
        let start = second - second.rem_euclid(i64::from(window.length()));
        let stored = tables.budgets.get((key.as_str(), window.length()))?.map(|stored| stored.value());
        Ok(match stored {
            Some((from, used, rest)) if from == start => Self { start, used, rest },
            Some((_, _, rest)) => Self { start, used: 0, rest },
            None => Self { start, used: 0, rest: i64::MIN },
        })
    }

    fn keep(&self, tables: &mut Tables<'_>, key: &Key, window: Window) -> Result<(), redb::Error> {
        tables.budgets.insert((key.as_str(), window.length()), (self.start, self.used, self.rest))?;
        tables.changed = true;
        Ok(())
    }
}

/// Asks for one call.
pub(super) fn spend(
    tables: &mut Tables<'_>,
    now: i64,
    key: &Key,
    windows: &[Window],
    leave: u32,
) -> Result<Spent, redb::Error> {
    let mut ready = now;
    let mut counted = Vec::with_capacity(windows.len());
    for window in windows {
        let mut current = Current::of(tables, now, key, *window)?;
        ready = ready.max(current.rest);
        if current.used >= window.limit.saturating_sub(leave) {
            ready = ready.max((current.start + i64::from(window.length())) * SECOND);
        }
        current.used = current.used.saturating_add(1);
        counted.push((*window, current));
    }
    if let Ok(wait @ 1..) = u64::try_from(ready.saturating_sub(now)) {
        return Ok(Spent::Wait(Duration::from_micros(wait)));
    }
    for (window, current) in counted {
        current.keep(tables, key, window)?;
    }
    Ok(Spent::Granted)
}

/// Takes over what the remote said is left.
pub(super) fn correct(
    tables: &mut Tables<'_>,
    now: i64,
    key: &Key,
    window: Window,
    remaining: u32,
) -> Result<(), redb::Error> {
    let mut current = Current::of(tables, now, key, window)?;
    let used = window.limit.saturating_sub(remaining);
    if used > current.used {
        current.used = used;
        current.keep(tables, key, window)?;
    }
    Ok(())
}

/// Grants nothing in this window before `until`.
pub(super) fn exhaust(
    tables: &mut Tables<'_>,
    now: i64,
    key: &Key,
    window: Window,
    until: i64,
) -> Result<(), redb::Error> {
    let mut current = Current::of(tables, now, key, window)?;
    if until > current.rest {
        current.rest = until;
        current.keep(tables, key, window)?;
    }
    Ok(())
}
