//! All services in one process.

use std::sync::Arc;

use broker::{Broker, InProcess, RabbitMq};
use service::{BrokerConfig, Context, ServiceError, StoreConfig};
use store::{Embedded, Store};

/// Refuses what any of the services can't work with.
pub(crate) fn check(context: &Context) -> Result<(), ServiceError> {
    collector_exactonline::check(context)?;
    collector_customcrm::check(context)
}

/// Runs all services on the broker and the store that the configuration names; where it names none, within this
/// process and on one file.
pub(crate) async fn start(context: Context) -> Result<(), ServiceError> {
    match context.config.broker.clone() {
        BrokerConfig::RabbitMq { url, .. } => {
            let broker = RabbitMq::new(&url, "tandem").map_err(ServiceError::Broker)?;
            with_broker(broker, false, context).await
        }
        BrokerConfig::InProcess => with_broker(InProcess::new(), true, context).await,
    }
}

async fn with_broker<B: Broker>(
    broker: B,
    broker_forgets: bool,
    context: Context,
) -> Result<(), ServiceError> {
    match context.config.store.clone() {
        StoreConfig::Redis(redis) => {
            let store = redis.open().map_err(ServiceError::Store)?.measured(Arc::clone(&context.metrics));
            service::watch_durability(store.clone(), &context);
            host(broker, store, broker_forgets, context).await
        }
        StoreConfig::File { path } => {
            let store = Embedded::open(path).map_err(ServiceError::Store)?;
            service::watch_durability(store.clone(), &context);
            host(broker, store, broker_forgets, context).await
        }
    }
}

/// Runs the two collectors, the mapper and the two writers until the context says stop.
///
/// `broker_forgets`: the broker keeps nothing when the process ends, so that what was on its queues is made anew from
/// the store. When one service ends, all end; the error names each that did not end well.
pub async fn host<B: Broker, S: Store>(
    broker: B,
    store: S,
    broker_forgets: bool,
    context: Context,
) -> Result<(), ServiceError> {
    // Both collectors' systems post to one port.
    let callbacks = collector::Callbacks::default();
    let collecting = || collector::Ports {
        broker: broker.clone(),
        store: store.clone(),
        broker_forgets,
        callbacks: callbacks.clone(),
    };
    let writing = || writer::Ports { broker: broker.clone(), store: store.clone() };
    let mapping = mapper::Ports { broker: broker.clone(), store: store.clone(), broker_forgets };
    let part = |name: &str| context.part(name);
    let mut tasks = context.tasks();
    tasks.spawn("mapper", mapper::serve(mapping, part("mapper")));
    tasks.spawn("writer-customcrm", writer_customcrm::serve(writing(), part("writer-customcrm")));
    tasks.spawn("writer-exactonline", writer_exactonline::serve(writing(), part("writer-exactonline")));
    tasks.spawn("collector-customcrm", collector_customcrm::serve(collecting(), part("collector-customcrm")));
    tasks.spawn(
        "collector-exactonline",
        collector_exactonline::serve(collecting(), part("collector-exactonline")),
    );
    tasks.join().await
}
