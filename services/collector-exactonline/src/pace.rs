//! Whether polling leaves calls for anything else.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use collector::DIRECTORY_READ_EVERY;
use exactonline::Selection;
use mapping::List;
use model::ConnectionName;

use crate::division::{LOOKED_AT_EVERY, POLLS_PER_DELETED};

/// The share of a day's calls, in percent, that idle polling may take: the rest is for changes and writes.
const SHARE: f64 = 80.0;

const DAY_SECONDS: f64 = 86_400.0;

/// The calls that are made while nobody changes anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    /// By one poll of every entity.
    per_poll: f64,
    /// In a day, however far apart polls are: of the users, the lists and the rights.
    per_day: f64,
}

impl Idle {
    /// What it takes to see the changes of these selections, and these lists.
    pub(crate) fn of(selections: &[Selection], lists: &BTreeSet<List>) -> Self {
        let calls = |selection: &Selection| {
            let feeds = if selection.parts.is_some() { 2.0 } else { 1.0 };
            feeds + 1.0 / f64::from(POLLS_PER_DELETED)
        };
        let of_users = 1.0;
        let of_directory = of_users + lists.iter().map(|_| 1.0).sum::<f64>();
        let endpoints = |selection: &Selection| if selection.parts.is_some() { 2.0 } else { 1.0 };
        let of_rights: f64 = selections.iter().map(endpoints).sum();
        let per_day = |calls: f64, every: Duration| calls * DAY_SECONDS / every.as_secs_f64();
        Self {
            per_poll: selections.iter().map(calls).sum(),
            per_day: per_day(of_directory, DIRECTORY_READ_EVERY) + per_day(of_rights, LOOKED_AT_EVERY),
        }
    }

    /// How long polls must be apart so that an idle day takes so many calls at most; `None` where the users and lists
    /// alone take them all.
    fn least_interval(self, calls: f64) -> Option<Duration> {
        let for_polls = calls - self.per_day;
        (for_polls > 0.0).then(|| Duration::from_secs_f64(DAY_SECONDS * self.per_poll / for_polls))
    }
}

/// Warns where polling alone would use up the day's calls long before the day ends.
pub(crate) fn warn(connection: &ConnectionName, idle: Idle, interval: Duration, per_day: NonZeroU32) {
    let least = idle.least_interval(f64::from(per_day.get()) * SHARE / 100.0);
    if least.is_none_or(|least| interval < least) {
        tracing::warn!(
            %connection,
            poll_seconds = interval.as_secs_f64(),
            at_least = least.map(|least| least.as_secs_f64().ceil()),
            "polling this often takes more than {SHARE} percent of the day's calls to exact online: raise poll_seconds"
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::path::Path;

    use mapping::{Pair, Reading};
    use service::ExactOnlineConfig;

    use super::*;

    /// Three fifths of the 5,000 calls that Exact allows a day.
    const THREE_FIFTHS: f64 = 3_000.0;

    fn idle(entities: &[bool]) -> Idle {
        let selection = |parts: &bool| Selection {
            own: Vec::new(),
            parts: parts.then(Vec::new),
            late: Vec::new(),
            records: Vec::new(),
        };
        let selections: Vec<Selection> = entities.iter().map(selection).collect();
        Idle::of(&selections, &BTreeSet::new())
    }

    /// The pairs that ship, in a reading.
    fn shipped(reading: Reading) -> Vec<Pair> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let texts: Vec<String> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        let kept = texts.iter().filter_map(|text| Pair::name_in(text)).collect();
        texts.iter().map(|text| Pair::parse("shipped.toml", text, reading, &kept).unwrap()).collect()
    }

    #[test]
    fn polls_are_as_far_apart_as_their_calls_need() {
        // Of 4,000 calls a day 144 read the users, and 4 ask for the right to each feed.
        let apart = |per_poll: f64, rest: f64| Some(Duration::from_secs_f64(86_400.0 * per_poll / rest));
        assert_eq!(idle(&[false]).least_interval(4_000.0), apart(1.1, 3_852.0));
        // Accounts, contacts, items with prices, orders and quotations with lines: 8.5 calls a poll.
        assert_eq!(idle(&[false, false, true, true, true]).least_interval(4_000.0), apart(8.5, 3_824.0));
        assert_eq!(idle(&[false]).least_interval(148.0), None);
    }

    #[test]
    fn an_idle_day_of_all_seven_pairs_takes_three_fifths_of_the_calls_at_most_unless_told_otherwise() {
        for reading in Reading::ALL {
            let pairs = shipped(reading);
            assert_eq!(pairs.len(), 7);
            let entities = exactonline::kept(&pairs).unwrap();
            let selections: Vec<Selection> =
                entities.values().map(|entity| Selection::of(entity, &pairs)).collect();
            let idle = Idle::of(&selections, &exactonline::lists(&pairs));
            let least = idle.least_interval(THREE_FIFTHS).unwrap();
            assert!(ExactOnlineConfig::POLL_INTERVAL >= least, "{reading}: {least:?}, {idle:?}");
        }
    }
}
