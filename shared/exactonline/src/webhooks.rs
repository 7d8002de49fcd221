//! Webhooks: what Exact Online tells of changes by itself, and the subscriptions that it takes.
//!
//! A notification names a record that changed and brings none of its data. It is a hint and nothing else: it may be late,
//! doubled or lost, and whoever believes it reads the feed. So a replayed one does no harm beyond a read, and what is
//! refused here costs no more than the time until the next poll. All of it is pure.

mod notification;
mod subscriptions;

pub use notification::{Action, NOTIFICATION_BYTES_MAX, Notification, NotificationError};
pub use subscriptions::{Repair, Subscription};
