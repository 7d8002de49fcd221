//! What a row's rule may ask for beside its flow and its policy.

use model::{LinkId, PairName, Reference, Value};

use super::{
    document::{cell, linked_paper, papers, seen_paper, with},
    fixture::{
        BOTH_WAYS, CRM, EXACT, Story, alone, gone, linked, ours, policy, property, record, side, value, view,
    },
    merge::{Case, asked, check, records},
};
use crate::{ConflictPolicy, Decision, DeletePolicy, Event, Flow, Link, Pending, Rule, decide};

const CREATE_ONLY: Rule = Rule { create_only: true, ..BOTH_WAYS };
const ASK_CREATE_ONLY: Rule = Rule { conflict: ConflictPolicy::Ask, ..CREATE_ONLY };
const EXACT_WINS_CREATE_ONLY: Rule = Rule { conflict: ConflictPolicy::Wins(EXACT), ..CREATE_ONLY };
const TO_EXACT_CREATE_ONLY: Rule = Rule { flow: Flow::To(EXACT), ..CREATE_ONLY };
const KEPT_CREATE_ONLY: Rule = Rule { keep_filled: true, ..CREATE_ONLY };
const CRM_FOLLOWS: Rule = Rule { flow: Flow::Follow(CRM), ..BOTH_WAYS };
const EXACT_FOLLOWS: Rule = Rule { flow: Flow::Follow(EXACT), ..BOTH_WAYS };
const CRM_FOLLOWS_KEPT: Rule = Rule { keep_filled: true, ..CRM_FOLLOWS };
const STAND_IN: Rule = Rule { stand_in: true, ..BOTH_WAYS };

#[test]
fn what_exact_takes_only_at_creation_is_never_written_after() {
    let agreed = Some(("A", "A"));
    let cases: &[Case] = &[
        ("an edit in the CRM is held", CREATE_ONLY, agreed, ("B", "A"), "too late"),
        ("emptying it in the CRM is held", CREATE_ONLY, agreed, ("", "A"), "too late"),
        ("unless it is kept filled", KEPT_CREATE_ONLY, agreed, ("", "A"), "crm = A"),
        ("an edit in Exact goes over", CREATE_ONLY, agreed, ("A", "B"), "crm = B"),
        ("also where the CRM would win", ASK_CREATE_ONLY, agreed, ("A", "B"), "crm = B"),
        ("of two edits that of the CRM is held if it wins", CREATE_ONLY, agreed, ("B", "C"), "too late"),
        ("and yields if Exact wins", EXACT_WINS_CREATE_ONLY, agreed, ("B", "C"), "crm = C"),
        ("or a person decides", ASK_CREATE_ONLY, agreed, ("B", "C"), "ask a person"),
        ("the same edit on both sides agrees", CREATE_ONLY, agreed, ("B", "B"), "agree"),
        ("at the first match Exact's value is carried over", CREATE_ONLY, None, ("A", "B"), "crm = B"),
        ("whatever the policy", ASK_CREATE_ONLY, None, ("A", "B"), "crm = B"),
        ("an empty CRM is filled", CREATE_ONLY, None, ("", "B"), "crm = B"),
        ("an empty Exact can't be filled any more", CREATE_ONLY, None, ("A", ""), "too late"),
        ("what flows to Exact alone is held", TO_EXACT_CREATE_ONLY, None, ("A", "B"), "too late"),
        ("also against an edit there", TO_EXACT_CREATE_ONLY, agreed, ("A", "B"), "too late"),
    ];
    check(cases);
}

#[test]
fn an_edit_that_comes_too_late_is_held_with_the_reason_until_both_are_equal() {
    let mut story =
        Story::of(linked(&[("a", "A"), ("b", "B")]), policy(&[("a", CREATE_ONLY), ("b", BOTH_WAYS)]));
    story.edited(CRM, 2, &[("a", "Z"), ("b", "B")]);
    assert!(story.link.conflicts.contains(&property("a")) && story.link.is_at_rest());
    let reason = |note: &&str| note.contains("only when the record is made");
    assert!(story.notes().iter().any(reason), "{:?}", story.effects);
    story.edited(CRM, 3, &[("a", "Y"), ("b", "C")]);
    assert!(!story.notes().iter().any(reason), "it is told once");
    story.claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("b", "C")]), "the other properties go on");
    story.applies(EXACT, Some(ours(EXACT, 2, &[("a", "A"), ("b", "C")]))).edited(CRM, 4, &[("a", "A")]);
    assert!(story.link.conflicts.is_empty());
}

#[test]
fn an_edit_that_comes_too_late_and_is_taken_back_is_held_no_more() {
    let mut story = Story::of(linked(&[("a", "A")]), policy(&[("a", CREATE_ONLY)]));
    story.edited(CRM, 2, &[("a", "Z")]).edited(CRM, 3, &[("a", "A")]);
    assert!(story.link.conflicts.is_empty() && story.link.is_at_rest());
}

#[test]
fn a_create_holds_what_exact_takes_only_then() {
    let mut story = Story::of(alone(&[("a", "A")]), policy(&[("a", CREATE_ONLY)]));
    story.then(Event::Released).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "A")]));
    story.edited(CRM, 2, &[("a", "B")]).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "A")]));
    story.applies(EXACT, Some(ours(EXACT, 1, &[("a", "A")]))).claims(EXACT);
    assert!(story.link.is_at_rest() && story.link.conflicts.contains(&property("a")));
}

#[test]
fn a_new_line_holds_what_exact_takes_only_then() {
    let policy = with(papers(), "Lines.Product", Rule { required: true, ..CREATE_ONLY });
    let mut story = Story::of(linked_paper(&["L1 p 2 10"]), policy);
    story.sees(CRM, seen_paper(CRM, 2, &["L1 q 2 10", "L2 r 1 1"]));
    assert_eq!(story.told(EXACT), ["L2", "L2.Price = 1", "L2.Product = r", "L2.Quantity = 1"]);
    assert!(story.link.conflicts.contains(&cell("L1", "Product")));
}

#[test]
fn the_side_that_follows_takes_on_edits_and_keeps_its_own() {
    let agreed = Some(("A", "A"));
    let cases: &[Case] = &[
        ("the other side's edit goes over", CRM_FOLLOWS, agreed, ("A", "B"), "crm = B"),
        ("its own edit stands", CRM_FOLLOWS, agreed, ("B", "A"), "nothing"),
        ("of two edits the other side's goes over", CRM_FOLLOWS, agreed, ("B", "C"), "crm = C"),
        ("an emptied other side empties it", CRM_FOLLOWS, agreed, ("A", ""), "crm = (empty)"),
        ("unless it is kept filled", CRM_FOLLOWS_KEPT, agreed, ("A", ""), "nothing"),
        ("its own emptying stands", CRM_FOLLOWS_KEPT, agreed, ("", "A"), "nothing"),
        ("a rendition is no edit", CRM_FOLLOWS, Some(("A", "a")), ("A", "a"), "nothing"),
        ("at the first match it is filled", CRM_FOLLOWS, None, ("", "A"), "crm = A"),
        ("two that are filled stay as they are", CRM_FOLLOWS, None, ("A", "B"), "agree"),
        ("the other side is not filled", CRM_FOLLOWS, None, ("A", ""), "agree"),
        ("Exact may follow too", EXACT_FOLLOWS, agreed, ("B", "A"), "exact = B"),
        ("and keeps its own edit", EXACT_FOLLOWS, agreed, ("A", "B"), "nothing"),
    ];
    check(cases);
}

#[test]
fn what_was_agreed_on_as_it_is_changes_with_the_next_edit_of_the_other_side() {
    for (crm, exact) in [("A", "B"), ("A", "")] {
        let mut story = Story::of(alone(&[("a", crm)]), policy(&[("a", CRM_FOLLOWS)]));
        story.then(Event::Joined { system: EXACT, side: side("e1", 1, &[("a", exact)]) });
        assert!(story.link.is_at_rest());
        assert_eq!(story.link.agreed[&property("a")].exactonline, value(exact));
        story.edited(CRM, 2, &[("a", "own")]);
        assert!(story.link.is_at_rest(), "its own edit is neither written nor set back");
        story.edited(EXACT, 2, &[("a", "C")]).claims(CRM);
        assert_eq!(story.write(CRM).values(), &view(&[("a", "C")]));
    }
}

fn followed(mut link: Link) -> Link {
    link.follows = Some(PairName::parse("quote-quotation").unwrap());
    link
}

#[test]
fn a_link_that_follows_another_pair_writes_nothing_in_exact() {
    let to = |system| Rule { flow: Flow::To(system), ..BOTH_WAYS };
    for (sentence, rule, agreed, now, expected) in [
        ("the CRM's edit stands", BOTH_WAYS, Some(("A", "A")), ("B", "A"), "nothing"),
        ("Exact's edit goes over", BOTH_WAYS, Some(("A", "A")), ("A", "B"), "crm = B"),
        ("a row to Exact follows too", to(EXACT), Some(("A", "A")), ("A", "B"), "crm = B"),
        ("a row to the CRM is as ever", to(CRM), Some(("A", "A")), ("B", "A"), "crm = A"),
        ("two filled sides stay as they are", BOTH_WAYS, None, ("A", "B"), "agree"),
        ("an empty CRM is filled", BOTH_WAYS, None, ("", "B"), "crm = B"),
        ("but not with what may stand in for nothing", STAND_IN, None, ("", "B"), "agree"),
        ("an edit of that goes over", STAND_IN, Some(("", "B")), ("", "C"), "crm = C"),
        ("what is taken at creation only is not held", CREATE_ONLY, Some(("A", "A")), ("B", "A"), "nothing"),
    ] {
        assert_eq!(asked(&followed(records(agreed, now)), rule), expected, "{sentence}");
    }
}

#[test]
fn a_link_that_follows_another_pair_follows_its_lines() {
    let mut story = Story::of(followed(linked_paper(&["L1 p 2 10", "L2 q 1 5", "L3 r 1 1"])), papers());
    story.sees(CRM, seen_paper(CRM, 2, &["L1 p 9 10", "L3 r 1 1", "L4 s 1 1"]));
    assert!(story.link.is_at_rest(), "nothing of the CRM's is written");
    story.sees(EXACT, seen_paper(EXACT, 2, &["X1 p 2 11", "X2 q 1 5", "X5 t 1 1"]));
    assert!(story.link.conflicts.is_empty());
    let told = story.told(CRM);
    assert_eq!(told, ["L1.Price = 11", "no L3", "X5", "X5.Price = 1", "X5.Product = t", "X5.Quantity = 1"]);
}

#[test]
fn a_link_that_follows_another_pair_leaves_the_record_to_it_when_its_own_is_deleted() {
    let mut rules = policy(&[("a", BOTH_WAYS)]);
    rules.deletes.exactonline = DeletePolicy::Archive(property("a"), value("archived"));
    let mut story = Story::of(followed(linked(&[("a", "A")])), rules);
    story.sees(CRM, gone(CRM, 2)).claims(EXACT);
    assert_eq!((&story.link.pending[EXACT], &story.link.status), (&Pending::None, &crate::Status::Ended));
}

/// The CRM's record with an empty `a`, for which `SO-1` stands in; its partner's create is in flight.
fn standing_in() -> Story {
    let mut link = alone(&[("a", ""), ("b", "")]);
    link.sides[CRM].as_mut().unwrap().stand_in = Some("SO-1".to_owned());
    let mut story = Story::of(link, policy(&[("a", STAND_IN), ("b", BOTH_WAYS)]));
    story.then(Event::Released).claims(EXACT);
    story
}

fn with_stand_in(observation: crate::Observation) -> crate::Observation {
    crate::Observation { stand_in: Some("SO-1".to_owned()), ..observation }
}

#[test]
fn a_stand_in_is_written_when_the_record_is_made_and_never_comes_back() {
    for (answer, after, held) in [
        ("as sent", Some(ours(EXACT, 1, &[("a", "SO-1"), ("b", "")])), "SO-1"),
        ("rendered", Some(ours(EXACT, 1, &[("a", "SO1"), ("b", "")])), "SO1"),
        ("nothing", None, "SO-1"),
    ] {
        let mut story = standing_in();
        assert_eq!(story.write(EXACT).values()[&property("a")], Value::StandIn("SO-1".to_owned()));
        story.applies(EXACT, after);
        assert!(story.link.is_at_rest(), "{answer}: {:?}", story.link.pending);
        assert_eq!(story.agreed("a"), Some(("(empty)".to_owned(), held.to_owned())), "{answer}");
        assert_eq!(story.holds(EXACT)[&property("a")], value(held), "{answer}");
        story.sees(EXACT, ours(EXACT, 2, &[("a", held), ("b", "")]));
        assert!(story.link.is_at_rest(), "{answer}");

        let mut edited = Story::of(story.link.clone(), story.policy.clone());
        edited.edited(EXACT, 3, &[("a", "PO-9"), ("b", "")]).claims(CRM);
        assert_eq!(edited.write(CRM).values(), &view(&[("a", "PO-9")]), "{answer}: an edit does come back");
        story.edited(CRM, 2, &[("a", "PO-7"), ("b", "")]).claims(EXACT);
        assert_eq!(story.write(EXACT).values(), &view(&[("a", "PO-7")]), "{answer}");
    }
}

#[test]
fn a_stand_in_that_is_found_again_is_no_edit() {
    let found = || side("e1", 1, &[("a", "SO-1"), ("b", "")]);
    for how in ["adopted", "joined", "applied late"] {
        let mut story = standing_in();
        let claim = story.claim(EXACT);
        story.claims(EXACT);
        let after = Some(ours(EXACT, 1, &[("a", "SO-1"), ("b", "")]));
        story.then(match how {
            "adopted" => Event::Adopted { system: EXACT, claim: claim + 1, side: found() },
            "joined" => Event::Joined { system: EXACT, side: found() },
            _ => Event::Applied { system: EXACT, claim, record: record("e1"), after },
        });
        assert!(story.link.is_at_rest(), "{how}: {:?}", story.link.pending);
        assert_eq!(story.agreed("a"), Some(("(empty)".to_owned(), "SO-1".to_owned())), "{how}");
    }
}

#[test]
fn at_a_first_match_exactly_the_stand_in_stands_for_nothing() {
    for (exact, expected) in [("SO-1", "agree"), ("SO-10", "crm = SO-10"), ("", "agree")] {
        let mut link = records(None, ("", exact));
        link.sides[CRM].as_mut().unwrap().stand_in = Some("SO-1".to_owned());
        assert_eq!(asked(&link, STAND_IN), expected, "{exact}");
        let decision = decide(&link, &policy(&[("a", STAND_IN)]), None).remove(&property("a"));
        if let Some(Decision::Agree(values)) = decision {
            assert_eq!((values.customcrm, values.exactonline), (value(""), value(exact)));
        }
    }
    let mut link = records(None, ("", "SO-1"));
    assert_eq!(asked(&link, STAND_IN), "crm = SO-1", "nothing stands in");
    link.sides[CRM].as_mut().unwrap().stand_in = Some("SO-1".to_owned());
    assert_eq!(asked(&link, BOTH_WAYS), "crm = SO-1", "the row takes no stand-in");
}

#[test]
fn a_stand_in_is_neither_given_where_something_is_filled_in_nor_where_it_was_not_seen() {
    for (values, expected) in [(&[("a", "PO-7")][..], &[("a", "PO-7")][..]), (&[("b", "B")], &[("b", "B")])] {
        let mut link = alone(values);
        link.sides[CRM].as_mut().unwrap().stand_in = Some("SO-1".to_owned());
        let mut story = Story::of(link, policy(&[("a", STAND_IN), ("b", BOTH_WAYS)]));
        story.then(Event::Released).claims(EXACT);
        assert_eq!(story.write(EXACT).values(), &view(expected));
    }
    let mut story = standing_in();
    story.applies(EXACT, Some(ours(EXACT, 1, &[("a", "SO-1"), ("b", "")])));
    story.sees(CRM, with_stand_in(super::fixture::seen(CRM, 2, &[("a", ""), ("b", "B")]))).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("b", "B")]), "a record that is there is given none");
}

#[test]
fn a_record_that_is_not_admitted_gets_no_partner_and_can_be_found() {
    let mut link = alone(&[("a", "A")]);
    link.sides[CRM].as_mut().unwrap().admitted = false;
    let mut story = Story::of(link, policy(&[("a", BOTH_WAYS)]));
    story.then(Event::Released);
    assert!(story.link.is_at_rest());
    let admitted = |version, admitted| crate::Observation {
        admitted,
        ..super::fixture::seen(CRM, version, &[("a", "A")])
    };
    story.sees(CRM, admitted(2, true));
    assert_eq!(story.enqueued(), [EXACT], "once it is admitted it gets one");
    story.sees(CRM, admitted(3, false)).claims(EXACT);
    assert!(story.link.is_at_rest(), "a create that was not claimed is withdrawn");
    story.then(Event::Joined { system: EXACT, side: side("e1", 1, &[("a", "")]) }).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "A")]), "what is found is kept in agreement");
}

#[test]
fn a_create_that_was_claimed_is_said_again_though_its_record_is_not_admitted_any_more() {
    let mut story = Story::of(alone(&[("a", "A")]), policy(&[("a", BOTH_WAYS)]));
    story.then(Event::Released).claims(EXACT);
    let seen = crate::Observation { admitted: false, ..super::fixture::seen(CRM, 2, &[("a", "B")]) };
    story.sees(CRM, seen).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "A")]));
}

#[test]
fn nothing_is_made_while_a_reference_that_it_requires_is_unresolved() {
    let required = Rule { required: true, ..BOTH_WAYS };
    for (rule, reference, made) in
        [(required, "@x", false), (BOTH_WAYS, "@x", true), (required, "x", true), (required, "", true)]
    {
        let mut story =
            Story::of(alone(&[("a", "A"), ("b", reference)]), policy(&[("a", BOTH_WAYS), ("b", rule)]));
        story.then(Event::Released);
        assert_eq!(story.enqueued() == [EXACT], made, "{reference}");
    }
    let mut story = Story::of(alone(&[("b", "@x")]), policy(&[("b", required)]));
    story.then(Event::Released);
    assert_eq!(story.link.waits_for().len(), 1);
    let linked_to = Value::Reference(Reference::Linked(LinkId::begun_by(CRM, &record("x"))));
    story.then(Event::ReferenceLinked { system: CRM, property: property("b"), value: linked_to.clone() });
    story.then(Event::Released).claims(EXACT);
    assert_eq!(story.write(EXACT).values()[&property("b")], linked_to);
}

#[test]
fn a_create_that_was_not_claimed_waits_when_its_record_comes_to_require_an_unresolved_reference() {
    let required = Rule { required: true, ..BOTH_WAYS };
    let mut story = Story::of(alone(&[("b", "x")]), policy(&[("b", required)]));
    story.then(Event::Released).edited(CRM, 2, &[("b", "@y")]).claims(EXACT);
    assert!(story.link.is_at_rest());
    story.edited(CRM, 3, &[("b", "z")]);
    assert_eq!(story.enqueued(), [EXACT]);
}
