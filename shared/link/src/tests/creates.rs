//! The partner that is missing: created once, or found.

use model::{Presence, SystemPair};

use super::fixture::{
    BOTH_WAYS, CRM, EXACT, Story, alone, ours, plain, policy, property, record, seen, side, view,
};
use crate::{ConflictPolicy, Effect, Event, Failure, Flow, Observation, Pending, Rule, Status, Write};

const EXACT_WINS: Rule = Rule { conflict: ConflictPolicy::Wins(EXACT), ..BOTH_WAYS };

/// The CRM's `c1` with `a` = `A` and `b` empty; the create of its partner is in flight.
fn creating() -> Story {
    let mut story =
        Story::of(alone(&[("a", "A"), ("b", "")]), policy(&[("a", EXACT_WINS), ("b", EXACT_WINS)]));
    story.then(Event::Released).claims(EXACT);
    story
}

#[test]
fn a_partner_is_created_only_where_the_pair_is_released_and_may_create() {
    for (released, allowed) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut policy = plain();
        policy.creates = SystemPair { customcrm: true, exactonline: allowed };
        let mut story = Story::of(alone(&[("a", "A")]), policy);
        story.released = released;
        story.then(Event::Released);
        assert_eq!(!story.link.is_at_rest(), released && allowed, "released {released}, allowed {allowed}");
        story.edited(CRM, 2, &[("a", "B")]);
        assert_eq!(!story.link.is_at_rest(), released && allowed, "released {released}, allowed {allowed}");
    }
}

#[test]
fn a_create_is_queued_once_however_often_it_is_asked_for() {
    let mut story = Story::of(alone(&[("a", "A")]), plain());
    let mut told = Vec::new();
    for version in 2..10 {
        story.then(Event::Released);
        told.extend(story.enqueued());
        story.edited(CRM, version, &[("a", "B")]);
        told.extend(story.enqueued());
    }
    assert_eq!(told, [EXACT]);
}

#[test]
fn a_new_record_is_given_what_flows_there_and_is_filled_and_resolved() {
    let to_crm = Rule { flow: Flow::To(CRM), ..BOTH_WAYS };
    let to_exact = Rule { flow: Flow::To(EXACT), ..BOTH_WAYS };
    let rules = policy(&[
        ("both", BOTH_WAYS),
        ("there", to_exact),
        ("here", to_crm),
        ("empty", BOTH_WAYS),
        ("reference", BOTH_WAYS),
    ]);
    let values =
        [("both", "1"), ("there", "2"), ("here", "3"), ("empty", ""), ("reference", "@x"), ("unmapped", "4")];
    let mut story = Story::of(alone(&values), rules);
    story.then(Event::Released).claims(EXACT);
    assert_eq!(story.write(EXACT), &Write::Create { values: view(&[("both", "1"), ("there", "2")]) });
}

#[test]
fn an_applied_create_agrees_on_what_was_sent_and_on_nothing_else() {
    let mut story = creating();
    story.edited(CRM, 2, &[("a", "A2"), ("b", "B2")]);
    story.applies(
        EXACT,
        Some(Observation { version: None, ..ours(EXACT, 1, &[("a", "a"), ("b", "default")]) }),
    );
    assert_eq!(story.link.status, Status::Linked);
    assert!(story.effects.contains(&Effect::Wake));
    assert_eq!(story.agreed("a"), Some(("A".to_owned(), "a".to_owned())));
    assert_eq!(story.agreed("b"), None, "what Exact filled in by itself was never agreed on");
    assert_eq!(story.enqueued(), [CRM, EXACT]);
    story.claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "A2")]), "the edit since goes over");
    story.claims(CRM);
    assert_eq!(story.write(CRM).values(), &view(&[("b", "default")]), "b goes by the policy");
}

#[test]
fn a_redelivered_create_says_the_same_again() {
    let mut story = creating();
    story.edited(CRM, 2, &[("a", "A2")]).claims(EXACT);
    let Pending::InFlight { write, attempt, .. } = &story.link.pending[EXACT] else { panic!() };
    assert_eq!((write, *attempt), (&Write::Create { values: view(&[("a", "A")]) }, 2));
}

#[test]
fn an_edit_while_an_uncertain_create_is_found_again_is_not_lost_to_what_was_sent() {
    let found = side("e1", 1, &[("a", "A"), ("b", "")]);
    for how in ["adopted", "joined", "applied late"] {
        let mut story = creating();
        let claim = story.claim(EXACT);
        story.edited(CRM, 2, &[("a", "A2")]).claims(EXACT);
        let (record, after) = (record("e1"), Some(ours(EXACT, 1, &[("a", "A"), ("b", "")])));
        story.then(match how {
            "adopted" => Event::Adopted { system: EXACT, claim: claim + 1, side: found.clone() },
            "joined" => Event::Joined { system: EXACT, side: found.clone() },
            _ => Event::Applied { system: EXACT, claim, record, after },
        });
        assert_eq!(story.link.status, Status::Linked, "{how}");
        assert!(story.effects.contains(&Effect::Wake), "{how}");
        story.claims(EXACT);
        assert_eq!(story.write(EXACT).values(), &view(&[("a", "A2")]), "{how}");
    }
}

#[test]
fn an_edit_of_a_record_whose_making_was_not_heard_of_is_not_written_over() {
    for how in ["adopted", "joined"] {
        let mut story = creating();
        story.claims(EXACT);
        let claim = story.claim(EXACT);
        let found = side("e1", 2, &[("a", "theirs"), ("b", "")]);
        story.then(match how {
            "adopted" => Event::Adopted { system: EXACT, claim, side: found },
            _ => Event::Joined { system: EXACT, side: found },
        });
        assert_eq!(story.link.pending[EXACT], Pending::None, "{how}");
        story.claims(CRM);
        assert_eq!(story.write(CRM).values(), &view(&[("a", "theirs")]), "{how}");
    }
}

#[test]
fn a_record_that_is_found_before_creating_is_merged_by_policy() {
    let mut story = creating();
    let claim = story.claim(EXACT);
    story.then(Event::Adopted { system: EXACT, claim, side: side("e7", 4, &[("a", "Z"), ("b", "B")]) });
    assert_eq!(story.link.record(EXACT), Some(&record("e7")));
    story.claims(CRM);
    assert_eq!(story.write(CRM).values(), &view(&[("a", "Z"), ("b", "B")]));
}

#[test]
fn a_record_made_by_an_attempt_that_was_given_up_becomes_the_partner() {
    let mut story = creating();
    let claim = story.claim(EXACT);
    story.claims(EXACT).rejects(EXACT);
    let after = Some(ours(EXACT, 1, &[("a", "A"), ("b", "")]));
    story.then(Event::Applied { system: EXACT, claim, record: record("e1"), after });
    assert_eq!((story.link.record(EXACT), &story.link.status), (Some(&record("e1")), &Status::Linked));
    assert!(story.link.is_at_rest());
    assert_eq!(story.link.rejected[EXACT], None);
}

#[test]
fn a_second_record_never_takes_the_place_of_the_first() {
    let mut story = creating();
    let claim = story.claim(EXACT);
    story.claims(EXACT).applies(EXACT, Some(ours(EXACT, 1, &[("a", "A"), ("b", "")])));
    let link = story.link.clone();
    let second = Observation { record: record("e2"), ..ours(EXACT, 9, &[("a", "A")]) };
    story.then(Event::Applied { system: EXACT, claim, record: record("e2"), after: Some(second) });
    assert_eq!(story.link, link);
    assert!(
        matches!(story.effects.as_slice(), [Effect::Note(_)]),
        "but people are told: {:?}",
        story.effects
    );
    story.then(Event::Adopted { system: EXACT, claim, side: side("e3", 1, &[("a", "A")]) });
    assert_eq!(story.link, link);
}

#[test]
fn a_refused_create_waits_for_an_edit() {
    let mut story = creating();
    story.rejects(EXACT);
    assert!(story.link.is_at_rest());
    story.then(Event::Released).edited(CRM, 2, &[("a", "A")]);
    assert!(story.link.is_at_rest(), "nothing that would be sent has changed");
    assert!(story.link.rejected[EXACT].is_some());
    story.edited(CRM, 3, &[("a", "A2")]);
    assert_eq!(story.enqueued(), [EXACT]);
}

#[test]
fn a_create_that_finds_several_parks_and_the_next_edit_tries_again() {
    let mut story = creating();
    let candidates = vec![record("e1"), record("e2")];
    story.fails(EXACT, Failure::FoundSeveral { candidates: candidates.clone() });
    assert_eq!(story.link.status, Status::Ambiguous(candidates));
    assert!(story.link.is_at_rest());
    story.edited(CRM, 2, &[("a", "A2")]).claims(EXACT);
    assert_eq!(story.write(EXACT), &Write::Create { values: view(&[("a", "A2")]) });
}

#[test]
fn a_person_who_edits_the_new_record_before_its_outcome_lands_keeps_the_edit() {
    let mut story = creating();
    let after = Observation { version: None, ..ours(EXACT, 1, &[("a", "A"), ("b", "")]) };
    story.applies(EXACT, Some(after)).edited(EXACT, 2, &[("a", "Z"), ("b", "")]);
    story.sees(EXACT, Observation { by_us: true, ..seen(EXACT, 1, &[("a", "A"), ("b", "")]) });
    assert!(story.was_an_echo(EXACT), "the creation itself is old by now");
    story.claims(CRM);
    assert_eq!(story.write(CRM).values(), &view(&[("a", "Z")]));
    assert_eq!(story.link.sides[EXACT].as_ref().unwrap().presence, Presence::Present);
    assert_eq!(story.holds(CRM).get(&property("a")), Some(&super::fixture::value("A")));
}

#[test]
fn the_late_answer_of_an_earlier_create_tells_the_rendition() {
    let mut story = creating();
    let claim = story.claim(EXACT);
    let after = Some(ours(EXACT, 1, &[("a", "rendered A"), ("b", "")]));
    story.claims(EXACT).then(Event::Applied { system: EXACT, claim, record: record("e1"), after });
    assert_eq!(story.agreed("a"), Some(("A".to_owned(), "rendered A".to_owned())));
    assert!(story.link.is_at_rest(), "a rendition is no edit, though Exact would win");
}
