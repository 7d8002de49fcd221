//! What a failure costs: time, never a record.

use std::time::Duration;

use contract::ReadPart;
use model::FailureClass;

use super::bench::{Bench, POLL, ids, pass};
use super::fakes::Changes;
use super::records;

#[tokio::test(start_paused = true)]
async fn the_cursor_moves_only_after_everything_before_it_was_published() {
    let bench = Bench::new().await;
    let running = bench.start(&Changes::of(records(&["a", "b", "c"])));
    bench.said().await;
    // The first page, the second page, the end of the read.
    let first = Some("2".to_owned());
    assert_eq!(bench.broker.cursors(), [None, first.clone(), first]);
    assert_eq!(bench.cursor().await.as_deref(), Some("3"));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_published_in_part_is_published_again_as_another_page() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a", "b", "c"]));
    bench.broker.lose_after(1);
    let running = bench.start(&source);
    pass(Duration::from_secs(2)).await;
    let (seen, ends) = bench.said().await;
    assert_eq!(ids(&seen), ["a", "a", "b", "c"]);
    assert_eq!(ends.len(), 1);
    let cursors: Vec<_> = source.pages().into_iter().map(|(_, cursor)| cursor).collect();
    assert_eq!(cursors, [None, None, Some("2".to_owned())], "the failure left the cursor");
    let parts: Vec<ReadPart> = seen.into_iter().map(|observed| observed.part.unwrap()).collect();
    assert_ne!(parts[0].page, parts[1].page);
    assert_eq!(parts[1].page, parts[2].page);
    let counted: Vec<_> = ends[0].pages.clone();
    assert_eq!(counted, [(parts[1].page, 2), (parts[3].page, 1)], "the end tells only what arrived");
    assert!(parts[1..].iter().all(|part| part.read == ends[0].read));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_full_read_that_could_not_be_published_is_published_again() {
    let bench = Bench::new().await;
    let source = Changes::default();
    bench.broker.lose_after(0);
    let running = bench.start(&source);
    assert_eq!(bench.cursor().await, None);
    pass(Duration::from_secs(2)).await;
    let (_, ends) = bench.said().await;
    assert_eq!(ends.len(), 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_rests_and_goes_on_once_it_is_repaired() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    source.fail(&[FailureClass::Auth, FailureClass::Auth]);
    let running = bench.start(&source);
    pass(Duration::from_secs(45)).await;
    assert_eq!(source.pages().len(), 2, "asked now and then");
    assert!(!running.task.is_finished(), "a refusal ends no service");
    let rests: Vec<_> = bench.health.rests().into_values().collect();
    assert_eq!(rests, ["the system says no"], "and it is told");
    assert_eq!(bench.health.waits_for(), [].into(), "a service is ready for its other connections");
    assert_eq!(bench.said().await.0, []);
    pass(Duration::from_secs(20)).await;
    let (seen, ends) = bench.said().await;
    assert_eq!((ids(&seen), ends.len()), (vec!["a"], 1));
    assert_eq!(bench.health.rests(), [].into());
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_throttled_collector_waits_as_long_as_it_was_told_and_no_longer() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    let after = Duration::from_secs(95);
    source.fail(&[FailureClass::Throttled { after }]);
    let running = bench.start(&source);
    pass(after + Duration::from_secs(1)).await;
    let times: Vec<_> = source.pages().into_iter().map(|(at, _)| at).collect();
    assert_eq!(times.len(), 2);
    let waited = times[1] - times[0];
    assert!(waited >= after && waited < after + Duration::from_secs(1), "{waited:?}");
    assert_eq!(bench.said().await.0.len(), 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_system_that_fails_for_now_is_asked_again_soon() {
    for class in [FailureClass::Transient, FailureClass::Ambiguous, FailureClass::Rejected] {
        let bench = Bench::new().await;
        let source = Changes::of(records(&["a"]));
        source.fail(&[class, class]);
        let running = bench.start(&source);
        pass(Duration::from_secs(2)).await;
        let (seen, ends) = bench.said().await;
        assert_eq!((ids(&seen), ends.len()), (vec!["a"], 1), "{class:?}");
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_the_next_poll() {
    let bench = Bench::new().await;
    let running = bench.start(&Changes::default());
    bench.said().await;
    let stopped = tokio::time::timeout(POLL / 2, running.stop()).await;
    assert!(stopped.is_ok());
}
