//! Reads Exact Online and publishes observations.
//!
//! It reads each entity's sync feed and the log of deletions, page by page and in order, and produces one
//! observation for every record that changed or went. A document comes in parts, header and lines by feeds of their
//! own: it is put together first and published whole. Where a connection has webhooks, Exact tells of changes by itself:
//! that is a hint, which leads to a read at once. After a silence that is longer than Exact keeps deletions, everything is
//! read again, and what does not show is asked for. What it refuses: to write records, to take an absent record for a
//! deleted one without asking, and to believe a notification more than a feed.

mod division;
mod pace;
mod webhooks;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::Broker;
use collector::{Callback, Callbacks, Collector, Hints, Ports};
use exactonline::{DocumentStore, Entity, ExactOnline, Limits, NOTIFICATION_BYTES_MAX, Selection, Settings};
use model::{ConnectionName, EntityName, System};
use service::{Context, ExactOnlineConfig, ServiceError, Tasks, WebhooksConfig};
use store::{Links, Store};

use division::{Division, Known};
use pace::{Idle, Intervals};
use webhooks::Keeper;

const SYSTEM: System = System::ExactOnline;

/// Runs the collector on RabbitMQ and Redis, as its own process does.
pub async fn start(context: Context) -> Result<(), ServiceError> {
    let (broker, store) = service::servers("collector-exactonline", &context)?;
    serve(Ports { broker, store, broker_forgets: false, callbacks: Callbacks::default() }, context).await
}

/// Collects from every connection's division until the service stops.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    serve_at(Intervals::default(), ports, context).await
}

async fn serve_at<B: Broker, S: Store>(
    intervals: Intervals,
    ports: Ports<B, S>,
    context: Context,
) -> Result<(), ServiceError> {
    check(&context)?;
    ports.for_each_connection(context, move |ports, context| serve_one(intervals, ports, context)).await
}

/// Whether all that the pairs keep can be read. Tells what is wrong before anything is started.
pub fn check(context: &Context) -> Result<(), ServiceError> {
    exactonline::kept(&context.pairs).map(drop).map_err(ServiceError::Pairs)
}

/// Collects from the division of the one connection of the context.
async fn serve_one<B: Broker, S: Store>(
    intervals: Intervals,
    ports: Ports<B, S>,
    context: Context,
) -> Result<(), ServiceError> {
    let mut tasks = context.tasks();
    for (connection, config) in context.config.exactonline() {
        let entities = exactonline::kept(context.pairs_of(connection)).map_err(ServiceError::Pairs)?;
        let client =
            ExactOnline::new(settings(&context.config.namespace, connection, config), ports.store.clone())
                .map_err(|error| ServiceError::System {
                    system: SYSTEM,
                    connection: connection.clone(),
                    source: Box::new(error),
                })?;
        let client = client.measured(Arc::clone(&context.metrics));
        if let Some(webhooks) = &config.webhooks {
            let hooked = Hooked { connection, config, webhooks, entities: &entities, client: &client };
            hooked.start(&mut tasks, intervals, &ports, &context);
        }
        collect(&mut tasks, &intervals, &ports, &context, (connection, config), entities, &client);
    }
    tasks.join().await
}

/// How a connection's division is called, as this service and whatever reads beside it call it.
pub fn settings(namespace: &str, connection: &ConnectionName, config: &ExactOnlineConfig) -> Settings {
    let limits = Limits {
        per_minute: config.calls_per_minute.get(),
        per_day: config.calls_per_day.get(),
        ..Limits::default()
    };
    Settings {
        limits,
        consent_command: config.consent_command.clone(),
        ..Settings::new(
            config.url.clone(),
            config.division.get(),
            connection.clone(),
            namespace,
            (&config.client_id, config.client_secret.clone()),
            config.grant_file.clone(),
        )
    }
}

/// Starts a collector for each entity of a connection.
fn collect<B: Broker, S: Store>(
    tasks: &mut Tasks,
    intervals: &Intervals,
    ports: &Ports<B, S>,
    context: &Context,
    (connection, config): (&ConnectionName, &ExactOnlineConfig),
    entities: BTreeMap<EntityName, Entity>,
    client: &ExactOnline<S>,
) {
    let pairs = context.pairs_of(connection);
    let selections: Vec<Selection> = entities.values().map(|entity| Selection::of(entity, pairs)).collect();
    let lists = exactonline::lists(pairs);
    pace::warn(connection, Idle::of(&selections, &lists), config);
    let namespace = &context.config.namespace;
    for ((name, entity), selection) in entities.into_iter().zip(selections) {
        let documents = DocumentStore::new(ports.store.clone(), namespace, connection, &entity);
        let known = Known {
            links: Links::new(ports.store.clone(), namespace),
            connection: connection.clone(),
            pairs: pairs
                .iter()
                .filter(|pair| pair.entities[SYSTEM] == name)
                .map(|pair| pair.name.clone())
                .collect(),
        };
        let (lists, every) = (lists.clone(), intervals.deletions);
        let source = Division::new(client.clone(), &entity, selection, documents, lists, every, known);
        let collector = Collector {
            ports: ports.clone(),
            source,
            namespace: namespace.clone(),
            topology: context.topology(),
            connection: connection.clone(),
            system: SYSTEM,
            entity: name.clone(),
            pace: intervals.pace(config),
            health: context.health.clone(),
            metrics: Arc::clone(&context.metrics),
            stop: context.stop.clone(),
        };
        tasks.spawn(format!("{connection} {name}"), collector.run());
    }
}

/// A connection of which Exact tells by itself.
struct Hooked<'a, S> {
    connection: &'a ConnectionName,
    config: &'a ExactOnlineConfig,
    webhooks: &'a WebhooksConfig,
    entities: &'a BTreeMap<EntityName, Entity>,
    client: &'a ExactOnline<S>,
}

impl<S: Store> Hooked<'_, S> {
    /// Starts what takes its notifications in, and then what keeps its subscriptions.
    fn start<B>(&self, tasks: &mut Tasks, intervals: Intervals, ports: &Ports<B, S>, context: &Context) {
        let connection = self.connection;
        let hints = Hints::new(ports.store.clone(), &context.config.namespace, connection, SYSTEM);
        let (division, secret) = (self.config.division.get(), self.webhooks.callback.secret.clone());
        let kept = self.entities.keys().cloned().collect();
        let callback = Callback {
            path: self.webhooks.callback.url.path().to_owned(),
            hints: hints.clone(),
            bytes_max: NOTIFICATION_BYTES_MAX,
            judge: webhooks::judge(connection.clone(), division, secret, kept),
            gather: intervals.gather,
        };
        ports.callbacks.add(callback, tasks, context);
        let keeper = Keeper {
            client: self.client.clone(),
            store: ports.store.clone(),
            hints,
            namespace: context.config.namespace.clone(),
            connection: connection.clone(),
            app: self.config.client_id.clone(),
            callback: self.webhooks.callback.url.clone(),
            topics: self.entities.iter().map(|(name, entity)| (entity.topic, name.clone())).collect(),
            intervals,
            metrics: Arc::clone(&context.metrics),
            stop: context.stop.clone(),
        };
        tasks.spawn(format!("{connection} webhooks"), keeper.run());
    }
}
