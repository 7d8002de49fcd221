//! Whether the store keeps what it acknowledges: told at the start, and again when it changes.

use std::time::Duration;

use store::{Durability, Store, StoreError};
use telemetry::{Chain, Metrics};
use tokio::time::sleep;

use crate::Context;

/// How often the store is looked at, so that a repair shows, and what a person has loosened too.
const INTERVAL: Duration = Duration::from_secs(30);
/// How soon it is asked again when it could not tell.
const AGAIN: Duration = Duration::from_secs(2);

/// Looks at the store from now on until the service stops: a warning in the log says what it may lose, and the metric
/// `tandem_store_durable` whether it may. Each process that opens a store calls this once.
pub fn watch_durability<S: Store>(store: S, context: &Context) {
    let (stop, metrics) = (context.stop.clone(), context.metrics.clone());
    tokio::spawn(async move {
        let told = || {
            let store = store.clone();
            async move { store.durability().await }
        };
        stop.run_until_cancelled(watch(told, &metrics)).await;
    });
}

/// Asks for ever.
pub(crate) async fn watch<F>(told: impl Fn() -> F, metrics: &Metrics)
where
    F: Future<Output = Result<Durability, StoreError>>,
{
    let mut known: Option<Durability> = None;
    loop {
        let durability = match told().await {
            Ok(durability) => durability,
            Err(error) => {
                // Whoever works with the store tells that it is away; what was known of it still holds.
                tracing::debug!(error = %Chain(&error), "the store does not tell whether it is durable");
                sleep(AGAIN).await;
                continue;
            }
        };
        metrics.set_store_durable(durability == Durability::Durable);
        if known.as_ref() != Some(&durability) {
            match &durability {
                Durability::Weak { reason } => tracing::warn!(
                    reason,
                    "a crash of the store may lose links, and lost links are how duplicates are born"
                ),
                Durability::Durable if known.is_some() => {
                    tracing::info!("the store now keeps all that it acknowledges");
                }
                Durability::Durable => {}
            }
            known = Some(durability);
        }
        sleep(INTERVAL).await;
    }
}
