//! What is made of many measured times.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// Times in ascending order.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time that this many percent of all do not exceed; zero where nothing was measured.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0.get(rank).copied().unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn longest(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}

/// In milliseconds, with two digits behind the point.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

/// How many of something there were in a second.
pub(crate) fn per_second(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// The processor time of one piece of work, by the part that used it.
pub(crate) struct Used(Vec<(&'static str, Duration)>);

impl Used {
    /// What each part has used between two looks, for each of `count` pieces.
    pub(crate) fn between(
        before: &[(&'static str, Duration)],
        after: &[(&'static str, Duration)],
        count: usize,
    ) -> Self {
        let before: HashMap<&str, Duration> = before.iter().copied().collect();
        let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let of = |(part, used): &(&'static str, Duration)| {
            (*part, used.saturating_sub(before.get(part).copied().unwrap_or_default()) / count)
        };
        Self(after.iter().map(of).filter(|(_, used)| !used.is_zero()).collect())
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Duration = self.0.iter().map(|(_, used)| used).sum();
        write!(f, "{} in all", ms(all))?;
        self.0.iter().try_for_each(|(part, used)| write!(f, ", {part} {}", ms(*used)))
    }
}
