//! A message as AMQP carries it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::session::short;
use crate::BrokerError;
use crate::message::{ATTEMPT_HEADER, Message};

/// Every body is a CloudEvents envelope.
const CONTENT_TYPE: &str = "application/cloudevents+json";
/// AMQP's number for a message that is kept on disk.
const PERSISTENT: u8 = 2;
/// RabbitMQ's own account of how a message died: read here, and not sent on.
const DEATHS_HEADER: &str = "x-death";

/// The properties of a message, which rests for so long where messages rest; its body travels beside them.
pub(super) fn properties(message: &Message, rests: Option<Duration>) -> Result<BasicProperties, BrokerError> {
    let mut headers = FieldTable::default();
    for (name, value) in &message.headers {
        headers.insert(short("header name", name)?, AMQPValue::LongString(value.as_str().into()));
    }
    if message.attempt > 1 {
        let attempt = message.attempt.to_string();
        headers.insert(ATTEMPT_HEADER.into(), AMQPValue::LongString(attempt.into()));
    }
    let mut properties = BasicProperties::default()
        .with_content_type(CONTENT_TYPE.into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(short("id", &message.id)?)
        .with_headers(headers);
    if let Some(rests) = rests {
        properties = properties.with_expiration(short("expiration", &rests.as_millis().to_string())?);
    }
    if let Some(seconds) = message.at.and_then(|at| u64::try_from(at.as_second()).ok()) {
        properties = properties.with_timestamp(seconds);
    }
    Ok(properties)
}

/// The message that arrived in a queue. Headers that are no text, and the broker's own, are left out.
pub(super) fn message(properties: &BasicProperties, body: Vec<u8>, dead_letters: &str) -> Message {
    let table = properties.headers().as_ref().map(FieldTable::inner);
    let headers: BTreeMap<String, String> = table
        .into_iter()
        .flatten()
        .filter(|(name, _)| !is_the_brokers_own(name.as_str()))
        .filter_map(|(name, value)| Some((name.to_string(), as_text(value)?)))
        .collect();
    let at = properties.timestamp().and_then(|seconds| i64::try_from(seconds).ok());
    let at = at.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let id = properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default();
    let message = Message::new(id, headers, at, body);
    match table.and_then(|table| table.get(DEATHS_HEADER)).and_then(queue_that_gave_up) {
        Some(queue) => message.dead_by_limit(&queue, dead_letters),
        None => message,
    }
}

fn is_the_brokers_own(name: &str) -> bool {
    name == DEATHS_HEADER
        || name == "x-delivery-count"
        || name == "x-acquired-count"
        || name.starts_with("x-first-death-")
        || name.starts_with("x-last-death-")
}

fn as_text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

/// The queue in which a message met its delivery limit, if it did.
fn queue_that_gave_up(deaths: &AMQPValue) -> Option<String> {
    let AMQPValue::FieldArray(deaths) = deaths else { return None };
    deaths.as_slice().iter().find_map(|death| {
        let AMQPValue::FieldTable(death) = death else { return None };
        let field = |name: &str| death.inner().get(name).and_then(as_text);
        (field("reason")? == "delivery_limit").then(|| field("queue")).flatten()
    })
}
