//! What is done again after a transient failure: one thing of many that are in hand, or a whole session.

use std::error::Error;
use std::time::Duration;

use telemetry::Chain;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{Check, Health, ServiceError};

/// A session that lived this long had recovered: the next failure is a new one.
const RECOVERED_AFTER: Duration = Duration::from_mins(1);

/// How often one thing is tried before its session has failed: a call that went wrong is forgotten within two seconds, and a
/// server that is away is left to the session.
const TRIES: u32 = 5;

/// An error that knows whether trying again can help.
pub trait Transient: Error {
    /// Whether the same thing may succeed when it is done again later.
    fn is_transient(&self) -> bool;
}

/// How long to wait between attempts: twice as long each time, between two bounds, with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
}

impl Backoff {
    /// For sessions with a broker, a store or a vendor: half a second to half a minute.
    pub const SESSION: Self = Self { min: Duration::from_millis(500), max: Duration::from_secs(30) };

    /// For one thing of a session, while the others go on: a tenth of a second to a second.
    const ONE: Self = Self { min: Duration::from_millis(100), max: Duration::from_secs(1) };

    /// Refuses a minimum of zero (a busy loop) and one above the maximum.
    pub fn new(min: Duration, max: Duration) -> Result<Self, ServiceError> {
        if min.is_zero() || min > max {
            return Err(ServiceError::Backoff { min, max });
        }
        Ok(Self { min, max })
    }

    /// The delay before the attempt after `attempt` failures before this one (the first failure is 0).
    ///
    /// It doubles with each attempt up to the maximum; `jitter`, from 0 to 1, takes up to half of it away, so that
    /// what failed together does not come back together.
    pub fn delay(&self, attempt: u32, jitter: f64) -> Duration {
        let doubled = self.min.saturating_mul(2_u32.saturating_pow(attempt)).min(self.max);
        doubled.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }
}

/// Does one thing of many that a session has in hand, again after each failure that is the thing's own. The last failure
/// is returned, and with it the session ends: all that is in hand would come again, and be counted as returned.
pub async fn steadily<T, E, F>(own: impl Fn(&E) -> bool, mut act: impl FnMut() -> F) -> Result<T, E>
where
    E: Transient + 'static,
    F: Future<Output = Result<T, E>>,
{
    for attempt in 0..TRIES - 1 {
        match act().await {
            Err(error) if own(&error) && error.is_transient() => {
                let reason = Chain(&error).to_string();
                tracing::warn!(error = reason, attempt, "it failed for now and is done again");
                sleep(Backoff::ONE.delay(attempt, ambient::fraction())).await;
            }
            done => return done,
        }
    }
    act().await
}

/// Runs `session` until `stop`, and anew after each transient failure.
///
/// A session builds everything it uses (connection, channels, consumers), sets the check `name` of `health` to
/// [`Check::Ok`] once it works, and ends with `Ok` when `stop` is cancelled. When it fails, the check tells why; a
/// failure that is not transient is returned.
pub async fn supervise<E, S, F>(
    name: &str,
    stop: &CancellationToken,
    backoff: Backoff,
    health: &Health,
    mut session: S,
) -> Result<(), E>
where
    E: Transient + 'static,
    S: FnMut() -> F,
    F: Future<Output = Result<(), E>>,
{
    health.set(name, Check::Waiting("starting".to_owned()));
    let mut attempt = 0;
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let Err(error) = session().await else { return Ok(()) };
        let reason = Chain(&error).to_string();
        health.set(name, Check::Waiting(reason.clone()));
        if !error.is_transient() {
            tracing::error!(session = name, error = reason, "a session failed for good");
            return Err(error);
        }
        if begun.elapsed() >= RECOVERED_AFTER {
            attempt = 0;
        }
        let delay = backoff.delay(attempt, ambient::fraction());
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(
            session = name,
            error = reason,
            attempt,
            again_in_ms = milliseconds,
            "a session failed"
        );
        attempt = attempt.saturating_add(1);
        stop.run_until_cancelled(sleep(delay)).await;
    }
    Ok(())
}
