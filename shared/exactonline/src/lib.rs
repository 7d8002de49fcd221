//! The Exact Online connector: OAuth, OData, sync feeds, webhooks, quota.
//!
//! It reads and writes the records of one division and gives them in the words of `model`, with every number exact.
//! What all replicas must share goes through the store: the grant, whose refresh token is single use; the ledger
//! of all calls and errors; and documents, which Exact serves in parts. Of pairs it knows
//! only what Exact has to say to them: whether it can work with their rows ([`kept`]), and what of its records they read
//! ([`Selection`]). It never repeats a write by itself: whether a failed call may be repeated is what [`Error::class`]
//! says. A grant begins with a [`Consent`].
//!
//! Start reading at [`ExactOnline`]; incremental reading is [`ExactOnline::read`] and [`FeedReader`]. A record in parts
//! is a [`Document`], and [`DocumentStore`] keeps it between two reads. What Exact tells by itself is a [`Notification`].

mod client;
mod consent;
mod cursor;
mod document_store;
mod documents;
mod entity;
mod error;
mod facts;
mod feed_cursor;
mod feed_reader;
mod grant;
mod ledger;
mod numbering;
mod observed;
mod odata;
mod quota;
mod refusal;
mod selection;
mod settings;
mod told;
mod transport;
mod webhooks;

#[cfg(test)]
mod tests;

pub use client::{ChangesPage, DeletedPage, DeletedRecord, Division, ExactOnline, Me, OwnPrice, Resource};
pub use consent::{Code, Consent, ConsentError};
pub use cursor::{ChangesCursor, InvalidCursor};
pub use document_store::DocumentStore;
pub use documents::{Document, InvalidDocument};
pub use entity::{Entity, Feed, PartKind, Parts};
pub use error::{Error, GrantFileError};
pub use facts::{Access, Fact, Need, kept};
pub use feed_cursor::FeedCursor;
pub use feed_reader::{FeedPage, FeedReader, Row, Source};
pub use ledger::Priority;
pub use numbering::NUMBERING_LOOKED_AT_EVERY;
pub use odata::{guid_literal, text_literal};
pub use refusal::Reason;
pub use selection::{Selection, lists};
pub use settings::{Limits, Settings};
pub use webhooks::{Action, NOTIFICATION_BYTES_MAX, Notification, NotificationError, Repair, Subscription};
