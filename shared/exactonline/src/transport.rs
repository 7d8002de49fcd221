//! How calls leave for Exact Online, and what it means where no answer came.

use wire::{Answer, Bounds, Effect, Failure, Wire};

use crate::{Error, Settings};

impl Settings {
    pub(crate) fn wire(&self) -> Result<Wire, Error> {
        let bounds =
            Bounds { connect: self.connect_timeout, call: self.timeout, body_bytes: self.body_bytes_max };
        Wire::new(bounds).map_err(Error::Client)
    }
}

/// What a call led to, by what it does over there.
pub(crate) fn answered(effect: Effect, answered: Result<Answer, Failure>) -> Result<Answer, Error> {
    answered.map_err(|failure| match (effect, failure) {
        (_, Failure::Late) => Error::Late,
        // Nothing left this machine.
        (_, failure @ Failure::Unreachable(_)) => Error::Unreachable(failure),
        (Effect::Read, Failure::TooLarge { bytes_max }) => Error::TooLarge { bytes_max },
        (Effect::Write, Failure::TooLarge { bytes_max }) => {
            Error::WriteUnreadable(Box::new(Error::TooLarge { bytes_max }))
        }
        (Effect::Read, failure @ Failure::Lost(_)) => Error::ReadLost(failure),
        (Effect::Write, failure @ Failure::Lost(_)) => Error::WriteLost(failure),
    })
}
