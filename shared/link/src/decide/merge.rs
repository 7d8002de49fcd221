//! The merge of one value: what its two sides and their last agreement ask for.

use std::borrow::Cow;

use jiff::Timestamp;
use model::{PropertyName, System, SystemPair, Value};

use super::Decision;
use crate::{ConflictPolicy, Flow, Link, Rule};

/// One property, or one cell of a line, as both sides hold it.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) rule: Rule,
    pub(super) values: SystemPair<&'a Value>,
    pub(super) agreed: Option<&'a SystemPair<Value>>,
}

/// The rule of a row in this link. What another pair writes in Exact Online is only followed.
pub(super) fn in_force(link: &Link, rule: Rule) -> Rule {
    if link.follows.is_some() && rule.flow.reaches(System::ExactOnline) {
        Rule { flow: Flow::Follow(System::CustomCrm), ..rule }
    } else {
        rule
    }
}

/// What one value asks for. What it is called is asked for where that matters only: a large document has many cells.
pub(super) fn merge<'n>(
    link: &Link,
    cell: Cell<'_>,
    name: impl Fn() -> Cow<'n, PropertyName>,
) -> Option<Decision> {
    let Cell { rule, values, agreed } = cell;
    if values.customcrm.is_unresolved() || values.exactonline.is_unresolved() {
        return None;
    }
    let is_agreed = agreed.is_some_and(|agreed| {
        *values.customcrm == agreed.customcrm && *values.exactonline == agreed.exactonline
    });
    if values.customcrm == values.exactonline || is_agreed {
        return (!is_agreed || is_held(link, &name)).then(|| as_they_are(values));
    }
    let decision = match agreed {
        None => first(link, rule, values, name),
        Some(agreed) => later(link, rule, values, agreed, name),
    };
    match decision {
        Some(Decision::Write { to: System::ExactOnline, .. }) if rule.create_only => Some(Decision::TooLate),
        decision => decision,
    }
}

/// What two sides ask for that have never agreed.
fn first<'n>(
    link: &Link,
    rule: Rule,
    values: SystemPair<&Value>,
    name: impl Fn() -> Cow<'n, PropertyName>,
) -> Option<Decision> {
    let emptied = System::BOTH.into_iter().find(|system| values[*system].is_empty());
    if rule.stand_in && emptied.is_some_and(|system| stands_in(link, system, values[system.other()])) {
        return Some(as_they_are(values));
    }
    match (rule.flow, emptied) {
        (Flow::Follow(system), Some(empty)) if empty == system => {
            fill(rule, system, values, "only the other side is filled")
        }
        (Flow::Follow(_), _) => Some(as_they_are(values)),
        (_, Some(system)) => fill(rule, system, values, "only the other side is filled"),
        (_, None) if rule.create_only => {
            Some(towards(rule, System::CustomCrm, values, "the other side can't take it any more"))
        }
        (_, None) => Some(settle(rule, values, |system| edited_at(link, system, &name()))),
    }
}

/// Whether what the partner of an empty side holds stands for the emptiness. Of a record that another pair writes
/// nobody knows whether it does.
fn stands_in(link: &Link, empty: System, value: &Value) -> bool {
    let stand_in = link.sides[empty].as_ref().and_then(|side| side.stand_in.as_ref());
    let followed = link.follows.is_some() && empty == System::CustomCrm;
    followed || stand_in.is_some_and(|text| *value == Value::Text(text.clone()))
}

/// What two sides ask for that have agreed before.
fn later<'n>(
    link: &Link,
    rule: Rule,
    values: SystemPair<&Value>,
    agreed: &SystemPair<Value>,
    name: impl Fn() -> Cow<'n, PropertyName>,
) -> Option<Decision> {
    let changed = |system: System| *values[system] != agreed[system];
    let emptied = System::BOTH.into_iter().find(|system| values[*system].is_empty());
    let refilled = emptied.filter(|system| rule.keep_filled && changed(*system));
    if let Flow::Follow(system) = rule.flow {
        let leads = changed(system.other()) && refilled != Some(system.other());
        return leads.then(|| towards(rule, system, values, "it follows the other side"));
    }
    if let Some(system) = refilled {
        return fill(rule, system, values, "it may not be emptied");
    }
    match (changed(System::CustomCrm), changed(System::ExactOnline)) {
        (false, false) => None,
        (true, false) => Some(towards(rule, System::ExactOnline, values, "the other side was edited")),
        (false, true) => Some(towards(rule, System::CustomCrm, values, "the other side was edited")),
        (true, true) => Some(settle(rule, values, |system| edited_at(link, system, &name()))),
    }
}

fn as_they_are(values: SystemPair<&Value>) -> Decision {
    Decision::Agree(SystemPair {
        customcrm: values.customcrm.clone(),
        exactonline: values.exactonline.clone(),
    })
}

/// The empty side is filled; where the property does not flow there, nothing is emptied for it either.
fn fill(rule: Rule, empty: System, values: SystemPair<&Value>, why: &'static str) -> Option<Decision> {
    rule.flow.reaches(empty).then(|| towards(rule, empty, values, why))
}

/// Both sides changed to different values: the row's policy. When a side's people did so is asked for where the later
/// change wins.
pub(super) fn settle(
    rule: Rule,
    values: SystemPair<&Value>,
    edited_at: impl Fn(System) -> Option<Timestamp>,
) -> Decision {
    match rule.conflict {
        ConflictPolicy::Wins(winner) => {
            towards(rule, winner.other(), values, "both sides differ and the policy names the winner")
        }
        ConflictPolicy::Newest => match newest(System::BOTH.map(edited_at)) {
            Some(winner) => {
                towards(rule, winner.other(), values, "both sides differ and the newer change wins")
            }
            None => Decision::Conflict,
        },
        ConflictPolicy::Ask => Decision::Conflict,
    }
}

/// When a side's people changed a property last; where that is not known of the property, the record tells.
fn edited_at(link: &Link, system: System, name: &PropertyName) -> Option<Timestamp> {
    link.edited[system].get(name).copied().or_else(|| record_edited_at(link, system))
}

/// When a side's people changed the record last.
pub(super) fn record_edited_at(link: &Link, system: System) -> Option<Timestamp> {
    link.sides[system].as_ref().and_then(|side| side.modified_at)
}

/// The side of the later change; `None` where the clocks do not tell.
fn newest([customcrm, exactonline]: [Option<Timestamp>; 2]) -> Option<System> {
    match customcrm?.cmp(&exactonline?) {
        std::cmp::Ordering::Less => Some(System::ExactOnline),
        std::cmp::Ordering::Greater => Some(System::CustomCrm),
        std::cmp::Ordering::Equal => None,
    }
}

/// A write towards a side; where the property does not flow that way, the other side is set back instead.
fn towards(rule: Rule, to: System, values: SystemPair<&Value>, why: &'static str) -> Decision {
    let (to, why) =
        if rule.flow.reaches(to) { (to, why) } else { (to.other(), "the property flows only this way") };
    Decision::Write { to, value: values[to.other()].clone(), why }
}

/// Whether it waits for a person, be it that the breaker holds it.
fn is_held<'n>(link: &Link, name: impl Fn() -> Cow<'n, PropertyName>) -> bool {
    link.conflicts.contains(&*name())
}
