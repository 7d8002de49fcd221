//! What Tandem itself adds: from the read that shows an edit to the write of it.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::deployment::{Deployment, POLL, READER};
use crate::figures::Times;

type Failure = Box<dyn Error + Send + Sync>;

/// The feed that shows what the bench changes.
const FEED: &str = "/sync/CRM/Accounts";

/// Edits `count` accounts, so many a second; gives how long each took from the read that showed it to its write.
pub(crate) async fn steady(deployment: &Deployment, count: usize, per_second: u32) -> Result<Times, Failure> {
    forget(deployment);
    let before = deployment.writes();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second);
    for number in 0..count {
        tick.tick().await;
        deployment.edit(number, &mark())?;
    }
    deployment.wait_for_writes(before + count).await;
    // The read behind the last one tells what that has shown.
    tokio::time::sleep(10 * POLL).await;
    let (shown, written) = (shown(deployment)?, written(deployment)?);
    let times = (0..count).filter_map(|number| {
        let time = written.get(&number)?.duration_since(*shown.get(&number)?);
        Duration::try_from(time).ok()
    });
    Ok(Times::new(times.collect()))
}

/// Edits every account while nobody reads, and then lets them be read; gives the time from the first read to the last
/// write.
pub(crate) async fn backlog(deployment: &mut Deployment) -> Result<Duration, Failure> {
    deployment.stop(READER)?;
    let mark = mark();
    for number in 0..deployment.accounts.len() {
        deployment.edit(number, &mark)?;
    }
    forget(deployment);
    let before = deployment.writes();
    deployment.spawn(READER)?;
    deployment.wait_for_writes(before + deployment.accounts.len()).await;
    let first = deployment.exact.log().into_iter().find(|call| call.path.contains(FEED));
    let first: Timestamp = first.ok_or("nobody has read the feed")?.at.parse()?;
    let last = written(deployment)?.into_values().max().ok_or("nothing was written")?;
    Ok(last.duration_since(first).try_into()?)
}

fn forget(deployment: &Deployment) {
    deployment.exact.clear_log();
    deployment.crm.control.clear_log();
}

/// A telephone number that nobody has yet.
fn mark() -> String {
    format!("+31 {}", Timestamp::now().as_microsecond() % 10_000_000_000)
}

/// When each account's last change was shown: by the first read after which the cursor stood behind it.
fn shown(deployment: &Deployment) -> Result<HashMap<usize, Timestamp>, Failure> {
    let mut reads = Vec::new();
    for call in deployment.exact.log() {
        if let Some(after) = cursor(&call.path) {
            reads.push((after, call.at.parse::<Timestamp>()?));
        }
    }
    let numbers: HashMap<String, usize> =
        deployment.accounts.iter().map(ToString::to_string).zip(0..).collect();
    let mut shown = HashMap::new();
    for account in serde_json::from_str::<Vec<Value>>(&deployment.exact.snapshot())? {
        let (Some(id), Some(version)) = (account["ID"].as_str(), account["Timestamp"].as_i64()) else {
            return Err("an account has no id or no version".into());
        };
        let next = reads.iter().position(|(after, _)| *after >= version);
        if let (Some(number), Some(next)) = (numbers.get(id), next.and_then(|next| next.checked_sub(1))) {
            shown.insert(*number, reads[next].1);
        }
    }
    Ok(shown)
}

/// The version behind which a read of the feed begins.
fn cursor(path: &str) -> Option<i64> {
    let filter = path.split_once(FEED)?.1;
    let after = filter.split_once("gt")?.1;
    let digits = after.trim_start_matches(|c: char| !c.is_ascii_digit());
    // A blank is written as %20, or as a plus sign.
    let digits = digits.strip_prefix("20").filter(|_| after.starts_with('%')).unwrap_or(digits);
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
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
