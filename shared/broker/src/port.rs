//! What the services see of a broker.

use std::collections::BTreeMap;
use std::future::Future;

use contract::RetryTier;
use jiff::Timestamp;

use crate::BrokerError;

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The exchange; empty for the default exchange, where the routing key is the name of a queue.
    pub exchange: String,
    /// What the exchange routes by. At most 255 bytes, as the exchange's name.
    pub routing_key: String,
    /// The message's id; it stays the same through retries and dead lettering. At most 255 bytes.
    pub id: String,
    /// Headers such as `traceparent`. Names of at most 255 bytes.
    pub headers: BTreeMap<String, String>,
    /// When the message came into being; it travels in whole seconds.
    pub at: Timestamp,
    /// The content.
    pub body: Vec<u8>,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is done with.
    Acknowledge,
    /// It rests in the tier's queue and comes back to the queue it came from, its attempt one higher.
    Retry {
        /// How long it rests.
        tier: RetryTier,
        /// Why it is tried again; it travels in [`REASON_HEADER`](crate::REASON_HEADER). No personal values.
        reason: String,
    },
    /// It goes to the queue of dead letters, with the reason and the queue it came from in its headers.
    DeadLetter {
        /// Why it can't be handled; it travels in [`REASON_HEADER`](crate::REASON_HEADER). No personal values.
        reason: String,
    },
    /// Back to the queue at once, for another consumer. It counts towards
    /// [`DELIVERY_LIMIT`](crate::DELIVERY_LIMIT), not as an attempt.
    Return,
}

/// A message broker. Clones share one broker, and one connection to it.
pub trait Broker: Clone + Send + Sync + 'static {
    /// What [`subscribe`](Self::subscribe) gives.
    type Subscription: Subscription;

    /// What kind of broker it is, as the conventions for traces name it.
    const SYSTEM: &'static str = "in-process";

    /// Makes the topology exist. What exists already with the same arguments stays as it is.
    ///
    /// A broker remembers the topology that was declared last: [`subscribe`](Self::subscribe) needs it.
    fn declare(&self, topology: &contract::Topology) -> impl Future<Output = Result<(), BrokerError>> + Send;

    /// Publishes the messages, many at a time. `Ok` means that every one was confirmed and routed; an error, that
    /// one was not: any of the others may have been published.
    fn publish(&self, messages: Vec<Outgoing>) -> impl Future<Output = Result<(), BrokerError>> + Send;

    /// Begins to take messages from a queue, at most `prefetch` (at least one) unsettled at a time.
    fn subscribe(
        &self,
        queue: &str,
        prefetch: u16,
    ) -> impl Future<Output = Result<Self::Subscription, BrokerError>> + Send;

    /// The number of messages that are ready in a queue: neither handed out nor, in a work queue, resting.
    fn depth(&self, queue: &str) -> impl Future<Output = Result<u64, BrokerError>> + Send;

    /// Whether the broker answers now and takes messages.
    fn reachable(&self) -> impl Future<Output = Result<(), BrokerError>> + Send;
}

/// The taking end of a queue. Dropping it stops the taking: what it holds but has not handed out goes back to the
/// queue; deliveries that are in hand can still be settled.
pub trait Subscription: Send + 'static {
    /// What [`next`](Self::next) gives.
    type Delivery: Delivery;

    /// Waits for the next message. An error ends the subscription: the caller subscribes anew after a while.
    /// Dropping the future before it is ready loses no message.
    fn next(&mut self) -> impl Future<Output = Result<Self::Delivery, BrokerError>> + Send;
}

/// A message in hand. Dropping it unsettled returns it to its queue.
pub trait Delivery: Send + 'static {
    /// The message's id; empty when its sender gave none.
    fn id(&self) -> &str;

    /// The headers that its sender gave, and [`REASON_HEADER`](crate::REASON_HEADER) and
    /// [`ORIGIN_HEADER`](crate::ORIGIN_HEADER) where they apply.
    fn headers(&self) -> &BTreeMap<String, String>;

    /// When the message came into being, in whole seconds; `None` when its sender did not say.
    fn at(&self) -> Option<Timestamp>;

    /// The content.
    fn body(&self) -> &[u8];

    /// Which attempt this is: 1 and the number of times that it was settled by [`Settlement::Retry`].
    fn attempt(&self) -> u32;

    /// Whether it may have been handed out before.
    fn redelivered(&self) -> bool;

    /// Settles the message. After an error it may come again.
    fn settle(self, settlement: Settlement) -> impl Future<Output = Result<(), BrokerError>> + Send;
}
