//! Before a record is created it is looked for, and never created twice.

use std::time::Duration;

use contract::{OutcomeResult, RetryTier, Sighting};
use jiff::{SignedDuration, Timestamp};
use link::{Event, Pending, Write, step};
use model::{Content, FailureClass};
use tokio::time::sleep;

use super::bench::Bench;
use super::fakes::{Call, duplicate, refusal, taken};
use super::{EXACT, record, sighting, view};
use crate::work::Handled;
use crate::{Duplicate, SearchKey};

const KEYS: [(&str, &str); 5] = [
    ("Name", "Acme"),
    ("VatNumber", "NL123456789B01"),
    ("OrganizationNumber", "27123456"),
    ("CustomerNumber", "1001"),
    ("Email", "info@example.com"),
];

fn search(property: &str, content: &str) -> Call {
    let conditions = vec![(property.to_owned(), Content::from(content))];
    Call::Search(SearchKey { conditions, only_ours: false, wanted: None })
}

fn search_own(name: &str) -> Call {
    let conditions = vec![("Name".to_owned(), Content::from(name))];
    Call::Search(SearchKey { conditions, only_ours: true, wanted: None })
}

fn ours(sighting: Sighting) -> Sighting {
    Sighting { by_us: true, ..sighting }
}

#[tokio::test]
async fn a_create_follows_a_search_by_each_match_key_as_the_system_holds_it() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    let calls = bench.target.calls();
    let padded = format!("{:>18}", "1001");
    let searches = [
        search("VATNumber", "NL123456789B01"),
        search("ChamberOfCommerce", "27123456"),
        search("Code", &padded),
        search("Email", "info@example.com"),
    ];
    assert_eq!(calls[..4], searches);
    let [Call::Create { properties, .. }] = &calls[4..] else { panic!("{calls:?}") };
    assert_eq!(properties["Name"], Content::from("Acme"));
    let outcome = bench.outcome().await.unwrap();
    let OutcomeResult::Applied { record: made, after: Some(after) } = outcome.result else {
        panic!("{outcome:?}")
    };
    assert_eq!((made, &after.record.properties), (record("new"), properties));
}

#[tokio::test]
async fn the_claim_of_a_create_is_in_the_store_before_anything_is_asked_or_sent() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS[..2]).await;
    bench.handle(&link).await;
    let stored = bench.target.stored_at_calls();
    assert_eq!(stored.len(), 2);
    for pending in stored.concat() {
        let Pending::InFlight { write: Write::Create { values }, claim: 1, attempt: 1, .. } = pending else {
            panic!("{pending:?}")
        };
        assert_eq!(values, view(&KEYS[..2]));
    }
    assert_eq!(bench.outcome().await.unwrap().claim, 1);
}

#[tokio::test]
async fn one_record_that_a_search_finds_is_adopted_and_nothing_is_created() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS).await;
    let found = sighting("a1", 7, &[("Name", "Acme B.V.")]);
    bench.target.finds("ChamberOfCommerce", std::slice::from_ref(&found));
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls().len(), 2, "the stronger key, then the one that found it");
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Adopted { found });
}

#[tokio::test]
async fn several_records_that_a_search_finds_are_reported_and_nothing_is_created() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS).await;
    bench.target.finds("VATNumber", &[sighting("a1", 1, &[]), sighting("a2", 1, &[])]);
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls().len(), 1);
    let candidates = vec![record("a1"), record("a2")];
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::FoundSeveral { candidates });
}

#[tokio::test]
async fn nothing_is_created_after_a_search_that_failed() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS).await;
    bench.target.fail_search(refusal(FailureClass::Transient, "out of order"));
    assert_eq!(bench.handle(&link).await, Handled::Later(RetryTier::Seconds5, "out of order".to_owned()));
    assert_eq!(bench.target.calls().len(), 1);
    assert_eq!(bench.outcome().await, None);
}

#[tokio::test]
async fn without_match_keys_a_record_of_our_own_making_is_adopted_unless_it_has_a_partner() {
    let bench = Bench::new().await;
    bench.linked("c0", "a0", &[("Name", "Acme")]).await;
    let link = bench.to_be_created("c1", &[("Name", "Acme")]).await;
    let free = ours(sighting("a1", 1, &[("Name", "Acme")]));
    bench.target.finds("Name", &[ours(sighting("a0", 1, &[("Name", "Acme")])), free.clone()]);
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls(), [search_own("Acme")]);
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Adopted { found: free });
}

#[tokio::test]
async fn a_record_of_our_own_making_that_was_only_seen_so_far_is_adopted() {
    let bench = Bench::new().await;
    bench.single(EXACT, "a1", &[("Name", "Acme")]).await;
    let link = bench.to_be_created("c1", &[("Name", "Acme")]).await;
    let found = ours(sighting("a1", 1, &[("Name", "Acme")]));
    bench.target.finds("Name", std::slice::from_ref(&found));
    bench.handle(&link).await;
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Adopted { found });
}

#[tokio::test]
async fn a_namesake_that_has_its_partner_does_not_keep_a_record_from_being_created() {
    let bench = Bench::new().await;
    bench.linked("c0", "a0", &[("Name", "Acme")]).await;
    let link = bench.to_be_created("c1", &[("Name", "Acme")]).await;
    bench.target.finds("Name", &[ours(sighting("a0", 1, &[("Name", "Acme")]))]);
    bench.handle(&link).await;
    let calls = bench.target.calls();
    assert!(matches!(calls[..], [Call::Search(_), Call::Create { .. }]), "{calls:?}");
}

#[tokio::test]
async fn a_create_whose_answer_is_unknown_rests_then_is_searched_then_sent_word_for_word() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS[..2]).await;
    bench.target.fail_write(refusal(FailureClass::Ambiguous, "no answer"));
    assert_eq!(bench.handle(&link).await, Handled::Later(RetryTier::Seconds5, "no answer".to_owned()));
    let first = bench.target.take_calls();
    assert_eq!(bench.outcome().await, None);
    bench.edit(&link, &[("Name", "Acme, edited meanwhile")]).await;
    bench.age(&link, SignedDuration::from_secs(19)).await;
    assert!(matches!(bench.handle(&link).await, Handled::Later(RetryTier::Seconds5, _)));
    assert_eq!(bench.target.take_calls(), [], "it has not had the time to show");
    bench.age(&link, SignedDuration::from_secs(21)).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.take_calls(), first, "the search, and the same request under the same key");
    assert_eq!(bench.outcome().await.unwrap().claim, 2);
}

#[tokio::test]
async fn a_create_that_had_arrived_after_all_is_adopted_instead_of_repeated() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS[..2]).await;
    bench.target.fail_write(refusal(FailureClass::Ambiguous, "no answer"));
    bench.handle(&link).await;
    bench.target.take_calls();
    bench.age(&link, SignedDuration::from_secs(21)).await;
    let found = ours(sighting("a1", 1, &[("Name", "Acme")]));
    bench.target.finds("VATNumber", std::slice::from_ref(&found));
    bench.handle(&link).await;
    assert_eq!(bench.target.take_calls().len(), 1);
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Adopted { found });
}

#[tokio::test]
async fn a_record_whose_outcome_was_faster_than_the_search_before_its_repetition_is_not_made_again() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &[("Name", "Acme")]).await;
    bench.target.fail_write(refusal(FailureClass::Ambiguous, "no answer"));
    bench.handle(&link).await;
    bench.target.take_calls();
    bench.age(&link, SignedDuration::from_secs(21)).await;
    let made = ours(sighting("a1", 1, &[("Name", "Acme")]));
    bench.target.finds("Name", std::slice::from_ref(&made));
    bench.target.hold_searches();
    let the_first_outcome_lands = async {
        while bench.target.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        let event = Event::Applied { system: EXACT, claim: 1, record: record("a1"), after: None };
        let policy = bench.pair.policy(jiff::civil::date(2026, 3, 1));
        bench
            .change(&link, |link| *link = step(link.clone(), event, &policy, true, Timestamp::now()).link)
            .await;
        bench.target.resume.notify_one();
    };
    let (handled, ()) = tokio::join!(bench.handle(&link), the_first_outcome_lands);
    assert_eq!(handled, Handled::Done);
    assert_eq!(bench.target.calls(), [search_own("Acme")]);
    let outcome = bench.outcome().await.unwrap();
    assert_eq!((outcome.claim, outcome.result), (2, OutcomeResult::Adopted { found: made }));
}

#[tokio::test]
async fn creates_of_two_links_and_of_other_content_have_keys_of_their_own() {
    let mut keys = std::collections::BTreeSet::new();
    for (customer, name) in [("c1", "Acme"), ("c2", "Acme"), ("c1", "Bolt")] {
        let bench = Bench::new().await;
        let link = bench.to_be_created(customer, &[("Name", name)]).await;
        bench.handle(&link).await;
        keys.extend(bench.target.calls().into_iter().filter_map(|call| match call {
            Call::Create { key, .. } => Some(key),
            Call::Search(_) | Call::Record(_) | Call::Update { .. } | Call::Delete { .. } => None,
        }));
    }
    assert_eq!(keys.len(), 3);
}

#[tokio::test]
async fn the_other_record_that_a_refused_create_names_is_adopted() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS[..2]).await;
    let found = sighting("a1", 3, &[("Name", "Acme")]);
    bench.target.holds_record(found.clone());
    bench.target.fail_write(duplicate("a1"));
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls().last(), Some(&Call::Record(record("a1"))));
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Adopted { found });
}

#[tokio::test]
async fn a_duplicate_that_is_not_there_leaves_the_refusal_as_it_is() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS[..2]).await;
    bench.target.fail_write(duplicate("a1"));
    bench.handle(&link).await;
    let words = "the code exists already".to_owned();
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Rejected { words });
}

#[tokio::test]
async fn a_duplicate_that_cannot_be_read_for_now_is_looked_at_again_and_not_refused() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS[..2]).await;
    bench.target.fail_write(duplicate("a1"));
    bench.target.fail_record(refusal(FailureClass::Transient, "out of order"));
    assert_eq!(bench.handle(&link).await, Handled::Later(RetryTier::Seconds5, "out of order".to_owned()));
    assert_eq!(bench.outcome().await, None);
}

/// Somebody makes the record after the search and before the create, and the system does not say which one it is.
#[tokio::test]
async fn a_refused_create_whose_duplicate_is_not_named_is_searched_for_again_and_adopted() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS[..2]).await;
    let found = sighting("a1", 3, &[("Name", "Acme")]);
    bench.target.fail_write(taken(Duplicate::Unnamed));
    bench.target.hold();
    let somebody_makes_it = async {
        while !matches!(bench.target.calls().last(), Some(Call::Create { .. })) {
            tokio::task::yield_now().await;
        }
        let Some(Call::Search(key)) = bench.target.calls().into_iter().next() else { panic!("no search") };
        bench.target.finds(&key.conditions[0].0, std::slice::from_ref(&found));
        bench.target.resume.notify_one();
    };
    let (handled, ()) = tokio::join!(bench.handle(&link), somebody_makes_it);
    assert_eq!(handled, Handled::Done);
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Adopted { found });
}

#[tokio::test]
async fn a_duplicate_that_is_not_named_and_that_no_search_finds_is_refused_in_the_systems_words() {
    let bench = Bench::new().await;
    let link = bench.to_be_created("c1", &KEYS[..2]).await;
    bench.target.fail_write(taken(Duplicate::Unnamed));
    bench.handle(&link).await;
    let words = "the code exists already".to_owned();
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Rejected { words });
    assert_eq!(bench.outcome().await, None);
}

/// A connector may let a call wait for its pace, a token or a free connection.
#[tokio::test(start_paused = true)]
async fn a_create_that_waits_for_its_turn_until_another_writer_may_take_it_over_is_not_sent() {
    for (waits, leaves) in [(4, true), (5, false), (60, false)] {
        let bench = Bench::new().await;
        let link = bench.to_be_created("c1", &KEYS[..2]).await;
        bench.target.hold();
        let its_turn = async {
            sleep(Duration::from_secs(waits)).await;
            bench.target.resume.notify_one();
        };
        tokio::join!(bench.handle(&link), its_turn);
        assert_eq!(bench.target.left(), [leaves], "after {waits} s");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_claimed_at_once_than_the_system_takes_in_while_a_claim_holds() {
    let bench = Bench::new().await;
    bench.target.takes_at_once(1);
    bench.target.hold();
    let first = bench.to_be_created("c1", &KEYS[..2]).await;
    let second = bench.to_be_created("c2", &KEYS[..1]).await;
    let work = bench.work();
    let is_claimed = async |link| matches!(bench.pending(link).await, Pending::InFlight { .. });
    let claimed = async {
        sleep(Duration::from_secs(1)).await;
        let claimed = [is_claimed(&first).await, is_claimed(&second).await];
        bench.target.resume.notify_one();
        sleep(Duration::from_secs(1)).await;
        bench.target.resume.notify_one();
        claimed
    };
    let (one, other, claimed) =
        tokio::join!(bench.handle_by(&work, &first, 1), bench.handle_by(&work, &second, 1), claimed);
    assert_eq!((one, other), (Handled::Done, Handled::Done));
    assert_eq!(claimed, [true, false]);
}
