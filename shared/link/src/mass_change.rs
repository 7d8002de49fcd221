//! The mass-change breaker's counters: what a pair asks of one side within a while, and when that is too much to be
//! meant.
//!
//! An empty listing, a mistake in a mapping, an import gone wrong: each link by itself decides well, and only together
//! do they show that nobody wanted this. So the links that ask something are counted, apart from any one of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::{LinkId, System, SystemPair, View};

use crate::{
    DeletePolicy, Link, Pending, Policy, Write,
    decide::{decide, delete_policy, deletion_due},
};

/// What the write that a side awaits will do there: the gravest of what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Values are replaced by others, or lines added.
    Update,
    /// A record is made.
    Create,
    /// A filled property is emptied, or a line removed.
    Clear,
    /// The record is deleted, or archived, because its partner was deleted.
    Delete,
}

impl Change {
    /// All of them, the gravest last.
    pub const ALL: [Self; 4] = [Self::Update, Self::Create, Self::Clear, Self::Delete];

    /// Its name in metrics and pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Create => "create",
            Self::Clear => "clear",
            Self::Delete => "delete",
        }
    }

    /// What the write that this side of a link awaits will do; `None` where none is pending.
    pub fn of(link: &Link, policy: &Policy, system: System) -> Option<Self> {
        match &link.pending[system] {
            Pending::None => None,
            Pending::InFlight { write, .. } => Some(match write {
                Write::Create { .. } => Self::Create,
                Write::Delete { .. } => Self::Delete,
                Write::Update { values, .. } => Self::of_values(link, policy, system, values),
            }),
            Pending::Queued { .. } if link.sides[system].is_none() => Some(Self::Create),
            Pending::Queued { .. } if deletion_due(link, policy) == Some(system) => Some(Self::Delete),
            Pending::Queued { .. } => {
                let asked = decide(link, policy, Some(system)).into_iter();
                let asked = asked.filter_map(|(name, decision)| Some((name, decision.given(system)?)));
                Some(Self::of_values(link, policy, system, &asked.collect()))
            }
        }
    }

    fn of_values(link: &Link, policy: &Policy, system: System, values: &View) -> Self {
        if let DeletePolicy::Archive(mark, value) = delete_policy(link, policy, system)
            && !link.is_present(system.other())
            && values.get(mark) == Some(value)
        {
            return Self::Delete;
        }
        let held = link.sides[system].as_ref().map(|side| &side.view);
        let is_filled = |name| held.and_then(|view| view.get(name)).is_some_and(|value| !value.is_empty());
        let clears = values.iter().any(|(name, value)| value.is_empty() && is_filled(name));
        if clears { Self::Clear } else { Self::Update }
    }
}

/// How much of one kind of change is taken for meant, within a limit's window. Both must be exceeded: a share says
/// nothing of a pair with ten links, and a count nothing of one with a hundred thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// This many links, of each pair and side.
    pub links: usize,
    /// This share of the pair's links, in per cent.
    pub percent: u8,
}

/// The limits of a pair, for each of its sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// What was asked longer ago counts no more.
    pub window: SignedDuration,
    /// By what is asked; what is not listed has no limit.
    pub of: BTreeMap<Change, Limit>,
}

/// Which links of a pair have asked what of a side, and when they did so last. A link counts once for each kind of
/// change, however often it asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    asked: SystemPair<BTreeMap<(Change, LinkId), Timestamp>>,
}

/// More was asked than is taken for meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trip {
    /// Of this side.
    pub system: System,
    /// What was asked.
    pub change: Change,
    /// By this many links.
    pub links: usize,
    /// Of so many that the pair has.
    pub of: usize,
}

impl Tally {
    /// Counts that a link asks this of a side.
    pub fn count(&mut self, system: System, link: &LinkId, change: Change, now: Timestamp) {
        let asked = self.asked[system].entry((change, link.clone())).or_insert(now);
        *asked = now.max(*asked);
    }

    /// Forgets what was asked longer ago than the window.
    pub fn forget(&mut self, window: SignedDuration, now: Timestamp) {
        for system in System::BOTH {
            self.asked[system].retain(|_, at| now.duration_since(*at) <= window);
        }
    }

    /// How many links have asked this of a side within the window.
    pub fn links(&self, system: System, change: Change, window: SignedDuration, now: Timestamp) -> usize {
        let asked = self.asked[system].iter();
        asked.filter(|((asked, _), at)| *asked == change && now.duration_since(**at) <= window).count()
    }

    /// What is too much of a pair with so many links, the gravest first.
    pub fn trip(&self, limits: &Limits, of: usize, now: Timestamp) -> Option<Trip> {
        let kinds = Change::ALL.into_iter().rev();
        let mut trips = kinds.flat_map(|change| System::BOTH.map(|system| (system, change)));
        trips.find_map(|(system, change)| {
            let limit = limits.of.get(&change)?;
            let links = self.links(system, change, limits.window, now);
            let is_many = links > limit.links && links * 100 > usize::from(limit.percent) * of;
            is_many.then_some(Trip { system, change, links, of })
        })
    }
}
