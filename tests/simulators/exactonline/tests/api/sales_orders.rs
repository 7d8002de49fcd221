use reqwest::Method;
use serde_json::{Value, json};
use simulator_exactonline::{Language, Switches};

use crate::company::{Reply, business, reply, switched};
use crate::shop::{Shop, version};

pub(crate) const ORDERS: &str = "salesorder/SalesOrders";
pub(crate) const LINES: &str = "salesorder/SalesOrderLines";
pub(crate) const NOBODY: &str = "00000000-0000-0000-0000-000000000001";

impl Shop {
    pub(crate) fn order_body(&self, rest: &str) -> String {
        format!(
            r#"{{"OrderedBy":"{}","SalesOrderLines":[{{"Item":"{}","Quantity":3}},{{"Item":"{}","UnitPrice":0.105}}]{rest}}}"#,
            self.customer, self.bolt, self.nut
        )
    }

    pub(crate) async fn order(&self, rest: &str) -> String {
        self.company.create_at(ORDERS, &self.order_body(rest)).await
    }

    pub(crate) async fn order_lines(&self, order: &str) -> Vec<Value> {
        self.lines(ORDERS, order, "SalesOrderLines").await
    }

    pub(crate) async fn refused(&self, body: &str) -> Reply {
        self.company.post_at(ORDERS, body).await
    }

    pub(crate) async fn stored(&self, order: &str) -> Value {
        self.company.record_at(ORDERS, order).await
    }
}

pub(crate) fn id_of(line: &Value) -> String {
    line["ID"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_order_is_created_with_its_lines_which_come_back_deferred() {
    let shop = Shop::open().await;
    let bare = shop.refused(&shop.order_body("")).await;
    assert_eq!(bare.status, 201);
    let record = bare.json()["d"].clone();
    let id = record["OrderID"].as_str().unwrap().to_owned();
    assert_eq!((&record["OrderNumber"], &record["OrderedBy"]), (&json!(null), &json!(null)));
    let address = shop.company.url(&format!("{ORDERS}(guid'{id}')/SalesOrderLines"));
    assert_eq!(record["SalesOrderLines"]["__deferred"]["uri"], json!(address));
    let lines = shop.company.get_as(&shop.company.token, &address).await;
    assert_eq!(lines.column("LineNumber"), [json!(1), json!(2)]);
    let full = shop.company.request(&shop.company.token, Method::POST, ORDERS, &shop.order_body(""));
    let full = reply(full.header("Prefer", "return=representation")).await.json()["d"].clone();
    assert_eq!((&full["OrderNumber"], &full["Status"]), (&json!(2), &json!(12)));
    assert!(full["SalesOrderLines"]["__deferred"].is_object());
}

#[tokio::test]
async fn expanding_delivers_the_lines_within_the_order() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let one = shop.company.get(&format!("{ORDERS}(guid'{id}')?$expand=SalesOrderLines")).await.json();
    let lines = one["d"]["SalesOrderLines"]["results"].as_array().unwrap().clone();
    assert_eq!((lines.len(), &lines[0]["ItemCode"]), (2, &json!("bolt")));
    assert!(lines[0].get("Created").is_none(), "lines tell when they were made in their feed only");
    let path = format!(
        "{ORDERS}?$select=OrderNumber,SalesOrderLines/Quantity,SalesOrderLines/ID&$expand=SalesOrderLines&$filter=OrderID eq guid'{id}'"
    );
    let some = shop.company.get(&path).await.results().remove(0);
    let line = &some["SalesOrderLines"]["results"][0];
    assert_eq!((&line["Quantity"], line.get("Item")), (&json!(3), None));
    for query in [
        "$select=SalesOrderLines/ID",
        "$expand=OrderedBy",
        "$expand=SalesOrderLines&$select=SalesOrderLines/X",
    ] {
        let answer = shop.company.get(&format!("{ORDERS}(guid'{id}')?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test]
async fn an_order_needs_a_customer_and_a_line() {
    let shop = Shop::open_with(switched(Switches { language: Language::Nl, ..Switches::default() })).await;
    let item = &shop.bolt;
    let none = shop.refused(&format!(r#"{{"SalesOrderLines":[{{"Item":"{item}"}}]}}"#)).await;
    assert_eq!(none.error(), business("Verplicht: Factuur voor\r\nVerplicht: Besteld door"));
    for lines in ["", r#","SalesOrderLines":[]"#] {
        let bare = shop.refused(&format!(r#"{{"OrderedBy":"{}"{lines}}}"#, shop.customer)).await;
        assert_eq!(bare.error(), business("Verplicht: Verkooporderregels"), "{lines}");
    }
    for lines in [r#"{"results":[]}"#, r#""x""#, "null", r#"["x"]"#] {
        let wrong =
            shop.refused(&format!(r#"{{"OrderedBy":"{}","SalesOrderLines":{lines}}}"#, shop.customer)).await;
        assert_eq!(wrong.status, 400, "{lines}");
    }
    let charged = shop.refused(&shop.order_body(r#","SalesOrderOrderChargeLines":[]"#)).await;
    assert_eq!(charged.error(), business("Ongeldig: SalesOrderOrderChargeLines"));
    let nobody = format!(
        r#"{{"OrderedBy":"{NOBODY}","InvoiceTo":"{}","SalesOrderLines":[{{"Item":"{item}"}}]}}"#,
        shop.customer
    );
    let expected = "Ongeldige referentie: Leveren aan\r\nOngeldige referentie: Besteld door";
    assert_eq!(shop.refused(&nobody).await.error(), business(expected));
}

#[tokio::test]
async fn an_account_that_is_no_customer_is_refused() {
    let shop = Shop::open_with(switched(Switches { language: Language::Nl, ..Switches::default() })).await;
    let prospect = shop.company.create(r#"{"Name":"Prospect","Status":"P"}"#).await;
    let body = format!(r#"{{"OrderedBy":"{prospect}","SalesOrderLines":[{{"Item":"{}"}}]}}"#, shop.bolt);
    let expected = "Ongeldig: Factuur voor (Type)\r\nOngeldig: Besteld door (Type)";
    assert_eq!(shop.refused(&body).await.error(), business(expected));
    let invoiced = shop.refused(&shop.order_body(&format!(r#","InvoiceTo":"{prospect}""#))).await;
    assert_eq!(invoiced.error(), business("Ongeldig: Factuur voor (Type)"));
    shop.company.put(&prospect, r#"{"Status":"C"}"#).await;
    assert_eq!(shop.refused(&body).await.status, 201);
}

#[tokio::test]
async fn accounts_of_an_order_are_set_once_and_follow_the_first() {
    let shop = Shop::open().await;
    let other = shop.company.create(r#"{"Name":"Other","Status":"C"}"#).await;
    let id = shop.order("").await;
    let order = shop.stored(&id).await;
    for (property, name) in
        [("OrderedBy", "OrderedByName"), ("InvoiceTo", "InvoiceToName"), ("DeliverTo", "DeliverToName")]
    {
        assert_eq!((&order[property], &order[name]), (&json!(shop.customer), &json!("Acme")));
        let answer = shop.company.put_at(ORDERS, &id, &format!(r#"{{"{property}":"{other}"}}"#)).await;
        assert_eq!(answer.status, 500, "{property}");
        assert!(answer.message().starts_with("Invalid: "));
    }
    let apart = shop.order(&format!(r#","DeliverTo":"{other}","InvoiceTo":null"#)).await;
    let order = shop.stored(&apart).await;
    assert_eq!((&order["DeliverToName"], &order["InvoiceToName"]), (&json!("Other"), &json!("Acme")));
}

#[tokio::test]
async fn the_service_fills_what_a_create_leaves_out() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let order = shop.stored(&id).await;
    assert_eq!(
        (&order["Currency"], &order["PaymentConditionDescription"]),
        (&json!("EUR"), &json!("30 days"))
    );
    assert_eq!((&order["OrderDate"], &order["OrderNumber"]), (&json!("/Date(1768435200000)/"), &json!(1)));
    assert_eq!((&order["StatusDescription"], &order["DeliveryStatus"]), (&json!("Open"), &json!(12)));
    let lines = shop.order_lines(&id).await;
    let bolt = &lines[0];
    assert_eq!(
        (&bolt["UnitPrice"], &bolt["Discount"], &bolt["NetPrice"]),
        (&json!(10), &json!(0), &json!(10))
    );
    assert_eq!((&bolt["Description"], &bolt["UnitCode"]), (&json!("A bolt"), &json!("box")));
    assert_eq!((&bolt["VATCode"], &bolt["OrderNumber"]), (&json!("4"), &json!(1)));
    assert_eq!((&lines[1]["Quantity"], &lines[1]["VATCode"]), (&json!(1), &json!(null)));
    let dated = shop.order(r#","DeliveryDate":"2026-02-01""#).await;
    assert_eq!(shop.order_lines(&dated).await[0]["DeliveryDate"], json!("/Date(1769904000000)/"));
}

#[tokio::test]
async fn order_numbers_are_given_out_or_taken_once() {
    let shop = Shop::open().await;
    let named = shop.order(r#","OrderNumber":70"#).await;
    assert_eq!(shop.stored(&named).await["OrderNumber"], json!(70));
    let next = shop.order("").await;
    assert_eq!(shop.stored(&next).await["OrderNumber"], json!(71));
    assert_eq!(
        shop.refused(&shop.order_body(r#","OrderNumber":70"#)).await.error(),
        business("Data already exists")
    );
    let moved = shop.company.put_at(ORDERS, &next, r#"{"OrderNumber":70}"#).await;
    assert_eq!(moved.error(), business("Data already exists"));
    let emptied = shop.company.put_at(ORDERS, &next, r#"{"OrderNumber":null}"#).await;
    assert_eq!(emptied.error(), business("Mandatory: Order number"));
    assert_eq!(
        shop.company.feed("SalesOrder/SalesOrderLines", "ID").await.len(),
        4,
        "nothing of a refused order stays"
    );
}

#[tokio::test]
async fn nothing_of_an_order_stays_when_one_of_its_lines_is_refused() {
    let shop = Shop::open().await;
    let body = format!(
        r#"{{"OrderedBy":"{}","SalesOrderLines":[{{"Item":"{}"}},{{"Quantity":2}}]}}"#,
        shop.customer, shop.bolt
    );
    assert_eq!(shop.refused(&body).await.error(), business("Mandatory: Item"));
    for path in [ORDERS, LINES] {
        assert_eq!(shop.company.control().records(path).unwrap(), "[]", "{path}");
    }
    assert_eq!(shop.company.deleted().await, []);
    assert_eq!(
        shop.company.delete_at("logistics/Items", &shop.bolt).await.status,
        204,
        "nothing refers to it"
    );
}

#[tokio::test]
async fn amounts_are_worked_out_by_the_service() {
    let shop = Shop::open().await;
    let id = shop.order(r#","Discount":10"#).await;
    let lines = shop.order_lines(&id).await;
    // 3 x 10 with 21% VAT, and 1 x 0.105 without.
    assert_eq!((&lines[0]["AmountFC"], &lines[0]["VATAmount"]), (&json!(30), &json!(6.3)));
    assert_eq!((&lines[1]["AmountDC"], &lines[1]["VATAmount"]), (&json!(0.11), &json!(0)));
    let order = shop.company.get(&format!("{ORDERS}(guid'{id}')")).await;
    for text in [
        r#""AmountFC": 32.77"#,
        r#""AmountFCExclVat": 27.1"#,
        r#""AmountDC": 32.77"#,
        r#""AmountDiscount": 3.64"#,
    ] {
        assert!(order.text.contains(text), "{text}: {}", order.text);
    }
    for body in [
        r#"{"AmountFC":1}"#,
        r#"{"AmountDC":1}"#,
        r#"{"AmountFCExclVat":1}"#,
        r#"{"Status":21}"#,
        r#"{"OrderedByName":"x"}"#,
    ] {
        let refused = shop.company.put_at(ORDERS, &id, body).await;
        assert_eq!(refused.status, 500, "{body}");
    }
    let too_much = shop.company.put_at(ORDERS, &id, r#"{"Discount":100.5}"#).await;
    assert_eq!(too_much.error(), business("Invalid: Discount"));
}

#[tokio::test]
async fn a_header_is_not_changed_together_with_its_lines() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let body = format!(r#"{{"Description":"New","SalesOrderLines":[{{"Item":"{}"}}]}}"#, shop.nut);
    let refused = shop.company.put_at(ORDERS, &id, &body).await;
    assert_eq!(refused.error(), business("Invalid: Sales order lines"));
    assert_eq!(shop.stored(&id).await["Description"], json!(null));
    shop.company.control().set_switches(Switches { nested_lines_ignored: true, ..Switches::default() });
    assert_eq!(shop.company.put_at(ORDERS, &id, &body).await.status, 204);
    assert_eq!(shop.stored(&id).await["Description"], json!("New"));
    assert_eq!(shop.order_lines(&id).await.len(), 2);
}

#[tokio::test]
async fn feeds_of_headers_and_lines_are_independent() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let (headers, lines) = ("SalesOrder/SalesOrderHeaders", "SalesOrder/SalesOrderLines");
    let header = version(&shop.company, headers, "OrderID", &id).await;
    let line = id_of(&shop.order_lines(&id).await[0]);
    let before = version(&shop.company, lines, "ID", &line).await;
    assert!(before > header, "all rows draw on one counter");
    shop.company.put_at(LINES, &line, r#"{"Quantity":5}"#).await;
    assert_eq!(version(&shop.company, headers, "OrderID", &id).await, header);
    let after = version(&shop.company, lines, "ID", &line).await;
    assert!(after > before);
    shop.company.put_at(ORDERS, &id, r#"{"YourRef":"x"}"#).await;
    assert!(version(&shop.company, headers, "OrderID", &id).await > after);
    assert_eq!(version(&shop.company, lines, "ID", &line).await, after);
    let row =
        shop.company.get(&format!("sync/{lines}?$filter=Timestamp ge {after}L")).await.results().remove(0);
    assert_eq!((&row["OrderID"], &row["Status"]), (&json!(id), &json!(12)));
    assert!(row["Modified"].is_string() && row.get("OrderStatus").is_none());
    let row = shop.company.get(&format!("sync/{headers}")).await.results().remove(0);
    assert_eq!((&row["ID"], &row["YourRef"]), (&json!(id), &json!("x")));
    assert!(row.get("SalesOrderLines").is_none());
}

#[tokio::test]
async fn a_deleted_order_takes_its_lines_with_it_and_keeps_its_item() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let refused = shop.company.delete_at("logistics/Items", &shop.bolt).await;
    assert_eq!(refused.error(), business("Cannot delete: Item - Used in: Sales order lines"));
    assert_eq!(
        shop.company.delete(&shop.customer).await.error(),
        business("Cannot delete: Account - Used in: Sales orders")
    );
    let lines: Vec<String> = shop.order_lines(&id).await.iter().map(id_of).collect();
    assert_eq!(shop.company.delete_at(ORDERS, &id).await.status, 204);
    let mut deleted = shop.company.deleted().await;
    assert_eq!(deleted.pop(), Some((32, id)));
    deleted.sort();
    let mut expected: Vec<(i64, String)> = lines.into_iter().map(|line| (33, line)).collect();
    expected.sort();
    assert_eq!(deleted, expected);
    assert_eq!(shop.company.control().records(LINES).unwrap(), "[]");
}

#[tokio::test]
async fn a_complete_order_is_not_changed_any_more() {
    let shop = Shop::open_with(switched(Switches { language: Language::Nl, ..Switches::default() })).await;
    let id = shop.order("").await;
    let line = id_of(&shop.order_lines(&id).await[0]);
    let control = shop.company.control();
    let set =
        |body| control.process(ORDERS, id.parse().unwrap(), body, shop.company.running.human_id).unwrap();
    set(r#"{"Status":20,"DeliveryStatus":20}"#);
    assert_eq!(shop.company.put_at(ORDERS, &id, r#"{"YourRef":"x"}"#).await.status, 204);
    set(r#"{"Status":21,"DeliveryStatus":21,"InvoiceStatus":21}"#);
    let processed = business("Reeds verwerkt");
    assert_eq!(shop.company.put_at(ORDERS, &id, r#"{"YourRef":"y"}"#).await.error(), processed);
    assert_eq!(shop.company.put_at(LINES, &line, r#"{"Quantity":9}"#).await.error(), processed);
    assert_eq!(shop.company.delete_at(LINES, &line).await.error(), processed);
    assert_eq!(shop.company.delete_at(ORDERS, &id).await.error(), processed);
    let body = format!(r#"{{"OrderID":"{id}","Item":"{}"}}"#, shop.nut);
    assert_eq!(shop.company.post_at(LINES, &body).await.error(), processed);
    assert_eq!(shop.company.record_at(LINES, &line).await["OrderStatus"], json!(21));
    let order = shop.stored(&id).await;
    assert_eq!(
        (&order["StatusDescription"], &order["Modifier"]),
        (&json!("Complete"), &json!(shop.company.running.human_id.to_string()))
    );
}

#[tokio::test]
async fn bulk_shows_orders_and_lines_but_not_all_of_them() {
    let shop = Shop::open().await;
    shop.order("").await;
    let orders = shop.company.get("bulk/SalesOrder/SalesOrders?$select=OrderNumber,AmountFC").await;
    assert_eq!(orders.column("OrderNumber"), [json!(1)]);
    let lines = shop.company.get("bulk/SalesOrder/SalesOrderLines?$select=LineNumber,OrderID").await;
    assert_eq!(lines.results().len(), 2);
    for property in ["QuantityDelivered", "InvoiceStatus", "DeliveryStatus", "OrderStatus", "Margin"] {
        let answer = shop.company.get(&format!("bulk/SalesOrder/SalesOrderLines?$select={property}")).await;
        assert_eq!(answer.status, 400, "{property}");
    }
}

#[tokio::test]
async fn a_licence_sets_bounds_and_people_are_users() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let body = format!(r#"{{"WarehouseID":"{NOBODY}"}}"#);
    let refused = shop.company.put_at(ORDERS, &id, &body).await;
    assert_eq!(refused.error(), business("Not allow to update in Basic : Warehouse"));
    let human = shop.company.running.human_id;
    shop.company.put_at(ORDERS, &id, &format!(r#"{{"Salesperson":"{human}","ApprovalStatus":2}}"#)).await;
    let order = shop.stored(&id).await;
    assert_eq!(
        (&order["SalespersonFullName"], &order["ApprovalStatusDescription"]),
        (&json!("Bea Boekhouder"), &json!("Approved"))
    );
    let approval = shop.company.put_at(ORDERS, &id, r#"{"ApprovalStatus":9}"#).await;
    assert_eq!(approval.error(), business("Invalid: ApprovalStatus"));
    let wrong = shop.company.put_at(ORDERS, &id, &format!(r#"{{"Salesperson":"{NOBODY}"}}"#)).await;
    assert_eq!(wrong.error(), business("Invalid reference: Sales person"));
}

#[tokio::test]
async fn texts_of_any_script_survive_a_document() {
    let shop = Shop::open().await;
    let text = "מזמין 🧾 \u{202e}x\u{1}\"\\/";
    let json_text = Value::from(text).to_string();
    let id = shop.order(&format!(r#","Description":{json_text},"YourRef":{json_text}"#)).await;
    assert_eq!(shop.stored(&id).await["Description"], json!(text));
    let quoted = "it''s";
    shop.company.put_at(ORDERS, &id, r#"{"YourRef":"it's"}"#).await;
    let found = shop.company.get(&format!("{ORDERS}?$select=OrderID&$filter=YourRef eq '{quoted}'")).await;
    assert_eq!(found.column("OrderID"), [json!(id)]);
}
