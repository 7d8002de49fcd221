//! How many calls a user may make, and how the answers tell what is left.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// The most calls of one user in a window of time. The window starts with the first call in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most calls in a window; at least 1.
    pub calls: u32,
    /// The length of a window; at least one millisecond.
    pub window: Duration,
}

impl Default for Limits {
    /// 600 calls a minute.
    fn default() -> Self {
        Self { calls: 600, window: Duration::from_mins(1) }
    }
}

/// What is left to one user at one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    limits: Limits,
    remaining: u32,
    /// Seconds until the window ends, rounded up.
    reset_seconds: u64,
}

/// Counts the calls of each user.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    limits: Limits,
    windows: HashMap<String, (Instant, u32)>,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, windows: HashMap::new() }
    }

    /// Counts a call. The second value is whether it is within the limits; one that is not is not counted.
    pub(crate) fn count(&mut self, user_id: &str, now: Instant) -> (Rate, bool) {
        let limits = self.limits;
        let (start, calls) = self.windows.entry(user_id.to_owned()).or_insert((now, 0));
        if now.duration_since(*start) >= limits.window {
            (*start, *calls) = (now, 0);
        }
        let within = *calls < limits.calls;
        *calls += u32::from(within);
        let left = limits.window.saturating_sub(now.duration_since(*start));
        let rate = Rate { limits, remaining: limits.calls - *calls, reset_seconds: whole_seconds(left) };
        (rate, within)
    }
}

impl Rate {
    /// The same, with nothing left for this many seconds.
    pub(crate) fn exhausted(self, reset_seconds: u64) -> Self {
        Self { remaining: 0, reset_seconds, ..self }
    }

    pub(crate) fn reset_seconds(self) -> u64 {
        self.reset_seconds
    }

    /// The value of `RateLimit-Policy`, as the IETF draft has it.
    pub(crate) fn policy(self) -> String {
        format!("\"default\";q={};w={}", self.limits.calls, whole_seconds(self.limits.window))
    }

    /// The value of `RateLimit`, as the IETF draft has it.
    pub(crate) fn left(self) -> String {
        format!("\"default\";r={};t={}", self.remaining, self.reset_seconds)
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
