//! Records that go, and come back.

use model::{Presence, SystemPair, Value, Version};

use super::fixture::{
    CRM, EXACT, Story, alone, gone, linked, ours, plain, property, record, seen, side, value, view,
};
use crate::{DeleteConflict, DeletePolicy, Effect, Event, Failure, Observation, Policy, Status, Write};

/// A deletion in the CRM archives the record in Exact Online by `c` = `inactive`.
fn archiving() -> Policy {
    let mut policy = plain();
    policy.deletes.exactonline = DeletePolicy::Archive(property("c"), value("inactive"));
    policy
}

fn kept() -> Story {
    Story::of(linked(&[("a", "A"), ("c", "active")]), archiving())
}

#[test]
fn the_partner_of_a_deleted_record_is_archived_and_then_the_link_ends() {
    let mut story = kept();
    story.sees(CRM, gone(CRM, 2));
    assert_eq!(story.enqueued(), [EXACT]);
    story.claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("c", "inactive")]));
    assert_eq!(story.link.status, Status::Linked, "not before it has been carried out");
    story.applies(EXACT, Some(ours(EXACT, 2, &[("a", "A"), ("c", "inactive")])));
    assert_eq!(story.link.status, Status::Ended);
    assert!(story.link.is_at_rest());
    story.edited(EXACT, 3, &[("a", "B"), ("c", "active")]);
    assert!(story.link.is_at_rest(), "nothing is written any more");
}

#[test]
fn a_partner_that_is_archived_already_is_left_as_it_is() {
    let mut story = Story::of(linked(&[("a", "A"), ("c", "inactive")]), archiving());
    story.sees(CRM, gone(CRM, 2));
    assert_eq!(story.link.status, Status::Ended);
    assert!(story.link.is_at_rest());
}

#[test]
fn a_record_whose_last_day_has_come_before_is_archived_already() {
    let day = |day: &str| Value::Date(day.parse().unwrap());
    let mut policy = plain();
    policy.deletes.exactonline = DeletePolicy::Archive(property("c"), day("2026-03-10"));
    for (last, is_written) in [
        (day("2026-03-09"), false),
        (day("2026-03-10"), false),
        (day("2026-03-11"), true),
        (Value::Empty, true),
    ] {
        let mut link = linked(&[("a", "A")]);
        for system in [CRM, EXACT] {
            link.sides[system].as_mut().unwrap().view.insert(property("c"), last.clone());
        }
        let mut story = Story::of(link, policy.clone());
        story.sees(CRM, gone(CRM, 2));
        assert_eq!(story.is_queued(EXACT), is_written, "{last}");
        assert_eq!(story.link.status == Status::Ended, !is_written, "{last}");
    }
}

#[test]
fn an_archive_mark_that_the_answer_does_not_show_is_not_written_again() {
    let mut story = Story::of(linked(&[("a", "A")]), archiving());
    story.sees(CRM, gone(CRM, 2)).claims(EXACT).applies(EXACT, Some(ours(EXACT, 2, &[("a", "A")])));
    assert_eq!(story.link.status, Status::Ended);
    assert!(story.link.is_at_rest());
}

#[test]
fn a_write_of_an_edit_that_was_queued_becomes_the_archiving() {
    let mut story = kept();
    story.edited(CRM, 2, &[("a", "B")]).sees(CRM, gone(CRM, 3)).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("c", "inactive")]));
}

#[test]
fn a_write_in_flight_when_its_source_is_deleted_is_followed_by_the_archiving() {
    let mut story = kept();
    story.edited(CRM, 2, &[("a", "B")]).claims(EXACT).sees(CRM, gone(CRM, 3));
    story.applies(EXACT, Some(ours(EXACT, 2, &[("a", "B"), ("c", "active")]))).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("c", "inactive")]));
}

#[test]
fn a_redelivered_claim_after_the_source_was_deleted_archives() {
    let mut story = kept();
    story.edited(CRM, 2, &[("a", "B")]).claims(EXACT).sees(CRM, gone(CRM, 3)).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("c", "inactive")]));
}

#[test]
fn a_deletion_against_an_edit_that_never_arrived_waits_for_a_person() {
    for in_flight in [false, true] {
        let mut story = kept();
        story.edited(EXACT, 2, &[("a", "B")]);
        if in_flight {
            story.claims(CRM);
        }
        story.sees(CRM, gone(CRM, 2));
        assert_eq!(story.link.status, Status::DeletedAgainstEdit, "in flight: {in_flight}");
        story.claims(EXACT).claims(CRM);
        assert!(story.link.is_at_rest(), "nothing is written until a person has decided");
    }
}

#[test]
fn a_write_that_finds_the_record_gone_waits_for_a_person_with_its_edit() {
    let mut story = kept();
    story.edited(EXACT, 2, &[("a", "B")]).claims(CRM).fails(CRM, Failure::Gone);
    assert_eq!(story.link.status, Status::DeletedAgainstEdit);
    assert!(story.link.is_at_rest());
}

#[test]
fn a_stale_write_that_reads_a_deletion_waits_for_a_person_with_its_edit() {
    let mut story = kept();
    story.edited(EXACT, 2, &[("a", "B")]).claims(CRM);
    story.fails(CRM, Failure::Stale { now: Some(gone(CRM, 2)) });
    assert_eq!(story.link.status, Status::DeletedAgainstEdit);
}

#[test]
fn an_unlinked_partner_stays_as_it_is() {
    let mut story = Story::of(linked(&[("a", "A"), ("c", "active")]), plain());
    story.edited(CRM, 2, &[("a", "B")]).sees(CRM, gone(CRM, 3));
    assert_eq!(story.link.status, Status::Ended);
    story.claims(EXACT).edited(EXACT, 2, &[("a", "C")]);
    assert!(story.link.is_at_rest());
}

#[test]
fn a_deletion_that_is_seen_again_is_an_echo() {
    for policy in [plain(), archiving()] {
        let mut story = Story::of(linked(&[("a", "A"), ("c", "active")]), policy);
        story.sees(CRM, gone(CRM, 5));
        let (status, pending) = (story.link.status.clone(), story.link.pending.clone());
        let unversioned = crate::Observation { version: None, ..gone(CRM, 5) };
        for again in [gone(CRM, 5), gone(CRM, 6), unversioned] {
            story.sees(CRM, again);
            assert!(story.was_an_echo(CRM), "{:?}", story.effects);
            assert_eq!((&story.link.status, &story.link.pending), (&status, &pending));
        }
        story.edited(CRM, 4, &[("a", "older than the deletion")]);
        assert!(story.was_an_echo(CRM));
    }
}

#[test]
fn both_records_deleted_end_the_link() {
    let mut story = kept();
    story.sees(CRM, gone(CRM, 2)).sees(EXACT, gone(EXACT, 2));
    assert_eq!(story.link.status, Status::Ended);
    assert!(story.link.is_at_rest());
}

#[test]
fn a_record_that_comes_back_is_kept_in_agreement_again() {
    let mut story = kept();
    story.sees(CRM, gone(CRM, 2)).claims(EXACT);
    story.applies(EXACT, Some(ours(EXACT, 2, &[("a", "A"), ("c", "inactive")])));
    story.edited(CRM, 3, &[("a", "B"), ("c", "active")]);
    assert_eq!(story.link.status, Status::Linked);
    story.claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "B"), ("c", "active")]));
}

#[test]
fn a_record_that_comes_back_against_an_edit_gets_the_edit() {
    let mut story = kept();
    story.edited(EXACT, 2, &[("a", "B"), ("c", "active")]).sees(CRM, gone(CRM, 2));
    story.edited(CRM, 3, &[("a", "A"), ("c", "active")]);
    assert_eq!(story.link.status, Status::Linked);
    story.claims(CRM);
    assert_eq!(story.write(CRM).values(), &view(&[("a", "B")]));
}

#[test]
fn a_record_that_is_deleted_before_it_had_a_partner_gets_none_until_it_is_back() {
    let mut story = Story::of(alone(&[("a", "A")]), plain());
    story.then(Event::Released).sees(CRM, gone(CRM, 2)).claims(EXACT);
    assert_eq!(story.link.status, Status::Ended);
    assert!(story.link.is_at_rest());
    story.then(Event::Released);
    assert!(story.link.is_at_rest());
    story.edited(CRM, 3, &[("a", "A")]);
    assert_eq!((&story.link.status, story.enqueued()), (&Status::Unmatched, vec![EXACT]));
}

#[test]
fn a_partner_that_was_made_while_its_source_was_deleted_is_archived() {
    let mut story = Story::of(alone(&[("a", "A")]), archiving());
    story.then(Event::Released).claims(EXACT);
    let claim = story.claim(EXACT);
    story.sees(CRM, gone(CRM, 2));
    let after = Some(ours(EXACT, 1, &[("a", "A"), ("c", "active")]));
    story.then(Event::Applied { system: EXACT, claim, record: record("e1"), after });
    assert!(story.effects.contains(&Effect::Wake));
    story.claims(EXACT);
    let archive = Write::Update {
        record: record("e1"),
        version: Some(model::Version(1)),
        values: view(&[("c", "inactive")]),
    };
    assert_eq!(story.write(EXACT), &archive);
}

#[test]
fn an_answer_that_shows_the_record_deleted_deletes_it() {
    let mut story = kept();
    story.edited(CRM, 2, &[("a", "B")]).claims(EXACT).applies(EXACT, Some(gone(EXACT, 2)));
    assert_eq!(story.link.status, Status::Ended, "the CRM's policy is to stay as it is");
    assert!(story.link.is_at_rest());
}

#[test]
fn a_partner_that_is_found_for_a_deleted_record_is_archived_too() {
    let mut story = Story::of(alone(&[("a", "A")]), archiving());
    story.sees(CRM, gone(CRM, 2));
    story.then(Event::Joined { system: EXACT, side: side("e1", 1, &[("a", "A"), ("c", "active")]) });
    story.claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("c", "inactive")]));
}

/// A deletion on one side is carried over to the other.
fn propagating(delete_conflict: DeleteConflict) -> Policy {
    let deletes = SystemPair { customcrm: DeletePolicy::Propagate, exactonline: DeletePolicy::Propagate };
    Policy { deletes, delete_conflict, ..plain() }
}

fn propagated(delete_conflict: DeleteConflict) -> Story {
    Story::of(linked(&[("a", "A"), ("c", "active")]), propagating(delete_conflict))
}

fn deletion(id: &str, version: u64) -> Write {
    Write::Delete { record: record(id), version: Some(Version(version)) }
}

#[test]
fn the_partner_of_a_deleted_record_is_deleted_and_then_the_link_ends() {
    for (gone_in, other, id) in [(CRM, EXACT, "e1"), (EXACT, CRM, "c1")] {
        let mut story = propagated(DeleteConflict::Ask);
        story.sees(gone_in, gone(gone_in, 2));
        assert_eq!((story.enqueued(), &story.link.status), (vec![other], &Status::Linked));
        story.claims(other);
        assert_eq!(story.write(other), &deletion(id, 1));
        story.applies(other, None);
        assert_eq!(story.link.status, Status::Ended);
        assert_eq!(story.link.sides[other].as_ref().unwrap().presence, Presence::Deleted);
        story.sees(other, gone(other, 2));
        assert!(story.was_an_echo(other), "our own deletion comes back: {:?}", story.effects);
        assert!(story.link.is_at_rest());
    }
}

#[test]
fn a_claim_of_a_deletion_that_is_repeated_says_it_again() {
    let mut story = propagated(DeleteConflict::Ask);
    story.sees(CRM, gone(CRM, 2)).claims(EXACT).claims(EXACT);
    assert_eq!(story.write(EXACT), &deletion("e1", 1));
    story.fails(EXACT, Failure::Gone);
    assert_eq!(story.link.status, Status::Ended, "the first attempt had been carried out");
}

#[test]
fn a_refused_deletion_waits_for_a_person_or_an_edit() {
    let mut story = propagated(DeleteConflict::Delete);
    story.sees(CRM, gone(CRM, 2)).claims(EXACT).rejects(EXACT);
    assert!(story.link.is_at_rest() && story.link.rejected[EXACT].is_some());
    story.sees(CRM, gone(CRM, 3));
    assert!(story.link.is_at_rest(), "it is not tried again by itself");
    story.edited(EXACT, 2, &[("a", "B")]);
    assert_eq!(story.enqueued(), [EXACT], "the next edit is a reason to try again");
}

#[test]
fn an_edit_that_the_deleted_record_never_received_stands_against_its_deletion() {
    let edit_before = |story: &mut Story| {
        story.edited(EXACT, 2, &[("a", "B")]).sees(CRM, gone(CRM, 2));
    };
    let edit_while_queued = |story: &mut Story| {
        story.sees(CRM, gone(CRM, 2)).edited(EXACT, 2, &[("a", "B")]);
    };
    let edit_in_flight = |story: &mut Story| {
        story.sees(CRM, gone(CRM, 2)).claims(EXACT);
        story.fails(EXACT, Failure::Stale { now: Some(seen(EXACT, 2, &[("a", "B")])) });
    };
    let edit_seen_in_flight = |story: &mut Story| {
        story.sees(CRM, gone(CRM, 2)).claims(EXACT);
        let (system, claim, failure) = (EXACT, story.claim(EXACT), Failure::Stale { now: None });
        story.edited(EXACT, 2, &[("a", "B")]).then(Event::Failed { system, claim, failure });
    };
    let edits: [&dyn Fn(&mut Story); 4] =
        [&edit_before, &edit_while_queued, &edit_in_flight, &edit_seen_in_flight];
    for edit in edits {
        let mut story = propagated(DeleteConflict::Ask);
        edit(&mut story);
        story.claims(EXACT);
        assert_eq!(story.link.status, Status::DeletedAgainstEdit);
        assert!(story.link.is_at_rest(), "nothing is written until a person has decided");

        let mut story = propagated(DeleteConflict::Delete);
        edit(&mut story);
        story.claims(EXACT);
        assert_eq!(story.write(EXACT), &deletion("e1", 2), "the pair says that the deletion stands");

        let mut story = propagated(DeleteConflict::Recreate);
        edit(&mut story);
        story.claims(CRM);
        assert_eq!(
            story.write(CRM).values()[&property("a")],
            value("B"),
            "the pair says that the edit stands"
        );
        assert!(matches!(story.write(CRM), Write::Create { .. }));
    }
}

#[test]
fn a_record_that_is_made_anew_is_another_one_and_nothing_that_is_heard_of_the_old_one_counts() {
    let mut story = propagated(DeleteConflict::Recreate);
    story.edited(EXACT, 2, &[("a", "B"), ("c", "active")]).sees(CRM, gone(CRM, 5)).claims(CRM);
    let (claim, after) =
        (story.claim(CRM), Observation { record: record("c2"), ..ours(CRM, 1, &[("a", "B")]) });
    story.then(Event::Applied { system: CRM, claim, record: record("c2"), after: Some(after) });
    assert_eq!((&story.link.status, story.link.record(CRM)), (&Status::Linked, Some(&record("c2"))));
    for late in [seen(CRM, 4, &[("a", "A")]), gone(CRM, 5)] {
        story.sees(CRM, late);
        assert!(story.was_an_echo(CRM), "{:?}", story.effects);
    }
    story.sees(CRM, seen(CRM, 6, &[("a", "restored")]));
    assert!(said(&story, "back beside"), "a person brought it back: {:?}", story.effects);
    assert_eq!(story.link.record(CRM), Some(&record("c2")));
}

#[test]
fn a_record_is_not_made_anew_where_the_pair_makes_none() {
    let mut policy = propagating(DeleteConflict::Recreate);
    policy.creates.customcrm = false;
    let mut story = Story::of(linked(&[("a", "A")]), policy);
    story.edited(EXACT, 2, &[("a", "B")]).sees(CRM, gone(CRM, 2));
    assert_eq!(story.link.status, Status::DeletedAgainstEdit);
}

#[test]
fn a_record_is_not_made_anew_from_one_that_the_pair_does_not_admit() {
    let mut story = propagated(DeleteConflict::Recreate);
    story.sees(EXACT, Observation { admitted: false, ..seen(EXACT, 2, &[("a", "B")]) });
    story.sees(CRM, gone(CRM, 2));
    assert_eq!(story.link.status, Status::DeletedAgainstEdit);
}

#[test]
fn what_was_carried_over_before_the_deletion_does_not_stand_against_it() {
    let mut story = propagated(DeleteConflict::Ask);
    story.edited(EXACT, 2, &[("a", "B")]).claims(CRM).applies(CRM, Some(ours(CRM, 2, &[("a", "B")])));
    story.sees(CRM, gone(CRM, 3)).claims(EXACT);
    assert_eq!(story.write(EXACT), &deletion("e1", 2));
}

#[test]
fn a_record_that_is_back_while_its_partner_is_deleted_stands_against_the_deletion() {
    let mut story = propagated(DeleteConflict::Ask);
    story.sees(CRM, gone(CRM, 2)).claims(EXACT).edited(CRM, 3, &[("a", "A")]);
    story.applies(EXACT, None);
    assert_eq!(story.link.status, Status::DeletedAgainstEdit, "it is not deleted in its turn");
    assert!(story.link.is_at_rest());
}

#[test]
fn a_deletion_that_is_ignored_leaves_the_partner_and_waits_for_the_record_to_be_back() {
    let mut policy = plain();
    policy.deletes.exactonline = DeletePolicy::Ignore;
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), policy);
    story.edited(CRM, 2, &[("a", "lost")]).sees(CRM, gone(CRM, 3));
    assert_eq!(story.link.status, Status::Missing);
    story.claims(EXACT).edited(EXACT, 2, &[("b", "edited")]);
    assert!(story.link.is_at_rest());
    story.edited(CRM, 4, &[("a", "A"), ("b", "B")]);
    assert_eq!(story.link.status, Status::Linked);
    story.claims(CRM);
    assert_eq!(story.write(CRM).values(), &view(&[("b", "edited")]), "what was edited meanwhile arrives");
}

#[test]
fn a_record_that_is_entered_anew_takes_the_place_of_the_deleted_one_as_at_a_first_match() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), plain());
    story.sees(CRM, gone(CRM, 2)).edited(EXACT, 2, &[("b", "edited")]);
    assert_eq!(story.link.status, Status::Ended);
    story.then(Event::Joined { system: CRM, side: side("c2", 1, &[("a", "Z"), ("b", "")]) });
    assert_eq!((&story.link.status, story.link.record(CRM)), (&Status::Linked, Some(&record("c2"))));
    story.claims(EXACT).claims(CRM);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "Z")]), "the CRM wins");
    assert_eq!(story.write(CRM).values(), &view(&[("b", "edited")]), "empty never beats filled");
    story.edited(CRM, 2, &[("a", "late")]);
    assert!(story.was_an_echo(CRM), "c1 says nothing any more");
}

fn said(story: &Story, words: &str) -> bool {
    story.notes().iter().any(|note| note.contains(words))
}

#[test]
fn a_link_of_which_neither_record_is_left_has_ended_whatever_the_policy() {
    let mark = || DeletePolicy::Archive(property("c"), value("inactive"));
    for what in [mark(), DeletePolicy::Propagate, DeletePolicy::Unlink, DeletePolicy::Ignore] {
        let mut policy = plain();
        policy.deletes = SystemPair { customcrm: what.clone(), exactonline: what.clone() };
        for [first, second] in [[CRM, EXACT], [EXACT, CRM]] {
            let mut story = Story::of(linked(&[("a", "A"), ("c", "active")]), policy.clone());
            story.edited(second, 2, &[("a", "B"), ("c", "active")]);
            story.sees(first, gone(first, 2)).sees(second, gone(second, 3));
            assert_eq!(story.link.status, Status::Ended, "{what:?}, first in {first}");
            assert!(story.link.is_at_rest());
        }
    }
}
