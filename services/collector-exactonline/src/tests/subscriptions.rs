//! Subscriptions: made, looked at, repaired, and what holds where they can't be.

use std::time::Duration;

use serde_json::json;
use simulator_exactonline::{Fault, FaultKind, Language, Switches};
use uuid::Uuid;

use super::bench::{Bench, NEVER, next_of, own_address, until};
use crate::pace::Intervals;

const SUBSCRIPTIONS: &str = "webhooks/WebhookSubscriptions";
const TOPICS: [&str; 5] = ["Accounts", "Contacts", "Items", "Quotations", "SalesOrders"];

/// A bench that looks at its subscriptions all the time.
async fn looking() -> Bench {
    let intervals = Intervals {
        subscriptions: Duration::from_millis(300),
        subscriptions_again: Duration::from_millis(100),
        ..Intervals::default()
    };
    Bench { intervals, ..Bench::new().await }
}

/// The topics that are subscribed to at the bench's own address.
fn topics(bench: &Bench) -> Vec<String> {
    let mut here: Vec<String> = bench
        .subscriptions()
        .into_iter()
        .filter(|(_, address)| *address == bench.callback())
        .map(|(topic, _)| topic)
        .collect();
    here.sort_unstable();
    here
}

fn ids(bench: &Bench) -> Vec<Uuid> {
    let listed = bench.control().records(SUBSCRIPTIONS).unwrap();
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
    listed.iter().map(|one| one["ID"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn the_topics_of_what_is_kept_are_subscribed_to_at_the_start_and_once() {
    let bench = looking().await;
    let replica = bench.start().await;
    until("all are made", || topics(&bench) == TOPICS).await;
    let looks = bench.calls("GET webhooks/webhooksubscriptions");
    until("it looks again", || bench.calls("GET webhooks/webhooksubscriptions") > looks + 2).await;
    assert_eq!(bench.calls("POST webhooks/webhooksubscriptions"), 5);
    assert_eq!(replica.keeps(), Some(true));
    replica.stop().await;
}

#[tokio::test]
async fn a_lost_subscription_is_made_again_and_one_that_points_elsewhere_is_replaced() {
    let bench = looking().await;
    let replica = bench.start().await;
    until("all are made", || topics(&bench) == TOPICS).await;
    let (control, person) = (bench.control(), bench.exact.human_id);
    for id in &ids(&bench)[..2] {
        control.delete(SUBSCRIPTIONS, *id, person).unwrap();
    }
    until("they are made again", || topics(&bench) == TOPICS).await;
    replica.stop().await;
    // All moves to another address.
    let bench = Bench { listens: own_address(), ..bench };
    assert_eq!(topics(&bench), [""; 0]);
    let replica = bench.start().await;
    until("all point there", || topics(&bench) == TOPICS).await;
    assert_eq!(bench.subscriptions().len(), 5);
    replica.stop().await;
}

#[tokio::test]
async fn a_topic_that_is_subscribed_to_already_is_a_success_in_either_language() {
    for language in [Language::En, Language::Nl] {
        let bench = looking().await;
        let control = bench.control();
        control.set_switches(Switches { language, ..control.switches() });
        let first = bench.start().await;
        until("all are made", || topics(&bench) == TOPICS).await;
        first.stop().await;
        // The list fails to show them once, as if they were another user's.
        let client = exactonline_client(&bench).await;
        for topic in TOPICS {
            client.subscribe(topic, &bench.callback().parse().unwrap()).await.unwrap();
        }
    }
}

async fn exactonline_client(bench: &Bench) -> exactonline::ExactOnline<store::Embedded> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("grant.json");
    std::fs::write(&file, json!({ "refresh_token": bench.control().grant() }).to_string()).unwrap();
    let settings = exactonline::Settings::new(
        bench.exact.base_url.parse().unwrap(),
        u32::try_from(bench.exact.division).unwrap(),
        model::ConnectionName::parse("other").unwrap(),
        "other",
        (&bench.exact.client_id, bench.exact.client_secret.clone().into()),
        file,
    );
    let client = exactonline::ExactOnline::new(settings, store::Embedded::in_memory().unwrap()).unwrap();
    client.me().await.unwrap();
    client
}

#[tokio::test]
async fn where_the_address_can_t_be_reached_polling_goes_on_as_without_webhooks() {
    let bench = Bench { poll: Duration::from_millis(300), poll_told: NEVER, ..looking().await };
    let mut accounts = bench.accounts().await;
    // Nobody listens where Exact is told to post.
    let replica = bench.start_another().await;
    until("it is tried", || bench.calls("POST webhooks/webhooksubscriptions") > 1).await;
    assert_eq!((replica.keeps(), bench.subscriptions()), (Some(false), vec![]));
    let id = bench.control().create_account(r#"{"Name":"Acme"}"#).unwrap();
    assert_eq!(next_of(&mut accounts).await.id.as_str(), id.to_string());
    replica.stop().await;
}

#[tokio::test]
async fn when_subscriptions_can_t_be_kept_any_more_polls_are_as_often_as_ever() {
    let (poll, wait) = (Duration::from_millis(300), Duration::from_secs(5));
    let intervals = Intervals { subscriptions: wait, subscriptions_again: wait, ..Intervals::default() };
    let bench = Bench { intervals, poll, poll_told: NEVER, ..Bench::new().await };
    let replica = bench.start().await;
    until("all are made", || topics(&bench) == TOPICS && replica.keeps() == Some(true)).await;
    let refused = FaultKind::FailBefore { status: 403 };
    let path_contains = Some("webhooks".to_owned());
    bench.control().add_fault(Fault { path_contains, count: 3, ..Fault::next(refused) });
    let polls = bench.polls()[0];
    until("it polls", || bench.polls()[0] > polls + 3).await;
    until("they are kept again", || bench.control().faults().is_empty() && replica.keeps() == Some(true))
        .await;
    replica.stop().await;
}

#[tokio::test]
async fn a_question_without_an_answer_ends_nothing() {
    let bench = Bench { poll: Duration::from_millis(300), poll_told: NEVER, ..Bench::new().await };
    let again = Duration::from_millis(100);
    let intervals =
        Intervals { subscriptions: Duration::from_secs(5), subscriptions_again: again, ..bench.intervals };
    let bench = Bench { intervals, ..bench };
    let replica = bench.start().await;
    until("all are made", || topics(&bench) == TOPICS && replica.keeps() == Some(true)).await;
    let away = FaultKind::FailBefore { status: 503 };
    let path_contains = Some("webhooks".to_owned());
    bench.control().add_fault(Fault { path_contains, count: 2, ..Fault::next(away) });
    until("it was away", || bench.control().faults().is_empty()).await;
    assert_eq!(replica.keeps(), Some(true));
    replica.stop().await;
}

#[tokio::test]
async fn of_two_replicas_one_keeps_them_and_the_other_follows() {
    let bench = looking().await;
    let first = bench.start().await;
    until("all are made", || topics(&bench) == TOPICS && first.keeps() == Some(true)).await;
    let second = bench.start_another().await;
    let looks = bench.calls("GET webhooks/webhooksubscriptions");
    until("it looks again", || bench.calls("GET webhooks/webhooksubscriptions") > looks + 3).await;
    assert_eq!(second.keeps(), None);
    first.stop().await;
    until("the second one keeps them", || second.keeps() == Some(true)).await;
    second.stop().await;
}

#[tokio::test]
async fn without_webhooks_nothing_is_subscribed_to_and_polling_alone_works() {
    let bench = Bench { has_webhooks: false, poll: Duration::from_millis(300), ..Bench::new().await };
    let mut accounts = bench.accounts().await;
    let replica = bench.start().await;
    until("it polls", || bench.polls()[0] > 3).await;
    let id = bench.control().create_account(r#"{"Name":"Acme"}"#).unwrap();
    assert_eq!(next_of(&mut accounts).await.id.as_str(), id.to_string());
    assert_eq!(bench.calls("GET webhooks/webhooksubscriptions"), 0);
    replica.stop().await;
}
