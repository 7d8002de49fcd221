//! Neither system is special: with the sides and the policies exchanged, the step is the same, exchanged.

use std::collections::BTreeMap;

use model::{Presence, PropertyName, RecordId, System, SystemPair, Value, Version, View};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    convergence::{cases, systems},
    fixture::{alone, at, property, record, value},
};
use crate::{
    Choice, ConflictPolicy, DeleteConflict, DeletePolicy, Effect, Event, Failure, Flow, Link, Observation,
    Pending, Policy, Rejection, Rule, Side, Status, Step, Turn, Write, step,
};

fn names() -> impl Strategy<Value = PropertyName> {
    select(vec!["a", "b", "c"]).prop_map(property)
}

fn values() -> impl Strategy<Value = Value> {
    select(vec!["", "x", "y", "z", "@r"]).prop_map(value)
}

fn views() -> impl Strategy<Value = View> {
    vec((names(), values()), 0..5).prop_map(|pairs| pairs.into_iter().collect())
}

fn records() -> impl Strategy<Value = RecordId> {
    prop_oneof![9 => Just(record("r1")), 1 => Just(record("r2"))]
}

fn versions() -> impl Strategy<Value = Option<Version>> {
    option::weighted(0.8, (0..5_u64).prop_map(Version))
}

fn presences() -> impl Strategy<Value = Presence> {
    prop_oneof![4 => Just(Presence::Present), 1 => Just(Presence::Deleted)]
}

fn moments() -> impl Strategy<Value = jiff::Timestamp> {
    (0..100_i64).prop_map(at)
}

fn pairs<T: std::fmt::Debug>(of: impl Strategy<Value = T> + 'static) -> impl Strategy<Value = SystemPair<T>> {
    let of = of.boxed();
    (of.clone(), of).prop_map(|(customcrm, exactonline)| SystemPair { customcrm, exactonline })
}

fn sides() -> impl Strategy<Value = Side> {
    (records(), versions(), option::of(moments()), views(), presences()).prop_map(
        |(record, version, modified_at, view, presence)| Side {
            record,
            version,
            modified_at,
            view,
            presence,
            admitted: true,
            stand_in: None,
        },
    )
}

fn pendings() -> impl Strategy<Value = Pending> {
    let writes = prop_oneof![
        views().prop_map(|values| Write::Create { values }),
        (records(), versions(), views()).prop_map(|(record, version, values)| Write::Update {
            record,
            version,
            values
        }),
        (records(), versions()).prop_map(|(record, version)| Write::Delete { record, version }),
    ];
    prop_oneof![
        Just(Pending::None),
        moments().prop_map(|since| Pending::Queued { since }),
        (writes, 0..3_u64, 1..3_u32, moments())
            .prop_map(|(write, claim, attempt, since)| Pending::InFlight { write, claim, attempt, since }),
    ]
}

fn statuses() -> impl Strategy<Value = Status> {
    prop_oneof![
        2 => Just(Status::Unmatched),
        1 => Just(Status::Ambiguous(vec![record("r3")])),
        6 => Just(Status::Linked),
        1 => Just(Status::Missing),
        1 => Just(Status::DeletedAgainstEdit),
        1 => Just(Status::Ended),
        1 => Just(Status::Unlinked),
    ]
}

fn links() -> impl Strategy<Value = Link> {
    let rejections =
        (views(), moments()).prop_map(|(values, at)| Rejection { words: "no".to_owned(), values, at });
    let turns = (names(), systems(), moments(), 0..9_u8)
        .prop_map(|(name, to, at, count)| (name, Turn { to, at, count }));
    (
        statuses(),
        pairs(option::weighted(0.9, sides())),
        vec((names(), pairs(values())), 0..4),
        pairs(pendings()),
        pairs(option::weighted(0.2, rejections)),
        vec(names(), 0..2),
        vec(turns, 0..3),
        (pairs(vec((names(), moments()), 0..2)), pairs(option::weighted(0.2, (records(), versions())))),
    )
        .prop_map(|(status, sides, agreed, pending, rejected, conflicts, turns, (edited, former))| Link {
            status,
            sides,
            agreed: agreed.into_iter().collect(),
            pending,
            rejected,
            conflicts: conflicts.into_iter().collect(),
            turns: turns.into_iter().collect(),
            edited: SystemPair {
                customcrm: edited.customcrm.into_iter().collect(),
                exactonline: edited.exactonline.into_iter().collect(),
            },
            former: SystemPair {
                customcrm: former.customcrm.into_iter().collect(),
                exactonline: former.exactonline.into_iter().collect(),
            },
            claims: 3,
            ..alone(&[])
        })
        .prop_filter("a link has at least one record", |link| link.sides != SystemPair::default())
}

fn observations() -> impl Strategy<Value = Observation> {
    (records(), versions(), option::of(moments()), any::<bool>(), presences(), views()).prop_map(
        |(record, version, modified_at, by_us, presence, view)| Observation {
            record,
            version,
            modified_at,
            by_us,
            presence,
            view,
            whole_lines: true,
            admitted: true,
            stand_in: None,
        },
    )
}

fn choices() -> impl Strategy<Value = Choice> {
    prop_oneof![
        3 => (names(), systems()).prop_map(|(property, from)| Choice::Take { property, from }),
        1 => names().prop_map(|property| Choice::Accept { property }),
        1 => Just(Choice::Delete),
        1 => Just(Choice::Recreate),
        1 => Just(Choice::Unlink),
        1 => Just(Choice::Relink),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let failures = prop_oneof![
        Just(Failure::Rejected { words: "no".to_owned() }),
        option::of(observations()).prop_map(|now| Failure::Stale { now }),
        Just(Failure::Gone),
        Just(Failure::FoundSeveral { candidates: vec![record("r3")] }),
    ];
    prop_oneof![
        4 => (systems(), observations())
            .prop_map(|(system, observation)| Event::Observed { system, observation }),
        1 => (systems(), sides()).prop_map(|(system, side)| Event::Joined { system, side }),
        1 => Just(Event::FoundSeveral { candidates: vec![record("r3"), record("r4")] }),
        1 => Just(Event::Released),
        3 => systems().prop_map(|system| Event::Claimed { system }),
        3 => (systems(), 0..3_u64, records(), option::of(observations()))
            .prop_map(|(system, claim, record, after)| Event::Applied { system, claim, record, after }),
        1 => (systems(), 0..3_u64, sides())
            .prop_map(|(system, claim, side)| Event::Adopted { system, claim, side }),
        3 => (systems(), 0..3_u64, failures)
            .prop_map(|(system, claim, failure)| Event::Failed { system, claim, failure }),
        1 => (systems(), names(), values())
            .prop_map(|(system, property, value)| Event::ReferenceLinked { system, property, value }),
        1 => (systems(), sides()).prop_map(|(system, side)| Event::Superseded { system, side }),
        3 => choices().prop_map(Event::Resolved),
    ]
}

fn policies() -> impl Strategy<Value = Policy> {
    let flows = prop_oneof![3 => Just(Flow::Both), 1 => systems().prop_map(Flow::To)];
    let conflicts = prop_oneof![
        2 => systems().prop_map(ConflictPolicy::Wins),
        1 => Just(ConflictPolicy::Newest),
        1 => Just(ConflictPolicy::Ask),
    ];
    let rules = (flows, conflicts, any::<bool>()).prop_map(|(flow, conflict, keep_filled)| Rule {
        flow,
        conflict,
        keep_filled,
        ..Rule::default()
    });
    let deletes = prop_oneof![
        Just(DeletePolicy::Unlink),
        Just(DeletePolicy::Ignore),
        Just(DeletePolicy::Propagate),
        (names(), values()).prop_map(|(name, value)| DeletePolicy::Archive(name, value)),
    ];
    let delete_conflicts =
        select(vec![DeleteConflict::Delete, DeleteConflict::Recreate, DeleteConflict::Ask]);
    (vec((names(), rules), 0..4), pairs(any::<bool>()), pairs(deletes), delete_conflicts).prop_map(
        |(rules, creates, deletes, delete_conflict)| Policy {
            rules: rules.into_iter().collect(),
            creates,
            deletes,
            delete_conflict,
            lines: None,
        },
    )
}

fn mirrored_link(link: Link) -> Link {
    Link {
        sides: link.sides.swapped(),
        agreed: link.agreed.into_iter().map(|(name, agreed)| (name, agreed.swapped())).collect(),
        pending: link.pending.swapped(),
        rejected: link.rejected.swapped(),
        edited: link.edited.swapped(),
        former: link.former.swapped(),
        turns: link
            .turns
            .into_iter()
            .map(|(name, turn)| (name, Turn { to: turn.to.other(), ..turn }))
            .collect(),
        ..link
    }
}

fn mirrored_event(event: Event) -> Event {
    match event {
        Event::Observed { system, observation } => Event::Observed { system: system.other(), observation },
        Event::Joined { system, side } => Event::Joined { system: system.other(), side },
        Event::Claimed { system } => Event::Claimed { system: system.other() },
        Event::Applied { system, claim, record, after } => {
            Event::Applied { system: system.other(), claim, record, after }
        }
        Event::Adopted { system, claim, side } => Event::Adopted { system: system.other(), claim, side },
        Event::Failed { system, claim, failure } => Event::Failed { system: system.other(), claim, failure },
        Event::Superseded { system, side } => Event::Superseded { system: system.other(), side },
        Event::ReferenceLinked { system, property, value } => {
            Event::ReferenceLinked { system: system.other(), property, value }
        }
        Event::Resolved(Choice::Take { property, from }) => {
            Event::Resolved(Choice::Take { property, from: from.other() })
        }
        Event::FoundSeveral { .. } | Event::Released | Event::Resolved(_) => event,
    }
}

fn mirrored_policy(policy: Policy) -> Policy {
    let mirrored = |rule: Rule| Rule {
        flow: match rule.flow {
            Flow::Both => Flow::Both,
            Flow::To(system) => Flow::To(system.other()),
            Flow::Follow(system) => Flow::Follow(system.other()),
        },
        conflict: match rule.conflict {
            ConflictPolicy::Wins(system) => ConflictPolicy::Wins(system.other()),
            ConflictPolicy::Newest | ConflictPolicy::Ask => rule.conflict,
        },
        ..rule
    };
    let rules: BTreeMap<_, _> = policy.rules.into_iter().map(|(name, rule)| (name, mirrored(rule))).collect();
    Policy {
        rules,
        creates: policy.creates.swapped(),
        deletes: policy.deletes.swapped(),
        delete_conflict: policy.delete_conflict,
        lines: policy.lines,
    }
}

fn mirrored_effect(effect: Effect) -> Effect {
    match effect {
        Effect::Enqueue(system) => Effect::Enqueue(system.other()),
        Effect::Wake => Effect::Wake,
        Effect::Echo(system) => Effect::Echo(system.other()),
        Effect::Note(text) => {
            let [crm, exact] = System::BOTH.map(System::name);
            Effect::Note(text.replace(crm, "\0").replace(exact, crm).replace('\0', exact))
        }
    }
}

/// The effects of one step are carried out together: their order means nothing.
fn sorted(effects: impl IntoIterator<Item = Effect>) -> Vec<String> {
    let mut words: Vec<_> = effects.into_iter().map(|effect| format!("{effect:?}")).collect();
    words.sort();
    words
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn with_the_sides_exchanged_the_step_is_the_same_exchanged(
        link in links(),
        event in events(),
        policy in policies(),
        released in any::<bool>(),
    ) {
        let Step { link: straight, effects } = step(link.clone(), event.clone(), &policy, released, at(50));
        let mirror =
            step(mirrored_link(link), mirrored_event(event), &mirrored_policy(policy), released, at(50));
        prop_assert_eq!(mirror.link, mirrored_link(straight));
        prop_assert_eq!(sorted(mirror.effects), sorted(effects.into_iter().map(mirrored_effect)));
    }

    #[test]
    fn a_step_tells_a_writer_exactly_of_what_it_has_queued(
        link in links(),
        event in events(),
        policy in policies(),
        released in any::<bool>(),
    ) {
        let next = step(link.clone(), event, &policy, released, at(50));
        for system in System::BOTH {
            let is_queued = |link: &Link| matches!(link.pending[system], Pending::Queued { .. });
            let told = next.effects.iter().filter(|effect| **effect == Effect::Enqueue(system)).count();
            // A create that is withdrawn may make place for another write, of which it is told anew.
            prop_assert!(told <= usize::from(is_queued(&next.link)));
            prop_assert!(told >= usize::from(is_queued(&next.link) && !is_queued(&link)));
        }
        prop_assert!(next.link.claims >= link.claims);
    }
}
