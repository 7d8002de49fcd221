//! A writer at work: its two queues, and several writes in hand at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Delivery, Settlement, Subscription};
use contract::{Lane, Message, Topology};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::{ConnectionName, System};
use service::{Backoff, Check, Context, ServiceError, Transient, supervise};
use store::{Links, Store};
use telemetry::{Chain, Settlement as Counted};
use tracing::Instrument;

use crate::given::Looked;
use crate::work::{Handled, Kept, Refusals, Work};
use crate::{Target, WriterError};

/// Writes in hand at a time, in each lane: they share the reads that vouch for them.
const IN_HAND: u16 = 16;

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
    let queue = topology.names.writes(work.system, lane);
    let mut subscription = ports.broker.subscribe(&queue, IN_HAND).await?;
    context.health.set(name, Check::Ok);
    let pulse = context.health.pulse(name);
    let mut beat = tokio::time::interval(Duration::from_secs(10));
    let mut in_hand = FuturesUnordered::new();
    loop {
        let stopping = context.stop.is_cancelled();
        if stopping && in_hand.is_empty() {
            return Ok(());
        }
        tokio::select! {
            _ = beat.tick() => {
                pulse.beat();
                work.refusals.forget();
            }
            () = context.stop.cancelled(), if !stopping => {}
            Some(done) = in_hand.next() => done?,
            delivery = subscription.next(), if !stopping && in_hand.len() < usize::from(IN_HAND) => {
                in_hand.push(take(work, lane, context, &queue, delivery?));
            }
        }
    }
}

/// Handles one delivery and settles it. An error leaves it unsettled: the broker delivers it again.
async fn take<B: Broker, S: Store, T: Target, D: Delivery>(
    work: &Work<B, S, T>,
    lane: Lane,
    context: &Context,
    queue: &str,
    delivery: D,
) -> Result<(), WriterError> {
    let span =
        tracing::info_span!("write", otel.kind = "consumer", system = %work.system, message = delivery.id());
    telemetry::continue_from(&span, delivery.headers());
    let (body, attempt) = (delivery.body().to_vec(), delivery.attempt());
    let (settlement, counted) = handle(work, lane, &body, attempt).instrument(span).await?;
    if matches!(counted, Counted::Dead) {
        context.metrics.count_dead_letter(queue);
    }
    delivery.settle(settlement).await?;
    context.metrics.count_message(queue, counted);
    Ok(())
}

async fn handle<B: Broker, S: Store, T: Target>(
    work: &Work<B, S, T>,
    lane: Lane,
    body: &[u8],
    attempt: u32,
) -> Result<(Settlement, Counted), WriterError> {
    let queued = match Message::read(body) {
        Ok(Message::WriteQueued(queued)) => queued,
        Ok(_) => return Ok(dead("the message is not a write".to_owned())),
        Err(error) => return Ok(dead(Chain(&error).to_string())),
    };
    match work.handle(&queued, lane, attempt).await {
        Ok(Handled::Done) => Ok((Settlement::Acknowledge, Counted::Done)),
        Ok(Handled::Later(tier, reason)) => Ok((Settlement::Retry { tier, reason }, Counted::Retried)),
        Ok(Handled::Bad(reason)) => Ok(dead(reason)),
        Err(error) if !error.is_transient() => Ok(dead(Chain(&error).to_string())),
        Err(error) => Err(error),
    }
}

fn dead(reason: String) -> (Settlement, Counted) {
    tracing::warn!(error = reason, "the write is set aside");
    (Settlement::DeadLetter { reason }, Counted::Dead)
}
