//! Webhooks: what a CRM tells of changes by itself.
//!
//! [`WebhooksDeclaration`] is what a declaration says of them, as it is written; [`Webhooks`] is what it means; with the
//! secret it becomes a [`NotificationJudge`], which says of a post what it is. A notification is a hint and nothing else:
//! it may be late, doubled or lost, and whoever believes it reads the collection. All of it is pure.

mod declaration;
mod notification;

pub use declaration::{Encoding, Scheme, Webhooks, WebhooksDeclaration, WebhooksProblem};
pub use notification::{
    Delivery, NOTIFICATION_BYTES_MAX, Notification, NotificationError, NotificationJudge, TOLERANCE, ToldOf,
};
