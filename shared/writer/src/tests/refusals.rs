//! What becomes of a write that is not carried out.

use std::time::Duration;

use contract::{OutcomeResult, RetryTier};
use link::Pending;
use model::{FailureClass, LinkId};

use super::bench::Bench;
use super::fakes::{Call, Refusal, duplicate, refusal};
use super::{record, sighting};
use crate::work::Handled;

/// A link whose account is to be given another city.
async fn edited(bench: &Bench) -> LinkId {
    let link = bench.linked("c1", "a1", &[("Name", "Acme"), ("City", "Delft")]).await;
    bench.edit(&link, &[("City", "Leiden")]).await;
    link
}

/// What becomes of an update that is refused like this.
async fn refused(refusal: Refusal, attempt: u32) -> (Handled, Option<OutcomeResult>) {
    let bench = Bench::new().await;
    let link = edited(&bench).await;
    bench.target.fail_write(refusal);
    let handled = bench.handle_attempt(&link, attempt).await;
    (handled, bench.outcome().await.map(|outcome| outcome.result))
}

/// In which tier an update that fails like this rests.
async fn tier(class: FailureClass, attempt: u32) -> RetryTier {
    match refused(refusal(class, "not now"), attempt).await {
        (Handled::Later(tier, reason), None) => {
            assert_eq!(reason, "not now");
            tier
        }
        other => panic!("{class:?} became {other:?}"),
    }
}

/// How long the line of an update that fails like this rests.
async fn rest(class: FailureClass, attempt: u32) -> Duration {
    match refused(refusal(class, "not now"), attempt).await {
        (Handled::Rests(after), None) => after,
        other => panic!("{class:?} became {other:?}"),
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_reported_by_its_property_without_any_call() {
    let bench = Bench::new().await;
    let name = "x".repeat(51);
    let created = bench.to_be_created("c2", &[("Name", &name), ("City", "Delft")]).await;
    let changed = edited(&bench).await;
    bench.edit(&changed, &[("Name", &name)]).await;
    for link in [created, changed] {
        assert_eq!(bench.handle(&link).await, Handled::Done);
        let Some(OutcomeResult::Rejected { words }) = bench.outcome().await.map(|outcome| outcome.result)
        else {
            panic!("not rejected")
        };
        assert!(words.contains("Name") && words.contains("51"), "{words}");
        assert!(!words.contains(&name) && !words.contains("Delft"), "{words}");
    }
    assert_eq!(bench.target.calls(), []);
}

#[tokio::test]
async fn a_stale_write_reads_the_record_again_and_reports_it() {
    let bench = Bench::new().await;
    let link = edited(&bench).await;
    let now = sighting("a1", 5, &[("City", "Haarlem")]);
    bench.target.holds_record(now.clone());
    bench.target.fail_write(refusal(FailureClass::Stale, "changed since"));
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls().last(), Some(&Call::Record(record("a1"))));
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Stale { now: Some(now) });
}

#[tokio::test]
async fn a_stale_write_whose_record_has_gone_is_reported_as_gone() {
    let (handled, result) = refused(refusal(FailureClass::Stale, "changed since"), 1).await;
    assert_eq!((handled, result), (Handled::Done, Some(OutcomeResult::Gone)));
}

#[tokio::test]
async fn a_stale_write_whose_record_cannot_be_read_is_tried_again() {
    let bench = Bench::new().await;
    let link = edited(&bench).await;
    bench.target.fail_write(refusal(FailureClass::Stale, "changed since"));
    bench.target.fail_record(refusal(FailureClass::Transient, "out of order"));
    assert_eq!(bench.handle(&link).await, Handled::Later(RetryTier::Seconds5, "out of order".to_owned()));
    assert_eq!(bench.outcome().await, None);
}

#[tokio::test]
async fn a_record_that_has_gone_is_reported() {
    let (handled, result) = refused(refusal(FailureClass::Gone, "no such account"), 1).await;
    assert_eq!((handled, result), (Handled::Done, Some(OutcomeResult::Gone)));
}

#[tokio::test]
async fn the_words_of_a_refusal_are_kept() {
    let words = "Field City: unknown place".to_owned();
    let (handled, result) = refused(refusal(FailureClass::Rejected, &words), 1).await;
    assert_eq!((handled, result), (Handled::Done, Some(OutcomeResult::Rejected { words })));
}

#[tokio::test]
async fn an_update_that_meets_a_duplicate_is_refused_and_adopts_nothing() {
    let (handled, result) = refused(duplicate("a9"), 1).await;
    assert_eq!(handled, Handled::Done);
    assert!(matches!(result, Some(OutcomeResult::Rejected { .. })), "{result:?}");
}

#[tokio::test]
async fn a_throttled_write_rests_for_as_long_as_was_told_and_no_longer() {
    for seconds in [1, 45, 3_600] {
        let after = Duration::from_secs(seconds);
        assert_eq!(rest(FailureClass::Throttled { after }, 1).await, after);
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_unknown_is_tried_again_soon_however_often_it_was() {
    assert_eq!(tier(FailureClass::Ambiguous, 1).await, RetryTier::Seconds5);
    assert_eq!(tier(FailureClass::Ambiguous, 20).await, RetryTier::Seconds5);
}

#[tokio::test]
async fn a_refused_connection_lets_its_writes_wait() {
    assert_eq!(rest(FailureClass::Auth, 1).await, Duration::from_secs(30));
    assert_eq!(rest(FailureClass::Auth, 20).await, Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn what_a_system_refuses_is_told_until_it_is_made_or_no_longer_tried() {
    let bench = Bench::new().await;
    let (work, link) = (bench.work(), edited(&bench).await);
    let refused = async || {
        bench.target.fail_write(refusal(FailureClass::Auth, "give consent"));
        let handled = bench.handle_by(&work, &link, 1).await;
        assert_eq!(handled, Handled::Rests(Duration::from_secs(30)));
        let told = [("acme exactonline customer-account".to_owned(), "give consent".to_owned())];
        assert_eq!(bench.health.rests(), told.into());
    };
    refused().await;
    work.refusals.forget();
    assert_eq!(bench.health.rests().len(), 1, "it goes on");
    tokio::time::advance(Duration::from_mins(2)).await;
    work.refusals.forget();
    assert_eq!(bench.health.rests(), [].into(), "another replica has it by now");

    refused().await;
    assert_eq!(bench.handle_by(&work, &link, 2).await, Handled::Done);
    assert_eq!(bench.health.rests(), [].into(), "it was repaired");
}

#[tokio::test]
async fn a_write_that_fails_for_now_rests_the_longer_the_more_often_it_failed() {
    let mut tiers = Vec::new();
    for attempt in [1, 4, 7, 10] {
        tiers.push(tier(FailureClass::Transient, attempt).await);
    }
    assert_eq!(tiers, RetryTier::ALL);
}

#[tokio::test]
async fn a_write_is_not_claimed_before_the_system_is_ready() {
    let bench = Bench::new().await;
    let link = edited(&bench).await;
    let after = Duration::from_secs(20);
    bench.target.not_ready(refusal(FailureClass::Throttled { after }, "no quota"));
    assert_eq!(bench.handle(&link).await, Handled::Rests(after));
    assert!(matches!(bench.pending(&link).await, Pending::Queued { .. }), "later edits still fold in");
    assert_eq!(bench.target.calls(), []);
}
