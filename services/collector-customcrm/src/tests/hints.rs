//! What a notification leads to.

use std::time::Duration;

use reqwest::StatusCode;
use tokio::time::sleep;

use super::COLLECTIONS;
use super::bench::{Bench, Post, next_of, until};
use crate::HINTED;

#[tokio::test]
async fn a_change_that_is_told_is_seen_soon_although_polls_are_ten_minutes_apart() {
    let bench = Bench::new().await;
    let mut customers = bench.seen_of("customers").await;
    let replica = bench.start_and_rest().await;
    bench.makes("customers", r#"{"Name":"Acme"}"#);
    assert_eq!(Post::of("customer.created").to(&replica).await, StatusCode::OK);
    assert_eq!(next_of(&mut customers).await.properties["Name"].as_text(), Some("Acme"));
    assert_eq!(replica.posted("hint"), 1);
    replica.stop().await;
}

#[tokio::test]
async fn each_type_leads_to_a_read_of_its_own_collection_and_of_no_other() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    for (at, (collection, _)) in COLLECTIONS.into_iter().enumerate() {
        let before = bench.reads();
        let entity = collection.strip_suffix('s').unwrap();
        assert_eq!(Post::of(&format!("{entity}.deleted")).to(&replica).await, StatusCode::OK);
        until(collection, || bench.reads()[at] > before[at]).await;
        // What was told of before may be looked for again, once or twice.
        let later = at + 1..COLLECTIONS.len();
        assert_eq!(bench.reads()[later.clone()], before[later], "{collection}");
    }
    replica.stop().await;
}

#[tokio::test]
async fn a_hundred_notifications_at_once_are_a_few_reads() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let before = bench.reads()[0];
    for _ in 0..100 {
        assert_eq!(Post::of("customer.updated").to(&replica).await, StatusCode::OK);
    }
    assert_eq!(replica.posted("hint"), 100);
    until("it is read", || bench.reads()[0] > before).await;
    // The last of them, and two looks for what it told of.
    sleep(HINTED.window_max * 2).await;
    let reads = bench.reads()[0] - before;
    assert!(reads <= 12, "{reads}");
    replica.stop().await;
}

#[tokio::test]
async fn a_notification_that_comes_to_one_replica_leads_to_a_read_by_the_one_that_holds_the_lease() {
    let bench = Bench::new().await;
    let mut orders = bench.seen_of("orders").await;
    let first = bench.start_and_rest().await;
    let second = bench.start_another().await;
    bench.makes("customers", r#"{"Id":"c1","Name":"Acme"}"#);
    bench.makes("products", r#"{"Id":"p1","Code":"A","Name":"Anchor"}"#);
    bench.makes("orders", r#"{"Id":"o1","CustomerId":"c1","Lines":[{"ProductId":"p1","Quantity":1}]}"#);
    assert_eq!(Post::of("order.created").to(&second).await, StatusCode::OK);
    assert_eq!(next_of(&mut orders).await.id.as_str(), "o1");
    assert_eq!((first.posted("hint"), second.posted("hint")), (0, 1));
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn polls_go_on_as_without_webhooks_so_that_a_lost_notification_costs_no_more() {
    let bench = Bench { poll: Duration::from_millis(300), ..Bench::new().await };
    let mut customers = bench.seen_of("customers").await;
    let replica = bench.start_and_rest().await;
    let before = bench.reads();
    assert_eq!(Post::of("customer.updated").to(&replica).await, StatusCode::OK);
    until("it polls all", || bench.reads().iter().zip(before).all(|(reads, before)| *reads > before + 5))
        .await;
    bench.makes("customers", r#"{"Name":"Acme"}"#);
    assert_eq!(next_of(&mut customers).await.properties["Name"].as_text(), Some("Acme"));
    replica.stop().await;
}
