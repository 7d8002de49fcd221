//! Customers, contacts and products, and what is left alone of them.

use mapping::Reading;
use serde_json::json;

use super::in_both_readings;
use super::world::World;

in_both_readings! {
    a_customer_becomes_one_account,
    an_account_becomes_one_customer,
    a_supplier_is_left_alone,
    a_supplier_who_buys_too_becomes_one_customer,
    a_contact_of_a_customer_becomes_one_contact_of_its_account,
    a_contact_of_an_account_becomes_one_contact_of_its_customer,
    a_contact_of_a_supplier_is_left_alone,
    a_product_becomes_one_item,
    a_product_that_is_not_sold_becomes_one_item,
    an_item_becomes_one_product,
    an_item_that_is_not_sold_is_left_alone,
}

const ACCOUNTS: &str = "crm/Accounts";
const CONTACTS: &str = "crm/Contacts";
const ITEMS: &str = "logistics/Items";

const A_CUSTOMER: [&str; 3] =
    ["CRM customer 1", "Exact account 1", "customer-account: customer 1 = account 1"];
const A_CONTACT: [&str; 3] = ["CRM contact 1", "Exact contact 1", "contact-contact: contact 1 = contact 1"];
const A_PRODUCT: [&str; 3] = ["CRM product 1", "Exact item 1", "product-item: product 1 = item 1"];

async fn a_customer_becomes_one_account(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_crm("customers", &json!({ "Name": "Brandt 🏭 شركة", "Status": "Prospect" }));
    world.comes_to(&A_CUSTOMER).await;
}

async fn an_account_becomes_one_customer(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_exact(ACCOUNTS, &json!({ "Name": "Brandt 🏭 شركة", "Status": "S" }));
    world.comes_to(&A_CUSTOMER).await;
}

async fn a_supplier_is_left_alone(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_exact(ACCOUNTS, &json!({ "Name": "Steel", "IsSupplier": true, "Status": "A" }));
    world.comes_to(&["Exact account 1"]).await;
}

async fn a_supplier_who_buys_too_becomes_one_customer(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_exact(ACCOUNTS, &json!({ "Name": "Steel", "IsSupplier": true, "Status": "C" }));
    world.comes_to(&A_CUSTOMER).await;
}

async fn a_contact_of_a_customer_becomes_one_contact_of_its_account(reading: Reading) {
    let world = World::start(reading).await;
    let contact = json!({ "CustomerId": world.customer.crm, "FirstName": "Zoë", "LastName": "客" });
    world.makes_in_crm("contacts", &contact);
    world.comes_to(&A_CONTACT).await;
}

async fn a_contact_of_an_account_becomes_one_contact_of_its_customer(reading: Reading) {
    let world = World::start(reading).await;
    let contact = json!({ "Account": world.customer.exact, "FirstName": "Zoë", "LastName": "客" });
    world.makes_in_exact(CONTACTS, &contact);
    world.comes_to(&A_CONTACT).await;
}

async fn a_contact_of_a_supplier_is_left_alone(reading: Reading) {
    let world = World::start(reading).await;
    let steel = json!({ "Name": "Steel", "IsSupplier": true, "Status": "A" });
    let steel = world.makes_in_exact(ACCOUNTS, &steel);
    world.makes_in_exact(CONTACTS, &json!({ "Account": steel, "FirstName": "Zoë", "LastName": "Smith" }));
    world.comes_to(&["Exact account 1", "Exact contact 1"]).await;
}

async fn a_product_becomes_one_item(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_crm("products", &json!({ "Code": "NUT", "Name": "Nut 🔩" }));
    world.comes_to(&A_PRODUCT).await;
}

async fn a_product_that_is_not_sold_becomes_one_item(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_crm("products", &json!({ "Code": "NUT", "Name": "Nut", "IsSellable": false }));
    world.comes_to(&A_PRODUCT).await;
}

async fn an_item_becomes_one_product(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_exact(ITEMS, &json!({ "Code": "NUT", "Description": "Nut", "IsSalesItem": true }));
    world.comes_to(&A_PRODUCT).await;
}

async fn an_item_that_is_not_sold_is_left_alone(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_exact(ITEMS, &json!({ "Code": "OIL", "Description": "Oil", "IsSalesItem": false }));
    world.comes_to(&["Exact item 1"]).await;
}
