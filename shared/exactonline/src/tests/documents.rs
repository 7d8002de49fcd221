use model::{Content, FailureClass, Presence, RecordId, Version};
use rust_decimal::Decimal;
use simulator_exactonline::Limits;
use uuid::Uuid;

use super::{Company, properties};
use crate::{Entity, FeedCursor, FeedReader, Priority, Row, Selection, Source};

fn entity(name: &str) -> Entity {
    Entity::named(name).unwrap()
}

fn id(uuid: Uuid) -> RecordId {
    RecordId::parse(&uuid.to_string()).unwrap()
}

fn number(text: &str) -> Content {
    Content::Number(text.parse::<Decimal>().unwrap())
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A company with a customer and an item.
struct Shop {
    company: Company,
    customer: Uuid,
    item: Uuid,
}

impl Shop {
    async fn open() -> Self {
        let company = Company::start().await;
        let customer = company.running.control().create_account(r#"{"Name":"Acme","Status":"C"}"#).unwrap();
        let item = company
            .by_person("logistics/Items", r#"{"Code":"bolt","Description":"Bolt","IsSalesItem":true}"#);
        Self { company, customer, item }
    }

    fn order(&self, quantities: &[u32]) -> Uuid {
        let line =
            |quantity: &u32| format!(r#"{{"Item":"{}","Quantity":{quantity},"UnitPrice":10}}"#, self.item);
        let lines = quantities.iter().map(line).collect::<Vec<_>>().join(",");
        let body = format!(r#"{{"OrderedBy":"{}","SalesOrderLines":[{lines}]}}"#, self.customer);
        self.company.by_person("salesorder/SalesOrders", &body)
    }
}

impl Company {
    fn by_person(&self, path: &str, body: &str) -> Uuid {
        let control = self.running.control();
        let person = control.people()[1].id;
        control.create(path, body, person).unwrap()
    }

    async fn read(&self, entity: &Entity, selection: &Selection, source: Source) -> Vec<Row> {
        let mut reader = FeedReader::at(FeedCursor::start(selection));
        let client = self.client();
        let page = client.read(entity, selection, source, &mut reader, Priority::Read).await.unwrap();
        assert!(!page.more);
        page.rows
    }
}

fn orders() -> Selection {
    Selection {
        own: texts(&["AmountFC", "YourRef"]),
        parts: Some(texts(&["ID", "LineNumber", "Quantity", "Modified"])),
        late: texts(&["AmountFC"]),
        records: texts(&["AmountFC", "YourRef"]),
    }
}

fn items() -> Selection {
    let parts = Some(texts(&["Account", "Employee", "Project", "Price", "Quantity", "StartDate", "EndDate"]));
    Selection { own: texts(&["Code"]), parts, late: Vec::new(), records: texts(&["Code"]) }
}

#[tokio::test]
async fn a_document_is_told_in_parts_that_name_it() {
    let shop = Shop::open().await;
    let order = id(shop.order(&[1, 2]));
    let (company, entity) = (&shop.company, entity("salesorders"));
    company.client().me().await.unwrap();
    let headers = company.read(&entity, &orders(), Source::Own).await;
    assert!(matches!(headers.as_slice(), [Row::Own(header)] if header.id == order));
    let lines = company.read(&entity, &orders(), Source::Parts).await;
    assert_eq!(lines.len(), 2);
    for line in &lines {
        let Row::Part { of, part } = line else { panic!("{line:?}") };
        assert_eq!((of, part.presence), (&order, Presence::Present));
        assert!(part.version.is_some() && part.modified_by.is_some());
    }
}

#[tokio::test]
async fn what_is_gone_is_a_header_or_a_line_and_nothing_of_other_entities() {
    let shop = Shop::open().await;
    let (kept, gone) = (shop.order(&[1, 2]), shop.order(&[3]));
    let control = shop.company.running.control();
    let person = control.people()[1].id;
    let lines = shop.company.read(&entity("salesorders"), &orders(), Source::Parts).await;
    let of_kept = lines.iter().find_map(|row| match row {
        Row::Part { of, part } if *of == id(kept) => Some(part.id.clone()),
        _ => None,
    });
    let line = of_kept.unwrap();
    control.delete("salesorder/SalesOrderLines", Uuid::parse_str(line.as_str()).unwrap(), person).unwrap();
    control.delete("salesorder/SalesOrders", gone, person).unwrap();
    let lonely = control.create_account(r#"{"Name":"Lonely"}"#).unwrap();
    control.delete_account(lonely).unwrap();
    let rows = shop.company.read(&entity("salesorders"), &orders(), Source::Deleted).await;
    let is_line = |row: &&Row| matches!(row, Row::PartGone(part) if part.id == line);
    let is_header = |row: &&Row| matches!(row, Row::Own(header) if header.id == id(gone));
    assert_eq!((rows.iter().filter(is_line).count(), rows.iter().filter(is_header).count()), (1, 1));
    assert!(rows.iter().all(|row| !matches!(row, Row::Own(header) if header.id == id(lonely))));
    // Where lines are not read, their deletions are nothing.
    let headers_only = Selection { parts: None, ..orders() };
    let rows = shop.company.read(&entity("salesorders"), &headers_only, Source::Deleted).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(shop.company.read(&entity("salesorders"), &headers_only, Source::Parts).await, Vec::new());
}

#[tokio::test]
async fn an_agreed_price_is_no_part_of_its_item() {
    let shop = Shop::open().await;
    let agreed =
        format!(r#"{{"Item":"{}","Account":"{}","Price":7,"Currency":"EUR"}}"#, shop.item, shop.customer);
    let agreed = id(shop.company.by_person("logistics/SalesItemPrices", &agreed));
    let rows = shop.company.read(&entity("items"), &items(), Source::Parts).await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|row| matches!(row, Row::PartGone(price) if price.id == agreed)), "{rows:?}");
    assert!(rows.iter().any(|row| matches!(row, Row::Part { of, .. } if *of == id(shop.item))), "{rows:?}");
}

#[tokio::test]
async fn a_reader_knows_up_to_which_version_all_feeds_are_read() {
    let shop = Shop::open().await;
    let (entity, selection) = (entity("salesorders"), orders());
    let client = shop.company.client();
    let mut reader = FeedReader::at(FeedCursor::start(&selection));
    shop.order(&[1]);
    for source in [Source::Own, Source::Parts] {
        client.read(&entity, &selection, source, &mut reader, Priority::Read).await.unwrap();
    }
    let newest = reader.cursor.highest();
    // A header that came between the two reads is not seen yet, nor is a deletion.
    assert_eq!((reader.settled(), reader.lacking(newest)), (Version(0), Some(Source::Own)));
    for source in [Source::Own, Source::Deleted] {
        client.read(&entity, &selection, source, &mut reader, Priority::Read).await.unwrap();
    }
    assert_eq!((reader.settled(), reader.lacking(newest)), (newest, None));
    // The same at a cursor that was kept; one that begins anew has read nothing.
    let kept = FeedCursor::read(&reader.cursor.write(), &selection).unwrap();
    assert_eq!(reader.moved_to(kept).settled(), newest);
    assert_eq!(reader.moved_to(FeedCursor::start(&selection)).settled(), Version(0));
}

#[tokio::test]
async fn a_feed_is_read_only_after_its_last_page() {
    let shop = Shop::open().await;
    shop.company.running.control().set_limits(Limits { large_page_size: 2, ..Limits::default() });
    shop.order(&[1, 2, 3]);
    let (entity, selection) = (entity("salesorders"), orders());
    let client = shop.company.client();
    let mut reader = FeedReader::at(FeedCursor::start(&selection));
    let first = client.read(&entity, &selection, Source::Parts, &mut reader, Priority::Read).await.unwrap();
    assert!(first.more && reader.lacking(Version(1)).is_some());
    assert_eq!(reader.cursor.unfinished(), Some(Source::Parts));
    let rest = client.read(&entity, &selection, Source::Parts, &mut reader, Priority::Read).await.unwrap();
    assert_eq!((first.rows.len() + rest.rows.len(), rest.more, reader.cursor.unfinished()), (3, false, None));
}

#[tokio::test]
async fn lines_are_made_changed_and_removed_one_by_one() {
    let shop = Shop::open().await;
    let order = id(shop.order(&[1]));
    let lines = entity("salesorders").parts.unwrap();
    let client = shop.company.client();
    let sent = format!(r#"{{"OrderID":"{order}","Item":"{}","Quantity":2.125}}"#, shop.item);
    let made = client.create(lines.resource, &properties(&sent), Priority::Edit).await.unwrap();
    client.update(lines.resource, &made.id, &properties(r#"{"Quantity":3}"#), Priority::Edit).await.unwrap();
    let filter = lines.condition(order.as_str()).unwrap();
    let read = async || client.find(lines.resource, &filter, &["Quantity"], Priority::Edit).await.unwrap();
    let quantities = |found: &[model::Record]| -> Vec<Content> {
        let mut found: Vec<_> = found.iter().map(|line| line.properties["Quantity"].clone()).collect();
        found.sort_by_key(|quantity| format!("{quantity:?}"));
        found
    };
    assert_eq!(quantities(&read().await), [number("1"), number("3")]);
    client.delete(lines.resource, &made.id, Priority::Edit).await.unwrap();
    assert_eq!(quantities(&read().await), [number("1")]);
    for error in [
        client.delete(lines.resource, &made.id, Priority::Edit).await.unwrap_err(),
        client
            .update(lines.resource, &made.id, &properties(r#"{"Quantity":3}"#), Priority::Edit)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.class(), FailureClass::Gone, "{error:?}");
    }
    assert_eq!(lines.condition("x' or true"), None);
}

#[tokio::test]
async fn many_records_are_read_by_few_calls() {
    let shop = Shop::open().await;
    let mut ids: Vec<RecordId> = (1..=20).map(|quantity| id(shop.order(&[quantity]))).collect();
    let client = shop.company.client();
    let orders = entity("salesorders").resource;
    ids.push(id(Uuid::nil()));
    let found = client.records(orders, &ids, &["AmountFC"], Priority::Read).await.unwrap();
    assert_eq!((found.len(), shop.company.calls("GET salesorder/salesorders")), (20, 2));
    let total = |record: &model::Record| record.properties["AmountFC"].clone();
    assert_eq!(found.iter().find(|record| record.id == ids[6]).map(total), Some(number("70")));
    assert_eq!(client.records(orders, &[], &[], Priority::Read).await.unwrap(), Vec::new());
    assert_eq!(shop.company.calls("GET salesorder/salesorders"), 2);
}

#[tokio::test]
async fn a_search_finds_by_what_each_type_is_written_as() {
    let shop = Shop::open().await;
    let client = shop.company.client();
    let accounts = entity("accounts");
    let made = r#"{"Name":"O'Neil & Co","Code":"25","AccountManager":null,"Blocked":true,"CreditLineSales":12.50,
        "StartDate":"2026-01-31T00:00:00"}"#;
    let made = client.create(accounts.resource, &properties(made), Priority::Edit).await.unwrap();
    let child = format!(r#"{{"Name":"Child","Parent":"{}"}}"#, made.id);
    let child = client.create(accounts.resource, &properties(&child), Priority::Edit).await.unwrap();
    let found = async |name: &str, content: Content| {
        let known = accounts.condition("Name", &Content::from("O'Neil & Co")).unwrap();
        let filter = accounts.condition(name, &content).unwrap();
        // A list of accounts is filtered by one of some properties at least.
        let filter = if name == "CreditLineSales" { format!("{known} and {filter}") } else { filter };
        let found = client.find(accounts.resource, &filter, &["Name"], Priority::Edit).await.unwrap();
        found.into_iter().map(|record| record.id).collect::<Vec<_>>()
    };
    let (made, child) = ([made.id], [child.id]);
    let parent = Content::from(made[0].as_str());
    for (name, content, expected) in [
        ("Name", Content::from("O'Neil & Co"), &made),
        ("Code", Content::from("25"), &made),
        ("Code", Content::from("                25"), &made),
        ("Parent", parent, &child),
        ("Blocked", Content::Boolean(true), &made),
        ("CreditLineSales", number("12.500"), &made),
        ("StartDate", Content::from("2026-01-31T00:00:00"), &made),
    ] {
        assert_eq!(found(name, content).await, *expected, "{name}");
    }
    for (name, content) in
        [("Parent", Content::from("x' or true")), ("Name", Content::Null), ("Nonsense", Content::Null)]
    {
        assert_eq!(accounts.condition(name, &content), None);
    }
}
