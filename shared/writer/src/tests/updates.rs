//! What is sent is decided at the claim.

use contract::{Message, OutcomeResult};
use jiff::{SignedDuration, Timestamp};
use link::{Pending, Write};
use mapping::Put;
use model::{Content, LinkId, Version};

use super::bench::Bench;
use super::fakes::{Call, refusal};
use super::{CRM, EXACT, connection, record, view};
use crate::work::Handled;

const AGREED: [(&str, &str); 2] = [("Name", "Acme"), ("City", "Delft")];

fn update(version: u64, values: &[(&str, &str)]) -> Call {
    let properties = values.iter().map(|(name, text)| ((*name).to_owned(), Content::from(*text))).collect();
    let put = Put { properties, lines: Vec::new() };
    Call::Update { record: record("a1"), version: Some(Version(version)), put }
}

#[tokio::test]
async fn the_claim_of_an_update_is_in_the_store_before_it_is_sent() {
    let bench = Bench::new().await;
    let link = bench.linked("c1", "a1", &AGREED).await;
    bench.edit(&link, &[("City", "Leiden")]).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls(), [update(1, &[("City", "Leiden")])]);
    let stored = bench.target.stored_at_calls().concat();
    let [Pending::InFlight { write: Write::Update { values, .. }, claim: 1, .. }] = &stored[..] else {
        panic!("{stored:?}")
    };
    assert_eq!(*values, view(&[("City", "Leiden")]));
    let outcome = bench.outcome().await.unwrap();
    assert_eq!((&outcome.link, outcome.system, outcome.claim), (&link, EXACT, 1));
    assert_eq!(outcome.result, OutcomeResult::Applied { record: record("a1"), after: None });
}

#[tokio::test]
async fn a_hundred_edits_before_the_claim_are_one_call_with_the_last_values() {
    let bench = Bench::new().await;
    let link = bench.linked("c1", "a1", &AGREED).await;
    for edit in 1..=100 {
        bench.edit(&link, &[("Name", &format!("Acme {edit}")), ("City", "Leiden")]).await;
    }
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls(), [update(1, &[("City", "Leiden"), ("Name", "Acme 100")])]);
}

#[tokio::test]
async fn where_nothing_is_pending_nothing_is_called() {
    let bench = Bench::new().await;
    bench.target.not_ready(refusal(model::FailureClass::Auth, "not even asked whether it is ready"));
    let at_rest = bench.linked("c1", "a1", &AGREED).await;
    assert_eq!(bench.handle(&at_rest).await, Handled::Done);
    let unknown = LinkId::begun_by(CRM, &record("nobody"));
    assert_eq!(bench.handle(&unknown).await, Handled::Done);
    assert_eq!((bench.target.calls(), bench.outcome().await), (vec![], None));
}

#[tokio::test]
async fn an_edit_that_was_taken_back_before_the_claim_is_not_sent() {
    let bench = Bench::new().await;
    let link = bench.linked("c1", "a1", &AGREED).await;
    bench.edit(&link, &[("City", "Leiden")]).await;
    bench.edit(&link, &[("City", "Delft")]).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!((bench.target.calls(), bench.outcome().await), (vec![], None));
    assert_eq!(bench.pending(&link).await, Pending::None);
}

#[tokio::test]
async fn an_update_whose_answer_is_unknown_is_said_again_and_nothing_else() {
    let bench = Bench::new().await;
    let link = bench.linked("c1", "a1", &AGREED).await;
    bench.edit(&link, &[("City", "Leiden")]).await;
    bench.target.fail_write(refusal(model::FailureClass::Ambiguous, "no answer"));
    assert!(matches!(bench.handle(&link).await, Handled::Later(..)));
    bench.edit(&link, &[("City", "Haarlem")]).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    let said = update(1, &[("City", "Leiden")]);
    assert_eq!(bench.target.calls(), [said.clone(), said]);
    assert_eq!(bench.outcome().await.unwrap().claim, 2);
}

#[tokio::test]
async fn what_was_edited_behind_a_write_that_was_seen_to_arrive_goes_out_with_its_message() {
    let bench = Bench::new().await;
    let link = bench.linked("c1", "a1", &AGREED).await;
    bench.edit(&link, &[("City", "Leiden")]).await;
    bench.target.fail_write(refusal(model::FailureClass::Ambiguous, "no answer"));
    assert!(matches!(bench.handle(&link).await, Handled::Later(..)));
    bench.target.take_calls();
    bench.edit(&link, &[("City", "Haarlem")]).await;
    bench.seen(&link, EXACT, true, &[("City", "Leiden")]).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls(), [update(2, &[("City", "Haarlem")])]);
}

#[tokio::test]
async fn what_a_claim_lets_follow_for_the_other_side_is_left_in_the_outbox() {
    let bench = Bench::new().await;
    let link = bench.linked("c1", "a1", &AGREED).await;
    bench.edit(&link, &[("City", "Leiden")]).await;
    bench.target.fail_write(refusal(model::FailureClass::Ambiguous, "no answer"));
    assert!(matches!(bench.handle(&link).await, Handled::Later(..)));
    bench.target.take_calls();
    // The customer is as it was, and a person edits the account: the write in flight has nothing left to say.
    bench.edit(&link, &[("City", "Delft")]).await;
    bench.seen(&link, EXACT, false, &[("City", "Haarlem")]).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    assert_eq!(bench.target.calls(), []);
    let later = Timestamp::now() + SignedDuration::from_secs(1);
    let outbox = bench.links.outbox(&connection(), later, 10).await.unwrap();
    let [message] = &outbox[..] else { panic!("{outbox:?}") };
    assert_eq!(message.routing_key, bench.topology.names.writes(CRM, contract::Lane::Live));
    let Message::WriteQueued(queued) = Message::read(message.body.as_bytes()).unwrap() else {
        panic!("{message:?}")
    };
    assert_eq!((queued.link, queued.system), (link, CRM));
}
