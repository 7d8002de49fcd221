use contract::Sighting;
use exactonline::{Priority, Source};
use mapping::LinePut;
use model::{Content, FailureClass, RecordId};
use simulator_exactonline::{Language, Switches};
use store::Embedded;
use tokio::time::Instant;
use uuid::Uuid;
use writer::{Duplicate, SearchKey, Target as _};

use super::bench::{Bench, aim, entity, header, id, number, of_lines, properties, version};
use crate::target::{Division, WriteError};

#[tokio::test]
async fn an_account_is_written_and_told_as_its_feed_shows_it() {
    let bench = Bench::start().await;
    let accounts = entity("accounts");
    let made = bench.division.create(aim(&accounts), &properties(r#"{"Name":"New"}"#), "key").await.unwrap();
    assert_eq!((made.by_us, made.record.version), (true, None));
    let put = header(r#"{"Name":"Newer"}"#);
    let told = bench.division.update(aim(&accounts), &made.record.id, None, &put).await.unwrap_err();
    // The feed has shown it by now, at a version that nobody took in.
    assert!(told.to_string().contains("was changed in Exact Online"), "{told}");
    let seen = bench.told("accounts", &made.record.id).await.unwrap();
    let told = bench
        .division
        .update(aim(&accounts), &made.record.id, seen.record.version, &put)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told.record.properties["Name"], Content::from("Newer"));
    assert!(version(&told) > version(&seen));
}

#[tokio::test]
async fn a_record_that_does_not_show_yet_is_not_written_at_an_unknown_version() {
    let bench = Bench::start().await;
    bench.control().set_switches(Switches { sync_lag_milliseconds: 1_000, ..Switches::default() });
    let accounts = entity("accounts");
    let made = bench.division.create(aim(&accounts), &properties(r#"{"Name":"New"}"#), "key").await.unwrap();
    let put = header(r#"{"Name":"Newer"}"#);
    let error = bench.division.update(aim(&accounts), &made.record.id, None, &put).await.unwrap_err();
    assert_eq!(Division::<Embedded>::class(&error), FailureClass::Transient, "{error}");
    let now = bench.told("accounts", &made.record.id).await.unwrap();
    assert_eq!(now.record.properties["Name"], Content::from("New"));
}

#[tokio::test]
async fn an_item_is_told_with_its_price_before_and_after_a_write() {
    let bench = Bench::start().await;
    let (items, item) = (entity("items"), id(bench.item));
    let seen = bench.told("items", &item).await.unwrap();
    assert_eq!(number(&seen.record.properties["StandardSalesPrice"]), "0");
    let put = header(r#"{"Description":"Nut"}"#);
    bench.division.ready(aim(&items)).await.unwrap();
    let told =
        bench.division.update(aim(&items), &item, Some(bench_version(&bench, &item).await), &put).await;
    let told = told.unwrap().unwrap();
    assert_eq!(told.record.properties["Description"], Content::from("Nut"));
    assert_eq!(number(&told.record.properties["StandardSalesPrice"]), "0");
    assert!(told.record.version.is_some());
}

#[tokio::test]
async fn a_quotation_is_made_and_changed_line_by_line_too() {
    let bench = Bench::start().await;
    let quotations = entity("quotations");
    let body = format!(
        r#"{{"OrderAccount":"{}","YourRef":"q","QuotationLines":[{{"Item":"{}","Quantity":1,"UnitPrice":10}}]}}"#,
        bench.customer, bench.item
    );
    let made = bench.division.create(aim(&quotations), &properties(&body), "key").await.unwrap();
    assert_eq!(number(&made.record.properties["VATAmountFC"]), "0");
    let line = format!(r#"{{"Item":"{}","Quantity":2,"UnitPrice":10}}"#, bench.item);
    let put = of_lines(vec![LinePut::Add(properties(&line))]);
    let (id, version) = (&made.record.id, made.record.version);
    let told = bench.division.update(aim(&quotations), id, version, &put).await.unwrap().unwrap();
    let Content::List(lines) = &told.record.properties["QuotationLines"] else { panic!("{told:?}") };
    assert_eq!((lines.len(), number(&told.record.properties["AmountFC"])), (2, "30".to_owned()));
    assert!(version < told.record.version && told.by_us);
}

async fn bench_version(bench: &Bench, item: &RecordId) -> model::Version {
    let feed = &bench.division.feeds[&entity("items")];
    let document = bench.division.document(feed, item).await.unwrap().unwrap();
    document.version().unwrap()
}

#[tokio::test]
async fn a_record_is_searched_by_what_its_type_is_written_as() {
    let bench = Bench::start().await;
    let code = |code: &str| SearchKey {
        conditions: vec![("Code".to_owned(), Content::from(code))],
        only_ours: false,
        wanted: None,
    };
    let items = entity("items");
    let found = bench.division.search(aim(&items), &code("bolt")).await.unwrap();
    assert_eq!((found.len(), &found[0].record.id), (1, &id(bench.item)));
    assert_eq!(bench.division.search(aim(&items), &code("' or true")).await.unwrap(), []);
    let unsearchable =
        SearchKey { conditions: vec![("Code".to_owned(), Content::Null)], only_ours: false, wanted: None };
    assert_eq!(bench.division.search(aim(&items), &unsearchable).await.unwrap(), []);
}

#[tokio::test]
async fn a_record_of_an_entity_that_no_pair_keeps_exists_or_does_not() {
    let bench = Bench::start().await;
    let contacts = entity("contacts");
    let exists = async |id: &RecordId| bench.division.exists(aim(&contacts), id).await.unwrap();
    let body = format!(r#"{{"Account":"{}","LastName":"X"}}"#, bench.customer);
    let contact = bench.by_person("crm/Contacts", &body);
    assert!(exists(&id(contact)).await);
    assert!(!exists(&id(Uuid::nil())).await);
    assert!(!exists(&RecordId::parse("x' or true").unwrap()).await);
    bench.division.exists(aim(&entity("quotes")), &id(contact)).await.unwrap_err();
}

/// A cursor of before the move would pass over the edit, for its number is below all before.
#[tokio::test]
async fn what_a_person_changed_after_a_move_of_the_division_is_not_written_over() {
    let bench = Bench::start().await;
    let (accounts, customer) = (entity("accounts"), id(bench.customer));
    let seen = renamed(&bench, "Before").await;

    bench.control().move_division();
    bench.change("crm/Accounts", &customer, r#"{"Name":"A person's"}"#);
    bench.control().advance_clock(8 * 3_600);
    let unread = read_anew(&bench).await.unwrap_err();
    assert_eq!(Division::<Embedded>::class(&unread), FailureClass::Transient, "{unread}");
    bench.collect("accounts").await;
    read_anew(&bench).await.unwrap();
    let put = header(r#"{"Name":"Late"}"#);
    let late = bench.division.update(aim(&accounts), &customer, seen.record.version, &put).await;
    let late = late.unwrap_err();
    assert!(late.to_string().contains("was changed in Exact Online"), "{late}");
}

#[tokio::test]
async fn a_write_that_the_feed_does_not_show_leads_to_a_look_whether_the_division_moved() {
    let bench = Bench::start().await;
    let (accounts, customer) = (entity("accounts"), id(bench.customer));
    let seen = renamed(&bench, "Before").await;
    bench.control().move_division();
    bench.control().advance_clock(600);
    let put = header(r#"{"Name":"Ours"}"#);
    let told = bench.division.update(aim(&accounts), &customer, seen.record.version, &put).await;
    assert_eq!(told.unwrap(), None);
    let unread = read_anew(&bench).await.unwrap_err();
    assert_eq!(Division::<Embedded>::class(&unread), FailureClass::Transient, "{unread}");
    bench.collect("accounts").await;
    read_anew(&bench).await.unwrap();
}

/// The customer as the writer sees it after a change.
async fn renamed(bench: &Bench, name: &str) -> Sighting {
    read_anew(bench).await.unwrap();
    bench.change("crm/Accounts", &id(bench.customer), &format!(r#"{{"Name":"{name}"}}"#));
    read_anew(bench).await.unwrap();
    bench.told("accounts", &id(bench.customer)).await.unwrap()
}

async fn read_anew(bench: &Bench) -> Result<(), WriteError> {
    bench.division.read_since(&entity("accounts"), Instant::now(), &[Source::Own], Priority::Edit).await
}

#[tokio::test]
async fn a_code_that_another_item_has_is_told_as_a_duplicate_in_either_language() {
    let bench = Bench::start().await;
    let items = entity("items");
    for language in [Language::En, Language::Nl] {
        bench.control().set_switches(Switches { language, ..bench.control().switches() });
        let again = properties(r#"{"Code":"bolt","Description":"Another","IsSalesItem":true}"#);
        let refused = bench.division.create(aim(&items), &again, "key").await.unwrap_err();
        assert_eq!(Division::<Embedded>::class(&refused), FailureClass::Rejected);
        assert_eq!(Division::<Embedded>::duplicate(&refused), Some(Duplicate::Unnamed), "{refused}");
        let unnamed = properties(r#"{"Description":"Nothing"}"#);
        let refused = bench.division.create(aim(&items), &unnamed, "key").await.unwrap_err();
        assert_eq!(Division::<Embedded>::duplicate(&refused), None, "{refused}");
    }
}
