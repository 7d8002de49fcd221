//! What can go wrong.

use broker::BrokerError;

/// Why an operation could not be carried out, or not whole.
#[derive(Debug, thiserror::Error)]
pub enum OperationsError {
    /// The broker failed.
    #[error("the broker did not do what was asked; look at the dead letters again: what was done is done")]
    Broker(#[from] BrokerError),
}
