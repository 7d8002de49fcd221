//! Reads Exact Online and publishes observations.
//!
//! It reads each entity's sync feed and the log of deletions, page by page and in order, and produces one
//! observation for every record that changed or went. A document comes in parts, header and lines by feeds of their
//! own: it is put together first and published whole. What it refuses: to write, and to take an absent record for a
//! deleted one.

mod division;
mod pace;

use std::sync::Arc;

use broker::Broker;
use collector::{Collector, Ports};
use exactonline::{DocumentStore, ExactOnline, Limits, Selection, Settings};
use model::System;
use service::{Context, ServiceError};
use store::Store;

use division::Division;
use pace::Idle;

/// Runs the collector on RabbitMQ and Redis, as its own process does.
pub async fn start(context: Context) -> Result<(), ServiceError> {
    let (broker, store) = service::servers("collector-exactonline", &context.config)?;
    serve(Ports { broker, store, broker_forgets: false }, context).await
}

/// Collects from every connection's division until the service stops.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    let mut tasks = context.tasks();
    let system = System::ExactOnline;
    exactonline::kept(&context.pairs).map_err(ServiceError::Pairs)?;
    for (connection, config) in context.config.exactonline() {
        let pairs = context.pairs_of(connection);
        let entities = exactonline::kept(pairs).map_err(ServiceError::Pairs)?;
        let selections: Vec<Selection> =
            entities.values().map(|entity| Selection::of(entity, pairs)).collect();
        let lists = exactonline::lists(pairs);
        let idle = Idle::of(&selections, &lists);
        pace::warn(connection, idle, config.poll_interval, config.calls_per_day);
        let limits = Limits {
            per_minute: config.calls_per_minute.get(),
            per_day: config.calls_per_day.get(),
            ..Limits::default()
        };
        let client = (config.client_id.as_str(), config.client_secret.clone());
        let namespace = &context.config.namespace;
        let settings = Settings {
            limits,
            ..Settings::new(
                config.url.clone(),
                config.division.get(),
                connection.clone(),
                namespace,
                client,
                config.grant_file.clone(),
            )
        };
        let client = ExactOnline::new(settings, ports.store.clone()).map_err(|error| {
            ServiceError::System { system, connection: connection.clone(), source: Box::new(error) }
        })?;
        let client = client.measured(Arc::clone(&context.metrics));
        for ((name, entity), selection) in entities.into_iter().zip(selections) {
            let documents = DocumentStore::new(ports.store.clone(), namespace, connection, &entity);
            let collector = Collector {
                ports: ports.clone(),
                source: Division::new(client.clone(), &entity, selection, documents, lists.clone()),
                namespace: namespace.clone(),
                topology: context.topology(),
                connection: connection.clone(),
                system,
                entity: name.clone(),
                poll_interval: config.poll_interval,
                health: context.health.clone(),
                metrics: Arc::clone(&context.metrics),
                stop: context.stop.clone(),
            };
            tasks.spawn(format!("{connection} {name}"), collector.run());
        }
    }
    tasks.join().await
}
