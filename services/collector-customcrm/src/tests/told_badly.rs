//! Notifications as a bad network, a bad CRM and strangers deliver them: what they tell of is seen, and seen once each.

use std::collections::BTreeSet;
use std::time::Duration;

use simulator_customcrm::{Webhook, WebhookEffect, WebhookFault};

use super::bench::{Bench, PATH, next_of, until};

#[tokio::test]
async fn whatever_becomes_of_a_notification_each_change_is_seen() {
    let bench = Bench::new().await;
    let mut customers = bench.seen_of("customers").await;
    let replica = bench.start_and_rest().await;
    let url = format!("http://{}{PATH}", replica.listens);
    bench.crm.control.add_webhook(Webhook::new(&url, &bench.secret).unwrap());
    let effects = [
        WebhookEffect::Duplicate,
        WebhookEffect::Delay(Duration::from_millis(300)),
        WebhookEffect::Replay,
        WebhookEffect::Reorder,
        WebhookEffect::Lose,
        WebhookEffect::AlterBody,
        WebhookEffect::ForgeSignature,
        WebhookEffect::Antedate(Duration::from_mins(6)),
    ];
    for (at, effect) in effects.into_iter().enumerate() {
        bench.crm.control.add_webhook_fault(WebhookFault::next(effect));
        bench.makes("customers", &format!(r#"{{"Name":"hit {at}"}}"#));
        // Of those that never come or are refused, the next one that comes tells too.
        bench.makes("customers", &format!(r#"{{"Name":"well {at}"}}"#));
        let mut seen = BTreeSet::new();
        for _ in 0..2 {
            let record = next_of(&mut customers).await;
            seen.extend(record.properties["Name"].as_text().map(str::to_owned));
        }
        assert_eq!(seen, BTreeSet::from([format!("hit {at}"), format!("well {at}")]), "{effect:?}");
    }
    until("the forged ones are counted", || replica.posted("forged") >= 2).await;
    until("the late one is counted", || replica.posted("late") >= 1).await;
    until("the replayed one is counted", || replica.posted("replayed") >= 1).await;
    replica.stop().await;
}
