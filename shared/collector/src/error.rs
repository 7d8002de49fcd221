//! What can go wrong while collecting.

use std::error::Error;

use broker::BrokerError;
use model::FailureClass;
use service::Transient;
use store::{LinksError, StoreError};

/// A failure of a collector.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// The cursor or the lease could not be read or kept.
    #[error("could not read or keep the cursor")]
    Store(#[from] StoreError),
    /// The directory of users and lists could not be kept.
    #[error("could not read or keep the directory of users and lists")]
    Links(#[from] LinksError),
    /// The broker failed.
    #[error("could not publish what was read")]
    Broker(#[from] BrokerError),
    /// The system failed.
    #[error("could not read from the system")]
    Source {
        /// What the failure means.
        class: FailureClass,
        /// What it said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The lease went to another collector, which goes on from the cursor.
    #[error("another collector has taken over")]
    TakenOver,
}

impl Transient for CollectorError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Links(error) => error.is_transient(),
            Self::Broker(error) => error.is_transient(),
            // A system that refuses us stops its own connection only, and may be repaired at any time.
            Self::Source { .. } | Self::TakenOver => true,
        }
    }
}
