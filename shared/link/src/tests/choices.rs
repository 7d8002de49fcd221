//! What people decide.

use model::{SystemPair, Version};

use super::{
    document::{linked_paper, papers, seen_paper, with},
    fixture::{BOTH_WAYS, CRM, EXACT, Story, gone, linked, ours, plain, policy, property, record, view},
};
use crate::{
    Choice, ConflictPolicy, DeleteConflict, DeletePolicy, Effect, Event, Flow, Policy, Rule, Status, Write,
};

const ASK: Rule = Rule { conflict: ConflictPolicy::Ask, ..BOTH_WAYS };

fn take(name: &str, from: model::System) -> Event {
    Event::Resolved(Choice::Take { property: property(name), from })
}

/// Both sides have edited `a`, and a person is asked.
fn held() -> Story {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), policy(&[("a", ASK), ("b", BOTH_WAYS)]));
    story.edited(CRM, 2, &[("a", "X"), ("b", "B")]).edited(EXACT, 2, &[("a", "Y"), ("b", "B")]).claims(EXACT);
    assert!(story.link.conflicts.contains(&property("a")) && story.link.is_at_rest());
    story
}

/// Nothing but the word that the choice does not fit any more.
fn was_refused(story: &Story) -> bool {
    matches!(story.effects.as_slice(), [Effect::Note(text)] if text.contains("does not fit"))
}

#[test]
fn the_side_that_a_person_chooses_is_carried_over_and_the_conflict_is_gone() {
    for (from, to, taken) in [(CRM, EXACT, "X"), (EXACT, CRM, "Y")] {
        let mut story = held();
        story.then(take("a", from));
        assert_eq!(story.enqueued(), [to]);
        story.claims(to);
        assert_eq!(story.write(to).values(), &view(&[("a", taken)]));
        story.applies(to, Some(ours(to, 3, &[("a", taken), ("b", "B")])));
        assert!(story.link.conflicts.is_empty() && story.link.is_at_rest());
        assert_eq!(story.agreed("a"), Some((taken.to_owned(), taken.to_owned())));
    }
}

#[test]
fn an_edit_after_a_persons_choice_is_held_as_a_conflict_again() {
    let mut story = held();
    story.then(take("a", CRM)).edited(EXACT, 3, &[("a", "Z"), ("b", "B")]).claims(EXACT);
    assert!(story.link.conflicts.contains(&property("a")), "the person had not seen Z");
    assert!(story.link.is_at_rest());
}

#[test]
fn what_a_person_accepts_as_it_is_is_written_to_nobody_and_later_edits_flow() {
    let mut story = held();
    story.then(Event::Resolved(Choice::Accept { property: property("a") }));
    assert!(story.link.conflicts.is_empty() && story.link.is_at_rest());
    story.edited(CRM, 3, &[("a", "X2"), ("b", "B")]).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "X2")]));
}

#[test]
fn a_property_that_the_breaker_holds_goes_on_by_a_persons_choice() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    let turn = crate::Turn { to: CRM, at: super::fixture::at(0), count: crate::decide::TURNS_MAX };
    story.link.turns.insert(property("a"), turn);
    story.edited(CRM, 2, &[("a", "X")]);
    assert!(story.link.conflicts.contains(&property("a")) && story.link.is_at_rest());
    story.then(take("a", CRM)).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "X")]));
}

#[test]
fn a_choice_can_not_make_a_property_flow_where_it_does_not() {
    let only_to_crm = Rule { flow: Flow::To(CRM), ..ASK };
    let create_only = Rule { create_only: true, ..BOTH_WAYS };
    for (rule, held) in [(only_to_crm, false), (create_only, true)] {
        let mut story = Story::of(linked(&[("a", "A")]), policy(&[("a", rule)]));
        story.edited(CRM, 2, &[("a", "X")]).then(take("a", CRM)).claims(EXACT);
        assert_eq!(story.link.pending[EXACT], crate::Pending::None, "{rule:?}");
        assert_eq!(story.link.conflicts.contains(&property("a")), held, "{rule:?}");
    }
}

#[test]
fn a_choice_about_what_is_equal_by_now_changes_nothing() {
    let mut story = held();
    story.edited(EXACT, 3, &[("a", "X"), ("b", "B")]);
    let link = story.link.clone();
    for choice in [
        take("a", EXACT),
        Event::Resolved(Choice::Accept { property: property("a") }),
        take("unknown", CRM),
        Event::Resolved(Choice::Delete),
        Event::Resolved(Choice::Recreate),
        Event::Resolved(Choice::Relink),
    ] {
        story.then(choice);
        assert!(was_refused(&story), "{:?}", story.effects);
        assert_eq!(story.link, link);
    }
}

#[test]
fn a_choice_about_what_one_side_alone_shows_or_of_records_taken_apart_changes_nothing() {
    let mut shown = Story::of(linked(&[("a", "A")]), plain());
    shown.edited(CRM, 2, &[("a", "A"), ("c", "C")]).then(take("c", CRM));
    assert!(was_refused(&shown), "{:?}", shown.effects);
    let mut apart = held();
    apart.then(Event::Resolved(Choice::Unlink)).then(take("a", CRM));
    assert!(was_refused(&apart), "{:?}", apart.effects);
}

#[test]
fn a_record_without_a_partner_can_not_be_taken_apart() {
    let mut story = Story::of(super::fixture::alone(&[("a", "A")]), plain());
    story.then(Event::Resolved(Choice::Unlink));
    assert!(was_refused(&story), "{:?}", story.effects);
    assert_eq!(story.link.status, Status::Unmatched);
}

#[test]
fn a_new_line_that_a_person_does_not_want_is_removed_again() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 2 10", "L2 q 1 5"]));
    story.then(Event::Resolved(Choice::Take { property: super::document::there("L2"), from: EXACT }));
    assert_eq!(story.told(CRM), ["no L2"]);
    assert_eq!(story.told(EXACT), [""; 0]);
}

/// A line is removed in the CRM while it was edited in Exact, and a person is asked.
fn held_line() -> Story {
    let lines = ["L1 p 2 10", "L2 q 1 5"];
    let mut story = Story::of(linked_paper(&lines), with(papers(), "Lines", ASK));
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 6"]));
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 2 10"]));
    story.claims(CRM);
    assert_eq!(story.link.conflicts.len(), 1, "{:?}", story.link.conflicts);
    story
}

#[test]
fn a_line_that_one_side_removed_and_the_other_edited_goes_or_stays_as_a_person_decides() {
    let mut story = held_line();
    let line = story.link.conflicts.first().cloned().unwrap();
    story.then(Event::Resolved(Choice::Take { property: line.clone(), from: CRM })).claims(EXACT);
    assert_eq!(story.told(EXACT), ["no L2"]);

    let mut story = held_line();
    story.then(Event::Resolved(Choice::Take { property: line.clone(), from: EXACT })).claims(CRM);
    assert_eq!(story.told(CRM), ["L2", "L2.Price = 6", "L2.Product = q", "L2.Quantity = 1"]);

    let mut story = held_line();
    story.then(Event::Resolved(Choice::Accept { property: line }));
    assert!(story.link.conflicts.is_empty() && story.link.is_at_rest());
}

/// Deleted in the CRM while Exact holds an edit that the CRM never received.
fn deleted_against_edit(policy: Policy) -> Story {
    let mut story = Story::of(linked(&[("a", "A"), ("c", "active")]), policy);
    story.edited(EXACT, 2, &[("a", "B"), ("c", "active")]).sees(CRM, gone(CRM, 2));
    assert_eq!(story.link.status, Status::DeletedAgainstEdit);
    story
}

fn with_deletes(delete: DeletePolicy) -> Policy {
    let deletes = SystemPair { customcrm: delete.clone(), exactonline: delete };
    Policy { deletes, delete_conflict: DeleteConflict::Ask, ..plain() }
}

#[test]
fn a_deletion_that_a_person_lets_stand_is_carried_out_by_the_pairs_policy() {
    let mut story = deleted_against_edit(with_deletes(DeletePolicy::Propagate));
    story.then(Event::Resolved(Choice::Delete)).claims(EXACT);
    assert_eq!(story.write(EXACT), &Write::Delete { record: record("e1"), version: Some(Version(2)) });

    let inactive = || super::fixture::value("inactive");
    let mut story = deleted_against_edit(with_deletes(DeletePolicy::Archive(property("c"), inactive())));
    story.then(Event::Resolved(Choice::Delete)).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("c", "inactive")]));
}

#[test]
fn a_deleted_record_is_made_anew_from_its_edited_partner_by_a_persons_word() {
    let mut story = deleted_against_edit(with_deletes(DeletePolicy::Propagate));
    story.then(Event::Resolved(Choice::Recreate)).claims(CRM);
    assert_eq!(story.write(CRM), &Write::Create { values: view(&[("a", "B"), ("c", "active")]) });
}

#[test]
fn records_that_a_person_takes_apart_go_their_own_ways_until_they_are_put_together_again() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), plain());
    story.edited(CRM, 2, &[("a", "X"), ("b", "B")]).then(Event::Resolved(Choice::Unlink));
    assert_eq!(story.link.status, Status::Unlinked);
    assert!(story.link.is_at_rest(), "what was queued is not written any more");
    story.edited(EXACT, 2, &[("a", "A"), ("b", "Y")]).claims(CRM).claims(EXACT);
    assert!(story.link.is_at_rest());
    story.then(Event::Resolved(Choice::Relink)).claims(CRM).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "X")]));
    assert_eq!(story.write(CRM).values(), &view(&[("b", "Y")]), "what was edited meanwhile arrives");
}

#[test]
fn a_write_in_flight_is_not_said_again_after_a_person_took_the_records_apart() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.edited(CRM, 2, &[("a", "X")]).claims(EXACT).then(Event::Resolved(Choice::Unlink)).claims(EXACT);
    assert!(story.link.is_at_rest());
}

#[test]
fn records_that_were_taken_apart_stay_so_whatever_becomes_of_either() {
    let mut story = Story::of(linked(&[("a", "A")]), with_deletes(DeletePolicy::Propagate));
    story.sees(CRM, gone(CRM, 2)).claims(EXACT);
    let claim = story.claim(EXACT);
    story.then(Event::Resolved(Choice::Unlink)).edited(CRM, 3, &[("a", "back")]);
    story.then(Event::Applied { system: EXACT, claim, record: record("e1"), after: None });
    assert_eq!(story.link.status, Status::Unlinked, "our deletion was under way");

    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.then(Event::Resolved(Choice::Unlink));
    story.then(Event::Superseded { system: EXACT, side: super::fixture::side("e2", 1, &[("a", "Z")]) });
    assert_eq!(story.link.status, Status::Unlinked, "a newer version is as little a partner");
    assert!(story.link.is_at_rest());
}

#[test]
fn what_happens_to_a_record_that_was_taken_apart_does_not_touch_the_other() {
    for delete in [DeletePolicy::Propagate, DeletePolicy::Unlink, DeletePolicy::Ignore] {
        let mut story = Story::of(linked(&[("a", "A")]), with_deletes(delete));
        story.then(Event::Resolved(Choice::Unlink)).sees(CRM, gone(CRM, 2)).claims(EXACT);
        assert_eq!(story.link.status, Status::Unlinked);
        assert!(story.link.is_at_rest());
        story.then(Event::Resolved(Choice::Relink));
        assert!(was_refused(&story), "there is nothing to put together");
        story.edited(CRM, 3, &[("a", "back")]).claims(EXACT);
        assert_eq!(story.link.status, Status::Unlinked);
        assert!(story.link.is_at_rest());
    }
}

#[test]
fn a_link_that_ended_by_a_deletion_goes_on_when_the_record_is_back_or_is_made_anew_by_choice() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.sees(CRM, gone(CRM, 2)).then(Event::Resolved(Choice::Recreate)).claims(CRM);
    assert_eq!(story.write(CRM), &Write::Create { values: view(&[("a", "A")]) });
}
