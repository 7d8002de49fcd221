//! Notifications on their way to being hints.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::EntityName;
use store::Store;
use telemetry::Chain;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{Hint, Hints};

/// The hints that have come and were not passed on yet.
#[derive(Default)]
pub(super) struct Gathered {
    waiting: Mutex<BTreeSet<(EntityName, Hint)>>,
    some: Notify,
}

impl Gathered {
    pub(super) fn add(&self, hints: BTreeSet<(EntityName, Hint)>) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(hints);
        self.some.notify_one();
    }

    fn take(&self) -> BTreeSet<(EntityName, Hint)> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Passes hints on to whichever replica collects, each kind once however many came within `gather`, until `stop`.
    pub(super) async fn pass_on<S: Store>(
        &self,
        hints: &Hints<S>,
        gather: Duration,
        stop: &CancellationToken,
    ) {
        let gathered = async || {
            self.some.notified().await;
            sleep(gather).await;
        };
        while stop.run_until_cancelled(gathered()).await.is_some() {
            self.pass_on_rest(hints).await;
        }
    }

    /// Passes on what has come so far.
    pub(super) async fn pass_on_rest<S: Store>(&self, hints: &Hints<S>) {
        for (entity, hint) in self.take() {
            if let Err(error) = hints.tell(&entity, hint).await {
                tracing::warn!(%entity, error = %Chain(&error), "a hint is lost, and the next poll makes up for it");
            }
        }
    }
}
