//! What is seen, and what is seen again.

use model::{LinkId, PairName, Reference, Value};

use super::fixture::{
    BOTH_WAYS, CRM, EXACT, Story, alone, at, linked, ours, plain, policy, property, record, seen, value, view,
};
use crate::{ConflictPolicy, Event, Observation, Rule, Status, Write};

#[test]
fn what_was_seen_before_is_an_echo_however_often_and_late_it_comes() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.edited(CRM, 5, &[("a", "B")]);
    assert_eq!(story.enqueued(), [EXACT]);
    let link = story.link.clone();
    for version in [5, 4, 1, 5] {
        story.edited(CRM, version, &[("a", "old")]);
        assert!(story.was_an_echo(CRM), "version {version}: {:?}", story.effects);
        assert_eq!(story.link, link, "version {version} leaves the link as it is");
    }
}

#[test]
fn a_newer_version_that_looks_the_same_is_an_echo() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.edited(CRM, 2, &[("a", "A")]);
    assert!(story.was_an_echo(CRM));
    assert!(story.link.is_at_rest());
}

#[test]
fn another_record_says_nothing_about_this_one() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.sees(EXACT, Observation { record: record("e2"), ..seen(EXACT, 9, &[("a", "B")]) });
    assert!(story.was_an_echo(EXACT));
    assert_eq!(story.holds(EXACT), view(&[("a", "A")]));
}

#[test]
fn a_property_that_was_not_seen_keeps_what_was_known() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), plain());
    story.edited(CRM, 2, &[("a", "A2")]);
    assert_eq!(story.holds(CRM), view(&[("a", "A2"), ("b", "B")]));
    story.claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "A2")]));
}

#[test]
fn edits_that_arrive_in_any_order_are_written_as_the_newest_says() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.edited(CRM, 3, &[("a", "newest")]).edited(CRM, 2, &[("a", "older")]).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "newest")]));
}

#[test]
fn a_hundred_edits_before_the_claim_are_one_write_of_the_last_values() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), plain());
    let mut told = Vec::new();
    for version in 2..102 {
        story.edited(CRM, version, &[("a", &format!("a{version}")), ("b", &format!("b{version}"))]);
        told.extend(story.enqueued());
    }
    assert_eq!(told, [EXACT], "one message for a hundred edits");
    story.claims(EXACT);
    assert_eq!(
        story.write(EXACT),
        &Write::Update {
            record: record("e1"),
            version: Some(model::Version(1)),
            values: view(&[("a", "a101"), ("b", "b101")]),
        }
    );
}

#[test]
fn our_own_write_that_is_seen_before_its_outcome_is_no_edit() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.edited(CRM, 2, &[("a", " b ")]).claims(EXACT).sees(EXACT, ours(EXACT, 2, &[("a", "b")]));
    assert!(story.enqueued().is_empty());
    story.applies(EXACT, Some(ours(EXACT, 2, &[("a", "b")])));
    assert!(story.link.is_at_rest(), "{:?}", story.link.pending);
    assert_eq!(story.agreed("a"), Some((" b ".to_owned(), "b".to_owned())));
    story.sees(EXACT, ours(EXACT, 3, &[("a", "b")]));
    assert!(story.was_an_echo(EXACT));
    assert!(story.link.is_at_rest());
}

#[test]
fn a_reference_that_becomes_linked_is_written_then() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "")]), plain());
    story.edited(CRM, 2, &[("b", "@x")]);
    assert!(story.link.is_at_rest(), "nothing can be written yet");
    let waits: Vec<_> = story.link.waits_for().into_iter().collect();
    assert_eq!(waits, [(PairName::parse("contact-contact").unwrap(), CRM, record("x"))]);

    let linked_to = Value::Reference(Reference::Linked(LinkId::begun_by(CRM, &record("x"))));
    let event = Event::ReferenceLinked { system: CRM, property: property("b"), value: linked_to.clone() };
    story.then(event.clone()).claims(EXACT);
    assert_eq!(story.write(EXACT).values().get(&property("b")), Some(&linked_to));
    assert!(story.link.waits_for().is_empty());
}

#[test]
fn a_reference_that_becomes_linked_after_it_was_edited_does_not_undo_the_edit() {
    let mut story = Story::of(linked(&[("b", "B")]), plain());
    story.edited(CRM, 2, &[("b", "@x")]).edited(CRM, 3, &[("b", "C")]);
    let linked_to = Value::Reference(Reference::Linked(LinkId::begun_by(CRM, &record("x"))));
    story.then(Event::ReferenceLinked { system: CRM, property: property("b"), value: linked_to });
    assert_eq!(story.holds(CRM).get(&property("b")), Some(&value("C")));
}

#[test]
fn several_possible_partners_park_the_link_until_the_record_is_edited() {
    let mut story = Story::of(alone(&[("a", "A")]), plain());
    let candidates = vec![record("e1"), record("e2")];
    story.then(Event::FoundSeveral { candidates: candidates.clone() });
    assert_eq!(story.link.status, Status::Ambiguous(candidates));
    story.then(Event::Released);
    assert!(story.link.is_at_rest(), "nothing is created while a person has to choose");
    story.edited(CRM, 1, &[("a", "B")]);
    assert!(matches!(story.link.status, Status::Ambiguous(_)), "an echo is no edit");
    story.edited(CRM, 2, &[("a", "B")]);
    assert_eq!(story.link.status, Status::Unmatched);
    assert_eq!(story.enqueued(), [EXACT]);
}

#[test]
fn several_possible_partners_withdraw_a_create_that_has_not_been_claimed() {
    let mut story = Story::of(alone(&[("a", "A")]), plain());
    story.then(Event::Released);
    assert!(story.is_queued(EXACT));
    story.then(Event::FoundSeveral { candidates: vec![record("e1"), record("e2")] }).claims(EXACT);
    assert!(story.link.is_at_rest(), "a claim that comes all the same gets nothing");
}

#[test]
fn only_what_people_do_to_a_record_makes_it_younger() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.sees(EXACT, ours(EXACT, 2, &[("a", "A1")]));
    let dated = |story: &Story| story.link.sides[EXACT].as_ref().unwrap().modified_at;
    assert_eq!(dated(&story), Some(at(2)), "better than none");
    story.edited(EXACT, 3, &[("a", "A2")]).sees(EXACT, ours(EXACT, 4, &[("a", "A3")]));
    assert_eq!(dated(&story), Some(at(3)));
}

#[test]
fn only_what_people_edit_is_dated() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), plain());
    story.sees(CRM, ours(CRM, 2, &[("a", "A2"), ("b", "B")]));
    assert_eq!(story.link.edited[CRM], [].into());
    story.edited(CRM, 3, &[("a", "A3"), ("b", "B")]);
    assert_eq!(story.link.edited[CRM], [(property("a"), at(3))].into());
}

#[test]
fn what_goes_by_date_is_as_old_as_its_record_was_and_nothing_else_is_dated() {
    let newest = Rule { conflict: ConflictPolicy::Newest, ..BOTH_WAYS };
    let rules = policy(&[("a", BOTH_WAYS), ("b", newest), ("c", BOTH_WAYS)]);
    let held = [("a", "A"), ("b", "B"), ("c", "C")];
    let dated = |link, rules| {
        let mut story = Story::of(link, rules);
        story.edited(CRM, 2, &[("a", "A2")]).edited(CRM, 3, &[("a", "A3")]);
        story.link.edited[CRM].clone()
    };
    let of_both = [(property("a"), at(3)), (property("b"), at(2))];
    assert_eq!(dated(alone(&held), rules.clone()), of_both.into());
    let of_the_edit = [(property("a"), at(3))];
    assert_eq!(dated(linked(&held), rules), of_the_edit.clone().into(), "what is agreed on is no edit");
    assert_eq!(dated(alone(&held), plain()), of_the_edit.into(), "nothing goes by date");
}
