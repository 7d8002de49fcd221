use exactonline::Selection;
use model::{Content, Presence, Record, Version};
use simulator_exactonline::{Fault, FaultKind, Limits, Switches};

use super::bench::{Bench, items, number, orders, quantities, quotations};

const ORDERS: &str = "salesorder/SalesOrders";
const LINES: &str = "salesorder/SalesOrderLines";

fn only(mut records: Vec<Record>) -> Record {
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

#[tokio::test]
async fn a_document_is_told_whole_and_once() {
    let bench = Bench::start().await;
    let order = bench.order(&[1, 2, 3]);
    let mut reader = bench.orders();
    let told = only(reader.poll().await);
    assert_eq!(
        (told.id.as_str(), quantities(&told).join(" ")),
        (order.to_string().as_str(), "1 2 3".to_owned())
    );
    assert_eq!(number(&told.properties["AmountFC"]), "60");
    assert!(told.version.is_some() && told.modified_by.is_some());
    assert_eq!(reader.poll().await, []);
    // An idle poll costs a call for each feed.
    let before = bench.calls();
    assert_eq!(reader.poll().await, []);
    assert_eq!(bench.calls() - before, 2);
}

#[tokio::test]
async fn a_changed_line_a_new_one_and_a_removed_one_each_tell_the_whole_document_anew() {
    let bench = Bench::start().await;
    let order = bench.order(&[1]);
    let mut reader = bench.orders();
    let first = only(reader.poll().await);
    let line = bench.line(order, 2);
    let added = only(reader.poll().await);
    assert_eq!(
        (quantities(&added).join(" "), number(&added.properties["AmountFC"])),
        ("1 2".to_owned(), "30".to_owned())
    );
    bench.change(LINES, line, r#"{"Quantity":5}"#);
    let changed = only(reader.poll().await);
    assert_eq!(
        (quantities(&changed).join(" "), number(&changed.properties["AmountFC"])),
        ("1 5".to_owned(), "60".to_owned())
    );
    bench.change(ORDERS, order, r#"{"YourRef":"👩‍🚀 שלום"}"#);
    let renamed = only(reader.poll().await);
    assert_eq!(renamed.properties["YourRef"], Content::from("👩‍🚀 שלום"));
    assert_eq!(quantities(&renamed), ["1", "5"]);
    bench.delete(LINES, line);
    let mut removed = Vec::new();
    for _ in 0..10 {
        removed.extend(reader.poll().await);
    }
    let removed = only(removed);
    assert_eq!(
        (quantities(&removed).join(" "), number(&removed.properties["AmountFC"])),
        ("1".to_owned(), "10".to_owned())
    );
    let versions: Vec<Option<Version>> =
        [&first, &added, &changed, &renamed, &removed].map(|told| told.version).to_vec();
    assert!(versions.is_sorted() && versions[0] < versions[1] && versions[3] < versions[4], "{versions:?}");
}

#[tokio::test]
async fn a_removed_line_does_not_come_back_with_another_change() {
    let bench = Bench::start().await;
    let order = bench.order(&[1]);
    let removed = bench.line(order, 2);
    let mut reader = bench.orders();
    reader.poll().await;
    bench.delete(LINES, removed);
    bench.line(order, 3);
    // Whether or not deletions were due: a document is never told with a line that is gone.
    assert_eq!(quantities(&only(reader.poll().await)), ["1", "3"]);
}

#[tokio::test]
async fn a_deleted_document_is_told_as_deleted() {
    let bench = Bench::start().await;
    let order = bench.order(&[1, 2]);
    let mut reader = bench.orders();
    let before = only(reader.poll().await);
    bench.delete(ORDERS, order);
    let mut told = Vec::new();
    for _ in 0..10 {
        told.extend(reader.poll().await);
    }
    let told = told.pop().unwrap();
    assert_eq!((told.presence, told.id.as_str()), (Presence::Deleted, order.to_string().as_str()));
    assert!(told.version > before.version && told.properties.is_empty());
}

#[tokio::test]
async fn pages_of_any_size_tell_every_document_with_all_its_lines() {
    for page in [1, 2, 7] {
        let bench = Bench::start().await;
        bench.control().set_limits(Limits { large_page_size: page, per_minute: 10_000, ..Limits::default() });
        for lines in 1..=6 {
            bench.order(&(1..=lines).collect::<Vec<u32>>());
        }
        let mut reader = bench.orders();
        let told = reader.poll().await;
        let mut counts: Vec<usize> = told.iter().map(|order| quantities(order).len()).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 2, 3, 4, 5, 6], "pages of {page}");
        assert_eq!(reader.poll().await, []);
    }
}

#[tokio::test]
async fn totals_are_read_for_many_documents_at_once() {
    let bench = Bench::start().await;
    for quantity in 1..=32 {
        bench.order(&[quantity]);
    }
    let mut reader = bench.orders();
    let told = reader.poll().await;
    assert_eq!((told.len(), bench.calls_of("GET salesorder/salesorders")), (32, 3));
    for order in told {
        let quantity: u32 = quantities(&order)[0].parse().unwrap();
        assert_eq!(number(&order.properties["AmountFC"]), (quantity * 10).to_string());
    }
}

#[tokio::test]
async fn a_collector_that_ends_anywhere_loses_nothing() {
    // The call that fails ends the collector; another one goes on at the last cursor that was kept.
    for failing in 1..=14 {
        let bench = Bench::start().await;
        bench.control().set_limits(Limits { large_page_size: 2, per_minute: 10_000, ..Limits::default() });
        bench.order(&[1, 2, 3]);
        bench.order(&[4]);
        let (mut cursor, mut told) = (None, Vec::new());
        let (mut calls, mut went_on) = (0, true);
        while went_on {
            let mut reader = bench.reader("salesorders", orders(), cursor.clone());
            reader.division.client.me().await.unwrap();
            calls += 1;
            if calls == failing {
                bench.control().add_fault(Fault::next(FaultKind::FailBefore { status: 503 }));
            }
            if let Ok((records, more)) = reader.page().await {
                told.extend(records);
                cursor = reader.cursor;
                went_on = more;
            }
        }
        let mut whole: Vec<String> = told.iter().map(|order| quantities(order).join(" ")).collect();
        whole.sort();
        whole.dedup();
        assert_eq!(whole, ["1 2 3", "4"], "call {failing}");
    }
}

#[tokio::test]
async fn what_was_published_is_published_again_until_the_cursor_was_kept() {
    let bench = Bench::start().await;
    bench.order(&[1]);
    let mut reader = bench.orders();
    let first = only(reader.poll().await);
    // The observations were not safe, and the cursor was not kept.
    let mut again = bench.orders();
    assert_eq!(only(again.poll().await), first);
    assert_eq!(again.poll().await, []);
    assert_eq!(again.poll().await, []);
}

#[tokio::test]
async fn a_header_that_shows_after_its_lines_is_told_with_them() {
    let bench = Bench::start().await;
    let mut reader = bench.orders();
    reader.poll().await;
    bench.order(&[1, 2]);
    bench.control().add_fault(Fault {
        kind: FaultKind::FailBefore { status: 503 },
        method: None,
        path_contains: Some("sync/Deleted".to_owned()),
        count: 1,
    });
    reader.page().await.unwrap_err();
    // A new process: of the order everything is kept, and the cursor stands before it.
    let mut reader = bench.reader("salesorders", orders(), reader.cursor);
    assert_eq!(quantities(&only(reader.poll().await)), ["1", "2"]);
}

#[tokio::test]
async fn row_versions_as_texts_and_a_lag_of_the_feeds_change_nothing() {
    let bench = Bench::start().await;
    let switches = Switches { int64_as_string: true, sync_lag_milliseconds: 5_000, ..Switches::default() };
    bench.control().set_switches(switches);
    bench.order(&[1, 2]);
    let mut reader = bench.orders();
    assert_eq!(reader.poll().await, []);
    bench.control().advance_clock(6);
    assert_eq!(quantities(&only(reader.poll().await)), ["1", "2"]);
}

#[tokio::test]
async fn a_version_tells_the_states_of_a_document_apart_also_when_it_is_edited_between_two_feeds() {
    let bench = Bench::start().await;
    let order = bench.order(&[1]);
    let line = bench.line(order, 2);
    let mut reader = bench.orders();
    reader.poll().await;
    let mut last: Option<Record> = None;
    for (turn, slow) in
        ["sync/SalesOrder/SalesOrderLines", "sync/SalesOrder/SalesOrderHeaders", "sync/Deleted"]
            .into_iter()
            .enumerate()
    {
        // The last feed of the poll waits, and meanwhile the header changes and then a line does.
        let delay = FaultKind::Delay { ms: 200 };
        let path_contains = Some(slow.to_owned());
        bench.control().add_fault(Fault { kind: delay, method: None, path_contains, count: 1 });
        bench.change(LINES, line, &format!(r#"{{"Quantity":{}}}"#, turn + 10));
        let edit = async {
            while !bench.control().faults().is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            bench.change(ORDERS, order, &format!(r#"{{"YourRef":"turn {turn}"}}"#));
            bench.change(LINES, line, &format!(r#"{{"Quantity":{}}}"#, turn + 20));
        };
        let (mut told, ()) = tokio::join!(reader.poll(), edit);
        for _ in 0..2 {
            told.extend(reader.poll().await);
        }
        for told in told {
            let before = last.as_ref().and_then(|last| last.version);
            assert!(told.version > before || last.as_ref() == Some(&told), "{told:?} after {last:?}");
            last = Some(told);
        }
        let last = last.as_ref().unwrap();
        let expected = (format!("turn {turn}"), vec!["1".to_owned(), (turn + 20).to_string()]);
        assert_eq!((last.properties["YourRef"].as_text().unwrap().to_owned(), quantities(last)), expected);
    }
}

#[tokio::test]
async fn a_quotation_is_told_with_the_vat_that_its_header_feed_lacks() {
    let bench = Bench::start().await;
    bench.change("logistics/Items", bench.item, r#"{"SalesVatCode":"4"}"#);
    let quotation = format!(
        r#"{{"OrderAccount":"{}","QuotationLines":[{{"Item":"{}","Quantity":2,"UnitPrice":10}}]}}"#,
        bench.customer, bench.item
    );
    let quotation = bench.by_person("crm/Quotations", &quotation);
    let mut reader = bench.reader("quotations", quotations(), None);
    let told = only(reader.poll().await);
    let amounts = |told: &Record| {
        let amount = |name: &str| number(&told.properties[name]);
        format!("{} {}", amount("AmountFC"), amount("VATAmountFC"))
    };
    assert_eq!((told.id.as_str(), amounts(&told)), (quotation.to_string().as_str(), "24.2 4.2".to_owned()));
    let Content::List(lines) = &told.properties["QuotationLines"] else { panic!("{told:?}") };
    assert_eq!(lines.len(), 1);
    // A change of the header alone keeps the VAT.
    bench.change("crm/Quotations", quotation, r#"{"YourRef":"x"}"#);
    assert_eq!(amounts(&only(reader.poll().await)), "24.2 4.2");
}

#[tokio::test]
async fn an_item_is_told_with_its_sales_price_and_anew_when_the_price_changes() {
    let bench = Bench::start().await;
    let mut reader = bench.reader("items", items(true), None);
    let told = only(reader.poll().await);
    assert_eq!(number(&told.properties["StandardSalesPrice"]), "0");
    let prices = bench.control().records("sync/Logistics/SalesItemPrices").unwrap();
    let prices: Vec<serde_json::Value> = serde_json::from_str(&prices).unwrap();
    let price = prices[0]["ID"].as_str().unwrap().parse().unwrap();
    bench.change("logistics/SalesItemPrices", price, r#"{"Price":12.345}"#);
    let repriced = only(reader.poll().await);
    assert_eq!(number(&repriced.properties["StandardSalesPrice"]), "12.345");
    assert!(repriced.version > told.version);
    // An agreement with a customer changes nothing of the item.
    let agreed =
        format!(r#"{{"Item":"{}","Account":"{}","Price":7,"Currency":"EUR"}}"#, bench.item, bench.customer);
    bench.by_person("logistics/SalesItemPrices", &agreed);
    assert_eq!(reader.poll().await, []);
    bench.delete("logistics/SalesItemPrices", price);
    let mut told = Vec::new();
    for _ in 0..10 {
        told.extend(reader.poll().await);
    }
    assert_eq!(only(told).properties["StandardSalesPrice"], Content::Null);
}

#[tokio::test]
async fn a_cursor_of_a_reading_without_prices_begins_anew_with_them() {
    let bench = Bench::start().await;
    let mut reader = bench.reader("items", items(false), None);
    assert!(!only(reader.poll().await).properties.contains_key("StandardSalesPrice"));
    let mut reader = bench.reader("items", items(true), reader.cursor);
    assert_eq!(number(&only(reader.poll().await).properties["StandardSalesPrice"]), "0");
}

#[tokio::test]
async fn headers_alone_are_read_where_no_pair_works_with_lines() {
    let bench = Bench::start().await;
    bench.order(&[1]);
    let headers = Selection { parts: None, late: Vec::new(), ..orders() };
    let mut reader = bench.reader("salesorders", headers, None);
    assert!(!only(reader.poll().await).properties.contains_key("SalesOrderLines"));
    assert_eq!(bench.calls_of("GET sync/salesorder/salesorderlines"), 0);
}

/// The numbers begin below all before, and a line was removed and another changed before anybody looked.
#[tokio::test]
async fn a_document_of_a_division_that_moved_is_told_anew_with_what_happened_meanwhile() {
    let bench = Bench::start().await;
    let order = bench.order(&[1, 2]);
    let line = bench.line(order, 3);
    let mut reader = bench.orders();
    let before = only(reader.poll().await);

    bench.control().move_division();
    bench.change(LINES, line, r#"{"Quantity":4}"#);
    bench.control().advance_clock(8 * 3_600);
    let after = only(reader.poll().await);
    assert_eq!(quantities(&after), ["1", "2", "4"]);
    assert!(after.version > before.version, "{:?} {:?}", after.version, before.version);
    bench.delete(LINES, line);
    let mut removed = Vec::new();
    for _ in 0..10 {
        removed.extend(reader.poll().await);
    }
    assert_eq!(quantities(&only(removed)), ["1", "2"]);
}
