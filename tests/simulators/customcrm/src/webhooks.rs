//! Webhooks: who is told of changes, and what each is told, as the Standard Webhooks specification has it.
//!
//! A notification is thin: it names the record and does not show it. It is made while the change is, so that the
//! order of changes is the order in which faults are taken; it is posted by [`sending`] without holding up a call.

mod faults;
pub(crate) mod sending;
mod signature;

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use url::Url;

use crate::error::SimulatorError;
use crate::record::Record;
use crate::value::write_time;
use faults::Faults;
use signature::Secret;

pub(crate) use signature::SIGNATURE_PATTERN;

pub use faults::{WebhookEffect, WebhookFault};

/// What can happen to a record.
pub(crate) const ACTIONS: [&str; 3] = ["created", "updated", "deleted"];
/// The most deliveries that are remembered; the oldest go first.
const DELIVERIES_MAX: usize = 200_000;
/// The most notifications that wait for an answer of one address.
const POSTED_AT_ONCE_MAX: usize = 32;
/// The most batches that wait until their turn comes; what is more is lost, as notifications may be.
const WAITING_MAX: usize = 100_000;

/// An address that is told of every change of a record, whoever makes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WebhookFields")]
pub struct Webhook {
    url: Url,
    secret: Secret,
}

impl Webhook {
    /// An `http` or `https` address, and the secret that signs what is posted to it: `whsec_` and the base64 of 24 to
    /// 64 bytes.
    pub fn new(url: &str, secret: &str) -> Result<Self, SimulatorError> {
        let refused = || SimulatorError::WebhookAddress { address: url.to_owned() };
        let address = Url::parse(url).map_err(|_| refused())?;
        if !["http", "https"].contains(&address.scheme()) {
            return Err(refused());
        }
        let secret = Secret::parse(secret).ok_or(SimulatorError::WebhookSecret)?;
        Ok(Self { url: address, secret })
    }

    /// The address.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }
}

/// A webhook as the control API has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookFields {
    url: String,
    secret: String,
}

impl TryFrom<WebhookFields> for Webhook {
    type Error = SimulatorError;

    fn try_from(fields: WebhookFields) -> Result<Self, SimulatorError> {
        Self::new(&fields.url, &fields.secret)
    }
}

/// A notification that was posted, once for each attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The `webhook-id`, which all attempts of a notification share.
    pub webhook_id: String,
    /// The type: `customer.updated`.
    pub r#type: String,
    /// The record.
    pub record_id: String,
    /// Where it was posted to.
    pub url: String,
    /// Which attempt it was, from 0.
    pub attempt: usize,
    /// The status that it was answered with; nothing where no answer came.
    pub status: Option<u16>,
}

/// What one address is told of one change.
#[derive(Debug, Clone)]
pub(crate) struct Notification {
    id: String,
    r#type: String,
    record_id: String,
    body: String,
    to: Webhook,
    /// Of this address.
    posts: Arc<Semaphore>,
    effect: Option<WebhookEffect>,
}

/// Notifications that are posted one after the other.
pub(crate) type Batch = Vec<Notification>;

/// Who is told, and what became of it.
#[derive(Debug)]
pub(crate) struct Outbox {
    endpoints: Vec<Endpoint>,
    pub(crate) faults: Faults,
    deliveries: VecDeque<Delivery>,
    queue: Sender<Batch>,
}

#[derive(Debug)]
struct Endpoint {
    webhook: Webhook,
    posts: Arc<Semaphore>,
    /// What the next notification overtakes.
    held: Batch,
}

impl Outbox {
    /// An outbox that tells nobody, and the queue of what is to be posted.
    pub(crate) fn new() -> (Self, Receiver<Batch>) {
        let (queue, to_be_posted) = channel(WAITING_MAX);
        let outbox =
            Self { endpoints: Vec::new(), faults: Faults::default(), deliveries: VecDeque::new(), queue };
        (outbox, to_be_posted)
    }

    pub(crate) fn add(&mut self, webhook: Webhook) {
        let posts = Arc::new(Semaphore::new(POSTED_AT_ONCE_MAX));
        self.endpoints.push(Endpoint { webhook, posts, held: Vec::new() });
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.endpoints.iter().map(|endpoint| endpoint.webhook.url().to_owned()).collect()
    }

    /// Tells nobody any more.
    pub(crate) fn clear(&mut self) {
        self.endpoints.clear();
    }

    /// Tells everybody of a record that was just stored.
    pub(crate) fn tell(&mut self, entity: &str, record: &Record) {
        if self.endpoints.is_empty() {
            return;
        }
        let r#type = format!("{entity}.{}", what_happened(record));
        let body = body(&r#type, record.modified_at, &record.id);
        let id = format!("msg_{}", ambient::new_random_id().simple());
        for endpoint in &mut self.endpoints {
            let effect = self.faults.take(&r#type);
            if effect == Some(WebhookEffect::Lose) {
                continue;
            }
            let notification = Notification {
                id: id.clone(),
                r#type: r#type.clone(),
                record_id: record.id.clone(),
                body: body.clone(),
                to: endpoint.webhook.clone(),
                posts: endpoint.posts.clone(),
                effect,
            };
            if effect == Some(WebhookEffect::Reorder) {
                endpoint.held.push(notification);
                continue;
            }
            let mut batch = vec![notification];
            batch.append(&mut endpoint.held);
            // Nobody takes it when there are too many, nor once the simulator stops.
            let _ = self.queue.try_send(batch);
        }
    }

    pub(crate) fn delivered(&mut self, delivery: Delivery) {
        if self.deliveries.len() == DELIVERIES_MAX {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(delivery);
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.iter().cloned().collect()
    }

    pub(crate) fn clear_deliveries(&mut self) {
        mem::take(&mut self.deliveries);
    }
}

fn what_happened(record: &Record) -> &'static str {
    let [created, updated, deleted] = ACTIONS;
    match (record.deleted, record.version) {
        (true, _) => deleted,
        (false, 1) => created,
        (false, _) => updated,
    }
}

/// The members come in this order.
fn body(r#type: &str, at: Timestamp, record_id: &str) -> String {
    #[derive(Serialize)]
    struct Body<'told> {
        r#type: &'told str,
        timestamp: String,
        data: Data<'told>,
    }
    #[derive(Serialize)]
    struct Data<'told> {
        id: &'told str,
    }
    serde_json::to_string(&Body { r#type, timestamp: write_time(at), data: Data { id: record_id } })
        .expect("strings always have a JSON form")
}
