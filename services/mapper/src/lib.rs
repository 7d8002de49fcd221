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
mod outbox;
mod standing;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{Broker, Delivery, Settlement, Subscription};
use contract::{Message, Topology};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use service::{Backoff, Check, Context, ServiceError, Transient, steadily, supervise};
use store::{Links, Store};
use telemetry::{Chain, Hop, Processing, Settlement as Counted};
use tracing::Instrument;
use tracing::field::Empty;
use uuid::Uuid;

use error::BadMessage;
pub use error::MapperError;
use handler::{Handled, Handler};
use keeper::Keeper;
use outbox::{Outbox, outgoing};

/// Messages of a pair in hand at a time. They are handled side by side, as replicas would: most of a message's time is
/// spent waiting for the store and the broker, who serve many at once as quickly as one.
const IN_HAND: u16 = 128;

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
    let (broker, store) = service::servers("mapper", &context)?;
    serve(Ports { broker, store, broker_forgets: false }, context).await
}

/// Runs the mapper for the pairs of the context, until it shall stop.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    let topology = Arc::new(context.topology());
    let links = Links::new(ports.store.clone(), &context.config.namespace);
    let outbox = Arc::new(Outbox::new(ports.broker.clone(), links.clone(), topology.names.clone()));
    let served = context.pairs.served();
    let handlers: Arc<[Handler<S>]> =
        served.map(|pair| Handler::new(&pair.name, &links, &topology.names, &context)).collect();
    let mut tasks = context.tasks();
    for at in 0..handlers.len() {
        let name = format!("pair {}", handlers[at].pair);
        let (handlers, topology) = (Arc::clone(&handlers), Arc::clone(&topology));
        let (ports, outbox, context) = (ports.clone(), Arc::clone(&outbox), context.clone());
        tasks.spawn(name.clone(), async move {
            supervise(&name, &context.stop.clone(), Backoff::SESSION, &context.health.clone(), || {
                consume(&ports, &outbox, &topology, &handlers[at], &context, &name)
            })
            .await
        });
    }
    let (followed, following, follow_context) = (Arc::clone(&handlers), ports.clone(), context.clone());
    tasks.spawn("connections", async move { follow(&following, &followed, follow_context).await });
    let (shown, show_topology, show_context) =
        (Arc::clone(&handlers), Arc::clone(&topology), context.clone());
    let (broker, show_links) = (ports.broker.clone(), links.clone());
    tasks.spawn("standing", async move {
        standing::show(&broker, &show_links, &show_topology, &shown, &show_context).await
    });
    let (broker, watched, watch_context) = (ports.broker.clone(), links.clone(), context.clone());
    tasks.spawn("directories", async move {
        let (stop, health) = (watch_context.stop.clone(), watch_context.health.clone());
        supervise("directories", &stop, Backoff::SESSION, &health, || {
            directory::watch(&broker, &watched, &handlers, &watch_context)
        })
        .await
    });
    let (waking, wake_context) = (Arc::clone(&outbox), context.clone());
    tasks.spawn("waking", async move {
        let (stop, health) = (wake_context.stop.clone(), wake_context.health.clone());
        supervise("waking", &stop, Backoff::SESSION, &health, || waking.wake_whenever_released(&wake_context))
            .await
    });
    let (swept, sweep_context) = (Arc::clone(&outbox), context.clone());
    tasks.spawn("outbox", async move {
        let (stop, health) = (sweep_context.stop.clone(), sweep_context.health.clone());
        supervise("outbox", &stop, Backoff::SESSION, &health, || swept.sweep(&sweep_context)).await
    });
    let ended = tasks.join().await;
    if let Err(error) = outbox.forget_published().await {
        tracing::warn!(error = %Chain(&error), "what was published last is published once more by the next mapper");
    }
    ended
}

/// Keeps the connections of each configuration that comes into force, until the service stops.
async fn follow<B: Broker, S: Store>(
    ports: &Ports<B, S>,
    handlers: &[Handler<S>],
    mut context: Context,
) -> Result<(), MapperError> {
    let (stop, health) = (context.stop.clone(), context.health.clone());
    while stop.run_until_cancelled(context.renewed()).await.is_some() {
        let added: Vec<_> = handlers.iter().flat_map(|handler| handler.follow(&context)).collect();
        if ports.broker_forgets && !added.is_empty() {
            supervise("connections", &stop, Backoff::SESSION, &health, async || {
                publish_lost(&ports.broker, added.iter()).await?;
                health.forget("connections");
                Ok::<_, MapperError>(())
            })
            .await?;
        }
    }
    Ok(())
}

/// Makes anew what a broker that keeps nothing has lost of these.
async fn publish_lost<'a, B: Broker, S: Store>(
    broker: &B,
    keepers: impl Iterator<Item = &'a Arc<Keeper<S>>>,
) -> Result<(), MapperError> {
    for keeper in keepers {
        let lost = keeper.lost().await?;
        broker.publish(lost.iter().map(outgoing).collect()).await?;
    }
    Ok(())
}

/// One session with the broker: subscribe, handle, settle, until something fails or the service stops. On a stop it takes
/// nothing more and finishes what it holds.
async fn consume<B: Broker, S: Store>(
    ports: &Ports<B, S>,
    outbox: &Outbox<B, S>,
    topology: &Topology,
    handler: &Handler<S>,
    context: &Context,
    name: &str,
) -> Result<(), MapperError> {
    ports.store.reachable().await.map_err(store::LinksError::from)?;
    ports.broker.declare(topology).await?;
    let queue = topology.names.pair(&handler.pair);
    let mut subscription = ports.broker.subscribe(&queue, IN_HAND).await?;
    if ports.broker_forgets {
        let keepers = handler.keepers();
        publish_lost(&ports.broker, keepers.values()).await?;
    }
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
            biased;
            _ = beat.tick() => pulse.beat(),
            () = context.stop.cancelled(), if !stopping => {}
            Some(done) = in_hand.next() => done?,
            delivery = subscription.next(), if !stopping && in_hand.len() < usize::from(IN_HAND) => {
                in_hand.push(take(outbox, handler, context, &queue, delivery?));
            }
        }
    }
}

/// Handles one delivery and settles it. An error leaves it unsettled: the broker delivers it again.
async fn take<B: Broker, S: Store, D: Delivery>(
    outbox: &Outbox<B, S>,
    handler: &Handler<S>,
    context: &Context,
    queue: &str,
    delivery: D,
) -> Result<(), MapperError> {
    let span = tracing::info_span!(
        "map", otel.kind = "consumer", otel.name = format!("map {queue}"), otel.status_code = Empty,
        messaging.system = B::SYSTEM, messaging.operation.name = "map", messaging.operation.type = "process",
        messaging.destination.name = queue, messaging.message.id = delivery.id(), pair = %handler.pair,
        connection = Empty, link = Empty, conflict = Empty, settlement = Empty, error.type = Empty,
    );
    telemetry::continue_from(&span, delivery.headers());
    let (body, attempt, begun) = (delivery.body().to_vec(), delivery.attempt(), Instant::now());
    let handled = steadily(MapperError::is_of_store, || handle(outbox, handler, &body, attempt));
    let handled = handled.instrument(span.clone()).await;
    let failed = match &handled {
        Ok((_, Counted::Dead)) => Some("dead-letter"),
        Ok(_) => None,
        Err(_) => Some("transient"),
    };
    if let Some(error) = failed {
        span.record("error.type", error);
        span.record("otel.status_code", "ERROR");
    }
    let processing = Processing { system: B::SYSTEM, operation: "map", queue };
    context.metrics.observe_processing(&processing, failed, begun.elapsed().as_secs_f64());
    let (settlement, counted) = handled?;
    span.record("settlement", counted.name());
    if matches!(counted, Counted::Dead) {
        context.metrics.count_dead_letter(queue);
    }
    let id = delivery.id().to_owned();
    delivery.settle(settlement).await?;
    context.metrics.count_message(queue, counted);
    if matches!(counted, Counted::Done)
        && let Some(lag) = age_of(&id)
    {
        span.in_scope(|| context.metrics.observe_hop(Hop::Map, "", lag));
    }
    Ok(())
}

/// How many seconds ago a message came into being: its id tells.
fn age_of(id: &str) -> Option<f64> {
    let (seconds, nanos) = Uuid::parse_str(id).ok()?.get_timestamp()?.to_unix();
    let made = Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()?;
    Some(ambient::now().duration_since(made).as_secs_f64())
}

/// Handles one message and publishes what follows from it.
async fn handle<B: Broker, S: Store>(
    outbox: &Outbox<B, S>,
    handler: &Handler<S>,
    body: &[u8],
    attempt: u32,
) -> Result<(Settlement, Counted), MapperError> {
    let message = match Message::read(body) {
        Ok(message) => message,
        Err(error) => return Ok(dead(&BadMessage::Unreadable(error))),
    };
    tracing::Span::current().record("connection", message.connection().as_str());
    match handler.handle(&message, attempt).await {
        Ok(Handled::Done(follows)) => {
            outbox.publish(message.connection(), &follows).await?;
            Ok((Settlement::Acknowledge, Counted::Done))
        }
        Ok(Handled::Released(follows)) => {
            outbox.publish(message.connection(), &follows).await?;
            outbox.was_released();
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
