use reqwest::Method;
use serde_json::{Value, json};
use simulator_exactonline::{Language, Switches};

use crate::company::{business, reply, switched};
use crate::shop::{Shop, version};

pub(crate) const QUOTATIONS: &str = "crm/Quotations";
pub(crate) const LINES: &str = "crm/QuotationLines";

impl Shop {
    pub(crate) fn quotation_body(&self, rest: &str) -> String {
        format!(
            r#"{{"OrderAccount":"{}","QuotationLines":[{{"Item":"{}","Quantity":2}},{{"Item":"{}","UnitPrice":5,"Optional":true}}]{rest}}}"#,
            self.customer, self.bolt, self.nut
        )
    }

    pub(crate) async fn quotation(&self, rest: &str) -> String {
        self.company.create_at(QUOTATIONS, &self.quotation_body(rest)).await
    }

    pub(crate) async fn quoted(&self, id: &str) -> Value {
        self.company.record_at(QUOTATIONS, id).await
    }

    pub(crate) async fn quotation_lines(&self, id: &str) -> Vec<Value> {
        self.lines(QUOTATIONS, id, "QuotationLines").await
    }
}

#[tokio::test]
async fn a_quotation_is_created_with_its_lines_and_opens_as_version_one() {
    let shop = Shop::open().await;
    let human = shop.company.running.human_id;
    let body = shop.quotation_body(&format!(r#","SalesPerson":"{human}","DueDate":"2026-03-01""#));
    let request = shop.company.request(&shop.company.token, Method::POST, QUOTATIONS, &body);
    let full = reply(request.header("Prefer", "return=representation")).await.json()["d"].clone();
    assert!(full["QuotationLines"]["__deferred"].is_object());
    assert_eq!((&full["QuotationNumber"], &full["VersionNumber"]), (&json!(1), &json!(1)));
    assert_eq!((&full["Status"], &full["StatusDescription"]), (&json!(25), &json!("Open")));
    assert_eq!(
        (&full["SalesPersonFullName"], &full["CreatorFullName"]),
        (&json!("Bea Boekhouder"), &json!("Connector"))
    );
    assert_eq!(
        (&full["InvoiceAccount"], &full["DeliveryAccountName"]),
        (&json!(shop.customer), &json!("Acme"))
    );
    assert_eq!(
        full["OrderAccountCode"],
        json!("                 1"),
        "codes of accounts are padded here too"
    );
    assert_eq!(
        (&full["QuotationDate"], &full["DueDate"]),
        (&json!("/Date(1768435200000)/"), &json!("/Date(1772323200000)/"))
    );
    assert_eq!(full["CloseDate"], json!(null));
    let id = full["QuotationID"].as_str().unwrap();
    let expanded = shop.company.get(&format!("{QUOTATIONS}(guid'{id}')?$expand=QuotationLines")).await.json();
    let lines = expanded["d"]["QuotationLines"]["results"].as_array().unwrap();
    assert_eq!((&lines[0]["ItemDescription"], &lines[1]["LineNumber"]), (&json!("A bolt"), &json!(2)));
}

#[tokio::test]
async fn a_quotation_opens_as_a_draft_where_switched_so() {
    let shop =
        Shop::open_with(switched(Switches { quotations_start_as_drafts: true, ..Switches::default() })).await;
    let id = shop.quotation("").await;
    assert_eq!(shop.quoted(&id).await["Status"], json!(20));
}

#[tokio::test]
async fn a_quotation_needs_a_customer_and_a_line() {
    let shop = Shop::open_with(switched(Switches { language: Language::Nl, ..Switches::default() })).await;
    let bare = shop.company.post_at(QUOTATIONS, "{}").await;
    assert_eq!(bare.error(), business("Verplicht: Offerteregels\r\nVerplicht: Relatie"));
    let prospect = shop.company.create(r#"{"Name":"Prospect","Status":"P"}"#).await;
    let body = format!(r#"{{"OrderAccount":"{prospect}","QuotationLines":[{{"Item":"{}"}}]}}"#, shop.bolt);
    let refused = shop.company.post_at(QUOTATIONS, &body).await;
    assert_eq!(refused.error(), business("Ongeldig: Factuur voor (Type)\r\nOngeldig: Relatie (Type)"));
    shop.company.control().set_switches(Switches { prospects_are_quoted: true, ..Switches::default() });
    assert_eq!(shop.company.post_at(QUOTATIONS, &body).await.status, 201);
}

#[tokio::test]
async fn accounts_of_a_quotation_and_the_quotation_of_a_line_are_set_once() {
    let shop = Shop::open().await;
    let (id, second) = (shop.quotation("").await, shop.quotation("").await);
    for property in ["OrderAccount", "InvoiceAccount", "DeliveryAccount"] {
        let body = format!(r#"{{"{property}":"{}"}}"#, shop.customer);
        let refused = shop.company.put_at(QUOTATIONS, &id, &body).await;
        assert!(refused.message().starts_with("Invalid: "), "{property} {refused:?}");
    }
    let line = shop.quotation_lines(&id).await[0]["ID"].as_str().unwrap().to_owned();
    for quotation in [&second, &id] {
        let moved = shop.company.put_at(LINES, &line, &format!(r#"{{"QuotationID":"{quotation}"}}"#)).await;
        assert_eq!(moved.error(), business("Invalid: Quotation"));
    }
    assert_eq!(
        shop.company.put_at(QUOTATIONS, &id, r#"{"Description":"New","YourRef":"PO 7"}"#).await.status,
        204
    );
    for body in [
        r#"{"Status":50}"#,
        r#"{"VersionNumber":2}"#,
        r#"{"CloseDate":null}"#,
        r#"{"AmountFC":1}"#,
        r#"{"QuotationLines":[]}"#,
    ] {
        assert_eq!(shop.company.put_at(QUOTATIONS, &id, body).await.status, 500, "{body}");
    }
}

#[tokio::test]
async fn quotation_numbers_are_given_out_or_taken_once() {
    let shop = Shop::open().await;
    let named = shop.quotation(r#","QuotationNumber":500"#).await;
    let next = shop.quotation("").await;
    assert_eq!(shop.quoted(&next).await["QuotationNumber"], json!(501));
    let taken = shop.company.post_at(QUOTATIONS, &shop.quotation_body(r#","QuotationNumber":500"#)).await;
    assert_eq!(taken.error(), business("Data already exists"));
    let moved = shop.company.put_at(QUOTATIONS, &next, r#"{"QuotationNumber":500}"#).await;
    assert_eq!(moved.error(), business("Data already exists"));
    assert_eq!(shop.company.put_at(QUOTATIONS, &named, r#"{"QuotationNumber":500}"#).await.status, 204);
}

#[tokio::test]
async fn optional_lines_do_not_count() {
    let shop = Shop::open().await;
    let id = shop.quotation("").await;
    let quotation = shop.quoted(&id).await;
    assert_eq!((&quotation["AmountFC"], &quotation["VATAmountFC"]), (&json!(24.2), &json!(4.2)));
    let lines = shop.quotation_lines(&id).await;
    assert_eq!((&lines[0]["VATAmountFC"], &lines[0]["VATPercentage"]), (&json!(4.2), &json!(0.21)));
    let optional = lines[1]["ID"].as_str().unwrap();
    shop.company.put_at(LINES, optional, r#"{"Optional":false,"Discount":0.5}"#).await;
    assert_eq!(shop.quoted(&id).await["AmountFC"], json!(26.7));
    for body in [r#"{"AmountFC":1}"#, r#"{"VATPercentage":0.5}"#, r#"{"QuotationNumber":1}"#] {
        assert_eq!(shop.company.put_at(LINES, optional, body).await.status, 500, "{body}");
    }
}

#[tokio::test]
async fn lines_of_a_quotation_are_added_and_deleted_one_by_one() {
    let shop = Shop::open().await;
    let id = shop.quotation("").await;
    let missing = shop.company.post_at(LINES, &format!(r#"{{"Item":"{}"}}"#, shop.nut)).await;
    assert_eq!(missing.error(), business("Mandatory: Quotation"));
    let body = format!(r#"{{"QuotationID":"{id}","Item":"{}"}}"#, shop.bolt);
    let line = shop.company.create_at(LINES, &body).await;
    let record = shop.company.record_at(LINES, &line).await;
    assert_eq!(
        (&record["LineNumber"], &record["QuotationNumber"], &record["VersionNumber"]),
        (&json!(3), &json!(1), &json!(1))
    );
    let found = shop.company.get(&format!("{LINES}?$select=ID&$filter=QuotationID eq guid'{id}'")).await;
    assert_eq!(found.results().len(), 3);
    assert_eq!(shop.company.delete_at(LINES, &line).await.status, 204);
    assert_eq!(shop.company.deleted().await, [(35, line)]);
}

#[tokio::test]
async fn feeds_of_quotations_lack_what_the_service_leaves_out() {
    let shop = Shop::open().await;
    let id = shop.quotation("").await;
    let header = shop.company.get("sync/CRM/QuotationHeaders").await.results().remove(0);
    assert_eq!(
        (&header["QuotationID"], &header["ID"], &header["AmountFC"]),
        (&json!(id), &json!(id), &json!(24.2))
    );
    let line = shop.company.get("sync/CRM/QuotationLines").await.results().remove(0);
    assert_eq!((&line["QuotationID"], line["Modified"].is_string()), (&json!(id), true));
    for path in [
        "sync/CRM/QuotationHeaders?$select=VATAmountFC",
        "sync/CRM/QuotationHeaders?$select=WarehouseID",
        "sync/CRM/QuotationLines?$select=VersionNumber",
        "bulk/CRM/Quotations?$select=WarehouseID",
        "crm/QuotationLines?$select=Modified&$filter=Quantity eq 2",
    ] {
        assert_eq!(shop.company.get(path).await.status, 400, "{path}");
    }
    let bulk = shop.company.get("bulk/CRM/QuotationLines?$select=VersionNumber").await;
    assert_eq!(bulk.column("VersionNumber"), [json!(1), json!(1)]);
    let before = version(&shop.company, "CRM/QuotationHeaders", "QuotationID", &id).await;
    let line_id = line["ID"].as_str().unwrap();
    shop.company.put_at(LINES, line_id, r#"{"Quantity":9}"#).await;
    assert_eq!(version(&shop.company, "CRM/QuotationHeaders", "QuotationID", &id).await, before);
    assert!(version(&shop.company, "CRM/QuotationLines", "ID", line_id).await > before);
}

#[tokio::test]
async fn a_deleted_quotation_takes_its_lines_with_it() {
    let shop = Shop::open().await;
    let id = shop.quotation("").await;
    assert_eq!(shop.company.delete_at(QUOTATIONS, &id).await.status, 204);
    let types: Vec<i64> = shop.company.deleted().await.into_iter().map(|(number, _)| number).collect();
    assert_eq!(types, [35, 35, 34]);
}
