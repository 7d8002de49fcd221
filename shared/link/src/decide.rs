//! What a link's two sides ask for, property by property and line by line. The merge of one value is in [`merge`].

mod lines;
mod merge;

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::{Presence, PropertyName, System, SystemPair, Value};

use self::merge::Cell;
use crate::{DeletePolicy, Link, Policy, Status, lines::Lines};

/// A property whose direction turns this often in quick succession is frozen: two systems that rewrite one
/// another's values would otherwise write for ever.
pub(crate) const TURNS_MAX: u8 = 6;

/// What one property, or one cell of a line, asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The values are equal on both sides, or back at what was agreed, or agreed on as they are, and this agreement
    /// is news.
    Agree(SystemPair<Value>),
    /// One side must be given the other's value.
    Write {
        /// Which side is written.
        to: System,
        /// What it is given.
        value: Value,
        /// Why, for people.
        why: &'static str,
    },
    /// It goes along with its line, which is new on one side.
    WithLine {
        /// Which side is written.
        to: System,
        /// What it is given.
        value: Value,
    },
    /// Both sides changed it, and a person decides.
    Conflict,
    /// It was edited in CustomCRM, and Exact Online takes it only when the record is made.
    TooLate,
    /// It keeps turning: the breaker holds it until the values are equal again.
    Frozen,
}

impl Decision {
    /// What this side is to be given.
    pub(crate) fn given(self, side: System) -> Option<Value> {
        match self {
            Self::Write { to, value, .. } | Self::WithLine { to, value } if to == side => Some(value),
            _ => None,
        }
    }
}

/// What every property and line of a link asks for, leaving out those that ask for nothing.
///
/// What takes part in a write in flight is left out, because what it says is judged when the outcome is known;
/// `claiming` names the side whose write is being claimed (again), for which it is judged now.
pub fn decide(link: &Link, policy: &Policy, claiming: Option<System>) -> BTreeMap<PropertyName, Decision> {
    let (Some(crm), Some(exact)) = (&link.sides.customcrm, &link.sides.exactonline) else {
        return BTreeMap::new();
    };
    if is_asleep(link) {
        return BTreeMap::new();
    }
    if let Some(deleted) = deleted_side(link) {
        return archive(link, policy, deleted).into_iter().collect();
    }
    let in_flight = |property: &PropertyName| {
        System::BOTH
            .into_iter()
            .filter(|system| Some(*system) != claiming)
            .any(|system| link.pending[system].sent().is_some_and(|sent| sent.contains_key(property)))
    };
    let lines = Lines::of(policy);
    let (mut crm_view, mut exact_view) = (InOrder::of(&crm.view), InOrder::of(&exact.view));
    let mut agreed_values = InOrder::of(&link.agreed);
    let mut decisions = BTreeMap::new();
    for (property, rule) in &policy.rules {
        // The rows of lines are no properties of a view: it has their cells, line by line.
        let held = (crm_view.get(property), exact_view.get(property), agreed_values.get(property));
        let (Some(customcrm), Some(exactonline), agreed) = held else { continue };
        if in_flight(property) {
            continue;
        }
        let values = SystemPair { customcrm, exactonline };
        let cell = Cell { rule: merge::in_force(link, *rule), values, agreed };
        if let Some(decision) = merge::merge(link, cell, || Cow::Borrowed(property)) {
            decisions.insert(property.clone(), unless_frozen(link, property, decision));
        }
    }
    if let Some(lines) = &lines {
        decisions.extend(lines::decide(link, policy, lines, claiming));
    }
    decisions
}

/// Looks up names that come in their order: it goes through a map once instead of searching it for each.
struct InOrder<'a, T> {
    rest: std::iter::Peekable<std::collections::btree_map::Iter<'a, PropertyName, T>>,
}

impl<'a, T> InOrder<'a, T> {
    fn of(map: &'a BTreeMap<PropertyName, T>) -> Self {
        Self { rest: map.iter().peekable() }
    }

    fn get(&mut self, name: &PropertyName) -> Option<&'a T> {
        while self.rest.next_if(|(known, _)| *known < name).is_some() {}
        self.rest.next_if(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// The side whose record is to be deleted because its partner was.
pub(crate) fn deletion_due(link: &Link, policy: &Policy) -> Option<System> {
    let survivor = deleted_side(link).filter(|_| !is_asleep(link))?.other();
    (link.is_present(survivor) && *delete_policy(link, policy, survivor) == DeletePolicy::Propagate)
        .then_some(survivor)
}

/// Whether nothing is written, whatever the two sides hold.
pub(crate) const fn is_asleep(link: &Link) -> bool {
    match link.status {
        Status::Missing | Status::DeletedAgainstEdit | Status::Ended | Status::Unlinked => true,
        Status::Unmatched | Status::Ambiguous(_) | Status::Linked => false,
    }
}

/// What becomes of a side's record when its partner is deleted. A record that another pair writes is left to it.
pub(crate) fn delete_policy<'a>(link: &Link, policy: &'a Policy, survivor: System) -> &'a DeletePolicy {
    if link.follows.is_some() && survivor == System::ExactOnline {
        &DeletePolicy::Unlink
    } else {
        &policy.deletes[survivor]
    }
}

/// The side whose record is gone; of two that of CustomCRM.
pub(crate) fn deleted_side(link: &Link) -> Option<System> {
    System::BOTH
        .into_iter()
        .find(|system| link.sides[*system].as_ref().is_some_and(|side| side.presence == Presence::Deleted))
}

fn archive(link: &Link, policy: &Policy, deleted: System) -> Option<(PropertyName, Decision)> {
    let survivor = deleted.other();
    let side = link.sides[survivor].as_ref().filter(|side| side.presence == Presence::Present)?;
    match delete_policy(link, policy, survivor) {
        DeletePolicy::Archive(property, value) if !is_marked(side.view.get(property), value) => Some((
            property.clone(),
            Decision::Write { to: survivor, value: value.clone(), why: "its partner was deleted" },
        )),
        DeletePolicy::Archive(..) | DeletePolicy::Propagate | DeletePolicy::Unlink | DeletePolicy::Ignore => {
            None
        }
    }
}

/// Whether a record is marked as no longer in use; a day that has passed before marks it as well.
fn is_marked(held: Option<&Value>, mark: &Value) -> bool {
    match (held, mark) {
        (Some(Value::Date(held)), Value::Date(mark)) => held <= mark,
        (held, mark) => held == Some(mark),
    }
}

impl Link {
    /// The properties that the oscillation breaker holds.
    pub fn oscillating(&self) -> impl Iterator<Item = &PropertyName> {
        self.turns.keys().filter(|property| is_frozen(self, property))
    }
}

/// Whether the oscillation breaker holds it.
fn is_frozen(link: &Link, property: &PropertyName) -> bool {
    link.turns.get(property).is_some_and(|turn| turn.count >= TURNS_MAX)
}

fn unless_frozen(link: &Link, property: &PropertyName, decision: Decision) -> Decision {
    match decision {
        Decision::Write { .. } if is_frozen(link, property) => Decision::Frozen,
        decision => decision,
    }
}
