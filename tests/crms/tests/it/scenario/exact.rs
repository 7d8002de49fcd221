use serde_json::Value;
use simulator_exactonline::{Control, Limits, Person, Running, Settings, Simulator};
use uuid::Uuid;

use crms::PEOPLE;

/// Where Exact keeps what the pairs keep.
pub(crate) const ACCOUNTS: &str = "crm/Accounts";
pub(crate) const CONTACTS: &str = "crm/Contacts";
pub(crate) const ITEMS: &str = "logistics/Items";
pub(crate) const QUOTATIONS: &str = "crm/Quotations";
pub(crate) const QUOTATION_LINES: &str = "crm/QuotationLines";
pub(crate) const SALES_ORDERS: &str = "salesorder/SalesOrders";
pub(crate) const SALES_ORDER_LINES: &str = "salesorder/SalesOrderLines";

/// A test is none of limits.
const CALLS: u32 = 1_000_000;

/// The Exact Online of the company, in which the CRM's people work, too.
pub(crate) struct Exact {
    pub(crate) running: Running,
    control: Control,
}

impl Exact {
    pub(crate) async fn start() -> Self {
        let limits = Limits { per_minute: CALLS, per_day: CALLS, ..Limits::default() };
        let humans = PEOPLE.iter().map(|(_, name, email)| Person::new(*name, *email)).collect();
        let running = Simulator::start(Settings { limits, humans, ..Settings::default() }).await.unwrap();
        let control = running.control();
        Self { running, control }
    }

    /// A person enters a record.
    pub(crate) fn create(&self, path: &str, record: &Value) -> Uuid {
        self.control.create(path, &record.to_string(), self.running.human_id).unwrap()
    }

    /// A person changes some properties of a record.
    pub(crate) fn change(&self, path: &str, id: Uuid, properties: &Value) {
        self.control.change(path, id, &properties.to_string(), self.running.human_id).unwrap();
    }

    /// A person deletes a record.
    pub(crate) fn delete(&self, path: &str, id: Uuid) {
        self.control.delete(path, id, self.running.human_id).unwrap();
    }

    pub(crate) fn records(&self, path: &str) -> Vec<Value> {
        serde_json::from_str(&self.control.records(path).unwrap()).unwrap()
    }

    /// The id of the one record in which a property has this value.
    pub(crate) fn find(&self, path: &str, property: &str, value: &str) -> Uuid {
        let records = self.records(path);
        let found: Vec<&Value> = records.iter().filter(|record| record[property] == value).collect();
        let [record] = found.as_slice() else {
            panic!("{path} has {property} = {value:?} {} times", found.len());
        };
        record[key(path)].as_str().unwrap().parse().unwrap()
    }

    /// The id of the document's one line with this item.
    pub(crate) fn find_line(&self, path: &str, document: Uuid, item: Uuid) -> Uuid {
        let (document, item) = (document.to_string(), item.to_string());
        let owner = if path == QUOTATION_LINES { "QuotationID" } else { "OrderID" };
        let lines = self.records(path);
        let found = lines.iter().filter(|line| line[owner] == *document && line["Item"] == *item);
        let [line] = found.collect::<Vec<_>>()[..] else { panic!("{item} in {lines:?}") };
        line["ID"].as_str().unwrap().parse().unwrap()
    }

    /// The id of a person, by which records name them.
    pub(crate) fn person(&self, email: &str) -> Uuid {
        self.control.people().into_iter().find(|person| person.email == email).unwrap().id
    }

    /// The address of the person of this id; empty for nobody.
    pub(crate) fn email(&self, id: &Value) -> String {
        let people = self.control.people().into_iter();
        let mut named = people.filter(|person| *id == *person.id.to_string());
        named.next().map(|person| person.email).unwrap_or_default()
    }

    /// The writes that are not a person's, each with its address and status.
    pub(crate) fn writes(&self) -> Vec<String> {
        let log = self.control.log().into_iter();
        let ours = log.filter(|call| call.method != "GET" && call.path.starts_with("/api/v1/"));
        ours.map(|call| format!("{} {} {}", call.method, call.path, call.status)).collect()
    }
}

/// The property with the id of a record.
pub(crate) fn key(path: &str) -> &'static str {
    match path {
        QUOTATIONS => "QuotationID",
        SALES_ORDERS => "OrderID",
        _ => "ID",
    }
}
