//! The first seeds, as many as half a minute takes, and the proof that a seed decides everything.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use simulation::{Scenario, run};

/// Where fewer seeds than these take longer, the rest is left to the command.
const SEEDS: u64 = 1_000;
const TAKE: Duration = Duration::from_secs(30);

#[test]
fn every_promise_holds_for_the_first_seeds() {
    let began = Instant::now();
    for seed in (0..SEEDS).take_while(|_| began.elapsed() < TAKE) {
        let outcome = run(&Scenario::standard(seed));
        assert!(outcome.broken.is_empty(), "{}\n{}", outcome.scenario, outcome.broken.join("\n-- "));
        assert!(outcome.edits > 0 && outcome.writes > 0, "seed {seed} has shown nothing");
    }
}

#[test]
fn the_same_seed_runs_the_same_way_again_and_another_does_not() {
    let run = |seed| {
        let scenario = Scenario { lasts: Duration::from_mins(20), edits: 10, ..Scenario::standard(seed) };
        run(&scenario).trace
    };
    for seed in [3, 8] {
        let (first, again) = (run(seed), run(seed));
        assert_eq!(first.first_difference(&again), None, "seed {seed}");
        assert!(first.lines().len() > 1_000, "the guard against a run in which nothing happens");
    }
    assert!(run(3).first_difference(&run(8)).is_some());
}
