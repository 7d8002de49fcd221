//! What is decided about one link, as it grows.

use std::sync::Arc;

use link::promises::{Taken, broken};
use link::{Effect, Event, Link, step};
use model::LinkId;
use store::{Check, LinkChange, Stored};

use super::Case;

/// What is decided about one link, ready to be committed.
pub(super) struct Draft {
    /// The link as it was read; `None` for a new one.
    pub(super) before: Option<Stored>,
    /// What it becomes.
    pub(super) link: Arc<Link>,
    /// Links whose record it takes over.
    pub(super) leaves: Vec<Stored>,
    pub(super) effects: Vec<Effect>,
    pub(super) checks: Vec<Check>,
    /// Links of the same pair that are to be looked at again.
    pub(super) wakes: Vec<LinkId>,
    /// The promises that its steps have broken.
    pub(super) broken: Vec<&'static str>,
    /// Whether the link is not worth keeping: nothing is committed.
    pub(super) is_dropped: bool,
}

impl Draft {
    /// Of a link that is not stored yet.
    pub(super) fn begin(link: impl Into<Arc<Link>>) -> Self {
        let (link, leaves, effects, checks) = (link.into(), Vec::new(), Vec::new(), Vec::new());
        let (wakes, broken) = (Vec::new(), Vec::new());
        Self { before: None, link, leaves, effects, checks, wakes, broken, is_dropped: false }
    }

    /// Of a link that is stored.
    pub(super) fn of(stored: Stored) -> Self {
        let link = Arc::clone(&stored.link);
        Self { before: Some(stored), ..Self::begin(link) }
    }

    /// The link, to be changed beside a step.
    pub(super) fn link_mut(&mut self) -> &mut Link {
        Arc::make_mut(&mut self.link)
    }

    /// The next step.
    pub(super) fn step(&mut self, event: Event, case: &Case<'_>) {
        self.step_as(event, case.released, case);
    }

    /// The next step, by which no partner is created whatever the gate says.
    pub(super) fn step_without_create(&mut self, event: Event, case: &Case<'_>) {
        self.step_as(event, false, case);
    }

    fn step_as(&mut self, event: Event, released: bool, case: &Case<'_>) {
        let next = step(Link::clone(&self.link), event.clone(), &case.policy, released, case.now);
        let taken = Taken { before: &self.link, event: &event, step: &next, policy: &case.policy };
        self.broken.extend(broken(&taken).map(|promise| promise.id));
        self.link = Arc::new(next.link);
        self.effects.extend(next.effects);
    }

    /// Goes on with the link that takes this one's record over.
    pub(super) fn moves_to(self, mut other: Self) -> Self {
        other.effects.splice(0..0, self.effects);
        other.broken.extend(self.broken);
        other.checks.extend(self.checks);
        other.leaves.extend(self.leaves.into_iter().chain(self.before));
        other
    }

    /// Whether anything changes that is kept.
    pub(super) fn is_unchanged(&self) -> bool {
        let same = self.before.as_ref().map(|stored| &stored.link) == Some(&self.link);
        self.is_dropped || (same && self.leaves.is_empty())
    }

    /// What the store has to change.
    pub(super) fn changes(&self) -> Vec<LinkChange> {
        let own = LinkChange { before: self.before.clone(), after: Some(self.link.clone()) };
        let leaving =
            self.leaves.iter().map(|stored| LinkChange { before: Some(stored.clone()), after: None });
        std::iter::once(own).chain(leaving).collect()
    }
}
