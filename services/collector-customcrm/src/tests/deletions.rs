//! What a notification leads to where the CRM does not tell what is gone: only a read of everything shows it.

use std::sync::Arc;

use broker::InProcessSubscription;
use model::{Presence, Record};
use reqwest::StatusCode;
use service::DeclarationFile;

use super::bench::{Bench, Post, Replica, next_of, until};

/// The default API, but that it keeps what is deleted out of its lists.
fn declared() -> DeclarationFile {
    let told = ["deleted = \"IsDeleted\"\n", "query = { include_deleted = \"true\" }\n"];
    let mut text = include_str!("../../../../deploy/customcrm/default.toml").to_owned();
    for line in told {
        assert!(text.contains(line), "{line}");
        text = text.replace(line, "");
    }
    text = text.replace("\n[webhooks]\n", "\n[webhooks]\ndeletions = [\"*.deleted\"]\n");
    DeclarationFile { path: "crm.toml".into(), text }
}

/// Customers at the start: more pages than a notification is looked after for.
const CUSTOMERS: usize = 750;

/// A replica that has read all there is, polls ten minutes apart.
async fn started(bench: &Bench) -> (Replica, InProcessSubscription) {
    for at in 0..CUSTOMERS {
        bench.makes("customers", &format!(r#"{{"Id":"c{at}","Name":"Acme"}}"#));
    }
    let mut customers = bench.seen_of("customers").await;
    let mut context = bench.context(bench.listens);
    let config = Arc::get_mut(&mut context.config).unwrap();
    config.connections[0].customcrm.as_mut().unwrap().declaration = Some(declared());
    let replica = bench.start_with(context).await;
    for _ in 0..CUSTOMERS {
        next_of(&mut customers).await;
    }
    // What changed, and then everything.
    let lists = || bench.crm.control.log().iter().filter(|call| call.path.contains("/customers?")).count();
    until("everything is read", || lists() >= 2 * CUSTOMERS.div_ceil(200)).await;
    (replica, customers)
}

fn gone(bench: &Bench, customer: &str) {
    bench.crm.control.delete(&bench.crm.human_token, "customers", customer).unwrap();
}

async fn next_that_is_gone(customers: &mut InProcessSubscription) -> Record {
    loop {
        let record = next_of(customers).await;
        if record.presence == Presence::Deleted {
            return record;
        }
    }
}

#[tokio::test]
async fn a_deletion_that_is_told_as_a_change_is_seen_soon_where_nothing_else_changed() {
    let bench = Bench::new().await;
    let (replica, mut customers) = started(&bench).await;
    gone(&bench, "c1");
    assert_eq!(Post::of("customer.updated").to(&replica).await, StatusCode::OK);
    assert_eq!(next_that_is_gone(&mut customers).await.id.as_str(), "c1");
    replica.stop().await;
}

#[tokio::test]
async fn a_deletion_that_is_told_as_one_is_seen_soon_though_something_else_changed() {
    let bench = Bench::new().await;
    let (replica, mut customers) = started(&bench).await;
    gone(&bench, "c1");
    bench.makes("customers", r#"{"Name":"Anchor"}"#);
    assert_eq!(Post::of("customer.deleted").to(&replica).await, StatusCode::OK);
    assert_eq!(next_that_is_gone(&mut customers).await.id.as_str(), "c1");
    replica.stop().await;
}
