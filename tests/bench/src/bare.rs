//! The least that the work takes on this machine: each message goes through the same three quorum queues, is met by two
//! scripts in Redis and makes one call over HTTP, and nothing is decided. One process does it all.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use redis::Script;
use redis::aio::MultiplexedConnection;
use simulator_customcrm::{Limits, Running, Settings, Simulator};

/// About what one of Tandem's messages holds.
const BODY_BYTES: usize = 1_500;
/// Messages in hand at each queue at a time.
const IN_HAND: usize = 64;
/// As many messages await their confirmation at once at most.
const UNCONFIRMED: usize = 500;
const QUEUES: [&str; 3] = ["bare.observed", "bare.writes", "bare.outcomes"];

/// What the loop works on; it has a CRM of its own.
pub(crate) struct Bare {
    connection: Connection,
    redis: MultiplexedConnection,
    script: Script,
    crm: Running,
    records: Vec<String>,
    http: reqwest::Client,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Bare {
    pub(crate) async fn start(amqp: &str, redis: &str, records: usize) -> Result<Self, Failure> {
        let connection = Connection::connect(amqp, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        for queue in QUEUES {
            let mut arguments = FieldTable::default();
            for (name, value) in [("x-queue-type", "quorum"), ("x-overflow", "reject-publish")] {
                arguments.insert(name.into(), AMQPValue::LongString(value.into()));
            }
            channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await?;
        }
        let client = redis::Client::open(redis)?;
        let redis = client.get_multiplexed_async_connection().await?;
        let limits = Limits { calls: 100_000_000, ..Limits::default() };
        let crm = Simulator::start(Settings { limits, ..Settings::default() }).await?;
        let made = (0..records).map(|number| format!(r#"{{"Name":"Bare {number}"}}"#));
        let records = crm.control.seed("customers", made)?;
        let script = Script::new("redis.call('HSET', KEYS[1], 'r', ARGV[1], 'v', ARGV[2]) return ARGV[1]");
        Ok(Self { connection, redis, script, crm, records, http: reqwest::Client::new() })
    }

    /// Moves a message for each record; gives the time that it took.
    pub(crate) async fn run(&self) -> Result<Duration, Failure> {
        let count = self.records.len();
        let publisher = self.publisher().await?;
        // The first queue is full before the time begins, as a backlog is.
        let body = vec![b'x'; BODY_BYTES];
        stream::iter(0..count)
            .map(|number| confirmed(&publisher, QUEUES[0], number, &body))
            .buffer_unordered(UNCONFIRMED)
            .try_collect::<Vec<()>>()
            .await?;
        let begun = Instant::now();
        tokio::try_join!(
            self.relay(QUEUES[0], Some(QUEUES[1]), false),
            self.relay(QUEUES[1], Some(QUEUES[2]), true),
            self.relay(QUEUES[2], None, false)
        )?;
        Ok(begun.elapsed())
    }

    pub(crate) async fn end(self) -> Result<(), Failure> {
        let channel = self.connection.create_channel().await?;
        for queue in QUEUES {
            channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await?;
        }
        Ok(self.connection.close(200, "done".into()).await?)
    }

    async fn publisher(&self) -> Result<Channel, Failure> {
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    /// The channel must outlive the consumer, for its last messages are acknowledged on it.
    async fn consumer(&self, queue: &str) -> Result<(Channel, Consumer), Failure> {
        let channel = self.connection.create_channel().await?;
        let in_hand = u16::try_from(IN_HAND)?;
        channel.basic_qos(in_hand, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
        Ok((channel, consumer))
    }

    /// Takes every message of a queue, does its part of the work and passes it on.
    async fn relay(&self, from: &str, to: Option<&str>, calls: bool) -> Result<(), Failure> {
        let publisher = self.publisher().await?;
        let (_channel, consumer) = self.consumer(from).await?;
        consumer
            .take(self.records.len())
            .map_err(Failure::from)
            .try_for_each_concurrent(IN_HAND, |delivery| {
                let publisher = &publisher;
                async move {
                    let number = delivery.properties.message_id().as_ref().map_or("0", |id| id.as_str());
                    let number: usize = number.parse()?;
                    if let Some(to) = to {
                        self.script_call(number, &delivery.data).await?;
                        if calls {
                            self.http_call(number).await?;
                        }
                        confirmed(publisher, to, number, &delivery.data).await?;
                    }
                    delivery.acker.ack(BasicAckOptions::default()).await?;
                    Ok(())
                }
            })
            .await
    }

    async fn script_call(&self, number: usize, body: &[u8]) -> Result<(), Failure> {
        let mut redis = self.redis.clone();
        let key = format!("bare:{number}");
        let _: String = self.script.key(key).arg(number).arg(body).invoke_async(&mut redis).await?;
        Ok(())
    }

    async fn http_call(&self, number: usize) -> Result<(), Failure> {
        let url = format!("{}/customers/{}", self.crm.base_url, self.records[number]);
        let patch = serde_json::json!({ "Phone": format!("+31 {number}") });
        let call = self.http.patch(url).bearer_auth(&self.crm.human_token).json(&patch);
        let answer = call.send().await?.error_for_status()?;
        answer.bytes().await?;
        Ok(())
    }
}

async fn confirmed(channel: &Channel, queue: &str, number: usize, body: &[u8]) -> Result<(), Failure> {
    let properties =
        BasicProperties::default().with_delivery_mode(2).with_message_id(number.to_string().into());
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let confirmation = channel.basic_publish("".into(), queue.into(), options, body, properties).await?;
    if confirmation.await?.is_ack() { Ok(()) } else { Err("a message of the bare loop was refused".into()) }
}
