//! Reads CustomCRM and publishes observations.
//!
//! It consumes nothing and produces one observation for every record that changed. What it refuses: to write.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::Broker;
use collector::{Callbacks, Collector, Pace, Page, Ports, Source};
use customcrm::{ChangesCursor, CustomCrm, Error, Settings};
use model::{EntityName, FailureClass, System, UserId};
use service::{Context, ServiceError};
use store::Store;

/// Records a page.
const PAGE: u16 = 200;

/// Runs the collector on RabbitMQ and Redis, as its own process does.
pub async fn start(context: Context) -> Result<(), ServiceError> {
    let (broker, store) = service::servers("collector-customcrm", &context.config)?;
    serve(Ports { broker, store, broker_forgets: false, callbacks: Callbacks::default() }, context).await
}

/// Collects from every connection's CustomCRM until the service stops.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    let mut tasks = context.tasks();
    let system = System::CustomCrm;
    for (connection, config) in context.config.customcrm() {
        let unusable = |error: Error| ServiceError::System {
            system,
            connection: connection.clone(),
            source: Box::new(error),
        };
        let client =
            CustomCrm::new(Settings::new(config.url.clone(), config.token.clone())).map_err(unusable)?;
        for entity in service::entities(context.pairs_of(connection), system) {
            let name = format!("{connection} {entity}");
            let collector = Collector {
                ports: ports.clone(),
                source: Crm(client.clone()),
                namespace: context.config.namespace.clone(),
                topology: context.topology(),
                connection: connection.clone(),
                system,
                entity,
                pace: Pace::polling(config.poll_interval),
                health: context.health.clone(),
                metrics: Arc::clone(&context.metrics),
                stop: context.stop.clone(),
            };
            tasks.spawn(name, collector.run());
        }
    }
    tasks.join().await
}

struct Crm(CustomCrm);

impl Source for Crm {
    type Error = Error;

    fn class(error: &Error) -> FailureClass {
        error.class()
    }

    async fn ourselves(&self) -> Result<UserId, Error> {
        self.0.me().await
    }

    async fn page(&self, entity: &EntityName, cursor: Option<&str>) -> Result<Page, Error> {
        // A cursor that this version can't read begins anew: a repeat does no harm.
        let cursor = cursor.and_then(|text| text.parse().ok()).unwrap_or_else(ChangesCursor::start);
        let page = self.0.changes(entity.as_str(), &cursor, PAGE).await?;
        Ok(Page { records: page.records, cursor: page.next.to_string(), more: page.more })
    }

    async fn people(&self) -> Result<BTreeMap<UserId, String>, Error> {
        let users = self.0.users().await?;
        Ok(users.into_iter().filter_map(|(user, email)| Some((user, email?))).collect())
    }
}
