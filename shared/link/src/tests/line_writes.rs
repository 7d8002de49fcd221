//! Lines in writes: claims, answers, and answers that never come.

use super::{
    document::{cell, linked_paper, our_paper, papers, seen_paper, there, with, without_lines},
    fixture::{BOTH_WAYS, CRM, EXACT, Story, property, record, value},
};
use crate::{ConflictPolicy, Event, Failure, Observation, Pending, Rule};

/// `p` is on both sides, `q` was added in the CRM, and the write that adds it to Exact Online is in flight.
fn adding() -> Story {
    let mut story = Story::of(linked_paper(&["L1 p 2 10"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 2 10", "L2 q 1 5 n"])).claims(EXACT);
    assert_eq!(story.said(EXACT), ["L2", "L2.Note = n", "L2.Price = 5", "L2.Product = q", "L2.Quantity = 1"]);
    story
}

#[track_caller]
fn rests_tied(mut story: Story, tie: &str, exact: &str) {
    for system in [CRM, EXACT, CRM, EXACT] {
        story.claims(system);
    }
    assert!(story.link.is_at_rest(), "{:?}", story.link.pending);
    assert_eq!(story.tie(tie).1.as_deref(), Some(exact));
    assert_eq!(story.link.lines.len(), 2, "{:?}", story.link.lines);
    assert!(story.link.conflicts.is_empty());
}

#[test]
fn an_added_line_is_known_by_the_answer() {
    let mut story = adding();
    story.applies(EXACT, Some(our_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5 n"])));
    rests_tied(story, "L2", "X2");
}

#[test]
fn an_added_line_that_our_own_next_sighting_lacks_was_removed() {
    let mut story = adding();
    story.applies(EXACT, Some(without_lines(our_paper(EXACT, 2, &[]))));
    story.sees(EXACT, our_paper(EXACT, 3, &["X1 p 2 10"]));
    assert_eq!(story.told(CRM), ["no L2"], "that it is gone is no rendition of it");
}

#[test]
fn of_two_that_an_answer_shows_alike_the_added_line_is_the_one_that_is_still_there() {
    let mut story = adding();
    story.sees(EXACT, seen_paper(EXACT, 3, &["X1 p 2 10", "X3 q 1 5 n"]));
    story.applies(EXACT, Some(our_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5 n", "X3 q 1 5 n"])));
    rests_tied(story, "L2", "X3");
}

#[test]
fn a_line_that_gets_another_id_while_it_is_changed_is_known_after_the_outcome() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10 n", "L2 q 1 5"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10 n", "L2 q 1 5"])).claims(EXACT);
    story.sees(EXACT, seen_paper(EXACT, 2, &["X5 p 2 10", "X2 q 1 5"]));
    assert_eq!(story.tie("L1").1, None, "it may be what became of the change");
    story.fails(EXACT, Failure::Stale { now: None });
    assert_eq!(story.tie("L1").1.as_deref(), Some("X5"));
    assert!(!story.holds(EXACT).contains_key(&cell("L1", "Note")), "of that nothing was seen");
    assert_eq!(story.told(EXACT), ["L1.Quantity = 3"]);
}

#[test]
fn an_added_line_is_known_in_the_targets_own_rendition() {
    let mut story = adding();
    story.applies(EXACT, Some(our_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 4.99 N"])));
    assert_eq!(story.agreed("Lines[customcrm:L2].Price"), Some(("5".to_owned(), "4.99".to_owned())));
    rests_tied(story, "L2", "X2");
}

/// Two lines of one product are in flight to Exact Online, and its answer shows nothing.
fn added(lines: [&str; 2]) -> Story {
    let mut story = Story::of(linked_paper(&[]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &lines)).claims(EXACT).applies(EXACT, None);
    story
}

#[test]
fn a_line_that_fits_two_that_were_added_leaves_the_one_that_another_line_needs() {
    let mut story = added(["L2 q 1 9.9", "L3 q 1 10 N"]);
    story.sees(EXACT, our_paper(EXACT, 2, &["X2 q 1 10", "X3 q 1 10 n"]));
    assert_eq!([story.tie("L2").1, story.tie("L3").1], [Some("X2".to_owned()), Some("X3".to_owned())]);
    assert_eq!(story.told(CRM), [""; 0], "both are as the target stored them");
}

#[test]
fn what_may_be_of_another_line_is_no_rendition() {
    let mut story = added(["L2 q 1 9.9 u", "L3 q 1 9.8 v"]);
    story.sees(EXACT, our_paper(EXACT, 2, &["X2 q 1 10 x", "X3 q 1 10 y"]));
    assert_eq!(story.told(CRM), ["L2.Note = x", "L3.Note = y"], "the prices were stored alike");
}

#[test]
fn an_answer_that_comes_after_newer_sightings_tells_which_lines_were_added() {
    let mut story = Story::of(linked_paper(&[]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L2 q 1 4.99", "L3 r 2 4"])).claims(EXACT);
    story.sees(EXACT, seen_paper(EXACT, 3, &["X2 q 2 5", "X4 q 1 5"]));
    story.applies(EXACT, Some(our_paper(EXACT, 2, &["X2 q 1 5", "X3 r 2 4"])));
    assert_eq!(story.tie("L2").1.as_deref(), Some("X2"), "though X4 looks like it by now");
    assert_eq!(
        story.told(CRM),
        ["L2.Quantity = 2", "no L3", "X4", "X4.Price = 5", "X4.Product = q", "X4.Quantity = 1"]
    );
}

#[test]
fn an_answer_stands_against_what_a_newer_sighting_let_guess_of_the_added_lines() {
    let mut story = Story::of(linked_paper(&[]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L2 q 1 5", "L3 q 1 10"])).claims(EXACT);
    story.sees(EXACT, seen_paper(EXACT, 3, &["X2 q 1 10", "X3 q 1 10"]));
    assert_eq!(story.tie("L3").1.as_deref(), Some("X2"), "which of the two it is can't be seen");
    story.applies(EXACT, Some(our_paper(EXACT, 2, &["X2 q 1 5", "X3 q 1 10"])));
    assert_eq!([story.tie("L2").1, story.tie("L3").1], [Some("X2".to_owned()), Some("X3".to_owned())]);
    assert_eq!(story.told(CRM), ["L2.Price = 10"], "it was edited since");
}

#[test]
fn an_added_line_that_the_answer_does_not_show_is_told_by_its_content_when_it_is_seen() {
    let answers = [
        ("nothing", None),
        ("the record alone", Some(without_lines(our_paper(EXACT, 2, &[])))),
        ("a document that lacks it yet", Some(our_paper(EXACT, 2, &["X1 p 2 10"]))),
    ];
    for (answer, after) in answers {
        for rendition in ["X2 q 1 5 n", "X2 q 1 4.99 N", "X2 q 2 4.99 N"] {
            let mut story = adding();
            story.applies(EXACT, after.clone());
            assert!(story.link.is_at_rest(), "{answer}: {:?}", story.link.pending);
            story.sees(EXACT, our_paper(EXACT, 2, &["X1 p 2 10", rendition]));
            assert_eq!(
                story.tie("L2"),
                (Some("L2".to_owned()), Some("X2".to_owned())),
                "{answer}, {rendition}"
            );
            assert_eq!(story.link.lines.len(), 2, "{answer}, {rendition}");
        }
    }
}

#[test]
fn an_added_line_that_is_gone_when_all_lines_are_seen_was_removed_there() {
    let mut story = adding();
    story.applies(EXACT, None).sees(EXACT, seen_paper(EXACT, 3, &["X1 p 2 10"]));
    assert_eq!(story.told(CRM), ["no L2"]);
}

#[test]
fn an_old_sighting_does_not_remove_what_was_added_since() {
    let mut story = adding();
    story.sees(EXACT, seen_paper(EXACT, 3, &["X1 p 4 10"])).applies(EXACT, None);
    story.sees(EXACT, seen_paper(EXACT, 3, &["X1 p 4 10"])).claims(CRM);
    assert_eq!(story.said(CRM), ["L1.Quantity = 4"], "it was read before the write");
}

#[test]
fn a_line_whose_id_is_not_known_yet_is_neither_changed_nor_removed_nor_added_again() {
    for edit in [&["L1 p 2 10", "L2 q 3 5 n"][..], &["L1 p 2 10"]] {
        let mut story = adding();
        story.applies(EXACT, Some(without_lines(our_paper(EXACT, 2, &[]))));
        story.sees(CRM, seen_paper(CRM, 3, edit)).claims(EXACT);
        assert!(story.link.is_at_rest(), "{:?}", story.link.pending);
        story.sees(EXACT, our_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5 n"]));
        let expected = if edit.len() == 2 { "L2.Quantity = 3" } else { "no L2" };
        assert_eq!(story.told(EXACT), [expected]);
    }
}

#[test]
fn an_edit_of_a_line_while_it_is_being_added_follows_in_a_write_of_its_own() {
    let mut story = adding();
    story.sees(CRM, seen_paper(CRM, 3, &["L1 p 2 10", "L2 q 3 5 n"]));
    assert_eq!(story.link.pending[EXACT].sent().map(model::View::len), Some(5));
    story.applies(EXACT, Some(our_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5 n"])));
    assert_eq!(story.told(EXACT), ["L2.Quantity = 3"]);
}

#[test]
fn a_line_that_is_removed_while_it_is_being_added_is_removed_there_too() {
    let mut story = adding();
    story.sees(CRM, seen_paper(CRM, 3, &["L1 p 2 10"]));
    story.applies(EXACT, Some(our_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5 n"])));
    assert_eq!(story.told(EXACT), ["no L2"]);
    story.applies(EXACT, Some(our_paper(EXACT, 3, &["X1 p 2 10"])));
    assert!(story.link.is_at_rest() && story.link.lines.len() == 1);
}

#[test]
fn an_added_line_that_is_seen_before_its_outcome_is_ours() {
    for by_us in [true, false] {
        let mut story = adding();
        let seen = Observation { by_us, ..our_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5 n"]) };
        story.sees(EXACT, seen.clone());
        assert!(story.enqueued().is_empty(), "by us: {by_us}");
        story.applies(EXACT, Some(seen));
        rests_tied(story, "L2", "X2");
    }
}

#[test]
fn a_line_that_may_be_the_one_in_flight_waits_for_its_outcome() {
    let seen = our_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 4.99 N"]);
    let mut story = adding();
    story.sees(EXACT, seen.clone()).claims(CRM);
    assert_eq!(story.link.pending[CRM], Pending::None, "it is not given back as a new line");
    let mut applied = Story::of(story.link.clone(), papers());
    applied.applies(EXACT, Some(seen));
    assert_eq!(applied.agreed("Lines[customcrm:L2].Note"), Some(("n".to_owned(), "N".to_owned())));
    rests_tied(applied, "L2", "X2");
    story.rejects(EXACT);
    assert_eq!(story.tie("L2").1.as_deref(), Some("X2"), "part of a refused write was carried out");
}

#[test]
fn a_line_like_the_one_in_flight_that_a_person_added_there_lives_beside_it() {
    let mut story = adding();
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 10", "X9 q 7 5 theirs"])).claims(CRM);
    assert_eq!(story.link.pending[CRM], Pending::None, "it may be ours");
    story.applies(EXACT, Some(seen_paper(EXACT, 3, &["X1 p 2 10", "X2 q 1 5 n", "X9 q 7 5 theirs"])));
    assert_eq!(story.tie("L2").1.as_deref(), Some("X2"));
    assert_eq!(
        story.told(CRM),
        ["X9", "X9.Note = theirs", "X9.Price = 5", "X9.Product = q", "X9.Quantity = 7",]
    );
}

#[test]
fn another_line_that_a_person_added_there_is_not_kept_waiting() {
    let mut story = adding();
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 10", "X9 r 1 1"]));
    assert_eq!(story.told(CRM), ["X9", "X9.Price = 1", "X9.Product = r", "X9.Quantity = 1"]);
}

#[test]
fn a_repeated_claim_says_again_what_was_added() {
    let mut story = adding();
    story.sees(CRM, seen_paper(CRM, 3, &["L1 p 2 10", "L2 q 3 5 n", "L3 r 1 1"])).claims(EXACT);
    assert_eq!(story.said(EXACT), ["L2", "L2.Note = n", "L2.Price = 5", "L2.Product = q", "L2.Quantity = 1"]);
    story.sees(CRM, seen_paper(CRM, 4, &["L1 p 2 10"])).claims(EXACT);
    assert_eq!(story.said(EXACT).len(), 5, "also when it was removed since");
}

#[test]
fn a_repeated_claim_is_decided_on_the_version_that_showed_the_lines_last() {
    let version = |story: &Story| match story.write(EXACT) {
        crate::Write::Update { version, .. } => version.unwrap().0,
        other => panic!("{other:?}"),
    };
    let mut story = adding();
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 11"])).claims(EXACT);
    assert_eq!(version(&story), 2);
    let mut story = adding();
    story.sees(EXACT, without_lines(seen_paper(EXACT, 2, &[]))).claims(EXACT);
    assert_eq!(version(&story), 1, "at 2 the lines may be others");
}

#[test]
fn a_repeated_claim_adds_nothing_that_neither_side_has_any_more() {
    let mut story = adding();
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5 n"]));
    story.sees(EXACT, seen_paper(EXACT, 3, &["X1 p 2 10"])).sees(CRM, seen_paper(CRM, 3, &["L1 p 2 10"]));
    story.claims(EXACT);
    assert!(story.link.is_at_rest(), "it was added, and both have removed it: {:?}", story.link.pending);
    assert_eq!(story.link.lines.len(), 1);
}

#[test]
fn a_repeated_claim_adds_nothing_that_was_seen_to_be_there() {
    for rendition in ["X2 q 1 5 n", "X2 q 1 4.99 N"] {
        let mut story = adding();
        story.sees(EXACT, our_paper(EXACT, 2, &["X1 p 2 10", rendition])).claims(EXACT);
        let said = story.link.pending[EXACT].sent().cloned().unwrap_or_default();
        assert!(!said.contains_key(&there("L2")), "{rendition}: {said:?}");
        assert_eq!(story.tie("L2").1.as_deref(), Some("X2"));
    }
}

#[test]
fn a_repeated_claim_that_the_target_finds_stale_adds_nothing_twice() {
    for (rendition, again) in [("X2 q 1 5 n", None), ("X2 q 1 4.99 N", Some(2))] {
        let mut story = adding();
        story.claims(EXACT);
        story.fails(EXACT, Failure::Stale { now: Some(our_paper(EXACT, 2, &["X1 p 2 10", rendition])) });
        assert_eq!(story.tie("L2").1.as_deref(), Some("X2"), "{rendition}");
        story.claims(EXACT);
        assert_eq!(story.link.pending[EXACT].sent().map(model::View::len), again, "{rendition}");
        if again.is_some() {
            assert_eq!(story.said(EXACT), ["L2.Note = n", "L2.Price = 5"]);
            story.applies(EXACT, Some(our_paper(EXACT, 3, &["X1 p 2 10", rendition])));
            rests_tied(story, "L2", "X2");
        }
    }
}

#[test]
fn a_line_that_was_seen_on_both_sides_is_known_by_that_when_its_id_changes_before_the_outcome() {
    let mut story = adding();
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 4.99 N", "X3 @x 1 1"])).claims(EXACT);
    assert_eq!(story.said(EXACT), ["L2.Note = n", "L2.Price = 5"]);
    story.sees(CRM, seen_paper(CRM, 3, &["L1 p 2 10", "L9 q 1 5 n"])).claims(CRM);
    assert_eq!(story.tie("L2"), (Some("L9".to_owned()), Some("X2".to_owned())), "though X3 waits");
    assert_eq!(story.link.pending[CRM], Pending::None, "it is not added once more");
}

#[test]
fn a_line_whose_ids_both_change_while_it_is_being_changed_is_added_to_neither_side() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10"])).claims(EXACT);
    assert_eq!(story.said(EXACT), ["L1.Quantity = 3"]);
    story.sees(EXACT, seen_paper(EXACT, 2, &["X9 p 2 10"])).sees(CRM, seen_paper(CRM, 3, &["L9 p 3 10"]));
    assert!(story.enqueued().is_empty());
    assert_eq!(story.tie("X9"), (Some("L9".to_owned()), Some("X9".to_owned())));
}

#[test]
fn a_stale_first_attempt_adds_its_line_again() {
    let mut story = adding();
    story.fails(EXACT, Failure::Stale { now: Some(seen_paper(EXACT, 2, &["X1 p 4 10"])) }).claims(EXACT);
    assert_eq!(story.said(EXACT).len(), 5);
    assert_eq!(story.told(CRM), ["L1.Quantity = 4"]);
}

#[test]
fn a_removal_whose_answer_is_lost_is_not_taken_for_an_edit_of_the_target() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10", "L2 q 1 5"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 2 10"])).claims(EXACT);
    assert_eq!(story.said(EXACT), ["no L2"]);
    story.sees(EXACT, our_paper(EXACT, 2, &["X1 p 2 10"])).claims(EXACT);
    assert!(story.link.is_at_rest() && story.link.lines.len() == 1);
}

#[test]
fn a_removal_is_carried_out_when_the_answer_shows_nothing() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10", "L2 q 1 5"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 2 10"])).claims(EXACT).applies(EXACT, None);
    assert!(story.link.is_at_rest() && story.link.lines.len() == 1);
    story.sees(EXACT, our_paper(EXACT, 2, &["X1 p 2 10"]));
    assert!(story.was_an_echo(EXACT));
}

#[test]
fn a_line_that_was_just_removed_is_no_partner_for_one_that_was_added_meanwhile() {
    for after in [None, Some(without_lines(our_paper(EXACT, 2, &[])))] {
        let mut story = Story::of(linked_paper(&["L1 p 2 10"]), papers());
        story.sees(CRM, seen_paper(CRM, 2, &[])).claims(EXACT);
        assert_eq!(story.said(EXACT), ["no L1"]);
        story.sees(CRM, seen_paper(CRM, 3, &["L2 p 3 4"])).applies(EXACT, after);
        story.sees(EXACT, our_paper(EXACT, 2, &[]));
        assert_eq!(story.told(EXACT), ["L2", "L2.Price = 4", "L2.Product = p", "L2.Quantity = 3"]);
        assert!(!story.link.lines.contains_key(&super::document::key("L1")));
    }
}

#[test]
fn a_line_whose_removal_was_refused_at_last_is_no_partner_for_one_that_was_added_meanwhile() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &[])).claims(EXACT).claims(EXACT);
    story.sees(CRM, seen_paper(CRM, 3, &["L2 p 2 10"])).rejects(EXACT);
    assert_eq!(
        story.told(EXACT),
        ["no L1", "L2", "L2.Price = 10", "L2.Product = p", "L2.Quantity = 2"],
        "the first attempt may have removed it"
    );
}

#[test]
fn the_outcome_of_a_change_says_nothing_of_a_line_that_has_taken_the_place_of_the_changed_one() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10"]), papers());
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 3 10"])).claims(CRM);
    assert_eq!(story.said(CRM), ["L1.Quantity = 3"]);
    story.sees(CRM, seen_paper(CRM, 3, &["L2 p 2 10"])).claims(EXACT);
    assert_eq!(story.link.pending[EXACT], Pending::None, "L2 may be L1 under another id");
    story.applies(CRM, Some(our_paper(CRM, 2, &["L1 p 3 10", "L2 p 2 10"])));
    assert_eq!(story.tie("L1"), (Some("L2".to_owned()), Some("X1".to_owned())));
    assert_eq!(story.told(CRM), ["L1.Quantity = 3"], "the line that is there never got it");
    assert!(story.link.conflicts.is_empty());
}

#[test]
fn a_line_that_is_removed_there_while_a_change_of_it_is_in_flight_goes_by_the_lines_policy() {
    for (rule, crm) in [
        (papers().rules[&property("Lines")], &[][..]),
        (Rule { conflict: ConflictPolicy::Wins(EXACT), ..BOTH_WAYS }, &["no L1"]),
    ] {
        let mut story = Story::of(linked_paper(&["L1 p 2 10", "L2 q 1 5"]), with(papers(), "Lines", rule));
        story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10", "L2 q 1 5"])).claims(EXACT);
        story.sees(EXACT, seen_paper(EXACT, 2, &["X2 q 1 5"]));
        story.rejects(EXACT);
        assert_eq!(story.told(CRM), crm);
        assert_eq!(story.link.conflicts.contains(&there("L1")), crm.is_empty());
        assert!(!story.holds(EXACT).contains_key(&cell("L1", "Quantity")));
    }
}

#[test]
fn an_answer_that_shows_no_lines_leaves_their_edits_at_that_version_to_be_seen() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10"]), papers());
    let mut seen = seen_paper(CRM, 2, &["L1 p 2 10"]);
    seen.view.insert(property("a"), value("B"));
    story.sees(CRM, seen).claims(EXACT);
    let mut after = without_lines(our_paper(EXACT, 3, &[]));
    after.view.insert(property("a"), value("B"));
    story.applies(EXACT, Some(after));
    let mut seen = seen_paper(EXACT, 3, &["X1 p 9 10"]);
    seen.view.insert(property("a"), value("B"));
    story.sees(EXACT, seen);
    assert_eq!(story.told(CRM), ["L1.Quantity = 9"]);
}

#[test]
fn a_refused_line_is_not_sent_again_until_it_is_edited() {
    let mut story = adding();
    story.rejects(EXACT);
    assert!(story.link.is_at_rest());
    story.sees(CRM, seen_paper(CRM, 3, &["L1 p 2 10", "L2 q 1 5 n"]));
    assert!(story.link.is_at_rest());
    story.sees(CRM, seen_paper(CRM, 4, &["L1 p 2 10", "L2 q 2 5 n"]));
    assert_eq!(story.enqueued(), [EXACT]);
}

#[test]
fn a_late_answer_of_an_earlier_attempt_ties_its_lines_too() {
    let mut story = adding();
    let first = story.claim(EXACT);
    story.claims(EXACT);
    let after = Some(our_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5 n"]));
    story.then(Event::Applied { system: EXACT, claim: first, record: record("e1"), after });
    story.claims(EXACT);
    rests_tied(story, "L2", "X2");
}

#[test]
fn a_line_that_keeps_coming_and_going_is_frozen() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10"]), papers());
    let mut writes = 0;
    for turn in 1..40_u64 {
        let (edited, written) = if turn % 2 == 1 { (CRM, EXACT) } else { (EXACT, CRM) };
        let lines = |system| match (turn % 2 == 1, system) {
            (true, _) => vec![],
            (false, CRM) => vec!["L1 p 2 10"],
            (false, _) => vec!["X1 p 2 10"],
        };
        let event = |system, observation| Event::Observed { system, observation };
        story.after(1, event(edited, seen_paper(edited, 2 * turn, &lines(edited))));
        story.after(0, Event::Claimed { system: written });
        if story.link.is_at_rest() {
            break;
        }
        writes += 1;
        let after = Some(our_paper(written, 2 * turn + 1, &lines(written)));
        let record = story.link.record(written).unwrap().clone();
        let claim = story.claim(written);
        story.after(0, Event::Applied { system: written, claim, record, after });
    }
    assert!(writes <= usize::from(crate::decide::TURNS_MAX), "{writes} writes");
}
