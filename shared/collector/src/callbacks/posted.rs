//! What a connector says of a post.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use axum::http::HeaderMap;
use model::EntityName;

use crate::Hint;

/// Says what a post is, by its headers and its body as they came.
pub type Judge = Box<dyn Fn(&HeaderMap, &[u8]) -> Posted + Send + Sync>;

/// What a post is.
pub enum Posted {
    /// A notification of changes.
    Changes {
        /// What has changes to read. It is collected.
        of: BTreeSet<(EntityName, Hint)>,
        /// Which notification it is, where anything tells it from another one: then it is taken in once.
        delivery: Option<Delivery>,
    },
    /// What a system posts to see whether anybody is there.
    Validation,
    /// A notification of nothing that is collected here, and why.
    Ignored(Box<dyn Error + Send + Sync>),
    /// No notification, or none that is to be believed.
    Refused {
        /// What speaks against it.
        because: Refusal,
        /// The same for people. It holds nothing of an unsigned body.
        error: Box<dyn Error + Send + Sync>,
    },
}

/// What speaks against a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is not signed with our secret.
    Forged,
    /// It is larger than any notification.
    TooLarge,
    /// It is signed, and was sent too long ago.
    Late,
}

/// A notification that can be told from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What no other one has: signed, and of a few hundred bytes at most.
    pub id: String,
    /// For how long it is remembered. What comes later must be refused by something else than its id.
    pub keep: Duration,
}
