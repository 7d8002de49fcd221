//! The budget of one connection, as plain data: what was used of each limit, and what the answers told.
//!
//! Nothing here reads a clock, waits or calls anybody. All replicas keep one ledger ([`crate::quota`]) and ask it before
//! each call ([`Ledger::take`]) whether the call may be made; what becomes of the call is told to it.
//!
//! In what order the calls are used is one rule for the minute and for the day ([`windows`]): a class leaves so much of
//! what is left of a limit to the others, in proportion to what is left of the window; and a little is its own, however
//! much the others use. So edits find calls at any time, nobody starves, and nothing is left when the window ends.

mod endpoint;
mod windows;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use telemetry::QuotaWindow;

use self::endpoint::{Endpoint, Opens};
use self::windows::{BEHIND, Share, Terms, Windows};
use crate::Limits;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;
/// How far the clocks of replicas may be apart: so far the ledger's time does not go back.
const REPLICAS_APART_MAX: i64 = 5 * SECOND;
/// How often a day that was used up is looked at again: the contract may have grown.
const DAY_LOOK_EVERY: i64 = 15 * MINUTE;
/// How long the token endpoint is left alone after a failure that time heals; twice as long after each further one.
const TOKEN_REST: i64 = 10 * SECOND;
/// And the longest, which is how often a token must be refreshed: a fact of this API.
const TOKEN_REST_MAX: i64 = 10 * MINUTE;
/// How many refreshes a day needs, one every ten minutes.
const REFRESHES_PER_DAY: u32 = 144;
/// Of a limit, one in so many calls is kept for the more urgent to the very end of the window.
const KEPT_LAST: u32 = 60;

/// What a call is for. The less urgent, the more of the limits it leaves to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Writing what a person edited: may use everything, but for a tenth that the others have while they have work.
    Edit,
    /// Incremental reads.
    Read,
    /// First loads and mass repairs: most of a day is left to what may come in the rest of it.
    Backfill,
    /// Full scans.
    Scan,
}

impl Priority {
    /// In spans and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Read => "read",
            Self::Backfill => "backfill",
            Self::Scan => "scan",
        }
    }

    fn share(self, limit: u32, day: bool) -> Share {
        // An idle day of polling takes up to three fifths of the calls, so backfill leaves more than that.
        let (leaves, own) = match (self, day) {
            (Self::Edit, _) => (10, 0),
            (Self::Read, false) => (15, 60),
            (Self::Read, true) => (20, 60),
            (Self::Backfill, false) => (30, 30),
            (Self::Backfill, true) => (75, 30),
            (Self::Scan, false) => (40, 10),
            (Self::Scan, true) => (85, 10),
        };
        let leaves_last = if self == Self::Edit { 0 } else { limit / KEPT_LAST };
        // So that the more urgent may want more of each minute, and get it.
        let follows = if day { 0 } else { 200 };
        Share { leaves, follows, leaves_last, own }
    }
}

/// Whether a call counts for the day. A fact of this API: calls without a division in their address do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    MinuteAndDay,
    Minute,
}

/// A call that may be made; what becomes of it is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the call counts as under way until the ledger is told what became of it"]
pub(crate) struct Granted {
    pub(crate) endpoint: String,
    /// On the ledger's clock, in milliseconds since 1970.
    at: i64,
}

/// Whether a call may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    Granted(Granted),
    /// Not before this moment, for this reason; nothing was counted.
    Wait {
        until: Timestamp,
        why: Why,
    },
}

/// Why a call has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// What is left of the minute or the day is used up, or kept for the others.
    Used,
    /// The endpoint rests, because of its errors.
    EndpointRests,
    /// So many calls of the endpoint are under way that it would be blocked if they all failed.
    EndpointCrowded,
}

/// What an answer tells about the limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) minute: ToldOf,
    pub(crate) day: ToldOf,
}

/// What an answer tells about one limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ToldOf {
    /// How many calls a window has.
    pub(crate) limit: Option<u32>,
    pub(crate) remaining: Option<u32>,
    /// When the window ends, on Exact's clock.
    pub(crate) reset: Option<Timestamp>,
}

impl ToldOf {
    const fn is_any(self) -> bool {
        self.remaining.is_some() || self.reset.is_some()
    }
}

impl Told {
    /// Whether it tells anything.
    pub(crate) const fn is_any(self) -> bool {
        self.minute.is_any() || self.day.is_any()
    }
}

/// What is left of a limit in the window of this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) calls: u32,
    /// How long the window still lasts.
    pub(crate) ends_in: Duration,
}

/// What was used of each limit, and what rests. The default has used nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ledger {
    /// The newest moment it knows of, in milliseconds since 1970.
    latest: i64,
    minutes: Windows,
    days: Windows,
    /// By the path behind the division, in small letters.
    endpoints: BTreeMap<String, Endpoint>,
    token_days: Windows,
    /// Limits that answers told last, where they are below the configured ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    minute_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day_limit: Option<u32>,
    #[serde(skip_serializing_if = "is_calm")]
    token_trouble: TokenTrouble,
}

/// The failures of the token endpoint since its last success.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct TokenTrouble {
    failures: u32,
    until: i64,
}

impl Ledger {
    /// Asks for a call of an endpoint. If it is granted it is counted.
    pub(crate) fn take(
        &mut self,
        limits: &Limits,
        now: Timestamp,
        class: Priority,
        counted: Counted,
        endpoint: &str,
    ) -> Taken {
        let mut settled = self.settled(now);
        let at = settled.latest;
        let wait = |until: i64, why| Taken::Wait { until: moment(until), why };
        match settled.endpoints.get(endpoint).map(|endpoint| endpoint.opens(limits.errors_per_hour, at)) {
            None | Some(Opens::Now) => {}
            Some(Opens::Rests(until)) => return wait(until, Why::EndpointRests),
            Some(Opens::Crowded(until)) => return wait(until, Why::EndpointCrowded),
        }
        let (minute, day) = (settled.minute(limits, class), settled.day(limits, class));
        let mut until = settled.minutes.opens(minute, class as usize, at);
        if counted == Counted::MinuteAndDay {
            until = until.max(settled.days.opens(day, class as usize, at));
        }
        if until > at {
            return wait(until, Why::Used);
        }
        settled.minutes.add(MINUTE, class as usize, at);
        if counted == Counted::MinuteAndDay {
            settled.days.add(DAY, class as usize, at);
        }
        settled.endpoints.entry(endpoint.to_owned()).or_default().granted(at);
        *self = settled;
        Taken::Granted(Granted { endpoint: endpoint.to_owned(), at })
    }

    /// A call is no longer under way, and nothing else is known of it.
    pub(crate) fn came_back(&mut self, call: &Granted) {
        if let Some(endpoint) = self.endpoints.get_mut(&call.endpoint) {
            endpoint.came_back(call.at);
            if endpoint.is_idle() {
                self.endpoints.remove(&call.endpoint);
            }
        }
    }

    /// A call was answered, and no error that Exact counts: takes over what the answer tells is left.
    pub(crate) fn told(&mut self, limits: &Limits, call: &Granted, told: &Told) {
        self.came_back(call);
        if let Some(endpoint) = self.endpoints.get_mut(&call.endpoint) {
            endpoint.answered();
        }
        self.take_over(limits, call, told);
    }

    /// A call was answered with an error that Exact counts.
    pub(crate) fn failed(&mut self, limits: &Limits, call: &Granted, told: &Told, now: Timestamp) {
        self.settle(now);
        self.came_back(call);
        self.endpoints.entry(call.endpoint.clone()).or_default().failed(self.latest);
        self.take_over(limits, call, told);
    }

    /// A call was one too many; gives when it is worth asking again. Which limit it was is told by which headers came:
    /// only those of the exceeded one do, and when none comes it is the minute's.
    pub(crate) fn exceeded(&mut self, call: &Granted, told: &Told, now: Timestamp) -> Timestamp {
        self.settle(now);
        self.came_back(call);
        let at = self.latest;
        if !told.is_any() {
            let endpoint = self.endpoints.entry(call.endpoint.clone()).or_default();
            endpoint.refused_unexplained(at);
        }
        let is_day = told.day.is_any() && (!told.minute.is_any() || told.day.remaining == Some(0));
        let (windows, reset, length, look_every) = if is_day {
            (&mut self.days, told.day.reset, DAY, DAY_LOOK_EVERY)
        } else {
            (&mut self.minutes, told.minute.reset, MINUTE, i64::MAX)
        };
        let end = (at.div_euclid(length) + 1) * length;
        let reset = reset.map(Timestamp::as_millisecond);
        let reset = reset.filter(|reset| *reset > at && *reset <= at + 2 * length).unwrap_or(end);
        // At that moment on Exact's clock, which may be behind.
        let until = reset + BEHIND;
        windows.rest(at, until, look_every);
        moment(until.min(at.saturating_add(look_every)))
    }

    /// A call was refused because its endpoint is blocked; gives until when it rests.
    pub(crate) fn blocked(&mut self, call: &Granted, now: Timestamp) -> Timestamp {
        self.settle(now);
        self.came_back(call);
        moment(self.endpoints.entry(call.endpoint.clone()).or_default().blocked(self.latest))
    }

    /// Whether others must hear at once that a call came back, because its endpoint is in trouble or takes not many more.
    pub(crate) fn is_waited_for(&self, limits: &Limits, call: &Granted) -> bool {
        let endpoint = self.endpoints.get(&call.endpoint);
        endpoint.is_some_and(|endpoint| endpoint.is_waited_for(limits.errors_per_hour))
    }

    /// Asks for a call of the token endpoint. `Err` is when it is worth asking again.
    ///
    /// After failures enough calls are kept for the refreshes of the rest of the day.
    pub(crate) fn take_token_call(&mut self, limits: &Limits, now: Timestamp) -> Result<(), Timestamp> {
        let mut settled = self.settled(now);
        let (at, limit) = (settled.latest, limits.token_calls_per_day);
        let needed = REFRESHES_PER_DAY.saturating_mul(100).div_ceil(limit.max(1)).min(95);
        let share = Share { leaves: needed, follows: 0, leaves_last: 0, own: 0 };
        let opens = settled.token_days.opens(Terms { length: DAY, limit, share }, 0, at);
        let until = opens.max(settled.token_trouble.until.min(at + TOKEN_REST_MAX));
        if until > at {
            return Err(moment(until));
        }
        settled.token_days.add(DAY, 0, at);
        *self = settled;
        Ok(())
    }

    /// Counts a call of the token endpoint that is made in any case.
    pub(crate) fn count_token_call(&mut self, now: Timestamp) {
        self.settle(now);
        self.token_days.add(DAY, 0, self.latest);
    }

    /// A call of the token endpoint failed in a way that time heals: it rests, so that those who wait do not use it up.
    pub(crate) fn token_call_failed(&mut self, now: Timestamp) {
        self.settle(now);
        let rest = TOKEN_REST.saturating_mul(1 << self.token_trouble.failures.min(10)).min(TOKEN_REST_MAX);
        self.token_trouble = TokenTrouble {
            failures: self.token_trouble.failures.saturating_add(1),
            until: self.latest + rest,
        };
    }

    /// A call of the token endpoint succeeded.
    pub(crate) fn token_call_succeeded(&mut self) {
        self.token_trouble = TokenTrouble::default();
    }

    /// What is left of each limit.
    pub(crate) fn left(&self, limits: &Limits, now: Timestamp) -> [(QuotaWindow, Left); 3] {
        let at = now.as_millisecond();
        let left = |windows: &Windows, length: i64, limit| Left {
            calls: windows.left(length, limit, at),
            ends_in: Duration::from_millis((length - at.rem_euclid(length)).unsigned_abs()),
        };
        [
            (QuotaWindow::Minute, left(&self.minutes, MINUTE, lower(limits.per_minute, self.minute_limit))),
            (QuotaWindow::Day, left(&self.days, DAY, lower(limits.per_day, self.day_limit))),
            (QuotaWindow::TokenDay, left(&self.token_days, DAY, limits.token_calls_per_day)),
        ]
    }

    fn take_over(&mut self, limits: &Limits, call: &Granted, told: &Told) {
        let under_way: usize = self.endpoints.values().map(Endpoint::under_way).sum();
        let under_way = u32::try_from(under_way).unwrap_or(u32::MAX);
        let all = [
            (&mut self.minutes, &mut self.minute_limit, MINUTE, limits.per_minute, told.minute),
            (&mut self.days, &mut self.day_limit, DAY, limits.per_day, told.day),
        ];
        for (windows, kept, length, configured, told) in all {
            // Nobody may do anything within a limit of nothing: it tells of something else.
            if let Some(limit) = told.limit.filter(|limit| *limit > 0) {
                *kept = (limit < configured).then_some(limit);
            }
            let limit = lower(configured, *kept);
            if let (Some(remaining), Some(reset)) = (told.remaining, told.reset) {
                windows.told(length, limit, remaining, reset.as_millisecond(), under_way);
                windows.passed(call.at);
            }
        }
    }

    fn minute(&self, limits: &Limits, class: Priority) -> Terms {
        let limit = lower(limits.per_minute, self.minute_limit);
        Terms { length: MINUTE, limit, share: class.share(limit, false) }
    }

    fn day(&self, limits: &Limits, class: Priority) -> Terms {
        let limit = lower(limits.per_day, self.day_limit);
        Terms { length: DAY, limit, share: class.share(limit, true) }
    }

    fn settled(&self, now: Timestamp) -> Self {
        let mut settled = self.clone();
        settled.settle(now);
        settled
    }

    /// Goes on to this moment and forgets what is over by then.
    fn settle(&mut self, now: Timestamp) {
        let now = now.as_millisecond();
        // One replica's clock is a little behind that of another.
        let is_behind = now < self.latest && self.latest - now <= REPLICAS_APART_MAX;
        self.latest = if is_behind { self.latest } else { now };
        self.minutes.settle(MINUTE, self.latest);
        self.days.settle(DAY, self.latest);
        self.token_days.settle(DAY, self.latest);
        for endpoint in self.endpoints.values_mut() {
            endpoint.settle(self.latest);
        }
        self.endpoints.retain(|_, endpoint| !endpoint.is_idle());
    }
}

/// The configured limit, or the one that Exact tells where that is lower.
fn lower(configured: u32, told: Option<u32>) -> u32 {
    told.map_or(configured, |told| told.min(configured))
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}

fn is_calm(trouble: &TokenTrouble) -> bool {
    *trouble == TokenTrouble::default()
}
