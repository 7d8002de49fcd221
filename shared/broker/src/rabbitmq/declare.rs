use std::collections::BTreeMap;

use contract::{Argument, RetryTier, Topology};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ErrorKind, ExchangeKind};

use super::session::{answered, short};
use crate::BrokerError;

/// Makes the topology exist.
pub(super) async fn declare(channel: &Channel, topology: &Topology) -> Result<(), BrokerError> {
    let names = &topology.names;
    for declared in topology.queues() {
        queue(channel, &declared.name, table(&topology.arguments(declared.kind))).await?;
    }
    for tier in RetryTier::ALL {
        exchange(channel, &names.retry_exchange(tier), ExchangeKind::Fanout).await?;
        bind(channel, &names.retry(tier), &names.retry_exchange(tier), "").await?;
    }
    exchange(channel, &names.observations(), ExchangeKind::Topic).await?;
    for (name, pattern) in &topology.bindings {
        bind(channel, name, &names.observations(), pattern).await?;
    }
    Ok(())
}

fn table(arguments: &BTreeMap<&'static str, Argument>) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, argument) in arguments {
        let value = match argument {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Argument::Number(number) => AMQPValue::LongLongInt(i64::from(*number)),
        };
        table.insert((*name).into(), value);
    }
    table
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
