use std::env;
use std::time::Duration;

use chaos::{Script, storm};

/// Fifty seconds in which faults overlap, with every kind of fault that there is time for.
const SHORT: Script = Script {
    seed: 1,
    lasts: Duration::from_secs(50),
    fault_every: Duration::from_secs(2),
    edits_per_minute: 240,
    replicas: 2,
    flushes: true,
    refusals: false,
    at_own_limits: Duration::ZERO,
    rests_within: Duration::from_secs(150),
};

/// A number that the command of the long form gives (`tests/run --chaos`).
fn given(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} = {text:?}: write a number")))
}

fn script() -> Script {
    let seed = given("TANDEM_CHAOS_SEED").unwrap_or(SHORT.seed);
    match given("TANDEM_CHAOS_MINUTES") {
        None => Script { seed, ..SHORT },
        Some(minutes) => Script {
            seed,
            lasts: Duration::from_mins(minutes),
            fault_every: Duration::from_secs(6),
            edits_per_minute: 120,
            at_own_limits: Duration::from_mins(4),
            refusals: true,
            rests_within: Duration::from_mins(15),
            ..SHORT
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_storm_all_seven_pairs_agree_and_nothing_is_lost_doubled_or_echoed() {
    println!("{}", storm(script()).await);
}
