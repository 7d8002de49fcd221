//! Documents are written with their lines.

use std::time::Duration;

use contract::{OutcomeResult, RetryTier};
use jiff::SignedDuration;
use mapping::{LinePut, Problem, Put};
use model::{Content, FailureClass, Properties, PropertyName, Value, View};
use tokio::time::timeout;

use super::bench::Bench;
use super::fakes::{Call, refusal};
use super::orders::{
    bench, contents, customer, key, line, number, order, property, to_be_changed, to_be_created,
};
use super::{connection, record, sighting};
use crate::SearchKey;
use crate::work::Handled;

/// What the one create at this bench was made with.
fn created(bench: &Bench) -> Properties {
    let calls = bench.target.calls();
    let Some(Call::Create { properties, .. }) = calls.last() else { panic!("{calls:?}") };
    properties.clone()
}

async fn words_of_refusal(bench: &Bench) -> String {
    match bench.outcome().await.unwrap().result {
        OutcomeResult::Rejected { words } => words,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_new_document_carries_its_lines_in_the_order_of_its_partner() {
    let bench = bench().await;
    let customer = customer(&bench, "Customer").await;
    let odd = "\u{202e}Hook \u{1f600}";
    let lines = [line("L1", 2, odd, 2), line("L2", 1, "Rope", 1)];
    let link = to_be_created(&bench, order(&customer, &[("Name", "Ropes")], &lines)).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    let line = |description: &str, quantity: i64| {
        let description = Content::from(description);
        Content::Object(contents(&[("Description", description), ("Quantity", number(quantity))]))
    };
    let expected = contents(&[
        ("OrderedBy", Content::from("a1")),
        ("Description", Content::from("Ropes")),
        ("SalesOrderLines", Content::List(vec![line("Rope", 1), line(odd, 2)])),
    ]);
    assert_eq!(created(&bench), expected, "numbers of lines are given by Exact");
}

#[tokio::test]
async fn a_key_of_several_rows_is_searched_by_all_of_them_and_a_reference_by_its_id() {
    let bench = bench().await;
    let customer = customer(&bench, "Customer").await;
    let mut values = order(&customer, &[("Name", "Ropes")], &[]);
    values.insert(property("CustomerReference"), Value::StandIn("SO 7".to_owned()));
    let link = to_be_created(&bench, values).await;
    let found = sighting("s1", 3, &[]);
    bench.target.finds("OrderedBy", std::slice::from_ref(&found));
    assert_eq!(bench.handle(&link).await, Handled::Done);
    let conditions = [("OrderedBy", "a1"), ("YourRef", "SO 7")];
    let conditions = conditions.map(|(name, text)| (name.to_owned(), Content::from(text))).to_vec();
    assert_eq!(
        bench.target.calls(),
        [Call::Search(SearchKey { conditions, only_ours: false, wanted: None })]
    );
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Adopted { found });
}

#[tokio::test]
async fn a_key_that_is_filled_in_part_is_not_searched_by() {
    let bench = bench().await;
    let customer = customer(&bench, "Customer").await;
    let link = to_be_created(&bench, order(&customer, &[("Name", "Ropes")], &[])).await;
    bench.handle(&link).await;
    let conditions = vec![("Description".to_owned(), Content::from("Ropes"))];
    assert_eq!(
        bench.target.calls()[0],
        Call::Search(SearchKey { conditions, only_ours: true, wanted: None })
    );
}

/// Values of an update: L1 gets another quantity, L2 goes, L3 is new.
fn three_lines() -> View {
    let cell = |id: &str, row: &str| PropertyName::in_line(&key(id), &property(row));
    let mut values = line("L3", 3, "Block", 3);
    values.insert(cell("L1", "Lines.Quantity"), Value::Decimal(9.into()));
    values.insert(cell("L2", "Lines"), Value::Empty);
    values
}

#[tokio::test]
async fn an_update_says_of_each_line_by_its_own_id_what_becomes_of_it() {
    let bench = bench().await;
    let customer = customer(&bench, "Customer").await;
    let link = to_be_changed(&bench, &customer, three_lines()).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    let calls = bench.target.calls();
    let [Call::Update { put: Put { properties, lines }, .. }] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(*properties, Properties::new());
    assert_eq!(lines.len(), 3, "{lines:?}");
    let changed = LinePut::Change { id: record("e1"), properties: contents(&[("Quantity", number(9))]) };
    let block = contents(&[("Description", Content::from("Block")), ("Quantity", number(3))]);
    for expected in [changed, LinePut::Remove { id: record("e2") }, LinePut::Add(block)] {
        assert!(lines.contains(&expected), "{expected:?} is not among {lines:?}");
    }
}

#[tokio::test]
async fn a_line_that_may_have_been_added_already_is_not_added_again() {
    let bench = bench().await;
    let customer = customer(&bench, "Customer").await;
    let link = to_be_changed(&bench, &customer, three_lines()).await;
    bench.target.guards("s1", 7);
    bench.target.fail_write(refusal(FailureClass::Ambiguous, "no answer, after the first line"));
    assert!(matches!(bench.handle(&link).await, Handled::Later(RetryTier::Seconds5, _)));
    let now = sighting("s1", 8, &[("Description", "Ropes")]);
    bench.target.holds_record(now.clone());
    bench.age(&link, SignedDuration::from_secs(21)).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    let calls = bench.target.calls();
    let version = |call: &Call| match call {
        Call::Update { version, .. } => *version,
        Call::Search(_) | Call::Record(_) | Call::Create { .. } | Call::Delete { .. } => None,
    };
    let versions: Vec<_> = calls.iter().filter_map(version).collect();
    assert_eq!(versions, [model::Version(7); 2], "it is said against the version that was claimed");
    assert_eq!(bench.outcome().await.unwrap().result, OutcomeResult::Stale { now: Some(now) });
    assert_eq!(bench.outcome().await, None);
}

/// A message that was published twice reaches two writers at once, and Exact takes the same line from both.
#[tokio::test(start_paused = true)]
async fn a_line_that_another_writer_is_adding_at_this_moment_is_not_added_beside() {
    let bench = bench().await;
    let customer = customer(&bench, "Customer").await;
    let link = to_be_changed(&bench, &customer, three_lines()).await;
    bench.target.hold();
    let other = async {
        while bench.target.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        let work = bench.work();
        let handled = timeout(Duration::from_secs(1), bench.handle_by(&work, &link, 1)).await;
        bench.target.resume.notify_one();
        handled.expect("it sends the line beside the other one")
    };
    let (first, other) = tokio::join!(bench.handle(&link), other);
    assert_eq!(first, Handled::Done);
    assert!(matches!(other, Handled::Later(RetryTier::Seconds5, _)), "{other:?}");
    assert_eq!(bench.target.calls().len(), 1);
}

#[tokio::test]
async fn what_a_system_would_refuse_is_refused_before_anything_is_asked_or_sent() {
    let bench = bench().await;
    let customer = customer(&bench, "Prospect").await;
    let (property, problem) = ("Quantity".to_owned(), "is below zero: Exact takes none".to_owned());
    bench.target.finds_unfit(Problem { property, problem });
    let created = to_be_created(&bench, order(&customer, &[("Name", "Ropes")], &[])).await;
    assert_eq!(bench.handle(&created).await, Handled::Done);
    assert_eq!(words_of_refusal(&bench).await, "Quantity is below zero: Exact takes none");
    assert_eq!(bench.target.calls(), []);
}

#[tokio::test]
async fn an_update_that_the_system_would_refuse_is_not_sent() {
    let bench = bench().await;
    let customer = customer(&bench, "Customer").await;
    let (property, problem) = ("Quantity".to_owned(), "is below zero: Exact takes none".to_owned());
    bench.target.finds_unfit(Problem { property, problem });
    let link = to_be_changed(&bench, &customer, three_lines()).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    words_of_refusal(&bench).await;
    assert_eq!(bench.target.calls(), []);
}

#[tokio::test]
async fn a_code_that_its_list_does_not_have_is_refused_without_any_call() {
    let bench = bench().await;
    let customer = customer(&bench, "Customer").await;
    let codes = [("30".to_owned(), "id-30".to_owned())].into();
    bench.links.set_list(&connection(), "payment-conditions", &codes).await.unwrap();
    let texts = [("Name", "Ropes"), ("PaymentTerms", "31")];
    let link = to_be_created(&bench, order(&customer, &texts, &[])).await;
    assert_eq!(bench.handle(&link).await, Handled::Done);
    let words = words_of_refusal(&bench).await;
    assert!(words.starts_with("PaymentCondition "), "{words}");
    assert_eq!(bench.target.calls(), []);
}

#[tokio::test]
async fn what_ends_today_ends_on_the_day_that_it_is() {
    let bench = bench().await;
    let customer = customer(&bench, "Customer").await;
    let mut values = order(&customer, &[("Name", "Ropes")], &[]);
    values.insert(property("IsOpen"), Value::Boolean(false));
    let link = to_be_created(&bench, values).await;
    bench.handle(&link).await;
    let properties = created(&bench);
    let Some(Content::Text(date)) = properties.get("EndDate") else { panic!("{properties:?}") };
    let year = jiff::Zoned::now().yesterday().unwrap().year();
    assert!(date.starts_with(&year.to_string()), "{date}");
}
