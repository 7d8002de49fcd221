//! What is done for each connection, by itself.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::ConnectionName;
use telemetry::Chain;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::reload::Reloads;
use crate::tasks::{by_id, failure};
use crate::{Check, Config, ConnectionConfig, Context, ServiceError, TaskFailure};

/// The check of a service that has no connection, and is ready for one.
const NONE: &str = "connections";

type Outcome = Result<(), ServiceError>;

/// Runs what `start` starts for each connection of the configuration that is in force, until `stop`.
///
/// Each gets a [`Context`] of its own, whose configuration holds that connection alone and whose `stop` is cancelled when
/// the connection is removed or changed. It must end then, and not before. One that is changed is started again, with what
/// is in force by then, when it has ended. The others notice nothing. When one ends that was not asked to, all end.
///
/// Fails with everyone that failed, ended unasked or panicked. One that is told to end because its connection went, and
/// fails at that, is logged and holds up nobody.
pub async fn for_each_connection<S, F>(mut context: Context, start: S) -> Result<(), ServiceError>
where
    S: FnMut(Context) -> F,
    F: Future<Output = Result<(), ServiceError>> + Send + 'static,
{
    let stop = context.stop.clone();
    let mut units = Units {
        start,
        units: BTreeMap::new(),
        running: JoinSet::new(),
        names: HashMap::new(),
        failures: Vec::new(),
    };
    units.follow(&context);
    while !stop.is_cancelled() {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = context.renewed() => units.follow(&context),
            Some(ended) = units.running.join_next_with_id() => units.ended(ended, &context),
        }
    }
    while let Some(ended) = units.running.join_next_with_id().await {
        units.ended(ended, &context);
    }
    if units.failures.is_empty() { Ok(()) } else { Err(ServiceError::Tasks(units.failures)) }
}

struct Units<S> {
    start: S,
    units: BTreeMap<ConnectionName, Unit>,
    running: JoinSet<Outcome>,
    names: HashMap<Id, ConnectionName>,
    failures: Vec<TaskFailure>,
}

/// What runs for a connection.
struct Unit {
    /// What it was started with.
    connection: ConnectionConfig,
    stop: CancellationToken,
}

impl<S, F> Units<S>
where
    S: FnMut(Context) -> F,
    F: Future<Output = Outcome> + Send + 'static,
{
    /// Ends and starts what the configuration of the context asks for. What is still ending is started again when it has.
    fn follow(&mut self, context: &Context) {
        let wanted: BTreeMap<_, _> =
            context.config.connections.iter().map(|connection| (&connection.name, connection)).collect();
        for (name, unit) in &self.units {
            if !wanted.get(name).is_some_and(|connection| unit.connection.is_same(connection)) {
                unit.stop.cancel();
            }
        }
        let shared = context.config.without_connections();
        for (name, connection) in wanted {
            if !self.units.contains_key(name) {
                self.begin(connection, &shared, context);
            }
        }
        if self.units.is_empty() {
            context.health.set(NONE, Check::Ok);
        } else {
            context.health.forget(NONE);
        }
    }

    fn begin(&mut self, connection: &ConnectionConfig, shared: &Config, context: &Context) {
        let (name, stop) = (connection.name.clone(), context.stop.child_token());
        let config = Config { connections: vec![connection.clone()], ..shared.without_connections() };
        let context = Context {
            config: Arc::new(config),
            stop: stop.clone(),
            health: context.health.of(&name),
            reloads: Reloads::none(),
            ..context.clone()
        };
        let handle = self.running.spawn(ambient::carried((self.start)(context)));
        self.names.insert(handle.id(), name.clone());
        self.units.insert(name, Unit { connection: connection.clone(), stop });
    }

    /// Takes note of the end of one, and starts it again where it is still wanted.
    fn ended(&mut self, ended: Result<(Id, Outcome), JoinError>, context: &Context) {
        let (id, outcome) = by_id(ended);
        let Some((name, unit)) = self.names.remove(&id).and_then(|name| self.units.remove_entry(&name))
        else {
            return;
        };
        let task = name.to_string();
        let was_asked = unit.stop.is_cancelled();
        let early = (!was_asked).then(|| TaskFailure::Ended { task: task.clone() });
        let failure = failure(task, outcome).or(early);
        if let Some(failure) = &failure {
            tracing::error!(connection = %name, error = %Chain(failure), "a connection's tasks did not end well");
        }
        if !was_asked || context.stop.is_cancelled() {
            self.failures.extend(failure);
            context.stop.cancel();
            return;
        }
        context.health.forget_connection(&name);
        if context.config.connections.iter().all(|connection| connection.name != name) {
            context.metrics.forget_connection(name.as_str());
            tracing::info!(connection = %name, "the connection has ended");
        }
        self.follow(context);
    }
}
