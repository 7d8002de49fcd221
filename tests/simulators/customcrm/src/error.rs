//! What can go wrong around the simulator; what goes wrong inside a call is a problem document.

use std::net::SocketAddr;

/// What can go wrong when a simulator is started or controlled.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// An address could not be listened on.
    #[error("could not listen on {address}; choose a free address, or port 0 for any free port")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Two schemas serve the same collection.
    #[error("collection {collection} has two schemas; give each collection one")]
    SchemaTwice {
        /// The collection's name.
        collection: String,
    },
    /// A collection that has no schema was named.
    #[error("there is no collection {collection}; served are: {served}")]
    UnknownCollection {
        /// The name that was asked for.
        collection: String,
        /// The names that exist.
        served: String,
    },
    /// A property that can't be rewritten was named.
    #[error("{collection} has no text property {property} to rewrite; name a writable text property")]
    NotRewritable {
        /// The collection's name.
        collection: String,
        /// The property that was asked for.
        property: String,
    },
    /// A record to seed was refused; those before it are stored.
    #[error("record {position} of the seed for {collection} was refused with {status}: {reason}; correct it")]
    Seed {
        /// The collection's name.
        collection: String,
        /// The position in the seed, from 0.
        position: usize,
        /// The HTTP status that a call with this record would have got.
        status: u16,
        /// The detail and the property errors of the refusal.
        reason: String,
    },
    /// An edit of a person was refused.
    #[error("the edit of {collection} was refused with {status}: {reason}; correct it")]
    Edit {
        /// The collection's name.
        collection: String,
        /// The HTTP status that the same call would have got.
        status: u16,
        /// The detail and the property errors of the refusal.
        reason: String,
    },
    /// A user to give a token to was refused.
    #[error("the user could not be stored: {reason}; correct the user")]
    User {
        /// The detail and the property errors of the refusal.
        reason: String,
    },
    /// A token was asked for that already belongs to somebody.
    #[error("this token is already in use; choose another, or leave it out to get a new one")]
    TokenTaken,
    /// A token that nobody has was to be revoked.
    #[error("nobody has this token; it may have been revoked already")]
    UnknownToken,
    /// A token was asked for a user that does not exist.
    #[error("there is no user {user_id} to give a token to; leave the id out to create one")]
    UnknownUser {
        /// The id that was asked for.
        user_id: String,
    },
    /// An address that nothing can be posted to.
    #[error("webhooks can't be posted to {address}; give an http or https address")]
    WebhookAddress {
        /// The address that was asked for.
        address: String,
    },
    /// A secret that does not have the form of the Standard Webhooks specification.
    #[error("the secret of a webhook must be whsec_ and the base64 of 24 to 64 bytes; give such a one")]
    WebhookSecret,
    /// What posts webhooks could not be made.
    #[error(
        "the HTTP client of webhooks could not be made; the machine needs root certificates (ca-certificates)"
    )]
    Client(#[source] reqwest::Error),
    /// Limits that can't be kept.
    #[error("the limits need at least one call and a window of at least one millisecond")]
    Limits,
}
