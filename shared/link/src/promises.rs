//! What must hold of every step of a link, whatever happens: the promises of the product, as far as one link can keep
//! them.
//!
//! The same functions judge the tests' histories, the model check and production, where a broken promise is an error
//! and counts. `ARCHITECTURE.md` lists them under the same names.

use std::collections::BTreeSet;

use model::{PropertyName, System, SystemPair, Value, View};

use crate::{
    Decision, Effect, Event, Link, Pending, Policy, Step, Write,
    decide::{decide, deletion_due, is_asleep},
};

/// A step that was taken.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The link before it.
    pub before: &'a Link,
    /// What happened.
    pub event: &'a Event,
    /// What became of it.
    pub step: &'a Step,
    /// The pair's rules.
    pub policy: &'a Policy,
}

/// Something that holds of every step.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    /// Its name in the documents, in metrics and in logs.
    pub id: &'static str,
    /// What it says.
    pub says: &'static str,
    holds: fn(&Taken<'_>) -> bool,
}

/// All of them.
pub const PROMISES: [Promise; 11] = [
    Promise {
        id: "L-1",
        says: "At most one write is in flight to a side; it has a claim of its own and stays as it was claimed.",
        holds: claims_stand,
    },
    Promise {
        id: "L-2",
        says: "What was agreed on changes only by a write, by a record that another one takes the place of, by a \
               person's word, or where both sides show it.",
        holds: agreements_have_a_reason,
    },
    Promise {
        id: "L-3",
        says: "What is held for a person is written to neither side.",
        holds: held_values_stay,
    },
    Promise {
        id: "L-4",
        says: "A sighting that shows nothing new is followed by no write.",
        holds: echoes_are_silent,
    },
    Promise {
        id: "L-5",
        says: "A record is made only where there is none, and gives way to another one only when that is a newer \
               version of it, or when it was deleted.",
        holds: nothing_is_doubled,
    },
    Promise {
        id: "L-6",
        says: "What a side lacks is on its way to it, or is held, refused, or waits for a reference.",
        holds: nothing_is_forgotten,
    },
    Promise {
        id: "L-7",
        says: "Nothing is written to the records of a link that has ended, waits or was taken apart.",
        holds: ended_links_rest,
    },
    Promise {
        id: "L-8",
        says: "What is known of a record never becomes older, and a write says which version it was decided on.",
        holds: versions_go_forward,
    },
    Promise {
        id: "L-9",
        says: "Whatever changes a link's status or its records is in its history, with the reason.",
        holds: changes_are_told,
    },
    Promise { id: "L-10", says: "A line of either side has one tie.", holds: lines_have_one_tie },
    Promise {
        id: "L-11",
        says: "Writers are told of each write that is queued, and of no other.",
        holds: writers_are_told,
    },
];

/// The promises that a step has broken: none, unless the code is wrong.
pub fn broken<'a>(taken: &'a Taken<'a>) -> impl Iterator<Item = &'static Promise> + 'a {
    PROMISES.iter().filter(|promise| !(promise.holds)(taken))
}

impl<'a> Taken<'a> {
    const fn after(&self) -> &'a Link {
        &self.step.link
    }

    /// The write that this step has claimed.
    fn claimed(&self) -> Option<(System, &'a Write)> {
        let Event::Claimed { system } = self.event else { return None };
        match &self.after().pending[*system] {
            Pending::InFlight { write, .. } => Some((*system, write)),
            Pending::Queued { .. } | Pending::None => None,
        }
    }
}

fn claims_stand(taken: &Taken<'_>) -> bool {
    let (before, after) = (taken.before, taken.after());
    let in_flight = |link: &Link, system: System| match &link.pending[system] {
        Pending::InFlight { write, claim, .. } => Some((*claim, write.clone())),
        Pending::Queued { .. } | Pending::None => None,
    };
    after.claims >= before.claims
        && System::BOTH.into_iter().all(|system| {
            match (in_flight(before, system), in_flight(after, system)) {
                (_, None) => true,
                (Some(before), Some(after)) if before.0 == after.0 => before.1 == after.1,
                (_, Some((claim, _))) => {
                    let is_claim = *taken.event == Event::Claimed { system };
                    is_claim && claim == after.claims && claim > before.claims
                }
            }
        })
}

fn agreements_have_a_reason(taken: &Taken<'_>) -> bool {
    let (before, after) = (taken.before, taken.after());
    if matches!(taken.event, Event::Resolved(_)) {
        return true;
    }
    let shown = |name: &PropertyName, agreed: &SystemPair<Value>| {
        System::BOTH.into_iter().all(|system| {
            let held = after.sides[system].as_ref().and_then(|side| side.view.get(name));
            // A side that lacks a line need not say so.
            held.unwrap_or(&Value::Empty) == &agreed[system]
        })
    };
    // A line that is found under another key brings its agreements along.
    let moved = |name: &PropertyName, agreed: &SystemPair<Value>| {
        let mut same_row = before.agreed.iter().filter(|(known, _)| known.row() == name.row());
        name.line().is_some() && same_row.any(|(_, known)| known == agreed)
    };
    let written = |name: &PropertyName| {
        let is_row = |sent: &View| sent.keys().any(|sent| sent == name || sent.row() == name.row());
        System::BOTH.into_iter().any(|system| before.pending[system].sent().is_some_and(is_row))
    };
    // What we had added and nobody had seen is agreed on in the target's rendition as soon as that shows.
    let awaited = |name: &PropertyName| {
        let Some(line) = name.line() else { return false };
        before.lines.get(&line).is_some_and(|keys| keys.customcrm.is_none() || keys.exactonline.is_none())
    };
    after
        .agreed
        .iter()
        .filter(|(name, agreed)| before.agreed.get(*name) != Some(*agreed))
        .all(|(name, agreed)| shown(name, agreed) || written(name) || awaited(name) || moved(name, agreed))
}

fn held_values_stay(taken: &Taken<'_>) -> bool {
    let is_held = |name: &PropertyName| taken.after().conflicts.contains(name);
    taken.claimed().is_none_or(|(_, write)| !write.values().keys().any(is_held))
}

fn echoes_are_silent(taken: &Taken<'_>) -> bool {
    let Event::Observed { system, observation } = taken.event else { return true };
    let Some(side) = taken.before.sides[*system].as_ref().filter(|_| taken.before.has_both()) else {
        return true;
    };
    // Which lines of a document are new is known after they were brought under their ties.
    let shows_lines = observation.whole_lines && taken.policy.lines.is_some();
    let is_new = shows_lines
        || side.record != observation.record
        || side.presence != observation.presence
        || observation.view.iter().any(|(name, value)| side.view.get(name) != Some(value));
    let is_silent = !taken.step.effects.iter().any(|effect| matches!(effect, Effect::Enqueue(_)));
    // It may also show that a write in flight was carried out, and then what was edited meanwhile follows.
    let shows_write = taken.before.pending[*system].sent().is_some();
    is_silent || shows_write || (is_new && !taken.step.effects.contains(&Effect::Echo(*system)))
}

fn nothing_is_doubled(taken: &Taken<'_>) -> bool {
    let (before, after) = (taken.before, taken.after());
    let makes_where_none_is = taken.claimed().is_none_or(|(system, write)| match write {
        Write::Create { .. } => after.sides[system].is_none(),
        Write::Update { record, .. } | Write::Delete { record, .. } => after.record(system) == Some(record),
    });
    makes_where_none_is
        && System::BOTH.into_iter().all(|system| {
            let (Some(known), Some(now)) = (&before.sides[system], after.record(system)) else { return true };
            let was_deleted = known.presence == model::Presence::Deleted;
            known.record == *now
                || match taken.event {
                    Event::Superseded { .. } => true,
                    Event::Joined { .. } => was_deleted,
                    _ => false,
                }
        })
}

fn nothing_is_forgotten(taken: &Taken<'_>) -> bool {
    let after = taken.after();
    let mut wanted = SystemPair { customcrm: View::new(), exactonline: View::new() };
    for (name, decision) in decide(after, taken.policy, None) {
        if let Decision::Write { to, value, .. } | Decision::WithLine { to, value } = decision {
            wanted[to].insert(name, value);
        }
    }
    System::BOTH.into_iter().all(|system| {
        let refused = after.rejected[system].as_ref().map(|rejection| &rejection.values);
        let is_wanted = !wanted[system].is_empty() || deletion_due(after, taken.policy) == Some(system);
        !is_wanted || after.pending[system] != Pending::None || refused == Some(&wanted[system])
    })
}

fn ended_links_rest(taken: &Taken<'_>) -> bool {
    let is_queued = |system: System| matches!(taken.after().pending[system], Pending::Queued { .. });
    !is_asleep(taken.after()) || (taken.claimed().is_none() && !System::BOTH.into_iter().any(is_queued))
}

fn versions_go_forward(taken: &Taken<'_>) -> bool {
    let (before, after) = (taken.before, taken.after());
    let is_forward =
        System::BOTH.into_iter().all(|system| match (&before.sides[system], &after.sides[system]) {
            (Some(known), Some(now)) if known.record == now.record => now.version >= known.version,
            _ => true,
        });
    is_forward
        && taken.claimed().is_none_or(|(system, write)| match write {
            Write::Create { .. } => true,
            Write::Update { version, .. } | Write::Delete { version, .. } => {
                after.sides[system].as_ref().is_some_and(|side| *version <= side.version)
            }
        })
}

fn changes_are_told(taken: &Taken<'_>) -> bool {
    let (before, after) = (taken.before, taken.after());
    let is_told = taken.step.effects.iter().any(|effect| matches!(effect, Effect::Note(_)));
    let same_records = System::BOTH.into_iter().all(|system| before.record(system) == after.record(system));
    is_told
        || (same_records && before.status == after.status && before.conflicts.is_superset(&after.conflicts))
}

fn lines_have_one_tie(taken: &Taken<'_>) -> bool {
    System::BOTH.into_iter().all(|system| {
        let mut seen = BTreeSet::new();
        let own = taken.after().lines.values().filter_map(|keys| keys[system].as_ref());
        own.into_iter().all(|key| seen.insert(key))
    })
}

fn writers_are_told(taken: &Taken<'_>) -> bool {
    let is_queued = |link: &Link, system: System| matches!(link.pending[system], Pending::Queued { .. });
    System::BOTH.into_iter().all(|system| {
        let told = taken.step.effects.iter().filter(|effect| **effect == Effect::Enqueue(system)).count();
        let (was, is) = (is_queued(taken.before, system), is_queued(taken.after(), system));
        // A write that is withdrawn may make place for another one, of which they are told anew.
        told <= usize::from(is) && told >= usize::from(is && !was)
    })
}
