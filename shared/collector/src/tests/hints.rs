//! A system that tells of changes by itself: when it is read, and how often.

use std::time::Duration;

use store::Embedded;
use tokio::time::Instant;

use super::bench::{Bench, POLL, Running, ids, pass};
use super::fakes::{Call, Changes};
use super::{SYSTEM, connection, entity, other_entity, records};
use crate::{Hint, HintedPace, Hints, ToldPace, WINDOW_MAX, WINDOW_MIN};

const LOOK: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

/// A bench whose system may tell of changes.
async fn told() -> Bench {
    let told = ToldPace { poll: HOUR, directory: HOUR * 4 };
    let mut bench = Bench::new().await;
    bench.pace.hinted =
        Some(HintedPace { look: LOOK, window_min: WINDOW_MIN, window_max: WINDOW_MAX, told: Some(told) });
    bench
}

/// As another replica has them, which shares nothing but the store.
fn hints(bench: &Bench) -> Hints<Embedded> {
    Hints::new(bench.store.clone(), "test", &connection(), SYSTEM)
}

/// A collector that has read everything, while changes are told for a day.
async fn at_rest(bench: &Bench, system: &Changes) -> (Running, Hints<Embedded>) {
    let hints = hints(bench);
    hints.are_told([&entity()], HOUR * 24).await.unwrap();
    let running = bench.start(system);
    bench.said().await;
    (running, hints)
}

/// How often the system is read within this time.
async fn reads_within(system: &Changes, time: Duration) -> usize {
    let before = system.pages().len();
    pass(time).await;
    system.pages().len() - before
}

#[tokio::test(start_paused = true)]
async fn a_hint_from_another_replica_leads_to_a_read_within_a_second() {
    let bench = told().await;
    let system = Changes::of(records(&["a"]));
    let (running, hints) = at_rest(&bench, &system).await;
    assert_eq!(reads_within(&system, HOUR / 2).await, 0);
    system.add(records(&["b"]));
    let at = Instant::now();
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    let (seen, _) = bench.said().await;
    assert_eq!(ids(&seen), ["b"]);
    assert!(system.pages().last().unwrap().0 <= at + LOOK);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_hints_within_a_window_are_one_read_and_what_came_after_it_another() {
    let bench = told().await;
    let system = Changes::of(records(&["a"]));
    let (running, hints) = at_rest(&bench, &system).await;
    let first = system.pages().len();
    for change in 0..100 {
        system.add(records(&[&format!("b{change}")]));
        hints.tell(&entity(), Hint::Changed).await.unwrap();
        pass(Duration::from_millis(50)).await;
    }
    // A page holds two records: the first read took what there was, and the window is not over.
    let within = system.pages()[first..].to_vec();
    assert!(!within.is_empty() && within.iter().all(|(at, _)| *at <= within[0].0), "{within:?}");
    pass(WINDOW_MIN).await;
    let starts: std::collections::BTreeSet<Instant> =
        system.pages()[first..].iter().map(|(at, _)| *at).collect();
    assert_eq!(starts.len(), 2, "{starts:?}");
    assert!(*starts.last().unwrap() >= *starts.first().unwrap() + WINDOW_MIN);
    let (seen, _) = bench.said().await;
    assert_eq!(seen.len(), 100);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn hints_without_end_lead_to_a_read_a_minute() {
    let bench = told().await;
    let system = Changes::default();
    let (running, hints) = at_rest(&bench, &system).await;
    let before = system.pages().len();
    for _ in 0..600 {
        hints.tell(&entity(), Hint::Changed).await.unwrap();
        pass(LOOK).await;
    }
    // At once, then after 10, 20 and 40 seconds, then each minute.
    let reads = system.pages().len() - before;
    assert!((11..=13).contains(&reads), "{reads}");
    assert_eq!(
        reads_within(&system, HOUR / 2).await,
        3,
        "one that waited, and two looks for what it told of"
    );
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    assert_eq!(reads_within(&system, LOOK * 2).await, 1, "all is quiet again");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_feed_shows_later_than_the_hint_of_it_came_is_looked_for_again() {
    let bench = told().await;
    let system = Changes::default();
    let (running, hints) = at_rest(&bench, &system).await;
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    pass(LOOK * 2).await;
    system.add(records(&["late"]));
    pass(WINDOW_MIN).await;
    let (seen, _) = bench.said().await;
    assert_eq!(ids(&seen), ["late"]);
    assert_eq!(reads_within(&system, HOUR / 2).await, 0, "it was found");
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    assert_eq!(reads_within(&system, HOUR / 2).await, 3, "nothing is found, and that is the end of it");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn while_changes_are_told_polls_are_an_hour_apart() {
    let bench = told().await;
    let system = Changes::default();
    let (running, _) = at_rest(&bench, &system).await;
    assert_eq!(reads_within(&system, HOUR * 8).await, 8);
    assert_eq!(system.count(&Call::People), 3, "the users at the start, and then every four hours");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_hint_costs_no_more_than_the_time_to_the_next_poll() {
    let bench = told().await;
    let system = Changes::default();
    let (running, _) = at_rest(&bench, &system).await;
    system.add(records(&["a"]));
    pass(HOUR).await;
    let (seen, _) = bench.said().await;
    assert_eq!(ids(&seen), ["a"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn when_changes_are_told_no_longer_polls_are_as_far_apart_as_ever_at_once() {
    let bench = told().await;
    let system = Changes::default();
    let (running, hints) = at_rest(&bench, &system).await;
    pass(HOUR / 2).await;
    hints.are_not_told([&entity()]).await.unwrap();
    assert_eq!(reads_within(&system, LOOK * 2).await, 1, "the poll that was put off");
    assert_eq!(reads_within(&system, POLL * 5).await, 5);
    hints.are_told([&entity()], HOUR).await.unwrap();
    assert_eq!(reads_within(&system, HOUR / 2).await, 0);
    assert_eq!(
        reads_within(&system, HOUR / 2 + POLL * 5).await,
        6,
        "nobody says any more that they are told"
    );
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_hint_of_a_deletion_is_passed_on_whether_or_not_it_led_to_the_read() {
    let bench = told().await;
    let system = Changes::default();
    let (running, hints) = at_rest(&bench, &system).await;
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    pass(LOOK * 2).await;
    assert_eq!(system.hinted(), [Hint::Changed]);
    // The window is not open yet, and what comes first is the second look for what the first hint told of.
    hints.tell(&entity(), Hint::Deleted).await.unwrap();
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    pass(WINDOW_MIN).await;
    assert_eq!(system.hinted(), [Hint::Changed, Hint::Deleted]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_for_one_entity_and_for_who_holds_its_lease() {
    let bench = told().await;
    let (system, other, standby) = (Changes::default(), Changes::default(), Changes::default());
    let (running, hints) = at_rest(&bench, &system).await;
    hints.are_told([&other_entity()], HOUR * 24).await.unwrap();
    let others = bench.start_of(other_entity(), &other);
    let stands_by = bench.start(&standby);
    pass(LOOK).await;
    let before = other.pages().len();
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    assert_eq!(reads_within(&system, LOOK * 2).await, 1);
    assert_eq!((other.pages().len(), standby.calls()), (before, vec![]));
    running.stop().await;
    others.stop().await;
    stands_by.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_system_that_asks_to_wait_is_left_alone_whatever_is_hinted_at() {
    let bench = told().await;
    let system = Changes::default();
    let (running, hints) = at_rest(&bench, &system).await;
    system.fail(&[model::FailureClass::Throttled { after: HOUR / 4 }]);
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    pass(LOOK * 2).await;
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    assert_eq!(reads_within(&system, Duration::from_mins(14)).await, 0);
    assert!(reads_within(&system, Duration::from_mins(2)).await > 0);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn where_it_is_never_certain_that_all_is_told_hints_lead_to_reads_and_polls_go_on_as_ever() {
    let mut bench = told().await;
    bench.pace.poll = HOUR;
    bench.pace.quiet = HOUR;
    bench.pace.hinted = bench.pace.hinted.map(|pace| HintedPace { told: None, ..pace });
    let system = Changes::default();
    let (running, hints) = at_rest(&bench, &system).await;
    assert_eq!(reads_within(&system, HOUR * 8).await, 8, "though somebody says that all is told");
    system.add(records(&["a"]));
    hints.tell(&entity(), Hint::Changed).await.unwrap();
    pass(LOOK * 2).await;
    let (seen, _) = bench.said().await;
    assert_eq!(ids(&seen), ["a"]);
    running.stop().await;
}
