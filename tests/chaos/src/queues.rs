use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Names, RetryTier, Topology};
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use mapping::Pair;
use model::PairName;
use servers::wait_until_async;

use crate::PAIR;

/// A message that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue that it came from.
    pub origin: String,
    /// Why it could not be handled.
    pub reason: String,
    /// What it says.
    pub body: Vec<u8>,
}

/// How many messages there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Depths {
    /// In each queue of work, and where messages rest before they are tried again, unless it is empty.
    pub waiting: BTreeMap<String, u32>,
    /// That could not be handled.
    pub dead: u32,
}

async fn depth(channel: &Channel, queue: &str) -> Result<u32, lapin::Error> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let declared = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(declared.message_count())
}

/// The queues of a world, as an operator sees them.
#[derive(Debug)]
pub struct Queues {
    url: String,
    names: Names,
    topology: Topology,
}

impl Queues {
    pub(crate) fn new(url: String, namespace: &str, pairs: &[Pair]) -> Self {
        let topology = service::topology(namespace, pairs);
        Self { url, names: topology.names.clone(), topology }
    }

    /// How many messages wait in the queues of work and where messages rest, and how many are dead; or why that can't
    /// be said now.
    pub async fn depths(&self) -> Result<Depths, lapin::Error> {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let mut depths = Depths::default();
        let resting = RetryTier::ALL.map(|tier| self.names.retry(tier));
        for name in self.topology.work_queues.iter().chain(&resting) {
            let waiting = depth(&channel, name).await?;
            if waiting > 0 {
                depths.waiting.insert(name.clone(), waiting);
            }
        }
        depths.dead = depth(&channel, &self.names.dead_letters()).await?;
        connection.close(200, "done".into()).await?;
        Ok(depths)
    }

    /// The name of the pair's queue.
    pub fn pair(&self) -> String {
        self.names.pair(&PairName::parse(PAIR).unwrap())
    }

    async fn channel(&self) -> (Connection, Channel) {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    /// Puts a message into a queue.
    pub async fn publish(&self, queue: &str, body: &[u8]) {
        let (connection, channel) = self.channel().await;
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        channel.basic_publish("".into(), queue.into(), options, body, properties).await.unwrap();
        connection.close(200, "done".into()).await.unwrap();
    }

    /// Waits for a dead letter and takes it.
    pub async fn dead_letter(&self, limit: Duration) -> DeadLetter {
        let (connection, channel) = self.channel().await;
        let queue = self.names.dead_letters();
        let message = wait_until_async("a dead letter", limit, async || {
            let options = BasicGetOptions { no_ack: true };
            let got = channel.basic_get(queue.as_str().into(), options).await.unwrap();
            got.ok_or("none is there")
        })
        .await;
        connection.close(200, "done".into()).await.unwrap();
        let header = |name: &str| {
            let headers = message.delivery.properties.headers().as_ref();
            match headers.and_then(|headers| headers.inner().get(name)) {
                Some(AMQPValue::LongString(text)) => text.to_string(),
                other => format!("{other:?}"),
            }
        };
        DeadLetter {
            origin: header("x-tandem-origin"),
            reason: header("x-tandem-reason"),
            body: message.delivery.data.clone(),
        }
    }

    /// Removes all queues and exchanges of the world.
    pub(crate) async fn delete_all(&self) {
        let (connection, channel) = self.channel().await;
        let mut queues = self.topology.work_queues.clone();
        queues.push(self.names.dead_letters());
        queues.extend(RetryTier::ALL.map(|tier| self.names.retry(tier)));
        for queue in queues {
            channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        }
        let mut exchanges = vec![self.names.observations()];
        exchanges.extend(RetryTier::ALL.map(|tier| self.names.retry_exchange(tier)));
        for exchange in exchanges {
            let options = ExchangeDeleteOptions::default();
            channel.exchange_delete(exchange.as_str().into(), options).await.unwrap();
        }
        connection.close(200, "done".into()).await.unwrap();
    }
}
