//! Keeps a connection's subscriptions: makes them, looks at them again, repairs them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use collector::Hints;
use exactonline::{Error, ExactOnline, Repair};
use model::{ConnectionName, EntityName, FailureClass};
use store::{Key, Leased, Store, StoreError};
use telemetry::{Chain, Metrics};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::pace::Intervals;

/// A keeper that shows no sign of life for this long is replaced.
const LEASE: Duration = Duration::from_secs(15);
/// How often one that waits renews its lease.
const RENEWED_EVERY: Duration = Duration::from_secs(5);
/// How often one that stands by looks whether it is needed.
const STANDBY: Duration = Duration::from_secs(3);
/// Subscriptions that were not looked at for so many times count as lost.
const LOOKS_MISSED: u32 = 2;

/// The subscriptions of one connection. One replica keeps them, by a lease; the others stand by.
pub(crate) struct Keeper<S> {
    pub(crate) client: ExactOnline<S>,
    pub(crate) store: S,
    pub(crate) hints: Hints<S>,
    pub(crate) namespace: String,
    pub(crate) connection: ConnectionName,
    /// The id of our app.
    pub(crate) app: String,
    pub(crate) callback: Url,
    /// What is to be told, by Exact's topics.
    pub(crate) topics: BTreeMap<&'static str, EntityName>,
    pub(crate) intervals: Intervals,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stop: CancellationToken,
}

/// Why subscriptions are not kept.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error("the subscriptions to webhooks can't be kept")]
    Exact(#[from] Error),
    #[error("it could not be stored that webhooks tell of changes")]
    Store(#[from] StoreError),
}

impl<S: Store> Keeper<S> {
    /// Keeps them until `stop`. What fails is told and tried again, and collectors poll as if there were none.
    pub(crate) async fn run(self) -> Result<(), Infallible> {
        let holder = ambient::new_id().to_string();
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let rest = match self.store.lease(&self.lease_key(), &holder, LEASE).await {
                Ok(Leased::Held { .. }) => match self.keep().await {
                    Ok(()) => {
                        failures = 0;
                        self.metrics.set_webhooks_kept(self.connection.as_str(), true);
                        self.intervals.subscriptions
                    }
                    Err(error) => {
                        failures += 1;
                        self.failed(&error, failures).await
                    }
                },
                Ok(Leased::Taken) => {
                    self.metrics.forget_webhooks_kept(self.connection.as_str());
                    STANDBY
                }
                Err(error) => {
                    tracing::warn!(connection = %self.connection, error = %Chain(&error), "whose turn it is to keep subscriptions can't be told");
                    STANDBY
                }
            };
            self.rest(rest, &holder).await;
        }
        if let Err(error) = self.store.release(&self.lease_key(), &holder).await {
            tracing::warn!(connection = %self.connection, error = %Chain(&error), "the lease runs out by itself");
        }
        Ok(())
    }

    /// Makes the subscriptions those that there should be. Until that is done, nothing counts as told that is not.
    async fn keep(&self) -> Result<(), KeepError> {
        let present = self.client.subscriptions().await?;
        let topics = self.topics.keys().copied().collect();
        let repair = Repair::of(&present, &topics, &self.callback, &self.app);
        if !repair.is_empty() {
            tracing::info!(
                connection = %self.connection, ended = repair.end.len(), begun = ?repair.begin,
                "subscriptions to webhooks are repaired"
            );
            self.hints.are_not_told(repair.begin.iter().filter_map(|topic| self.topics.get(topic))).await?;
        }
        for subscription in &repair.end {
            self.client.unsubscribe(subscription).await?;
        }
        for topic in &repair.begin {
            self.client.subscribe(topic, &self.callback).await?;
        }
        Ok(self.hints.are_told(self.topics.values(), self.intervals.subscriptions * LOOKS_MISSED).await?)
    }

    /// Tells of a failure, and when to try again. Where it says something about the subscriptions, they count as lost;
    /// where only the question got no answer, they count as kept until they were not looked at for too long.
    async fn failed(&self, error: &KeepError, failures: u32) -> Duration {
        let again = self.intervals.subscriptions_again * 2_u32.saturating_pow(failures - 1);
        let again = again.min(self.intervals.subscriptions);
        let (is_answer, again) = match error {
            KeepError::Store(_) => (false, again),
            KeepError::Exact(error) => match error.class() {
                FailureClass::Transient => (false, again),
                FailureClass::Throttled { after } => (false, again.max(after)),
                FailureClass::Ambiguous
                | FailureClass::Rejected
                | FailureClass::Stale
                | FailureClass::Gone
                | FailureClass::Auth => (true, again),
            },
        };
        tracing::warn!(
            connection = %self.connection, error = %Chain(error), again_in_seconds = again.as_secs(),
            "webhooks are not kept: changes are found by polling until they are"
        );
        if is_answer {
            self.metrics.set_webhooks_kept(self.connection.as_str(), false);
            if let Err(error) = self.hints.are_not_told(self.topics.values()).await {
                tracing::warn!(connection = %self.connection, error = %Chain(&error), "that webhooks are not kept shows late");
            }
        }
        again
    }

    /// Waits, and keeps the lease meanwhile.
    async fn rest(&self, rest: Duration, holder: &str) {
        let until = Instant::now() + rest;
        while Instant::now() < until {
            let slice = until.min(Instant::now() + RENEWED_EVERY);
            if self.stop.run_until_cancelled(sleep_until(slice)).await.is_none() {
                return;
            }
            match self.store.lease(&self.lease_key(), holder, LEASE).await {
                Ok(Leased::Held { .. }) => {}
                // Whoever has it now looks at them.
                Ok(Leased::Taken) | Err(_) => return,
            }
        }
    }

    fn lease_key(&self) -> Key {
        Key::of(&self.namespace, self.connection.as_str(), &["webhooks", "exactonline"])
    }
}
