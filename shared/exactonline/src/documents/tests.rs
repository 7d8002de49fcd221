#![allow(clippy::unwrap_used)]

use jiff::civil::{Date, date};
use model::{Content, Presence, Properties, Record, RecordId, UserId, Version};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::Document;
use crate::Entity;

const TODAY: Date = date(2026, 11, 22);

fn entity(name: &str) -> Entity {
    Entity::named(name).unwrap()
}

fn id(text: &str) -> RecordId {
    RecordId::parse(text).unwrap()
}

fn number(text: &str) -> Content {
    Content::Number(text.parse().unwrap())
}

fn record(name: &str, version: u64, properties: &[(&str, Content)]) -> Record {
    Record {
        id: id(name),
        version: Some(Version(version)),
        modified_by: UserId::parse(&format!("user {version}")).ok(),
        modified_at: jiff::Timestamp::from_second(i64::try_from(version).unwrap()).ok(),
        presence: Presence::Present,
        properties: properties.iter().map(|(name, content)| ((*name).to_owned(), content.clone())).collect(),
    }
}

fn gone(name: &str, version: u64) -> Record {
    Record { presence: Presence::Deleted, properties: Properties::new(), ..record(name, version, &[]) }
}

fn line(name: &str, version: u64, place: u32) -> Record {
    record(name, version, &[("ID", Content::from(name)), ("LineNumber", Content::Number(place.into()))])
}

fn lines_of(record: &Record) -> Vec<String> {
    let Content::List(lines) = &record.properties["SalesOrderLines"] else { panic!("no list") };
    let id = |line: &Content| match line {
        Content::Object(line) => line["ID"].as_text().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    lines.iter().map(id).collect()
}

fn late() -> Vec<String> {
    vec!["AmountFC".to_owned()]
}

fn told(document: &Document) -> Option<Record> {
    document.record(&entity("salesorders"), &late(), TODAY)
}

#[test]
fn lines_wait_for_their_header_and_are_listed_by_their_numbers() {
    let mut order = Document::new(id("order"));
    order.take_part(line("b", 12, 10));
    order.take_part(line("a", 13, 9));
    order.take_part(record("unnumbered", 14, &[("ID", Content::from("unnumbered"))]));
    assert_eq!((told(&order), order.count(), order.version()), (None, 3, Some(Version(14))));
    order.take_header(record("order", 11, &[("YourRef", Content::from("👩‍🚀 \u{202e}x"))]));
    let whole = told(&order).unwrap();
    assert_eq!(lines_of(&whole), ["a", "b", "unnumbered"]);
    assert_eq!(whole.properties["YourRef"], Content::from("👩‍🚀 \u{202e}x"));
}

#[test]
fn a_document_has_the_version_and_the_author_of_its_newest_part() {
    let mut order = Document::new(id("order"));
    order.take_header(record("order", 20, &[]));
    order.take_part(line("a", 18, 1));
    let whole = told(&order).unwrap();
    assert_eq!((whole.version, whole.modified_at.unwrap().as_second()), (Some(Version(20)), 20));
    order.was_told(whole.version);
    order.take_part(gone("a", 30));
    let whole = told(&order).unwrap();
    assert_eq!((whole.version, whole.modified_by.as_ref().unwrap().as_str()), (Some(Version(30)), "user 30"));
    assert_eq!(whole.modified_at.unwrap().as_second(), 30);
    assert_eq!(lines_of(&whole), Vec::<String>::new());
    assert!(!order.holds(&id("a")));
}

fn by(user: &str, record: Record) -> Record {
    Record { modified_by: UserId::parse(user).ok(), ..record }
}

#[test]
fn a_document_that_several_changed_since_it_was_told_is_nobodys_change() {
    let author = |order: &Document| told(order).unwrap().modified_by.map(|user| user.to_string());
    let mut order = Document::new(id("order"));
    order.take_header(by("bea", record("order", 20, &[])));
    order.take_part(by("bea", line("a", 21, 1)));
    assert_eq!(author(&order).as_deref(), Some("bea"));
    order.take_part(by("us", line("a", 22, 1)));
    assert_eq!(author(&order), None);
    // Told as it is, it is again who changes it next.
    order.was_told(order.version());
    assert_eq!(author(&order).as_deref(), Some("us"));
    order.take_header(by("bea", record("order", 23, &[])));
    assert_eq!(author(&order).as_deref(), Some("bea"));
    order.take_part(by("us", gone("a", 24)));
    assert_eq!(author(&order), None);
    // What was told of it later is not undone by what was told earlier.
    order.was_told(order.version());
    order.was_told(Some(Version(20)));
    assert_eq!(author(&order).as_deref(), Some("us"));
}

#[test]
fn a_deleted_document_has_no_properties_whatever_its_lines_say() {
    let mut order = Document::new(id("order"));
    order.take_header(record("order", 20, &[("YourRef", Content::from("x"))]));
    order.take_header(gone("order", 22));
    order.take_part(line("a", 21, 1));
    let whole = told(&order).unwrap();
    assert_eq!((whole.presence, whole.version), (Presence::Deleted, Some(Version(22))));
    assert_eq!(whole.properties, Properties::new());
    assert!(!order.wants_late(&late()));
}

#[test]
fn a_part_that_is_shown_again_after_it_went_stays_gone() {
    let mut order = Document::new(id("order"));
    order.take_part(gone("a", 30));
    order.take_part(line("a", 20, 1));
    assert!(!order.holds(&id("a")));
    let mut unversioned = line("b", 1, 1);
    unversioned.version = None;
    order.take_part(unversioned);
    assert_eq!(order.part_version(&id("b")), None);
}

#[test]
fn a_total_is_told_only_for_the_version_that_it_was_read_at() {
    let mut order = Document::new(id("order"));
    order.take_header(record("order", 20, &[("AmountFC", number("10")), ("YourRef", Content::Null)]));
    assert!(!order.wants_late(&late()));
    assert_eq!(told(&order).unwrap().properties["AmountFC"], number("10"));
    // A line is newer: what the header showed may be of before.
    order.take_part(line("a", 21, 1));
    assert!(order.wants_late(&late()));
    assert!(!told(&order).unwrap().properties.contains_key("AmountFC"));
    let shown =
        Properties::from([("AmountFC".to_owned(), number("12.50")), ("Hidden".to_owned(), Content::Null)]);
    order.take_late(Version(21), shown);
    assert!(!order.wants_late(&late()));
    let whole = told(&order).unwrap();
    assert_eq!(whole.properties["AmountFC"], number("12.5"));
    assert!(!whole.properties.contains_key("Hidden") && whole.properties.contains_key("YourRef"));
    // A newer header is right again, and an older total does not come back.
    order.take_header(record("order", 30, &[("AmountFC", number("13"))]));
    order.take_late(Version(20), Properties::from([("AmountFC".to_owned(), number("1"))]));
    assert_eq!(told(&order).unwrap().properties["AmountFC"], number("13"));
    assert!(!order.wants_late(&late()));
}

#[test]
fn a_total_that_the_header_feed_lacks_is_read_for_every_version() {
    let late = vec!["VATAmountFC".to_owned()];
    let mut quotation = Document::new(id("quotation"));
    quotation.take_header(record("quotation", 20, &[]));
    assert!(quotation.wants_late(&late));
    quotation.take_late(Version(20), Properties::from([("VATAmountFC".to_owned(), number("2.1"))]));
    assert!(!quotation.wants_late(&late));
    let whole = quotation.record(&entity("quotations"), &late, TODAY).unwrap();
    assert_eq!(whole.properties["VATAmountFC"], number("2.1"));
    quotation.take_header(record("quotation", 22, &[]));
    assert!(quotation.wants_late(&late));
    // The record was gone when it was asked for: there is nothing to tell, and nothing to ask again.
    quotation.take_late(Version(22), Properties::new());
    assert!(!quotation.wants_late(&late));
    let whole = quotation.record(&entity("quotations"), &late, TODAY).unwrap();
    assert!(!whole.properties.contains_key("VATAmountFC"));
}

/// Midnight of a day as the service writes it.
fn moment(day: Date) -> Content {
    let seconds = day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second();
    Content::Text(format!("/Date({seconds}000)/"))
}

fn price_of(prices: &[&[(&str, Content)]]) -> Content {
    let mut item = Document::new(id("item"));
    item.take_header(record("item", 1, &[]));
    for (place, price) in (2..).zip(prices) {
        item.take_part(record(&format!("price {place}"), place, price));
    }
    let whole = item.record(&entity("items"), &[], TODAY).unwrap();
    whole.properties["StandardSalesPrice"].clone()
}

#[test]
fn the_sales_price_is_the_general_one_of_today_for_the_lowest_quantity() {
    let price = |amount: &str| ("Price", number(amount));
    let from = |day: Date| ("StartDate", moment(day));
    assert_eq!(price_of(&[]), Content::Null);
    assert_eq!(price_of(&[&[price("0.0500")]]), number("0.05"));
    assert_eq!(
        price_of(&[
            &[price("8"), ("Quantity", number("10"))],
            &[price("1"), ("Account", Content::from("acme"))],
            &[price("9"), ("Quantity", number("1"))],
            &[price("2"), ("Project", Content::from("bridge"))],
        ]),
        number("9")
    );
    let ended = ("EndDate", moment(date(2026, 11, 21)));
    assert_eq!(price_of(&[&[price("7"), ended.clone()]]), Content::Null);
    assert_eq!(price_of(&[&[price("7"), ("EndDate", moment(TODAY))]]), number("7"));
    assert_eq!(price_of(&[&[price("7"), from(date(2026, 11, 23))], &[price("6"), from(TODAY)]]), number("6"));
    // The one that began last is in force, and one without a beginning always was.
    assert_eq!(price_of(&[&[price("5"), from(date(2026, 1, 1))], &[price("6"), from(TODAY)]]), number("6"));
    assert_eq!(price_of(&[&[price("5"), from(date(2026, 1, 1))], &[price("4")]]), number("5"));
}

#[test]
fn what_is_no_document_is_told_as_such() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"id":"a"}"#,
        r#"{"id":"","parts":{}}"#,
        r#"{"id":"a","parts":{"b":{}}}"#,
        r#"{"id":"a","parts":{},"header":{"version":-1}}"#,
        r#"{"id":"a","parts":{},"late":{"version":1}}"#,
    ] {
        assert!(Document::read(text).is_err(), "{text}");
    }
}

/// A part that may come, in any order and number.
#[derive(Debug, Clone)]
enum Seen {
    Header(Record),
    Line(Record),
    Late(u64),
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Null),
        any::<bool>().prop_map(Content::Boolean),
        (any::<i64>(), 0..20_u32)
            .prop_map(|(mantissa, places)| Content::Number(Decimal::new(mantissa, places))),
        ".*".prop_map(Content::Text),
    ]
}

/// What happened to one document: at each version, which is used once in a division, one thing.
fn history() -> impl Strategy<Value = Vec<Seen>> {
    let event = (0..7_u8, content());
    prop::collection::vec(event, 1..14).prop_map(|events| {
        let mut happened = Vec::new();
        for (version, (what, content)) in (1..).zip(events) {
            let name = format!("line {}", what % 3);
            happened.push(match what {
                0..=2 => {
                    Seen::Line(record(&name, version, &[("Notes", content), ("LineNumber", number("1"))]))
                }
                3 => Seen::Line(gone(&name, version)),
                4 => Seen::Header(record("order", version, &[("AmountFC", content)])),
                5 => Seen::Late(version),
                _ => Seen::Header(gone("order", version)),
            });
        }
        happened
    })
}

fn made_of<'a>(seen: impl IntoIterator<Item = &'a Seen>) -> Document {
    let mut order = Document::new(id("order"));
    for part in seen {
        match part.clone() {
            Seen::Header(header) => order.take_header(header),
            Seen::Line(line) => order.take_part(line),
            Seen::Late(version) => {
                let total = Content::Number(version.into());
                order.take_late(Version(version), Properties::from([("AmountFC".to_owned(), total)]));
            }
        }
    }
    order
}

proptest! {
    #[test]
    fn the_same_parts_make_the_same_document_in_any_order_and_number(
        (seen, shuffled) in history().prop_flat_map(|seen| {
            let twice: Vec<Seen> = seen.iter().chain(&seen).cloned().collect();
            (Just(seen), Just(twice).prop_shuffle())
        }),
        cut in any::<prop::sample::Index>(),
    ) {
        let document = made_of(&seen);
        prop_assert_eq!(&made_of(&shuffled), &document);
        // Two readers, each of whom saw some of it, know as much together.
        let (one, other) = shuffled.split_at(cut.index(shuffled.len()));
        let mut merged = made_of(one);
        merged.merge(&made_of(other));
        prop_assert_eq!(&merged, &document);
        prop_assert_eq!(told(&merged), told(&document));
    }

    #[test]
    fn whatever_is_seen_of_a_document_raises_its_version(seen in history()) {
        let mut order = Document::new(id("order"));
        for part in &seen {
            let before = order.version();
            let is_late = matches!(part, Seen::Late(_));
            order.merge(&made_of([part]));
            prop_assert!(is_late || order.version() > before);
        }
    }

    #[test]
    fn a_kept_document_reads_back_as_it_was(seen in history()) {
        let document = made_of(&seen);
        prop_assert_eq!(Document::read(&document.write()).unwrap(), document);
    }
}
