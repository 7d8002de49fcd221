//! Documents that are made with their lines, or found.

use super::{
    document::{cell, key, lone_paper, our_paper, papers, seen_paper, with, without_lines},
    fixture::{BOTH_WAYS, CRM, EXACT, Story, record, value},
};
use crate::{Event, Observation, Pending};

/// The CRM's document of `p` and `q`; the create of its partner is in flight.
fn creating() -> Story {
    let mut story = Story::of(lone_paper(&["L1 p 2 10", "L2 q 1 5 -"]), papers());
    story.then(Event::Released).claims(EXACT);
    assert_eq!(
        story.said(EXACT),
        [
            "L1",
            "L1.Price = 10",
            "L1.Product = p",
            "L1.Quantity = 2",
            "L2",
            "L2.Price = 5",
            "L2.Product = q",
            "L2.Quantity = 1",
        ]
    );
    story
}

#[test]
fn a_new_document_holds_its_lines_and_each_is_known_by_the_answer() {
    let mut story = creating();
    story.applies(
        EXACT,
        Some(Observation { version: None, ..our_paper(EXACT, 1, &["X8 q 1 5", "X7 p 2 10"]) }),
    );
    story.claims(EXACT).claims(CRM);
    assert_eq!((story.tie("L1").1.as_deref(), story.tie("L2").1.as_deref()), (Some("X7"), Some("X8")));
    assert!(story.link.is_at_rest());
}

#[test]
fn a_new_document_whose_lines_the_answer_does_not_show_is_tied_when_it_is_seen() {
    for after in [None, Some(Observation { version: None, ..without_lines(our_paper(EXACT, 1, &[])) })] {
        let mut story = creating();
        story.applies(EXACT, after);
        assert!(story.link.is_at_rest(), "{:?}", story.link.pending);
        story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10", "L2 q 1 5", "L3 r 1 1"])).claims(EXACT);
        assert_eq!(story.link.pending[EXACT], Pending::None, "not before the lines are known");
        story.sees(EXACT, our_paper(EXACT, 1, &["X8 q 1 5", "X7 p 2 10"]));
        assert_eq!(
            story.told(EXACT),
            ["L1.Quantity = 3", "L3", "L3.Price = 1", "L3.Product = r", "L3.Quantity = 1",]
        );
    }
}

#[test]
fn a_line_with_an_unresolved_reference_does_not_hide_the_lines_that_we_made() {
    let mut story = creating();
    story.applies(EXACT, None);
    story.sees(EXACT, seen_paper(EXACT, 1, &["X8 q 1 5", "X7 p 2 10", "X9 @x 1 1"])).claims(CRM);
    assert!(story.link.is_at_rest(), "{:?}", story.link.pending);
    assert_eq!((story.tie("L1").1.as_deref(), story.tie("L2").1.as_deref()), (Some("X7"), Some("X8")));
}

#[test]
fn a_document_that_is_found_again_ties_its_lines_to_what_was_sent() {
    for how in ["adopted", "joined", "applied late"] {
        let mut story = creating();
        let claim = story.claim(EXACT);
        story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10", "L2 q 1 5"])).claims(EXACT);
        let seen = our_paper(EXACT, 1, &["X8 q 1 5", "X7 p 2 10"]);
        let side = crate::Side { view: seen.view.clone(), ..super::document::paper_side("e1", 1, &[]) };
        story.then(match how {
            "adopted" => Event::Adopted { system: EXACT, claim: claim + 1, side },
            "joined" => Event::Joined { system: EXACT, side },
            _ => Event::Applied { system: EXACT, claim, record: record("e1"), after: Some(seen) },
        });
        assert_eq!(story.told(EXACT), ["L1.Quantity = 3"], "{how}");
        assert_eq!(story.link.lines.len(), 2, "{how}");
    }
}

#[test]
fn a_document_waits_for_what_its_lines_require() {
    let mut story = Story::of(lone_paper(&["L1 p 2 10", "L2 @x 1 5"]), papers());
    story.then(Event::Released);
    assert!(story.link.is_at_rest());
    story.then(Event::ReferenceLinked { system: CRM, property: cell("L2", "Product"), value: value("x") });
    story.then(Event::Released).claims(EXACT);
    assert_eq!(story.said(EXACT).len(), 8);
}

#[test]
fn a_line_that_is_removed_while_its_document_is_being_made_is_removed_there_too() {
    let mut story = creating();
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 2 10"]));
    story.applies(EXACT, Some(our_paper(EXACT, 1, &["X8 q 1 5", "X7 p 2 10"])));
    assert_eq!(story.told(EXACT), ["no L2"]);
    assert!(!story.link.lines.contains_key(&key("X8")));
}

#[test]
fn a_removed_line_of_a_document_without_a_partner_is_forgotten() {
    let mut story = Story::of(lone_paper(&["L1 p 2 10", "L2 q 1 5"]), papers());
    story.released = false;
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 2 10"]));
    assert_eq!(story.link.lines.len(), 1);
    assert_eq!(story.lines(CRM), ["L1", "L1.Price = 10", "L1.Product = p", "L1.Quantity = 2"]);
}

#[test]
fn a_late_answer_of_a_create_that_shows_no_lines_is_remembered_by_what_was_sent() {
    let mut story = Story::of(lone_paper(&["L1 q 1 9.9"]), papers());
    story.then(Event::Released).claims(EXACT);
    let first = story.claim(EXACT);
    story.claims(EXACT).sees(CRM, seen_paper(CRM, 2, &["L1 q 1 9.9", "L2 q 1 10"]));
    let after = Some(without_lines(our_paper(EXACT, 1, &[])));
    story.then(Event::Applied { system: EXACT, claim: first, record: record("e1"), after });
    story.sees(EXACT, our_paper(EXACT, 1, &["X1 q 1 10"]));
    assert_eq!(story.tie("L1").1.as_deref(), Some("X1"), "though L2 looks like it");
    assert_eq!(story.told(EXACT), ["L2", "L2.Price = 10", "L2.Product = q", "L2.Quantity = 1"]);
}

#[test]
fn a_document_waits_for_what_its_lines_are_matched_by_and_not_for_the_rest() {
    let free = || with(papers(), "Lines.Product", BOTH_WAYS);
    let mut story = Story::of(lone_paper(&["L1 @x 1 5"]), free());
    story.then(Event::Released);
    assert!(!story.is_queued(EXACT), "the line could not be found again");
    let mut story = Story::of(lone_paper(&["L1 p 1 5 @x"]), free());
    story.then(Event::Released).claims(EXACT);
    assert_eq!(story.said(EXACT), ["L1", "L1.Price = 5", "L1.Product = p", "L1.Quantity = 1"]);
}

#[test]
fn a_document_that_a_given_up_create_has_made_is_known_with_the_lines_that_its_answer_shows() {
    let shown = our_paper(EXACT, 1, &["X1 p 2 10", "X2 q 1 5 -"]);
    for (after, awaits) in [(shown.clone(), false), (without_lines(shown), true)] {
        let mut story = creating();
        story.rejects(EXACT);
        story.then(Event::Applied { system: EXACT, claim: 1, record: record("e1"), after: Some(after) });
        assert_eq!(story.link.record(EXACT), Some(&record("e1")));
        assert_eq!(story.link.awaits_lines[EXACT], awaits);
    }
}
