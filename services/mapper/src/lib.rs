//! The mapper: owns the links, and turns observations and outcomes into writes.
//!
//! It consumes one queue per pair, on which that pair's observations and outcomes both arrive, and produces
//! writes to be claimed. Each message becomes one atomic commit of the link, its indexes and what follows from it;
//! only then is the message acknowledged. Any number of replicas may run: who commits second reads again.
//!
//! What it refuses: to call a vendor, and to believe in the order of messages.

mod directory;
mod error;
mod handler;
mod keeper;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Delivery, Outgoing, Settlement, Subscription};
use contract::{Message, Topology};
use jiff::{SignedDuration, Timestamp};
use model::ConnectionName;
use service::{Backoff, Check, Context, ServiceError, Transient, supervise};
use store::{Durability, Links, OutboxMessage, Store};
use telemetry::{Chain, Settlement as Counted};
use tracing::Instrument;

use error::BadMessage;
pub use error::MapperError;
use handler::{Handled, Handler};

/// Messages in hand at a time. The mapper takes them one by one; a few more hide the way to the broker.
const PREFETCH: u16 = 32;

/// How often the outbox is looked through for what a crash left, and how old that must be.
const SWEEP: Duration = Duration::from_secs(2);
const SWEPT_AFTER: SignedDuration = SignedDuration::from_secs(5);
const SWEPT_AT_ONCE: usize = 500;

/// What the mapper works with.
#[derive(Clone)]
pub struct Ports<B, S> {
    /// The broker.
    pub broker: B,
    /// The store.
    pub store: S,
    /// Whether the broker forgets its messages when the process ends: then they are made anew at the start.
    pub broker_forgets: bool,
}

/// Runs the mapper on RabbitMQ and Redis, as its own process does.
pub async fn start(context: Context) -> Result<(), ServiceError> {
    let (broker, store) = service::servers("mapper", &context.config)?;
    serve(Ports { broker, store, broker_forgets: false }, context).await
}

/// Runs the mapper for the pairs of the context, until it shall stop.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    let topology = Arc::new(context.topology());
    let connections: Arc<BTreeSet<ConnectionName>> =
        Arc::new(context.config.connections.iter().map(|connection| connection.name.clone()).collect());
    let links = Links::new(ports.store.clone(), &context.config.namespace);
    let handlers: Arc<[Handler<S>]> =
        context.pairs().map(|pair| Handler::new(&pair.name, &links, &topology.names, &context)).collect();
    let mut tasks = context.tasks();
    for at in 0..handlers.len() {
        let name = format!("pair {}", handlers[at].pair);
        let (handlers, topology) = (Arc::clone(&handlers), Arc::clone(&topology));
        let (ports, context) = (ports.clone(), context.clone());
        tasks.spawn(name.clone(), async move {
            supervise(&name, &context.stop.clone(), Backoff::SESSION, &context.health.clone(), || {
                consume(&ports, &topology, &handlers[at], &context, &name)
            })
            .await
        });
    }
    let (broker, watched, watch_context) = (ports.broker.clone(), links.clone(), context.clone());
    tasks.spawn("directories", async move {
        let (stop, health) = (watch_context.stop.clone(), watch_context.health.clone());
        supervise("directories", &stop, Backoff::SESSION, &health, || {
            directory::watch(&broker, &watched, &handlers, &watch_context)
        })
        .await
    });
    let sweep_context = context.clone();
    tasks.spawn("outbox", async move {
        let (stop, health) = (sweep_context.stop.clone(), sweep_context.health.clone());
        supervise("outbox", &stop, Backoff::SESSION, &health, || {
            sweep(&ports.broker, &links, &connections, &sweep_context)
        })
        .await
    });
    tasks.join().await
}

/// One session with the broker: subscribe, handle, settle, until something fails or the service stops.
async fn consume<B: Broker, S: Store>(
    ports: &Ports<B, S>,
    topology: &Topology,
    handler: &Handler<S>,
    context: &Context,
    name: &str,
) -> Result<(), MapperError> {
    ports.store.reachable().await.map_err(store::LinksError::from)?;
    if !ports.broker_forgets
        && let Durability::Weak { reason } =
            ports.store.durability().await.map_err(store::LinksError::from)?
    {
        tracing::warn!(
            reason,
            "a crash of the store may lose links, and lost links are how duplicates are born"
        );
    }
    ports.broker.declare(topology).await?;
    let queue = topology.names.pair(&handler.pair);
    let mut subscription = ports.broker.subscribe(&queue, PREFETCH).await?;
    if ports.broker_forgets {
        for keeper in handler.keepers.values() {
            let lost = keeper.lost().await?;
            ports.broker.publish(lost.iter().map(outgoing).collect()).await?;
        }
    }
    context.health.set(name, Check::Ok);
    let pulse = context.health.pulse(name);
    let mut beat = tokio::time::interval(Duration::from_secs(10));
    loop {
        tokio::select! {
            biased;
            () = context.stop.cancelled() => return Ok(()),
            _ = beat.tick() => pulse.beat(),
            delivery = subscription.next() => take(ports, handler, context, &queue, delivery?).await?,
        }
    }
}

/// Handles one delivery and settles it. An error leaves it unsettled: the broker delivers it again.
async fn take<B: Broker, S: Store, D: Delivery>(
    ports: &Ports<B, S>,
    handler: &Handler<S>,
    context: &Context,
    queue: &str,
    delivery: D,
) -> Result<(), MapperError> {
    let span =
        tracing::info_span!("map", otel.kind = "consumer", pair = %handler.pair, message = delivery.id());
    telemetry::continue_from(&span, delivery.headers());
    let (body, attempt) = (delivery.body().to_vec(), delivery.attempt());
    let handled = handle(&ports.broker, handler, &body, attempt).instrument(span);
    let (settlement, counted) = handled.await?;
    if matches!(counted, Counted::Dead) {
        context.metrics.count_dead_letter(queue);
    }
    delivery.settle(settlement).await?;
    context.metrics.count_message(queue, counted);
    Ok(())
}

/// Handles one message and publishes what follows from it.
async fn handle<B: Broker, S: Store>(
    broker: &B,
    handler: &Handler<S>,
    body: &[u8],
    attempt: u32,
) -> Result<(Settlement, Counted), MapperError> {
    let message = match Message::read(body) {
        Ok(message) => message,
        Err(error) => return Ok(dead(&BadMessage::Unreadable(error))),
    };
    match handler.handle(&message, attempt).await {
        Ok(Handled::Done(outbox)) => {
            if let Some(keeper) = handler.keepers.get(message.connection()) {
                publish(broker, &keeper.links, message.connection(), &outbox).await?;
            }
            Ok((Settlement::Acknowledge, Counted::Done))
        }
        Ok(Handled::Later(tier, reason)) => {
            tracing::debug!(reason, "the message waits");
            Ok((Settlement::Retry { tier, reason: reason.to_owned() }, Counted::Retried))
        }
        Ok(Handled::Bad(bad)) => Ok(dead(&bad)),
        Err(error) if !error.is_transient() => {
            tracing::error!("a link can't be read");
            Ok(dead(&error))
        }
        Err(error) => Err(error),
    }
}

fn dead(error: &(dyn Error + 'static)) -> (Settlement, Counted) {
    let reason = Chain(error).to_string();
    tracing::warn!(error = reason, "the message is set aside");
    (Settlement::DeadLetter { reason }, Counted::Dead)
}

/// Publishes what the commits of a connection left in its outbox, then forgets it there.
async fn publish<B: Broker, S: Store>(
    broker: &B,
    links: &Links<S>,
    connection: &ConnectionName,
    outbox: &[OutboxMessage],
) -> Result<(), MapperError> {
    if outbox.is_empty() {
        return Ok(());
    }
    broker.publish(outbox.iter().map(outgoing).collect()).await?;
    let ids: Vec<uuid::Uuid> = outbox.iter().map(|message| message.id).collect();
    Ok(links.published(connection, &ids).await?)
}

fn outgoing(message: &OutboxMessage) -> Outgoing {
    Outgoing {
        exchange: message.exchange.clone(),
        routing_key: message.routing_key.clone(),
        id: message.id.to_string(),
        headers: message.headers.clone(),
        at: message.at,
        body: message.body.clone().into_bytes(),
    }
}

/// Publishes what a crash left between a commit and its publication.
async fn sweep<B: Broker, S: Store>(
    broker: &B,
    links: &Links<S>,
    connections: &BTreeSet<ConnectionName>,
    context: &Context,
) -> Result<(), MapperError> {
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            () = context.stop.cancelled() => return Ok(()),
            _ = tick.tick() => {}
        }
        for connection in connections {
            let left = links.outbox(connection, Timestamp::now() - SWEPT_AFTER, SWEPT_AT_ONCE).await?;
            if !left.is_empty() {
                tracing::info!(%connection, messages = left.len(), "publishing what an earlier commit left");
                publish(broker, links, connection, &left).await?;
            }
        }
        context.health.set("outbox", Check::Ok);
    }
}
