//! Which lines of two documents belong together.

use model::{LinkId, Reference, Value};

use super::{
    document::{cell, key, lone_paper, paper_side, papers, seen_paper, words},
    fixture::{BOTH_WAYS, CRM, EXACT, Story, record},
};
use crate::{Event, LinesPolicy, Rule};

/// Two documents that meet; the ties as `L1=X2`, those of one side alone as `L1` and `X2`.
fn ties(crm: &[&str], exact: &[&str]) -> Vec<String> {
    let story = Story::of_two(crm, exact, papers());
    let tie = |id: &str| match story.tie(id) {
        (Some(crm), Some(exact)) => format!("{crm}={exact}"),
        (crm, exact) => crm.or(exact).unwrap(),
    };
    story.link.lines.keys().map(|key| tie(key.as_str().split_once(':').unwrap().1)).collect()
}

#[track_caller]
fn check(sentence: &str, crm: &[&str], exact: &[&str], expected: &[&str]) {
    assert_eq!(ties(crm, exact), expected, "{sentence}");
}

#[test]
fn lines_that_meet_are_tied_by_what_they_hold() {
    check("one alike", &["L1 p 2 10"], &["X1 p 2 10"], &["L1=X1"]);
    check(
        "the order says nothing",
        &["L1 p 2 10", "L2 q 1 5"],
        &["X1 q 1 5", "X2 p 2 10"],
        &["L1=X2", "L2=X1"],
    );
    check("another price", &["L1 p 2 10"], &["X1 p 2 11"], &["L1=X1"]);
    check("another quantity too", &["L1 p 2 10"], &["X1 p 3 11"], &["L1=X1"]);
    check("another product is another line", &["L1 p 2 10"], &["X1 q 2 10"], &["L1", "X1"]);
    check("none there", &["L1 p 2 10"], &[], &["L1"]);
    check("one more here", &["L1 p 2 10", "L2 p 2 10"], &["X1 p 2 10"], &["L1=X1", "L2"]);
    check("one more there", &["L1 p 2 10"], &["X1 p 2 10", "X2 p 2 10"], &["L1=X1", "X2"]);
    check(
        "texts without a product",
        &["L1 - 1 0 hi", "L2 - 1 0 ho"],
        &["X1 - 1 0 ho", "X2 - 1 0 hi"],
        &["L1=X2", "L2=X1"],
    );
}

#[test]
fn what_is_more_alike_is_tied_first() {
    check(
        "all equal before the quantity",
        &["L1 p 2 10", "L2 p 2 9"],
        &["X1 p 2 9", "X2 p 2 8"],
        &["L1=X2", "L2=X1"],
    );
    check(
        "the quantity before the price",
        &["L1 p 1 10", "L2 p 2 10"],
        &["X1 p 2 11", "X2 p 3 10"],
        &["L1=X2", "L2=X1"],
    );
    check(
        "the note of two equal lines",
        &["L1 p 1 1 u", "L2 p 1 1 v"],
        &["X1 p 1 1 v", "X2 p 1 1 u"],
        &["L1=X2", "L2=X1"],
    );
    check(
        "the position of two that are equal in all",
        &["L9 p 1 1", "L10 p 1 1"],
        &["X1 p 1 1", "X2 p 1 1"],
        &["L10=X2", "L9=X1"],
    );
}

#[test]
fn without_a_row_to_match_by_lines_are_tied_by_all_that_they_hold_and_by_position() {
    let mut policy = papers();
    policy.lines = policy.lines.map(|lines| LinesPolicy { match_by: Vec::new(), ..lines });
    let story =
        Story::of_two(&["L1 p 1 1", "L2 q 1 1", "L3 r 1 1"], &["X1 q 1 1", "X2 p 1 1", "X3 s 2 2"], policy);
    for (crm, exact) in [("L1", "X2"), ("L2", "X1"), ("L3", "X3")] {
        assert_eq!(story.tie(crm), (Some(crm.to_owned()), Some(exact.to_owned())));
    }
}

#[test]
fn two_documents_that_meet_hold_all_lines_of_both_in_the_end() {
    let mut story = Story::of_two(&["L1 p 2 10", "L2 q 1 5"], &["X1 p 2 10", "X2 r 3 7 n"], papers());
    assert_eq!(story.told(EXACT), ["L2", "L2.Price = 5", "L2.Product = q", "L2.Quantity = 1"]);
    assert_eq!(story.told(CRM), ["X2", "X2.Note = n", "X2.Price = 7", "X2.Product = r", "X2.Quantity = 3"]);
}

#[test]
fn nothing_is_tied_or_added_while_a_line_is_known_by_an_unresolved_reference() {
    let mut story = Story::of_two(&["L1 @x 2 10", "L2 q 1 5"], &["X1 p 2 10"], papers());
    assert!(story.link.is_at_rest(), "X1 may be L1");
    assert_eq!(story.link.waits_for().len(), 1);

    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5"]));
    assert!(story.link.is_at_rest(), "X2 is not tied to L2 before that is known");
    assert_eq!(story.link.lines.len(), 4);

    let p = Value::Reference(Reference::Linked(LinkId::begun_by(CRM, &record("p"))));
    story.link.sides[EXACT].as_mut().unwrap().view.insert(cell("X1", "Product"), p.clone());
    story.then(Event::ReferenceLinked { system: CRM, property: cell("L1", "Product"), value: p });
    assert_eq!(story.tie("X1"), (Some("L1".to_owned()), Some("X1".to_owned())));
    assert_eq!(story.tie("X2"), (Some("L2".to_owned()), Some("X2".to_owned())));
    assert!(story.link.is_at_rest());
}

#[test]
fn nothing_is_tied_by_a_sighting_with_a_line_that_is_known_by_an_unresolved_reference() {
    let mut story = Story::of(super::document::linked_paper(&["L1 p 2 10"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 2 10", "L2 q 1 5"]));
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5", "X3 @x 1 1"]));
    assert_eq!(story.tie("L2").1, None, "X3 may be L2");
    story.sees(EXACT, seen_paper(EXACT, 3, &["X1 @x 2 10", "X2 q 1 5"]));
    assert_eq!(story.tie("X2").0.as_deref(), Some("L2"), "X1 is L1, whatever it refers to");
}

#[test]
fn tied_lines_go_on_while_another_waits() {
    let mut story = Story::of(super::document::linked_paper(&["L1 p 2 10", "L2 q 1 5"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10", "L3 @x 1 1", "L4 r 1 1"]));
    assert_eq!(story.told(EXACT), ["L1.Quantity = 3", "no L2"]);
}

#[test]
fn a_line_is_not_made_without_a_reference_that_it_requires() {
    let mut policy = papers();
    policy.lines = policy.lines.map(|lines| LinesPolicy { match_by: lines.match_by[1..].to_vec(), ..lines });
    for required in [true, false] {
        let rule = Rule { required, ..BOTH_WAYS };
        let policy = super::document::with(policy.clone(), "Lines.Product", rule);
        let mut story = Story::of_two(&["L1 @x 1 1", "L2 q 2 5"], &[], policy);
        let told = story.told(EXACT);
        assert_eq!(told.contains(&"L1".to_owned()), !required);
        assert!(told.contains(&"L2".to_owned()));
    }
}

#[test]
fn a_line_that_its_system_gave_a_new_id_is_the_same_line() {
    let mut story = Story::of(super::document::linked_paper(&["L1 p 2 10 n", "L2 q 1 5"]), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L7 p 2 10 n", "L8 q 4 5"]));
    assert_eq!(story.told(EXACT), ["L2.Quantity = 4"]);
    assert_eq!(story.tie("L1"), (Some("L7".to_owned()), Some("X1".to_owned())));
    story.sees(CRM, seen_paper(CRM, 3, &["L7 p 2 10 n", "L8 q 4 5", "L1 p 2 10 n"]));
    assert_eq!(story.link.lines.len(), 3, "the id that was given up is a line of its own when it comes back");
}

#[test]
fn ids_of_any_kind_are_kept_apart() {
    let ids = ["a].Quantity", "a]", "a", "[", "😀 ]", "\u{202e}x", "a.b"];
    let lines: Vec<_> = ids.iter().map(|id| model::LineKey::begun_by(CRM, &record(id))).collect();
    let mut link = lone_paper(&[]);
    let mut view = super::document::paper(&[]);
    for (number, line) in lines.iter().enumerate() {
        let quantity = model::PropertyName::in_line(line, &super::fixture::property("Lines.Quantity"));
        view.insert(
            model::PropertyName::of_line(&super::fixture::property("Lines"), line),
            Value::Boolean(true),
        );
        view.insert(quantity, Value::Text(number.to_string()));
    }
    link.lines.clear();
    let mut story = Story::of(link, papers());
    story.sees(CRM, crate::Observation { view: view.clone(), ..seen_paper(CRM, 2, &[]) });
    assert_eq!(story.link.lines.len(), ids.len());
    story.then(Event::Released).claims(EXACT);
    assert_eq!(words(story.write(EXACT).values()), words(&view));
    let fewer: model::View =
        view.into_iter().filter(|(name, _)| name.line().as_ref() != Some(&lines[2])).collect();
    story.sees(CRM, crate::Observation { view: fewer.clone(), ..seen_paper(CRM, 3, &[]) });
    assert_eq!(story.holds(CRM).len(), fewer.len() + 1, "only the line that is gone is gone");
}

#[test]
fn a_side_that_was_found_without_its_lines_is_not_taken_to_have_none() {
    let mut story = Story::of(lone_paper(&["L1 p 2 10"]), papers());
    story.then(Event::Released).claims(EXACT);
    let claim = story.claim(EXACT);
    let side = crate::Side { view: super::fixture::view(&[("a", "A")]), ..paper_side("e1", 4, &[]) };
    story.then(Event::Adopted { system: EXACT, claim, side });
    assert!(story.link.is_at_rest(), "nobody knows yet what it has");
    story.sees(EXACT, seen_paper(EXACT, 4, &["X1 p 2 10", "X2 q 1 1"]));
    assert_eq!(story.tie("L1"), (Some("L1".to_owned()), Some("X1".to_owned())), "at the very same version");
    assert!(story.enqueued() == [CRM] && story.link.lines.contains_key(&key("X2")));
    story.sees(EXACT, seen_paper(EXACT, 4, &["X1 p 2 10"]));
    assert!(story.was_an_echo(EXACT), "once they were seen the version decides again");
}
