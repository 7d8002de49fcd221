//! What Tandem itself costs: the time from an edit that can be seen to its write, and how fast a backlog drains.
//!
//! Five services, one process each, between a real RabbitMQ, a real Redis and simulators that answer at once. In the
//! same run, in turns, a bare loop moves as many messages through three quorum queues with two Redis scripts and one HTTP
//! call each: what the machine gives to anybody. It prints figures and fails nothing.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod bare;
mod deployment;
mod disk;
mod figures;
mod measure;
mod processor;
mod soak;

use std::error::Error;
use std::time::Duration;

use clap::Parser;

use bare::Bare;
use deployment::Deployment;
use figures::{Times, Used, ms, per_second};

/// Measures Tandem beside a bare loop, and prints.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many records are kept; each is edited once in each round.
    #[arg(long, default_value_t = 5_000)]
    records: usize,
    /// How many times the loop and the backlog are measured, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// For how many seconds edits come steadily.
    #[arg(long, default_value_t = 30)]
    seconds: usize,
    /// How many edits come in a second then.
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// Instead: 50 edits a second for so many minutes, and the memory of each service.
    #[arg(long)]
    soak: Option<u64>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = Arguments::parse();
    if let Some(minutes) = arguments.soak {
        return soak::run(arguments.records, Duration::from_mins(minutes)).await;
    }
    println!("starting: {} accounts are read and linked first", arguments.records);
    let mut deployment = Deployment::start(arguments.records).await?;
    show_disk(&deployment)?;

    let count = arguments.seconds * usize::try_from(arguments.rate)?;
    let times = measure::steady(&deployment, count.min(arguments.records), arguments.rate).await?;
    show_steady(&times, arguments.rate);

    let (amqp, redis) = (deployment.amqp(), deployment.redis());
    let bare = Bare::start(&amqp, &redis, arguments.records).await?;
    for round in 1..=arguments.rounds {
        deployment.settle().await?;
        let before = deployment.processor()?;
        let loop_rate = per_second(arguments.records, bare.run().await?);
        let loop_used = Used::between(&before, &deployment.processor()?, arguments.records);
        let (took, used) = measure::backlog(&mut deployment).await?;
        let ours = per_second(arguments.records, took);
        let share = 100.0 * ours / loop_rate;
        println!(
            "round {round}: the bare loop moves {loop_rate:.0}/s, Tandem drains {ours:.0} changes/s: {share:.0} % of it"
        );
        println!("  processor time of a message of the loop: {loop_used}");
        println!("  processor time of a change: {used}");
    }
    bare.end().await?;
    show_disk(&deployment)?;
    for (service, most, now) in deployment.memory()? {
        println!("{service}: {:.1} MiB resident at most, {:.1} MiB now", mib(most), mib(now));
    }
    Ok(())
}

fn show_disk(deployment: &Deployment) -> Result<(), Box<dyn Error + Send + Sync>> {
    let times = disk::synchronised_appends(deployment.folder())?;
    println!("fdatasync of 4 KiB: p50 {}, p99 {}", ms(times.percentile(50)), ms(times.percentile(99)));
    Ok(())
}

fn show_steady(times: &Times, rate: u32) {
    let [p50, p90, p99] = [50, 90, 99].map(|percent| ms(times.percentile(percent)));
    println!(
        "{} edits at {rate}/s, from the read that shows one to its write: p50 {p50}, p90 {p90}, p99 {p99}, longest {}",
        times.len(),
        ms(times.longest())
    );
}

/// From KiB.
pub(crate) fn mib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1_024.0
}
