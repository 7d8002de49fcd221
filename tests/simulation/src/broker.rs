//! A broker that fails: what it has confirmed it keeps, and nothing else is certain.

use std::collections::BTreeMap;
use std::time::Duration;

use ::broker::{
    Broker, BrokerError, Delivery, InProcess, InProcessDelivery, InProcessSubscription, Outgoing, Settlement,
    Subscription,
};
use contract::{Message, Topology};
use jiff::Timestamp;

use crate::faults::{Fault, Faults, takes};
use crate::{Mistake, Trace};

/// The longest that a hop to the broker takes while it is well.
const HOP: Duration = Duration::from_millis(4);
/// For how long a message may be overtaken.
const OVERTAKEN_BY: Duration = Duration::from_secs(5);

/// How often a mistake is made that is made now and then.
const ONE_IN_TWENTY: f64 = 0.05;

/// The broker of a simulation. Clones share it.
#[derive(Clone)]
pub(crate) struct Shaky {
    pub(crate) inner: InProcess,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
}

pub(crate) struct ShakySubscription {
    inner: InProcessSubscription,
    broker: Shaky,
    queue: String,
}

pub(crate) struct ShakyDelivery {
    /// None once it is settled.
    inner: Option<InProcessDelivery>,
    broker: Shaky,
    queue: String,
}

fn lost(doing: &str) -> BrokerError {
    BrokerError::Lost { doing: doing.to_owned(), source: None }
}

async fn hop() {
    takes(Duration::ZERO, HOP).await;
}

impl Shaky {
    /// The message as services publish it that make a mistake.
    fn mistaken(&self, message: Outgoing) -> Option<Outgoing> {
        let makes = |mistake| self.faults.makes(mistake);
        let now_and_then = || ambient::fraction() < ONE_IN_TWENTY;
        let (sightings, outcomes, wakes) =
            (makes(Mistake::LoseSightings), makes(Mistake::LoseOutcomes), makes(Mistake::LoseWakes));
        if !(sightings || outcomes || wakes) {
            return Some(message);
        }
        match Message::read(&message.body) {
            Ok(Message::Observed(_)) if sightings && now_and_then() => None,
            Ok(Message::Outcome(_)) if outcomes && now_and_then() => None,
            Ok(Message::Woken(_)) if wakes => None,
            _ => Some(message),
        }
    }
}

impl Broker for Shaky {
    type Subscription = ShakySubscription;

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        hop().await;
        self.inner.declare(topology).await
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<(), BrokerError> {
        hop().await;
        if self.faults.strikes(Fault::Unpublished) {
            return Err(lost("publish"));
        }
        let messages: Vec<Outgoing> =
            messages.into_iter().filter_map(|message| self.mistaken(message)).collect();
        for message in &messages {
            self.trace.tell(format!("publish {} {}", message.routing_key, message.id));
        }
        self.inner.publish(messages).await?;
        hop().await;
        if self.faults.strikes(Fault::Unconfirmed) { Err(lost("publish")) } else { Ok(()) }
    }

    async fn subscribe(&self, queue: &str, prefetch: u16) -> Result<ShakySubscription, BrokerError> {
        hop().await;
        let inner = self.inner.subscribe(queue, prefetch).await?;
        Ok(ShakySubscription { inner, broker: self.clone(), queue: queue.to_owned() })
    }

    async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        hop().await;
        self.inner.depth(queue).await
    }

    async fn reachable(&self) -> Result<(), BrokerError> {
        self.inner.reachable().await
    }
}

impl Subscription for ShakySubscription {
    type Delivery = ShakyDelivery;

    async fn next(&mut self) -> Result<ShakyDelivery, BrokerError> {
        loop {
            let inner = self.inner.next().await?;
            let delivery =
                ShakyDelivery { inner: Some(inner), broker: self.broker.clone(), queue: self.queue.clone() };
            if self.broker.faults.strikes(Fault::SubscriptionLost) {
                return Err(BrokerError::Ended { queue: self.queue.clone() });
            }
            if !self.broker.faults.strikes(Fault::Overtaken) {
                return Ok(delivery);
            }
            // It goes back to the queue when it has been overtaken, for another consumer maybe.
            tokio::spawn(async move {
                takes(Duration::ZERO, OVERTAKEN_BY).await;
                delivery.broker.trace.tell(format!("overtaken {} {}", delivery.queue, delivery.inner().id()));
            });
        }
    }
}

impl Drop for ShakyDelivery {
    /// A message that was acknowledged first does not come again, whatever became of its handling.
    fn drop(&mut self) {
        let Some(inner) = self.inner.take().filter(|_| self.broker.faults.makes(Mistake::AcknowledgeFirst))
        else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(inner.settle(Settlement::Acknowledge));
        }
    }
}

impl ShakyDelivery {
    fn inner(&self) -> &InProcessDelivery {
        self.inner.as_ref().expect("it is taken out only when it is settled or dropped")
    }
}

impl Delivery for ShakyDelivery {
    fn id(&self) -> &str {
        self.inner().id()
    }

    fn headers(&self) -> &BTreeMap<String, String> {
        self.inner().headers()
    }

    fn at(&self) -> Option<Timestamp> {
        self.inner().at()
    }

    fn body(&self) -> &[u8] {
        self.inner().body()
    }

    fn attempt(&self) -> u32 {
        self.inner().attempt()
    }

    fn redelivered(&self) -> bool {
        self.inner().redelivered()
    }

    async fn settle(mut self, settlement: Settlement) -> Result<(), BrokerError> {
        hop().await;
        if self.broker.faults.strikes(Fault::SettlementLost) {
            self.broker.trace.tell(format!("settlement lost {} {}", self.queue, self.inner().id()));
            return Err(lost("settle"));
        }
        let is_lost = self.broker.faults.makes(Mistake::LoseRetries);
        let settlement = match settlement {
            Settlement::Retry { .. } if is_lost => Settlement::Acknowledge,
            other => other,
        };
        self.broker.trace.tell(format!("settle {} {} {settlement:?}", self.queue, self.inner().id()));
        match self.inner.take() {
            Some(inner) => inner.settle(settlement).await,
            None => Ok(()),
        }
    }
}
