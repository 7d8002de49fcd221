//! What can go wrong with the simulator itself, as opposed to what the service refuses.

use std::net::SocketAddr;

use uuid::Uuid;

/// Why the simulator could not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// An address could not be listened on.
    #[error("cannot listen on {address}: choose a free one, or port 0")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// No person was given, so that nobody could edit by hand.
    #[error("the settings name no person: give `humans` at least one")]
    NoHumans,
    /// A user that the simulator does not know.
    #[error("there is no user {0}: use the id of one of `people`, or add the person first")]
    UnknownUser(Uuid),
    /// A property that no entity has.
    #[error("no entity has a property `{0}`: names are spelled as in the reference")]
    UnknownProperty(String),
    /// An endpoint that the simulator does not have.
    #[error("there is no endpoint `{0}`: give its path behind the division, such as `crm/Contacts`")]
    UnknownPath(String),
    /// The seed is no JSON list of objects.
    #[error("the seed is not a JSON list: give `[{{\"Name\":\"...\"}}, ...]`")]
    SeedNotAList(#[source] serde_json::Error),
    /// A setting of the control API is not understood.
    #[error("the change is not understood: name only known settings, with values of their kind")]
    Setting(#[source] serde_json::Error),
    /// The service's own rules refuse the record.
    #[error("the service refuses the record with status {status}: {text}")]
    Refused {
        /// The status that the API would answer.
        status: u16,
        /// The service's words.
        text: String,
    },
    /// Nothing that calls the receivers of webhooks could be made.
    #[error("receivers of webhooks cannot be called: check the machine's root certificates")]
    Caller(#[source] reqwest::Error),
    /// Standard output or a signal handler failed.
    #[error("the process could not talk to its surroundings: check standard output and signals")]
    Process(#[source] std::io::Error),
}
