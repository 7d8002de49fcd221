//! From what Exact tells to what is seen.

use std::time::Duration;

use model::{Content, Presence, Record};
use service::ExactOnlineConfig;
use simulator_exactonline::Switches;
use tokio::time::{Instant, sleep};

use super::bench::{Bench, next_of, until};
use crate::pace::Intervals;

#[tokio::test]
async fn an_edit_is_seen_soon_although_polls_are_ten_minutes_apart() {
    let bench = Bench::new().await;
    let id = bench.control().create_account(r#"{"Name":"Acme"}"#).unwrap();
    let mut accounts = bench.accounts().await;
    let replica = bench.start_and_rest().await;
    next_of(&mut accounts).await;
    let edited = Instant::now();
    bench.control().change_account(id, r#"{"Name":"Acme BV"}"#).unwrap();
    let seen = next_of(&mut accounts).await;
    assert_eq!(seen.properties["Name"].as_text(), Some("Acme BV"));
    println!("from an edit in exact to its observation: {:?}", edited.elapsed());
    assert_eq!(bench.polls(), [2, 1, 1, 1, 1], "only what was told of is read");
    replica.stop().await;
}

#[tokio::test]
async fn a_hint_that_comes_to_one_replica_leads_to_a_read_by_the_one_that_holds_the_lease() {
    let bench = Bench::new().await;
    let mut accounts = bench.accounts().await;
    let collects = bench.start_another().await;
    until("all is read", || bench.polls() == [1; 5]).await;
    let listens = bench.start().await;
    until("all subscriptions are made", || bench.subscriptions().len() == 5).await;
    let id = bench.control().create_account(r#"{"Name":"Acme"}"#).unwrap();
    assert_eq!(next_of(&mut accounts).await.id.as_str(), id.to_string());
    assert_eq!((listens.posted("hint"), collects.posted("hint")), (1, 0));
    assert_eq!(bench.polls()[0], 2);
    collects.stop().await;
    listens.stop().await;
}

#[tokio::test]
async fn a_hundred_edits_at_once_are_one_read() {
    let bench = Bench::new().await;
    let id = bench.control().create_account(r#"{"Name":"Acme"}"#).unwrap();
    let replica = bench.start_and_rest().await;
    for edit in 0..100 {
        bench.control().change_account(id, &format!(r#"{{"Name":"Acme {edit}"}}"#)).unwrap();
    }
    until("all is told", || replica.posted("hint") == 100).await;
    until("it is read", || bench.polls()[0] > 1).await;
    // The window is ten seconds, and what came late in it is not read before it ends.
    sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.polls(), [2, 1, 1, 1, 1]);
    replica.stop().await;
}

#[tokio::test]
async fn a_deletion_is_seen_as_soon_as_an_edit() {
    let bench = Bench::new().await;
    let id = bench.control().create_account(r#"{"Name":"Acme"}"#).unwrap();
    let mut accounts = bench.accounts().await;
    let replica = bench.start_and_rest().await;
    next_of(&mut accounts).await;
    bench.control().delete_account(id).unwrap();
    let seen = next_of(&mut accounts).await;
    assert_eq!((seen.presence, seen.id.as_str()), (Presence::Deleted, id.to_string().as_str()));
    replica.stop().await;
}

#[tokio::test]
async fn a_change_of_a_line_alone_is_told_by_its_document() {
    let bench = Bench::new().await;
    let control = bench.control();
    let person = control.people()[1].id;
    let customer = control.create_account(r#"{"Name":"Acme","Status":"C"}"#).unwrap();
    let item = r#"{"Code":"bolt","Description":"Bolt","IsSalesItem":true}"#;
    let item = control.create("logistics/Items", item, person).unwrap();
    let line = format!(r#"{{"Item":"{item}","Quantity":1}}"#);
    let order = format!(r#"{{"OrderedBy":"{customer}","SalesOrderLines":[{line}]}}"#);
    let order = control.create("salesorder/SalesOrders", &order, person).unwrap();
    let mut orders = bench.seen_by("order-salesorder").await;
    let replica = bench.start_and_rest().await;
    let lines = |record: &Record| match &record.properties["SalesOrderLines"] {
        Content::List(lines) => lines.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(lines(&next_of(&mut orders).await), 1);
    let line = format!(r#"{{"OrderID":"{order}","Item":"{item}","Quantity":2}}"#);
    control.create("salesorder/SalesOrderLines", &line, person).unwrap();
    assert_eq!(lines(&next_of(&mut orders).await), 2);
    replica.stop().await;
}

#[tokio::test]
async fn what_is_doubled_out_of_order_or_told_as_an_update_does_no_harm() {
    let bench = Bench::new().await;
    let mut accounts = bench.accounts().await;
    let replica = bench.start_and_rest().await;
    let control = bench.control();
    control.set_switches(Switches {
        webhooks_doubled: true,
        webhooks_reordered: true,
        webhooks_tell_creates_as_updates: true,
        webhooks_without_time: true,
        ..control.switches()
    });
    let id = control.create_account(r#"{"Name":"Acme"}"#).unwrap();
    let seen = next_of(&mut accounts).await;
    assert_eq!((seen.id.as_str(), seen.presence), (id.to_string().as_str(), Presence::Present));
    replica.stop().await;
}

#[tokio::test]
async fn a_lost_hint_costs_the_time_to_the_next_poll_and_no_more() {
    let bench = Bench { poll_told: Duration::from_secs(2), ..Bench::new().await };
    let mut accounts = bench.accounts().await;
    let replica = bench.start().await;
    until("all subscriptions are made", || bench.subscriptions().len() == 5).await;
    let control = bench.control();
    control.set_switches(Switches { webhooks_lost: true, ..control.switches() });
    let id = control.create_account(r#"{"Name":"Acme"}"#).unwrap();
    assert_eq!(next_of(&mut accounts).await.id.as_str(), id.to_string());
    assert_eq!(replica.posted("hint"), 0);
    replica.stop().await;
}

/// The usual intervals where an hour passes in a second.
fn scaled(time: Duration) -> Duration {
    time / 3_600
}

/// The calls of eight idle hours, each of a second.
async fn idle_calls(bench: &Bench) -> usize {
    until("all is read", || bench.polls().iter().all(|polls| *polls >= 2)).await;
    bench.control().clear_log();
    sleep(Duration::from_secs(8)).await;
    let counts = bench.control().counts();
    let calls = counts.calls - bench.calls("POST api/oauth2/token");
    println!("{calls} calls in eight idle hours: {:?}", counts.by_endpoint);
    calls
}

#[tokio::test]
async fn an_idle_hour_takes_twelve_calls_at_most() {
    let usual = Intervals::default();
    let intervals = Intervals {
        deletions: scaled(usual.deletions),
        directory_told: scaled(usual.directory_told),
        subscriptions: scaled(usual.subscriptions),
        ..usual
    };
    let bench = Bench { intervals, poll_told: Duration::from_secs(1), ..Bench::new().await };
    let replica = bench.start().await;
    until("all subscriptions are made", || bench.subscriptions().len() == 5).await;
    let calls = idle_calls(&bench).await;
    // Both their ends: one more of everything that is done now and then.
    assert!(calls <= 12 * 8 + 8 + 5 + 5 + 1, "{calls}");
    replica.stop().await;
}

#[tokio::test]
async fn an_idle_hour_without_webhooks_takes_sixty_calls_at_most() {
    let usual = Intervals::default();
    let intervals =
        Intervals { deletions: scaled(usual.deletions), directory: scaled(usual.directory), ..usual };
    let poll = scaled(ExactOnlineConfig::POLL_INTERVAL);
    let bench = Bench { intervals, poll, has_webhooks: false, ..Bench::new().await };
    let replica = bench.start().await;
    // Until the polls have moved apart.
    sleep(Duration::from_secs(1)).await;
    let calls = idle_calls(&bench).await;
    assert!(calls <= 60 * 8 + 8 + 5 + 5, "{calls}");
    replica.stop().await;
}
