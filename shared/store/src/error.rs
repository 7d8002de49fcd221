//! What can go wrong with a store.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Key;

/// Why a store did not do what it was asked.
///
/// After a transient error from a call that changes something it is unknown whether the change was made: read again
/// before deciding. No message holds a password or a stored value.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The address of the Redis server cannot be used.
    #[error(
        "the address of the store cannot be used: {reason}; write it as redis://user:password@host:port/database"
    )]
    Address {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server cannot be reached, did not answer in time, or cannot work at this moment.
    #[error(
        "the store at {server} does not answer or cannot work now; check that it runs, is not full and can be reached"
    )]
    Unreachable {
        /// Host and port.
        server: String,
        /// What the client met.
        #[source]
        source: ::redis::RedisError,
    },
    /// The server answers, and refuses what was asked.
    #[error(
        "the store at {server} refused a command; check the user's password and rights, with Sentinels the master's name, and that it is Redis 6.2 or later"
    )]
    Denied {
        /// Host and port.
        server: String,
        /// What the server said.
        #[source]
        source: ::redis::RedisError,
    },
    /// Something stored is not in the form that Tandem writes.
    #[error(
        "what is stored under {key} is damaged or was written by something else: {what}; restore it from a backup or delete it"
    )]
    Corrupt {
        /// The key.
        key: Key,
        /// What was found.
        what: String,
    },
    /// One batch touches keys of two scopes, which no store can do atomically. A mistake in the caller.
    #[error("one batch touches {first} and {other}, which are not of one scope; apply them as two batches")]
    MixedScopes {
        /// The first key of the batch.
        first: Key,
        /// The first key with another scope.
        other: Key,
    },
    /// Another process has the store's file open.
    #[error("the store file {path} is in use by another process; end that process or name another file")]
    FileHeld {
        /// The file.
        path: PathBuf,
    },
    /// The store's file cannot be opened, read or written.
    #[error(
        "the store file {path} cannot be opened, read or written; check the disk, the file's rights and that Tandem wrote it, then start again"
    )]
    File {
        /// The file, or `(in memory)`.
        path: PathBuf,
        /// What the file layer met.
        #[source]
        source: Arc<redb::Error>,
    },
    /// The disk of the store's file is full, or the file may not grow: a quota, or a limit of the process.
    #[error(
        "the disk of the store file {path} is full, so nothing new can be kept; make room on it, and Tandem goes on by itself"
    )]
    Full {
        /// The file, or `(in memory)`.
        path: PathBuf,
        /// What the file layer met.
        #[source]
        source: Arc<redb::Error>,
    },
    /// Another call met a failing disk while this one was made.
    #[error("the store file {path} is opened again after its disk has failed another call; try again")]
    Interrupted {
        /// The file, or `(in memory)`.
        path: PathBuf,
    },
    /// The runtime that carried the work ended before the work was done.
    #[error("the program is shutting down, so the store dropped what it was asked")]
    Ended,
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing configuration or data.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Full { .. } | Self::Interrupted { .. } | Self::Ended => true,
            Self::Address { .. }
            | Self::Denied { .. }
            | Self::Corrupt { .. }
            | Self::MixedScopes { .. }
            | Self::FileHeld { .. }
            | Self::File { .. } => false,
        }
    }
}
