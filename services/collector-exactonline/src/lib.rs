//! Reads Exact Online and publishes observations.
//!
//! It reads each entity's sync feed and the log of deletions, page by page and in order, and produces one
//! observation for every record that changed or went. What it refuses: to write, and to take an absent record for a
//! deleted one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use broker::Broker;
use collector::{Collector, Page, Ports, Source};
use exactonline::{Entity, Error, ExactOnline, FeedCursor, Limits, Priority, Settings};
use model::{EntityName, FailureClass, System, UserId};
use service::{Context, ServiceError};
use store::Store;

/// Deletions are rarer than changes, and reading them costs as much: they are read with every so many polls.
const POLLS_PER_DELETED: u32 = 10;

/// Runs the collector on RabbitMQ and Redis, as its own process does.
pub async fn start(context: Context) -> Result<(), ServiceError> {
    let (broker, store) = service::servers("collector-exactonline", &context.config)?;
    serve(Ports { broker, store, broker_forgets: false }, context).await
}

/// Collects from every connection's division until the service stops.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    let mut tasks = context.tasks();
    let system = System::ExactOnline;
    for (name, entity) in exactonline::kept(&context.pairs).map_err(ServiceError::Pairs)? {
        let select = service::selected(&context.pairs, system, &name);
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
            let collector = Collector {
                ports: ports.clone(),
                source: Division { client, entity, select: select.clone(), polls: AtomicU32::new(0) },
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

struct Division<S> {
    client: ExactOnline<S>,
    entity: Entity,
    select: Vec<String>,
    polls: AtomicU32,
}

impl<S: Store> Source for Division<S> {
    type Error = Error;

    fn class(error: &Error) -> FailureClass {
        error.class()
    }

    async fn ourselves(&self) -> Result<UserId, Error> {
        Ok(self.client.me().await?.user)
    }

    async fn page(&self, _: &EntityName, cursor: Option<&str>) -> Result<Page, Error> {
        // A cursor that this version can't read begins anew: a repeat does no harm.
        let mut cursor = cursor.and_then(FeedCursor::read).unwrap_or_else(FeedCursor::start);
        let select: Vec<&str> = self.select.iter().map(String::as_str).collect();
        let changes = self.client.changes(self.entity.feed, &select, &cursor.changes, Priority::Read).await?;
        cursor.changes = changes.next;
        let mut page = Page { records: changes.records, cursor: String::new(), more: changes.more };
        // After the last page of changes only: a record must not be gone before it was seen.
        if !changes.more && self.polls.fetch_add(1, Ordering::Relaxed).is_multiple_of(POLLS_PER_DELETED) {
            let deleted = self.client.deleted(&cursor.deleted, Priority::Read).await?;
            cursor.deleted = deleted.next;
            page.more = deleted.more;
            if deleted.more {
                self.polls.store(0, Ordering::Relaxed);
            }
            let ours = deleted.deleted.into_iter().filter(|row| row.entity_type == self.entity.deleted_type);
            page.records.extend(ours.map(|row| row.record));
        }
        page.cursor = cursor.write();
        Ok(page)
    }

    async fn people(&self) -> Result<BTreeMap<UserId, String>, Error> {
        let users = self.client.users().await?;
        Ok(users.into_iter().filter_map(|(user, email)| Some((user, email?))).collect())
    }
}
