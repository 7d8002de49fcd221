//! Applies writes to Exact Online within its quota and reports outcomes.
//!
//! It consumes the two queues of writes to Exact and produces an outcome for each. Exact has no optimistic locking,
//! so the entity's feeds are read a moment before a write goes out, once for all writes of that moment; and read again
//! after it, which gives each write its row version and the values as Exact holds them. A document is put together from
//! its parts for both, and an item's price is written where Exact keeps it. What it refuses: to write over a change that
//! the link has not taken in.

mod documents;
mod feed;
mod prices;
mod reading;
mod target;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::Broker;
use exactonline::{DocumentStore, ExactOnline, Limits, Selection, Settings};
use model::{ConnectionName, System};
use service::{Context, ServiceError};
use store::Store;
use tokio::sync::OnceCell;
use writer::{Ports, Writer};

use feed::Feed;
use target::Division;

/// Runs the writer on RabbitMQ and Redis, as its own process does.
pub async fn start(context: Context) -> Result<(), ServiceError> {
    let (broker, store) = service::servers("writer-exactonline", &context)?;
    serve(Ports { broker, store }, context).await
}

/// Whether all that the pairs keep can be written. Tells what is wrong before anything is started.
pub fn check(context: &Context) -> Result<(), ServiceError> {
    exactonline::kept(&context.pairs).map(drop).map_err(ServiceError::Pairs)
}

/// Writes to every connection's division until the service stops.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    check(&context)?;
    let (store, topology) = (ports.store.clone(), context.topology());
    let targets = move |context: &Context| targets(&store, context);
    Writer { ports, system: System::ExactOnline, targets, topology, context }.run().await
}

/// The divisions of a context's connections.
fn targets<S: Store>(
    store: &S,
    context: &Context,
) -> Result<BTreeMap<ConnectionName, Division<S>>, ServiceError> {
    let mut targets = BTreeMap::new();
    for (connection, config) in context.config.exactonline() {
        let limits = Limits {
            per_minute: config.calls_per_minute.get(),
            per_day: config.calls_per_day.get(),
            ..Limits::default()
        };
        let client = (config.client_id.as_str(), config.client_secret.clone());
        let namespace = &context.config.namespace;
        let settings = Settings {
            limits,
            consent_command: config.consent_command.clone(),
            timeout: writer::CALL_MAX,
            ..Settings::new(
                config.url.clone(),
                config.division.get(),
                connection.clone(),
                namespace,
                client,
                config.grant_file.clone(),
            )
        };
        let client = ExactOnline::new(settings, store.clone()).map_err(|error| ServiceError::System {
            system: System::ExactOnline,
            connection: connection.clone(),
            source: Box::new(error),
        })?;
        let client = client.measured(Arc::clone(&context.metrics));
        let mut feeds = BTreeMap::new();
        let pairs = context.pairs_of(connection);
        for (name, entity) in exactonline::kept(pairs).map_err(ServiceError::Pairs)? {
            let selection = Selection::of(&entity, pairs);
            let documents = DocumentStore::new(store.clone(), namespace, connection, &entity);
            feeds.insert(name, Feed::new(&entity, selection, documents));
        }
        let division = Division {
            client,
            store: store.clone(),
            namespace: namespace.clone(),
            connection: connection.clone(),
            feeds,
            ours: OnceCell::new(),
        };
        targets.insert(connection.clone(), division);
    }
    Ok(targets)
}
