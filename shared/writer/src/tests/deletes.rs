//! A record is deleted because its partner was.

use contract::{OutcomeResult, RetryTier};
use jiff::Timestamp;
use link::{DeletePolicy, Event, Link, Observation, Pending, Write, step};
use mapping::OnDelete;
use model::{FailureClass, LinkId, Presence, SystemPair, Version, View};

use super::bench::{Bench, pair};
use super::fakes::{Call, refusal};
use super::{CRM, EXACT, record, sighting};
use crate::work::Handled;

/// A pair of customers whose deletions are carried over.
async fn bench() -> Bench {
    let deletes = SystemPair { customcrm: OnDelete::Propagate, exactonline: OnDelete::Propagate };
    Bench::of(mapping::Pair { deletes, ..pair() }, Vec::new()).await
}

/// An account whose customer was deleted.
async fn bereft(bench: &Bench) -> LinkId {
    let id = bench.linked("c1", "a1", &[("Name", "Acme")]).await;
    let policy = bench.pair.policy(jiff::civil::date(2026, 3, 1));
    assert_eq!(policy.deletes.exactonline, DeletePolicy::Propagate);
    let gone = Observation {
        record: record("c1"),
        version: Some(Version(2)),
        modified_at: None,
        by_us: false,
        presence: Presence::Deleted,
        view: View::new(),
        whole_lines: false,
        admitted: true,
        stand_in: None,
    };
    let deleted = |link: &mut Link| {
        let event = Event::Observed { system: CRM, observation: gone };
        *link = step(link.clone(), event, &policy, true, Timestamp::now()).link;
    };
    bench.change(&id, deleted).await;
    id
}

fn call() -> Call {
    Call::Delete { record: record("a1"), version: Some(Version(1)) }
}

#[tokio::test]
async fn a_deletion_is_claimed_before_it_is_sent_at_the_version_that_was_seen() {
    let bench = bench().await;
    let link = bereft(&bench).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls(), [call()]);
    let stored = bench.target.stored_at_calls().concat();
    let [Pending::InFlight { write: Write::Delete { .. }, claim: 1, .. }] = &stored[..] else {
        panic!("{stored:?}")
    };
    let outcome = bench.outcome().await.unwrap();
    assert_eq!((outcome.system, outcome.claim), (EXACT, 1));
    assert_eq!(outcome.result, OutcomeResult::Applied { record: record("a1"), after: None });
}

#[tokio::test]
async fn a_record_that_changed_meanwhile_is_not_deleted_and_told_as_it_is() {
    let bench = bench().await;
    let link = bereft(&bench).await;
    let now = sighting("a1", 2, &[("Name", "Acme & Sons")]);
    bench.target.holds_record(now.clone());
    bench.target.fail_write(refusal(FailureClass::Stale, "changed since"));
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Stale { now: Some(now) });
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_deletion_is_told_in_the_systems_words() {
    let bench = bench().await;
    let link = bereft(&bench).await;
    bench.target.fail_write(refusal(FailureClass::Rejected, "in use on an invoice"));
    assert_eq!(bench.handle(&link).await, Handled::Done);
    let words = "in use on an invoice".to_owned();
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Rejected { words });
}

#[tokio::test]
async fn a_record_that_is_gone_already_is_told_as_gone() {
    let bench = bench().await;
    let link = bereft(&bench).await;
    bench.target.fail_write(refusal(FailureClass::Gone, "not there"));
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Gone);
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_said_again() {
    let bench = bench().await;
    let link = bereft(&bench).await;
    bench.target.fail_write(refusal(FailureClass::Ambiguous, "no answer"));
    assert!(matches!(bench.handle(&link).await, Handled::Later(RetryTier::Seconds5, _)));
    assert_eq!(bench.outcome().await, None);
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls(), [call(), call()]);
}
