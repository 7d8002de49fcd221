//! Reads CustomCRM and publishes observations.
//!
//! It consumes nothing and produces one observation for every record that changed. Where a connection has webhooks, the
//! CRM tells of changes by itself: that is a hint, which leads to a read at once. What it refuses: to write, and to believe
//! a notification more than a read.

mod webhooks;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use collector::{Callback, Callbacks, Collector, HintedPace, Hints, Judge, Pace, Page, Ports, Source};
use customcrm::{ChangesCursor, CustomCrm, Error, NOTIFICATION_BYTES_MAX, Settings};
use model::{ConnectionName, EntityName, FailureClass, System, UserId};
use service::{Context, CustomCrmConfig, Problem, ServiceError};
use store::Store;

const SYSTEM: System = System::CustomCrm;
/// Records a page.
const PAGE: u16 = 200;
/// For how long notifications are gathered before they become one hint.
const GATHER: Duration = Duration::from_millis(200);
/// How hints are followed. The CRM allows hundreds of calls a minute: six collections that are edited without end take 72
/// of them at this pace. It says nowhere whether its notifications will go on to come, so that polls stay as they are
/// configured: one that is lost costs no more than without webhooks, and who wants fewer polls sets them further apart.
const HINTED: HintedPace = HintedPace {
    look: Duration::from_millis(500),
    window_min: Duration::from_secs(1),
    window_max: Duration::from_secs(5),
    told: None,
};

/// Runs the collector on RabbitMQ and Redis, as its own process does.
pub async fn start(context: Context) -> Result<(), ServiceError> {
    let (broker, store) = service::servers("collector-customcrm", &context.config)?;
    serve(Ports { broker, store, broker_forgets: false, callbacks: Callbacks::default() }, context).await
}

/// Collects from every connection's CustomCRM until the service stops.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    let mut tasks = context.tasks();
    let mut judges = judges(&context)?;
    for (connection, config) in context.config.customcrm() {
        if let (Some(callback), Some(judge)) = (&config.webhooks, judges.remove(connection)) {
            let callback = Callback {
                path: callback.url.path().to_owned(),
                hints: Hints::new(ports.store.clone(), &context.config.namespace, connection, SYSTEM),
                bytes_max: NOTIFICATION_BYTES_MAX,
                judge,
                gather: GATHER,
            };
            ports.callbacks.add(callback, &mut tasks, &context);
        }
        let unusable = |error: Error| ServiceError::System {
            system: SYSTEM,
            connection: connection.clone(),
            source: Box::new(error),
        };
        let client =
            CustomCrm::new(Settings::new(config.url.clone(), config.token.clone())).map_err(unusable)?;
        for entity in service::entities(context.pairs_of(connection), SYSTEM) {
            let name = format!("{connection} {entity}");
            let collector = Collector {
                ports: ports.clone(),
                source: Crm(client.clone()),
                namespace: context.config.namespace.clone(),
                topology: context.topology(),
                connection: connection.clone(),
                system: SYSTEM,
                entity,
                pace: pace(config),
                health: context.health.clone(),
                metrics: Arc::clone(&context.metrics),
                stop: context.stop.clone(),
            };
            tasks.spawn(name, collector.run());
        }
    }
    ports.callbacks.open(&mut tasks, &context).await?;
    tasks.join().await
}

/// Whether the webhooks of every connection can work. Tells all that is wrong, before anything is started.
pub fn check(context: &Context) -> Result<(), ServiceError> {
    judges(context).map(drop)
}

/// What judges the notifications of each connection that has webhooks.
fn judges(context: &Context) -> Result<BTreeMap<ConnectionName, Judge>, ServiceError> {
    let (mut judges, mut problems) = (BTreeMap::new(), Vec::new());
    for (connection, config) in context.config.customcrm() {
        let Some(callback) = &config.webhooks else { continue };
        let kept = service::entities(context.pairs_of(connection), SYSTEM).into_iter().collect();
        match webhooks::judge(connection, callback, kept) {
            Ok(judge) => _ = judges.insert(connection.clone(), judge),
            Err(problem) => problems.push(Problem {
                file: callback.secret_file.clone(),
                line: None,
                key: format!("connection.{connection}.customcrm.{}", problem.key),
                value: None,
                what: problem.what,
                remedy: problem.remedy,
            }),
        }
    }
    if problems.is_empty() { Ok(judges) } else { Err(ServiceError::Configuration(problems)) }
}

fn pace(config: &CustomCrmConfig) -> Pace {
    Pace { hinted: config.webhooks.as_ref().map(|_| HINTED), ..Pace::polling(config.poll_interval) }
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
