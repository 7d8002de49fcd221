//! Edits without end: what each service holds in memory, minute by minute.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::deployment::Deployment;
use crate::mib;

/// Edits a second.
const RATE: u32 = 50;
/// Memory is looked at this often.
const LOOK: Duration = Duration::from_mins(1);
/// What a service holds after this long is what it is compared with: its caches are full by then.
const WARM: Duration = Duration::from_mins(5);

/// Edits one account after the other, and prints the memory of each service; in the end how far it has moved.
pub(crate) async fn run(records: usize, length: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
    let deployment = Deployment::start(records).await?;
    println!("{RATE} edits/s for {} minutes over {records} accounts", length.as_secs() / 60);
    let begun = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut look = begun + LOOK;
    let mut warm: BTreeMap<&str, u64> = BTreeMap::new();
    let mut edits = 0_usize;
    while begun.elapsed() < length {
        tick.tick().await;
        deployment.edit(edits % records, &format!("+31 {}", Timestamp::now().as_millisecond()))?;
        edits += 1;
        if Instant::now() < look {
            continue;
        }
        look += LOOK;
        deployment.exact.clear_log();
        deployment.crm.control.clear_log();
        let memory = deployment.memory()?;
        let told: Vec<String> =
            memory.iter().map(|(name, _, now)| format!("{name} {:.1}", mib(*now))).collect();
        println!("{:>3} min, {edits} edits, MiB: {}", begun.elapsed().as_secs() / 60, told.join(", "));
        if begun.elapsed() >= WARM && warm.is_empty() {
            warm = memory.iter().map(|(name, _, now)| (*name, *now)).collect();
        }
    }
    for (name, _, now) in deployment.memory()? {
        if let Some(then) = warm.get(name) {
            let moved = 100.0 * (mib(now) / mib(*then) - 1.0);
            println!(
                "{name}: {:.1} MiB, {moved:+.1} % since {} minutes after the start",
                mib(now),
                WARM.as_secs() / 60
            );
        }
    }
    Ok(())
}
