//! The merge: what one property's two values and their last agreement ask for.

use std::collections::BTreeMap;

use model::{Presence, PropertyName, System, SystemPair, Value};

use crate::{ConflictPolicy, DeletePolicy, Link, Pending, Policy, Rule, Status};

/// A property whose direction turns this often in quick succession is frozen: two systems that rewrite one
/// another's values would otherwise write for ever.
pub(crate) const TURNS_MAX: u8 = 6;

/// What one property asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The values are equal on both sides, or back at what was agreed, and this agreement is news.
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
    /// Both sides changed it, and a person decides.
    Conflict,
    /// It keeps turning: the breaker holds it until the values are equal again.
    Frozen,
}

/// What every property of a link asks for, leaving out those that ask for nothing.
///
/// A property that takes part in a write in flight is left out, because what it says is judged when the
/// outcome is known; `claiming` names the side whose write is being claimed (again), for which it is judged now.
pub fn decide(link: &Link, policy: &Policy, claiming: Option<System>) -> BTreeMap<PropertyName, Decision> {
    let (Some(crm), Some(exact)) = (&link.sides.customcrm, &link.sides.exactonline) else {
        return BTreeMap::new();
    };
    if matches!(link.status, Status::Ended | Status::DeletedAgainstEdit) {
        return BTreeMap::new();
    }
    if let Some(deleted) = deleted_side(link) {
        return archive(link, policy, deleted).into_iter().collect();
    }
    let in_flight = |property: &PropertyName| {
        System::BOTH.into_iter().filter(|system| Some(*system) != claiming).any(|system| {
            matches!(&link.pending[system], Pending::InFlight { write, .. } if write.values().contains_key(property))
        })
    };
    policy
        .rules
        .iter()
        .filter(|(property, _)| !in_flight(property))
        .filter_map(|(property, rule)| {
            let values =
                SystemPair { customcrm: crm.view.get(property)?, exactonline: exact.view.get(property)? };
            let frozen = is_frozen(link, property);
            let decision = match merge(link, property, *rule, values)? {
                Decision::Write { .. } if frozen => Decision::Frozen,
                decision => decision,
            };
            Some((property.clone(), decision))
        })
        .collect()
}

/// The side whose record is gone while the other's is there.
fn deleted_side(link: &Link) -> Option<System> {
    System::BOTH
        .into_iter()
        .find(|system| link.sides[*system].as_ref().is_some_and(|side| side.presence == Presence::Deleted))
}

fn archive(link: &Link, policy: &Policy, deleted: System) -> Option<(PropertyName, Decision)> {
    let survivor = deleted.other();
    let side = link.sides[survivor].as_ref().filter(|side| side.presence == Presence::Present)?;
    match &policy.deletes[survivor] {
        DeletePolicy::Archive(property, value) if side.view.get(property) != Some(value) => Some((
            property.clone(),
            Decision::Write { to: survivor, value: value.clone(), why: "its partner was deleted" },
        )),
        DeletePolicy::Archive(..) | DeletePolicy::Unlink => None,
    }
}

fn merge(link: &Link, property: &PropertyName, rule: Rule, values: SystemPair<&Value>) -> Option<Decision> {
    if values.customcrm.is_unresolved() || values.exactonline.is_unresolved() {
        return None;
    }
    let now = SystemPair { customcrm: values.customcrm.clone(), exactonline: values.exactonline.clone() };
    let agreed = link.agreed.get(property);
    if values.customcrm == values.exactonline || agreed == Some(&now) {
        let held = link.conflicts.contains(property) || is_frozen(link, property);
        return (agreed != Some(&now) || held).then_some(Decision::Agree(now));
    }
    let emptied = System::BOTH.into_iter().find(|system| values[*system].is_empty());
    let Some(agreed) = agreed else {
        return match emptied {
            Some(system) => fill(rule, system, values, "only the other side is filled"),
            None => Some(settle(link, rule, values)),
        };
    };
    let changed = |system: System| *values[system] != agreed[system];
    if let Some(system) = emptied.filter(|system| rule.keep_filled && changed(*system)) {
        return fill(rule, system, values, "it may not be emptied");
    }
    match (changed(System::CustomCrm), changed(System::ExactOnline)) {
        (false, false) => None,
        (true, false) => Some(towards(rule, System::ExactOnline, values, "the other side was edited")),
        (false, true) => Some(towards(rule, System::CustomCrm, values, "the other side was edited")),
        (true, true) => Some(settle(link, rule, values)),
    }
}

/// Whether the oscillation breaker holds the property.
fn is_frozen(link: &Link, property: &PropertyName) -> bool {
    link.turns.get(property).is_some_and(|turn| turn.count >= TURNS_MAX)
}

/// The empty side is filled; where the property does not flow there, nothing is emptied for it either.
fn fill(rule: Rule, empty: System, values: SystemPair<&Value>, why: &'static str) -> Option<Decision> {
    rule.flow.reaches(empty).then(|| towards(rule, empty, values, why))
}

/// Both sides changed to different values: the row's policy.
fn settle(link: &Link, rule: Rule, values: SystemPair<&Value>) -> Decision {
    match rule.conflict {
        ConflictPolicy::Wins(winner) => {
            towards(rule, winner.other(), values, "both sides differ and the policy names the winner")
        }
        ConflictPolicy::Newest => match newest(link) {
            Some(winner) => {
                towards(rule, winner.other(), values, "both sides differ and the newer change wins")
            }
            None => Decision::Conflict,
        },
        ConflictPolicy::Ask => Decision::Conflict,
    }
}

fn newest(link: &Link) -> Option<System> {
    let at = |system: System| link.sides[system].as_ref().and_then(|side| side.modified_at);
    let (crm, exact) = (at(System::CustomCrm)?, at(System::ExactOnline)?);
    match crm.cmp(&exact) {
        std::cmp::Ordering::Less => Some(System::ExactOnline),
        std::cmp::Ordering::Greater => Some(System::CustomCrm),
        std::cmp::Ordering::Equal => None,
    }
}

/// A write towards a side; where the property does not flow that way, the other side is set back instead.
fn towards(rule: Rule, to: System, values: SystemPair<&Value>, why: &'static str) -> Decision {
    if rule.flow.reaches(to) {
        Decision::Write { to, value: values[to.other()].clone(), why }
    } else {
        let to = to.other();
        Decision::Write { to, value: values[to.other()].clone(), why: "the property flows only this way" }
    }
}
