use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use contract::{Names, RetryTier};
use futures_util::StreamExt;
use jiff::Timestamp;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicNackOptions};
use lapin::{Acker, Channel, Consumer};
use tokio::runtime::Handle;

use super::session::{answered, classified, lost};
use super::{Shared, wire};
use crate::message::{Addressed, Message};
use crate::{BrokerError, Delivery, Settlement, Subscription};

const RETURNED: BasicNackOptions = BasicNackOptions { multiple: false, requeue: true };

/// The taking end of a queue in RabbitMQ, on a channel of its own.
pub struct RabbitSubscription {
    origin: Arc<Origin>,
    /// `None` only while it is being dropped.
    open: Option<(Channel, Consumer)>,
}

/// A message in hand from RabbitMQ.
pub struct RabbitDelivery {
    origin: Arc<Origin>,
    message: Message,
    redelivered: bool,
    /// `None` once it is settled.
    unsettled: Option<Unsettled>,
}

/// Where deliveries come from and what it takes to send them on.
struct Origin {
    shared: Arc<Shared>,
    names: Names,
    queue: String,
}

/// The right to settle a delivery. The channel must stay open for it.
struct Unsettled {
    acker: Acker,
    channel: Channel,
}

impl RabbitSubscription {
    pub(super) fn new(
        shared: Arc<Shared>,
        names: Names,
        queue: &str,
        channel: Channel,
        consumer: Consumer,
    ) -> Self {
        let origin = Arc::new(Origin { shared, names, queue: queue.to_owned() });
        Self { origin, open: Some((channel, consumer)) }
    }

    fn ended(&self) -> BrokerError {
        BrokerError::Ended { queue: self.origin.queue.clone() }
    }
}

impl Subscription for RabbitSubscription {
    type Delivery = RabbitDelivery;

    async fn next(&mut self) -> Result<RabbitDelivery, BrokerError> {
        let Some((channel, consumer)) = &mut self.open else { return Err(self.ended()) };
        let lost = lost(|| channel.status().connected());
        let next = tokio::select! {
            biased;
            next = consumer.next() => next,
            () = lost => None,
        };
        match next {
            Some(Ok(delivery)) => Ok(RabbitDelivery {
                message: wire::message(
                    &delivery.properties,
                    delivery.data,
                    &self.origin.names.dead_letters(),
                ),
                redelivered: delivery.redelivered,
                unsettled: Some(Unsettled { acker: delivery.acker, channel: channel.clone() }),
                origin: Arc::clone(&self.origin),
            }),
            Some(Err(error)) => Err(classified(&format!("take from {}", self.origin.queue), error)),
            None => Err(self.ended()),
        }
    }
}

impl Drop for RabbitSubscription {
    /// Stops the consumer and hands back what it had fetched ahead, while deliveries in hand keep the channel.
    fn drop(&mut self) {
        let Some((channel, mut consumer)) = self.open.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        if !channel.status().connected() {
            return;
        }
        runtime.spawn(async move {
            if channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await.is_err() {
                return;
            }
            while let Some(Ok(ahead)) = consumer.next().await {
                if ahead.acker.nack(RETURNED).await.is_err() {
                    return;
                }
            }
        });
    }
}

impl Delivery for RabbitDelivery {
    fn id(&self) -> &str {
        &self.message.id
    }

    fn headers(&self) -> &BTreeMap<String, String> {
        &self.message.headers
    }

    fn at(&self) -> Option<Timestamp> {
        self.message.at
    }

    fn body(&self) -> &[u8] {
        &self.message.body
    }

    fn attempt(&self) -> u32 {
        self.message.attempt
    }

    fn redelivered(&self) -> bool {
        self.redelivered
    }

    async fn settle(mut self, settlement: Settlement) -> Result<(), BrokerError> {
        let Origin { names, queue, .. } = &*self.origin;
        let sent_on = match settlement {
            Settlement::Acknowledge => None,
            Settlement::Return => return self.give_back().await,
            Settlement::Retry { tier, reason } => Some(Addressed {
                exchange: names.retry_exchange(tier),
                routing_key: queue.clone(),
                message: mem::take(&mut self.message).retried(&reason),
                rests: Some(rest(tier, ambient::fraction())),
            }),
            Settlement::DeadLetter { reason } => Some(Addressed {
                exchange: String::new(),
                routing_key: names.dead_letters(),
                message: mem::take(&mut self.message).dead(queue, &names.dead_letters(), &reason),
                rests: None,
            }),
        };
        if let Some(message) = sent_on {
            // A failure here drops the delivery unsettled, which returns the original.
            self.origin.shared.send(vec![message]).await?;
        }
        self.acknowledge().await
    }
}

impl RabbitDelivery {
    async fn acknowledge(mut self) -> Result<(), BrokerError> {
        let Some(unsettled) = self.unsettled.take() else { return Err(self.too_late("acknowledge")) };
        let done = unsettled.acker.ack(BasicAckOptions::default());
        self.settled("acknowledge", &unsettled.channel, done).await
    }

    async fn give_back(mut self) -> Result<(), BrokerError> {
        let Some(unsettled) = self.unsettled.take() else { return Err(self.too_late("return")) };
        self.settled("return", &unsettled.channel, unsettled.acker.nack(RETURNED)).await
    }

    async fn settled(
        &self,
        what: &str,
        channel: &Channel,
        done: impl Future<Output = lapin::Result<bool>>,
    ) -> Result<(), BrokerError> {
        let doing = format!("{what} a message of {}", self.origin.queue);
        let sent = answered(&doing, || channel.status().connected(), done).await?;
        if sent { Ok(()) } else { Err(self.too_late(what)) }
    }

    /// The channel that the message came on is gone: the broker hands it out again.
    fn too_late(&self, what: &str) -> BrokerError {
        BrokerError::Lost { doing: format!("{what} a message of {}", self.origin.queue), source: None }
    }
}

impl Drop for RabbitDelivery {
    fn drop(&mut self) {
        let Some(unsettled) = self.unsettled.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        if unsettled.acker.usable() {
            // Should it fail, the channel is gone, and the broker returns the message by itself.
            runtime.spawn(async move { unsettled.acker.nack(RETURNED).await });
        }
    }
}

/// How long a message rests in a tier, between its bounds; `jitter` is from 0 to 1.
fn rest(tier: RetryTier, jitter: f64) -> Duration {
    tier.delay() + tier.delay_max().saturating_sub(tier.delay()).mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_never_shorter_than_its_tier_and_never_longer_than_the_queue_lets_it_be() {
        for tier in RetryTier::ALL {
            assert_eq!(rest(tier, 0.0), tier.delay());
            assert_eq!(rest(tier, 1.0), tier.delay_max());
            assert!(tier.delay() < rest(tier, 0.5) && rest(tier, 0.5) < tier.delay_max());
        }
    }
}
