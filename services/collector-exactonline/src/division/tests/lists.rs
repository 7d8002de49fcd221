use collector::Source as _;
use simulator_exactonline::{Fault, FaultKind};

use super::bench::Bench;

#[tokio::test]
async fn every_list_that_the_pairs_work_with_is_given() {
    let bench = Bench::start().await;
    let lists = bench.orders().division.lists().await.unwrap();
    let names: Vec<&str> = lists.keys().map(String::as_str).collect();
    assert_eq!(names, ["item-groups", "payment-conditions", "units", "vat-codes"]);
    assert!(lists.values().all(|codes| !codes.is_empty()));
}

#[tokio::test]
async fn a_list_that_may_not_be_read_leaves_the_others_and_a_failure_does_not_pass_as_one() {
    let bench = Bench::start().await;
    let on = |status: u16| Fault {
        kind: FaultKind::FailBefore { status },
        method: None,
        path_contains: Some("VATCodes".to_owned()),
        count: 1,
    };
    let division = bench.orders().division;
    bench.control().add_fault(on(403));
    let lists = division.lists().await.unwrap();
    assert!(lists.len() == 3 && !lists.contains_key("vat-codes"));
    bench.control().add_fault(on(503));
    division.lists().await.unwrap_err();
    assert_eq!(division.lists().await.unwrap().len(), 4);
}
