//! The calls of the minute and the day: one budget for all replicas, corrected by what the answers tell.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use store::{Key, Spent, Store, StoreError, Window};
use tokio::time::{Instant, sleep};

use crate::{Error, Settings, settings::Clock};

#[cfg(test)]
mod tests;

const MINUTE_SECONDS: u32 = 60;
const DAY_SECONDS: u32 = 86_400;
/// How long a used-up limit rests when its end is not told, or told as past.
const REST_UNTOLD: SignedDuration = SignedDuration::from_mins(10);

/// What a call is for. The less urgent, the more of the limit it leaves to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Writing what a person edited: may use everything.
    Edit,
    /// Incremental reads: leave a twentieth of the minute's calls.
    Read,
    /// First loads and mass repairs: leave a fifth.
    Backfill,
    /// Full scans: leave three tenths.
    Scan,
}

impl Priority {
    /// The calls that are left of a limit; at least one to those who are more urgent.
    fn leave(self, limit: u32) -> u32 {
        let percent = match self {
            Self::Edit => return 0,
            Self::Read => 5,
            Self::Backfill => 20,
            Self::Scan => 30,
        };
        (limit.saturating_mul(percent) / 100).max(1)
    }
}

/// Whether a call counts for the day. A fact of this API: calls without a division in their address do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    MinuteAndDay,
    Minute,
}

/// The budget of one connection.
#[derive(Clone)]
pub(crate) struct Quota<S> {
    store: S,
    key: Key,
    minute: Window,
    day: Window,
    wait_max: Duration,
    clock: Clock,
}

impl<S: Store> Quota<S> {
    pub(crate) fn new(settings: &Settings, store: S, clock: Clock) -> Self {
        Self {
            store,
            key: Key::of(&settings.namespace, settings.connection.as_str(), &["exactonline", "calls"]),
            minute: Window { seconds: MINUTE_SECONDS, limit: settings.limits.per_minute },
            day: Window { seconds: DAY_SECONDS, limit: settings.limits.per_day },
            wait_max: settings.wait_max,
            clock,
        }
    }

    /// Takes one call, waiting a little for it if need be.
    pub(crate) async fn take(&self, priority: Priority, counted: Counted) -> Result<(), Error> {
        let leave = priority.leave(self.minute.limit);
        let both = [self.minute, self.day];
        let windows = match counted {
            Counted::MinuteAndDay => &both[..],
            Counted::Minute => &both[..1],
        };
        let until = Instant::now() + self.wait_max;
        loop {
            match self.store.spend(&self.key, windows, leave).await.map_err(Error::Store)? {
                Spent::Granted => return Ok(()),
                Spent::Wait(after) if Instant::now() + after > until => {
                    return Err(Error::QuotaSpent { after });
                }
                Spent::Wait(after) => sleep(after).await,
            }
        }
    }

    /// Takes over what an answer tells is left.
    pub(crate) async fn correct(&self, headers: &HeaderMap) -> Result<(), StoreError> {
        let now = (self.clock)();
        for (window, told) in [(self.minute, Told::minute(headers)), (self.day, Told::day(headers))] {
            // What is told about another window than ours is of no use: the answer came late, or a clock is wrong.
            if let Some(remaining) = told.remaining
                && told.reset == Some(end_of(window, now))
            {
                self.store.correct(&self.key, window, remaining).await?;
            }
        }
        Ok(())
    }

    /// Takes over that a call was one too many; gives how long to wait. Which limit it was is told by which headers
    /// came: only those of the exceeded one do, and when none comes it is the minute's.
    pub(crate) async fn exhaust(&self, headers: &HeaderMap) -> Result<Duration, StoreError> {
        let now = (self.clock)();
        let (minute, day) = (Told::minute(headers), Told::day(headers));
        let is_day = day.reset.is_some() && (minute.reset.is_none() || day.remaining == Some(0));
        let (window, told) = if is_day { (self.day, day) } else { (self.minute, minute) };
        let latest = later(now, SignedDuration::from_secs(2 * i64::from(window.seconds)));
        let until = match told.reset {
            Some(reset) if reset > now && reset <= latest => reset,
            _ if is_day => later(now, REST_UNTOLD),
            _ => end_of(window, now),
        };
        self.store.exhaust(&self.key, window, until).await?;
        Ok(Duration::try_from(until.duration_since(now)).unwrap_or_default().max(Duration::from_millis(100)))
    }
}

/// What an answer tells about one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    remaining: Option<u32>,
    /// When the window ends, in milliseconds since 1970: a fact of these headers.
    reset: Option<Timestamp>,
}

impl Told {
    fn minute(headers: &HeaderMap) -> Self {
        Self::of(headers, "x-ratelimit-minutely-remaining", "x-ratelimit-minutely-reset")
    }

    fn day(headers: &HeaderMap) -> Self {
        Self::of(headers, "x-ratelimit-remaining", "x-ratelimit-reset")
    }

    fn of(headers: &HeaderMap, remaining: &str, reset: &str) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        // Less than nothing is nothing.
        let remaining = header(remaining).and_then(|text| text.parse::<i64>().ok());
        Self {
            remaining: remaining.map(|left| u32::try_from(left.max(0)).unwrap_or(u32::MAX)),
            reset: header(reset).and_then(|text| Timestamp::from_millisecond(text.parse().ok()?).ok()),
        }
    }
}

/// The end of the window that this moment is in: windows are aligned to the clock.
fn end_of(window: Window, now: Timestamp) -> Timestamp {
    let length = i64::from(window.seconds.max(1));
    let end = (now.as_second().div_euclid(length) + 1).saturating_mul(length);
    Timestamp::from_second(end).unwrap_or(Timestamp::MAX)
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
