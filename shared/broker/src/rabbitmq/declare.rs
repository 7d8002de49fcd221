use contract::{RetryTier, Topology};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ErrorKind, ExchangeKind};

use super::session::{answered, short};
use crate::{BrokerError, DELIVERY_LIMIT};

/// Queues in which a message may rest and be looked at for as long as it takes. RabbitMQ 4 has a limit of 20 where
/// none is named, and 3.10 knows no word for "none".
const NO_DELIVERY_LIMIT: i32 = i32::MAX;

/// Makes the topology exist: dead letters first, because the others lead there.
pub(super) async fn declare(channel: &Channel, topology: &Topology) -> Result<(), BrokerError> {
    let names = &topology.names;
    queue(channel, &names.dead_letters(), arguments(NO_DELIVERY_LIMIT)).await?;
    for tier in RetryTier::ALL {
        queue(channel, &names.retry(tier), resting(tier)).await?;
        exchange(channel, &names.retry_exchange(tier), ExchangeKind::Fanout).await?;
        bind(channel, &names.retry(tier), &names.retry_exchange(tier), "").await?;
    }
    exchange(channel, &names.observations(), ExchangeKind::Topic).await?;
    for name in &topology.work_queues {
        queue(channel, name, work(&names.dead_letters())).await?;
    }
    for (name, pattern) in &topology.bindings {
        bind(channel, name, &names.observations(), pattern).await?;
    }
    Ok(())
}

/// A queue that expired messages leave for the queue that their routing key names.
fn resting(tier: RetryTier) -> FieldTable {
    let mut table = dead_lettering(NO_DELIVERY_LIMIT);
    let milliseconds = i64::try_from(tier.delay().as_millis()).unwrap_or(i64::MAX);
    table.insert("x-message-ttl".into(), AMQPValue::LongLongInt(milliseconds));
    table
}

/// A queue whose messages become dead letters when they come back unsettled too often.
fn work(dead_letters: &str) -> FieldTable {
    let mut table = dead_lettering(i32::try_from(DELIVERY_LIMIT).unwrap_or(i32::MAX));
    table.insert("x-dead-letter-routing-key".into(), text(dead_letters));
    table
}

/// A message leaves such a queue only once the next one has confirmed it.
fn dead_lettering(delivery_limit: i32) -> FieldTable {
    let mut table = arguments(delivery_limit);
    table.insert("x-dead-letter-exchange".into(), text(""));
    table.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    table.insert("x-overflow".into(), text("reject-publish"));
    table
}

fn arguments(delivery_limit: i32) -> FieldTable {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    table.insert("x-delivery-limit".into(), AMQPValue::LongInt(delivery_limit));
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) -> Result<(), BrokerError> {
    let declared =
        channel.queue_declare(short("queue name", name)?, QueueDeclareOptions::durable(), arguments);
    answered(&format!("declare queue {name}"), || channel.status().connected(), declared)
        .await
        .map_err(mismatch)?;
    Ok(())
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<(), BrokerError> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared =
        channel.exchange_declare(short("exchange name", name)?, kind, options, FieldTable::default());
    answered(&format!("declare exchange {name}"), || channel.status().connected(), declared)
        .await
        .map_err(mismatch)
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, pattern: &str) -> Result<(), BrokerError> {
    let bound = channel.queue_bind(
        short("queue name", queue)?,
        short("exchange name", exchange)?,
        short("routing pattern", pattern)?,
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    answered(&format!("bind queue {queue} to exchange {exchange}"), || channel.status().connected(), bound)
        .await
}

/// While declaring, a failed precondition means other arguments than ours.
fn mismatch(error: BrokerError) -> BrokerError {
    let failed_precondition = |source: &lapin::Error| {
        matches!(source.kind(), ErrorKind::ProtocolError(error)
            if *error.kind() == AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED))
    };
    match error {
        BrokerError::Lost { doing, source: Some(source) } if failed_precondition(&source) => {
            BrokerError::Mismatch { doing, source }
        }
        other => other,
    }
}
