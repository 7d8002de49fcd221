//! The limits on calls, errors and token calls. Times are milliseconds since 1970, UTC.

use std::collections::HashMap;

use uuid::Uuid;

use crate::settings::{Limits, Switches};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Headers that tell how much is left.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// How many calls fell into a window that began at a whole minute or day.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    number: i64,
    count: u32,
}

impl Window {
    fn count_in(self, number: i64) -> u32 {
        if self.number == number { self.count } else { 0 }
    }

    fn add(&mut self, number: i64) {
        *self = Self { number, count: self.count_in(number) + 1 };
    }
}

#[derive(Debug, Default)]
struct Errors {
    at: Vec<i64>,
    blocked_until: i64,
    blocks: u32,
}

/// For whom and where errors are counted.
type Place = (Uuid, i32, String);

/// What was used of each limit.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    minutes: HashMap<i32, Window>,
    days: HashMap<i32, Window>,
    token_days: HashMap<Uuid, Window>,
    errors: HashMap<Place, Errors>,
}

impl Limiter {
    /// Counts a call of a division. `Err` is a refusal, which tells of the exceeded limit only.
    pub(crate) fn admit(&mut self, division: i32, now: i64, limits: &Limits) -> Result<Headers, Headers> {
        let (minute, day) = (now.div_euclid(MINUTE), now.div_euclid(DAY));
        let in_minute = self.minutes.entry(division).or_default();
        let in_day = self.days.entry(division).or_default();
        if in_day.count_in(day) >= limits.per_day {
            return Err(daily(limits.per_day, 0, day));
        }
        if in_minute.count_in(minute) >= limits.per_minute {
            return Err(minutely(limits.per_minute, 0, minute));
        }
        in_minute.add(minute);
        in_day.add(day);
        let mut headers = daily(limits.per_day, limits.per_day - in_day.count, day);
        headers.extend(minutely(limits.per_minute, limits.per_minute - in_minute.count, minute));
        Ok(headers)
    }

    /// The headers of a refusal for the minute limit.
    pub(crate) fn minute_refusal(now: i64, limits: &Limits) -> Headers {
        minutely(limits.per_minute, 0, now.div_euclid(MINUTE))
    }

    /// Counts a call of the token endpoint; false when the day's calls are used up.
    pub(crate) fn admit_token_call(&mut self, user: Uuid, now: i64, limits: &Limits) -> bool {
        let day = now.div_euclid(DAY);
        let window = self.token_days.entry(user).or_default();
        if window.count_in(day) >= limits.token_calls_per_day {
            return false;
        }
        window.add(day);
        true
    }

    /// Whether too many errors have blocked this place; whoever asks has called it.
    pub(crate) fn is_blocked(&mut self, place: &Place, now: i64, switches: &Switches) -> bool {
        let Some(errors) = self.errors.get_mut(place) else { return false };
        let is_blocked = now < errors.blocked_until;
        if is_blocked && switches.blocked_calls_prolong {
            errors.blocked_until = errors.blocked_until.max(now + HOUR);
        }
        is_blocked
    }

    /// Counts an answer, if it is one of the errors that count. The last allowed one blocks the place for an hour,
    /// longer each time that it happens again.
    pub(crate) fn note_status(
        &mut self,
        place: Place,
        status: u16,
        now: i64,
        limits: &Limits,
        switches: &Switches,
    ) {
        if !matches!(status, 400 | 401 | 403 | 404) {
            return;
        }
        let errors = self.errors.entry(place).or_default();
        if switches.errors_by_clock_hour {
            errors.at.retain(|at| at.div_euclid(HOUR) == now.div_euclid(HOUR));
        } else {
            errors.at.retain(|at| now - at < HOUR);
        }
        errors.at.push(now);
        if errors.at.len() >= limits.errors_per_hour as usize {
            errors.blocks += 1;
            errors.blocked_until = now + HOUR * i64::from(errors.blocks);
            errors.at.clear();
        }
    }
}

fn daily(limit: u32, remaining: u32, day: i64) -> Headers {
    vec![
        ("X-RateLimit-Limit", limit.to_string()),
        ("X-RateLimit-Remaining", remaining.to_string()),
        ("X-RateLimit-Reset", ((day + 1) * DAY).to_string()),
    ]
}

fn minutely(limit: u32, remaining: u32, minute: i64) -> Headers {
    vec![
        ("X-RateLimit-Minutely-Limit", limit.to_string()),
        ("X-RateLimit-Minutely-Remaining", remaining.to_string()),
        ("X-RateLimit-Minutely-Reset", ((minute + 1) * MINUTE).to_string()),
    ]
}
