//! Every way in which a call can fail, and what each means.

use std::{path::PathBuf, time::Duration};

use contract::json::JsonError;
use model::{ConnectionName, FailureClass, RecordId};
use store::{LinksError, StoreError};

use crate::Reason;

/// Why Exact Online did not do what it was asked. Messages hold Exact's own words (at most 1,000 characters), never a
/// token; those words may name values, so they belong on a link and not in a log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings can't make a call.
    #[error("Exact Online can't be called with these settings: {what}")]
    Settings {
        /// What is wrong, and what to write instead.
        what: &'static str,
    },
    /// The HTTP client could not be made; on most machines this means that no root certificates were found.
    #[error("no HTTP client for Exact Online could be made; check the machine's root certificates")]
    Client(#[source] reqwest::Error),
    /// No connection was made, so nothing was sent.
    #[error("Exact Online can't be reached; check the network")]
    Unreachable(#[source] wire::Failure),
    /// A write waited so long for its turn that another writer may have taken it over. Nothing was sent.
    #[error("the call to Exact Online waited too long for its turn and was not sent; it is made again")]
    Late,
    /// A read, or a call for tokens, got no answer or half of one.
    #[error("Exact Online gave no whole answer to a read")]
    ReadLost(#[source] wire::Failure),
    /// A write may have reached Exact Online, and its answer did not come.
    #[error("the answer to a write never came: it may have happened, so search before it is repeated")]
    WriteLost(#[source] wire::Failure),
    /// Exact Online can't answer a read at present, or something before it answers in its place.
    #[error("Exact Online can't answer at present (status {status}): {words}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// What it said.
        words: String,
    },
    /// Exact Online failed in the middle of a write.
    #[error(
        "Exact Online failed during a write (status {status}), which may have happened all the same: {words}"
    )]
    WriteUnclear {
        /// The HTTP status.
        status: u16,
        /// What it said.
        words: String,
    },
    /// The calls of the minute or of the day are used up, or kept for more urgent work. Nothing was called.
    #[error("the calls to Exact Online are used up for {} seconds", after.as_secs())]
    QuotaSpent {
        /// How long.
        after: Duration,
    },
    /// Exact Online refused a call too many; nothing was done.
    #[error("Exact Online asks to wait for {} seconds", after.as_secs())]
    Throttled {
        /// How long.
        after: Duration,
    },
    /// An endpoint gave so many errors that one more could get it blocked for hours. Nothing was called.
    #[error(
        "{endpoint} of Exact Online rests for {} seconds, because it gave too many errors within an hour; \
         look at the errors before, they are what is to be repaired",
        after.as_secs()
    )]
    EndpointResting {
        /// The endpoint.
        endpoint: String,
        /// How long.
        after: Duration,
    },
    /// A new access token can't be had before a while.
    #[error("no new access token of Exact Online can be had for {} seconds", after.as_secs())]
    TokenTooEarly {
        /// How long.
        after: Duration,
    },
    /// Nobody has given the app consent yet, or what it brought is gone from both its places.
    #[error(
        "connection {connection} has no grant yet; give the app consent with `{command}`: it is taken up without a \
         restart"
    )]
    NoGrant {
        /// The connection.
        connection: ConnectionName,
        /// How to give consent.
        command: String,
    },
    /// The consent is spent, expired or withdrawn: only a person can give a new one.
    #[error(
        "the grant of connection {connection} is lost ({words}); give the app consent anew with `{command}`: it is \
         taken up without a restart"
    )]
    GrantLost {
        /// The connection.
        connection: ConnectionName,
        /// What Exact Online said.
        words: String,
        /// How to give consent anew.
        command: String,
    },
    /// A code was not exchanged for a grant. Exact says no more of the cause: a fact of this API.
    #[error(
        "Exact Online refuses the code ({words}): a code serves once and for three minutes, redirect_uri must be written \
         as it is registered with the app, and client_id and client_secret must be those of the app"
    )]
    CodeRefused {
        /// What Exact Online said.
        words: String,
    },
    /// The access token is not accepted although it should be.
    #[error(
        "Exact Online does not accept the access token of connection {connection} (status 401); if this goes on, the \
         consent was withdrawn: give the app consent anew with `{command}`"
    )]
    Unauthorised {
        /// The connection.
        connection: ConnectionName,
        /// How to give consent anew.
        command: String,
    },
    /// The user or the app may not do this at all.
    #[error(
        "Exact Online forbids this to the app (status 403): {words}; check the user's rights, the licence, and \
             the divisions that the consent covers"
    )]
    Forbidden {
        /// What it said.
        words: String,
    },
    /// The user lacks the right to read something. What can't be read would look empty, not refused: a fact of this API.
    #[error(
        "the connection's user has no right to read {endpoint} of Exact Online, which would look like an empty list; \
         give the user this right there"
    )]
    NoRight {
        /// The endpoint.
        endpoint: String,
    },
    /// The grant file can't be read or written, so the grant has no second place.
    #[error(
        "the grant file {} can't be used; make it readable and writable for Tandem, or write it anew with `{command}`",
        path.display()
    )]
    GrantFile {
        /// The file.
        path: PathBuf,
        /// How to give consent anew.
        command: String,
        /// What is wrong with it.
        #[source]
        source: GrantFileError,
    },
    /// The store, which holds the grant and the quota, did not do its part; nothing was called.
    #[error("what is shared for calls to Exact Online can't be had from the store")]
    Store(#[source] StoreError),
    /// What is known of the connection's records can't be read.
    #[error("the links of the connection can't be read, so it can't be told what is gone in Exact Online")]
    Links(#[source] LinksError),
    /// The call is refused as it stands. Business rules come as status 500: a fact of this API.
    #[error("Exact Online refuses (status {status}): {words}{reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What its words tell of the reason.
        reason: Reason,
        /// What it said.
        words: String,
    },
    /// The record was deleted, or never was.
    #[error("{resource} {record} is not in Exact Online (any more)")]
    Gone {
        /// The resource.
        resource: String,
        /// The record.
        record: RecordId,
    },
    /// An item has no price record whose price could be changed.
    #[error(
        "{item} has no sales price of its own in force in Exact Online, and none is made, because it could stand \
         beside another one: add a price without an account to the item there"
    )]
    NoOwnPrice {
        /// The item.
        item: RecordId,
    },
    /// An item has several prices of its own, and nothing tells which is that of the company's currency.
    #[error(
        "{item} has sales prices of its own in several currencies in Exact Online, so it can't be told which one is to \
         be changed: end those of other currencies there"
    )]
    SeveralCurrencies {
        /// The item.
        item: RecordId,
    },
    /// Exact Online could not post to the address that it is to tell of changes.
    #[error(
        "Exact Online can't post to {callback} ({words}); let the Ingress pass POST requests of that path unchanged to \
         the collector of Exact Online, under a certificate that is known to the public"
    )]
    CallbackRefused {
        /// The address.
        callback: url::Url,
        /// What Exact Online said.
        words: String,
    },
    /// An id is none of Exact Online's.
    #[error("{record} is no id of Exact Online, whose ids are GUIDs")]
    NotAGuid {
        /// The id.
        record: RecordId,
    },
    /// An answer is larger than what is read.
    #[error("an answer of Exact Online is larger than {bytes_max} bytes; select fewer properties")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// An answer is not JSON, or no record.
    #[error("an answer of Exact Online can't be read")]
    NotARecord(#[source] JsonError),
    /// An answer lacks what the API promises.
    #[error("an answer of Exact Online {what}; check that the address is that of the API")]
    Unexpected {
        /// What is wrong with it.
        what: String,
    },
    /// A write succeeded and its answer can't be read.
    #[error("the answer to a write can't be read, though it has happened; search before it is repeated")]
    WriteUnreadable(#[source] Box<Error>),
    /// Another replica refreshes the grant and does not come to an end.
    #[error("another process has been refreshing the grant for too long")]
    GrantBusy,
    /// The runtime that carried the refresh of the grant ended.
    #[error("the program is shutting down, so the call was not made")]
    Ended,
}

/// What is wrong with the grant file.
#[derive(Debug, thiserror::Error)]
pub enum GrantFileError {
    /// The disk.
    #[error("the file system refused")]
    Disk(#[source] std::io::Error),
    /// The content. What is wrong is not told, because the file holds secrets.
    #[error("it is no JSON object with a text `refresh_token`")]
    Content,
}

impl Error {
    /// What the failure means for the work in hand.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Unreachable(_)
            | Self::Late
            | Self::ReadLost(_)
            | Self::Unavailable { .. }
            | Self::Store(_)
            | Self::Links(_)
            | Self::TooLarge { .. }
            | Self::NotARecord(_)
            | Self::Unexpected { .. }
            | Self::GrantBusy
            | Self::Ended => FailureClass::Transient,
            Self::WriteLost(_) | Self::WriteUnclear { .. } | Self::WriteUnreadable(_) => {
                FailureClass::Ambiguous
            }
            Self::QuotaSpent { after }
            | Self::Throttled { after }
            | Self::TokenTooEarly { after }
            | Self::EndpointResting { after, .. } => FailureClass::Throttled { after: *after },
            Self::Settings { .. }
            | Self::Client(_)
            | Self::NoGrant { .. }
            | Self::GrantLost { .. }
            | Self::CodeRefused { .. }
            | Self::Unauthorised { .. }
            | Self::Forbidden { .. }
            | Self::NoRight { .. }
            | Self::GrantFile { .. } => FailureClass::Auth,
            Self::Refused { .. }
            | Self::CallbackRefused { .. }
            | Self::NotAGuid { .. }
            | Self::NoOwnPrice { .. }
            | Self::SeveralCurrencies { .. } => FailureClass::Rejected,
            Self::Gone { .. } => FailureClass::Gone,
        }
    }
}
