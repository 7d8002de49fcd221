//! What a process is surrounded by and doesn't decide: what time it is, what chance gives, and threads that may block.
//!
//! Whoever needs one of these asks here and nowhere else, so that a simulation can stand in for all of them: on the
//! thread where [`simulate`] was called the time is that of tokio's clock, which may be paused, and everything that is
//! left to chance is drawn from a seed. On every other thread it is the machine's.
//!
//! Decisions are not made with this: `model`, `link` and `mapping` are given the time that they need.

mod simulated;
#[cfg(test)]
mod tests;

pub use simulated::{Process, Simulation, carried, run_as, simulate};

use std::panic::resume_unwind;

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use rand::RngCore as _;
use uuid::{Builder, Uuid};

/// The moment.
pub fn now() -> Timestamp {
    simulated::now().unwrap_or_else(Timestamp::now)
}

/// The day where this process runs; in a simulation that of UTC.
pub fn today() -> Date {
    simulated::now().map_or_else(|| Zoned::now().date(), |now| now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// An id that nobody else has, and that sorts by the moment when it was made (UUID version 7).
pub fn new_id() -> Uuid {
    let Some(now) = simulated::now() else { return Uuid::now_v7() };
    let mut random = [0; 10];
    fill(&mut random);
    Builder::from_unix_timestamp_millis(now.as_millisecond().unsigned_abs(), &random).into_uuid()
}

/// An id that nobody else has and that tells nothing (UUID version 4).
pub fn new_random_id() -> Uuid {
    let mut random = [0; 16];
    fill(&mut random);
    Builder::from_random_bytes(random).into_uuid()
}

/// A number from 0 up to, but not including, 1, each as likely as the others.
pub fn fraction() -> f64 {
    let mut random = [0; 4];
    fill(&mut random);
    f64::from(u32::from_le_bytes(random)) / (f64::from(u32::MAX) + 1.0)
}

/// Fills a buffer with what nobody can guess. A simulation can.
pub fn fill(buffer: &mut [u8]) {
    if !simulated::fill(buffer) {
        rand::rng().fill_bytes(buffer);
    }
}

/// Does what blocks its thread, such as reading a file, on a thread that may be blocked; in a simulation, which has one
/// thread only, at once. It is carried out even if nobody waits for it any more.
pub async fn unblock<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if simulated::now().is_some() {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // The runtime ends, and with it whoever waits here.
        Err(_) => std::future::pending().await,
    }
}
