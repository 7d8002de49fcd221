//! How often Exact is asked, and whether that leaves calls for anything else.

use std::collections::BTreeSet;
use std::time::Duration;

use collector::{HintedPace, Pace, ToldPace, WINDOW_MAX, WINDOW_MIN};
use exactonline::{NUMBERING_LOOKED_AT_EVERY, Selection};
use mapping::List;
use model::ConnectionName;
use service::ExactOnlineConfig;

use crate::division::{LOOKED_AT_EVERY, POLLS_PER_DELETED};

/// The share of a day's calls, in percent, that polling may take: the rest is for changes and writes.
const SHARE: f64 = 80.0;

/// Where nobody changes anything, polls are up to so many times as far apart as where somebody does.
const QUIET: u32 = 4;
/// The hours of a day in which people change things.
const BUSY_HOURS: f64 = 10.0;

const DAY_SECONDS: f64 = 86_400.0;
const HOUR_SECONDS: f64 = 3_600.0;

/// How often what is done that the configuration says nothing of. A test shortens all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Intervals {
    /// The longest that deletions are not read: how late one is seen of which no hint came.
    pub(crate) deletions: Duration,
    /// How often users and lists are read.
    pub(crate) directory: Duration,
    /// How often they are read while webhooks tell of all else.
    pub(crate) directory_told: Duration,
    /// How often it is looked whether the subscriptions are still there.
    pub(crate) subscriptions: Duration,
    /// How soon subscriptions that could not be kept are tried again; twice as long each time.
    pub(crate) subscriptions_again: Duration,
    /// For how long notifications are gathered before they become one hint.
    pub(crate) gather: Duration,
    /// How often a collector looks for hints.
    pub(crate) look: Duration,
    /// The shortest and the longest time between two reads that hints lead to.
    pub(crate) window: (Duration, Duration),
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            deletions: Duration::from_hours(4),
            directory: Duration::from_hours(1),
            directory_told: Duration::from_hours(4),
            subscriptions: Duration::from_hours(1),
            subscriptions_again: Duration::from_secs(30),
            gather: Duration::from_millis(500),
            look: Duration::from_secs(1),
            window: (WINDOW_MIN, WINDOW_MAX),
        }
    }
}

impl Intervals {
    /// How often the collectors of this division ask.
    pub(crate) fn pace(&self, config: &ExactOnlineConfig) -> Pace {
        let hinted = config.webhooks.as_ref().map(|webhooks| HintedPace {
            look: self.look,
            window_min: self.window.0,
            window_max: self.window.1,
            told: Some(ToldPace { poll: webhooks.poll_interval, directory: self.directory_told }),
        });
        Pace {
            poll: config.poll_interval,
            quiet: config.poll_interval.saturating_mul(QUIET),
            directory: self.directory,
            hinted,
        }
    }
}

/// The calls that are made to see whether anything changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    /// Feeds of changes, which each poll reads.
    feeds: f64,
    /// Entities, of each of which the deletions are read.
    entities: f64,
    /// To read the users and the lists once.
    directory: f64,
}

impl Idle {
    /// What it takes to see the changes of these selections, and these lists.
    pub(crate) fn of(selections: &[Selection], lists: &BTreeSet<List>) -> Self {
        let feeds = |selection: &Selection| if selection.parts.is_some() { 2.0 } else { 1.0 };
        let of_users = 1.0;
        Self {
            feeds: selections.iter().map(feeds).sum(),
            entities: selections.iter().map(|_| 1.0).sum(),
            directory: of_users + lists.iter().map(|_| 1.0).sum::<f64>(),
        }
    }

    /// How long polls must be apart so that a day, in whose busy hours people change all kinds of records, takes so many
    /// calls at most; `None` where what is no poll takes them all.
    fn least_interval(self, calls: f64, intervals: &Intervals) -> Option<Duration> {
        let for_polls = calls - self.besides_polls(intervals.directory) * DAY_SECONDS / HOUR_SECONDS;
        let busy = BUSY_HOURS * HOUR_SECONDS;
        let seconds = busy + (DAY_SECONDS - busy) / f64::from(QUIET);
        (for_polls > 0.0).then(|| Duration::from_secs_f64(seconds * self.per_poll() / for_polls))
    }

    /// The calls of an hour in which nobody changes anything and nothing tells so.
    fn quiet_per_hour(self, poll: Duration, intervals: &Intervals) -> f64 {
        let polls = HOUR_SECONDS / (poll.as_secs_f64() * f64::from(QUIET));
        polls * self.per_poll() + self.besides_polls(intervals.directory)
    }

    fn per_poll(self) -> f64 {
        self.feeds + self.entities / f64::from(POLLS_PER_DELETED)
    }

    /// The calls of an hour that are made whatever is polled.
    fn besides_polls(self, directory: Duration) -> f64 {
        let per_hour = |every: Duration| HOUR_SECONDS / every.as_secs_f64();
        self.directory * per_hour(directory)
            + self.feeds * per_hour(LOOKED_AT_EVERY)
            + per_hour(NUMBERING_LOOKED_AT_EVERY)
    }

    /// The calls of an hour in which webhooks tell that nothing changes.
    fn told_per_hour(self, poll: Duration, intervals: &Intervals) -> f64 {
        let per_hour = |every: f64| HOUR_SECONDS / every;
        let poll = poll.as_secs_f64();
        // What is due is done with the next poll after that.
        let with_a_poll = |every: Duration| (every.as_secs_f64() / poll).ceil().max(1.0) * poll;
        let deletions = with_a_poll(intervals.deletions).min(poll * f64::from(POLLS_PER_DELETED));
        self.feeds * per_hour(poll)
            + self.entities * per_hour(deletions)
            + self.besides_polls(Duration::from_secs_f64(with_a_poll(intervals.directory_told)))
            + per_hour(intervals.subscriptions.as_secs_f64())
    }
}

/// Warns where polling alone would use up the day's calls long before the day ends.
pub(crate) fn warn(connection: &ConnectionName, idle: Idle, config: &ExactOnlineConfig) {
    let most = f64::from(config.calls_per_day.get()) * SHARE / 100.0;
    let intervals = Intervals::default();
    let least = idle.least_interval(most, &intervals);
    if least.is_none_or(|least| config.poll_interval < least) {
        tracing::warn!(
            %connection,
            poll_seconds = config.poll_interval.as_secs_f64(),
            at_least = least.map(|least| least.as_secs_f64().ceil()),
            calls_per_idle_hour = idle.quiet_per_hour(config.poll_interval, &intervals).ceil(),
            "polling this often takes more than {SHARE} percent of a busy day's calls to exact online: raise poll_seconds, \
             or let webhooks tell of changes"
        );
    }
    let Some(webhooks) = &config.webhooks else { return };
    let per_hour = idle.told_per_hour(webhooks.poll_interval, &intervals);
    if per_hour * 24.0 > most {
        tracing::warn!(
            %connection,
            poll_seconds = webhooks.poll_interval.as_secs_f64(),
            calls_per_hour = per_hour.ceil(),
            "polling this often beside webhooks takes more than {SHARE} percent of the day's calls to exact online: \
             raise webhooks.poll_seconds"
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use mapping::Reading;
    use service::WebhooksConfig;

    use super::*;
    use crate::tests::shipped;

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

    #[test]
    fn polls_are_as_far_apart_as_their_calls_need() {
        // Ten hours of polls, and fourteen of a quarter of them. Of 4,000 calls a day 24 read the users, three look at the
        // numbering, and one asks for the right to each feed.
        let apart = |per_poll: f64, rest: f64| 48_600.0 * per_poll / rest;
        let least = |entities: &[bool], calls: f64| {
            idle(entities).least_interval(calls, &Intervals::default()).map(|least| least.as_secs_f64())
        };
        let is_near = |left: Option<f64>, right: f64| (left.unwrap() - right).abs() < 1e-6;
        assert!(is_near(least(&[false], 4_000.0), apart(1.1, 3_972.0)));
        // Accounts, contacts, items with prices, orders and quotations with lines: 8.5 calls a poll.
        assert!(is_near(least(&[false, false, true, true, true], 4_000.0), apart(8.5, 3_965.0)));
        assert_eq!(least(&[false], 28.0), None);
    }

    fn of_all_pairs(reading: Reading) -> Idle {
        let pairs = shipped(reading);
        assert_eq!(pairs.len(), 7);
        let entities = exactonline::kept(&pairs).unwrap();
        let selections: Vec<Selection> =
            entities.values().map(|entity| Selection::of(entity, &pairs)).collect();
        Idle::of(&selections, &exactonline::lists(&pairs))
    }

    #[test]
    fn an_idle_hour_of_all_seven_pairs_takes_twelve_calls_at_most_while_webhooks_tell_of_changes() {
        for reading in Reading::ALL {
            let calls =
                of_all_pairs(reading).told_per_hour(WebhooksConfig::POLL_INTERVAL, &Intervals::default());
            assert!(calls <= 12.0, "{reading}: {calls}");
        }
    }

    #[test]
    fn what_is_due_between_two_polls_is_counted_with_the_later_one() {
        // One feed each 3 hours, its deletions and the users every second time, its right each day, the numbering three
        // times a day, the subscriptions each hour.
        let looks = 1.0 / 24.0 + 1.0 / 8.0;
        let calls = idle(&[false]).told_per_hour(Duration::from_hours(3), &Intervals::default());
        assert!((calls - (1.0 / 3.0 + 1.0 / 6.0 + 1.0 / 6.0 + looks + 1.0)).abs() < 1e-9, "{calls}");
        // Each minute; the deletions with every tenth poll.
        let calls = idle(&[false]).told_per_hour(Duration::from_mins(1), &Intervals::default());
        assert!((calls - (60.0 + 6.0 + 0.25 + looks + 1.0)).abs() < 1e-9, "{calls}");
    }

    #[test]
    fn an_idle_hour_of_all_seven_pairs_takes_sixty_calls_at_most_where_nothing_tells_of_changes() {
        for reading in Reading::ALL {
            let poll = ExactOnlineConfig::POLL_INTERVAL;
            let calls = of_all_pairs(reading).quiet_per_hour(poll, &Intervals::default());
            assert!(calls <= 60.0, "{reading}: {calls}");
        }
    }

    #[test]
    fn polling_of_all_seven_pairs_takes_three_fifths_of_the_calls_of_a_busy_day_at_most() {
        for reading in Reading::ALL {
            let idle = of_all_pairs(reading);
            let least = idle.least_interval(THREE_FIFTHS, &Intervals::default()).unwrap();
            assert!(ExactOnlineConfig::POLL_INTERVAL >= least, "{reading}: {least:?}, {idle:?}");
        }
    }
}
