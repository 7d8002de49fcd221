//! The merge of one property, as a table of sentences.

use model::SystemPair;

use super::fixture::{BOTH_WAYS, CRM, EXACT, alone, at, linked, policy, property, side, value};
use crate::{ConflictPolicy, Decision, Flow, Link, Pending, Rule, Write, decide};

const EXACT_WINS: Rule = Rule { conflict: ConflictPolicy::Wins(EXACT), ..BOTH_WAYS };
const NEWEST: Rule = Rule { conflict: ConflictPolicy::Newest, ..BOTH_WAYS };
const ASK: Rule = Rule { conflict: ConflictPolicy::Ask, ..BOTH_WAYS };
const KEPT: Rule = Rule { keep_filled: true, ..BOTH_WAYS };
const TO_EXACT: Rule = Rule { flow: Flow::To(EXACT), ..BOTH_WAYS };
const TO_CRM: Rule = Rule { flow: Flow::To(CRM), ..BOTH_WAYS };
const TO_EXACT_KEPT: Rule = Rule { keep_filled: true, ..TO_EXACT };
const TO_CRM_KEPT: Rule = Rule { keep_filled: true, ..TO_CRM };

/// Two records that hold `now` (the CRM's value first) in property `a`, and agreed on `agreed`.
pub(super) fn records(agreed: Option<(&str, &str)>, now: (&str, &str)) -> Link {
    let mut link = alone(&[("a", now.0)]);
    link.sides[EXACT] = Some(side("e1", 1, &[("a", now.1)]));
    link.status = crate::Status::Linked;
    if let Some((crm, exact)) = agreed {
        let agreed = SystemPair { customcrm: value(crm), exactonline: value(exact) };
        link.agreed.insert(property("a"), agreed);
    }
    link
}

/// What the merge asks for, in words: `nothing`, `agree`, `ask a person`, or `crm = x` and `exact = x`.
pub(super) fn asked(link: &Link, rule: Rule) -> String {
    match decide(link, &policy(&[("a", rule)]), None).get(&property("a")) {
        None => "nothing".to_owned(),
        Some(Decision::Agree(_)) => "agree".to_owned(),
        Some(Decision::Conflict) => "ask a person".to_owned(),
        Some(Decision::Frozen) => "frozen".to_owned(),
        Some(Decision::TooLate) => "too late".to_owned(),
        Some(Decision::WithLine { .. }) => "with its line".to_owned(),
        Some(Decision::Write { to, value, .. }) => {
            format!("{} = {value}", if *to == CRM { "crm" } else { "exact" })
        }
    }
}

pub(super) type Case =
    (&'static str, Rule, Option<(&'static str, &'static str)>, (&'static str, &'static str), &'static str);

pub(super) fn check(cases: &[Case]) {
    for (sentence, rule, agreed, now, expected) in cases {
        assert_eq!(asked(&records(*agreed, *now), *rule), *expected, "{sentence}");
    }
}

#[test]
fn an_edit_goes_to_the_other_side_and_to_no_other() {
    check(&[
        ("nobody edited", BOTH_WAYS, Some(("A", "A")), ("A", "A"), "nothing"),
        ("an edit in the CRM goes to Exact", BOTH_WAYS, Some(("A", "A")), ("B", "A"), "exact = B"),
        ("an edit in Exact goes to the CRM", BOTH_WAYS, Some(("A", "A")), ("A", "B"), "crm = B"),
        ("a lone edit goes over whoever would win", EXACT_WINS, Some(("A", "A")), ("B", "A"), "exact = B"),
        ("a lone edit asks nobody", ASK, Some(("A", "A")), ("A", "B"), "crm = B"),
        ("the same edit on both sides is an agreement", BOTH_WAYS, Some(("A", "A")), ("B", "B"), "agree"),
        ("the same edit on both sides asks nobody", ASK, Some(("A", "A")), ("B", "B"), "agree"),
    ]);
}

#[test]
fn a_side_that_rewrites_what_it_stores_has_made_no_edit() {
    let rendered = Some((" AB ", "AB"));
    check(&[
        ("Exact holds its rendition still", BOTH_WAYS, rendered, (" AB ", "AB"), "nothing"),
        ("also where Exact would win", EXACT_WINS, rendered, (" AB ", "AB"), "nothing"),
        ("also where a person would decide", ASK, rendered, (" AB ", "AB"), "nothing"),
        ("an edit beside a rendition is the only edit", EXACT_WINS, rendered, ("CD", "AB"), "exact = CD"),
        ("an edit of the rendition goes back", BOTH_WAYS, rendered, (" AB ", "CD"), "crm = CD"),
        ("who types the rendition has made both equal", ASK, rendered, ("AB", "AB"), "agree"),
    ]);
}

#[test]
fn what_is_filled_wins_the_first_agreement() {
    check(&[
        ("two empty sides agree", BOTH_WAYS, None, ("", ""), "agree"),
        ("two equal sides agree", ASK, None, ("A", "A"), "agree"),
        ("the CRM's value fills Exact though Exact would win", EXACT_WINS, None, ("A", ""), "exact = A"),
        ("Exact's value fills the CRM though the CRM would win", BOTH_WAYS, None, ("", "A"), "crm = A"),
        ("filling asks nobody", ASK, None, ("", "A"), "crm = A"),
        ("two filled sides go by policy", BOTH_WAYS, None, ("A", "B"), "exact = A"),
        ("two filled sides go by the other policy", EXACT_WINS, None, ("A", "B"), "crm = B"),
        ("two filled sides wait for a person", ASK, None, ("A", "B"), "ask a person"),
        ("an empty source does not empty a one-way target", TO_EXACT, None, ("", "A"), "nothing"),
        ("a filled source fills a one-way target", TO_EXACT, None, ("A", ""), "exact = A"),
        ("an empty source does not empty the CRM either", TO_CRM, None, ("A", ""), "nothing"),
    ]);
}

#[test]
fn emptying_after_the_first_agreement_is_an_edit() {
    check(&[
        ("emptied in the CRM", BOTH_WAYS, Some(("A", "A")), ("", "A"), "exact = (empty)"),
        ("emptied in Exact", BOTH_WAYS, Some(("A", "A")), ("A", ""), "crm = (empty)"),
        ("emptied on both sides", BOTH_WAYS, Some(("A", "A")), ("", ""), "agree"),
        ("emptied against an edit goes by policy", BOTH_WAYS, Some(("A", "A")), ("", "B"), "exact = (empty)"),
        (
            "emptied against an edit goes by the other policy",
            EXACT_WINS,
            Some(("A", "A")),
            ("", "B"),
            "crm = B",
        ),
    ]);
}

#[test]
fn a_property_that_is_kept_filled_is_never_emptied_by_the_other_side() {
    check(&[
        ("emptying in the CRM is undone", KEPT, Some(("A", "A")), ("", "A"), "crm = A"),
        ("emptying in Exact is undone", KEPT, Some(("A", "A")), ("A", ""), "exact = A"),
        ("emptying loses against an edit whoever wins", KEPT, Some(("A", "A")), ("", "B"), "crm = B"),
        ("an edit still goes over", KEPT, Some(("A", "A")), ("B", "A"), "exact = B"),
        ("filling still goes over", KEPT, Some(("", "")), ("B", ""), "exact = B"),
        (
            "a source that can't be refilled empties nothing",
            TO_EXACT_KEPT,
            Some(("A", "A")),
            ("", "A"),
            "nothing",
        ),
        ("an emptied target is refilled", TO_EXACT_KEPT, Some(("A", "A")), ("A", ""), "exact = A"),
        ("what was never filled is not kept", TO_CRM_KEPT, Some(("", "")), ("B", ""), "crm = (empty)"),
        ("both emptied is an agreement", KEPT, Some(("A", "A")), ("", ""), "agree"),
    ]);
}

#[test]
fn two_edits_of_one_property_go_by_its_policy() {
    let agreed = Some(("A", "A"));
    check(&[
        ("the CRM wins", BOTH_WAYS, agreed, ("B", "C"), "exact = B"),
        ("Exact wins", EXACT_WINS, agreed, ("B", "C"), "crm = C"),
        ("a person decides", ASK, agreed, ("B", "C"), "ask a person"),
        (
            "who has come back to what was agreed no longer competes",
            EXACT_WINS,
            agreed,
            ("B", "A"),
            "exact = B",
        ),
    ]);
}

#[test]
fn the_newer_change_wins_where_the_clocks_tell() {
    for (sentence, crm, exact, expected) in [
        ("the CRM's is newer", Some(20), Some(10), "exact = B"),
        ("Exact's is newer", Some(10), Some(20), "crm = C"),
        ("both at once", Some(10), Some(10), "ask a person"),
        ("the CRM does not tell", None, Some(10), "ask a person"),
        ("Exact does not tell", Some(10), None, "ask a person"),
    ] {
        let mut link = records(Some(("A", "A")), ("B", "C"));
        link.sides[CRM].as_mut().unwrap().modified_at = crm.map(at);
        link.sides[EXACT].as_mut().unwrap().modified_at = exact.map(at);
        assert_eq!(asked(&link, NEWEST), expected, "{sentence}");
    }
}

#[test]
fn a_one_way_property_sets_back_an_edit_of_its_target() {
    let agreed = Some(("A", "A"));
    check(&[
        ("the source's edit goes over", TO_EXACT, agreed, ("B", "A"), "exact = B"),
        ("the target's edit is set back", TO_EXACT, agreed, ("A", "B"), "exact = A"),
        ("an emptied target is set back", TO_EXACT, agreed, ("A", ""), "exact = A"),
        ("an emptied source empties the target", TO_EXACT, agreed, ("", "A"), "exact = (empty)"),
        ("of two edits the source's stays", TO_EXACT, agreed, ("B", "C"), "exact = B"),
        ("the other way the CRM is the target", TO_CRM, agreed, ("B", "A"), "crm = A"),
        ("and Exact's edit goes over", TO_CRM, agreed, ("A", "B"), "crm = B"),
        ("though the CRM would win, the source's stays", TO_CRM, agreed, ("B", "C"), "crm = C"),
        ("two sides that never agreed go the one way", TO_CRM, None, ("B", "C"), "crm = C"),
    ]);
}

#[test]
fn a_reference_that_only_one_system_knows_is_neither_compared_nor_written() {
    check(&[
        ("the CRM's is not linked yet", BOTH_WAYS, Some(("A", "A")), ("@x", "A"), "nothing"),
        ("Exact's is not linked yet", BOTH_WAYS, Some(("A", "A")), ("A", "@x"), "nothing"),
        ("neither is linked yet", BOTH_WAYS, None, ("@x", "@y"), "nothing"),
        ("it doesn't fill an empty side", BOTH_WAYS, None, ("@x", ""), "nothing"),
        ("it isn't agreed on by itself", BOTH_WAYS, None, ("@x", "@x"), "nothing"),
    ]);
}

#[test]
fn a_property_that_one_side_does_not_show_is_neither_compared_nor_written() {
    let mut link = linked(&[("a", "A")]);
    link.sides[CRM].as_mut().unwrap().view.clear();
    assert_eq!(asked(&link, BOTH_WAYS), "nothing");
}

#[test]
fn a_property_of_a_write_in_flight_is_left_out_until_its_outcome_is_known() {
    let mut link = linked(&[("a", "A"), ("b", "A")]);
    for name in ["a", "b"] {
        link.sides[CRM].as_mut().unwrap().view.insert(property(name), value("B"));
    }
    link.pending[EXACT] = Pending::InFlight {
        write: Write::Update {
            record: super::fixture::record("e1"),
            version: None,
            values: super::fixture::view(&[("a", "B")]),
        },
        claim: 1,
        attempt: 1,
        since: at(0),
    };
    let rules = policy(&[("a", BOTH_WAYS), ("b", BOTH_WAYS)]);
    let decided = |claiming| decide(&link, &rules, claiming).into_keys().collect::<Vec<_>>();
    assert_eq!(decided(None), [property("b")], "only what is not in flight is decided");
    assert_eq!(decided(Some(CRM)), [property("b")], "a claim of the other side changes nothing about it");
    assert_eq!(decided(Some(EXACT)), [property("a"), property("b")], "the claim itself judges all");
}

#[test]
fn edits_of_different_properties_both_live() {
    let mut link = linked(&[("a", "A"), ("b", "A")]);
    link.sides[CRM].as_mut().unwrap().view.insert(property("a"), value("B"));
    link.sides[EXACT].as_mut().unwrap().view.insert(property("b"), value("C"));
    let decisions = decide(&link, &policy(&[("a", BOTH_WAYS), ("b", BOTH_WAYS)]), None);
    let writes: Vec<_> = decisions
        .into_values()
        .map(|decision| match decision {
            Decision::Write { to, value, .. } => (to, value),
            other => panic!("not a write: {other:?}"),
        })
        .collect();
    assert_eq!(writes, [(EXACT, value("B")), (CRM, value("C"))]);
}
