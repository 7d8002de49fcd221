use serde_json::{Value, json};
use simulator_exactonline::{Language, Switches};

use crate::company::{Company, business, switched};

const ITEMS: &str = "logistics/Items";
const PRICES: &str = "logistics/SalesItemPrices";

async fn item(company: &Company, code: &str) -> String {
    company.create_at(ITEMS, &format!(r#"{{"Code":"{code}","Description":"Thing"}}"#)).await
}

/// The prices of an item, oldest first.
async fn prices(company: &Company, item: &str) -> Vec<Value> {
    let select = "ID,Item,Account,Currency,Unit,Quantity,StartDate,Price,Timestamp";
    let all = company.feed("Logistics/SalesItemPrices", select).await;
    all.into_iter().filter(|price| price["Item"] == json!(item)).collect()
}

#[tokio::test]
async fn an_item_needs_a_code_of_its_own_and_a_description() {
    let company = Company::open().await;
    let missing = company.post_at(ITEMS, "{}").await;
    assert_eq!(missing.error(), business("Mandatory: Code\r\nMandatory: Description"));
    let id = item(&company, "A-1").await;
    let taken = company.post_at(ITEMS, r#"{"Code":"A-1","Description":"Other"}"#).await;
    assert_eq!(taken.error(), business("Data already exists"));
    let long = format!(r#"{{"Code":"A-2","Description":"{}"}}"#, "é".repeat(61));
    assert_eq!(company.post_at(ITEMS, &long).await.error(), business("Too long: Description"));
    let record = company.record_at(ITEMS, &id).await;
    assert_eq!(record["Code"], json!("A-1"), "codes of items are not padded");
    let found = company.get("logistics/Items?$select=ID&$filter=Code eq 'A-1'").await;
    assert_eq!(found.column("ID"), [json!(id)]);
}

#[tokio::test]
async fn a_list_of_items_needs_a_selection_and_a_filter() {
    let company = Company::open().await;
    item(&company, "A").await;
    assert_eq!(company.get("logistics/Items?$filter=Code eq 'A'").await.status, 400);
    let refused = company.get("logistics/Items?$select=ID&$filter=Stock eq 0").await;
    assert!(refused.message().contains("fields in the url:Barcode,Class_01,"), "{refused:?}");
    assert_eq!(company.get("bulk/Logistics/Items?$select=Code").await.column("Code"), ["A"]);
}

#[tokio::test]
async fn a_cost_price_is_written_on_create_only_and_a_sales_price_and_stock_never() {
    let company = Company::open().await;
    let body = r#"{"Code":"A","Description":"B","CostPriceStandard":12345678901234567.89,"AverageCost":0.1}"#;
    let id = company.create_at(ITEMS, body).await;
    let answer = company.get(&format!("{ITEMS}(guid'{id}')?$select=CostPriceStandard")).await;
    assert!(answer.text.contains("12345678901234567.89"), "{}", answer.text);
    for body in [
        r#"{"CostPriceStandard":2}"#,
        r#"{"AverageCost":2}"#,
        r#"{"StandardSalesPrice":2}"#,
        r#"{"Stock":2}"#,
        r#"{"UnitDescription":"x"}"#,
    ] {
        let refused = company.put_at(ITEMS, &id, body).await;
        assert_eq!(refused.status, 500, "{body}");
        assert!(refused.message().starts_with("Invalid: "), "{refused:?}");
    }
    for body in [r#""StandardSalesPrice":2"#, r#""Stock":2"#] {
        let body = format!(r#"{{"Code":"C","Description":"D",{body}}}"#);
        assert_eq!(company.post_at(ITEMS, &body).await.status, 500, "{body}");
    }
    assert_eq!(company.put_at(ITEMS, &id, r#"{"CostPriceNew":2}"#).await.status, 204);
}

#[tokio::test]
async fn a_stock_is_moved_by_other_processes_only() {
    let company = Company::open().await;
    let id = item(&company, "A").await;
    let control = company.control();
    let uuid = id.parse().unwrap();
    control.process(ITEMS, uuid, r#"{"Stock":7.5}"#, company.running.human_id).unwrap();
    assert_eq!(company.record_at(ITEMS, &id).await["Stock"], json!(7.5));
    assert_eq!(company.feed("Logistics/Items", "Stock").await[0]["Stock"], json!(7.5));
    let derived = control.process(ITEMS, uuid, r#"{"UnitDescription":"x"}"#, company.running.human_id);
    assert!(derived.unwrap_err().to_string().contains("Invalid: UnitDescription"));
}

#[tokio::test]
async fn unit_group_and_vat_code_are_checked_and_described() {
    let company = Company::open().await;
    for (body, text) in [
        (r#""Unit":"furlong""#, "Invalid reference: Unit"),
        (r#""SalesVatCode":"77""#, "Invalid reference: VAT code"),
        (r#""CostPriceCurrency":"XXX""#, "Invalid reference: Currency"),
        (r#""ItemGroup":"00000000-0000-0000-0000-000000000001""#, "Invalid reference: Item group"),
    ] {
        let body = format!(r#"{{"Code":"A","Description":"B",{body}}}"#);
        assert_eq!(company.post_at(ITEMS, &body).await.error(), business(text), "{body}");
    }
    let groups = company.get("logistics/ItemGroups?$select=ID,Code&$filter=Code eq 'PARTS'").await;
    let group = groups.results()[0]["ID"].as_str().unwrap().to_owned();
    let body = format!(
        r#"{{"Code":"A","Description":"B","Unit":"hour","SalesVatCode":"4","ItemGroup":"{group}","IsSalesItem":true}}"#
    );
    let id = company.create_at(ITEMS, &body).await;
    let record = company.record_at(ITEMS, &id).await;
    assert_eq!((&record["UnitDescription"], &record["UnitType"]), (&json!("Hour"), &json!("T")));
    assert_eq!(record["SalesVatCodeDescription"], json!("VAT high excluding"));
    assert_eq!((&record["ItemGroupCode"], &record["IsSalesItem"]), (&json!("PARTS"), &json!(true)));
    let plain = company.record_at(ITEMS, &item(&company, "P").await).await;
    assert_eq!((&plain["Unit"], &plain["IsSalesItem"]), (&json!("pc"), &json!(false)));
}

#[tokio::test]
async fn an_item_comes_with_one_price_of_zero() {
    let company = Company::open().await;
    let id = item(&company, "A").await;
    assert_eq!(company.record_at(ITEMS, &id).await["StandardSalesPrice"], json!(0));
    let prices = prices(&company, &id).await;
    assert_eq!(prices.len(), 1);
    assert_eq!(
        [&prices[0]["Account"], &prices[0]["Currency"], &prices[0]["Unit"], &prices[0]["Price"]],
        [&json!(null), &json!("EUR"), &json!("pc"), &json!(0)]
    );
}

#[tokio::test]
async fn the_sales_price_is_changed_at_the_price_and_shows_in_no_feed_of_items() {
    let company = Company::open().await;
    let id = item(&company, "A").await;
    let before = company.feed("Logistics/Items", "Timestamp").await;
    let price = prices(&company, &id).await.remove(0);
    let answer = company.put_at(PRICES, price["ID"].as_str().unwrap(), r#"{"Price":12.50}"#).await;
    assert_eq!(answer.status, 204);
    assert_eq!(company.record_at(ITEMS, &id).await["StandardSalesPrice"], json!(12.5));
    let bulk = company.get("bulk/Logistics/Items?$select=StandardSalesPrice").await;
    assert_eq!(bulk.column("StandardSalesPrice"), [json!(12.5)]);
    assert_eq!(company.feed("Logistics/Items", "Timestamp").await, before, "the item itself has not changed");
    assert!(prices(&company, &id).await[0]["Timestamp"].as_i64() > price["Timestamp"].as_i64());
    let feed = company.get("sync/Logistics/Items?$select=StandardSalesPrice").await;
    assert_eq!(feed.error(), (400, "Bad Request - Error in query syntax.".to_owned()));
    assert!(company.get("sync/Logistics/Items").await.results()[0].get("StandardSalesPrice").is_none());
}

#[tokio::test]
async fn a_list_of_prices_needs_a_selection_and_a_filter_and_a_price_takes_what_is_its_own() {
    let company = Company::open().await;
    let id = item(&company, "A").await;
    item(&company, "B").await;
    assert_eq!(company.get(&format!("{PRICES}?$filter=Item eq guid'{id}'")).await.status, 400);
    let refused = company.get(&format!("{PRICES}?$select=ID")).await;
    assert!(refused.message().contains("fields in the url:Account,"), "{refused:?}");
    let own = company.get(&format!("{PRICES}?$select=ID,Item,Price&$filter=Item eq guid'{id}'")).await;
    assert_eq!((own.column("Item"), own.column("Price")), (vec![json!(id)], vec![json!(0)]));
    let price = own.column("ID")[0].as_str().unwrap().to_owned();
    for (body, status) in [
        (r#"{"ItemCode":"B"}"#, 500),
        (r#"{"DefaultItemUnit":"pc"}"#, 500),
        (r#"{"StandardSalesPrice":1}"#, 400),
        (r#"{"Price":"much"}"#, 400),
        (r#"{"Price":1.5}"#, 204),
    ] {
        assert_eq!(company.put_at(PRICES, &price, body).await.status, status, "{body}");
    }
    let record = company.record_at(PRICES, &price).await;
    assert_eq!(
        [&record["Price"], &record["Item"], &record["Currency"]],
        [&json!(1.5), &json!(id), &json!("EUR")]
    );
    assert_eq!(company.put_at(PRICES, &id, r#"{"Price":1}"#).await.status, 404);
}

#[tokio::test]
async fn a_second_price_is_a_second_record_and_leaves_the_sales_price() {
    let company = Company::open().await;
    let id = item(&company, "A").await;
    let body = format!(r#"{{"Item":"{id}","Price":99}}"#);
    company.create_at(PRICES, &body).await;
    assert_eq!(prices(&company, &id).await.len(), 2);
    assert_eq!(company.record_at(ITEMS, &id).await["StandardSalesPrice"], json!(0));
    let text = "Must be: Unique - Item, Currency, Unit, Quantity, Active from";
    assert_eq!(company.post_at(PRICES, &body).await.error(), business(text));
    let account = company.create(r#"{"Name":"Acme","Status":"C"}"#).await;
    let own = format!(r#"{{"Item":"{id}","Price":98,"Account":"{account}"}}"#);
    let agreement = company.create_at(PRICES, &own).await;
    let record = company.record_at(PRICES, &agreement).await;
    assert_eq!(
        (&record["AccountName"], &record["ItemCode"], &record["StartDate"]),
        (&json!("Acme"), &json!("A"), &json!("/Date(1768435200000)/")),
        "from today on"
    );
    let filter = format!("{PRICES}?$select=Price&$filter=Item eq guid'{id}' and Account ne null");
    assert_eq!(company.get(&filter).await.column("Price"), [json!(98)]);
    let bulk = company.get("bulk/Logistics/SalesItemPrices?$select=Price&$orderby=Price").await;
    assert_eq!(bulk.column("Price"), [json!(0), json!(98), json!(99)]);
    let deleted = company.delete_at(PRICES, &agreement).await;
    assert_eq!((deleted.status, company.deleted().await), (204, vec![(8, agreement)]));
}

#[tokio::test]
async fn a_duplicate_price_is_told_in_the_users_language() {
    let company =
        Company::open_with(switched(Switches { language: Language::Nl, ..Switches::default() })).await;
    let missing = company.post_at(PRICES, r#"{"Price":1}"#).await;
    assert_eq!(missing.error(), business("Verplicht: Artikel\r\nVerplicht: Eenheid"));
    let id = item(&company, "A").await;
    let body = format!(r#"{{"Item":"{id}","Price":99,"Quantity":10}}"#);
    company.create_at(PRICES, &body).await;
    let text = "Moet zijn: Uniek - Artikel, Valuta, Eenheid, Aantal, Actief vanaf";
    assert_eq!(company.post_at(PRICES, &body).await.error(), business(text));
}

#[tokio::test]
async fn an_item_takes_its_prices_with_it() {
    let company = Company::open().await;
    let id = item(&company, "A").await;
    let price = prices(&company, &id).await[0]["ID"].as_str().unwrap().to_owned();
    assert_eq!(company.delete_at(ITEMS, &id).await.status, 204);
    assert_eq!(company.deleted().await, [(8, price), (9, id)]);
    assert_eq!(company.control().records(PRICES).unwrap(), "[]");
}
