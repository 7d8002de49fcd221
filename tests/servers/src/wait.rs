use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Between two looks. Short beside what is waited for, long beside a look.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until `condition` gives a value, and returns it.
///
/// The condition answers `Err(status)` while it is not yet true; the last status is in the panic when `limit` has
/// passed. At least two looks are taken, the last one after the limit.
///
/// # Panics
///
/// With `what`, the limit and the last status, when the limit has passed.
#[track_caller]
pub fn wait_until<T, S: Display>(
    what: &str,
    limit: Duration,
    condition: impl FnMut() -> std::result::Result<T, S>,
) -> T {
    match poll(what, limit, condition) {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// [`wait_until`] for a condition that awaits. Needs a tokio runtime with time enabled.
///
/// # Panics
///
/// With `what`, the limit and the last status, when the limit has passed.
pub async fn wait_until_async<T, S: Display>(
    what: &str,
    limit: Duration,
    mut condition: impl AsyncFnMut() -> std::result::Result<T, S>,
) -> T {
    let start = Instant::now();
    loop {
        let late = start.elapsed() >= limit;
        match condition().await {
            Ok(value) => return value,
            Err(status) if late => panic!("{}", timed_out(what, limit, &status)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// [`wait_until`] with an error in place of the panic.
pub(crate) fn poll<T, S: Display>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> std::result::Result<T, S>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        let late = start.elapsed() >= limit;
        match condition() {
            Ok(value) => return Ok(value),
            Err(status) if late => return Err(timed_out(what, limit, &status)),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

fn timed_out(what: &str, limit: Duration, last: &impl Display) -> Error {
    Error::TimedOut { what: what.to_owned(), limit, last: last.to_string() }
}
