//! A newer version of a document takes the place of the older one.

use super::{
    document::{cell, linked_paper, our_paper, paper_side, papers, seen_paper, there},
    fixture::{CRM, EXACT, Story, alone, gone, linked, plain, record, side, value, view},
};
use crate::{Event, Failure, Observation, Side, Status};

fn reviewed(lines: &[&str]) -> Event {
    Event::Superseded { system: EXACT, side: paper_side("e2", 7, lines) }
}

fn quotation() -> Story {
    Story::of(linked_paper(&["L1 p 2 10 n", "L2 q 1 5", "L3 q 1 5"]), papers())
}

#[test]
fn the_link_moves_to_the_newer_version_with_its_lines() {
    let mut story = quotation();
    story.then(reviewed(&["X11 q 1 5", "X12 p 2 10 n", "X13 q 1 5"]));
    assert!(story.link.is_at_rest(), "{:?}", story.link.pending);
    assert_eq!(story.link.record(EXACT), Some(&record("e2")));
    let own: Vec<_> = ["L1", "L2", "L3"].map(|id| story.tie(id).1.unwrap()).into();
    assert_eq!(own, ["X12", "X11", "X13"]);
    story.sees(EXACT, seen_paper(EXACT, 9, &[]));
    assert!(story.was_an_echo(EXACT), "the older version says nothing any more");
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10 n", "L2 q 1 5", "L3 q 1 5"])).claims(EXACT);
    let crate::Write::Update { record: written, version, .. } = story.write(EXACT) else { panic!() };
    assert_eq!((written, version.map(|version| version.0)), (&record("e2"), Some(7)));
    assert_eq!(story.said(EXACT), ["L1.Quantity = 3"]);
}

#[test]
fn what_differs_in_the_newer_version_is_an_edit_of_its_side() {
    let mut story = quotation();
    story.then(reviewed(&["X12 p 4 10 n", "X13 q 1 5", "X14 r 1 1"]));
    assert_eq!(
        story.told(CRM),
        ["L1.Quantity = 4", "no L3", "X14", "X14.Price = 1", "X14.Product = r", "X14.Quantity = 1",]
    );
    story.claims(EXACT);
    assert_eq!(story.link.pending[EXACT], crate::Pending::None);
}

#[test]
fn an_edit_that_the_older_version_never_received_goes_to_the_newer_one() {
    let mut story = quotation();
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10 n", "L2 q 1 5", "L3 q 1 5", "L4 r 1 1"]));
    story.then(reviewed(&["X12 p 2 10 n", "X13 q 1 5", "X14 q 1 5"]));
    assert_eq!(
        story.told(EXACT),
        ["L1.Quantity = 3", "L4", "L4.Price = 1", "L4.Product = r", "L4.Quantity = 1",]
    );
}

#[test]
fn a_line_of_the_newer_version_is_rather_one_that_the_other_side_has_than_one_that_it_removed() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10", "L2 p 2 10"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L2 p 2 10"])).claims(EXACT);
    assert_eq!(story.said(EXACT), ["no L1"]);
    story.then(reviewed(&["X11 p 2 10"]));
    assert_eq!(story.tie("L2"), (Some("L2".to_owned()), Some("X11".to_owned())));
    assert!(story.enqueued().is_empty(), "the only line that is left is not removed");
}

#[test]
fn a_line_that_was_seen_before_its_outcome_is_known_in_the_newer_version_by_how_it_was_seen() {
    let mut story = Story::of(linked_paper(&[]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L2 q 1 5"])).claims(EXACT);
    story.sees(EXACT, seen_paper(EXACT, 2, &["X2 q 1 5"])).sees(EXACT, seen_paper(EXACT, 3, &["X2 q 7 5"]));
    story.then(reviewed(&["X12 q 7 5"]));
    assert_eq!(story.tie("L2"), (Some("L2".to_owned()), Some("X12".to_owned())));
}

#[test]
fn a_line_of_the_older_version_is_not_given_up_for_one_that_may_be_on_its_way() {
    let mut story = Story::of(linked_paper(&["L1 q 3 5"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 q 3 5", "L2 q 3 4"])).claims(EXACT);
    story.then(reviewed(&["X12 q 3 4"]));
    assert_eq!(story.tie("L1").1.as_deref(), Some("X12"), "its price may have been edited");
    assert!(!story.told(CRM).contains(&"no L1".to_owned()));
}

#[test]
fn a_removal_that_the_older_version_may_have_received_is_said_to_the_newer_one() {
    let mut story = quotation();
    story.sees(CRM, seen_paper(CRM, 2, &["L2 q 1 5", "L3 q 1 5"])).claims(EXACT);
    story.then(reviewed(&["X11 p 2 10 n", "X12 q 1 5", "X13 q 1 5"]));
    assert_eq!(story.told(EXACT), ["no L1"], "nobody can tell whether X11 was there before");
}

#[test]
fn what_a_refused_repetition_hides_is_held_for_a_person_against_a_removal() {
    let mut story = quotation();
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10 n", "L2 q 1 5", "L3 q 1 5"])).claims(EXACT);
    story.claims(EXACT).rejects(EXACT);
    story.sees(CRM, seen_paper(CRM, 3, &["L2 q 1 5", "L3 q 1 5"])).claims(EXACT).rejects(EXACT);
    story.then(reviewed(&["X11 p 3 10 n", "X12 q 1 5", "X13 q 1 5"]));
    assert!(story.link.conflicts.contains(&there("L1")), "the first attempt, or a person, has written the 3");
}

#[test]
fn lines_are_told_by_what_people_enter_before_what_a_system_computes() {
    let mut story = Story::of(linked_paper(&["L1 p 2 10 n", "L2 p 2 10 m"]), papers());
    let mut side = paper_side("e2", 7, &["X11 p 2 10 m", "X12 p 2 10 n"]);
    let known = &mut story.link.sides[EXACT].as_mut().unwrap().view;
    for (view, first, second) in [(known, "L1", "L2"), (&mut side.view, "X11", "X12")] {
        view.insert(cell(first, "Number"), value("1"));
        view.insert(cell(second, "Number"), value("2"));
    }
    story.then(Event::Superseded { system: EXACT, side });
    assert_eq!([story.tie("L1").1, story.tie("L2").1], [Some("X12".to_owned()), Some("X11".to_owned())]);
}

#[test]
fn what_becomes_of_a_write_to_the_older_version_says_nothing_about_the_newer_one() {
    let outcomes: [fn(u64) -> Event; 5] = [
        |claim| Event::Applied { system: EXACT, claim, record: record("e1"), after: None },
        |claim| {
            let after = Some(our_paper(EXACT, 9, &["X1 p 3 10 n", "X2 q 1 5", "X3 q 1 5"]));
            Event::Applied { system: EXACT, claim, record: record("e1"), after }
        },
        |claim| Event::Failed { system: EXACT, claim, failure: Failure::Gone },
        |claim| Event::Failed {
            system: EXACT,
            claim,
            failure: Failure::Rejected { words: "it is closed".to_owned() },
        },
        |claim| {
            let now = Some(seen_paper(EXACT, 9, &[]));
            Event::Failed { system: EXACT, claim, failure: Failure::Stale { now } }
        },
    ];
    for outcome in outcomes {
        let mut story = quotation();
        story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10 n", "L2 q 1 5", "L3 q 1 5"])).claims(EXACT);
        let claim = story.claim(EXACT);
        story.then(reviewed(&["X12 p 2 10 n", "X13 q 1 5", "X14 q 1 5"]));
        let event = outcome(claim);
        story.then(event.clone());
        assert_eq!(story.told(EXACT), ["L1.Quantity = 3"], "{event:?}");
        assert_eq!(story.link.status, Status::Linked, "{event:?}");
        let crate::Write::Update { record: written, .. } = story.write(EXACT) else { panic!() };
        assert_eq!(written, &record("e2"), "{event:?}");
    }
}

#[test]
fn a_claim_that_is_repeated_after_the_link_has_moved_is_said_to_the_newer_version() {
    let mut story = quotation();
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10 n", "L2 q 1 5", "L3 q 1 5", "L4 r 1 1"])).claims(EXACT);
    story.then(reviewed(&["X12 p 2 10 n", "X13 q 1 5", "X14 q 1 5", "X15 r 1 1"])).claims(EXACT);
    let crate::Write::Update { record: written, .. } = story.write(EXACT) else { panic!() };
    assert_eq!(written, &record("e2"));
    assert_eq!(story.said(EXACT), ["L1.Quantity = 3"], "what the copy has of it is not added again");
}

#[test]
fn a_newer_version_is_taken_once() {
    let mut story = quotation();
    let event = reviewed(&["X12 p 2 10 n", "X13 q 1 5", "X14 q 1 5"]);
    story.then(event.clone());
    let link = story.link.clone();
    story.then(event);
    assert!(story.was_an_echo(EXACT));
    assert_eq!(story.link, link);
}

#[test]
fn a_refusal_of_the_older_version_does_not_bind_the_newer_one() {
    let mut story = quotation();
    story
        .sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10 n", "L2 q 1 5", "L3 q 1 5"]))
        .claims(EXACT)
        .rejects(EXACT);
    story.then(reviewed(&["X12 p 2 10 n", "X13 q 1 5", "X14 q 1 5"]));
    assert_eq!(story.enqueued(), [EXACT]);
}

#[test]
fn a_link_whose_older_version_was_deleted_goes_on_with_the_newer_one() {
    let mut story = quotation();
    story.sees(EXACT, gone(EXACT, 2));
    assert_eq!(story.link.status, Status::Ended);
    story.then(reviewed(&["X12 p 2 10 n", "X13 q 1 5", "X14 q 1 5"]));
    assert_eq!(story.link.status, Status::Linked);
    assert!(story.link.is_at_rest());
}

#[test]
fn a_newer_version_where_there_was_no_record_is_the_partner() {
    let mut story = Story::of(alone(&[("a", "A")]), plain());
    story.then(Event::Superseded { system: EXACT, side: side("e2", 7, &[("a", "")]) });
    assert_eq!(story.link.status, Status::Linked);
    assert_eq!(story.enqueued(), [EXACT]);
}

#[test]
fn a_plain_record_can_be_superseded_too() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), plain());
    story.edited(CRM, 2, &[("a", "A2")]).claims(EXACT);
    story
        .then(Event::Superseded { system: EXACT, side: Side { ..side("e2", 7, &[("a", "A"), ("b", "C")]) } });
    story.applies(EXACT, Some(Observation { record: record("e1"), ..our_paper(EXACT, 9, &[]) }));
    story.claims(EXACT).claims(CRM);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "A2")]));
    assert_eq!(story.write(CRM).values(), &view(&[("b", "C")]));
}
