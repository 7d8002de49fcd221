use std::time::Duration;

/// Why a broker could not do what it was asked. No variant holds the broker's password.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The broker's address can't be read.
    #[error("the broker's address is not usable: {reason}; write amqp://user:password@host:5672/vhost")]
    Address {
        /// What is wrong with it, without the address itself.
        reason: String,
    },
    /// The address asks for TLS, which this build does not have.
    #[error(
        "the broker's address begins with amqps, and this build has no TLS; build with the feature `tls`"
    )]
    NoTls,
    /// A connection could not be made.
    #[error("could not connect to the broker at {at}; check that it runs and that the address is right")]
    Unreachable {
        /// Host and port.
        at: String,
        /// Why.
        #[source]
        source: lapin::Error,
    },
    /// The broker knows neither the user nor the password, or does not let the user do this.
    #[error(
        "the broker refused access to {doing}; check the user, the password, the vhost and the user's rights"
    )]
    AccessRefused {
        /// What was being done.
        doing: String,
        /// The broker's words.
        #[source]
        source: lapin::Error,
    },
    /// The connection or a channel was lost. Whether the broker did what it was asked is not known.
    #[error("lost the connection to the broker while trying to {doing}")]
    Lost {
        /// What was being done.
        doing: String,
        /// Why; `None` when the channel had ended before.
        #[source]
        source: Option<lapin::Error>,
    },
    /// The broker did not answer in time. Whether it did what it was asked is not known.
    #[error("the broker did not answer within {after:?} while trying to {doing}")]
    TimedOut {
        /// What was being done.
        doing: String,
        /// How long it was waited.
        after: Duration,
    },
    /// The broker takes no messages at present: it is short of memory or disk.
    #[error("the broker has blocked this connection; it is short of memory or disk")]
    Blocked,
    /// A queue or exchange exists with other arguments than it should have.
    #[error(
        "could not {doing}: it exists with other arguments; delete it once it is empty, or use another namespace"
    )]
    Mismatch {
        /// What was being done.
        doing: String,
        /// The broker's words.
        #[source]
        source: lapin::Error,
    },
    /// A queue or exchange does not exist.
    #[error("could not {doing}: it does not exist; declare the topology")]
    Missing {
        /// What was being done.
        doing: String,
    },
    /// Nothing is bound where the message was sent.
    #[error(
        "no queue takes messages from exchange {exchange:?} with routing key {routing_key:?}; declare the topology"
    )]
    Unroutable {
        /// The exchange.
        exchange: String,
        /// The routing key.
        routing_key: String,
    },
    /// The broker did not take the message: a queue is full, or had to be given up.
    #[error("the broker refused a message to exchange {exchange:?} with routing key {routing_key:?}")]
    Refused {
        /// The exchange.
        exchange: String,
        /// The routing key.
        routing_key: String,
    },
    /// A queue of the in-process broker stayed full for as long as publishing waits.
    #[error("queue {queue} holds {messages} messages and stayed full for {after:?}; its consumer is behind")]
    Full {
        /// The queue.
        queue: String,
        /// How many messages it holds.
        messages: usize,
        /// How long it was waited.
        after: Duration,
    },
    /// The broker answered without a confirmation, though the channel asks for them: a fault of this crate.
    #[error("the broker was not asked to confirm; this is a fault in the program")]
    ConfirmsOff,
    /// A part of the message is longer than AMQP can carry.
    #[error("the {what} of a message may have at most {max} bytes, this one has {bytes}")]
    TooLong {
        /// The part.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest that can be carried.
        max: usize,
    },
    /// A subscription was asked for before any topology was declared.
    #[error(
        "can't subscribe to {queue}: no topology has been declared through this broker; declare it first"
    )]
    Undeclared {
        /// The queue.
        queue: String,
    },
    /// The broker ended a subscription: the queue was deleted or moved.
    #[error("the broker ended the subscription to {queue}")]
    Ended {
        /// The queue.
        queue: String,
    },
}

impl BrokerError {
    /// Whether the same call may succeed later with nothing repaired by a person or declared anew.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::Blocked
            | Self::Refused { .. }
            | Self::Full { .. }
            | Self::Ended { .. } => true,
            Self::Address { .. }
            | Self::NoTls
            | Self::AccessRefused { .. }
            | Self::Mismatch { .. }
            | Self::Missing { .. }
            | Self::Unroutable { .. }
            | Self::ConfirmsOff
            | Self::TooLong { .. }
            | Self::Undeclared { .. } => false,
        }
    }
}
