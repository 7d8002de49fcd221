//! Who is served next: every pair of every connection has a line of its own, so that a system that is slow or away holds
//! up nobody else. Plain state; the loop beside it acts.
//!
//! A line has so many writes in hand and no more. What comes beyond waits in hand for a moment; a line that does not get
//! on in that time *overflows*: what waits, and all that comes after it, is laid aside in the store, acknowledged, and
//! fetched from there in its order as the line gets on. A line that is told to rest overflows at once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use model::{ConnectionName, PairName};
use tokio::time::Instant;

/// Writes in hand at a time, in each line: more than are claimed at once, so that none of these waits for the store.
pub(crate) const IN_HAND: usize = 64;

/// A message that was not begun within this time shows that its line does not get on.
const WAITS_IN_HAND: Duration = Duration::from_secs(1);

/// How often what was laid aside is looked through while there is something that is not due yet.
const LOOK: Duration = Duration::from_secs(1);

/// A pair of a connection, in one lane of one system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LineName {
    pub(crate) connection: ConnectionName,
    pub(crate) pair: PairName,
}

/// What becomes of a message that has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn<M> {
    /// It is begun now.
    Begin(M),
    /// It is laid aside.
    LayAside(M),
    /// It waits in hand.
    Waits,
}

/// All lines of one lane, and the messages that wait in hand.
#[derive(Debug)]
pub(crate) struct Lines<M> {
    lines: BTreeMap<LineName, Line<M>>,
}

#[derive(Debug)]
struct Line<M> {
    in_hand: usize,
    waiting: VecDeque<(Instant, M)>,
    /// Whether some of its messages are laid aside, and those that come are too.
    overflows: bool,
    /// Whether it is to be looked whether any are.
    is_suspected: bool,
    /// Whether what is laid aside is being fetched.
    is_fetching: bool,
    rests_until: Option<Instant>,
    looks_at: Option<Instant>,
}

impl<M> Lines<M> {
    pub(crate) const fn new() -> Self {
        Self { lines: BTreeMap::new() }
    }

    /// A message has come.
    pub(crate) fn came(&mut self, name: &LineName, message: M, now: Instant) -> Turn<M> {
        let line = self.line(name);
        if line.overflows {
            return Turn::LayAside(message);
        }
        if line.in_hand < IN_HAND {
            line.in_hand += 1;
            return Turn::Begin(message);
        }
        line.waiting.push_back((now, message));
        Turn::Waits
    }

    /// A write of this line has ended; gives the message that is begun in its place.
    pub(crate) fn ended(&mut self, name: &LineName) -> Option<M> {
        let line = self.line(name);
        line.in_hand -= 1;
        let (_, next) = line.waiting.pop_front()?;
        line.in_hand += 1;
        Some(next)
    }

    /// A line must not go on before this moment; gives what is to be laid aside.
    pub(crate) fn rests(&mut self, name: &LineName, until: Instant) -> Vec<M> {
        let line = self.line(name);
        line.rests_until = line.rests_until.max(Some(until));
        line.overflow()
    }

    /// What has waited in hand for too long, and is to be laid aside.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<M> {
        let mut overdue = Vec::new();
        for line in self.lines.values_mut() {
            if line.waiting.front().is_some_and(|(came, _)| now.duration_since(*came) > WAITS_IN_HAND) {
                overdue.extend(line.overflow());
            }
        }
        overdue
    }

    /// Messages of this line may be laid aside, by whomever: it is to be looked.
    pub(crate) fn may_have_overflown(&mut self, name: &LineName) {
        self.line(name).is_suspected = true;
    }

    /// The lines for which what was laid aside is to be fetched, and how many messages at most. Each is to be followed by
    /// [`Self::fetched`].
    pub(crate) fn hungry(&mut self, now: Instant) -> Vec<(LineName, usize)> {
        let mut hungry = Vec::new();
        for (name, line) in &mut self.lines {
            // Some at a time: half of a line's hands are free.
            let may =
                (line.overflows || line.is_suspected) && !line.is_fetching && line.in_hand <= IN_HAND / 2;
            if may
                && line.rests_until.is_none_or(|until| until <= now)
                && line.looks_at.is_none_or(|at| at <= now)
            {
                line.is_fetching = true;
                hungry.push((name.clone(), IN_HAND - line.in_hand));
            }
        }
        hungry
    }

    /// So many messages were fetched and are begun; `left` tells whether others are laid aside.
    pub(crate) fn fetched(&mut self, name: &LineName, count: usize, left: bool, now: Instant) {
        let line = self.line(name);
        line.is_fetching = false;
        line.is_suspected = false;
        line.in_hand += count;
        line.looks_at = (count == 0).then_some(now + LOOK);
        line.overflows = left || count > 0;
    }

    /// Whether there is a line that has to be looked after: its messages wait in hand, or may be laid aside.
    pub(crate) fn any_waits(&self) -> bool {
        self.lines.values().any(|line| !line.waiting.is_empty() || line.overflows || line.is_suspected)
    }

    /// Forgets the lines that nothing is known of.
    pub(crate) fn tidy(&mut self, now: Instant) {
        self.lines.retain(|_, line| {
            let rests = line.rests_until.is_some_and(|until| until > now);
            let may_overflow = line.overflows || line.is_suspected || line.is_fetching;
            line.in_hand > 0 || !line.waiting.is_empty() || may_overflow || rests
        });
    }

    fn line(&mut self, name: &LineName) -> &mut Line<M> {
        // Most lines are known, and a name that is cloned for nothing costs more than to look twice.
        if !self.lines.contains_key(name) {
            self.lines.insert(name.clone(), Line::new());
        }
        self.lines.get_mut(name).expect("it was put there if it was not")
    }
}

impl<M> Line<M> {
    const fn new() -> Self {
        Self {
            in_hand: 0,
            waiting: VecDeque::new(),
            overflows: false,
            is_suspected: false,
            is_fetching: false,
            rests_until: None,
            looks_at: None,
        }
    }

    fn overflow(&mut self) -> Vec<M> {
        self.overflows = true;
        self.waiting.drain(..).map(|(_, message)| message).collect()
    }
}

#[cfg(test)]
mod tests;
