//! Whatever happens in whatever order: when edits and faults stop, both sides agree and no edit is lost.

use model::System;
use proptest::{collection::vec, prelude::*};

use super::world::{Action, Start, World};

/// About two thousand histories, unless the environment names another number.
pub(super) fn cases() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        default
    } else {
        ProptestConfig { cases: 2_000, ..default }
    }
}

pub(super) fn systems() -> impl Strategy<Value = System> {
    prop_oneof![Just(System::CustomCrm), Just(System::ExactOnline)]
}

fn starts() -> impl Strategy<Value = Start> {
    prop_oneof![2 => Just(Start::Linked), 1 => systems().prop_map(Start::Alone)]
}

/// What happens next: mostly one thing, at times a few that follow each other in an ordinary day, so that edits
/// get as far as the writers before something else goes wrong.
fn happenings() -> impl Strategy<Value = Vec<Action>> {
    let edits = || {
        (systems(), 0..6_usize, 0..6_usize).prop_map(|(system, name, text)| Action::Edit(system, name, text))
    };
    let alone = prop_oneof![
        6 => edits(),
        4 => systems().prop_map(Action::Poll),
        5 => (systems(), 0..4_usize, any::<bool>())
            .prop_map(|(system, place, keep)| Action::Deliver(system, place, keep)),
        3 => systems().prop_map(Action::Claim),
        3 => systems().prop_map(Action::Send),
        4 => systems().prop_map(Action::Answer),
        3 => (systems(), any::<bool>()).prop_map(|(system, late)| Action::Crash(system, late)),
        2 => (0..4_usize).prop_map(Action::Late),
        1 => Just(Action::Rest),
    ];
    prop_oneof![
        5 => alone.prop_map(|action| vec![action]),
        2 => edits().prop_map(|edit| {
            let Action::Edit(system, ..) = edit else { unreachable!("an edit") };
            vec![edit, Action::Poll(system), Action::Deliver(system, 0, false)]
        }),
        1 => systems().prop_map(|system| vec![Action::Claim(system), Action::Send(system)]),
        1 => (systems(), any::<bool>()).prop_map(|(system, late)| {
            vec![Action::Claim(system), Action::Send(system), Action::Crash(system, late)]
        }),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn both_sides_agree_in_the_end_and_no_edit_is_lost(
        start in starts(),
        vouches in any::<bool>(),
        values in vec(0..6_usize, 6),
        history in vec(happenings(), 0..45),
        first in 0..6_usize,
        edited in 1..=6_usize,
    ) {
        let mut world = World::new(start, vouches, &values);
        // In most histories people edit a few properties only: that is where edits meet.
        for action in history.iter().flatten() {
            match *action {
                Action::Edit(system, name, text) => {
                    world.act(&Action::Edit(system, first + name % edited, text));
                }
                ref other => world.act(other),
            }
        }
        world.act(&Action::Rest);
        world.hears_everything_again();
        let writes = world.remote_writes;
        world.act(&Action::Rest);
        prop_assert_eq!(world.remote_writes, writes, "what is at rest stays at rest");
    }
}
