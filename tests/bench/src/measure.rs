//! What Tandem itself adds: from the read that shows an edit to the write of it.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;

use crate::deployment::{Deployment, READER};
use crate::figures::{Times, Used};

type Failure = Box<dyn Error + Send + Sync>;

/// The feed that shows what the bench changes.
const FEED: &str = "/sync/CRM/Accounts";

/// Edits `count` accounts, so many a second; gives how long each took from the read that showed it to its write.
pub(crate) async fn steady(deployment: &Deployment, count: usize, per_second: u32) -> Result<Times, Failure> {
    deployment.settle().await?;
    forget(deployment);
    let before = deployment.writes();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second);
    let mut edited = Vec::with_capacity(count);
    for number in 0..count {
        tick.tick().await;
        deployment.edit(number, &mark())?;
        edited.push(Timestamp::now());
    }
    deployment.wait_for_writes(before + count).await;
    let (shown, written) = (shown(deployment, &edited)?, written(deployment)?);
    let times = shown.iter().zip(&edited).enumerate().filter_map(|(number, (shown, edited))| {
        let written = *written.get(&number)?;
        // A write before the next read is one of what a read has caught on its way.
        let since = if *shown <= written { *shown } else { *edited };
        Some(Duration::try_from(written.duration_since(since)).unwrap_or_default())
    });
    Ok(Times::new(times.collect()))
}

/// Edits every account while nobody reads, and then lets them be read; gives the time from the first read to the last
/// write, and what one change has used of the processors.
pub(crate) async fn backlog(deployment: &mut Deployment) -> Result<(Duration, Used), Failure> {
    deployment.settle().await?;
    deployment.stop(READER)?;
    let mark = mark();
    for number in 0..deployment.accounts.len() {
        deployment.edit(number, &mark)?;
    }
    forget(deployment);
    let before = deployment.writes();
    deployment.spawn(READER)?;
    let processor = deployment.processor()?;
    deployment.wait_for_writes(before + deployment.accounts.len()).await;
    let used = Used::between(&processor, &deployment.processor()?, deployment.accounts.len());
    let first = deployment.exact.log().into_iter().find(|call| call.path.contains(FEED));
    let first: Timestamp = first.ok_or("nobody has read the feed")?.at.parse()?;
    let last = written(deployment)?.into_values().max().ok_or("nothing was written")?;
    Ok((last.duration_since(first).try_into()?, used))
}

fn forget(deployment: &Deployment) {
    deployment.exact.clear_log();
    deployment.crm.control.clear_log();
}

/// A telephone number that nobody has yet.
fn mark() -> String {
    format!("+31 {}", Timestamp::now().as_microsecond() % 10_000_000_000)
}

/// When the change of each account was shown: by the first read after it. What a read has caught on its way was shown at
/// once.
fn shown(deployment: &Deployment, edited: &[Timestamp]) -> Result<Vec<Timestamp>, Failure> {
    let calls = deployment.exact.log().into_iter().filter(|call| call.path.contains(FEED));
    let reads: Vec<Timestamp> = calls.map(|call| call.at.parse()).collect::<Result<_, _>>()?;
    let next = |edited: &Timestamp| reads.iter().copied().find(|read| read >= edited);
    Ok(edited.iter().map(|edited| next(edited).unwrap_or(*edited)).collect())
}

/// When each customer was written last.
fn written(deployment: &Deployment) -> Result<HashMap<usize, Timestamp>, Failure> {
    let customers = deployment.customers()?;
    let numbers: HashMap<&str, usize> = customers.iter().map(String::as_str).zip(0..).collect();
    let mut written = HashMap::new();
    for call in deployment.crm.control.log() {
        let id = call.path.rsplit('/').next().unwrap_or_default();
        if call.method == "PATCH"
            && let Some(number) = numbers.get(id)
        {
            written.insert(*number, call.at.parse()?);
        }
    }
    Ok(written)
}
