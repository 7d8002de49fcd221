use serde_json::Value;

use people::Sides;

use crate::{CrmSide, ExactSide};

/// The properties by which both sides are compared: as the CRM calls them, as Exact calls them.
const COMPARED: [(&str, &str); 12] = [
    ("Name", "Name"),
    ("CustomerNumber", "Code"),
    ("OrganizationNumber", "ChamberOfCommerce"),
    ("VatNumber", "VATNumber"),
    ("Email", "Email"),
    ("Phone", "Phone"),
    ("Website", "Website"),
    ("StreetAddress1", "AddressLine1"),
    ("ZipCode", "Postcode"),
    ("City", "City"),
    ("Language", "Language"),
    ("Description", "Remarks"),
];

/// The two systems of one connection.
#[derive(Debug)]
pub struct Site {
    /// The connection's name.
    pub name: String,
    /// The CRM.
    pub crm: CrmSide,
    /// The Exact division.
    pub exact: ExactSide,
}

impl Site {
    pub(crate) async fn start(name: &str) -> Self {
        Self { name: name.to_owned(), crm: CrmSide::start().await, exact: ExactSide::start().await }
    }

    /// Whether both sides hold the same records with the same values; else some of the differences.
    pub fn agreement(&self) -> Result<(), String> {
        let crm = rows(&self.crm.records(), |(crm, _)| crm);
        let exact = rows(&self.exact.records(), |(_, exact)| exact);
        if crm == exact {
            return Ok(());
        }
        let only = |these: &[Vec<String>], those: &[Vec<String>]| -> Vec<String> {
            these.iter().filter(|row| !those.contains(row)).take(3).map(|row| row.join("|")).collect()
        };
        Err(format!(
            "{}: {} customers and {} accounts; only in the CRM: {:?}; only in Exact: {:?}",
            self.name,
            crm.len(),
            exact.len(),
            only(&crm, &exact),
            only(&exact, &crm),
        ))
    }

    /// Both systems as the people who edit in them know them.
    pub(crate) fn sides(&self) -> Sides {
        Sides {
            crm: self.crm.control().clone(),
            crm_token: self.crm.running().human_token.clone(),
            exact: self.exact.control().clone(),
            exact_person: self.exact.person(),
        }
    }

    /// How many records there are: customers, accounts.
    pub fn counts(&self) -> (usize, usize) {
        (self.crm.records().len(), self.exact.records().len())
    }

    /// How many writes the product has made, on both sides together.
    pub fn writes(&self) -> u64 {
        self.crm.writes() + self.exact.writes()
    }
}

fn rows(records: &[Value], name: impl Fn((&'static str, &'static str)) -> &'static str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = records
        .iter()
        .map(|record| COMPARED.map(|property| text_of(record, name(property))).to_vec())
        .collect();
    rows.sort();
    rows
}

/// A property as text, without the blanks that Exact pads codes with; empty when there is none.
pub(crate) fn text_of(record: &Value, property: &str) -> String {
    match &record[property] {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}
