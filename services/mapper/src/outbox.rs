//! What follows from a commit: published after it, and then forgotten in the store.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::{Broker, Outgoing};
use contract::{Lane, Names, Woken};
use jiff::SignedDuration;
use model::{ConnectionName, LinkId, PairName};
use service::{Check, Context};
use store::{Key, Leased, Links, LinksError, OutboxMessage, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::MapperError;
use crate::keeper::commit::wake;

/// How often the outbox is looked through for what a crash left, and how old that must be.
const SWEEP: Duration = Duration::from_secs(2);
const SWEPT_AFTER: SignedDuration = SignedDuration::from_secs(5);
const SWEPT_AT_ONCE: usize = 500;

/// So many links are woken by one publication, when no more than this is left to take in of their pair's queue.
const WOKEN_AT_ONCE: usize = 500;
const LEFT_MAX: u64 = 200;
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Who wakes links does so alone for this long after the last of them.
const WAKING: Duration = Duration::from_secs(15);

/// So many published messages of a connection are forgotten in one step.
const FORGOTTEN_AT_ONCE: usize = 64;

/// The outboxes of all connections.
pub(crate) struct Outbox<B, S> {
    broker: B,
    links: Links<S>,
    names: Names,
    /// What is published and not yet forgotten. Should it never be, because the process is killed, it is published once
    /// more, which does no harm.
    published: Mutex<BTreeMap<ConnectionName, Vec<Uuid>>>,
    released: Notify,
}

/// By which one process alone wakes the links of a pair.
struct Lease {
    key: Key,
    holder: String,
}

impl<B: Broker, S: Store> Outbox<B, S> {
    pub(crate) fn new(broker: B, links: Links<S>, names: Names) -> Self {
        Self { broker, links, names, published: Mutex::default(), released: Notify::new() }
    }

    /// Publishes what the commits of a connection left in its outbox. It is forgotten there with what comes after it.
    pub(crate) async fn publish(
        &self,
        connection: &ConnectionName,
        messages: &[OutboxMessage],
    ) -> Result<(), MapperError> {
        if messages.is_empty() {
            return Ok(());
        }
        self.broker.publish(messages.iter().map(outgoing).collect()).await?;
        let many = {
            let mut published = self.published();
            let ids = published.entry(connection.clone()).or_default();
            ids.extend(messages.iter().map(|message| message.id));
            if ids.len() < FORGOTTEN_AT_ONCE { Vec::new() } else { mem::take(ids) }
        };
        self.forget(connection, many).await
    }

    /// A pair was released: its links are woken soon.
    pub(crate) fn was_released(&self) {
        self.released.notify_one();
    }

    /// Wakes the links of pairs that were released, until the service stops.
    pub(crate) async fn wake_whenever_released(&self, context: &Context) -> Result<(), MapperError> {
        let mut tick = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                biased;
                () = context.stop.cancelled() => return Ok(()),
                () = self.released.notified() => {}
                _ = tick.tick() => {}
            }
            for connection in context.present().connections.iter().map(|connection| &connection.name) {
                self.wake_released(connection, &context.stop).await?;
            }
            context.health.set("waking", Check::Ok);
        }
    }

    /// Wakes the links of the pairs of a connection that were released. What somebody else is waking is left to them.
    /// Should they end in between, whoever looks next begins anew: to be woken twice does a link no harm.
    pub(crate) async fn wake_released(
        &self,
        connection: &ConnectionName,
        stop: &CancellationToken,
    ) -> Result<(), MapperError> {
        let holder = ambient::new_id().to_string();
        for pair in self.links.waking(connection).await? {
            let key = self.links.key(connection, &["waking", pair.as_str()]);
            let lease = Lease { key, holder: holder.clone() };
            if !self.holds(&lease).await? {
                continue;
            }
            let woken = self.wake_all(connection, &pair, &lease, stop).await;
            self.links.store().release(&lease.key, &lease.holder).await.map_err(LinksError::from)?;
            woken?;
        }
        Ok(())
    }

    /// Wakes the links of a pair, some at a time, however many there are, as long as the lease is ours and until `stop`.
    async fn wake_all(
        &self,
        connection: &ConnectionName,
        pair: &PairName,
        lease: &Lease,
        stop: &CancellationToken,
    ) -> Result<(), MapperError> {
        let unmatched: Vec<LinkId> = self.links.unmatched(connection, pair).await?.into_iter().collect();
        let queue = self.names.pair(pair);
        for links in unmatched.chunks(WOKEN_AT_ONCE) {
            // What people edit meanwhile stands behind them in the same queue.
            while self.broker.depth(&queue).await? > LEFT_MAX {
                let stops = stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none();
                if stops || !self.holds(lease).await? {
                    return Ok(());
                }
            }
            if !self.holds(lease).await? {
                return Ok(());
            }
            let now = ambient::now();
            let woken = |link: &LinkId| {
                let (connection, pair, link) = (connection.clone(), pair.clone(), link.clone());
                Woken { connection, pair, link, lane: Lane::Backfill }
            };
            let wakes = links.iter().map(|link| outgoing(&wake(&self.names, woken(link), now)));
            self.broker.publish(wakes.collect()).await?;
        }
        self.links.all_woken(connection, pair).await?;
        tracing::info!(%connection, %pair, links = unmatched.len(), "woke the links that wait for a partner");
        Ok(())
    }

    /// Whether the lease is ours, for a while longer.
    async fn holds(&self, Lease { key, holder }: &Lease) -> Result<bool, MapperError> {
        let held = self.links.store().lease(key, holder, WAKING).await.map_err(LinksError::from)?;
        Ok(matches!(held, Leased::Held { .. }))
    }

    /// Publishes what a crash left between a commit and its publication, until the service stops.
    pub(crate) async fn sweep(&self, context: &Context) -> Result<(), MapperError> {
        let mut tick = tokio::time::interval(SWEEP);
        while context.stop.run_until_cancelled(tick.tick()).await.is_some() {
            self.forget_published().await?;
            for connection in context.present().connections.iter().map(|connection| &connection.name) {
                let left = self.links.outbox(connection, ambient::now() - SWEPT_AFTER, SWEPT_AT_ONCE).await?;
                if !left.is_empty() {
                    tracing::info!(%connection, messages = left.len(), "publishing what an earlier commit left");
                    self.publish(connection, &left).await?;
                }
            }
            context.health.set("outbox", Check::Ok);
        }
        Ok(())
    }

    /// Forgets in the store whatever is published.
    pub(crate) async fn forget_published(&self) -> Result<(), MapperError> {
        let all = mem::take(&mut *self.published());
        for (connection, ids) in all {
            self.forget(&connection, ids).await?;
        }
        Ok(())
    }

    async fn forget(&self, connection: &ConnectionName, ids: Vec<Uuid>) -> Result<(), MapperError> {
        if ids.is_empty() {
            return Ok(());
        }
        let forgotten = self.links.published(connection, &ids).await;
        if forgotten.is_err() {
            // They are forgotten with the next ones.
            self.published().entry(connection.clone()).or_default().extend(ids);
        }
        Ok(forgotten?)
    }

    /// Nothing that can panic runs while the lock is held.
    fn published(&self) -> MutexGuard<'_, BTreeMap<ConnectionName, Vec<Uuid>>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn outgoing(message: &OutboxMessage) -> Outgoing {
    Outgoing {
        exchange: message.exchange.clone(),
        routing_key: message.routing_key.clone(),
        id: message.id.to_string(),
        headers: message.headers.clone(),
        at: message.at,
        body: message.body.clone().into_bytes(),
    }
}
