//! Lines that are edited, added and removed.

use super::{
    document::{cell, key, linked_paper, papers, seen_paper, there, with, without_lines},
    fixture::{BOTH_WAYS, CRM, EXACT, Story, at},
};
use crate::{ConflictPolicy, Flow, Observation, Policy, Rule};

const WINS_CRM: Rule = BOTH_WAYS;
const WINS_EXACT: Rule = Rule { conflict: ConflictPolicy::Wins(EXACT), ..BOTH_WAYS };
const ASK: Rule = Rule { conflict: ConflictPolicy::Ask, ..BOTH_WAYS };
const NEWEST: Rule = Rule { conflict: ConflictPolicy::Newest, ..BOTH_WAYS };

/// `p` twice at 10 and `q` once at 5, on both sides.
fn agreed() -> Story {
    under(papers())
}

fn under(policy: Policy) -> Story {
    Story::of(linked_paper(&["L1 p 2 10", "L2 q 1 5 -"]), policy)
}

#[test]
fn an_edit_of_a_line_goes_to_its_partner_and_changes_nothing_else() {
    for (side, other, lines) in
        [(CRM, EXACT, ["L1 p 3 10", "L2 q 1 5"]), (EXACT, CRM, ["X1 p 3 10", "X2 q 1 5"])]
    {
        let mut story = agreed();
        story.sees(side, seen_paper(side, 2, &lines));
        assert_eq!(story.told(other), ["L1.Quantity = 3"]);
    }
}

#[test]
fn what_is_shown_of_a_line_that_is_not_there_is_left_out() {
    let mut story = agreed();
    let mut partial = seen_paper(CRM, 2, &["L1 p 3 10"]);
    partial.whole_lines = false;
    partial.view.insert(cell("L9", "Price"), super::fixture::value("7"));
    story.sees(CRM, partial);
    assert!(!story.holds(CRM).contains_key(&cell("L9", "Price")));
    assert!(story.holds(CRM).contains_key(&cell("L2", "Price")), "what was not shown keeps what was known");
}

#[test]
fn edits_of_different_cells_of_one_line_both_live() {
    let mut story = agreed();
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10", "L2 q 1 5"]));
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 11", "X2 q 1 5"]));
    assert_eq!(story.told(EXACT), ["L1.Quantity = 3"]);
    assert_eq!(story.told(CRM), ["L1.Price = 11"]);
}

#[test]
fn edits_of_one_cell_go_by_its_rows_policy() {
    for (rule, crm, exact) in [
        (WINS_CRM, None, Some("L1.Quantity = 3")),
        (WINS_EXACT, Some("L1.Quantity = 4"), None),
        (ASK, None, None),
    ] {
        let mut story = under(with(papers(), "Lines.Quantity", rule));
        story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10", "L2 q 1 5"]));
        story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 4 10", "X2 q 1 5"]));
        let held = story.link.conflicts.contains(&cell("L1", "Quantity"));
        assert_eq!(held, rule.conflict == ConflictPolicy::Ask);
        assert_eq!(story.told(EXACT), exact.into_iter().collect::<Vec<_>>());
        assert_eq!(story.told(CRM), crm.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_new_line_goes_with_all_that_it_holds_and_that_flows_there() {
    let mut story = agreed();
    let mut seen = seen_paper(CRM, 2, &["L1 p 2 10", "L2 q 1 5", "L3 r 7 1 -"]);
    seen.view.insert(cell("L3", "Number"), super::fixture::value("3"));
    seen.view.insert(cell("L3", "Unmapped"), super::fixture::value("u"));
    story.sees(CRM, seen);
    assert_eq!(story.told(EXACT), ["L3", "L3.Price = 1", "L3.Product = r", "L3.Quantity = 7"]);

    let mut story = agreed();
    let mut seen = seen_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5", "X3 r 7 1"]);
    seen.view.insert(cell("X3", "Number"), super::fixture::value("3"));
    story.sees(EXACT, seen);
    assert_eq!(story.told(CRM), ["X3", "X3.Number = 3", "X3.Price = 1", "X3.Product = r", "X3.Quantity = 7"]);
}

#[test]
fn a_new_line_is_told_to_people_once() {
    let mut story = agreed();
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 2 10", "L2 q 1 5", "L3 r 7 1"]));
    let told = story.notes().into_iter().filter(|note| note.contains("goes to"));
    assert_eq!(told.count(), 1, "{:?}", story.effects);
}

#[test]
fn a_removed_line_is_removed_on_the_other_side() {
    for (side, other, lines) in [(CRM, EXACT, ["L2 q 1 5"]), (EXACT, CRM, ["X2 q 1 5"])] {
        let mut story = agreed();
        story.sees(side, seen_paper(side, 2, &lines));
        assert_eq!(story.lines(side)[0], "no L1");
        assert!(!story.holds(side).contains_key(&cell("L1", "Quantity")), "its cells leave the view");
        assert_eq!(story.told(other), ["no L1"]);
    }
}

#[test]
fn a_line_that_both_removed_is_forgotten() {
    let mut story = agreed();
    story.sees(CRM, seen_paper(CRM, 2, &["L2 q 1 5"]));
    story.sees(EXACT, seen_paper(EXACT, 2, &["X2 q 1 5"]));
    story.claims(EXACT);
    assert!(story.link.is_at_rest());
    assert!(!story.link.lines.contains_key(&key("L1")));
    let mut names = story.link.agreed.keys().chain(story.link.turns.keys()).chain(&story.link.conflicts);
    assert!(names.all(|name| name.line() != Some(key("L1"))));
    assert!(!story.holds(CRM).contains_key(&there("L1")) && !story.holds(EXACT).contains_key(&there("L1")));
}

#[test]
fn what_was_not_seen_whole_proves_no_line_gone() {
    let mut story = agreed();
    let partial = Observation { whole_lines: false, ..seen_paper(CRM, 2, &["L2 q 3 5"]) };
    story.sees(CRM, partial);
    assert_eq!(story.told(EXACT), ["L2.Quantity = 3"]);
}

#[test]
fn lines_that_come_in_another_order_are_the_same_lines() {
    let mut story = agreed();
    let mut seen = seen_paper(EXACT, 2, &["X2 q 1 5", "X1 p 2 10"]);
    story.sees(EXACT, seen.clone());
    assert!(story.was_an_echo(EXACT));
    for (id, number) in [("X1", "2"), ("X2", "1")] {
        seen.view.insert(cell(id, "Number"), super::fixture::value(number));
    }
    let mut numbered = seen_paper(CRM, 2, &["L1 p 2 10", "L2 q 1 5"]);
    for (id, number) in [("L1", "1"), ("L2", "2")] {
        numbered.view.insert(cell(id, "Number"), super::fixture::value(number));
    }
    story.sees(CRM, numbered).sees(EXACT, Observation { version: Some(model::Version(3)), ..seen });
    assert_eq!(story.told(CRM), ["L1.Number = 2", "L2.Number = 1"]);
    story.claims(EXACT);
    assert!(!matches!(story.link.pending[EXACT], crate::Pending::InFlight { .. }));
}

#[test]
fn a_line_that_one_removed_and_the_other_edited_goes_by_the_lines_policy() {
    let all = ["L1", "L1.Price = 10", "L1.Product = p", "L1.Quantity = 3"];
    for (sentence, rule, clocks, crm, exact) in [
        ("a person decides", ASK, None, &[][..], &[][..]),
        ("the CRM wins, who removed it", WINS_CRM, None, &[], &["no L1"]),
        ("Exact wins, who edited it", WINS_EXACT, None, &all, &[]),
        ("the newer wins, who edited it", NEWEST, Some((1, 2)), &all, &[]),
        ("the newer wins, who removed it", NEWEST, Some((2, 1)), &[], &["no L1"]),
        ("the clocks don't tell", NEWEST, Some((1, 1)), &[], &[]),
    ] {
        let mut story = under(with(papers(), "Lines", rule));
        let (crm_at, exact_at) = clocks.unwrap_or((1, 1));
        let moved = |observation, seconds| Observation { modified_at: Some(at(seconds)), ..observation };
        story.sees(EXACT, moved(seen_paper(EXACT, 2, &["X1 p 3 10", "X2 q 1 5"]), exact_at));
        story.sees(CRM, moved(seen_paper(CRM, 2, &["L2 q 1 5"]), crm_at));
        assert_eq!(story.told(CRM), crm, "{sentence}");
        assert_eq!(story.told(EXACT), exact, "{sentence}");
        let held = crm.is_empty() && exact.is_empty();
        assert_eq!(story.link.conflicts.contains(&there("L1")), held, "{sentence}");
    }
}

#[test]
fn what_is_edited_elsewhere_in_a_document_makes_the_edit_of_a_line_no_younger() {
    let moved = |observation, seconds| Observation { modified_at: Some(at(seconds)), ..observation };
    let mut story = under(with(papers(), "Lines", NEWEST));
    story.sees(CRM, moved(seen_paper(CRM, 2, &["L1 p 3 10", "L2 q 1 5"]), 10));
    story.sees(EXACT, moved(seen_paper(EXACT, 2, &["X2 q 1 5"]), 20));
    story.sees(CRM, moved(seen_paper(CRM, 3, &["L1 p 3 10", "L2 q 9 5"]), 30));
    assert_eq!(story.told(CRM), ["no L1"], "it was removed after the edit");
    story.sees(CRM, moved(seen_paper(CRM, 4, &["L1 p 4 10", "L2 q 9 5"]), 40));
    assert_eq!(story.told(CRM), [""; 0], "and now it was edited after that");
}

#[test]
fn where_lines_are_kept_a_removal_is_undone_whoever_wins() {
    let mut story = under(with(papers(), "Lines", Rule { keep_filled: true, ..WINS_CRM }));
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 3 10", "X2 q 1 5"]));
    story.sees(CRM, seen_paper(CRM, 2, &["L2 q 1 5"]));
    assert_eq!(story.told(CRM), ["L1", "L1.Price = 10", "L1.Product = p", "L1.Quantity = 3"]);
}

#[test]
fn a_held_removal_ends_when_the_other_side_agrees() {
    let mut story = agreed();
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 3 10", "X2 q 1 5"]));
    story.sees(CRM, seen_paper(CRM, 2, &["L2 q 1 5"]));
    assert!(story.link.conflicts.contains(&there("L1")));
    let mut taken_back = Story::of(story.link.clone(), story.policy.clone());
    taken_back.sees(EXACT, seen_paper(EXACT, 3, &["X1 p 2 10", "X2 q 1 5"]));
    assert_eq!(taken_back.told(EXACT), ["no L1"], "who edited it has taken the edit back");
    assert!(taken_back.link.conflicts.is_empty());
    story.sees(EXACT, seen_paper(EXACT, 3, &["X2 q 1 5"])).claims(CRM);
    assert!(story.link.conflicts.is_empty() && story.link.is_at_rest());
}

#[test]
fn what_a_system_computes_by_itself_is_no_edit_against_a_removal() {
    let mut story = agreed();
    for (system, id) in [(CRM, "L1"), (EXACT, "X1")] {
        let mut seen =
            seen_paper(system, 2, &[&format!("{id} p 2 10"), &format!("{} q 1 5", id.replace('1', "2"))]);
        seen.view.insert(cell(id, "Number"), super::fixture::value("2"));
        story.sees(system, seen);
    }
    let mut renumbered = seen_paper(EXACT, 3, &["X1 p 2 10", "X2 q 1 5"]);
    renumbered.view.insert(cell("X1", "Number"), super::fixture::value("1"));
    story.sees(CRM, seen_paper(CRM, 3, &["L2 q 1 5"])).sees(EXACT, renumbered);
    assert_eq!(story.told(EXACT), ["no L1"]);
}

#[test]
fn lines_that_flow_one_way_are_set_back_at_their_target() {
    let one_way = |system| under(with(papers(), "Lines", Rule { flow: Flow::To(system), ..BOTH_WAYS }));
    let mut story = one_way(EXACT);
    story.sees(EXACT, seen_paper(EXACT, 2, &["X2 q 1 5", "X3 r 1 1"]));
    assert_eq!(
        story.told(EXACT),
        ["L1", "L1.Price = 10", "L1.Product = p", "L1.Quantity = 2"],
        "what was removed comes back, and a line of its own stays alone"
    );
    story.claims(CRM);
    assert_eq!(story.link.pending[CRM], crate::Pending::None);
    let mut story = one_way(CRM);
    story.sees(EXACT, seen_paper(EXACT, 2, &["X2 q 1 5", "X3 r 1 1"]));
    assert_eq!(story.told(CRM), ["no L1", "X3", "X3.Price = 1", "X3.Product = r", "X3.Quantity = 1"]);
}

#[test]
fn lines_of_a_pair_without_a_rule_for_them_are_left_alone() {
    let mut policy = papers();
    policy.rules.remove(&super::fixture::property("Lines"));
    let mut story = under(policy);
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 9 10", "L3 r 1 1"]));
    assert!(story.link.is_at_rest());
}

#[test]
fn a_line_that_comes_back_under_its_own_id_is_not_removed_on_the_other_side() {
    let mut story = agreed();
    story.sees(CRM, seen_paper(CRM, 2, &["L2 q 1 5"]));
    story.sees(CRM, seen_paper(CRM, 3, &["L1 p 2 10", "L2 q 1 5"]));
    story.claims(EXACT);
    assert!(story.link.is_at_rest());
    assert_eq!(story.tie("L1"), (Some("L1".to_owned()), Some("X1".to_owned())));
}

#[test]
fn the_other_properties_are_merged_as_ever() {
    let mut story = agreed();
    let mut seen = seen_paper(CRM, 2, &["L1 p 3 10", "L2 q 1 5"]);
    seen.view.insert(super::fixture::property("a"), super::fixture::value("B"));
    story.sees(CRM, seen).claims(EXACT);
    assert_eq!(story.write(EXACT).values().len(), 2);
}

#[test]
fn no_line_is_written_before_it_is_known_how_the_lines_look() {
    let mut story = agreed();
    story.sees(EXACT, without_lines(seen_paper(EXACT, 2, &[])));
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10", "L3 r 1 7"]));
    assert_eq!(story.told(EXACT), [""; 0], "neither an edit nor a removal nor a new line");
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 10", "X2 q 1 5"]));
    let all = ["L1.Quantity = 3", "no L2", "L3", "L3.Price = 7", "L3.Product = r", "L3.Quantity = 1"];
    assert_eq!(story.told(EXACT), all);
}

#[test]
fn no_line_is_written_to_a_record_whose_version_is_not_known() {
    let mut story = agreed();
    story.link.sides[EXACT].as_mut().unwrap().version = None;
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 3 10", "L3 r 1 7"]));
    assert_eq!(story.told(EXACT), [""; 0]);
}
