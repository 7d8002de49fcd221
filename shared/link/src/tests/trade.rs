//! Two people who work on one document each: when they and all faults stop, both documents have the same lines, none
//! doubled and none lost.

mod paper;
mod people;
mod promises;
mod world;

use model::System;
use proptest::{collection::vec, option, prelude::*};

use self::world::{Action, Setting, World};
use super::{
    convergence::{cases, systems},
    fixture::{CRM, EXACT},
};
use crate::ConflictPolicy;

fn settings() -> impl Strategy<Value = Setting> {
    let removals = prop_oneof![
        Just(ConflictPolicy::Wins(CRM)),
        Just(ConflictPolicy::Wins(EXACT)),
        Just(ConflictPolicy::Newest),
        Just(ConflictPolicy::Ask),
    ];
    let modes = (prop::bool::weighted(0.3), any::<bool>(), any::<bool>());
    (option::weighted(0.4, systems()), 0..4_usize, modes, removals).prop_map(
        |(alone, lines, (shared, tells_lines, plain), removals)| Setting {
            alone,
            lines,
            shared,
            tells_lines,
            plain,
            removals,
        },
    )
}

fn edits() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (systems(), 0..3_usize, prop::bool::weighted(0.8))
            .prop_map(|(system, number, linked)| Action::Add(system, number, linked)),
        5 => (systems(), 0..4_usize, 0..3_usize, 0..3_usize)
            .prop_map(|(system, line, cell, text)| Action::Edit(system, line, cell, text)),
        2 => (systems(), 0..4_usize).prop_map(|(system, line)| Action::Remove(system, line)),
        1 => (systems(), 0..4_usize).prop_map(|(system, line)| Action::Renew(system, line)),
        1 => systems().prop_map(Action::Reorder),
        1 => Just(Action::Review),
    ]
}

fn side_of(edit: &Action) -> System {
    match edit {
        Action::Add(system, ..)
        | Action::Edit(system, ..)
        | Action::Remove(system, _)
        | Action::Renew(system, _)
        | Action::Reorder(system) => *system,
        _ => EXACT,
    }
}

/// What happens next: mostly one thing, at times a few that follow each other in an ordinary day.
fn happenings() -> impl Strategy<Value = Vec<Action>> {
    let alone = prop_oneof![
        6 => edits(),
        4 => systems().prop_map(Action::Poll),
        5 => (systems(), 0..4_usize, any::<bool>())
            .prop_map(|(system, place, keep)| Action::Deliver(system, place, keep)),
        3 => systems().prop_map(Action::Claim),
        3 => systems().prop_map(|system| Action::Send(system, None)),
        4 => systems().prop_map(Action::Answer),
        2 => (systems(), any::<bool>()).prop_map(|(system, late)| Action::Crash(system, late)),
        1 => (0..4_usize).prop_map(|calls| Action::Send(EXACT, Some(calls))),
        2 => (0..4_usize).prop_map(Action::Late),
        1 => Just(Action::Resolve),
        1 => Just(Action::Rest),
    ];
    prop_oneof![
        5 => alone.prop_map(|action| vec![action]),
        3 => edits().prop_map(|edit| {
            let system = side_of(&edit);
            vec![edit, Action::Poll(system), Action::Deliver(system, 0, false)]
        }),
        1 => systems().prop_map(|system| vec![Action::Claim(system), Action::Send(system, None)]),
        1 => (systems(), any::<bool>()).prop_map(|(system, late)| {
            vec![Action::Claim(system), Action::Send(system, None), Action::Crash(system, late)]
        }),
        1 => (0..4_usize).prop_map(|calls| vec![Action::Claim(EXACT), Action::Send(EXACT, Some(calls))]),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn both_documents_have_the_same_lines_in_the_end_and_none_is_doubled_or_lost(
        setting in settings(),
        history in vec(happenings(), 0..40),
    ) {
        let mut world = World::new(setting);
        for action in history.iter().flatten() {
            world.act(action);
        }
        world.act(&Action::Rest);
        world.hears_everything_again();
        let writes = world.remote_writes;
        world.act(&Action::Rest);
        prop_assert_eq!(world.remote_writes, writes, "what is at rest stays at rest");
    }
}

/// The CRM begins with one line, of a product of its own, and a partner that has none.
const SETTING: Setting = Setting {
    alone: None,
    lines: 1,
    shared: false,
    tells_lines: false,
    plain: false,
    removals: ConflictPolicy::Wins(CRM),
};

/// Plays a history that failed once, because the link was wrong or the world held for certain what nobody can know.
fn play(setting: Setting, history: &[Action]) {
    let mut world = World::new(setting);
    for action in history {
        world.act(action);
    }
    world.act(&Action::Rest);
    world.hears_everything_again();
}

#[test]
fn a_line_that_is_added_to_a_reviewed_document_may_be_taken_for_the_copy_of_a_removed_one() {
    use Action::*;
    let setting = Setting { alone: Some(EXACT), shared: true, ..SETTING };
    let made = [Claim(CRM), Send(CRM, None), Poll(CRM), Deliver(CRM, 0, false)];
    let removed = [Remove(CRM, 0), Poll(CRM), Deliver(CRM, 0, false), Claim(EXACT), Send(EXACT, Some(1))];
    for added in [[Review, Add(EXACT, 0, false)], [Add(EXACT, 0, false), Review]] {
        let seen = [Poll(EXACT), Deliver(EXACT, 0, false)];
        play(setting.clone(), &[&made[..], &removed, &added, &seen].concat());
    }
}

#[test]
fn an_edit_that_a_refused_repetition_hides_stands_against_a_removal() {
    use Action::*;
    let setting = Setting { tells_lines: true, plain: true, removals: ConflictPolicy::Ask, ..SETTING };
    let edited = [Rest, Edit(CRM, 0, 0, 1), Poll(CRM), Deliver(CRM, 0, false)];
    let crashed = [Claim(EXACT), Send(EXACT, Some(1)), Review];
    let removed = [Remove(CRM, 0), Poll(CRM), Deliver(CRM, 0, false)];
    play(setting, &[&edited[..], &crashed, &removed].concat());
}

#[test]
fn a_line_that_was_removed_before_it_was_seen_is_added_again_by_a_write_that_is_repeated() {
    use Action::*;
    let setting = Setting { tells_lines: true, plain: true, removals: ConflictPolicy::Ask, ..SETTING };
    let removed = [Remove(EXACT, 0), Poll(EXACT), Deliver(EXACT, 0, false)];
    let crashed = [Claim(EXACT), Send(EXACT, None), Crash(EXACT, false)];
    let repeated = [Claim(EXACT), Send(EXACT, None)];
    let edited = [Edit(EXACT, 0, 0, 1), Poll(EXACT), Deliver(EXACT, 0, false)];
    let given_up = [Remove(CRM, 0), Poll(CRM), Deliver(CRM, 0, false)];
    play(setting, &[&crashed[..], &removed, &repeated, &edited, &given_up].concat());
}

#[test]
fn an_edit_that_is_seen_without_its_line_makes_no_line_younger() {
    use Action::*;
    let setting = Setting { removals: ConflictPolicy::Newest, ..SETTING };
    let crashed = [Claim(EXACT), Send(EXACT, None), Crash(EXACT, false)];
    let repeated = [Claim(EXACT), Send(EXACT, None), Answer(EXACT)];
    let removed = [Remove(EXACT, 0), Poll(EXACT), Deliver(EXACT, 0, false), Claim(EXACT)];
    let unseen = [Add(CRM, 0, false), Remove(CRM, 1), Poll(CRM), Deliver(CRM, 0, false)];
    play(setting, &[&crashed[..], &repeated, &removed, &unseen].concat());
}

#[test]
fn a_claim_that_finds_nothing_to_give_may_find_a_line_that_asks_for_another_write() {
    use Action::*;
    let setting = Setting { shared: true, ..SETTING };
    let crashed = [Claim(EXACT), Send(EXACT, None), Crash(EXACT, false)];
    let repeated = [Claim(EXACT), Send(EXACT, None), Answer(EXACT)];
    let removed = [Remove(CRM, 0), Poll(CRM), Deliver(CRM, 0, false)];
    let added = [Add(CRM, 2, false), Poll(CRM), Deliver(CRM, 0, false), Review];
    let claimed = [Claim(CRM), Send(CRM, None), Crash(CRM, false)];
    let history = [&crashed[..], &repeated, &removed, &crashed, &added, &repeated, &claimed];
    play(setting, &history.concat());
}

#[test]
fn a_line_that_looks_nearly_as_the_one_that_is_being_added_is_not_taken_for_it() {
    use Action::*;
    let setting = Setting {
        alone: Some(CRM),
        lines: 2,
        shared: true,
        tells_lines: true,
        plain: true,
        removals: ConflictPolicy::Newest,
    };
    let added = [Rest, Add(EXACT, 0, true), Remove(EXACT, 1), Poll(EXACT), Deliver(EXACT, 0, false)];
    let sent = [Claim(CRM), Send(CRM, None)];
    let renewed = [Edit(CRM, 3, 0, 1), Renew(CRM, 0), Poll(CRM), Deliver(CRM, 0, false)];
    play(setting, &[&added[..], &sent, &renewed].concat());
}

#[test]
fn a_line_that_is_left_in_a_reviewed_document_is_not_the_one_that_we_have_removed() {
    use Action::*;
    let setting = Setting { shared: true, ..SETTING };
    let added = |system, number| [Add(system, number, false), Poll(system), Deliver(system, 0, false)];
    let removed = [Remove(CRM, 0), Poll(CRM), Deliver(CRM, 0, false), Claim(EXACT), Send(EXACT, None)];
    let reviewed = [Review, Poll(EXACT), Deliver(EXACT, 0, false)];
    let begun = [Add(EXACT, 2, false), Rest];
    play(setting, &[&begun[..], &added(EXACT, 2), &added(CRM, 0), &removed, &reviewed].concat());
}

#[test]
fn what_a_line_shows_is_no_rendition_of_what_was_agreed_on_after_it_was_written() {
    use Action::*;
    let setting = Setting { alone: Some(EXACT), ..SETTING };
    let seen = |system| [Poll(system), Deliver(system, 0, false)];
    let created = [Claim(CRM), Send(CRM, None), Edit(EXACT, 0, 0, 1)];
    let crashed = [Answer(CRM), Claim(CRM), Remove(EXACT, 2)];
    let edited = [Edit(CRM, 0, 1, 0)];
    let restored = [Crash(CRM, false), Claim(EXACT), Send(EXACT, None), Crash(EXACT, true)];
    let history = [&created[..], &seen(EXACT), &crashed, &seen(EXACT), &edited, &seen(CRM), &restored];
    play(setting, &history.concat());
}
