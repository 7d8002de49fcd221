//! What a connection gives to its pairs is looked up before anything is written for it.

use std::time::Duration;

use contract::{Lane, OutcomeResult, WriteQueued};
use jiff::Timestamp;
use link::{Link, Pending, Status};
use mapping::{Constant, Place, Reading};
use model::{ConnectionName, Content, EntityName, FailureClass, LinkId, SystemPair, Value};
use service::Given;
use tokio::time::advance;

use super::bench::{Bench, side};
use super::fakes::{Call, refusal};
use super::orders::{customer, line, order, orders, to_be_created};
use super::served::{PATIENCE, Running, configured, context_of, queue};
use super::{CRM, EXACT, connection, record, sighting, view};
use crate::given::{GivenRecords, Looked};
use crate::work::Handled;

fn account() -> Given {
    let entity = EntityName::parse("accounts").unwrap();
    Given { name: "literal.account", entity, record: record("g1") }
}

/// A bench for orders whose connection gives an account to them.
async fn bench() -> Bench {
    let mut bench = Bench::of(orders(Reading::Literal), vec![super::bench::pair()]).await;
    bench.given = vec![account()];
    bench
}

async fn ordered(bench: &Bench) -> Handled {
    let customer = customer(bench, "Customer").await;
    let values = order(&customer, &[("Name", "Ropes")], &[line("L1", 1, "Rope", 1)]);
    let link = to_be_created(bench, values).await;
    bench.handle(&link).await
}

#[tokio::test]
async fn a_new_record_carries_what_the_connection_gives() {
    let bench = bench().await;
    bench.target.holds_record(sighting("g1", 1, &[]));
    assert_eq!(ordered(&bench).await, Handled::Done);
    let calls = bench.target.calls();
    let [Call::Record(looked), Call::Search(_), Call::Create { properties, .. }] = &calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!((looked, &properties["InvoiceTo"]), (&record("g1"), &Content::from("g1")));
    assert_eq!(bench.target.entities()[0], "accounts");
    assert!(matches!(bench.outcome().await.unwrap().result, OutcomeResult::Applied { .. }));
}

#[tokio::test]
async fn nothing_is_written_while_a_given_record_is_not_there_and_it_is_told_by_key_and_value() {
    let bench = bench().await;
    let Handled::Later(_, reason) = ordered(&bench).await else { panic!("it was not held") };
    assert_eq!(
        reason,
        "connection.acme.literal.account = \"g1\": there is no such record among Exact's accounts; \
         write the GUID of one that is there, nothing is written for this connection before"
    );
    assert_eq!(bench.target.calls(), [Call::Record(record("g1"))]);
    assert_eq!(bench.outcome().await, None);
}

#[tokio::test]
async fn nothing_is_written_while_it_can_not_be_told_whether_a_given_record_is_there() {
    let bench = bench().await;
    bench.target.fail_record(refusal(FailureClass::Transient, "out of order"));
    let handled = ordered(&bench).await;
    assert!(matches!(&handled, Handled::Later(_, reason) if reason == "out of order"), "{handled:?}");
    assert_eq!(bench.target.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_given_record_is_looked_up_once_and_one_that_is_missing_now_and_then() {
    let bench = bench().await;
    let records = GivenRecords::new(connection(), vec![account()]);
    let looks = || bench.target.calls().len();
    for _ in 0..3 {
        assert!(matches!(records.look(&bench.target).await, Looked::Missing(_)));
    }
    assert_eq!(looks(), 1, "calls are scarce");
    bench.target.holds_record(sighting("g1", 1, &[]));
    advance(Duration::from_mins(5)).await;
    for _ in 0..3 {
        assert!(matches!(records.look(&bench.target).await, Looked::All));
    }
    assert_eq!(looks(), 2);
}

#[tokio::test]
async fn a_connection_whose_given_record_is_not_there_is_refused_and_the_others_go_on() {
    let mut pair = super::bench::pair();
    let content = Content::from("$literal.account");
    pair.constants.push(Constant { place: Place::START, system: EXACT, name: "Parent".to_owned(), content });
    let bench = Bench::of(pair, Vec::new()).await;
    let zeta = ConnectionName::parse("zeta").unwrap();
    let refused = edited(&bench, connection()).await;
    let served = edited(&bench, zeta.clone()).await;
    let connections = vec![configured(connection(), Some(record("g1"))), configured(zeta.clone(), None)];
    let context = context_of(&bench, connections);
    let health = context.health.clone();
    let running = Running::with(&bench, context);
    queue(&bench, Lane::Live, bench.queued(&refused)).await;
    let queued = WriteQueued { connection: zeta.clone(), ..bench.queued(&served) };
    queue(&bench, Lane::Live, queued).await;
    let outcome = bench.outcome_within(PATIENCE).await.unwrap();
    assert_eq!(outcome.connection, zeta);
    assert_eq!(bench.outcome().await, None, "the other one is held");
    let told = &health.waits_for()["acme literal"];
    assert!(told.starts_with("connection.acme.literal.account = \"g1\": there is no such record"), "{told}");
    running.stop().await;
}

#[tokio::test]
async fn a_connection_whose_given_record_is_there_is_ready_before_its_first_write_and_stops_when_asked() {
    let mut pair = super::bench::pair();
    let content = Content::from("$literal.account");
    pair.constants.push(Constant { place: Place::START, system: EXACT, name: "Parent".to_owned(), content });
    let bench = Bench::of(pair, Vec::new()).await;
    bench.target.holds_record(sighting("g1", 1, &[]));
    let context = context_of(&bench, vec![configured(connection(), Some(record("g1")))]);
    let health = context.health.clone();
    let running = Running::with(&bench, context);
    let looked = tokio::time::timeout(PATIENCE, async {
        while !health.waits_for().is_empty() || bench.target.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(looked.await.is_ok(), "{:?}", health.waits_for());
    running.stop().await;
    assert_eq!(bench.target.calls(), [Call::Record(record("g1"))]);
}

/// A linked customer of this connection, whose city was edited and is to be written.
async fn edited(bench: &Bench, connection: ConnectionName) -> LinkId {
    let values = view(&[("Name", "Acme"), ("City", "Delft")]);
    let begun = side("c1", view(&[("Name", "Acme"), ("City", "Leiden")]));
    let mut link = Link::begin(connection, bench.pair.name.clone(), CRM, begun);
    link.sides[EXACT] = Some(side("a1", values.clone()));
    link.status = Status::Linked;
    let both = |value: &Value| SystemPair { customcrm: value.clone(), exactonline: value.clone() };
    link.agreed = values.iter().map(|(property, value)| (property.clone(), both(value))).collect();
    link.pending[EXACT] = Pending::Queued { since: Timestamp::now() };
    bench.put(None, link).await
}
