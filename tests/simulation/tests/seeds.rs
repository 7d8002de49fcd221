//! The first seeds, as many as three minutes take, each twice: a seed decides everything.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use simulation::{Scenario, run};

/// Where fewer seeds than these take longer, the rest is left to the command.
const SEEDS: u64 = 1_000;
const TAKE: Duration = Duration::from_mins(3);

#[test]
fn every_promise_holds_for_the_first_seeds() {
    let began = Instant::now();
    for seed in (0..SEEDS).take_while(|_| began.elapsed() < TAKE) {
        let outcome = run(&Scenario::standard(seed));
        assert!(outcome.broken.is_empty(), "{}\n{}", outcome.scenario, outcome.broken.join("\n-- "));
        assert!(outcome.edits > 0 && outcome.writes > 0, "seed {seed} has shown nothing");
        let again = run(&outcome.scenario).trace;
        assert_eq!(outcome.trace.first_difference(&again), None, "seed {seed} ran otherwise the second time");
    }
}

#[test]
fn another_seed_runs_another_way() {
    let run = |seed| {
        let scenario = Scenario { lasts: Duration::from_mins(20), edits: 10, ..Scenario::standard(seed) };
        run(&scenario).trace
    };
    let (one, other) = (run(3), run(8));
    assert!(one.lines().len() > 500, "the guard against a run in which nothing happens");
    assert!(one.first_difference(&other).is_some());
}
