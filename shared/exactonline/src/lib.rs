//! The Exact Online connector: OAuth, OData, sync feeds, quota.
//!
//! It reads and writes the records of one division and gives them in the words of `model`, with every number exact.
//! What all replicas must share goes through the store: the grant, whose refresh token is single use; the calls left
//! of the minute and the day; and the errors of each endpoint. It knows nothing of pairs, mappings or links, and
//! never repeats a write by itself: whether a failed call may be repeated is what [`Error::class`] says.
//!
//! Start reading at [`ExactOnline`]; incremental reading is [`ExactOnline::changes`] and [`ChangesCursor`].

mod client;
mod cursor;
mod endpoint_rest;
mod entity;
mod error;
mod facts;
mod feed_cursor;
mod grant;
mod odata;
mod quota;
mod refusal;
mod settings;
mod transport;

#[cfg(test)]
mod tests;

pub use client::{ChangesPage, DeletedPage, DeletedRecord, ExactOnline, Me, Resource};
pub use cursor::{ChangesCursor, InvalidCursor};
pub use entity::Entity;
pub use error::{Error, GrantFileError};
pub use facts::{Access, Fact, kept};
pub use feed_cursor::FeedCursor;
pub use odata::{guid_literal, text_literal};
pub use quota::Priority;
pub use settings::{Limits, Settings};
