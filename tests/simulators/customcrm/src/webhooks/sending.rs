//! Posting notifications, beside the calls and never in their way.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, redirect};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{Batch, Delivery, Notification, WebhookEffect};
use crate::state::World;

/// How long a receiver may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(15);
/// The most batches that are begun and not ended; most of them wait to try again.
const BEGUN_MAX: usize = 10_000;

/// Posts notifications and notes what became of them.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    client: Client,
    world: Arc<World>,
    /// How long to wait before each attempt after the first.
    retries: Arc<[Duration]>,
}

/// The request of one attempt.
#[derive(Debug)]
struct Attempt {
    /// Seconds since 1970.
    timestamp: i64,
    signature: String,
    body: String,
}

/// What posts. A proxy of the machine is not asked: receivers are near.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    Client::builder().timeout(ANSWERS_WITHIN).redirect(redirect::Policy::none()).no_proxy().build()
}

impl Sender {
    pub(crate) fn new(client: Client, world: Arc<World>, retries: Vec<Duration>) -> Self {
        Self { client, world, retries: retries.into() }
    }

    /// Posts all that comes, until the stop. What is under way then is given up.
    pub(crate) async fn run(self, mut queue: Receiver<Batch>, stopping: CancellationToken) {
        let mut batches = JoinSet::new();
        while let Some(Some(batch)) = stopping.run_until_cancelled(queue.recv()).await {
            batches.spawn(self.clone().send(batch));
            while batches.try_join_next().is_some() {}
            if batches.len() == BEGUN_MAX {
                stopping.run_until_cancelled(batches.join_next()).await;
            }
        }
    }

    async fn send(self, batch: Batch) {
        for notification in &batch {
            if let Some(WebhookEffect::Delay(by)) = notification.effect {
                sleep(by).await;
            }
            let taken = self.deliver(notification).await;
            match (notification.effect, taken) {
                (Some(WebhookEffect::Duplicate), _) => {
                    self.deliver(notification).await;
                }
                (Some(WebhookEffect::Replay), Some((number, attempt))) => {
                    self.post(notification, number + 1, &attempt).await;
                }
                _ => {}
            }
        }
    }

    /// Tries until the notification is taken or the attempts are used up. Gives the attempt that was taken.
    async fn deliver(&self, notification: &Notification) -> Option<(usize, Attempt)> {
        let is_retried = notification.effect.is_none_or(WebhookEffect::is_retried);
        let retries = if is_retried { &self.retries[..] } else { &[] };
        let waits = std::iter::once(Duration::ZERO).chain(retries.iter().copied());
        for (number, wait) in waits.enumerate() {
            sleep(wait).await;
            // By the clock of the machine, as receivers compare it with theirs.
            let attempt = notification.attempt(ambient::now());
            if self.post(notification, number, &attempt).await {
                return Some((number, attempt));
            }
        }
        None
    }

    /// Posts once, and tells whether it was taken.
    async fn post(&self, notification: &Notification, number: usize, attempt: &Attempt) -> bool {
        let _permit = notification.posts.acquire().await;
        let request = self
            .client
            .post(notification.to.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", &notification.id)
            .header("webhook-timestamp", attempt.timestamp)
            .header("webhook-signature", &attempt.signature)
            .body(attempt.body.clone());
        let status = request.send().await.ok().map(|answer| answer.status());
        self.world.lock().records.outbox.delivered(Delivery {
            webhook_id: notification.id.clone(),
            r#type: notification.r#type.clone(),
            record_id: notification.record_id.clone(),
            url: notification.to.url().to_owned(),
            attempt: number,
            status: status.map(|status| status.as_u16()),
        });
        status.is_some_and(|status| status.is_success())
    }
}

impl Notification {
    /// The request that tells this at a time.
    fn attempt(&self, now: Timestamp) -> Attempt {
        let mut timestamp = now.as_second();
        let mut secret = self.to.secret.clone();
        let mut body = self.body.clone();
        match self.effect {
            Some(WebhookEffect::Antedate(by)) => {
                timestamp = timestamp.saturating_sub_unsigned(by.as_secs());
            }
            Some(WebhookEffect::ForgeSignature) => secret = secret.another(),
            Some(WebhookEffect::AlterBody) => {
                body = super::body(&self.r#type, now, &ambient::new_random_id().to_string());
            }
            _ => {}
        }
        let signature = secret.sign(&self.id, timestamp, &self.body);
        Attempt { timestamp, signature, body }
    }
}
