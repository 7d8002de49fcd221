//! The CustomCRM connector: declarations, client, paging, errors.
//!
//! Every company's CRM is another one. A [`Declaration`] says what its API is like, and fits the connector to it; without
//! one it is the default API. Records come in the words of `model`, with every number exact. The connector knows nothing of
//! pairs, mappings or links and never repeats a call by itself: whether a failed call may be repeated is what
//! [`Error::class`] says, and repeating is the caller's.
//!
//! Start reading at [`CustomCrm`]; incremental reading is [`CustomCrm::changes`] and [`ChangesCursor`], and where a CRM has
//! none [`CustomCrm::scan`].

mod authentication;
mod client;
mod cursor;
mod declaration;
mod error;
mod listing;
mod moments;
mod observed;
mod pace;
mod path;
mod probe;
mod record;
mod refusal;
mod template;
mod times;
mod transport;
mod webhooks;

#[cfg(test)]
mod tests;

pub use client::{ChangesPage, CustomCrm, Reading, ScanPage, Settings};
pub use cursor::{ChangesCursor, InvalidCursor, SETTLES_AFTER};
pub use declaration::{Declaration, schema};
pub use error::Error;
pub use probe::{Finding, Proposal, Report, SearchedBy, Verdict, look, probe};
pub use record::fingerprint;
pub use webhooks::{
    Delivery, Encoding, NOTIFICATION_BYTES_MAX, Notification, NotificationError, NotificationJudge, Scheme,
    TOLERANCE, ToldOf, Webhooks, WebhooksDeclaration, WebhooksProblem,
};
