//! How often a collector asks, and how it follows hints without asking too often.

use std::time::Duration;

use tokio::time::Instant;

use crate::DIRECTORY_READ_EVERY;

/// How long a first hint-led read keeps the next one away. It doubles while hints keep coming.
pub const WINDOW_MIN: Duration = Duration::from_secs(10);
/// The longest that it keeps the next one away: eight busy hours of all feeds of a division then stay within the calls
/// of its day, and so does a day of one notification replayed without end.
pub const WINDOW_MAX: Duration = Duration::from_mins(1);
/// How often a read that a hint led to and that found nothing is repeated: the feed may show a change later than the
/// hint of it came.
const LOOKS_AGAIN: u32 = 2;

/// How often a collector asks for changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How far polls are apart while people change things and nothing tells of it.
    pub poll: Duration,
    /// How far they are apart at most when people change nothing: with each poll that finds nothing the next one is twice
    /// as far.
    pub quiet: Duration,
    /// How often users and lists are read then.
    pub directory: Duration,
    /// How hints are followed; `None` where there never are any.
    pub hinted: Option<HintedPace>,
}

/// How a collector follows hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HintedPace {
    /// How often it looks for them.
    pub look: Duration,
    /// The shortest time between two reads that hints lead to.
    pub window_min: Duration,
    /// The longest.
    pub window_max: Duration,
    /// What holds while it is certain that the system tells of all changes; `None` where that never is.
    pub told: Option<ToldPace>,
}

/// How often a collector asks while the system tells of changes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldPace {
    /// How far polls are apart that no hint leads to: what a lost hint costs.
    pub poll: Duration,
    /// How often users and lists are read, of which nothing tells.
    pub directory: Duration,
}

impl Pace {
    /// That of a system which tells nothing by itself and may be asked as often as that.
    pub const fn polling(poll: Duration) -> Self {
        Self { poll, quiet: poll, directory: DIRECTORY_READ_EVERY, hinted: None }
    }

    /// How far the next poll is, while changes are told or not, after so many in a row that found nothing.
    pub(crate) fn poll(&self, is_told: bool, found_nothing: u32) -> Duration {
        match self.told(is_told) {
            Some(told) => told.poll,
            None => self.poll.saturating_mul(2_u32.saturating_pow(found_nothing)).min(self.quiet),
        }
    }

    pub(crate) fn directory(&self, is_told: bool) -> Duration {
        self.told(is_told).map_or(self.directory, |told| told.directory)
    }

    fn told(&self, is_told: bool) -> Option<ToldPace> {
        self.hinted.and_then(|hinted| hinted.told).filter(|_| is_told)
    }
}

/// When the next hint may lead to a read. What comes before that folds into one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    min: Duration,
    max: Duration,
    /// The last read that a hint led to, and how long it keeps the next one away.
    last: Option<(Instant, Duration)>,
    /// How often the present hint is looked for again.
    again: u32,
}

impl Window {
    pub(crate) fn new(pace: HintedPace) -> Self {
        Self { min: pace.window_min, max: pace.window_max, last: None, again: 0 }
    }

    /// Whether a hint may lead to a read at this moment.
    pub(crate) fn is_open(&self, now: Instant) -> bool {
        self.last.is_none_or(|(at, length)| now >= at + length)
    }

    /// A hint leads to a read now. One that had to wait for its turn makes the next one wait longer.
    pub(crate) fn read(&mut self, now: Instant) {
        let length = match self.last {
            // It was taken up at the very end of the window, so it or a sibling had waited for that.
            Some((at, length)) if now < at + length * 2 => (length * 2).min(self.max),
            _ => self.min,
        };
        self.last = Some((now, length));
        self.again = LOOKS_AGAIN;
    }

    /// What a hint-led read found. Nothing: it is looked for again when the window has passed.
    pub(crate) fn found(&mut self, something: bool) {
        if something {
            self.again = 0;
        }
    }

    /// Whether it is time to look again for what a hint told of.
    pub(crate) fn looks_again(&mut self, now: Instant) -> bool {
        if self.again == 0 || !self.is_open(now) {
            return false;
        }
        self.again -= 1;
        self.last = self.last.map(|(_, length)| (now, length));
        true
    }
}
