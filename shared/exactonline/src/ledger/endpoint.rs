//! The errors of one endpoint. Ten within an hour get it blocked for an hour, and longer when it goes on: a fact of
//! this API.

use serde::{Deserialize, Serialize};

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
/// Longer than any call lasts: one without an answer by then ended with its process.
const UNDER_WAY_MAX: i64 = 60 * SECOND;
/// When to look again for a call that came back.
const AGAIN: i64 = 200;
/// How long a block is remembered after it ended: the next one within that time counts as going on.
const REMEMBERED: i64 = 24 * HOUR;
/// The longest that an endpoint rests.
const BLOCK_MAX: i64 = 8 * HOUR;
/// So many refusals in a row that say nothing of any limit are a block that says nothing.
const UNEXPLAINED_MAX: u32 = 3;

/// What one endpoint may still take. Times are milliseconds since 1970, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Endpoint {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<i64>,
    /// When the calls were granted that have no answer yet. Each may become an error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    under_way: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<Block>,
    #[serde(skip_serializing_if = "is_zero")]
    unexplained: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Block {
    until: i64,
    /// How many there were in a row.
    times: u32,
}

/// When an endpoint takes a call, and what keeps it from taking one now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    Now,
    /// It rests, because it was blocked or because another error could get it blocked.
    Rests(i64),
    /// If all that is under way became errors, it would be blocked.
    Crowded(i64),
}

impl Endpoint {
    /// Forgets what is over at this moment.
    pub(super) fn settle(&mut self, at: i64) {
        // What lies ahead was noted by a clock that was wrong.
        let counts = |since: i64, for_: i64| since + for_ > at && since <= at + HOUR;
        self.errors.retain(|error| counts(*error, HOUR));
        self.under_way.retain(|granted| counts(*granted, UNDER_WAY_MAX));
        self.block =
            self.block.filter(|block| at < block.until + REMEMBERED && block.until <= at + 2 * BLOCK_MAX);
    }

    /// Whether there is nothing to be known of it.
    pub(super) fn is_idle(&self) -> bool {
        *self == Self::default()
    }

    /// Whether others must hear at once of a call that came back: one of its calls failed within the hour, or all were
    /// refused not long ago, or half of what it takes at once is taken.
    pub(super) fn is_waited_for(&self, errors_per_hour: usize) -> bool {
        let is_in_trouble = !self.errors.is_empty() || self.block.is_some() || self.unexplained > 0;
        is_in_trouble || self.under_way.len() * 2 >= errors_per_hour.max(1)
    }

    pub(super) fn opens(&self, errors_per_hour: usize, at: i64) -> Opens {
        let allowed = errors_per_hour.max(1);
        if let Some(block) = self.block
            && at < block.until
        {
            return Opens::Rests(block.until);
        }
        if let Some(surplus) = self.errors.len().checked_sub(allowed) {
            return Opens::Rests(self.errors[surplus] + HOUR);
        }
        // After a block, one at a time.
        let at_once = if self.block.is_some() { 1 } else { allowed - self.errors.len() };
        if self.under_way.len() >= at_once { Opens::Crowded(at + AGAIN) } else { Opens::Now }
    }

    pub(super) fn granted(&mut self, at: i64) {
        self.under_way.push(at);
    }

    /// A call that was granted at this moment is no longer under way.
    pub(super) fn came_back(&mut self, granted_at: i64) {
        if let Some(found) = self.under_way.iter().position(|granted| *granted == granted_at) {
            self.under_way.remove(found);
        }
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// A call was answered as one of a blocked endpoint is not.
    pub(super) fn answered(&mut self) {
        self.unexplained = 0;
    }

    pub(super) fn failed(&mut self, at: i64) {
        self.answered();
        self.errors.push(at);
    }

    /// A call was refused as one too many, and no limit was named.
    pub(super) fn refused_unexplained(&mut self, at: i64) {
        self.unexplained += 1;
        if self.unexplained >= UNEXPLAINED_MAX {
            self.blocked(at);
        }
    }

    /// It is blocked: it rests for an hour, twice as long each time that this goes on. Gives until when.
    pub(super) fn blocked(&mut self, at: i64) -> i64 {
        self.answered();
        let block = match self.block {
            // The answer to another call that was under way when it was blocked.
            Some(block) if at < block.until => block,
            before => {
                let times = before.map_or(0, |block| block.times).saturating_add(1);
                let rest = HOUR.saturating_mul(1 << (times - 1).min(10)).min(BLOCK_MAX);
                Block { until: at + rest, times }
            }
        };
        self.block = Some(block);
        block.until
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}
