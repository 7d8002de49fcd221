//! The message broker: a port, RabbitMQ, and an in-process broker.
//!
//! [`Broker`] is what the services see. [`RabbitMq`] keeps its promises with quorum queues, publisher confirms and
//! manual acknowledgement; [`InProcess`] keeps them within one process. Both pass one conformance suite.
//!
//! Delivery is at least once: a message may come twice, never not at all. A settlement that sends a message on
//! (a retry, a dead letter) has been confirmed before the original is acknowledged.

mod error;
mod in_process;
mod message;
mod port;
mod rabbitmq;

#[cfg(test)]
mod conformance;

pub use contract::DELIVERY_LIMIT;
pub use error::BrokerError;
pub use in_process::{InProcess, InProcessDelivery, InProcessSubscription};
pub use message::{ATTEMPT_HEADER, ORIGIN_HEADER, REASON_HEADER};
pub use port::{Broker, Delivery, Outgoing, Settlement, Subscription};
pub use rabbitmq::{RabbitDelivery, RabbitMq, RabbitSubscription};
