//! Runs many seeds, or one with all that it tells.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use simulation::{Mistake, Outcome, Scenario, run, shrink};

/// Simulates the whole system: a run for each seed.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Stop after so many minutes, however many seeds were run.
    #[arg(long)]
    minutes: Option<u64>,
    /// How many run side by side.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Nothing goes wrong.
    #[arg(long)]
    calm: bool,
    /// Run each seed twice, and compare all that happened.
    #[arg(long)]
    twice: bool,
    /// Have the services make a mistake, and stop at the first seed that shows it.
    #[arg(long)]
    mistake: Option<Mistake>,
    /// How often what breaks a promise is run again with something left out, to tell what it takes.
    #[arg(long, default_value_t = 60)]
    shrink: u32,
    /// Tell every line of what happened.
    #[arg(long)]
    trace: bool,
}

/// What all seeds together were.
#[derive(Debug, Default)]
struct Sums {
    seeds: u32,
    edits: u64,
    writes: u64,
    calls: u64,
    struck: u64,
    settled: Duration,
    failed: Vec<u64>,
}

#[expect(clippy::print_stdout, reason = "a command tells what it found")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (next, sums, began) = (AtomicU64::new(arguments.from), Mutex::new(Sums::default()), Instant::now());
    let last = arguments.from.saturating_add(arguments.seeds);
    let is_over = || arguments.minutes.is_some_and(|minutes| began.elapsed().as_secs() >= minutes * 60);
    let is_shown = || {
        arguments.mistake.is_some()
            && sums.lock().is_ok_and(|sums: std::sync::MutexGuard<'_, Sums>| !sums.failed.is_empty())
    };
    thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| {
                while !is_over() && !is_shown() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        return;
                    }
                    let outcome = one(seed, &arguments);
                    let Ok(mut sums) = sums.lock() else { return };
                    sums.add(&outcome);
                }
            });
        }
    });
    let Ok(sums) = sums.into_inner() else { return ExitCode::FAILURE };
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    println!(
        "{} seeds in {minutes:.1} min, {:.0} a minute: {} edits, {} writes, {} calls, {} faults at ports; at rest after {} s on the average",
        sums.seeds,
        f64::from(sums.seeds) / minutes,
        sums.edits,
        sums.writes,
        sums.calls,
        sums.struck,
        sums.settled.as_secs() / u64::from(sums.seeds.max(1)),
    );
    if sums.failed.is_empty() {
        println!("all promises held");
        return ExitCode::SUCCESS;
    }
    println!("promises were broken by {} seeds: {:?}", sums.failed.len(), sums.failed);
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "a command tells what it found")]
fn one(seed: u64, arguments: &Arguments) -> Outcome {
    let mut scenario = if arguments.calm { Scenario::calm(seed) } else { Scenario::standard(seed) };
    scenario.mistake = arguments.mistake;
    let mut outcome = run(&scenario);
    if arguments.twice
        && let Some(difference) = outcome.trace.first_difference(&run(&scenario).trace)
    {
        outcome.broken.push(format!("the same seed ran otherwise the second time, {difference}"));
    }
    if arguments.trace {
        outcome.trace.lines().iter().for_each(|line| println!("{line}"));
    }
    if !outcome.broken.is_empty() {
        println!("== {scenario}\n{}\n", outcome.broken.join("\n-- "));
    }
    if !outcome.broken.is_empty() && arguments.mistake.is_none() {
        let smallest = shrink(&scenario, arguments.shrink, |smaller| !run(smaller).broken.is_empty());
        if smallest != scenario {
            let broken = run(&smallest).broken;
            println!("== this is enough to break it: {smallest}\n{}\n", broken.join("\n-- "));
        }
    }
    outcome
}

impl Sums {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.edits += u64::from(outcome.edits);
        self.writes += outcome.writes;
        self.calls += outcome.calls;
        self.struck += outcome.struck.values().map(|count| u64::from(*count)).sum::<u64>();
        self.settled += outcome.settled;
        if !outcome.broken.is_empty() {
            self.failed.push(outcome.scenario.seed);
        }
    }
}
