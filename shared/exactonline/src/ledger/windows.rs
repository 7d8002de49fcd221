//! The calls within the windows of one limit: the clock minutes, or the UTC days.
//!
//! A window belongs to Exact's clock, and a call counts when it arrives there. Clocks differ by some hundred
//! milliseconds and a call is under way for as long, so nobody knows in which of two windows a call near their edge
//! will count: it is counted in both here, and has to fit into both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far Exact's clock may be behind ours, in milliseconds: so long after a window began here, a call may still count
/// in the one before.
pub(super) const BEHIND: i64 = 1_000;
/// How far Exact's clock may be ahead of ours, in milliseconds, together with how long a call may be under way to it: so
/// long before a window ends here, a call may already count in the next.
pub(super) const AHEAD: i64 = 2_000;

/// Classes of use.
pub(super) const CLASSES: usize = 4;

/// What a class of use may do in the windows of a limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// How much of the limit it leaves to the others, in percent, as a window begins. It falls evenly to nothing as
    /// the window ends, so that nothing is left unused.
    pub(super) leaves: u32,
    /// How much it leaves of what the more urgent used in the window before, in percent, where that is more.
    pub(super) follows: u32,
    /// The number of calls that it leaves to the very end.
    pub(super) leaves_last: u32,
    /// What is its own, however much the others use: thousandths of the limit, which come in evenly.
    pub(super) own: u32,
}

/// A limit and how a class may use it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// The length of a window in milliseconds.
    pub(super) length: i64,
    /// Calls in a window.
    pub(super) limit: u32,
    pub(super) share: Share,
}

/// What was used of one window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    /// All calls that are known of, also those of others.
    all: u32,
    /// Our own, by class.
    own: [u32; CLASSES],
}

/// A limit that was exceeded, and rests. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Rest {
    since: i64,
    until: i64,
    /// When one call is let through, to see whether the limit is still exceeded.
    look: i64,
    /// How long after a look the next one is.
    look_every: i64,
}

/// What was used of a limit: in this window, the one before and the one after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Windows {
    /// By the number of the window since 1970.
    used: BTreeMap<i64, Used>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rest: Option<Rest>,
}

impl Windows {
    /// Forgets what is over at this moment.
    pub(super) fn settle(&mut self, length: i64, at: i64) {
        let current = at.div_euclid(length);
        // After our clock was set back a window that was to come is this one: what was used stays used.
        let later = self.used.split_off(&(current + 2));
        for used in later.into_values() {
            let now = self.used.entry(current).or_default();
            now.all = now.all.max(used.all);
        }
        self.used.retain(|number, _| *number >= current - 1);
        // One that ends far from now was told to a clock that was wrong.
        self.rest = self.rest.filter(|rest| at < rest.until && rest.until <= at + 2 * length + BEHIND);
    }

    /// The earliest moment, `at` or later, at which this class may make a call if nobody makes one before.
    pub(super) fn opens(&self, terms: Terms, class: usize, at: i64) -> i64 {
        let mut at = match self.rest {
            Some(rest) if at < rest.look => rest.look.min(rest.until).max(at),
            _ => at,
        };
        // A moment touches two windows, and what does not fit into these fits into the next but one.
        for _ in 0..4 {
            let opens = touched(terms.length, at).map(|number| self.opens_in(number, terms, class, at));
            let latest = opens.max().unwrap_or(at);
            if latest <= at {
                break;
            }
            at = latest;
        }
        at
    }

    /// The same for one window; where it takes no more, the moment that is safely in the next.
    fn opens_in(&self, number: i64, terms: Terms, class: usize, at: i64) -> i64 {
        let Terms { length, limit, share } = terms;
        let used = self.used.get(&number).copied().unwrap_or_default();
        let (begin, span) = (number * length + BEHIND, length - BEHIND - AHEAD);
        let next = begin + length;
        let Some(spare) = limit.saturating_sub(used.all).checked_sub(1) else { return next };
        // What the more urgent used in the window before, they may want in this one too.
        let before = self.used.get(&(number - 1)).map_or(0, |used| used.own[..class].iter().sum());
        let followed = u64::from(before) * u64::from(share.follows);
        let leaves = (u64::from(limit) * u64::from(share.leaves)).max(followed.min(u64::from(limit) * 90));
        // What is left to the others falls below one call more than `spare` when so much of the window is left.
        let left = whole(spare.saturating_add(1), 100, span, leaves).saturating_sub(1).min(span);
        let general = (spare >= share.leaves_last).then_some(span - left);
        let own = whole(used.own[class], 1_000, span, u64::from(limit) * u64::from(share.own));
        let own = (own < span).then(|| own + 1);
        match general.into_iter().chain(own).min() {
            None => next,
            // From the window's first moment on, which may be now.
            Some(0) => at,
            Some(after) => at.max(begin + after),
        }
    }

    /// Counts a call of ours.
    pub(super) fn add(&mut self, length: i64, class: usize, at: i64) {
        for number in touched(length, at) {
            let used = self.used.entry(number).or_default();
            used.all = used.all.saturating_add(1);
            used.own[class] = used.own[class].saturating_add(1);
        }
        if let Some(rest) = &mut self.rest {
            rest.look = at.saturating_add(rest.look_every);
        }
    }

    /// Takes over that `remaining` calls were left in the window that ends at `reset`, when so many calls of ours that were
    /// counted may not have arrived. It only ever lowers what is left.
    pub(super) fn told(&mut self, length: i64, limit: u32, remaining: u32, reset: i64, under_way: u32) {
        if reset.rem_euclid(length) != 0 {
            return;
        }
        let counted = limit.saturating_sub(remaining);
        // What is told of a window that is not among ours is of no use: the answer came late, or a clock is wrong.
        if let Some(used) = self.used.get_mut(&(reset.div_euclid(length) - 1))
            && counted > used.all
        {
            // So others use it too, and what is under way to Exact comes on top of what it has counted.
            used.all = counted.saturating_add(under_way).min(limit);
        }
    }

    /// Nothing is granted before `until`, but for a look now and then.
    pub(super) fn rest(&mut self, at: i64, until: i64, look_every: i64) {
        let until = self.rest.map_or(until, |rest| rest.until.max(until));
        self.rest = Some(Rest { since: at, until, look: at.saturating_add(look_every), look_every });
    }

    /// A call that was granted at this moment met no limit: if it was a look, the rest is over.
    pub(super) fn passed(&mut self, granted_at: i64) {
        self.rest = self.rest.filter(|rest| granted_at <= rest.since);
    }

    /// How many calls are left in the window of this moment.
    pub(super) fn left(&self, length: i64, limit: u32, at: i64) -> u32 {
        let rests = self.rest.is_some_and(|rest| at < rest.until);
        let used = self.used.get(&at.div_euclid(length)).map_or(0, |used| used.all);
        if rests { 0 } else { limit.saturating_sub(used) }
    }

    /// What was counted in the window of this moment.
    #[cfg(test)]
    pub(super) fn used(&self, length: i64, at: i64) -> u32 {
        self.used.get(&at.div_euclid(length)).map_or(0, |used| used.all)
    }
}

/// The numbers of the windows in which a call may count that is made at this moment.
fn touched(length: i64, at: i64) -> impl Iterator<Item = i64> {
    let (first, last) = ((at - BEHIND).div_euclid(length), (at + AHEAD).div_euclid(length));
    first..=last
}

/// `count * factor * span / divisor` in whole milliseconds; the longest time if the divisor is nothing.
fn whole(count: u32, factor: u32, span: i64, divisor: u64) -> i64 {
    let span = u128::from(span.unsigned_abs());
    let product = u128::from(count) * u128::from(factor) * span;
    product.checked_div(u128::from(divisor)).and_then(|time| i64::try_from(time).ok()).unwrap_or(i64::MAX)
}
