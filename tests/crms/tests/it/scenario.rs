//! A company's life between a CRM that others wrote and Exact Online: all seven pairs, both ways, by `tandem run` on a
//! configuration as a person writes it.

mod agreement;
mod exact;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use crms::{Crm, JsonServer, PEOPLE, PocketBase, Webhook, skipped};
use serde_json::{Value, json};
use servers::free_port;

use agreement::Told;
use exact::{ACCOUNTS, CONTACTS, Exact, ITEMS, QUOTATION_LINES, QUOTATIONS, SALES_ORDER_LINES, SALES_ORDERS};
use world::{World, Written};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_server_and_exact_online_are_kept_in_agreement() {
    match JsonServer::start().await {
        Ok(server) => live(server.crm.clone(), "json-server.toml", None).await,
        Err(why) => skipped(&why),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pocketbase_and_exact_online_are_kept_in_agreement() {
    match PocketBase::start(None).await {
        Ok(server) => live(server.crm.clone(), "pocketbase.toml", None).await,
        Err(why) => skipped(&why),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pocketbase_that_tells_of_changes_is_kept_in_agreement_without_polls() {
    let url = format!("http://127.0.0.1:{}/crm/acme", free_port());
    let webhook = Webhook { url, secret: "a secret of the two".to_owned() };
    match PocketBase::start(Some(&webhook)).await {
        Ok(server) => live(server.crm.clone(), "pocketbase.toml", Some(&webhook)).await,
        Err(why) => skipped(&why),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_store_was_lost_customers_find_their_accounts_by_the_ids_that_the_crm_keeps() {
    let server = match JsonServer::start().await {
        Ok(server) => server,
        Err(why) => return skipped(&why),
    };
    let crm = server.crm.clone();
    // Nothing else tells these apart, on either side.
    for _ in 0..3 {
        let twin =
            json!({ "Name": "Kapsalon Knip", "City": "Breda", "Status": "Customer", "IsActive": true });
        crm.create("customers", &twin).await;
    }
    let written = Written { declaration: "json-server.toml", webhook: None, keeps_ids: true };
    let mut world = World::start(crm, Exact::start().await, written);
    let before = counts(&world.rests().await);
    let twins = async |world: &World| {
        let customers = world.crm.records("customers").await;
        let twins = customers.into_iter().filter(|customer| customer["Name"] == "Kapsalon Knip");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        twins.map(|twin| (text(&twin["id"]), text(&twin["ExactId"]))).collect::<BTreeMap<_, _>>()
    };
    let kept = twins(&world).await;
    assert_eq!(kept.values().collect::<BTreeSet<_>>().len(), 3, "{kept:?}");

    let mut world = world.without_its_store(written);
    // Documents that are new show that documents are made again by now.
    let line = json!({ "ProductId": "product00000001", "Quantity": 1, "UnitPrice": 0.25 });
    for (collection, status) in [("quotes", "Draft"), ("orders", "Confirmed")] {
        let document =
            json!({ "Name": "New", "CustomerId": "customer0000001", "Status": status, "Lines": [line] });
        world.crm.create(collection, &document).await;
    }
    let [customers, contacts, products, quotations, orders] = before;
    let with_the_new = [customers, contacts, products, quotations + 1, orders + 1];
    assert_eq!(counts(&world.rests().await), with_the_new, "nothing is doubled");
    for (number, id) in kept.keys().enumerate() {
        world.crm.change("customers", id, &json!({ "City": format!("Breda {number}") })).await;
    }
    world.rests().await;
    for (number, account) in kept.values().enumerate() {
        let held = world.exact.records(ACCOUNTS);
        let held = held.iter().find(|record| record["ID"] == account.as_str()).unwrap();
        assert_eq!(held["City"], format!("Breda {number}"));
    }
    assert_eq!(twins(&world).await, kept, "each keeps its account");
    world.end();
}

/// A company's life, from the day on which Tandem comes.
async fn live(crm: Crm, declaration: &str, webhook: Option<&Webhook>) {
    let exact = Exact::start().await;
    work_before(&crm, &exact).await;
    let written = Written { declaration, webhook, keeps_ids: false };
    let mut world = World::start(crm, exact, written);
    assert_eq!(counts(&world.rests().await), [4, 2, 6, 3, 2]);
    crm_is_edited(&mut world).await;
    exact_is_edited(&mut world).await;
    new_records_are_made(&mut world).await;
    records_are_deleted(&mut world).await;
    world.end();
}

/// How many customers, contacts, products, quotations and orders there are.
fn counts(told: &Told) -> [usize; 5] {
    [&told.customers, &told.contacts, &told.products, &told.quotations, &told.orders].map(Vec::len)
}

/// What each side has that the other knows nothing of, beside the CRM's first records.
async fn work_before(crm: &Crm, exact: &Exact) {
    let [(sanne, ..), (omar, _, omars_email)] = PEOPLE;
    crm.change("quotes", "quote0000000001", &json!({ "OwnerId": sanne })).await;
    let draft = json!({
        "Name": "Nuts, perhaps", "CustomerId": "customer0000001", "Status": "Draft", "OwnerId": omar,
        "Lines": [{ "ProductId": "product00000002", "Quantity": 10, "UnitPrice": 0.1 }],
    });
    crm.create("orders", &draft).await;
    for (code, name) in [("WASHER", "Washer M8"), ("RIVET", "Rivet")] {
        let product = json!({ "Code": code, "Name": name, "IsSellable": true, "IsActive": true });
        crm.create("products", &product).await;
    }

    let account =
        json!({ "Name": "Bouwbedrijf Delft", "Status": "C", "Email": "info@bouw.example", "City": "Delft" });
    let account = exact.create(ACCOUNTS, &account);
    exact.create(ACCOUNTS, &json!({ "Name": "Handel Gouda", "Status": "C", "City": "Gouda" }));
    exact.create(CONTACTS, &json!({ "Account": account, "LastName": "Smit", "Email": "smit@bouw.example" }));
    let item = exact.create(ITEMS, &json!({ "Code": "HINGE", "Description": "Hinge", "IsSalesItem": true }));
    exact.create(ITEMS, &json!({ "Code": "SCREW", "Description": "Screw", "IsSalesItem": true }));
    let quotation = json!({
        "OrderAccount": account, "Description": "Hinges", "SalesPerson": exact.person(omars_email),
        "QuotationLines": [{ "Item": item, "Quantity": 5, "UnitPrice": 3.5 }],
    });
    exact.create(QUOTATIONS, &quotation);
    let order = json!({
        "OrderedBy": account, "Description": "Hinges, now",
        "SalesOrderLines": [{ "Item": item, "Quantity": 2, "UnitPrice": 3.75 }],
    });
    exact.create(SALES_ORDERS, &order);
}

/// Each kind of edit, by a person in the CRM.
async fn crm_is_edited(world: &mut World) {
    let crm = &world.crm;
    let hinge = found(crm, "products", "Code", "HINGE").await;
    crm.change("customers", "customer0000001", &json!({ "City": "Rotterdam", "Phone": "+31 10 555 0101" }))
        .await;
    let smit = found(crm, "contacts", "LastName", "Smit").await;
    crm.change("contacts", &smit, &json!({ "FirstName": "Eva" })).await;
    crm.change("products", &hinge, &json!({ "Description": "Of brass" })).await;
    crm.change(
        "quotes",
        "quote0000000001",
        &json!({ "OwnerId": PEOPLE[1].0, "Name": "Bolts for the summer" }),
    )
    .await;
    for (collection, name) in
        [("orders", "Bolts and nuts"), ("quotes", "Hinges"), ("orders", "Nuts, perhaps")]
    {
        let document = found(crm, collection, "Name", name).await;
        crm.change(collection, &document, &json!({ "Name": format!("{name}!") })).await;
        crm.change_line(collection, &document, 0, &json!({ "Quantity": 41 })).await;
        crm.add_line(collection, &document, &json!({ "ProductId": hinge, "Quantity": 7, "UnitPrice": 3 }))
            .await;
    }
    crm.remove_line("orders", "order0000000001", 1).await;

    let told = world.rests().await;
    assert_eq!(counts(&told), [4, 2, 6, 3, 2]);
    assert_in(&told.customers, "Kaasboer Delft|info@kaasboer.example|Markt 1|Rotterdam|+31 10 555 0101");
    assert_in(&told.contacts, "Eva|Smit|smit@bouw.example|| of Bouwbedrijf Delft");
    assert_in(&told.products, "HINGE|Hinge|Of brass||");
    assert_in(&told.orders, "Bolts and nuts!|Kaasboer Delft|: BOLT 41 x 0.25, HINGE 7 x 3");
    assert_in(&told.quotations, "Bolts for the summer|Kaasboer Delft|omar@example.com: BOLT 100 x 0.25");
    assert_in(&told.quotations, "Hinges!|Bouwbedrijf Delft|omar@example.com: HINGE 41 x 3.5, HINGE 7 x 3");
    assert_in(&told.quotations, "Nuts, perhaps!|Kaasboer Delft|omar@example.com: HINGE 7 x 3, NUT 41 x 0.1");
}

/// Each kind of edit, by a person in Exact.
async fn exact_is_edited(world: &mut World) {
    let exact = &world.exact;
    let item = |code: &str| exact.find(ITEMS, "Code", code);
    let account = exact.find(ACCOUNTS, "Name", "Kaasboer Delft");
    exact.change(ACCOUNTS, account, &json!({ "AddressLine1": "Markt 2" }));
    let contact = exact.find(CONTACTS, "LastName", "van Dijk");
    exact.change(CONTACTS, contact, &json!({ "Mobile": "+31 6 5555 0101" }));
    exact.change(ITEMS, item("BOLT"), &json!({ "Notes": "By the hundred" }));
    let sanne = exact.person(PEOPLE[0].2);
    let owned = [
        (QUOTATIONS, QUOTATION_LINES, "Bolts for the summer", "SalesPerson", "BOLT"),
        (QUOTATIONS, QUOTATION_LINES, "Nuts, perhaps!", "SalesPerson", "NUT"),
        (SALES_ORDERS, SALES_ORDER_LINES, "Bolts and nuts!", "Salesperson", "BOLT"),
    ];
    for (path, lines, title, owner, code) in owned {
        let document = exact.find(path, "Description", title);
        exact.change(path, document, &json!({ "Description": format!("{title} Yes"), owner: sanne }));
        let line = exact.find_line(lines, document, item(code));
        exact.change(lines, line, &json!({ "Quantity": 12 }));
        let mut added = json!({ "Item": item("WASHER"), "Quantity": 3, "UnitPrice": 0.05 });
        added[exact::key(path)] = json!(document);
        exact.create(lines, &added);
        if title != "Bolts for the summer" {
            exact.delete(lines, exact.find_line(lines, document, item("HINGE")));
        }
    }

    let told = world.rests().await;
    assert_eq!(counts(&told), [4, 2, 6, 3, 2]);
    assert_in(&told.customers, "Kaasboer Delft|info@kaasboer.example|Markt 2|Rotterdam|+31 10 555 0101");
    assert_in(&told.contacts, "Joost|van Dijk|joost@kaasboer.example|+31 6 5555 0101| of Kaasboer Delft");
    assert_in(&told.products, "BOLT|Bolt M8||By the hundred|");
    let of_sanne = "Kaasboer Delft|sanne@example.com";
    assert_in(
        &told.quotations,
        &format!("Bolts for the summer Yes|{of_sanne}: BOLT 12 x 0.25, WASHER 3 x 0.05"),
    );
    assert_in(&told.quotations, &format!("Nuts, perhaps! Yes|{of_sanne}: NUT 12 x 0.1, WASHER 3 x 0.05"));
    assert_in(&told.orders, &format!("Bolts and nuts! Yes|{of_sanne}: BOLT 12 x 0.25, WASHER 3 x 0.05"));
}

/// New records on both sides, of each kind, each of which refers to another new one.
async fn new_records_are_made(world: &mut World) {
    let (crm, exact) = (&world.crm, &world.exact);
    let customer = crm
        .create("customers", &json!({ "Name": "Bakkerij Breda", "Status": "Customer", "IsActive": true }))
        .await;
    crm.create("contacts", &json!({ "CustomerId": customer, "LastName": "Bos", "IsActive": true })).await;
    let product = json!({ "Code": "TIN", "Name": "Baking tin", "IsSellable": true, "IsActive": true });
    let product = crm.create("products", &product).await;
    let document = |name: &str, status: &str| {
        let line = json!({ "ProductId": product, "Quantity": 6, "UnitPrice": 9 });
        json!({ "Name": name, "CustomerId": customer, "Status": status, "Lines": [line] })
    };
    crm.create("quotes", &document("Tins, a quote", "Draft")).await;
    crm.create("orders", &document("Tins, a draft", "Draft")).await;
    crm.create("orders", &document("Tins", "Confirmed")).await;

    let account = exact.create(ACCOUNTS, &json!({ "Name": "Molen Meppel", "Status": "C" }));
    exact.create(CONTACTS, &json!({ "Account": account, "LastName": "Mol" }));
    let item = exact.create(ITEMS, &json!({ "Code": "SIEVE", "Description": "Sieve", "IsSalesItem": true }));
    let line = json!([{ "Item": item, "Quantity": 4, "UnitPrice": 8 }]);
    exact.create(
        QUOTATIONS,
        &json!({ "OrderAccount": account, "Description": "Sieves, a quotation", "QuotationLines": line }),
    );
    exact.create(
        SALES_ORDERS,
        &json!({ "OrderedBy": account, "Description": "Sieves", "SalesOrderLines": line }),
    );

    let told = world.rests().await;
    assert_eq!(counts(&told), [6, 4, 8, 6, 4]);
    assert_in(&told.orders, "Tins|Bakkerij Breda|: TIN 6 x 9");
    assert_in(&told.quotations, "Tins, a quote|Bakkerij Breda|: TIN 6 x 9");
    assert_in(&told.quotations, "Tins, a draft|Bakkerij Breda|: TIN 6 x 9");
    assert_in(&told.orders, "Sieves|Molen Meppel|: SIEVE 4 x 8");
    assert_in(&told.quotations, "Sieves, a quotation|Molen Meppel|: SIEVE 4 x 8");
}

/// Deletions on both sides: orders go with their partners, and of the others the partner is put out of use.
async fn records_are_deleted(world: &mut World) {
    let (crm, exact) = (&world.crm, &world.exact);
    crm.delete("orders", &found(crm, "orders", "Name", "Tins").await).await;
    crm.delete("contacts", &found(crm, "contacts", "LastName", "Bos").await).await;
    crm.delete("products", &found(crm, "products", "Code", "RIVET").await).await;
    // A change beside it does not hide that a record is gone.
    crm.change("customers", "customer0000001", &json!({ "Website": "kaasboer.example" })).await;
    crm.delete("customers", "customer0000002").await;
    exact.delete(SALES_ORDERS, exact.find(SALES_ORDERS, "Description", "Sieves"));
    exact.delete(CONTACTS, exact.find(CONTACTS, "LastName", "Mol"));
    exact.delete(ITEMS, exact.find(ITEMS, "Code", "SCREW"));
    exact.delete(ACCOUNTS, exact.find(ACCOUNTS, "Name", "Handel Gouda"));

    let told = world.rests().await;
    assert_eq!(counts(&told), [4, 2, 6, 6, 2]);
}

fn assert_in(rows: &[String], row: &str) {
    assert!(rows.iter().any(|other| other == row), "{row:?} is not in {rows:#?}");
}

/// The id of the one record in which a property has this value.
async fn found(crm: &Crm, collection: &str, property: &str, value: &str) -> String {
    let records = crm.records(collection).await;
    let found: Vec<&Value> = records.iter().filter(|record| record[property] == value).collect();
    let [record] = found.as_slice() else {
        panic!("{collection} have {property} = {value:?} {} times", found.len());
    };
    record["id"].as_str().unwrap().to_owned()
}
