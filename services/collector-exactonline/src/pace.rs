//! Whether polling leaves calls for anything else.

use std::num::NonZeroU32;
use std::time::Duration;

use exactonline::Selection;
use model::ConnectionName;

use crate::division::POLLS_PER_DELETED;

/// The share of a day's calls, in percent, that idle polling may take: the rest is for changes and writes.
const SHARE: f64 = 80.0;

const DAY_SECONDS: f64 = 86_400.0;

/// Warns where polling alone would use up the day's calls long before the day ends.
pub(crate) fn warn(
    connection: &ConnectionName,
    selections: &[Selection],
    interval: Duration,
    per_day: NonZeroU32,
) {
    let least = least_interval(selections, per_day);
    if interval < least {
        tracing::warn!(
            %connection, poll_seconds = interval.as_secs_f64(), at_least = least.as_secs_f64().ceil(),
            "polling this often takes more than {SHARE} percent of the day's calls to exact online: raise poll_seconds"
        );
    }
}

/// How long polls must be apart so that idle polling keeps to its share.
fn least_interval(selections: &[Selection], per_day: NonZeroU32) -> Duration {
    let calls = |selection: &Selection| {
        let feeds = if selection.parts.is_some() { 2.0 } else { 1.0 };
        feeds + 1.0 / f64::from(POLLS_PER_DELETED)
    };
    let calls: f64 = selections.iter().map(calls).sum();
    Duration::from_secs_f64(DAY_SECONDS * calls / (f64::from(per_day.get()) * SHARE / 100.0))
}

#[cfg(test)]
mod tests {
    use super::{Duration, NonZeroU32, Selection, least_interval};

    fn least(entities: &[bool]) -> Duration {
        let selection = |parts: &bool| Selection {
            own: Vec::new(),
            parts: parts.then(Vec::new),
            late: Vec::new(),
            records: Vec::new(),
        };
        let selections: Vec<Selection> = entities.iter().map(selection).collect();
        least_interval(&selections, NonZeroU32::new(5_000).expect("not zero"))
    }

    #[test]
    fn polls_are_as_far_apart_as_their_calls_need() {
        // 1.1 calls a poll, of 4,000 a day.
        assert_eq!(least(&[false]), Duration::from_secs_f64(23.76));
        // Accounts, contacts, items with prices, orders and quotations with lines: 8.5 calls a poll.
        assert_eq!(least(&[false, false, true, true, true]), Duration::from_secs_f64(183.6));
    }
}
