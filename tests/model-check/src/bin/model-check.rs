//! Goes through the larger worlds of the link protocol, or through one of them, and says how large each was.
#![expect(clippy::print_stdout, reason = "a command line tool, whose output this is")]

use std::process::ExitCode;

use clap::Parser;
use model::SystemPair;
use model_check::check::Check;
use model_check::worlds::{World, large, small};

/// Checks the link protocol in every order of what can happen in a world.
#[derive(Debug, Parser)]
#[command(name = "model-check")]
struct Arguments {
    /// Only worlds with this in their names.
    #[arg(default_value = "")]
    named: String,
    /// Go through the small worlds, which the tests go through too.
    #[arg(long)]
    small: bool,
    /// Stop after the first world in which something is wrong.
    #[arg(long)]
    first: bool,
    /// List the worlds, and go through none.
    #[arg(long)]
    list: bool,
    /// Threads to go with.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// More edits of CustomCRM's people than the world has.
    #[arg(long, default_value_t = 0)]
    edits_of_customcrm: u8,
    /// More edits of Exact Online's people than the world has.
    #[arg(long, default_value_t = 0)]
    edits_of_exactonline: u8,
    /// More crashes than the world has.
    #[arg(long, default_value_t = 0)]
    crashes: u8,
    /// More repeated messages than the world has.
    #[arg(long, default_value_t = 0)]
    repeats: u8,
    /// More lost answers than the world has.
    #[arg(long, default_value_t = 0)]
    lost_answers: u8,
    /// More reads after a write that fail than the world has.
    #[arg(long, default_value_t = 0)]
    unread: u8,
}

impl Arguments {
    fn worlds(&self) -> Vec<World> {
        let mut worlds = if self.small { small() } else { large() };
        worlds.retain(|(name, _)| name.contains(&self.named));
        for (_, bounds) in &mut worlds {
            let SystemPair { customcrm, exactonline } = &mut bounds.edits;
            *customcrm += self.edits_of_customcrm;
            *exactonline += self.edits_of_exactonline;
            bounds.crashes += self.crashes;
            bounds.repeats += self.repeats;
            bounds.lost_answers += self.lost_answers;
            bounds.unread += self.unread;
        }
        worlds
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut is_good = true;
    for (name, bounds) in arguments.worlds() {
        if arguments.list {
            println!("{name}: {bounds:?}");
            continue;
        }
        let report = Check::of(bounds).run(arguments.threads);
        println!("{name}: {report}{}", report.told());
        is_good &= report.is_good();
        if arguments.first && !is_good {
            break;
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
