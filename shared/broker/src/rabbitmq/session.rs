use std::sync::Arc;

use lapin::options::ConfirmSelectOptions;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::types::ShortString;
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};
use tokio::sync::mpsc;

use super::address::Address;
use super::publish::{self, Shipment};
use super::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, LOSS_CHECKED_EVERY};
use crate::BrokerError;

/// A connection, and the way to publish on it.
pub(super) struct Session {
    connection: Arc<Connection>,
    shipments: mpsc::Sender<Shipment>,
}

impl Session {
    pub(super) async fn connect(address: &Address) -> Result<Self, BrokerError> {
        let properties = ConnectionProperties::default().with_connection_name(address.name().into());
        let connecting = async {
            let runtime = lapin::runtime::default_runtime()?;
            Connection::connect_uri_with_config(address.uri(), properties, address.tls(), runtime).await
        };
        let doing = || format!("connect to {}", address.at());
        match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
            Err(_) => Err(BrokerError::TimedOut { doing: doing(), after: CONNECT_TIMEOUT }),
            Ok(Ok(connection)) => {
                let connection = Arc::new(connection);
                let shipments = publish::start(&connection);
                Ok(Self { connection, shipments })
            }
            Ok(Err(error)) => Err(match classified(&doing(), error) {
                BrokerError::Lost { source: Some(source), .. } => {
                    BrokerError::Unreachable { at: address.at().to_owned(), source }
                }
                other => other,
            }),
        }
    }

    /// Whether the connection is not known to be lost.
    pub(super) fn works(&self) -> bool {
        self.connection.status().connected()
    }

    /// Ends the connection, as its loss would.
    #[cfg(test)]
    pub(super) async fn cut(&self) {
        let _ = self.connection.close(200, "cut".into()).await;
    }

    /// Whether the broker takes no messages because it is short of memory or disk.
    pub(super) fn blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// A new channel; it closes when its last clone is dropped.
    pub(super) async fn channel(&self) -> Result<Channel, BrokerError> {
        opened(&self.connection).await
    }

    /// Where messages go that are to be published.
    pub(super) const fn shipments(&self) -> &mpsc::Sender<Shipment> {
        &self.shipments
    }
}

/// A new channel that asks for confirms.
pub(super) async fn confirming(connection: &Connection) -> Result<Channel, BrokerError> {
    let channel = opened(connection).await?;
    let selected = channel.confirm_select(ConfirmSelectOptions::default());
    answered("ask for confirms", || channel.status().connected(), selected).await?;
    Ok(channel)
}

async fn opened(connection: &Connection) -> Result<Channel, BrokerError> {
    answered("open a channel", || connection.status().connected(), connection.create_channel()).await
}

/// Waits for an answer of the broker for a bounded time, and for no longer than `open` says that the connection or
/// the channel is there.
pub(super) async fn answered<T>(
    doing: &str,
    open: impl Fn() -> bool,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BrokerError> {
    tokio::select! {
        biased;
        answer = tokio::time::timeout(ANSWER_TIMEOUT, answer) => match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(classified(doing, error)),
            Err(_) => Err(BrokerError::TimedOut { doing: doing.to_owned(), after: ANSWER_TIMEOUT }),
        },
        () = lost(open) => Err(BrokerError::Lost { doing: doing.to_owned(), source: None }),
    }
}

/// Ends a moment after `open` has become false.
///
/// What is asked in the very moment when the connection is lost gets no answer from the client library, neither
/// good nor bad. The moment is for the answers that explain the loss.
pub(super) async fn lost(open: impl Fn() -> bool) {
    while open() {
        tokio::time::sleep(LOSS_CHECKED_EVERY).await;
    }
    tokio::time::sleep(LOSS_CHECKED_EVERY).await;
}

/// What RabbitMQ says of a queue that is there and can't be reached.
const INACCESSIBLE: &str = "is down or inaccessible";

/// What an error of the client library means. Whatever it does not say more of, a new connection may mend.
pub(super) fn classified(doing: &str, source: lapin::Error) -> BrokerError {
    let doing = doing.to_owned();
    let ErrorKind::ProtocolError(error) = source.kind() else {
        return BrokerError::Lost { doing, source: Some(source) };
    };
    match error.kind() {
        // RabbitMQ calls a queue not found, too, whose node is away, or is just taking it over.
        AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)
            if !error.get_message().as_str().contains(INACCESSIBLE) =>
        {
            BrokerError::Missing { doing }
        }
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
        | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => BrokerError::AccessRefused { doing, source },
        AMQPErrorKind::Soft(_) | AMQPErrorKind::Hard(_) => BrokerError::Lost { doing, source: Some(source) },
    }
}

/// A name as AMQP carries it: at most 255 bytes.
pub(super) fn short(what: &'static str, text: &str) -> Result<ShortString, BrokerError> {
    ShortString::try_new(text).map_err(|_| BrokerError::TooLong { what, bytes: text.len(), max: 255 })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lapin::protocol::AMQPError;

    use super::*;

    fn not_found(words: &str) -> BrokerError {
        let kind = AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND);
        let error = AMQPError::new(kind, ShortString::try_new(words).unwrap());
        classified("declare queue q", ErrorKind::ProtocolError(error).into())
    }

    #[test]
    fn a_queue_whose_node_is_away_is_waited_for_and_one_that_is_not_there_is_not() {
        let away = "NOT_FOUND - home node 'rabbit@localhost' of durable queue 'q' in vhost '/' is down or inaccessible";
        assert!(not_found(away).is_transient());
        assert!(!not_found("NOT_FOUND - no queue 'q' in vhost '/'").is_transient());
    }
}
