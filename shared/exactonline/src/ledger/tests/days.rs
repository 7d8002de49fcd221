//! Hours and days of many callers at once.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::world::{Dice, Habit, Worker, World};
use super::{LIMITS, at, midnight};
use crate::{Limits, Priority};

const CLASSES: [Priority; 4] = [Priority::Edit, Priority::Read, Priority::Backfill, Priority::Scan];
/// The endpoints that the pairs use.
const ENDPOINTS: [&str; 6] = [
    "crm/accounts",
    "sync/crm/accounts",
    "crm/contacts",
    "logistics/items",
    "salesorder/salesorders",
    "crm/quotations",
];
/// The day sets no bounds.
const MINUTES_ONLY: Limits = Limits { per_day: u32::MAX, ..LIMITS };

/// So many workers of each class that always have another call to make.
fn busy(classes: &[Priority], of_each: usize, begins: Timestamp) -> Vec<Worker> {
    let workers = classes.iter().flat_map(|class| vec![*class; of_each]).enumerate();
    workers
        .map(|(number, class)| Worker {
            endpoint: ENDPOINTS[number % ENDPOINTS.len()],
            ..Worker::new(class, Habit::Busy, begins)
        })
        .collect()
}

/// A poll of all seven pairs' feeds.
fn polling(begins: Timestamp) -> Worker {
    let habit = Habit::Every { calls: 9, pause: 330_000 };
    Worker { endpoint: ENDPOINTS[1], ..Worker::new(Priority::Read, habit, begins) }
}

/// One edit: the feed is read before and after its write.
fn edit(at: Timestamp) -> Worker {
    let habit = Habit::Every { calls: 3, pause: i64::MAX / 4 };
    Worker { endpoint: ENDPOINTS[2], ..Worker::new(Priority::Edit, habit, at) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_call_is_one_too_many_however_clocks_differ_and_whoever_calls(
        seed: u64,
        replicas in 1_usize..9,
        exact in -400_i64..400,
        transit_max in 20_i64..1_200,
        kinds in proptest::collection::vec((0_usize..4, 0_usize..2, 1_usize..5), 1..6),
        limits in prop_oneof![
            Just(LIMITS), Just(MINUTES_ONLY),
            Just(Limits { per_minute: 100, per_day: 9_000, ..LIMITS }),
            Just(Limits { per_minute: 7, per_day: 300, ..LIMITS }),
        ],
        evening: bool,
    ) {
        let begins = if evening { at("22:30:00") } else { at("09:00:00") };
        let mut dice = Dice(seed);
        let clocks: Vec<i64> = (0..replicas).map(|_| dice.below(800) - 400).collect();
        let mut workers = Vec::new();
        for (class, habit, count) in kinds {
            for _ in 0..count {
                let habit = match habit {
                    0 => Habit::Busy,
                    _ => Habit::Every { calls: 20, pause: 45_000 },
                };
                let begins = begins + SignedDuration::from_millis(dice.below(60_000));
                let number = workers.len();
                workers.push(Worker {
                    clock: clocks[number % clocks.len()],
                    endpoint: ENDPOINTS[number % ENDPOINTS.len()],
                    ..Worker::new(CLASSES[class], habit, begins)
                });
            }
        }
        let mut world = World::new(limits, seed, workers);
        world.exact.clock = exact;
        world.transit_max = transit_max;
        // Past midnight.
        world.run(begins + SignedDuration::from_hours(2));
        prop_assert_eq!(world.exact.refused, 0);
    }
}

#[test]
fn a_burst_across_the_edge_of_a_minute_is_within_both_however_far_the_clocks_are_apart() {
    for (seed, (replicas, exact)) in (0..60).zip([(-400, 400), (400, -400), (0, 0)].into_iter().cycle()) {
        for begins in ["09:00:56.500", "09:00:57.500", "09:00:58.500", "09:00:59.500", "09:01:00.300"] {
            // Whether the minute before was idle or used up.
            for earlier in ["09:00:03", begins] {
                let mut workers = busy(&[Priority::Edit], 12, at(begins));
                workers.extend(busy(&[Priority::Edit], 3, at(earlier)));
                for worker in &mut workers {
                    worker.clock = replicas;
                }
                let mut world = World::new(MINUTES_ONLY, seed, workers);
                world.exact.clock = exact;
                world.transit_max = 1_200;
                world.run(at("09:02:30"));
                assert_eq!(world.exact.refused, 0, "{seed} {begins} {earlier} {replicas}");
            }
        }
    }
}

#[test]
fn under_load_nearly_all_calls_of_each_minute_are_used() {
    let begins = at("09:00:00");
    let alone = CLASSES.map(|class| vec![class]);
    for classes in alone.iter().map(Vec::as_slice).chain([&CLASSES[..], &CLASSES[1..]]) {
        for replicas in [1, 5] {
            let mut workers = busy(classes, 6, begins);
            for (number, worker) in (0..).zip(&mut workers) {
                worker.clock = (number % replicas) * 90 - 180;
            }
            let mut world = World::new(MINUTES_ONLY, 7, workers);
            world.run(begins + SignedDuration::from_hours(2));
            let share = world.used_share();
            println!("{classes:?}, {replicas} replicas: {:.2} percent of the minute used", share * 100.0);
            assert!(share >= 0.97, "{classes:?}: {share}");
            assert_eq!(world.exact.refused, 0, "{classes:?}");
        }
    }
}

#[test]
fn under_load_of_all_edits_go_first_and_the_others_still_move() {
    let begins = at("09:00:00");
    let mut world = World::new(MINUTES_ONLY, 7, busy(&CLASSES, 6, begins));
    world.run(begins + SignedDuration::from_hours(4));
    let calls = CLASSES.map(|class| world.calls_of(class, begins).count());
    println!("calls of edits, reads, backfill and scans in four hours: {calls:?}");
    let all: usize = calls.iter().sum();
    assert!(calls[0] * 100 >= all * 85, "{calls:?}");
    // One of each in every minute at least.
    assert!(calls[1..].iter().all(|calls| *calls >= 4 * 60), "{calls:?}");
    assert!(calls.windows(2).all(|pair| pair[0] > pair[1]), "{calls:?}");
}

#[test]
fn an_edit_beside_a_backfill_goes_at_once_in_any_second_of_a_minute() {
    let begins = at("09:00:00");
    let mut workers = busy(&[Priority::Backfill, Priority::Scan], 6, begins);
    for minute in 1..120 {
        workers.push(edit(begins + SignedDuration::from_millis(minute * 60_500)));
    }
    let mut world = World::new(MINUTES_ONLY, 3, workers);
    world.run(begins + SignedDuration::from_hours(3));
    let mut waits: Vec<i64> = world.calls_of(Priority::Edit, begins).map(|call| call.waited()).collect();
    waits.sort_unstable();
    println!(
        "waits of an edit's calls beside a backfill: half {} ms, most {} ms",
        waits[waits.len() / 2],
        waits.last().unwrap()
    );
    assert_eq!(waits.len(), 3 * 119);
    assert_eq!(waits[waits.len() * 9 / 10], 0, "{waits:?}");
    // In the last seconds, when little is left, it is the next minute.
    assert!(waits.iter().all(|wait| *wait <= 12_000), "{waits:?}");
}

#[test]
fn after_a_day_of_backfill_an_edit_of_the_evening_goes_at_once_and_reads_still_poll() {
    let begins = at("00:00:05");
    let mut workers = busy(&[Priority::Backfill, Priority::Scan], 6, begins);
    workers.push(polling(begins));
    let evening: Vec<Timestamp> =
        ["18:00:10", "20:00:20", "22:00:30", "23:00:00", "23:30:40", "23:50:15"].map(at).into();
    workers.extend(evening.iter().map(|at| edit(*at)));
    let mut world = World::new(LIMITS, 11, workers);
    world.run(midnight());
    assert_eq!(world.exact.refused, 0);
    let edits: Vec<i64> = world.calls_of(Priority::Edit, begins).map(|call| call.waited()).collect();
    println!("waits of edits from 18:00 to 23:50 after a day of backfill, in ms: {edits:?}");
    assert_eq!(edits, vec![0; 3 * evening.len()]);
    // 261 polls fit into the day.
    let reads: Vec<i64> = world.calls_of(Priority::Read, begins).map(|call| call.waited()).collect();
    let waited = reads.iter().max().unwrap();
    println!("{} calls of polls, which waited {waited} ms at most", reads.len());
    assert!(reads.len() >= 9 * 255 && *waited <= 60_000, "{} {waited}", reads.len());
    // And the day is used.
    let used: u32 = world.exact.days.values().sum();
    let backfill = world.calls_of(Priority::Backfill, begins).count();
    println!("{used} of {} calls of the day used, {backfill} of them by backfill", LIMITS.per_day);
    assert!(f64::from(used) >= f64::from(LIMITS.per_day) * 0.97, "{used}");
}

#[test]
fn a_wave_of_edits_all_day_leaves_reads_a_poll_in_the_evening() {
    let begins = at("00:00:05");
    let mut world = World::new(LIMITS, 5, busy(&CLASSES, 4, begins));
    world.run(midnight());
    for class in &CLASSES[1..] {
        let evening = world.calls_of(*class, at("20:00:00")).count();
        assert!(evening >= 5, "{class:?}: {evening}");
    }
    let edits = world.calls_of(Priority::Edit, begins).count();
    assert!(edits >= 4_400, "{edits}");
    assert_eq!(world.exact.refused, 0);
}

#[test]
fn what_another_app_of_the_key_uses_is_left_alone() {
    let begins = at("09:00:00");
    for seed in 0..20 {
        let mut world = World::new(MINUTES_ONLY, seed, busy(&CLASSES[..2], 3, begins));
        world.exact.others = 20;
        world.run(begins + SignedDuration::from_hours(2));
        assert_eq!(world.exact.refused, 0, "{seed}");
        assert!(world.used_share() >= 0.95, "{seed}: {}", world.used_share());
    }
}

#[test]
fn an_endpoint_where_every_call_fails_is_never_blocked() {
    let begins = at("09:00:00");
    for seed in 0..20 {
        let mut workers = busy(&[Priority::Edit, Priority::Backfill], 8, begins);
        for (number, worker) in (0..).zip(&mut workers) {
            (worker.endpoint, worker.fails, worker.clock) = (ENDPOINTS[0], true, (number % 4) * 100);
        }
        let mut world = World::new(LIMITS, seed, workers);
        world.run(begins + SignedDuration::from_hours(8));
        assert_eq!(world.exact.blocked, 0, "{seed}");
        // It is not given up either: eight an hour.
        assert_eq!(world.exact.errors.len(), 8 * 8, "{seed}");
    }
}
