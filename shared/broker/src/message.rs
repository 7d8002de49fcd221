//! A message as both brokers hold it, and what becomes of it when it is sent on.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::{BrokerError, Outgoing};

/// The header that holds why a message was retried last, or why it is a dead letter.
pub const REASON_HEADER: &str = "x-tandem-reason";
/// The header of a dead letter that holds the queue it came from.
pub const ORIGIN_HEADER: &str = "x-tandem-origin";
/// The header that holds which attempt a message is at, from 1. It is read by `attempt()` and kept out of `headers()`.
pub const ATTEMPT_HEADER: &str = "x-tandem-attempt";

/// AMQP's limit for the names and ids in a message.
const SHORT_TEXT_BYTES_MAX: usize = 255;
/// All headers must fit in one frame, of which RabbitMQ takes 128 KiB.
const HEADERS_BYTES_MAX: usize = 64 * 1024;
/// A reason may hold a remote's own words, which have no bounds of their own.
const REASON_BYTES_MAX: usize = 2_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) attempt: u32,
    pub(crate) at: Option<Timestamp>,
    pub(crate) body: Vec<u8>,
}

/// A message and where it goes.
#[derive(Debug, Clone)]
pub(crate) struct Addressed {
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) message: Message,
    /// How long it may lie in a queue where messages rest; `None`: as long as the queue says.
    pub(crate) rests: Option<Duration>,
}

impl Addressed {
    /// Reads what a caller wants to publish; what AMQP can't carry is refused.
    pub(crate) fn parse(outgoing: Outgoing) -> Result<Self, BrokerError> {
        let Outgoing { exchange, routing_key, id, headers, at, body } = outgoing;
        within("exchange", exchange.len(), SHORT_TEXT_BYTES_MAX)?;
        within("routing key", routing_key.len(), SHORT_TEXT_BYTES_MAX)?;
        within("id", id.len(), SHORT_TEXT_BYTES_MAX)?;
        for name in headers.keys() {
            within("header name", name.len(), SHORT_TEXT_BYTES_MAX)?;
        }
        let headers_bytes = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        within("header list", headers_bytes, HEADERS_BYTES_MAX)?;
        let message = Message::new(id, headers, Some(whole_seconds(at)), body);
        Ok(Self { exchange, routing_key, message, rests: None })
    }
}

impl Message {
    /// Takes the attempt out of the headers.
    pub(crate) fn new(
        id: String,
        mut headers: BTreeMap<String, String>,
        at: Option<Timestamp>,
        body: Vec<u8>,
    ) -> Self {
        let attempt = headers.remove(ATTEMPT_HEADER).and_then(|text| text.parse().ok()).unwrap_or(1);
        Self { id, headers, attempt: attempt.max(1), at, body }
    }

    /// The same message for its next attempt.
    pub(crate) fn retried(mut self, reason: &str) -> Self {
        self.attempt = self.attempt.saturating_add(1);
        self.headers.insert(REASON_HEADER.to_owned(), shortened(reason));
        self
    }

    /// The same message as a dead letter from `queue`. A dead letter that dies again keeps its first origin.
    pub(crate) fn dead(mut self, queue: &str, dead_letters: &str, reason: &str) -> Self {
        self.headers.insert(REASON_HEADER.to_owned(), shortened(reason));
        if queue != dead_letters {
            self.headers.insert(ORIGIN_HEADER.to_owned(), queue.to_owned());
        }
        self
    }

    /// The same message as a dead letter that came back unsettled too often.
    pub(crate) fn dead_by_limit(self, queue: &str, dead_letters: &str) -> Self {
        let reason = format!("handed out more than {} times and never settled", crate::DELIVERY_LIMIT);
        self.dead(queue, dead_letters, &reason)
    }
}

fn within(what: &'static str, bytes: usize, max: usize) -> Result<(), BrokerError> {
    if bytes > max { Err(BrokerError::TooLong { what, bytes, max }) } else { Ok(()) }
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn shortened(reason: &str) -> String {
    reason[..reason.floor_char_boundary(REASON_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests;
