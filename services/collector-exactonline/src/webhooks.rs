//! What Exact Online tells of changes by itself: what a post is, and the keeper, which sees to it that it is told.

mod keeper;

use std::collections::BTreeSet;

use collector::{Hint, Judge, Posted, Refusal};
use exactonline::{Action, Notification, NotificationError};
use model::{ConnectionName, EntityName};
use secrecy::SecretString;

pub(crate) use keeper::Keeper;

/// It is about what Tandem knows, and no pair of this connection keeps.
#[derive(Debug, thiserror::Error)]
#[error("it is about {entity}, which no pair keeps")]
struct NotKept {
    entity: &'static str,
}

/// Judges what is posted to the address of a connection whose division and entities are these.
pub(crate) fn judge(
    connection: ConnectionName,
    division: u32,
    secret: SecretString,
    entities: BTreeSet<EntityName>,
) -> Judge {
    Box::new(move |_, body| {
        // The empty body by which Exact tries an address.
        if body.is_empty() {
            return Posted::Validation;
        }
        match Notification::judge(body, &secret, division) {
            Ok(notification) => told(&connection, &notification, &entities),
            Err(error) if error.is_authentic() => Posted::Ignored(Box::new(error)),
            Err(error) => {
                let because = match error {
                    NotificationError::TooLarge => Refusal::TooLarge,
                    _ => Refusal::Forged,
                };
                Posted::Refused { because, error: Box::new(error) }
            }
        }
    })
}

fn told(connection: &ConnectionName, notification: &Notification, kept: &BTreeSet<EntityName>) -> Posted {
    let entity = notification.entity.name;
    let Some(entity) = kept.iter().find(|kept| kept.as_str() == entity) else {
        return Posted::Ignored(Box::new(NotKept { entity }));
    };
    tracing::debug!(
        %connection, %entity, is_of_line = notification.is_of_line, action = ?notification.action,
        "exact online tells of a change"
    );
    let hint = match notification.action {
        Action::Create | Action::Update => Hint::Changed,
        Action::Delete => Hint::Deleted,
    };
    // Nothing tells a notification from a replayed one; that costs no more than a read for each window.
    Posted::Changes { of: [(entity.clone(), hint)].into(), delivery: None }
}
