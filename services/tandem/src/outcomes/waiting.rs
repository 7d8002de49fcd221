//! Records that wait for those they refer to, and accounts that are raised before a document is made.

use mapping::Reading;
use serde_json::{Value, json};

use super::in_both_readings;
use super::papers::{QUOTATIONS, SALES_ORDERS};
use super::world::World;

in_both_readings! {
    a_contact_waits_for_its_account,
    a_contact_waits_for_its_customer,
    a_quote_waits_for_its_item,
    a_prospect_s_quote_raises_its_account_first,
    everything_at_once_ends_in_one_of_each,
}

const A_CUSTOMER: [&str; 3] =
    ["CRM customer 1", "Exact account 1", "customer-account: customer 1 = account 1"];

/// A name that Exact has no room for.
fn long(name: &str) -> String {
    name.repeat(20)
}

async fn a_contact_waits_for_its_account(reading: Reading) {
    let world = World::start(reading).await;
    let customer = json!({ "Name": long("Brandt "), "Status": "Customer" });
    let customer = world.makes_in_crm("customers", &customer);
    let contact = json!({ "CustomerId": customer, "FirstName": "Zoë", "LastName": "Smith" });
    world.makes_in_crm("contacts", &contact);
    world.comes_to_rest().await;
    assert!(world.lists("crm/Contacts").is_empty());
    world.changes_in_crm("customers", &customer, &json!({ "Name": "Brandt" }));
    let contact = ["CRM contact 1", "Exact contact 1", "contact-contact: contact 1 = contact 1"];
    world.comes_to(&[A_CUSTOMER, contact].concat()).await;
}

async fn a_contact_waits_for_its_customer(reading: Reading) {
    let world = World::start(reading).await;
    let steel = json!({ "Name": "Steel", "IsSupplier": true, "Status": "A" });
    let steel = world.makes_in_exact("crm/Accounts", &steel);
    let contact = json!({ "Account": steel, "FirstName": "Zoë", "LastName": "Smith" });
    world.makes_in_exact("crm/Contacts", &contact);
    world.comes_to(&["Exact account 1", "Exact contact 1"]).await;
    world.changes_in_exact("crm/Accounts", &steel, &json!({ "Status": "C" }));
    let contact = ["CRM contact 1", "Exact contact 1", "contact-contact: contact 1 = contact 1"];
    world.comes_to(&[A_CUSTOMER, contact].concat()).await;
}

async fn a_quote_waits_for_its_item(reading: Reading) {
    let world = World::start(reading).await;
    let product = world.makes_in_crm("products", &json!({ "Code": "NUT", "Name": long("Nut ") }));
    let mut quote = world.quote();
    quote["Lines"][1]["ProductId"] = json!(product);
    let quote = world.makes_in_crm("quotes", &quote);
    world.comes_to_rest().await;
    let of_quote = |line: &Value| line["Description"] == long("Nut ");
    assert!(!world.lists(QUOTATIONS).iter().any(of_quote), "{quote}");
    world.changes_in_crm("products", &product, &json!({ "Name": "Nut" }));
    world
        .comes_to(&[
            "CRM product 1",
            "CRM quote 1, 2 lines",
            "Exact item 1",
            "Exact quotation 1, 2 lines",
            "product-item: product 1 = item 1",
            "quote-quotation: quote 1 = quotation 1",
        ])
        .await;
}

/// A prospect whom both systems know.
async fn a_prospect(world: &World) -> (String, String) {
    let prospect = world.makes_in_crm("customers", &json!({ "Name": "Brandt", "Status": "Prospect" }));
    let account = world.partner("customer-account", &prospect).await;
    world.comes_to_rest().await;
    assert_eq!(world.in_exact("crm/Accounts", &account)["Status"], "P");
    (prospect, account)
}

async fn a_prospect_s_quote_raises_its_account_first(reading: Reading) {
    let world = World::start(reading).await;
    let (prospect, account) = a_prospect(&world).await;
    let mut quote = world.quote();
    quote["CustomerId"] = json!(prospect);
    world.makes_in_crm("quotes", &quote);
    let quote =
        ["CRM quote 1, 2 lines", "Exact quotation 1, 2 lines", "quote-quotation: quote 1 = quotation 1"];
    world.comes_to(&[A_CUSTOMER, quote].concat()).await;
    assert_eq!(world.in_exact("crm/Accounts", &account)["Status"], "C");
    assert_eq!(world.in_crm("customers", &prospect)["Status"], "Customer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prospect_s_order_raises_its_account_first() {
    let world = World::start(Reading::Practical).await;
    let (prospect, account) = a_prospect(&world).await;
    let mut order = world.order(Some("Confirmed"));
    order["CustomerId"] = json!(prospect);
    world.makes_in_crm("orders", &order);
    let order =
        ["CRM order 1, 2 lines", "Exact sales order 1, 2 lines", "order-salesorder: order 1 = sales order 1"];
    world.comes_to(&[A_CUSTOMER, order].concat()).await;
    assert_eq!(world.in_exact("crm/Accounts", &account)["Status"], "C");
    assert_eq!(world.in_crm("customers", &prospect)["Status"], "Customer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prospect_s_literal_order_raises_its_account_once() {
    let world = World::start(Reading::Literal).await;
    let (prospect, account) = a_prospect(&world).await;
    let mut order = world.order(Some("Draft"));
    order["CustomerId"] = json!(prospect);
    world.makes_in_crm("orders", &order);
    let order = [
        "CRM order 1, 2 lines",
        "Exact quotation 1, 2 lines",
        "Exact sales order 1, 2 lines",
        "order-quotation: order 1 = quotation 1",
        "order-salesorder: order 1 = sales order 1",
    ];
    world.comes_to(&[&A_CUSTOMER[..], &order].concat()).await;
    assert_eq!(world.in_exact("crm/Accounts", &account)["Status"], "C");
}

/// A person types in a whole company within a moment: a customer, who to call there, what is sold, its quote and order.
async fn everything_at_once_ends_in_one_of_each(reading: Reading) {
    let world = World::start(reading).await;
    let customer = world.makes_in_crm("customers", &json!({ "Name": "Brandt", "Status": "Prospect" }));
    let contact = json!({ "CustomerId": customer, "FirstName": "Zoë", "LastName": "Smith" });
    let contact = world.makes_in_crm("contacts", &contact);
    let product = world.makes_in_crm("products", &json!({ "Code": "NUT", "Name": "Nut" }));
    let mut quote = world.quote();
    quote["CustomerId"] = json!(customer);
    quote["ContactId"] = json!(contact);
    quote["Lines"][1]["ProductId"] = json!(product);
    let quoted = world.makes_in_crm("quotes", &quote);
    let mut order = quote;
    order["Status"] = json!("Confirmed");
    order["QuoteId"] = json!(quoted);
    world.makes_in_crm("orders", &order);
    let documents = [
        "CRM contact 1",
        "CRM order 1, 2 lines",
        "CRM product 1",
        "CRM quote 1, 2 lines",
        "Exact contact 1",
        "Exact item 1",
        "Exact quotation 1, 2 lines",
        "Exact sales order 1, 2 lines",
        "contact-contact: contact 1 = contact 1",
        "order-quotation: order 1 = quotation 1, following quote-quotation",
        "order-salesorder: order 1 = sales order 1",
        "product-item: product 1 = item 1",
        "quote-quotation: quote 1 = quotation 1",
    ];
    world.comes_to(&[&A_CUSTOMER[..], &documents].concat()).await;
    assert_eq!(world.lists(SALES_ORDERS).len(), 1);
}
