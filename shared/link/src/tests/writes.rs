//! Claims and outcomes of updates.

use model::Version;

use super::fixture::{
    BOTH_WAYS, CRM, EXACT, Story, linked, ours, plain, policy, property, record, seen, value, view,
};
use crate::{ConflictPolicy, Event, Failure, Observation, Pending, Rule, Write};

const EXACT_WINS: Rule = Rule { conflict: ConflictPolicy::Wins(EXACT), ..BOTH_WAYS };

/// `a` was edited in the CRM from `A` to `B`, and the write to Exact Online is in flight.
fn in_flight() -> Story {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), plain());
    story.edited(CRM, 2, &[("a", "B")]).claims(EXACT);
    story
}

#[test]
fn a_claim_after_both_sides_became_equal_sends_nothing() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.edited(CRM, 2, &[("a", "B")]).edited(EXACT, 2, &[("a", "B")]);
    assert!(story.is_queued(EXACT));
    story.claims(EXACT);
    assert!(story.link.is_at_rest());
    assert_eq!(story.link.claims, 0, "nothing was claimed");
}

#[test]
fn a_claim_of_nothing_changes_nothing() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    let before = story.link.clone();
    story.claims(EXACT).claims(CRM);
    assert_eq!(story.link, before);
    assert!(story.effects.is_empty());
}

#[test]
fn an_applied_write_is_agreed_on_in_each_sides_own_rendition() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.edited(CRM, 2, &[("a", " x ")]).claims(EXACT).applies(EXACT, Some(ours(EXACT, 2, &[("a", "x")])));
    assert_eq!(story.agreed("a"), Some((" x ".to_owned(), "x".to_owned())));
    assert!(story.link.is_at_rest());
}

#[test]
fn an_answer_that_shows_nothing_is_taken_for_what_was_sent() {
    let mut story = in_flight();
    story.applies(EXACT, None);
    assert!(story.link.is_at_rest());
    assert_eq!(story.holds(EXACT), view(&[("a", "B"), ("b", "B")]));
    story.sees(EXACT, ours(EXACT, 2, &[("a", "B"), ("b", "B")]));
    assert!(story.was_an_echo(EXACT));
}

#[test]
fn an_answer_that_leaves_out_what_was_written_is_taken_for_what_was_sent() {
    let mut story = in_flight();
    story.applies(EXACT, Some(ours(EXACT, 2, &[("b", "B")])));
    assert!(story.link.is_at_rest(), "{:?}", story.link.pending);
    assert_eq!(story.holds(EXACT), view(&[("a", "B"), ("b", "B")]));
}

#[test]
fn an_answer_that_was_read_too_early_is_no_edit_back() {
    let mut story = in_flight();
    story.applies(EXACT, Some(seen(EXACT, 1, &[("a", "A"), ("b", "B")])));
    assert!(story.link.is_at_rest(), "{:?}", story.link.pending);
}

#[test]
fn an_edit_that_is_seen_before_an_answer_that_shows_nothing_survives_it() {
    let mut story = in_flight();
    story.edited(EXACT, 3, &[("a", "C"), ("b", "B")]).applies(EXACT, None);
    assert_eq!(story.enqueued(), [CRM]);
    story.claims(CRM);
    assert_eq!(story.write(CRM).values(), &view(&[("a", "C")]));
}

#[test]
fn an_edit_of_what_was_never_agreed_on_survives_an_answer_that_shows_nothing() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    story.edited(CRM, 2, &[("a", "A"), ("b", "B")]).edited(EXACT, 2, &[("a", "A"), ("b", "")]);
    story.claims(EXACT).edited(EXACT, 4, &[("a", "A"), ("b", "C")]).applies(EXACT, None);
    assert_eq!(story.holds(EXACT)[&property("b")], value("C"));
    story.claims(EXACT);
    assert_eq!(
        story.write(EXACT).values(),
        &view(&[("b", "B")]),
        "the CRM wins, and the edit is seen to lose"
    );
}

#[test]
fn an_edit_of_the_source_while_its_write_is_in_flight_survives_the_outcome() {
    for after in [Some(ours(EXACT, 2, &[("a", "B")])), None] {
        let mut story = in_flight();
        story.edited(CRM, 3, &[("a", "C")]).applies(EXACT, after);
        assert_eq!(story.enqueued(), [EXACT]);
        story.claims(EXACT);
        assert_eq!(story.write(EXACT).values(), &view(&[("a", "C")]));
    }
}

#[test]
fn an_edit_of_the_target_after_the_write_survives_the_outcome() {
    let mut story = in_flight();
    story.edited(EXACT, 3, &[("a", "C")]).applies(EXACT, Some(ours(EXACT, 2, &[("a", "B")])));
    assert_eq!(story.enqueued(), [CRM]);
    story.claims(CRM);
    assert_eq!(story.write(CRM).values(), &view(&[("a", "C")]));
}

#[test]
fn an_answer_that_shows_a_later_edit_carries_it_back() {
    let mut story = in_flight();
    story.applies(EXACT, Some(seen(EXACT, 3, &[("a", "C")])));
    story.claims(CRM);
    assert_eq!(story.write(CRM).values(), &view(&[("a", "C")]));
}

#[test]
fn the_outcome_of_another_claim_does_not_land() {
    let mut story = in_flight();
    let current = story.claim(EXACT);
    for claim in [0, current + 1] {
        for failure in [
            Failure::Rejected { words: "no".to_owned() },
            Failure::Stale { now: None },
            Failure::Gone,
            Failure::FoundSeveral { candidates: Vec::new() },
        ] {
            let before = story.link.clone();
            story.then(Event::Failed { system: EXACT, claim, failure });
            assert_eq!(story.link, before);
        }
        story.then(Event::Applied { system: EXACT, claim, record: record("e1"), after: None });
        assert_eq!(story.claim(EXACT), current, "the write is still in flight");
    }
}

#[test]
fn a_claim_that_is_redelivered_raises_the_attempt_and_says_the_same_again() {
    let mut story = in_flight();
    let first = story.claim(EXACT);
    story.edited(CRM, 3, &[("a", "C"), ("b", "D")]).claims(EXACT);
    let Pending::InFlight { write, claim, attempt, .. } = &story.link.pending[EXACT] else { panic!() };
    assert_eq!(*attempt, 2);
    assert!(*claim > first, "an outcome can tell the two apart");
    assert_eq!(write.values(), &view(&[("a", "B")]), "the first attempt may have been carried out");
    story.applies(EXACT, Some(ours(EXACT, 2, &[("a", "B")]))).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "C"), ("b", "D")]));
}

#[test]
fn a_lost_answer_and_an_edit_back_leave_the_edit_back_on_both_sides() {
    let mut story = in_flight();
    // The write was carried out as version 2 and its answer lost; then the edit is taken back.
    story.edited(CRM, 3, &[("a", "A")]).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "B")]), "what may be there is settled first");
    story.applies(EXACT, Some(ours(EXACT, 3, &[("a", "B")]))).claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &view(&[("a", "A")]));
}

#[test]
fn a_write_whose_answer_was_lost_does_not_compete_with_the_next_edit() {
    let policy = policy(&[("a", EXACT_WINS), ("b", EXACT_WINS)]);
    let lost = || {
        let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), policy.clone());
        story.edited(CRM, 2, &[("a", " x")]).claims(EXACT).edited(CRM, 3, &[("a", " y")]);
        story
    };
    let mut seen_first = lost();
    seen_first.sees(EXACT, ours(EXACT, 2, &[("a", "x")])).claims(EXACT);
    seen_first.applies(EXACT, Some(ours(EXACT, 3, &[("a", "x")])));
    let mut refused = lost();
    refused.claims(EXACT).fails(EXACT, Failure::Stale { now: Some(ours(EXACT, 2, &[("a", "x")])) });
    let mut seen_with_another_edit = lost();
    seen_with_another_edit.edited(EXACT, 3, &[("a", " x"), ("b", "C")]).claims(EXACT);
    for mut story in [seen_first, refused, seen_with_another_edit] {
        if !matches!(story.link.pending[EXACT], Pending::InFlight { .. }) {
            story.claims(EXACT);
        }
        assert_eq!(story.write(EXACT).values(), &view(&[("a", " y")]));
    }
}

#[test]
fn a_redelivered_claim_leaves_out_what_the_other_side_won_meanwhile() {
    let mut story =
        Story::of(linked(&[("a", "A"), ("b", "B")]), policy(&[("a", EXACT_WINS), ("b", EXACT_WINS)]));
    story.edited(CRM, 2, &[("a", "x"), ("b", "y")]).claims(EXACT);
    story.edited(EXACT, 2, &[("a", "z"), ("b", "B")]).claims(EXACT);
    assert_eq!(
        story.write(EXACT),
        &Write::Update { record: record("e1"), version: Some(Version(2)), values: view(&[("b", "y")]) }
    );
    assert_eq!(story.enqueued(), [CRM], "and it goes the other way at once");
    story.applies(EXACT, Some(ours(EXACT, 3, &[("a", "z"), ("b", "y")]))).claims(CRM);
    assert_eq!(story.write(CRM).values(), &view(&[("a", "z")]));
}

#[test]
fn a_late_outcome_of_an_earlier_attempt_is_only_an_observation() {
    let mut story = in_flight();
    let first = story.claim(EXACT);
    story.claims(EXACT).applies(EXACT, Some(ours(EXACT, 3, &[("a", "B")])));
    let late = |after: Option<Observation>| Event::Applied {
        system: EXACT,
        claim: first,
        record: record("e1"),
        after,
    };
    let before = story.link.clone();
    for after in [
        None,
        Some(ours(EXACT, 2, &[("a", "B")])),
        Some(Observation { version: None, ..ours(EXACT, 2, &[("a", "older")]) }),
    ] {
        story.then(late(after));
        assert_eq!(story.link, before);
    }
    story.then(late(Some(seen(EXACT, 4, &[("a", "C")]))));
    assert_eq!(story.enqueued(), [CRM], "what it shows that is newer counts");
}

#[test]
fn a_rejected_write_is_not_sent_again_until_an_edit_changes_it() {
    let mut story = in_flight();
    story.rejects(EXACT);
    assert!(story.link.is_at_rest());
    let rejection = story.link.rejected[EXACT].clone().unwrap();
    assert_eq!((rejection.words.as_str(), rejection.values), ("not like this", view(&[("a", "B")])));

    story.edited(CRM, 3, &[("a", "B")]).edited(EXACT, 2, &[("a", "A")]);
    assert!(story.link.is_at_rest(), "touching a record without an edit changes nothing");
    assert!(story.link.rejected[EXACT].is_some());

    story.edited(CRM, 4, &[("a", "C")]);
    assert_eq!(story.enqueued(), [EXACT]);
    story.claims(EXACT).applies(EXACT, Some(ours(EXACT, 3, &[("a", "C")])));
    assert_eq!(story.link.rejected[EXACT], None);
    assert!(story.link.is_at_rest());
}

#[test]
fn a_rejection_ends_when_the_edit_is_taken_back_and_the_same_edit_is_then_sent_anew() {
    let mut story = in_flight();
    story.rejects(EXACT).edited(CRM, 3, &[("a", "A")]);
    assert_eq!(story.link.rejected[EXACT], None, "nothing is left to be refused");
    story.edited(CRM, 4, &[("a", "B")]);
    assert_eq!(story.enqueued(), [EXACT]);
}

#[test]
fn an_edit_during_the_flight_of_a_rejected_write_is_sent() {
    let mut story = in_flight();
    story.edited(CRM, 3, &[("a", "C")]).rejects(EXACT);
    assert_eq!(story.enqueued(), [EXACT]);
}

#[test]
fn a_stale_write_is_merged_with_what_was_read_and_queued_again() {
    let mut story = in_flight();
    story.fails(EXACT, Failure::Stale { now: Some(seen(EXACT, 2, &[("a", "A"), ("b", "C")])) });
    assert_eq!(story.enqueued(), [CRM, EXACT], "the edit that was read goes back, the write goes again");
    story.claims(EXACT);
    let again =
        Write::Update { record: record("e1"), version: Some(Version(2)), values: view(&[("a", "B")]) };
    assert_eq!(story.write(EXACT), &again, "on the version that was read");
}

#[test]
fn a_stale_write_that_lost_against_what_was_read_is_not_sent() {
    let mut story = Story::of(linked(&[("a", "A")]), policy(&[("a", EXACT_WINS)]));
    story.edited(CRM, 2, &[("a", "B")]).claims(EXACT);
    story.fails(EXACT, Failure::Stale { now: Some(seen(EXACT, 2, &[("a", "C")])) });
    assert_eq!(story.enqueued(), [CRM]);
}

#[test]
fn a_stale_write_without_a_reading_is_queued_again() {
    let mut story = in_flight();
    story.fails(EXACT, Failure::Stale { now: None });
    assert_eq!(story.enqueued(), [EXACT]);
}

#[test]
fn a_conflict_is_held_until_a_person_made_both_sides_alike() {
    let ask = Rule { conflict: ConflictPolicy::Ask, ..BOTH_WAYS };
    for decided in ["B", "C", "A"] {
        let mut story = Story::of(linked(&[("a", "A")]), policy(&[("a", ask)]));
        story.edited(CRM, 2, &[("a", "B")]).edited(EXACT, 2, &[("a", "C")]);
        assert!(story.link.conflicts.contains(&property("a")));
        story.claims(EXACT);
        assert!(story.link.is_at_rest(), "both values are kept");
        story.edited(CRM, 3, &[("a", decided)]).edited(EXACT, 3, &[("a", decided)]);
        assert!(story.link.conflicts.is_empty(), "held though both sides hold {decided}");
        for system in [CRM, EXACT] {
            story.claims(system);
        }
        assert!(story.link.is_at_rest());
    }
}

#[test]
fn a_conflict_ends_when_both_sides_are_back_at_their_renditions() {
    let ask = Rule { conflict: ConflictPolicy::Ask, ..BOTH_WAYS };
    let mut story = Story::of(linked(&[("a", "A")]), policy(&[("a", ask)]));
    story.edited(CRM, 2, &[("a", " x ")]).claims(EXACT).applies(EXACT, Some(ours(EXACT, 2, &[("a", "x")])));
    story.edited(CRM, 3, &[("a", "B")]).edited(EXACT, 3, &[("a", "C")]);
    assert!(story.link.conflicts.contains(&property("a")));
    story.edited(EXACT, 4, &[("a", "x")]).edited(CRM, 4, &[("a", " x ")]).claims(EXACT);
    assert!(story.link.conflicts.is_empty());
    assert!(story.link.is_at_rest());
}

#[test]
fn what_an_earlier_claim_left_behind_is_not_taken_for_the_write_in_flight() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    // An earlier claim wrote C, and its answer is late; meanwhile D is in flight on the version before it.
    story.edited(EXACT, 2, &[("a", "D")]).claims(CRM).sees(CRM, ours(CRM, 3, &[("a", "C")]));
    story.fails(CRM, Failure::Stale { now: Some(ours(CRM, 3, &[("a", "C")])) });
    assert_eq!(story.enqueued(), [CRM]);
    story.claims(CRM);
    let again =
        Write::Update { record: record("c1"), version: Some(Version(3)), values: view(&[("a", "D")]) };
    assert_eq!(story.write(CRM), &again);
}

#[test]
fn a_repeated_claim_says_again_what_its_source_has_taken_back() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), plain());
    story.edited(CRM, 2, &[("a", "X"), ("b", "B")]).claims(EXACT);
    story.edited(EXACT, 2, &[("a", "A"), ("b", "B2")]).edited(CRM, 3, &[("a", "A"), ("b", "B")]);
    story.claims(EXACT);
    assert_eq!(
        story.write(EXACT).values(),
        &view(&[("a", "X")]),
        "the first attempt may still be carried out"
    );
}

#[test]
fn a_late_answer_of_the_same_record_that_shows_nothing_says_nothing() {
    let mut story = in_flight();
    story.applies(EXACT, Some(ours(EXACT, 2, &[("a", "B"), ("b", "B")])));
    let link = story.link.clone();
    for after in [None, Some(Observation { version: None, ..ours(EXACT, 2, &[("a", "old")]) })] {
        story.then(Event::Applied { system: EXACT, claim: 1, record: record("e1"), after });
        assert!(story.effects.is_empty(), "{:?}", story.effects);
        assert_eq!(story.link, link);
    }
}
