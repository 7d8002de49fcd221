//! Reads CustomCRM and publishes observations.
//!
//! It consumes nothing and produces one observation for every record that changed. Where a connection has webhooks, the
//! CRM tells of changes by itself: that is a hint, which leads to a read at once. What it refuses: to write, and to believe
//! a notification more than a read.

mod known;
mod source;
mod webhooks;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use collector::{Callback, Callbacks, Collector, HintedPace, Hints, Judge, Pace, Ports};
use customcrm::{CustomCrm, Declaration, Error, NOTIFICATION_BYTES_MAX, Settings};
use mapping::Pair;
use model::{ConnectionName, System};
use service::{Context, CustomCrmConfig, Problem, ServiceError};
use store::Store;

use source::Crm;

const SYSTEM: System = System::CustomCrm;
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
    let (broker, store) = service::servers("collector-customcrm", &context)?;
    serve(Ports { broker, store, broker_forgets: false, callbacks: Callbacks::default() }, context).await
}

/// Collects from every connection's CustomCRM until the service stops.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    check(&context)?;
    ports.for_each_connection(context, collect).await
}

/// Collects from the CustomCRM of the one connection of the context.
async fn collect<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
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
        let (store, namespace) = (ports.store.clone(), context.config.namespace.as_str());
        let pairs = context.pairs_of(connection);
        let client = client(config, store.clone(), namespace, connection, pairs)
            .map_err(|error| unusable(connection, error))?;
        let client = client.measured(Arc::clone(&context.metrics));
        for entity in service::entities(pairs, SYSTEM) {
            let name = format!("{connection} {entity}");
            let collector = Collector {
                ports: ports.clone(),
                source: Crm::new(client.clone(), store.clone(), namespace, connection, &entity),
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
    tasks.join().await
}

/// Whether the CRM of every connection can be called as it is declared, and its webhooks can work. Tells what is wrong
/// before anything is started.
pub fn check(context: &Context) -> Result<(), ServiceError> {
    for (connection, config) in context.config.customcrm() {
        let declaration = declared(connection, config)?;
        settings(config).check(&declaration).map_err(|error| unusable(connection, error))?;
    }
    judges(context).map(drop)
}

fn declared(connection: &ConnectionName, config: &CustomCrmConfig) -> Result<Declaration, ServiceError> {
    Declaration::written(config.declared()).map_err(|error| unusable(connection, error))
}

fn unusable(connection: &ConnectionName, error: Error) -> ServiceError {
    ServiceError::System { system: SYSTEM, connection: connection.clone(), source: Box::new(error) }
}

/// What judges the notifications of each connection that has webhooks.
fn judges(context: &Context) -> Result<BTreeMap<ConnectionName, Judge>, ServiceError> {
    let (mut judges, mut problems) = (BTreeMap::new(), Vec::new());
    for (connection, config) in context.config.customcrm() {
        let Some(callback) = &config.webhooks else { continue };
        let kept = service::entities(context.pairs_of(connection), SYSTEM).into_iter().collect();
        let declaration = declared(connection, config)?;
        match webhooks::judge(connection, declaration.webhooks, callback, kept) {
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

/// How a connection's CRM is reached, as the configuration says.
pub fn settings(config: &CustomCrmConfig) -> Settings {
    Settings {
        user: config.user.clone(),
        client_secret: config.client_secret.as_ref().map(|(_, secret)| secret.clone()),
        calls_per_minute: Some(config.calls_per_minute),
        ..Settings::new(config.url.clone(), config.token.clone())
    }
}

/// The client of a connection's CRM, as the configuration and the declaration that it names say, for what these pairs keep.
pub fn client<S: Store>(
    config: &CustomCrmConfig,
    store: S,
    namespace: &str,
    connection: &ConnectionName,
    pairs: &[Pair],
) -> Result<CustomCrm<S>, Error> {
    let mut declaration = Declaration::written(config.declared())?;
    for entity in service::entities(pairs, SYSTEM) {
        let lines = service::selected_of_lines(pairs, SYSTEM, &entity);
        declaration = declaration.keeping(entity.as_str(), service::selected(pairs, SYSTEM, &entity), lines);
    }
    CustomCrm::new(&settings(config), declaration, store, namespace, connection)
}

fn pace(config: &CustomCrmConfig) -> Pace {
    Pace { hinted: config.webhooks.as_ref().map(|_| HINTED), ..Pace::polling(config.poll_interval) }
}
