//! RabbitMQ 3.10 up to 4.x: quorum queues, publisher confirms, manual acknowledgement.
//!
//! A channel or connection that was lost is never revived: the subscription ends, or the publish is repeated, on a
//! new one. The client library's own recovery stays off.

mod address;
mod declare;
mod publish;
mod session;
mod subscription;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::Topology;
use lapin::options::{BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::FieldTable;
use secrecy::SecretString;

use self::address::Address;
use self::session::{Session, answered, short};
pub use self::subscription::{RabbitDelivery, RabbitSubscription};
use crate::message::Addressed;
use crate::{Broker, BrokerError, Outgoing};

/// How long a connection may take to make.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the broker may take to answer, or to confirm the next of several messages.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the broker may take to show that it is there.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often whoever waits for an answer looks whether there is still somebody to give it.
const LOSS_CHECKED_EVERY: Duration = Duration::from_millis(250);

/// RabbitMQ. It connects when it is first needed; clones share the connection.
#[derive(Clone)]
pub struct RabbitMq {
    shared: Arc<Shared>,
}

/// What the clones and their subscriptions and deliveries share.
struct Shared {
    address: Address,
    session: tokio::sync::Mutex<Option<Arc<Session>>>,
    /// Declared anew on each new connection, so that a broker that lost its data is put right.
    topology: Mutex<Option<Topology>>,
}

impl RabbitMq {
    /// The broker at `url`: `amqp://user:password@host:port/vhost`, or `amqps` in builds with the feature `tls`.
    ///
    /// `name` is shown in the broker's list of connections. A missing or empty vhost is `/`; the query may set
    /// `heartbeat` (seconds, 10 when it is absent), `frame_max` and `channel_max`.
    pub fn new(url: &SecretString, name: &str) -> Result<Self, BrokerError> {
        Self::with_tls(url, name, OwnedTLSConfig::default())
    }

    /// As [`new`](Self::new), for a broker whose certificate comes from a private authority, given as PEM.
    #[cfg(feature = "tls")]
    pub fn with_certificate_authority(
        url: &SecretString,
        name: &str,
        pem: &str,
    ) -> Result<Self, BrokerError> {
        Self::with_tls(url, name, OwnedTLSConfig { identity: None, cert_chain: Some(pem.to_owned()) })
    }

    fn with_tls(url: &SecretString, name: &str, tls: OwnedTLSConfig) -> Result<Self, BrokerError> {
        let shared = Shared {
            address: Address::parse(url, name, tls)?,
            session: tokio::sync::Mutex::new(None),
            topology: Mutex::new(None),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Shared {
    fn declared(&self) -> Option<Topology> {
        self.topology.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection, made anew when there is none that works.
    async fn session(&self) -> Result<Arc<Session>, BrokerError> {
        let waited = tokio::time::timeout(CONNECT_TIMEOUT, self.session.lock()).await;
        let mut current = waited.map_err(|_| BrokerError::TimedOut {
            doing: "wait for a connection that another task is making".to_owned(),
            after: CONNECT_TIMEOUT,
        })?;
        if let Some(session) = current.as_ref().filter(|session| session.works()) {
            return Ok(Arc::clone(session));
        }
        if current.take().is_some() {
            tracing::warn!(broker = self.address.at(), "connection to the broker was lost; connecting anew");
        }
        let session = Session::connect(&self.address).await?;
        if let Some(topology) = self.declared() {
            declare::declare(&session.channel().await?, &topology).await?;
        }
        tracing::info!(broker = self.address.at(), "connected to the broker");
        let session = Arc::new(session);
        *current = Some(Arc::clone(&session));
        Ok(session)
    }
}

impl Broker for RabbitMq {
    const SYSTEM: &'static str = "rabbitmq";

    type Subscription = RabbitSubscription;

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        let session = self.shared.session().await?;
        declare::declare(&session.channel().await?, topology).await?;
        *self.shared.topology.lock().unwrap_or_else(PoisonError::into_inner) = Some(topology.clone());
        Ok(())
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<(), BrokerError> {
        let addressed: Vec<Addressed> =
            messages.into_iter().map(Addressed::parse).collect::<Result<_, _>>()?;
        self.shared.send(addressed).await
    }

    async fn subscribe(&self, queue: &str, prefetch: u16) -> Result<RabbitSubscription, BrokerError> {
        let Some(topology) = self.shared.declared() else {
            return Err(BrokerError::Undeclared { queue: queue.to_owned() });
        };
        let doing = format!("subscribe to {queue}");
        let channel = self.shared.session().await?.channel().await?;
        let open = || channel.status().connected();
        answered(&doing, open, channel.basic_qos(prefetch.max(1), BasicQosOptions::default())).await?;
        let consume = channel.basic_consume(
            short("queue name", queue)?,
            short("consumer tag", "")?,
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = answered(&doing, open, consume).await?;
        Ok(RabbitSubscription::new(Arc::clone(&self.shared), topology.names, queue, channel, consumer))
    }

    async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        let channel = self.shared.session().await?.channel().await?;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declared = channel.queue_declare(short("queue name", queue)?, options, FieldTable::default());
        let found =
            answered(&format!("count the messages in {queue}"), || channel.status().connected(), declared)
                .await?;
        Ok(u64::from(found.message_count()))
    }

    async fn reachable(&self) -> Result<(), BrokerError> {
        let probe = async {
            let session = self.shared.session().await?;
            // A connection that was cut on the way still counts as connected here: only an answer proves it.
            session.channel().await?;
            if session.blocked() { Err(BrokerError::Blocked) } else { Ok(()) }
        };
        tokio::time::timeout(PROBE_TIMEOUT, probe).await.unwrap_or_else(|_| {
            Err(BrokerError::TimedOut { doing: "show that it is there".to_owned(), after: PROBE_TIMEOUT })
        })
    }
}
