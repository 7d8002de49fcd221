//! Subscriptions to webhooks. Exact takes one for each topic of a division, and changes none (a fact of this API).

use contract::json::read_properties;
use model::{Content, RecordId};
use store::Store;
use url::Url;

use super::ExactOnline;
use crate::{Error, Priority, Reason, Resource, Subscription, odata};

const SUBSCRIPTIONS: Resource<'static> = Resource::unauthored("webhooks/WebhookSubscriptions", "ID");
/// What it says when the address did not answer as it should.
const CALLBACK: &str = "callback URL";

impl<S: Store> ExactOnline<S> {
    /// All subscriptions of the division that the app is shown.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        let select = ["Topic", "CallbackURL", "ClientID"];
        let listed = self.read_list(SUBSCRIPTIONS, None, &select, Priority::Read).await?;
        let subscription = |record: model::Record| {
            let text = |name| odata::text(&record.properties, name).map(str::to_owned);
            Subscription {
                topic: text("Topic").unwrap_or_default(),
                callback: text("CallbackURL").unwrap_or_default(),
                client: text("ClientID"),
                id: record.id,
            }
        };
        Ok(listed.into_iter().map(subscription).collect())
    }

    /// Subscribes to a topic. Before it answers, Exact posts an empty body to the address, which must be answered with
    /// 200. That the topic is subscribed to already is a success.
    pub async fn subscribe(&self, topic: &str, callback: &Url) -> Result<(), Error> {
        let mut properties = read_properties("{}").expect("the literal is an object");
        properties.insert("Topic".to_owned(), Content::from(topic));
        properties.insert("CallbackURL".to_owned(), Content::from(callback.as_str()));
        match self.create(SUBSCRIPTIONS, &properties, Priority::Read).await {
            Ok(_) | Err(Error::Refused { reason: Reason::Duplicate, .. }) => Ok(()),
            Err(Error::Refused { status: 500, words, .. }) if words.contains(CALLBACK) => {
                Err(Error::CallbackRefused { callback: callback.clone(), words })
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a subscription; one that is gone is ended.
    pub async fn unsubscribe(&self, subscription: &RecordId) -> Result<(), Error> {
        match self.delete(SUBSCRIPTIONS, subscription, Priority::Read).await {
            Ok(()) | Err(Error::Gone { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
