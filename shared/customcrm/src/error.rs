//! Every way in which a call can fail, and what each means.

use std::time::Duration;

use contract::json::JsonError;
use files::FileProblem;
use model::{FailureClass, RecordId};
use store::StoreError;

/// Why CustomCRM did not do what it was asked. Messages hold CustomCRM's own words (at most 1,000 characters), never
/// the token; those words may name values, so they belong on a link and not in a log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings can't make a call.
    #[error("CustomCRM can't be called with these settings: {what}")]
    Settings {
        /// What is wrong, and what to write instead.
        what: &'static str,
    },
    /// The HTTP client could not be made; on most machines this means that no root certificates were found.
    #[error("no HTTP client for CustomCRM could be made; check the machine's root certificates")]
    Client(#[source] reqwest::Error),
    /// No connection was made, so nothing was sent.
    #[error("CustomCRM can't be reached; check its address and that it is up")]
    Unreachable(#[source] wire::Failure),
    /// A write waited so long for its turn that another writer may have taken it over. Nothing was sent.
    #[error("the call to CustomCRM waited too long for its turn and was not sent; it is made again")]
    Late,
    /// A read got no answer, or half of one.
    #[error("CustomCRM gave no whole answer to a read")]
    ReadLost(#[source] wire::Failure),
    /// A write may have reached CustomCRM, and its answer did not come.
    #[error("the answer to a write never came: it may have happened, so search before it is repeated")]
    WriteLost(#[source] wire::Failure),
    /// CustomCRM can't answer a read at present, or something before it answers in its place.
    #[error("CustomCRM can't answer at present (status {status}): {words}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// What it said.
        words: String,
    },
    /// CustomCRM failed in the middle of a write.
    #[error(
        "CustomCRM failed during a write (status {status}), which may have happened all the same: {words}"
    )]
    WriteUnclear {
        /// The HTTP status.
        status: u16,
        /// What it said.
        words: String,
    },
    /// A call too many.
    #[error("CustomCRM asks to wait for {} seconds", after.as_secs())]
    Throttled {
        /// How long.
        after: Duration,
    },
    /// The token is unknown, revoked, or may not do this.
    #[error(
        "CustomCRM does not accept the token (status {status}): {words}; set a valid token with the rights needed"
    )]
    Unauthorised {
        /// The HTTP status.
        status: u16,
        /// What it said.
        words: String,
    },
    /// The call is refused as it stands.
    #[error("CustomCRM refuses (status {status}): {words}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        words: String,
    },
    /// Another record holds a value that may occur once.
    #[error("CustomCRM refuses, because another record holds the same value: {words}")]
    Duplicate {
        /// The other record, where CustomCRM names it.
        record: Option<RecordId>,
        /// What it said.
        words: String,
    },
    /// The record was deleted, or never was.
    #[error("{collection} {record} is not in CustomCRM (any more)")]
    Gone {
        /// The collection.
        collection: String,
        /// The record.
        record: RecordId,
    },
    /// The record has another version than the one that the write was meant for; nothing was written.
    #[error("{collection} {record} was changed in CustomCRM since it was read; read it again")]
    Stale {
        /// The collection.
        collection: String,
        /// The record.
        record: RecordId,
    },
    /// An answer is larger than what is read.
    #[error("an answer of CustomCRM is larger than {bytes_max} bytes; ask for fewer records a page")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// A declaration that can't work.
    #[error("the declaration can't work:\n{}", listed(.0))]
    Declaration(Vec<FileProblem>),
    /// The declaration does not say how.
    #[error("the declaration of {crm} says nothing of {what}: add it")]
    Undeclared {
        /// What the CRM is called.
        crm: String,
        /// What is missing, as its key.
        what: String,
    },
    /// The store, which gives versions where the CRM tells none, failed.
    #[error("the store gave no version to what CustomCRM holds")]
    Store(#[source] StoreError),
    /// An answer is not JSON, or no record.
    #[error("an answer of CustomCRM can't be read")]
    NotARecord(#[source] JsonError),
    /// An answer lacks what the API promises.
    #[error("an answer of CustomCRM {what}; check that the address is that of the API")]
    Unexpected {
        /// What is wrong with it.
        what: String,
    },
    /// A write succeeded and its answer can't be read.
    #[error("the answer to a write can't be read, though it has happened; search before it is repeated")]
    WriteUnreadable(#[source] Box<Error>),
}

impl Error {
    /// What the failure means for the work in hand.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Unreachable(_)
            | Self::Late
            | Self::ReadLost(_)
            | Self::Unavailable { .. }
            | Self::TooLarge { .. }
            | Self::Store(_)
            | Self::NotARecord(_)
            | Self::Unexpected { .. } => FailureClass::Transient,
            Self::WriteLost(_) | Self::WriteUnclear { .. } | Self::WriteUnreadable(_) => {
                FailureClass::Ambiguous
            }
            Self::Throttled { after } => FailureClass::Throttled { after: *after },
            Self::Settings { .. }
            | Self::Declaration(_)
            | Self::Undeclared { .. }
            | Self::Client(_)
            | Self::Unauthorised { .. } => FailureClass::Auth,
            Self::Refused { .. } | Self::Duplicate { .. } => FailureClass::Rejected,
            Self::Gone { .. } => FailureClass::Gone,
            Self::Stale { .. } => FailureClass::Stale,
        }
    }

    /// The record that already holds a value of the refused write, where CustomCRM names it.
    pub fn duplicate_of(&self) -> Option<&RecordId> {
        match self {
            Self::Duplicate { record, .. } => record.as_ref(),
            _ => None,
        }
    }
}

fn listed(problems: &[FileProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
