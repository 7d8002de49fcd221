//! What tests may do to webhooks.

use super::Control;
use crate::webhooks::{Delivery, Webhook, WebhookFault};

impl Control {
    /// Tells one more address of every change from now on, seeds included.
    pub fn add_webhook(&self, webhook: Webhook) {
        self.world.lock().records.outbox.add(webhook);
    }

    /// The addresses that are told.
    pub fn webhooks(&self) -> Vec<String> {
        self.world.lock().records.outbox.urls()
    }

    /// Tells nobody from now on. What was to be told before still is.
    pub fn clear_webhooks(&self) {
        self.world.lock().records.outbox.clear();
    }

    /// Adds a fault behind those that are still to come.
    pub fn add_webhook_fault(&self, fault: WebhookFault) {
        self.world.lock().records.outbox.faults.add(fault);
    }

    /// The faults that are still to come.
    pub fn webhook_faults(&self) -> Vec<WebhookFault> {
        self.world.lock().records.outbox.faults.all()
    }

    /// Removes the faults that are still to come.
    pub fn clear_webhook_faults(&self) {
        self.world.lock().records.outbox.faults.clear();
    }

    /// The last posts, at most 200,000, in the order in which they ended.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world.lock().records.outbox.deliveries()
    }

    /// Forgets the posts so far.
    pub fn clear_deliveries(&self) {
        self.world.lock().records.outbox.clear_deliveries();
    }
}
