//! The link store: a port, Redis, and an embedded single file; links, indexes and outbox over it.
//!
//! [`Store`] is what the rest of Tandem asks of a store: entries with revisions, sets, schedules, lists and
//! leases, and one atomic step over them ([`Store::apply`]). [`Redis`] keeps them on servers that many
//! processes share; [`Embedded`] keeps them in one file (or in memory) for the one-process mode. One conformance
//! suite holds both to the same promises.

mod embedded;
mod error;
mod key;
mod links;
mod port;
mod redis;
#[cfg(test)]
mod tests;

pub use self::embedded::Embedded;
pub use self::error::StoreError;
pub use self::key::{GLOBAL, Key};
pub use self::links::{
    Candidates, Claim, Commit, Directories, Known, LinkChange, Links, LinksError, Named, OutboxMessage,
    Resolvable, Standing, Stored, Told, through_row,
};
pub use self::port::{Applied, Batch, Change, Check, Durability, Entry, Leased, Store};
pub use self::redis::{Address, ClusterServers, Login, NoAddress, Redis, SentinelServers};
