//! The CustomCRM connector: client, paging, errors.
//!
//! It speaks CustomCRM's default API and gives records in the words of `model`, with every number exact. It knows
//! nothing of pairs, mappings or links, keeps no state between calls and never repeats a call by itself: whether a
//! failed call may be repeated is what [`Error::class`] says, and repeating is the caller's.
//!
//! Start reading at [`CustomCrm`]; incremental reading is [`CustomCrm::changes`] and [`ChangesCursor`].

mod client;
mod cursor;
mod error;
mod record;
mod refusal;
mod transport;
mod webhooks;

#[cfg(test)]
mod tests;

pub use client::{ChangesPage, CustomCrm, Settings};
pub use cursor::{ChangesCursor, InvalidCursor};
pub use error::Error;
pub use webhooks::{
    Delivery, Encoding, NOTIFICATION_BYTES_MAX, Notification, NotificationError, NotificationJudge, Scheme,
    TOLERANCE, ToldOf, Webhooks, WebhooksDeclaration, WebhooksProblem,
};
