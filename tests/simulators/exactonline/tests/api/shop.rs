//! A company with a customer and two items, for tests of documents.

use serde_json::{Value, json};
use simulator_exactonline::Settings;

use crate::company::{Company, calm};

pub(crate) struct Shop {
    pub(crate) company: Company,
    pub(crate) customer: String,
    /// Costs 10, VAT of 21% comes on top.
    pub(crate) bolt: String,
    /// Costs 0, without VAT.
    pub(crate) nut: String,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(calm()).await
    }

    pub(crate) async fn open_with(settings: Settings) -> Self {
        let company = Company::open_with(settings).await;
        let customer = company.create(r#"{"Name":"Acme","Status":"C","PaymentConditionSales":"30"}"#).await;
        let item = async |code: &str, rest: &str| {
            let body = format!(r#"{{"Code":"{code}","Description":"A {code}","IsSalesItem":true{rest}}}"#);
            company.create_at("logistics/Items", &body).await
        };
        let bolt = item("bolt", r#","SalesVatCode":"4","Unit":"box""#).await;
        let nut = item("nut", "").await;
        let prices = company.feed("Logistics/SalesItemPrices", "ID,Item").await;
        let price = prices.iter().find(|price| price["Item"] == json!(bolt)).unwrap();
        let price = price["ID"].as_str().unwrap();
        company.put_at("logistics/SalesItemPrices", price, r#"{"Price":10}"#).await;
        Self { company, customer, bolt, nut }
    }

    /// The lines of a document, with its own properties of lines.
    pub(crate) async fn lines(&self, header: &str, id: &str, lines: &str) -> Vec<Value> {
        let reply = self.company.get(&format!("{header}(guid'{id}')/{lines}")).await;
        reply.results()
    }
}

/// The row version of the one record of a feed with this key.
pub(crate) async fn version(company: &Company, feed: &str, key: &str, id: &str) -> i64 {
    let rows = company.feed(feed, &format!("{key},Timestamp")).await;
    let row = rows.iter().find(|row| row[key] == json!(id));
    row.unwrap_or_else(|| panic!("{feed} has no {id}"))["Timestamp"].as_i64().unwrap()
}
