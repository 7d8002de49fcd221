//! What can go wrong while writing.

use broker::BrokerError;
use service::Transient;
use store::LinksError;

/// A failure of a writer's own ground. What the system answers is no failure of the writer: it becomes an outcome,
/// or the write is tried again.
#[derive(Debug, thiserror::Error)]
pub enum WriterError {
    /// The link could not be read or claimed.
    #[error("could not read or claim a link")]
    Links(#[from] LinksError),
    /// The broker failed.
    #[error("could not take from or give to the broker")]
    Broker(#[from] BrokerError),
}

impl WriterError {
    /// Whether the store failed: the broker's session is as it was.
    pub(crate) const fn is_of_store(&self) -> bool {
        matches!(self, Self::Links(_))
    }
}

impl Transient for WriterError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Links(error) => error.is_transient(),
            Self::Broker(error) => error.is_transient(),
        }
    }
}
