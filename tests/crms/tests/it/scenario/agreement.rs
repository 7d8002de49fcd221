use std::collections::BTreeMap;

use crms::{Crm, PEOPLE};
use serde_json::Value;

use super::exact::{
    self, ACCOUNTS, CONTACTS, Exact, ITEMS, QUOTATION_LINES, QUOTATIONS, SALES_ORDER_LINES, SALES_ORDERS,
};

/// What one side holds that is in use, in words that both sides have in common, sorted. A record that is there twice
/// is twice in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) customers: Vec<String>,
    pub(crate) contacts: Vec<String>,
    pub(crate) products: Vec<String>,
    /// Quotes, and orders that are not confirmed yet, are quotations.
    pub(crate) quotations: Vec<String>,
    pub(crate) orders: Vec<String>,
}

/// What both sides hold, or on what they differ.
pub(crate) async fn between(crm: &Crm, exact: &Exact) -> Result<Told, String> {
    let (here, there) = (of_crm(crm).await, of_exact(exact));
    if here == there {
        return Ok(here);
    }
    let (here, there) = (here.all(), there.all());
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|row| !those.contains(row)).cloned().collect()
    };
    Err(format!(
        "{} and {} records; only in the CRM: {:#?}; only in Exact: {:#?}",
        here.len(),
        there.len(),
        only(&here, &there),
        only(&there, &here),
    ))
}

impl Told {
    fn all(&self) -> Vec<String> {
        let lists = [&self.customers, &self.contacts, &self.products, &self.quotations, &self.orders];
        lists.into_iter().flatten().cloned().collect()
    }

    fn sorted(mut self) -> Self {
        let lists = [
            &mut self.customers,
            &mut self.contacts,
            &mut self.products,
            &mut self.quotations,
            &mut self.orders,
        ];
        for list in lists {
            list.sort();
        }
        self
    }
}

async fn of_crm(crm: &Crm) -> Told {
    let customers = crm.records("customers").await;
    let products = crm.records("products").await;
    let names = by_id(&customers, "id", "Name");
    let codes = by_id(&products, "id", "Code");
    let name = |id: &Value| named(&names, id);
    let is_active = |record: &&Value| record["IsActive"] != false;
    let document = |record: &Value| {
        let owner = PEOPLE.iter().find(|(id, ..)| record["OwnerId"] == *id).map_or("", |(_, _, email)| email);
        let lines = record["Lines"].as_array().unwrap().iter();
        let lines = lines.map(|line| line_row(line, named(&codes, &line["ProductId"]))).collect();
        document_row([text(&record["Name"]), name(&record["CustomerId"]), owner.to_owned()], lines)
    };
    let mut told = Told::default();
    for record in customers.iter().filter(is_active) {
        told.customers.push(row(record, ["Name", "Email", "StreetAddress1", "City", "Phone"]));
    }
    for record in crm.records("contacts").await.iter().filter(is_active) {
        let person = row(record, ["FirstName", "LastName", "Email", "Mobile", "JobTitle"]);
        told.contacts.push(format!("{person} of {}", name(&record["CustomerId"])));
    }
    for record in products.iter().filter(|record| text(&record["ValidTo"]).is_empty()) {
        told.products.push(row(record, ["Code", "Name", "Description", "Notes", "Barcode"]));
    }
    told.quotations.extend(crm.records("quotes").await.iter().map(document));
    for record in &crm.records("orders").await {
        let is_open = ["Draft", "Open"].iter().any(|status| record["Status"] == *status);
        if is_open { &mut told.quotations } else { &mut told.orders }.push(document(record));
    }
    told.sorted()
}

fn of_exact(exact: &Exact) -> Told {
    let (accounts, items) = (exact.records(ACCOUNTS), exact.records(ITEMS));
    let names = by_id(&accounts, "ID", "Name");
    let codes = by_id(&items, "ID", "Code");
    let name = |id: &Value| named(&names, id);
    let documents = |path: &str, lines_path: &str, properties: [&str; 3]| {
        let (key, lines) = (exact::key(path), exact.records(lines_path));
        let [title, account, owner] = properties;
        let mut rows = Vec::new();
        for record in exact.records(path) {
            let own = lines.iter().filter(|line| line[key] == record[key]);
            let own = own.map(|line| line_row(line, named(&codes, &line["Item"]))).collect();
            let owner = exact.email(&record[owner]);
            rows.push(document_row([text(&record[title]), name(&record[account]), owner], own));
        }
        rows
    };
    let mut told = Told::default();
    for record in accounts.iter().filter(|record| record["Blocked"] != true) {
        told.customers.push(row(record, ["Name", "Email", "AddressLine1", "City", "Phone"]));
    }
    for record in exact.records(CONTACTS).iter().filter(|record| record["EndDate"].is_null()) {
        let person = row(record, ["FirstName", "LastName", "Email", "Mobile", "JobTitleDescription"]);
        told.contacts.push(format!("{person} of {}", name(&record["Account"])));
    }
    for record in items.iter().filter(|record| record["EndDate"].is_null()) {
        told.products.push(row(record, ["Code", "Description", "ExtraDescription", "Notes", "Barcode"]));
    }
    told.quotations = documents(QUOTATIONS, QUOTATION_LINES, ["Description", "OrderAccount", "SalesPerson"]);
    told.orders = documents(SALES_ORDERS, SALES_ORDER_LINES, ["Description", "OrderedBy", "Salesperson"]);
    told.sorted()
}

fn row(record: &Value, properties: [&str; 5]) -> String {
    properties.map(|property| text(&record[property])).join("|")
}

fn line_row(line: &Value, code: String) -> String {
    format!("{code} {} x {}", number(&line["Quantity"]), number(&line["UnitPrice"]))
}

fn document_row(head: [String; 3], mut lines: Vec<String>) -> String {
    lines.sort();
    format!("{}: {}", head.join("|"), lines.join(", "))
}

fn by_id(records: &[Value], id: &str, name: &str) -> BTreeMap<String, String> {
    records.iter().map(|record| (text(&record[id]), text(&record[name]))).collect()
}

fn named(names: &BTreeMap<String, String>, id: &Value) -> String {
    names.get(&text(id)).cloned().unwrap_or_else(|| format!("nobody known, {id}"))
}

/// A text without the blanks that Exact pads codes with; empty where there is none.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

/// A number, which PocketBase has as a text, as `0.5` whatever its zeros.
fn number(value: &Value) -> String {
    let number: f64 = text(value).parse().unwrap_or_else(|_| panic!("{value} is no number"));
    number.to_string()
}
