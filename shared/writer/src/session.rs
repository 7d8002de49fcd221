//! A writer at work: its two queues, and the lines of all connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use contract::{Lane, Topology};
use futures_util::future::join_all;
use model::{ConnectionName, System};
use service::{Backoff, Check, Context, ServiceError, UnknownConnections, supervise};
use store::{Links, Store};
use telemetry::Chain;
use tokio::sync::Notify;

use crate::connections::Connections;
use crate::given::Looked;
use crate::lane::Session;
use crate::telling::Telling;
use crate::work::{Kept, Refusals, Work};
use crate::{Target, WriterError};

/// Messages in hand at a time, in each lane, those that wait for their turn among them.
const PREFETCH: u16 = 256;

/// How often it is looked whether a record that a connection gives is there.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What a writer works with.
#[derive(Clone)]
pub struct Ports<B, S> {
    /// The broker.
    pub broker: B,
    /// The store.
    pub store: S,
}

/// A writer of one system, for all connections.
pub struct Writer<B, S, F> {
    /// What it works with.
    pub ports: Ports<B, S>,
    /// Which system it writes.
    pub system: System,
    /// Makes the system of each connection of a context, by name.
    pub targets: F,
    /// The topology of the deployment.
    pub topology: Topology,
    /// The service's context.
    pub context: Context,
}

impl<B: Broker, S: Store, F> Writer<B, S, F> {
    /// Writes until the service stops, for the connections that are in force.
    pub async fn run<T: Target>(self) -> Result<(), ServiceError>
    where
        F: Fn(&Context) -> Result<BTreeMap<ConnectionName, T>, ServiceError> + Send + 'static,
    {
        let Self { ports, system, targets, topology, context } = self;
        let kept = |(name, target)| (ConnectionName::clone(&name), Kept::of(&context, system, name, target));
        let work = Arc::new(Work {
            links: Links::new(ports.store.clone(), &context.config.namespace),
            broker: ports.broker.clone(),
            names: topology.names.clone(),
            system,
            connections: Connections::new(targets(&context)?.into_iter().map(kept).collect()),
            unknown: UnknownConnections::new(Arc::clone(&context.metrics)),
            refusals: Refusals::new(system, context.health.clone()),
            telling: Telling::default(),
            metrics: Arc::clone(&context.metrics),
            stop: context.stop.clone(),
        });
        let mut tasks = context.tasks();
        let (followed, follow_context, changed) =
            (Arc::clone(&work), context.clone(), Arc::new(Notify::new()));
        let changes = Arc::clone(&changed);
        tasks.spawn("connections", async move { follow(&followed, follow_context, targets, &changes).await });
        let (looked, look_context) = (Arc::clone(&work), context.clone());
        tasks.spawn("given", async move {
            look_until_there(&looked, &look_context, &changed).await;
            Ok::<_, WriterError>(())
        });
        let (telling, stop) = (Arc::clone(&work), context.stop.clone());
        tasks.spawn("telling", async move {
            telling.telling.note(&telling.links, telling.system, &stop).await;
            Ok::<_, WriterError>(())
        });
        for lane in Lane::BOTH {
            let name = format!("writes {}", lane.name());
            let (work, ports) = (Arc::clone(&work), ports.clone());
            let (topology, context) = (topology.clone(), context.clone());
            tasks.spawn(name.clone(), async move {
                supervise(&name, &context.stop.clone(), Backoff::SESSION, &context.health.clone(), || {
                    consume(&ports, &work, &topology, lane, &context, &name)
                })
                .await
            });
        }
        tasks.join().await
    }
}

/// Takes the connections of each configuration that comes into force, until the service stops.
async fn follow<B: Broker, S: Store, T: Target>(
    work: &Work<B, S, T>,
    mut context: Context,
    targets: impl Fn(&Context) -> Result<BTreeMap<ConnectionName, T>, ServiceError>,
    changed: &Notify,
) -> Result<(), ServiceError> {
    let stop = context.stop.clone();
    loop {
        let before = context.clone();
        if stop.run_until_cancelled(context.renewed()).await.is_none() {
            return Ok(());
        }
        for connection in work.connections.follow(&before, &context, work.system, &targets)? {
            work.refusals.forget_connection(&connection);
            work.forget_if_gone(&connection);
        }
        work.unknown.begin_anew();
        changed.notify_one();
    }
}

/// Looks up what connections give, at the start and until all of it is there, and says what is not.
async fn look_until_there<B: Broker, S: Store, T: Target>(
    work: &Work<B, S, T>,
    context: &Context,
    changed: &Notify,
) {
    loop {
        let connections = work.connections.all();
        let looks = connections.iter().map(|(name, kept)| look(work, context, name, kept));
        if context.stop.run_until_cancelled(join_all(looks)).await.is_none() {
            return;
        }
        tokio::select! {
            biased;
            () = context.stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = changed.notified() => {}
        }
    }
}

async fn look<B: Broker, S: Store, T: Target>(
    work: &Work<B, S, T>,
    context: &Context,
    name: &ConnectionName,
    kept: &Arc<Kept<T>>,
) {
    if kept.records.is_empty() {
        return;
    }
    let check = match kept.records.look(&kept.target).await {
        Looked::All => Check::Ok,
        Looked::Missing(words) => {
            tracing::error!(error = words, "the connection is refused; the others go on");
            Check::Waiting(words)
        }
        Looked::Failed(error) => {
            let reason = Chain(&error).to_string();
            tracing::warn!(connection = %name, error = reason, "what the connection gives can't be looked up yet");
            Check::Waiting(reason)
        }
    };
    // It may have gone meanwhile, or be another one.
    if work.connections.get(name).is_some_and(|present| Arc::ptr_eq(&present, kept)) {
        context.health.of(name).set(&format!("{name} literal"), check);
    }
}

/// One session with the broker. On a stop it takes nothing more and finishes what it holds.
async fn consume<B: Broker, S: Store, T: Target>(
    ports: &Ports<B, S>,
    work: &Work<B, S, T>,
    topology: &Topology,
    lane: Lane,
    context: &Context,
    name: &str,
) -> Result<(), WriterError> {
    ports.store.reachable().await.map_err(store::LinksError::from)?;
    ports.broker.declare(topology).await?;
    let session = Session {
        work,
        lane,
        queue: topology.names.writes(work.system, lane),
        holder: ambient::new_id().to_string(),
        stop: &context.stop,
    };
    let subscription = ports.broker.subscribe(&session.queue, PREFETCH).await?;
    context.health.set(name, Check::Ok);
    session.run(subscription, &context.health.pulse(name)).await
}
