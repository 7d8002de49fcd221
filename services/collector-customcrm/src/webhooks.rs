//! What CustomCRM tells of changes by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use collector::{Delivery, Hint, Judge, Posted, Refusal};
use customcrm::{
    Notification, NotificationError, NotificationJudge, TOLERANCE, ToldOf, Webhooks, WebhooksProblem,
};
use model::{ConnectionName, EntityName};
use service::CallbackConfig;

/// How far the clocks of two replicas may be apart.
const CLOCKS_APART: Duration = Duration::from_mins(1);

/// It is about a collection that no pair of this connection keeps.
#[derive(Debug, thiserror::Error)]
#[error("it is about {collection}, which no pair keeps")]
struct NotKept {
    collection: EntityName,
}

/// Judges what is posted to the address of a connection that keeps these collections. Fails where the secret can't be one.
pub(crate) fn judge(
    connection: &ConnectionName,
    webhooks: Option<Webhooks>,
    callback: &CallbackConfig,
    kept: BTreeSet<EntityName>,
) -> Result<Judge, WebhooksProblem> {
    let webhooks = webhooks.ok_or_else(|| WebhooksProblem {
        key: "webhooks".to_owned(),
        what: "stands there, and the declaration says nothing of webhooks".to_owned(),
        remedy: "add [webhooks] to the declaration, or leave this out".to_owned(),
    })?;
    let judge = NotificationJudge::new(webhooks, &callback.secret)?;
    let connection = connection.clone();
    Ok(Box::new(move |headers, body| match judge.judge(headers, body, ambient::now()) {
        Ok(notification) => told(&connection, notification, &kept),
        Err(error) if error.is_authentic() => Posted::Ignored(Box::new(error)),
        Err(error) => {
            let because = match error {
                NotificationError::TooLarge => Refusal::TooLarge,
                NotificationError::Late => Refusal::Late,
                _ => Refusal::Forged,
            };
            Posted::Refused { because, error: Box::new(error) }
        }
    }))
}

fn told(connection: &ConnectionName, notification: Notification, kept: &BTreeSet<EntityName>) -> Posted {
    tracing::debug!(
        %connection, told_of = ?notification.told_of, record = notification.record,
        "customcrm tells of a change"
    );
    let collections = match notification.told_of {
        ToldOf::Everything => kept.clone(),
        ToldOf::Collection(collection) if kept.contains(&collection) => [collection].into(),
        ToldOf::Collection(collection) => return Posted::Ignored(Box::new(NotKept { collection })),
    };
    let hint = if notification.is_deletion { Hint::Deleted } else { Hint::Changed };
    let of = collections.into_iter().map(|collection| (collection, hint)).collect();
    // The moment of sending may be as far before us as behind us, and must have passed by as much before what comes again
    // is late by the clock of any replica.
    let keep = TOLERANCE.unsigned_abs() * 2 + CLOCKS_APART;
    let delivery = notification.delivery.map(|delivery| Delivery { id: delivery.to_string(), keep });
    Posted::Changes { of, delivery }
}
