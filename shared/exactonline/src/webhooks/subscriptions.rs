//! Which subscriptions there should be, and what is to be done where there are others.

use std::collections::BTreeSet;

use model::RecordId;
use url::Url;

#[cfg(test)]
mod tests;

/// A subscription as Exact lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: RecordId,
    /// What it tells of.
    pub topic: String,
    /// Where notifications go.
    pub callback: String,
    /// The app that it belongs to, where that is told.
    pub client: Option<String>,
}

/// What makes the subscriptions of an app those that there should be. Exact changes none, so one that points elsewhere
/// is ended and begun anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repair {
    /// To be ended first: Exact takes one subscription for a topic.
    pub end: Vec<RecordId>,
    /// Topics to be subscribed to.
    pub begin: Vec<&'static str>,
}

impl Repair {
    /// What is to be done so that the app `client` is told of these topics at `callback`. Subscriptions of other apps
    /// are left alone, and of ours those of topics that others may want at an address of theirs.
    pub fn of(
        present: &[Subscription],
        topics: &BTreeSet<&'static str>,
        callback: &Url,
        client: &str,
    ) -> Self {
        let ours = |subscription: &&Subscription| {
            subscription.client.as_deref().is_none_or(|owner| owner.eq_ignore_ascii_case(client))
        };
        let is_here = |subscription: &Subscription| {
            Url::parse(&subscription.callback).is_ok_and(|url| url == *callback)
        };
        let mut begin: BTreeSet<&'static str> = topics.clone();
        let mut end = Vec::new();
        for subscription in present.iter().filter(ours) {
            let topic = topics.get(subscription.topic.as_str()).copied();
            match (topic, is_here(subscription)) {
                (Some(topic), true) if begin.remove(topic) => {}
                // A second one for its topic, one that points elsewhere, or one that is of no use any more.
                (Some(_), _) | (None, true) => end.push(subscription.id.clone()),
                (None, false) => {}
            }
        }
        Self { end, begin: begin.into_iter().collect() }
    }

    /// Whether all is as it should be.
    pub fn is_empty(&self) -> bool {
        self.end.is_empty() && self.begin.is_empty()
    }
}
