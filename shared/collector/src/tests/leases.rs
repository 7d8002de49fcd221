//! Several collectors of one entity: one reads, the others stand by.

use std::time::Duration;

use super::bench::{Bench, POLL, ids, pass};
use super::fakes::Changes;
use super::records;

/// How long a lease lasts, and how often who stands by looks.
const LEASE: Duration = Duration::from_secs(15);
const STANDBY: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn a_collector_that_rests_keeps_its_lease_and_the_other_never_reads_in_between() {
    let bench = Bench::new().await;
    let (first, second) = (Changes::of(records(&["a"])), Changes::of(records(&["a"])));
    let active = bench.start(&first);
    pass(Duration::from_secs(1)).await;
    let standby = bench.start(&second);
    pass(POLL * 5).await;
    assert!(first.pages().len() >= 5);
    assert_eq!(second.calls(), [], "it only stands by");
    active.stop().await;
    standby.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_stands_by_takes_over_once_the_lease_of_one_who_was_killed_ran_out() {
    let bench = Bench::new().await;
    let (first, second) = (Changes::of(records(&["a"])), Changes::of(records(&["a", "b"])));
    let active = bench.start(&first);
    pass(Duration::from_secs(1)).await;
    let standby = bench.start(&second);
    let (seen, _) = bench.said().await;
    assert_eq!(ids(&seen), ["a"]);
    active.kill().await;
    pass(Duration::from_secs(8)).await;
    assert_eq!(second.pages(), [], "the lease still stands");
    pass(Duration::from_secs(7) + STANDBY).await;
    let (seen, ends) = bench.said().await;
    assert_eq!((ids(&seen), ends.len()), (vec!["b"], 0), "it goes on from the cursor");
    standby.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_stops_gives_its_lease_back() {
    let bench = Bench::new().await;
    let (first, second) = (Changes::default(), Changes::default());
    let active = bench.start(&first);
    pass(Duration::from_secs(1)).await;
    let standby = bench.start(&second);
    pass(Duration::from_secs(1)).await;
    active.stop().await;
    pass(STANDBY).await;
    assert_eq!(second.pages().len(), 1);
    standby.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_keeps_its_lease_while_it_rests() {
    let bench = Bench::new().await;
    let (first, second) = (Changes::default(), Changes::default());
    first.fail(&[model::FailureClass::Auth; 10]);
    let active = bench.start(&first);
    pass(Duration::from_secs(1)).await;
    let standby = bench.start(&second);
    pass(Duration::from_mins(2)).await;
    assert_eq!(second.pages(), []);
    active.stop().await;
    standby.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_collector_whose_lease_was_taken_over_cannot_move_the_cursor() {
    let bench = Bench::new().await;
    let (first, second) = (Changes::of(records(&["a"])), Changes::of(records(&["a"])));
    let slow = bench.start(&first);
    bench.said().await;
    let stalled = bench.broker.stall();
    first.add(records(&["b"]));
    pass(POLL).await;
    assert_eq!(bench.said().await.0, [], "the first one hangs before it has published");
    bench.leap(LEASE);
    let other = bench.start(&second);
    pass(LEASE * 2).await;
    assert_eq!(second.pages().len(), 1, "the second one reads, and finds nothing new");
    stalled.notify_one();
    let (seen, _) = bench.said().await;
    assert_eq!(ids(&seen), ["b"], "a repeat does no harm");
    assert_eq!(bench.cursor().await.as_deref(), Some("1"), "the cursor is the second one's");
    let asked = first.pages().len();
    pass(POLL * 3).await;
    assert_eq!(first.pages().len(), asked, "the first one stands by");
    second.add(records(&["b"]));
    pass(POLL).await;
    assert_eq!(bench.cursor().await.as_deref(), Some("2"));
    slow.stop().await;
    other.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_takes_longer_than_a_lease_is_neither_lost_nor_read_again() {
    let bench = Bench::new().await;
    let (first, second) = (Changes::of(records(&["a"])), Changes::of(records(&["a"])));
    first.hold(None);
    let active = bench.start(&first);
    let standby = bench.start(&second);
    pass(LEASE * 2).await;
    assert_eq!(second.pages(), [], "who waits for an answer shows signs of life");
    first.resume();
    let (seen, ends) = bench.said().await;
    assert_eq!((ids(&seen), ends.len(), first.pages().len()), (vec!["a"], 1, 1));
    assert_eq!(bench.cursor().await.as_deref(), Some("1"));
    active.stop().await;
    standby.stop().await;
}
