//! The connector of CustomCRM, fitted by the shipped declarations to CRMs that others wrote.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use contract::json::{read_content, read_properties};
use crms::{Crm, JsonServer, PEOPLE, PocketBase, skipped};
use customcrm::{ChangesCursor, CustomCrm, Declaration, Error, Settings};
use mapping::{LinePut, Put};
use model::{ConnectionName, Content, FailureClass, Properties, Record, RecordId};
use serde_json::json;
use servers::wait_until_async;
use store::Embedded;

type Client = CustomCrm<Embedded>;

fn client(crm: &Crm, file: &str) -> Client {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/customcrm");
    let path = std::path::Path::new(folder).join(file);
    let declaration =
        Declaration::parse(&path.display().to_string(), &fs::read_to_string(&path).unwrap()).unwrap();
    let settings =
        Settings::new(crm.url().parse().unwrap(), crm.token().unwrap_or_default().to_owned().into());
    let connection = ConnectionName::parse("acme").unwrap();
    CustomCrm::new(&settings, declaration, Embedded::in_memory().unwrap(), "test", &connection).unwrap()
}

fn properties(json: &serde_json::Value) -> Properties {
    read_properties(&json.to_string()).unwrap()
}

fn put(json: &serde_json::Value, lines: Vec<LinePut>) -> Put {
    Put { properties: properties(json), lines }
}

fn id(text: &str) -> RecordId {
    RecordId::parse(text).unwrap()
}

fn content(json: &str) -> Content {
    read_content(json).unwrap()
}

/// Some properties of each line of a document.
fn lines(record: &Record, names: &[&str]) -> Vec<Vec<Content>> {
    let Some(Content::List(lines)) = record.properties.get("Lines") else { panic!("{record:?}") };
    let of = |line: &Content| {
        let Content::Object(members) = line else { panic!("{line:?}") };
        names.iter().map(|name| members.get(*name).cloned().unwrap_or(Content::Null)).collect()
    };
    let mut all: Vec<Vec<Content>> = lines.iter().map(of).collect();
    all.sort_by_key(|line| format!("{line:?}"));
    all
}

fn line_id(record: &Record, product: &str) -> RecordId {
    let found = lines(record, &["LineId", "ProductId"]);
    let line = found.iter().find(|line| line[1].as_text() == Some(product)).unwrap();
    id(line[0].as_text().unwrap())
}

async fn all(client: &Client, entity: &str) -> Vec<Record> {
    let (mut records, mut mark) = (Vec::new(), None);
    loop {
        let page = client.scan(entity, mark.as_deref(), 2).await.unwrap();
        records.extend(page.records);
        mark = page.next;
        if mark.is_none() {
            return records;
        }
    }
}

/// What both CRMs must be able to do for the connector.
async fn works(crm: &Crm, client: &Client) {
    let people = client.users().await.unwrap();
    let mut told: Vec<(&str, Option<&str>)> =
        people.iter().map(|(id, email)| (id.as_str(), email.as_deref())).collect();
    told.sort_unstable();
    assert_eq!(told, PEOPLE.map(|(id, _, email)| (id, Some(email))));
    let users = all(client, "users").await;
    assert_eq!(users.len(), 2);
    assert_eq!(users[0].properties["FullName"], Content::from(PEOPLE[0].1));
    assert_eq!(users[0].properties["Id"], Content::from(PEOPLE[0].0));
    assert_eq!(users[0].properties["Email"], Content::from(PEOPLE[0].2));

    let orders = all(client, "orders").await;
    assert_eq!(orders.len(), 1);
    let expected = vec![
        vec![content("\"product00000001\""), content("40"), content("0.25")],
        vec![content("\"product00000002\""), content("40"), content("0.1")],
    ];
    assert_eq!(lines(&orders[0], &["ProductId", "Quantity", "UnitPrice"]), expected);

    let wanted = properties(&json!({
        "Name": "O'Brien \"& Co\" \\ é客", "CustomerId": "customer0000001", "Status": "Confirmed",
        "Notes": null, "TotalAmount": 12.5,
        "Lines": [
            { "ProductId": "product00000001", "Quantity": 2, "UnitPrice": 0.25 },
            { "ProductId": "product00000002", "Quantity": 3, "UnitPrice": 1.125 },
        ],
    }));
    let made = client.create("orders", &wanted, "k1").await.unwrap();
    assert_eq!(made.properties["Name"], wanted["Name"]);
    assert_eq!(made.properties["TotalAmount"], content("12.5"));
    let read = client.record("orders", &made.id).await.unwrap();
    assert_eq!(read.properties, made.properties);
    assert!(read.version > made.version);

    let conditions = [("Name", &wanted["Name"]), ("CustomerId", &wanted["CustomerId"])];
    let found = client.search("orders", &conditions).await.unwrap();
    assert_eq!(found.iter().map(|record| &record.id).collect::<Vec<_>>(), [&made.id]);
    let nothing = client.search("orders", &[("Name", &content("\"none\""))]).await.unwrap();
    assert_eq!(nothing, []);

    let change = put(
        &json!({ "Name": "Changed", "TotalAmount": null }),
        vec![
            LinePut::Change {
                id: line_id(&read, "product00000001"),
                properties: properties(&json!({ "Quantity": 7.5 })),
            },
            LinePut::Remove { id: line_id(&read, "product00000002") },
            LinePut::Add(properties(&json!({ "ProductId": "product00000002", "Quantity": 9 }))),
        ],
    );
    let changed = client.update("orders", &made.id, read.version.unwrap(), &change).await.unwrap();
    assert_eq!(changed.properties["Name"], content("\"Changed\""));
    assert_eq!(changed.properties["TotalAmount"], Content::Null);
    let expected = vec![
        vec![content("\"product00000001\""), content("7.5")],
        vec![content("\"product00000002\""), content("9")],
    ];
    assert_eq!(lines(&changed, &["ProductId", "Quantity"]), expected);
    assert_eq!(line_id(&changed, "product00000001"), line_id(&read, "product00000001"));
    assert_eq!(client.record("orders", &made.id).await.unwrap().properties, changed.properties);
    let kept = crm.record("orders", made.id.as_str()).await.unwrap();
    assert_eq!(kept["Lines"].as_array().unwrap().len(), 2);

    client.delete("orders", &made.id, changed.version.unwrap()).await.unwrap();
    let gone = client.record("orders", &made.id).await.unwrap_err();
    assert_eq!(gone.class(), FailureClass::Gone);
    assert_eq!(crm.record("orders", made.id.as_str()).await, None);
    let again = client.delete("orders", &made.id, changed.version.unwrap()).await.unwrap_err();
    assert_eq!(again.class(), FailureClass::Gone);
}

#[tokio::test]
async fn json_server_works_as_declared() {
    let server = match JsonServer::start().await {
        Ok(server) => server,
        Err(why) => return skipped(&why),
    };
    let client = client(&server.crm, "json-server.toml");
    works(&server.crm, &client).await;
}

#[tokio::test]
async fn pocketbase_works_as_declared() {
    let server = match PocketBase::start(None).await {
        Ok(server) => server,
        Err(why) => return skipped(&why),
    };
    let (crm, client) = (&server.crm, client(&server.crm, "pocketbase.toml"));
    works(crm, &client).await;
    let taken = properties(&json!({ "Code": "BOLT", "Name": "Another" }));
    let refused = client.create("products", &taken, "k").await.unwrap_err();
    assert!(matches!(refused, Error::Duplicate { .. }), "{refused:?}");
    assert!(refused.to_string().contains("Code Value must be unique"), "{refused}");

    let order = "order0000000001";
    let only_the_order = BTreeSet::from([order.to_owned()]);
    let (mut seen, at) = changes(&client, "orders", ChangesCursor::start()).await;
    assert_eq!(seen, only_the_order);
    let mut at = quiet(&client, at).await;
    crm.change("orders", order, &json!({ "Notes": "soon" })).await;
    (seen, at) = changes(&client, "orders", at).await;
    assert_eq!(seen, only_the_order);
    at = quiet(&client, at).await;
    crm.change_line("orders", order, 0, &json!({ "Quantity": "41" })).await;
    (seen, at) = changes(&client, "orders", at).await;
    assert_eq!(seen, only_the_order);
    at = quiet(&client, at).await;
    crm.add_line("orders", order, &json!({ "ProductId": "product00000001", "Quantity": "1" })).await;
    (seen, at) = changes(&client, "orders", at).await;
    assert_eq!(seen, only_the_order);
    let new = crm.create("orders", &json!({ "Name": "Another" })).await;
    (seen, _) = changes(&client, "orders", at).await;
    assert!(seen.contains(&new), "{seen:?}");
}

/// Reads until the overlap shows nothing again.
async fn quiet(client: &Client, mut at: ChangesCursor) -> ChangesCursor {
    wait_until_async("nothing to change any more", Duration::from_secs(10), async || {
        let (seen, next) = changes(client, "orders", at.clone()).await;
        at = next;
        if seen.is_empty() { Ok(at.clone()) } else { Err(format!("{seen:?}")) }
    })
    .await
}

/// The ids of what was changed since, and where that ends.
async fn changes(
    client: &Client,
    entity: &str,
    mut cursor: ChangesCursor,
) -> (BTreeSet<String>, ChangesCursor) {
    let mut seen = BTreeSet::new();
    loop {
        let page = client.changes(entity, &cursor, 2).await.unwrap();
        seen.extend(page.records.iter().map(|record| record.id.to_string()));
        cursor = page.next;
        if !page.more {
            return (seen, cursor);
        }
    }
}
