//! Records that go, and come back.

use super::fixture::{
    CRM, EXACT, Story, alone, gone, linked, ours, plain, property, record, side, value, view,
};
use crate::{DeletePolicy, Effect, Event, Failure, Policy, Status, Write};

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
