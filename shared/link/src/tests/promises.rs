//! The promises notice what they are there for, and the document lists them.

use model::{LineKey, SystemPair, Version};

use super::document::{cell, linked_paper, papers, seen_paper};
use super::fixture::{
    CRM, EXACT, Story, gone, linked, ours, plain, property, record, seen, side, value, view,
};
use crate::{
    Choice, Effect, Event, Link, Pending, Policy, Rejection, Status, Step, Write,
    promises::{PROMISES, Taken, broken},
    step,
};

fn observed(observation: crate::Observation) -> Event {
    Event::Observed { system: CRM, observation }
}

fn started() -> Link {
    linked(&[("a", "A"), ("b", "B")])
}

/// The promises that a step breaks once it is spoilt.
fn spoilt(before: &Link, event: Event, spoil: impl Fn(&mut Step)) -> Vec<&'static str> {
    spoilt_under(&plain(), before, event, spoil)
}

fn spoilt_under(
    policy: &Policy,
    before: &Link,
    event: Event,
    spoil: impl Fn(&mut Step),
) -> Vec<&'static str> {
    let mut step = step(before.clone(), event.clone(), policy, true, super::fixture::at(0));
    let sound = Taken { before, event: &event, step: &step, policy };
    assert_eq!(broken(&sound).count(), 0, "it is sound before it is spoilt");
    spoil(&mut step);
    let taken = Taken { before, event: &event, step: &step, policy };
    broken(&taken).map(|promise| promise.id).collect()
}

fn edited() -> Event {
    observed(seen(CRM, 2, &[("a", "X"), ("b", "B")]))
}

fn queued() -> Link {
    let mut story = Story::of(started(), plain());
    story.then(edited());
    story.link
}

fn in_flight() -> Link {
    let mut story = Story::of(queued(), plain());
    story.claims(EXACT);
    story.link
}

fn update(version: Option<Version>) -> Write {
    Write::Update { record: record("e1"), version, values: view(&[("a", "X")]) }
}

fn flying(write: Write, claim: u64) -> Pending {
    Pending::InFlight { write, claim, attempt: 1, since: super::fixture::at(0) }
}

#[test]
fn a_write_in_flight_that_changes_or_has_no_claim_of_its_own_is_noticed() {
    let again = observed(seen(CRM, 3, &[("a", "Y"), ("b", "B")]));
    let other =
        || Write::Update { record: record("e1"), version: Some(Version(1)), values: view(&[("a", "Y")]) };
    let ids = spoilt(&in_flight(), again.clone(), |step| step.link.pending[EXACT] = flying(other(), 1));
    assert_eq!(ids, ["L-1"]);
    let ids = spoilt(&in_flight(), again, |step| step.link.pending[EXACT] = flying(other(), 2));
    assert_eq!(ids, ["L-1"]);
    let claimed = || Event::Claimed { system: EXACT };
    let ids = spoilt(&queued(), claimed(), |step| step.link.claims = 5);
    assert_eq!(ids, ["L-1"]);
    let ids = spoilt(&queued(), claimed(), |step| {
        step.link.claims = 0;
        step.link.pending[EXACT] = flying(update(Some(Version(1))), 0);
    });
    assert_eq!(ids, ["L-1"], "it is that of the claim before");
}

#[test]
fn an_agreement_that_comes_from_nowhere_is_noticed() {
    let both = SystemPair { customcrm: value("X"), exactonline: value("X") };
    let ids = spoilt(&started(), edited(), |step| {
        step.link.agreed.insert(property("a"), both.clone());
    });
    assert!(ids.contains(&"L-2"), "{ids:?}");
    let again = observed(seen(CRM, 3, &[("a", "X"), ("b", "B"), ("c", "")]));
    let ids = spoilt(&in_flight(), again, |step| {
        step.link.agreed.insert(property("b"), both.clone());
    });
    assert!(ids.contains(&"L-2"), "another property is what is being written: {ids:?}");
}

#[test]
fn an_agreement_on_a_line_that_comes_from_nowhere_is_noticed() {
    let before = linked_paper(&["L1 p 2 10", "L2 q 1 5"]);
    let event = observed(seen_paper(CRM, 2, &["L1 p 2 10", "L2 q 9 5"]));
    // The value is agreed on in another row, and in this row of the other line another one is.
    let both = SystemPair { customcrm: value("10"), exactonline: value("10") };
    let ids = spoilt_under(&papers(), &before, event, |step| {
        step.link.agreed.insert(cell("L1", "Quantity"), both.clone());
    });
    assert!(ids.contains(&"L-2"), "{ids:?}");
}

#[test]
fn a_held_property_that_is_written_is_noticed() {
    let ids = spoilt(&queued(), Event::Claimed { system: EXACT }, |step| {
        step.link.conflicts.insert(property("a"));
        step.effects.push(Effect::Note("held".to_owned()));
    });
    assert_eq!(ids, ["L-3"]);
}

#[test]
fn a_write_that_follows_an_echo_is_noticed() {
    let echo = observed(seen(CRM, 2, &[("a", "A"), ("b", "B")]));
    let ids = spoilt(&started(), echo, |step| {
        step.link.pending[EXACT] = Pending::Queued { since: super::fixture::at(0) };
        step.effects.push(Effect::Enqueue(EXACT));
    });
    assert_eq!(ids, ["L-4"]);
    let echo = observed(seen(CRM, 2, &[("a", "A"), ("b", "B")]));
    let ids = spoilt(&started(), echo, |step| {
        step.link.pending[EXACT] = Pending::Queued { since: super::fixture::at(0) };
        step.effects = vec![Effect::Enqueue(EXACT)];
    });
    assert_eq!(ids, ["L-4"], "though it is not called an echo");
}

#[test]
fn a_second_partner_is_noticed() {
    let ids = spoilt(&queued(), Event::Claimed { system: EXACT }, |step| {
        step.link.pending[EXACT] = flying(Write::Create { values: view(&[("a", "X")]) }, 1);
    });
    assert_eq!(ids, ["L-5"]);
    let ids =
        spoilt(&started(), edited(), |step| step.link.sides[EXACT] = Some(side("e2", 1, &[("a", "A")])));
    assert!(ids.contains(&"L-5"), "{ids:?}");
}

#[test]
fn an_edit_that_nobody_carries_over_is_noticed() {
    let ids = spoilt(&started(), edited(), |step| {
        step.link.pending[EXACT] = Pending::None;
        step.effects.retain(|effect| *effect != Effect::Enqueue(EXACT));
    });
    assert_eq!(ids, ["L-6"]);
    let refused =
        |words: &str, values| Rejection { words: words.to_owned(), values, at: super::fixture::at(0) };
    let ids = spoilt(&started(), edited(), |step| {
        step.link.pending[EXACT] = Pending::None;
        step.link.rejected[EXACT] = Some(refused("no", view(&[("a", "Y")])));
        step.effects.retain(|effect| *effect != Effect::Enqueue(EXACT));
    });
    assert_eq!(ids, ["L-6"], "what was refused was something else");
}

#[test]
fn a_write_of_a_link_that_rests_is_noticed() {
    let unlink = Event::Resolved(Choice::Unlink);
    let ids = spoilt(&queued(), unlink, |step| {
        step.link.pending[EXACT] = Pending::Queued { since: super::fixture::at(0) };
    });
    assert_eq!(ids, ["L-7"]);
    let ended = |step: &mut Step| step.link.status = Status::Ended;
    let ids = spoilt(&queued(), Event::Claimed { system: EXACT }, |step| {
        ended(step);
        step.effects.push(Effect::Note("it has ended".to_owned()));
    });
    assert_eq!(ids, ["L-7"]);
}

#[test]
fn a_version_that_goes_back_and_a_write_on_one_that_was_never_seen_are_noticed() {
    let ids = spoilt(&started(), edited(), |step| step.link.sides[CRM].as_mut().unwrap().version = None);
    assert_eq!(ids, ["L-8"]);
    let ids = spoilt(&queued(), Event::Claimed { system: EXACT }, |step| {
        step.link.pending[EXACT] = flying(update(Some(Version(9))), 1);
    });
    assert_eq!(ids, ["L-8"]);
}

#[test]
fn a_change_without_a_word_is_noticed() {
    let ids = spoilt(&started(), observed(gone(CRM, 2)), |step| step.effects.clear());
    assert_eq!(ids, ["L-9"]);
}

#[test]
fn a_line_with_two_ties_is_noticed() {
    let key = |key: &str| LineKey::parse(key).unwrap();
    let ids = spoilt(&started(), edited(), |step| {
        for tie in ["customcrm:L1", "customcrm:L2"] {
            let keys = SystemPair { customcrm: Some(key("customcrm:L1")), exactonline: None };
            step.link.lines.insert(key(tie), keys);
        }
    });
    assert_eq!(ids, ["L-10"]);
}

#[test]
fn a_writer_who_is_not_told_or_told_of_nothing_is_noticed() {
    let ids = spoilt(&started(), edited(), |step| {
        step.effects.retain(|effect| *effect != Effect::Enqueue(EXACT));
    });
    assert_eq!(ids, ["L-11"]);
    let told = ours(CRM, 2, &[("a", "X"), ("b", "B")]);
    let ids = spoilt(&started(), observed(told), |step| step.effects.push(Effect::Enqueue(CRM)));
    assert_eq!(ids, ["L-11"]);
}

#[test]
fn the_document_lists_every_promise_in_its_own_words() {
    let document = include_str!("../../../../ARCHITECTURE.md");
    let listed: Vec<&str> = document.lines().filter(|line| line.starts_with("- **L-")).collect();
    let promised: Vec<String> =
        PROMISES.iter().map(|promise| format!("- **{}** {}", promise.id, promise.says)).collect();
    assert_eq!(listed, promised);
}
