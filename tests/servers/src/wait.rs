#[cfg(test)]
mod tests;

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
    let mut looks = Looks::start(limit);
    loop {
        let is_last = looks.is_last();
        match condition().await {
            Ok(value) => return value,
            Err(status) if is_last => panic!("{}", timed_out(what, limit, &status)),
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
    let mut looks = Looks::start(limit);
    loop {
        let is_last = looks.is_last();
        match condition() {
            Ok(value) => return Ok(value),
            Err(status) if is_last => return Err(timed_out(what, limit, &status)),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Counts the looks of one wait. The second look is taken however long the first one took.
struct Looks {
    begin: Instant,
    limit: Duration,
    taken: u32,
}

impl Looks {
    fn start(limit: Duration) -> Self {
        Self { begin: Instant::now(), limit, taken: 0 }
    }

    /// Asked before each look.
    fn is_last(&mut self) -> bool {
        self.taken = self.taken.saturating_add(1);
        self.taken > 1 && self.begin.elapsed() >= self.limit
    }
}

fn timed_out(what: &str, limit: Duration, last: &impl Display) -> Error {
    Error::TimedOut { what: what.to_owned(), limit, last: last.to_string() }
}
