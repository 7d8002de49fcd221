#![allow(clippy::unwrap_used)]

use super::*;

fn line(connection: &str) -> LineName {
    LineName {
        connection: ConnectionName::parse(connection).unwrap(),
        pair: PairName::parse("customer-account").unwrap(),
    }
}

/// Lines of which this one has all hands full, and `waiting` more in hand.
fn full(name: &LineName, waiting: usize, now: Instant) -> Lines<usize> {
    let mut lines = Lines::new();
    for number in 0..IN_HAND {
        assert_eq!(lines.came(name, number, now), Turn::Begin(number));
    }
    for number in IN_HAND..IN_HAND + waiting {
        assert_eq!(lines.came(name, number, now), Turn::Waits);
    }
    lines
}

#[test]
fn a_line_whose_hands_are_full_holds_up_no_other() {
    let now = Instant::now();
    let mut lines = full(&line("slow"), 200, now);
    assert_eq!(lines.came(&line("quick"), 7, now), Turn::Begin(7));
}

#[test]
fn what_waits_in_hand_is_begun_in_its_order() {
    let now = Instant::now();
    let mut lines = full(&line("acme"), 2, now);
    assert_eq!(lines.ended(&line("acme")), Some(IN_HAND));
    assert_eq!(lines.ended(&line("acme")), Some(IN_HAND + 1));
    assert_eq!(lines.ended(&line("acme")), None);
}

#[test]
fn a_line_that_does_not_get_on_overflows_and_what_comes_later_follows() {
    let (acme, now) = (line("acme"), Instant::now());
    let mut lines = full(&acme, 2, now);
    assert_eq!(lines.overdue(now + WAITS_IN_HAND), Vec::<usize>::new(), "it may still get on");
    let late = now + WAITS_IN_HAND + Duration::from_millis(1);
    assert_eq!(lines.overdue(late), [IN_HAND, IN_HAND + 1]);
    assert_eq!(lines.came(&acme, 99, late), Turn::LayAside(99));
    assert_eq!(lines.ended(&acme), None);
    assert_eq!(lines.came(&acme, 100, late), Turn::LayAside(100), "those that were laid aside come first");
}

#[test]
fn what_was_laid_aside_is_fetched_as_hands_are_free_until_nothing_is_left() {
    let (acme, now) = (line("acme"), Instant::now());
    let mut lines = full(&acme, 0, now);
    lines.rests(&acme, now);
    assert_eq!(lines.hungry(now), []);
    for _ in 0..IN_HAND / 2 {
        lines.ended(&acme);
    }
    assert_eq!(lines.hungry(now), [(acme.clone(), IN_HAND / 2)]);
    assert_eq!(lines.hungry(now), [], "it is under way");
    lines.fetched(&acme, 3, true, now);
    for _ in 0..3 {
        lines.ended(&acme);
    }
    assert_eq!(lines.hungry(now), [(acme.clone(), IN_HAND / 2)]);
    lines.fetched(&acme, 0, false, now);
    assert_eq!(lines.came(&acme, 5, now), Turn::Begin(5), "nothing is laid aside any more");
    assert_eq!(lines.hungry(now + LOOK), []);
}

#[test]
fn what_is_laid_aside_for_later_is_looked_at_again_after_a_while() {
    let (acme, now) = (line("acme"), Instant::now());
    let mut lines: Lines<usize> = Lines::new();
    lines.rests(&acme, now);
    assert_eq!(lines.hungry(now).len(), 1);
    lines.fetched(&acme, 0, true, now);
    assert_eq!(lines.hungry(now), []);
    assert_eq!(lines.hungry(now + LOOK).len(), 1);
}

#[test]
fn a_line_that_rests_is_served_when_its_rest_is_over_and_no_sooner() {
    let (acme, now) = (line("acme"), Instant::now());
    let mut lines = full(&acme, 3, now);
    let until = now + Duration::from_secs(45);
    assert_eq!(lines.rests(&acme, until), [IN_HAND, IN_HAND + 1, IN_HAND + 2]);
    for _ in 0..IN_HAND {
        assert_eq!(lines.ended(&acme), None);
    }
    // A shorter rest that is told later does not shorten it.
    lines.rests(&acme, now + Duration::from_secs(5));
    assert_eq!(lines.hungry(until - Duration::from_millis(1)), []);
    assert_eq!(lines.hungry(until), [(acme, IN_HAND)]);
}

#[test]
fn a_line_that_only_may_have_overflown_is_looked_at_and_serves_what_comes_meanwhile() {
    let (acme, now) = (line("acme"), Instant::now());
    let mut lines = Lines::new();
    lines.may_have_overflown(&acme);
    assert_eq!(lines.came(&acme, 1, now), Turn::Begin(1));
    assert_eq!(lines.hungry(now).len(), 1);
    lines.fetched(&acme, 0, false, now);
    assert_eq!(lines.hungry(now), []);
}

#[test]
fn a_line_is_forgotten_when_nothing_is_known_of_it() {
    let (acme, now) = (line("acme"), Instant::now());
    let mut lines = Lines::new();
    lines.came(&acme, 1, now);
    lines.tidy(now);
    assert_eq!(lines.lines.len(), 1);
    lines.ended(&acme);
    lines.rests(&acme, now + Duration::from_secs(1));
    lines.hungry(now + Duration::from_secs(1));
    lines.fetched(&acme, 0, false, now);
    lines.tidy(now);
    assert_eq!(lines.lines.len(), 1, "it rests");
    lines.tidy(now + Duration::from_secs(1));
    assert_eq!(lines.lines.len(), 0);
}

#[test]
fn only_lines_that_wait_are_looked_after() {
    let (acme, now) = (line("acme"), Instant::now());
    let mut lines = Lines::new();
    assert_eq!(lines.came(&acme, 0, now), Turn::Begin(0));
    assert!(!lines.any_waits(), "it gets on");
    assert!(full(&acme, 1, now).any_waits(), "a message waits in hand");
    assert!(lines.rests(&acme, now).is_empty());
    assert!(lines.any_waits(), "what comes is laid aside");
    let mut lines: Lines<usize> = Lines::new();
    lines.may_have_overflown(&acme);
    assert!(lines.any_waits(), "it is to be looked whether anything was");
}
