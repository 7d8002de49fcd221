//! The oscillation breaker: two systems that rewrite one another's values do not write for ever.

use super::fixture::{CRM, EXACT, Story, linked, ours, plain, property, seen};
use crate::{Event, decide::TURNS_MAX};

/// Turns `a` back and forth every `seconds`, until it stands still; how many writes there were.
fn turns_until_still(story: &mut Story, seconds: i64) -> usize {
    let mut writes = 0;
    for turn in 1..=40_u64 {
        let (edited, written) = if turn % 2 == 1 { (CRM, EXACT) } else { (EXACT, CRM) };
        let text = format!("turn {turn}");
        let observation = seen(edited, 2 * turn, &[("a", &text)]);
        story.after(seconds, Event::Observed { system: edited, observation });
        story.after(0, Event::Claimed { system: written });
        if story.link.is_at_rest() {
            return writes;
        }
        writes += 1;
        let event = Event::Applied {
            system: written,
            claim: story.claim(written),
            record: story.link.record(written).unwrap().clone(),
            after: Some(ours(written, 2 * turn + 1, &[("a", &text)])),
        };
        story.after(0, event);
    }
    writes
}

#[test]
fn a_property_that_turns_quickly_is_frozen_and_held_for_a_person() {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B")]), plain());
    let writes = turns_until_still(&mut story, 2);
    assert!(writes <= usize::from(TURNS_MAX), "{writes} writes");
    assert!(story.link.conflicts.contains(&property("a")));
    assert_eq!(story.link.oscillating().collect::<Vec<_>>(), [&property("a")]);
    story.edited(CRM, 1_000, &[("b", "C")]);
    assert_eq!(story.enqueued(), [EXACT], "the other properties go on");
}

#[test]
fn edits_that_take_their_time_are_never_frozen() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    assert_eq!(turns_until_still(&mut story, 120), 40);
    assert!(story.link.conflicts.is_empty());
    assert_eq!(story.link.oscillating().count(), 0);
}

#[test]
fn a_frozen_property_thaws_when_both_sides_are_equal() {
    for at_what_was_agreed in [false, true] {
        let mut story = Story::of(linked(&[("a", "A")]), plain());
        turns_until_still(&mut story, 2);
        let agreed = story.link.agreed[&property("a")].customcrm.to_string();
        let text = if at_what_was_agreed { agreed.as_str() } else { "settled" };
        story.edited(CRM, 1_000, &[("a", text)]).edited(EXACT, 1_000, &[("a", text)]);
        assert!(story.link.conflicts.is_empty(), "held at {text}");
        story.claims(CRM).claims(EXACT);
        assert!(story.link.is_at_rest());
        story.edited(CRM, 1_001, &[("a", "next")]);
        assert_eq!(story.enqueued(), [EXACT], "the next edit goes over");
    }
}

#[test]
fn quick_edits_of_one_side_are_never_frozen() {
    let mut story = Story::of(linked(&[("a", "A")]), plain());
    for version in 2..40 {
        let observation = seen(CRM, version, &[("a", &format!("edit {version}"))]);
        story.after(1, Event::Observed { system: CRM, observation });
    }
    story.claims(EXACT);
    assert_eq!(story.write(EXACT).values(), &super::fixture::view(&[("a", "edit 39")]));
}
