use std::time::Duration;

use contract::Sighting;
use model::{Content, FailureClass, Properties, RecordId};
use serde_json::Value;
use simulator_exactonline::{Fault, FaultKind, Switches};
use store::Embedded;
use writer::{SearchKey, Target as _};

use super::bench::{Bench, aim, entity, header, id, number, properties, version};
use crate::target::{Division, WriteError};

const PRICES: &str = "logistics/SalesItemPrices";

impl Bench {
    async fn seen_item(&self) -> Sighting {
        self.division.ready(aim(&entity("items"))).await.unwrap();
        let feed = &self.division.feeds[&entity("items")];
        let document = self.division.document(feed, &id(self.item)).await.unwrap().unwrap();
        self.division.told(feed, document, None, exactonline::Priority::Edit).await.unwrap().unwrap()
    }

    async fn update_item(&self, json: &str) -> Result<Option<Sighting>, WriteError> {
        let seen = self.seen_item().await;
        let items = entity("items");
        self.division.update(aim(&items), &seen.record.id, seen.record.version, &header(json)).await
    }

    /// The ids and prices of an item's price records.
    fn prices(&self, item: &RecordId) -> Vec<(RecordId, String)> {
        let all: Vec<Value> = serde_json::from_str(&self.control().records(PRICES).unwrap()).unwrap();
        let own = all.iter().filter(|price| price["Item"] == item.as_str());
        own.map(|price| (RecordId::parse(price["ID"].as_str().unwrap()).unwrap(), price["Price"].to_string()))
            .collect()
    }

    /// How many price records Tandem made, and how many it changed.
    fn written_prices(&self) -> (usize, usize) {
        (self.calls_of("POST logistics/salesitemprices"), self.calls_of("PUT logistics/salesitemprices"))
    }
}

fn price(told: &Sighting) -> String {
    number(&told.record.properties["StandardSalesPrice"])
}

fn class(error: &WriteError) -> FailureClass {
    <Division<Embedded> as writer::Target>::class(error)
}

#[tokio::test]
async fn a_price_is_written_into_the_item_s_own_record_and_told_as_our_own_change() {
    let bench = Bench::start().await;
    let before = bench.seen_item().await;
    let told = bench.update_item(r#"{"StandardSalesPrice":12.5}"#).await.unwrap().unwrap();
    assert_eq!(price(&told), "12.5");
    assert!(told.by_us && version(&told) > version(&before));
    let prices = bench.prices(&before.record.id);
    assert_eq!(prices.iter().map(|(_, price)| price.as_str()).collect::<Vec<_>>(), ["12.5"]);
    assert_eq!((bench.written_prices(), bench.calls_of("PUT logistics/items")), ((0, 1), 0));
}

#[tokio::test]
async fn a_price_goes_with_other_properties_of_its_item() {
    let bench = Bench::start().await;
    let told = bench.update_item(r#"{"Description":"Nut","StandardSalesPrice":3}"#).await.unwrap().unwrap();
    assert_eq!((price(&told).as_str(), &told.record.properties["Description"]), ("3", &Content::from("Nut")));
    assert!(told.by_us);
    assert_eq!((bench.written_prices(), bench.calls_of("PUT logistics/items")), ((0, 1), 1));
}

#[tokio::test]
async fn of_several_prices_the_one_that_is_read_is_written() {
    let bench = Bench::start().await;
    let (item, customer) = (id(bench.item), bench.customer);
    let at = |rest: &str| format!(r#"{{"Item":"{item}","Price":99,{rest}}}"#);
    bench.by_person(PRICES, &at(&format!(r#""Account":"{customer}""#)));
    bench.by_person(PRICES, &at(r#""Quantity":10"#));
    bench.by_person(PRICES, &at(r#""StartDate":"2026-11-23T00:00:00""#));
    let told = bench.update_item(r#"{"StandardSalesPrice":7}"#).await.unwrap().unwrap();
    assert_eq!(price(&told), "7");
    let mut prices: Vec<String> = bench.prices(&item).into_iter().map(|(_, price)| price).collect();
    prices.sort();
    assert_eq!(prices, ["7", "99", "99", "99"]);
}

#[tokio::test]
async fn an_item_without_a_price_of_its_own_is_refused_whole_and_gets_none() {
    let bench = Bench::start().await;
    let item = id(bench.item);
    bench.delete(PRICES, &bench.prices(&item)[0].0);
    let refused = bench.update_item(r#"{"Description":"Nut","StandardSalesPrice":3}"#).await.unwrap_err();
    assert_eq!(class(&refused), FailureClass::Rejected);
    let words = telemetry::Chain(&refused).to_string();
    assert!(
        words.contains("has no sales price of its own in force") && words.contains("add a price"),
        "{words}"
    );
    assert_eq!((bench.prices(&item), bench.written_prices()), (Vec::new(), (0, 0)));
    assert_eq!(bench.seen_item().await.record.properties["Description"], Content::from("Bolt"));
}

#[tokio::test]
async fn prices_in_several_currencies_are_left_to_a_person() {
    let bench = Bench::start().await;
    bench.by_person(PRICES, &format!(r#"{{"Item":"{}","Price":99,"Currency":"USD"}}"#, bench.item));
    let refused = bench.update_item(r#"{"StandardSalesPrice":3}"#).await.unwrap_err();
    assert_eq!(class(&refused), FailureClass::Rejected);
    assert!(telemetry::Chain(&refused).to_string().contains("several currencies"), "{refused}");
}

#[tokio::test]
async fn a_price_that_a_person_changed_unseen_is_not_written_over() {
    let bench = Bench::start().await;
    let (items, item) = (entity("items"), id(bench.item));
    let seen = bench.seen_item().await;
    // The feeds were read a moment ago, which vouches for this write.
    bench.change(PRICES, &bench.prices(&item)[0].0, r#"{"Price":5}"#);
    let put = header(r#"{"StandardSalesPrice":3}"#);
    let kept = bench.division.update(aim(&items), &item, seen.record.version, &put).await.unwrap_err();
    assert!(
        matches!(&kept, WriteError::Repriced { .. }) && class(&kept) == FailureClass::Transient,
        "{kept:?}"
    );
    assert_eq!(bench.prices(&item)[0].1, "5");
}

#[tokio::test]
async fn a_price_that_exact_holds_already_is_not_written_again() {
    let bench = Bench::start().await;
    let before = bench.seen_item().await;
    let told = bench.update_item(r#"{"StandardSalesPrice":0.00}"#).await.unwrap().unwrap();
    assert_eq!((price(&told).as_str(), version(&told)), ("0", version(&before)));
    assert_eq!(bench.written_prices(), (0, 0));
}

#[tokio::test]
async fn a_new_item_gets_its_price_in_the_record_that_comes_with_it() {
    let bench = Bench::start().await;
    let items = entity("items");
    let made = bench.division.create(aim(&items), &nut(), "key").await.unwrap();
    assert_eq!((price(&made).as_str(), made.by_us), ("4.2", true));
    // Sightings of the item as it was before its price are older than this.
    assert_eq!(made.record.version, bench.told("items", &made.record.id).await.unwrap().record.version);
    let prices = bench.prices(&made.record.id);
    assert_eq!(prices.iter().map(|(_, price)| price.as_str()).collect::<Vec<_>>(), ["4.2"]);
    assert_eq!((bench.written_prices(), bench.calls_of("POST logistics/items")), ((0, 1), 1));
}

#[tokio::test]
async fn a_new_item_whose_price_could_not_be_written_is_found_with_the_price_that_it_came_with() {
    let bench = Bench::start().await;
    let items = entity("items");
    bench.control().add_fault(on("PUT", "SalesItemPrices", 1));
    let lost = bench.division.create(aim(&items), &nut(), "key").await.unwrap_err();
    assert_eq!(class(&lost), FailureClass::Ambiguous);
    assert!(lost.to_string().contains("was made in Exact Online and could not be given its price"), "{lost}");
    let key = SearchKey {
        conditions: vec![("Code".to_owned(), Content::from("nut"))],
        only_ours: false,
        wanted: None,
    };
    let found = bench.division.search(aim(&items), &key).await.unwrap();
    assert_eq!((found.len(), price(&found[0]).as_str()), (1, "0"));
}

#[tokio::test]
async fn a_new_item_that_can_not_be_read_back_is_told_without_the_price_that_it_came_with() {
    let bench = Bench::start().await;
    bench.control().add_fault(on("GET", "sync/Logistics", 20));
    let made = bench.division.create(aim(&entity("items")), &nut(), "key").await.unwrap();
    assert!(!made.record.properties.contains_key("StandardSalesPrice"), "{made:?}");
    assert_eq!(bench.prices(&made.record.id)[0].1, "4.2");
}

#[tokio::test]
async fn feeds_that_lag_are_waited_for_until_they_show_the_new_price() {
    let bench = Bench::start().await;
    let (items, control) = (entity("items"), bench.control());
    bench.seen_item().await;
    control.set_switches(Switches { sync_lag_milliseconds: 1_000, ..Switches::default() });
    let later = async || {
        tokio::time::sleep(Duration::from_millis(600)).await;
        control.advance_clock(2);
    };
    let (told, ()) = tokio::join!(bench.update_item(r#"{"StandardSalesPrice":3}"#), later());
    assert_eq!(price(&told.unwrap().unwrap()), "3");
    let nut = nut();
    let (made, ()) = tokio::join!(bench.division.create(aim(&items), &nut, "key"), later());
    assert_eq!(price(&made.unwrap()), "4.2");
}

fn nut() -> Properties {
    properties(r#"{"Code":"nut","Description":"Nut","StandardSalesPrice":4.2}"#)
}

fn on(method: &str, path: &str, count: u32) -> Fault {
    let kind = FaultKind::FailBefore { status: 503 };
    Fault {
        count,
        method: Some(method.to_owned()),
        path_contains: Some(path.to_owned()),
        ..Fault::next(kind)
    }
}
