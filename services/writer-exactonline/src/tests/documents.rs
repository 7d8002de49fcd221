use std::time::Duration;

use exactonline::{Priority, Source};
use mapping::{LinePut, Put};
use model::{Content, FailureClass};
use simulator_exactonline::{Fault, FaultKind, Switches};
use tokio::time::Instant;
use writer::{SearchKey, Target as _};

use super::bench::{
    Bench, aim, changed, entity, header, id, lines, number, of_lines, properties, quantities, version,
};
use crate::target::{Division, WriteError};

const ORDERS: &str = "salesorder/SalesOrders";
const LINES: &str = "salesorder/SalesOrderLines";

fn class(error: &WriteError) -> FailureClass {
    Division::<store::Embedded>::class(error)
}

fn on(kind: FaultKind, method: &str, path: &str) -> Fault {
    Fault { kind, method: Some(method.to_owned()), path_contains: Some(path.to_owned()), count: 1 }
}

impl Bench {
    /// Waits until a call has met the fault that waits for it.
    async fn is_hit(&self) {
        while !self.control().faults().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn add(&self, quantity: u32) -> LinePut {
        LinePut::Add(properties(&format!(
            r#"{{"Item":"{}","Quantity":{quantity},"UnitPrice":10}}"#,
            self.item
        )))
    }
}

#[tokio::test]
async fn a_new_document_is_told_with_its_lines_its_version_and_its_total() {
    let bench = Bench::start().await;
    let made = bench.order(&[1, 2]).await;
    assert!(made.by_us);
    assert_eq!(
        (quantities(&made.record).join(" "), number(&made.record.properties["AmountFC"])),
        ("1 2".into(), "30".into())
    );
    // What the collector sees of it is the same at the same version: it changes nothing.
    bench.collect("salesorders").await;
    let told = bench.told("salesorders", &made.record.id).await.unwrap();
    assert_eq!((version(&told), &told.record.properties), (version(&made), &made.record.properties));
}

#[tokio::test]
async fn an_update_writes_the_header_and_each_line_and_tells_the_whole() {
    let bench = Bench::start().await;
    let made = bench.order(&[1, 2, 3]).await;
    let known = lines(&made.record);
    let put = Put {
        properties: properties(r#"{"YourRef":"👩‍🚀 שלום"}"#),
        lines: vec![
            changed(&known[0].0, r#"{"Quantity":7}"#),
            LinePut::Remove { id: known[1].0.clone() },
            bench.add(4),
            bench.add(5),
        ],
    };
    let told = bench.update(&made, &put).await.unwrap().unwrap();
    assert_eq!(told.record.properties["YourRef"], Content::from("👩‍🚀 שלום"));
    assert_eq!(quantities(&told.record), ["7", "3", "4", "5"]);
    assert_eq!(number(&told.record.properties["AmountFC"]), "190");
    assert!(told.by_us && version(&told) > version(&made));
    // The next write goes on from there, and the collector has nothing to add.
    let again = bench.update(&told, &header(r#"{"YourRef":"x"}"#)).await.unwrap().unwrap();
    bench.collect("salesorders").await;
    let collected = bench.told("salesorders", &made.record.id).await.unwrap();
    assert_eq!(
        (version(&collected), &collected.record.properties),
        (version(&again), &again.record.properties)
    );
}

#[tokio::test]
async fn each_kind_of_line_write_alone_is_told() {
    let bench = Bench::start().await;
    let made = bench.order(&[1, 2]).await;
    let known = lines(&made.record);
    let told = bench
        .update(&made, &of_lines(vec![changed(&known[0].0, r#"{"Quantity":9}"#)]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(quantities(&told.record), ["9", "2"]);
    let told = bench.update(&told, &of_lines(vec![bench.add(3)])).await.unwrap().unwrap();
    assert_eq!(quantities(&told.record), ["9", "2", "3"]);
    let told = bench
        .update(&told, &of_lines(vec![LinePut::Remove { id: known[0].0.clone() }]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (quantities(&told.record), number(&told.record.properties["AmountFC"])),
        (vec!["2".into(), "3".into()], "50".into())
    );
    assert_eq!(bench.calls_of("PUT salesorder/salesorders"), 0);
}

#[tokio::test]
async fn all_lines_may_be_replaced_at_once() {
    let bench = Bench::start().await;
    let made = bench.order(&[1]).await;
    let known = lines(&made.record);
    let put = of_lines(vec![LinePut::Remove { id: known[0].0.clone() }, bench.add(2)]);
    let told = bench.update(&made, &put).await.unwrap().unwrap();
    assert_eq!(quantities(&told.record), ["2"]);
}

#[tokio::test]
async fn nothing_is_written_over_a_part_that_was_not_taken_in() {
    let mut bench = Bench::start().await;
    let made = bench.order(&[1, 2]).await;
    let known = lines(&made.record);
    bench.change(LINES, &known[0].0, r#"{"Quantity":9}"#);
    bench.control().advance_clock(3);
    // Another process begins where the collector stands, before or behind the edit.
    for collected in [false, true] {
        bench.restart();
        if collected {
            bench.collect("salesorders").await;
        }
        let stale = bench.update(&made, &header(r#"{"YourRef":"y"}"#)).await.unwrap_err();
        assert_eq!(class(&stale), FailureClass::Stale, "{stale:?}");
    }
    assert_eq!(bench.calls_of("PUT salesorder/salesorders"), 0);
    let told = bench.settled(&made.record.id).await;
    bench.update(&told, &header(r#"{"YourRef":"y"}"#)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_line_that_a_person_removed_makes_the_write_stale_and_not_the_document_gone() {
    let bench = Bench::start().await;
    let made = bench.order(&[1, 2]).await;
    let known = lines(&made.record);
    bench.delete(LINES, &known[0].0);
    let stale =
        bench.update(&made, &of_lines(vec![changed(&known[0].0, r#"{"Quantity":9}"#)])).await.unwrap_err();
    assert_eq!(class(&stale), FailureClass::Stale, "{stale:?}");
    // Removing what is gone is done.
    let gone = of_lines(vec![LinePut::Remove { id: known[0].0.clone() }]);
    let told = bench.update(&made, &gone).await.unwrap().unwrap();
    assert_eq!(quantities(&told.record), ["2"]);
}

#[tokio::test]
async fn a_write_that_a_person_edited_into_is_not_ours_alone() {
    let bench = Bench::start().await;
    let made = bench.order(&[1]).await;
    let known = lines(&made.record);
    let slow = on(FaultKind::Delay { ms: 300 }, "PUT", "SalesOrderLines");
    bench.control().add_fault(slow);
    let put = Put {
        properties: properties(r#"{"YourRef":"ours"}"#),
        lines: vec![changed(&known[0].0, r#"{"Quantity":9}"#)],
    };
    let edit = async {
        bench.is_hit().await;
        bench.change(ORDERS, &made.record.id, r#"{"YourRef":"theirs"}"#);
    };
    let (told, ()) = tokio::join!(bench.update(&made, &put), edit);
    let told = told.unwrap().unwrap();
    assert_eq!(told.record.properties["YourRef"], Content::from("theirs"));
    assert!(!told.by_us);
    let again = bench.update(&told, &header(r#"{"YourRef":"ours"}"#)).await.unwrap().unwrap();
    assert!(again.by_us);
}

#[tokio::test]
async fn a_call_that_fails_in_the_middle_is_told_and_what_came_before_it_makes_the_next_attempt_stale() {
    let bench = Bench::start().await;
    let made = bench.order(&[1]).await;
    let known = lines(&made.record);
    let put = Put {
        properties: properties(r#"{"YourRef":"y"}"#),
        lines: vec![changed(&known[0].0, r#"{"Quantity":9}"#)],
    };
    for (status, expected) in [(503, FailureClass::Ambiguous), (400, FailureClass::Rejected)] {
        bench.control().add_fault(on(FaultKind::FailBefore { status }, "PUT", "SalesOrderLines"));
        let seen = bench.settled(&made.record.id).await;
        let failed = bench.update(&seen, &put).await.unwrap_err();
        assert_eq!(class(&failed), expected, "{failed:?}");
        bench.settled(&made.record.id).await;
        let stale = bench.update(&seen, &put).await.unwrap_err();
        assert_eq!(class(&stale), FailureClass::Stale, "{stale:?}");
    }
}

#[tokio::test]
async fn a_write_that_can_not_be_read_after_it_is_not_an_error() {
    let bench = Bench::start().await;
    let made = bench.order(&[1]).await;
    bench.division.ready(aim(&entity("salesorders"))).await.unwrap();
    let fault = Fault { count: 20, ..on(FaultKind::FailBefore { status: 503 }, "GET", "sync/SalesOrder") };
    bench.control().add_fault(fault);
    assert_eq!(bench.update(&made, &header(r#"{"YourRef":"y"}"#)).await.unwrap(), None);
    // A create is told from the records then, without a version.
    let made = bench.order(&[1, 2]).await;
    assert_eq!((made.record.version, quantities(&made.record)), (None, vec!["1".into(), "2".into()]));
    // Without its lines it is not told at all, but looked for when it is tried again.
    let fault = Fault { count: 40, ..on(FaultKind::FailBefore { status: 503 }, "GET", "SalesOrder") };
    bench.control().add_fault(fault);
    let orders = entity("salesorders");
    let unknown =
        bench.division.create(aim(&orders), &bench.order_of("lost", &[1]), "key").await.unwrap_err();
    assert_eq!(class(&unknown), FailureClass::Ambiguous, "{unknown:?}");
    bench.control().clear_faults();
    let key = SearchKey {
        conditions: vec![("YourRef".to_owned(), Content::from("lost"))],
        only_ours: true,
        wanted: None,
    };
    assert_eq!(bench.division.search(aim(&orders), &key).await.unwrap().len(), 1);
    assert_eq!(bench.calls_of("POST salesorder/salesorders"), 3);
}

#[tokio::test]
async fn feeds_that_lag_are_waited_for() {
    let bench = Bench::start().await;
    let mut seen = bench.order(&[1, 2]).await;
    let known = lines(&seen.record);
    bench.control().set_switches(Switches { sync_lag_milliseconds: 1_000, ..Switches::default() });
    for (put, expected) in [
        (header(r#"{"YourRef":"y"}"#), "1 2"),
        (of_lines(vec![changed(&known[0].0, r#"{"Quantity":9}"#)]), "9 2"),
        (of_lines(vec![bench.add(3)]), "9 2 3"),
        (of_lines(vec![LinePut::Remove { id: known[0].0.clone() }]), "2 3"),
    ] {
        let control = bench.control();
        let later = async {
            tokio::time::sleep(Duration::from_millis(600)).await;
            control.advance_clock(2);
        };
        let (told, ()) = tokio::join!(bench.update(&seen, &put), later);
        seen = told.unwrap().unwrap();
        assert_eq!(
            (quantities(&seen.record).join(" ").as_str(), seen.record.properties["YourRef"].as_text()),
            (expected, Some("y"))
        );
    }
}

/// Single lines do not tell who changed them: a price that somebody entered meanwhile is no rendition of ours.
#[tokio::test]
async fn a_new_document_that_no_feed_shows_yet_is_not_told_as_ours_alone() {
    let bench = Bench::start().await;
    bench.control().set_switches(Switches { sync_lag_milliseconds: 600_000, ..Switches::default() });
    let made = bench.order(&[1, 2]).await;
    assert_eq!(quantities(&made.record).join(" "), "1 2");
    assert!(!made.by_us);
}

#[tokio::test]
async fn a_document_is_told_without_a_version_before_anything_was_read_here() {
    let mut bench = Bench::start().await;
    let made = bench.order(&[1]).await;
    bench.collect("salesorders").await;
    bench.restart();
    assert_eq!(bench.told("salesorders", &made.record.id).await.unwrap().record.version, None);
    assert_eq!(bench.settled(&made.record.id).await.record.version, made.record.version);
}

#[tokio::test]
async fn a_document_is_found_by_account_and_reference_with_its_lines() {
    let bench = Bench::start().await;
    let made = bench.order(&[1, 2]).await;
    let stranger =
        bench.by_person(ORDERS, &contract::json::write_properties(&bench.order_of("O'Neil", &[3])));
    let key = |reference: &str, only_ours: bool| SearchKey {
        conditions: vec![
            ("OrderedBy".to_owned(), Content::Text(bench.customer.to_string())),
            ("YourRef".to_owned(), Content::from(reference)),
        ],
        only_ours,
        wanted: None,
    };
    let orders = entity("salesorders");
    let search = async |key: SearchKey| bench.division.search(aim(&orders), &key).await.unwrap();
    let found = search(key("ref", false)).await;
    assert_eq!((found.len(), &found[0].record.id), (1, &made.record.id));
    assert_eq!(
        (quantities(&found[0].record), found[0].record.version),
        (vec!["1".into(), "2".into()], made.record.version)
    );
    // One that no feed has shown here yet is read whole, and has no version.
    let found = search(key("O'Neil", false)).await;
    assert_eq!((found.len(), &found[0].record.id, found[0].by_us), (1, &id(stranger), false));
    assert_eq!((quantities(&found[0].record), found[0].record.version), (vec!["3".into()], None));
    assert_eq!(search(key("O'Neil", true)).await, []);
    assert_eq!(search(key("ref", true)).await.len(), 1);
    assert_eq!(search(key("nobody", false)).await, []);
}

#[tokio::test]
async fn a_document_that_is_gone_is_none() {
    let bench = Bench::start().await;
    let made = bench.order(&[1]).await;
    assert!(bench.told("salesorders", &made.record.id).await.is_some());
    bench.delete(ORDERS, &made.record.id);
    bench.collect("salesorders").await;
    assert_eq!(bench.told("salesorders", &made.record.id).await, None);
    let gone = bench.update(&made, &header(r#"{"YourRef":"y"}"#)).await.unwrap_err();
    assert_eq!(class(&gone), FailureClass::Stale);
    assert!(!bench.division.exists(aim(&entity("salesorders")), &made.record.id).await.unwrap());
}

#[tokio::test]
async fn a_document_is_told_with_all_that_happened_before_its_version() {
    let mut bench = Bench::start().await;
    let made = bench.order(&[1]).await;
    bench.collect("salesorders").await;
    bench.restart();
    bench.division.ready(aim(&entity("salesorders"))).await.unwrap();
    // After the headers were read, one changes; then a line comes, and lines are read.
    bench.change(ORDERS, &made.record.id, r#"{"YourRef":"changed"}"#);
    let line = format!(r#"{{"OrderID":"{}","Item":"{}","Quantity":2}}"#, made.record.id, bench.item);
    bench.by_person(LINES, &line);
    let (now, orders) = (Instant::now(), entity("salesorders"));
    bench.division.read_since(&orders, now, &[Source::Parts], Priority::Edit).await.unwrap();
    let told = bench.told("salesorders", &made.record.id).await.unwrap();
    assert_eq!(told.record.properties["YourRef"], Content::from("changed"));
    assert_eq!(quantities(&told.record), ["1", "2"]);
    assert!(version(&told) > version(&made));
}

#[tokio::test]
async fn nothing_is_written_before_the_collector_has_read_the_entity() {
    let mut bench = Bench::start().await;
    let made = bench.order(&[1]).await;
    bench.store = store::Embedded::in_memory().unwrap();
    bench.restart();
    let unread = bench.update(&made, &header(r#"{"YourRef":"y"}"#)).await.unwrap_err();
    assert!(matches!(unread, WriteError::Unread { .. }), "{unread:?}");
    assert_eq!(class(&unread), FailureClass::Transient);
}

#[tokio::test]
async fn what_does_not_fit_is_told_without_a_call() {
    let bench = Bench::start().await;
    let before = bench.control().counts().calls;
    let orders = entity("salesorders");
    let problems = bench.division.check(aim(&orders), &header(r#"{"OrderedBy":"x","Status":12}"#), false);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(bench.control().counts().calls, before);
}

/// The collector's documents go with the store, and what the writer has read since is only the latest of each.
#[tokio::test]
async fn after_the_store_was_lost_a_document_is_told_only_when_the_collector_has_read_all_again() {
    let bench = Bench::start().await;
    let lines = format!(r#"[{{"Item":"{0}","Quantity":1}},{{"Item":"{0}","Quantity":2}}]"#, bench.item);
    let body = format!(r#"{{"OrderedBy":"{}","SalesOrderLines":{lines}}}"#, bench.customer);
    let order = id(bench.by_person(ORDERS, &body));
    bench.collect("salesorders").await;
    bench.change(ORDERS, &order, r#"{"YourRef":"PO 1"}"#);
    assert_eq!(quantities(&bench.settled(&order).await.record), ["1", "2"]);
    bench.loses_the_store("salesorders", &order).await;
    let told = bench.division.record(aim(&entity("salesorders")), &order).await;
    assert!(matches!(told, Err(WriteError::Unread { .. })), "{told:?}");
    bench.collect("salesorders").await;
    assert_eq!(quantities(&bench.settled(&order).await.record), ["1", "2"]);
}
