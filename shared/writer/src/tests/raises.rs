//! What a new document refers to holds first what it must.

use contract::{OutcomeResult, RetryTier};
use mapping::Put;
use model::{Content, FailureClass, Properties, Version};

use super::bench::Bench;
use super::fakes::{Call, Refusal, refusal};
use super::orders::{bench, contents, customer, line, order, to_be_changed, to_be_created};
use super::{record, sighting};
use crate::work::Handled;

/// The writer takes an order of a customer whose account is of this status.
async fn ordered(bench: &Bench, status: &str) -> Handled {
    let customer = customer(bench, status).await;
    let link =
        to_be_created(bench, order(&customer, &[("Name", "Ropes")], &[line("L1", 1, "Rope", 1)])).await;
    bench.handle(&link).await
}

/// What an order comes to when its account can't be raised for this reason.
async fn unraised(refusal: Refusal) -> (Handled, Option<OutcomeResult>, Vec<String>) {
    let bench = bench().await;
    bench.target.fail_write(refusal);
    let handled = ordered(&bench, "Prospect").await;
    (handled, bench.outcome().await.map(|outcome| outcome.result), bench.target.entities())
}

fn kinds(bench: &Bench) -> Vec<(&'static str, String)> {
    let kind = |call: Call| match call {
        Call::Search(_) => "search",
        Call::Record(_) => "record",
        Call::Create { .. } => "create",
        Call::Update { .. } => "update",
        Call::Delete { .. } => "delete",
    };
    bench.target.calls().into_iter().map(kind).zip(bench.target.entities()).collect()
}

#[tokio::test]
async fn an_account_that_may_not_be_sold_to_is_raised_before_its_order_is_made() {
    let bench = bench().await;
    assert_eq!(ordered(&bench, "Prospect").await, Handled::Done);
    let [orders, accounts] = ["salesorders", "accounts"].map(str::to_owned);
    let expected = [("search", orders.clone()), ("update", accounts.clone()), ("create", orders.clone())];
    assert_eq!(kinds(&bench), expected);
    let put = Put { properties: contents(&[("Status", Content::from("C"))]), lines: Vec::new() };
    let raised = Call::Update { record: record("a1"), version: Some(Version(7)), put };
    assert_eq!(bench.target.calls()[1], raised, "its status and nothing else");
    assert_eq!(bench.target.readied(), [orders, accounts], "the account was read a moment ago too");
    assert!(matches!(bench.outcome().await.unwrap().result, OutcomeResult::Applied { .. }));
}

#[tokio::test]
async fn an_account_that_holds_what_it_must_is_left_alone() {
    let bench = bench().await;
    ordered(&bench, "Customer").await;
    assert_eq!(bench.target.entities(), ["salesorders", "salesorders"]);
    assert_eq!(bench.target.readied(), ["salesorders"]);
}

#[tokio::test]
async fn an_order_that_is_there_already_raises_nothing() {
    let bench = bench().await;
    let found = sighting("s1", 1, &[]);
    bench.target.finds("Description", &[found]);
    ordered(&bench, "Prospect").await;
    assert_eq!(bench.target.entities(), ["salesorders"]);
}

#[tokio::test]
async fn an_update_raises_nothing() {
    let bench = bench().await;
    let customer = customer(&bench, "Prospect").await;
    let link = to_be_changed(&bench, &customer, line("L3", 3, "Block", 3)).await;
    bench.handle(&link).await;
    assert_eq!(bench.target.entities(), ["salesorders"]);
}

#[tokio::test]
async fn no_order_is_made_before_its_account_could_be_raised() {
    let made = ["salesorders", "accounts"];
    for class in [FailureClass::Transient, FailureClass::Ambiguous, FailureClass::Stale] {
        let (handled, outcome, entities) = unraised(refusal(class, "not now")).await;
        assert_eq!(handled, Handled::Later(RetryTier::Seconds5, "not now".to_owned()), "{class:?}");
        assert_eq!((outcome, entities.as_slice()), (None, made.map(str::to_owned).as_slice()));
    }
    let (handled, ..) = unraised(refusal(FailureClass::Auth, "not allowed")).await;
    assert_eq!(handled, Handled::Rests(std::time::Duration::from_secs(30)));
}

#[tokio::test]
async fn an_order_whose_account_refuses_to_be_raised_is_refused_and_says_so() {
    for class in [FailureClass::Rejected, FailureClass::Gone] {
        let (handled, outcome, entities) = unraised(refusal(class, "it is blocked")).await;
        assert_eq!(handled, Handled::Done);
        let words = "accounts a1 must hold Customer in Status first: it is blocked".to_owned();
        assert_eq!(outcome, Some(OutcomeResult::Rejected { words }));
        assert_eq!(entities, ["salesorders", "accounts"]);
    }
}

#[tokio::test]
async fn a_repeated_create_does_not_write_the_account_over_once_it_was_raised() {
    let bench = bench().await;
    bench.target.guards("a1", 8);
    assert!(matches!(ordered(&bench, "Prospect").await, Handled::Later(..)), "until the link knows it");
    assert_eq!(kinds(&bench).len(), 2);
    let calls = bench.target.calls();
    assert!(calls.iter().all(|call| !matches!(call, Call::Create { .. })), "{calls:?}");
    assert_ne!(calls, [], "{:?}", Properties::new());
}
