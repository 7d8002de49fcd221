//! What can go wrong in the mapper.

use broker::BrokerError;
use model::{EntityName, PairName, System};
use service::Transient;
use store::LinksError;

/// A failure of the mapper. Bad messages are no failure: they become dead letters with a reason.
#[derive(Debug, thiserror::Error)]
pub enum MapperError {
    /// Links could not be read or committed.
    #[error("could not read or commit a link")]
    Links(#[from] LinksError),
    /// The broker failed.
    #[error("could not take from or give to the broker")]
    Broker(#[from] BrokerError),
}

impl MapperError {
    /// Whether the store failed: the broker's session is as it was.
    pub(crate) const fn is_of_store(&self) -> bool {
        matches!(self, Self::Links(_))
    }
}

impl Transient for MapperError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Links(error) => error.is_transient(),
            Self::Broker(error) => error.is_transient(),
        }
    }
}

/// Why a message can never be handled as it stands.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadMessage {
    /// It can't be read.
    #[error("it can't be read")]
    Unreadable(#[source] contract::MessageError),
    /// It is not for a pair's queue.
    #[error("a write does not belong on a pair's queue")]
    Misplaced,
    /// The connection is not configured here.
    #[error(
        "the connection {0:?} is not configured here: add it to the configuration, or discard the message"
    )]
    UnknownConnection(String),
    /// The pair does not have this entity.
    #[error("the pair {pair} has no entity {entity} in {system}: correct the binding of its queue")]
    UnknownEntity {
        /// The pair.
        pair: PairName,
        /// The entity.
        entity: EntityName,
        /// The system.
        system: System,
    },
}
