//! A writer at work: its two queues, and the lines of all connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use contract::{Lane, Topology};
use model::{ConnectionName, System};
use service::{Backoff, Check, Context, ServiceError, supervise};
use store::{Links, Store};
use telemetry::Chain;
use uuid::Uuid;

use crate::given::Looked;
use crate::lane::Session;
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
pub struct Writer<B, S, T> {
    /// What it works with.
    pub ports: Ports<B, S>,
    /// Which system it writes.
    pub system: System,
    /// The system, for each connection.
    pub targets: BTreeMap<ConnectionName, T>,
    /// The topology of the deployment.
    pub topology: Topology,
    /// The service's context.
    pub context: Context,
}

impl<B: Broker, S: Store, T: Target> Writer<B, S, T> {
    /// Writes until the service stops.
    pub async fn run(self) -> Result<(), ServiceError> {
        let links = Links::new(self.ports.store.clone(), &self.context.config.namespace);
        let context = &self.context;
        let kept =
            |(name, target)| (ConnectionName::clone(&name), Kept::of(context, self.system, name, target));
        let work = Arc::new(Work {
            links,
            broker: self.ports.broker.clone(),
            names: self.topology.names.clone(),
            system: self.system,
            connections: self.targets.into_iter().map(kept).collect(),
            refusals: Refusals::new(self.system, self.context.health.clone()),
            metrics: Arc::clone(&self.context.metrics),
        });
        let mut tasks = self.context.tasks();
        for (name, _) in work.connections.iter().filter(|(_, kept)| !kept.records.is_empty()) {
            let (work, context, name) = (Arc::clone(&work), self.context.clone(), name.clone());
            tasks.spawn(format!("{name} given"), async move {
                look_until_there(&work, &context, &name).await;
                Ok::<_, WriterError>(())
            });
        }
        for lane in Lane::BOTH {
            let name = format!("writes {}", lane.name());
            let (work, ports) = (Arc::clone(&work), self.ports.clone());
            let (topology, context) = (self.topology.clone(), self.context.clone());
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

/// Looks up what a connection gives, at the start and until all of it is there, and says what is not.
async fn look_until_there<B: Broker, S: Store, T: Target>(
    work: &Work<B, S, T>,
    context: &Context,
    name: &ConnectionName,
) {
    let (check, kept) = (format!("{name} literal"), &work.connections[name]);
    loop {
        let reason = match kept.records.look(&kept.target).await {
            Looked::All => break,
            Looked::Missing(words) => {
                tracing::error!(error = words, "the connection is refused; the others go on");
                words
            }
            Looked::Failed(error) => {
                let reason = Chain(&error).to_string();
                tracing::warn!(connection = %name, error = reason, "what the connection gives can't be looked up yet");
                reason
            }
        };
        context.health.set(&check, Check::Waiting(reason));
        if context.stop.run_until_cancelled(tokio::time::sleep(LOOK_AGAIN)).await.is_none() {
            return;
        }
    }
    context.health.set(&check, Check::Ok);
    context.stop.cancelled().await;
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
        holder: Uuid::now_v7().to_string(),
        stop: &context.stop,
    };
    let subscription = ports.broker.subscribe(&session.queue, PREFETCH).await?;
    context.health.set(name, Check::Ok);
    session.run(subscription, &context.health.pulse(name)).await
}
