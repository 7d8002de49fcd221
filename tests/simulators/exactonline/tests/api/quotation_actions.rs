use serde_json::{Value, json};
use simulator_exactonline::{Language, Switches};

use crate::company::{business, switched};
use crate::quotations::{LINES, QUOTATIONS};
use crate::sales_orders::ORDERS;
use crate::shop::{Shop, version};

impl Shop {
    /// What an action on a quotation answers.
    async fn act(&self, action: &str, quotation: &str, rest: &str) -> Value {
        let body = format!(r#"{{"QuotationID":"{quotation}"{rest}}}"#);
        let reply = self.company.post_at(&format!("crm/{action}"), &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()["d"].clone()
    }

    async fn done(&self, action: &str, quotation: &str, rest: &str) -> Value {
        let answer = self.act(action, quotation, rest).await;
        let error = if action == "PrintQuotation" { "DocumentCreationError" } else { "ErrorMessage" };
        assert_eq!(answer[error], json!(null), "{answer}");
        answer
    }

    async fn printed(&self, rest: &str) -> String {
        let id = self.quotation(rest).await;
        self.done("PrintQuotation", &id, "").await;
        id
    }

    async fn status(&self, quotation: &str) -> i64 {
        self.quoted(quotation).await["Status"].as_i64().unwrap()
    }

    async fn orders(&self) -> Vec<Value> {
        self.company.get("bulk/SalesOrder/SalesOrders?$select=OrderID,YourRef").await.results()
    }
}

#[tokio::test]
async fn a_quotation_is_printed_before_anything_else_is_done_with_it() {
    let shop = Shop::open().await;
    let id = shop.quotation("").await;
    for action in ["AcceptQuotation", "RejectQuotation", "ReviewQuotation", "ReopenQuotation"] {
        let answer = shop.act(action, &id, "").await;
        assert_eq!(
            (&answer["ErrorMessage"], &answer["SuccessMessage"]),
            (&json!("Invalid: Status"), &json!(null))
        );
    }
    assert_eq!((shop.status(&id).await, shop.orders().await.len()), (25, 0));
    let before = version(&shop.company, "CRM/QuotationHeaders", "QuotationID", &id).await;
    let answer = shop.done("PrintQuotation", &id, r#","QuotationDate":"2026-01-20""#).await;
    assert!(answer["Document"].is_string() && answer["DocumentCreationSuccess"].is_string(), "{answer}");
    let quotation = shop.quoted(&id).await;
    assert_eq!(
        (&quotation["Status"], &quotation["QuotationDate"]),
        (&json!(40), &json!("/Date(1768867200000)/"))
    );
    assert!(version(&shop.company, "CRM/QuotationHeaders", "QuotationID", &id).await > before);
    shop.done("RejectQuotation", &id, "").await;
    let again = shop.act("PrintQuotation", &id, "").await;
    assert_eq!(
        (&again["DocumentCreationError"], &again["Document"]),
        (&json!("Invalid: Status"), &json!(null))
    );
}

#[tokio::test]
async fn an_accepted_quotation_closes_and_makes_an_order_only_when_asked() {
    let shop = Shop::open().await;
    let id = shop.printed("").await;
    let answer = shop.done("AcceptQuotation", &id, "").await;
    assert_eq!(answer["SalesOrderSuccess"], json!(null));
    let quotation = shop.quoted(&id).await;
    assert_eq!(
        (&quotation["Status"], &quotation["CloseDate"]),
        (&json!(50), &json!("/Date(1768435200000)/"))
    );
    assert_eq!(shop.orders().await.len(), 0);
}

#[tokio::test]
async fn an_accepted_quotation_becomes_an_order_of_its_account_texts_and_lines() {
    let shop = Shop::open().await;
    let rest = r#","Description":"Bolts","Remarks":"Careful","DeliveryDate":"2026-02-01""#;
    let id = shop.printed(rest).await;
    let line = shop.quotation_lines(&id).await[0]["ID"].as_str().unwrap().to_owned();
    shop.company.put_at(LINES, &line, r#"{"NetPrice":9.99,"Description":"Cheap","Notes":"n"}"#).await;
    let answer = shop.done("AcceptQuotation", &id, r#","Action":1,"YourRef":"PO 7""#).await;
    assert!(answer["SalesOrderSuccess"].is_string());
    let created = shop.orders().await;
    assert_eq!((created.len(), &created[0]["YourRef"]), (1, &json!("PO 7")));
    let order_id = created[0]["OrderID"].as_str().unwrap();
    assert!(!answer.to_string().contains(order_id), "the answer tells no order id");
    let order = shop.company.record_at(ORDERS, order_id).await;
    assert_eq!((&order["OrderedBy"], &order["Description"]), (&json!(shop.customer), &json!("Bolts")));
    assert_eq!(
        (&order["Remarks"], &order["DeliveryDate"]),
        (&json!("Careful"), &json!("/Date(1769904000000)/"))
    );
    let lines = shop.lines(ORDERS, order_id, "SalesOrderLines").await;
    assert_eq!(lines.len(), 1, "an optional line is left out");
    assert_eq!((&lines[0]["Item"], &lines[0]["Quantity"]), (&json!(shop.bolt), &json!(2)));
    assert_eq!((&lines[0]["NetPrice"], &lines[0]["UnitPrice"]), (&json!(9.99), &json!(10)));
    assert_eq!((&lines[0]["Description"], &lines[0]["Notes"]), (&json!("Cheap"), &json!("n")));
    assert_eq!(shop.status(&id).await, 50);
}

#[tokio::test]
async fn an_acceptance_that_names_more_than_it_needs_makes_no_order() {
    let shop = Shop::open().await;
    let id = shop.printed("").await;
    let rest = r#","Action":1,"ProjectCode":null,"ErrorMessage":null,"OptionalQuotationLineIDs":null"#;
    let answer = shop.done("AcceptQuotation", &id, rest).await;
    assert_eq!(answer["SalesOrderSuccess"], json!(null));
    assert_eq!((shop.status(&id).await, shop.orders().await.len()), (50, 0));
}

#[tokio::test]
async fn an_acceptance_that_can_not_make_its_order_leaves_the_quotation() {
    let shop = Shop::open().await;
    let id = shop.printed("").await;
    shop.company.put(&shop.customer, r#"{"Status":"P"}"#).await;
    let answer = shop.act("AcceptQuotation", &id, r#","Action":1"#).await;
    let text = "Invalid: Invoice to (Type)\r\nInvalid: Ordered by (Type)";
    assert_eq!((&answer["ErrorMessage"], &answer["SalesOrderSuccess"]), (&json!(text), &json!(null)));
    let other = shop.act("AcceptQuotation", &id, r#","Action":2"#).await;
    assert_eq!(other["ErrorMessage"], json!("Invalid: Action"));
    assert_eq!((shop.status(&id).await, shop.orders().await.len()), (40, 0));
    shop.company.put(&shop.customer, r#"{"Status":"C"}"#).await;
    let optional = shop.quotation("").await;
    let first = shop.quotation_lines(&optional).await[0]["ID"].as_str().unwrap().to_owned();
    shop.company.put_at(LINES, &first, r#"{"Optional":true}"#).await;
    shop.done("PrintQuotation", &optional, "").await;
    let empty = shop.act("AcceptQuotation", &optional, r#","Action":1"#).await;
    assert_eq!(empty["ErrorMessage"], json!("Mandatory: Sales order lines"));
}

#[tokio::test]
async fn a_rejected_or_accepted_quotation_is_reopened_as_printed() {
    let shop = Shop::open().await;
    for (action, status) in [("RejectQuotation", 5), ("AcceptQuotation", 50)] {
        let id = shop.printed("").await;
        shop.done(action, &id, "").await;
        let quotation = shop.quoted(&id).await;
        assert_eq!((&quotation["Status"], quotation["CloseDate"].is_string()), (&json!(status), true));
        assert_eq!(shop.act(action, &id, "").await["ErrorMessage"], json!("Invalid: Status"), "not twice");
        shop.done("ReopenQuotation", &id, "").await;
        let quotation = shop.quoted(&id).await;
        assert_eq!((&quotation["Status"], &quotation["CloseDate"]), (&json!(40), &json!(null)));
    }
}

#[tokio::test]
async fn a_review_closes_the_old_version_and_copies_it_under_new_ids() {
    let shop = Shop::open().await;
    let id = shop.printed(r#","Description":"Old","YourRef":"PO 7""#).await;
    let lines = shop.quotation_lines(&id).await;
    shop.company.put_at(LINES, lines[0]["ID"].as_str().unwrap(), r#"{"UnitPrice":7}"#).await;
    let answer = shop.done("ReviewQuotation", &id, r#","Description":"New""#).await;
    let copy = answer["NewQuotationID"].as_str().unwrap().to_owned();
    assert_ne!(copy, id);
    assert_eq!(shop.status(&id).await, 6);
    let quotation = shop.quoted(&copy).await;
    assert_eq!((&quotation["QuotationNumber"], &quotation["VersionNumber"]), (&json!(1), &json!(2)));
    assert_eq!((&quotation["Status"], &quotation["Description"]), (&json!(25), &json!("New")));
    assert_eq!((&quotation["YourRef"], &quotation["OrderAccount"]), (&json!("PO 7"), &json!(shop.customer)));
    let copied = shop.quotation_lines(&copy).await;
    assert_eq!(copied.len(), 2);
    assert!(lines.iter().all(|old| copied.iter().all(|new| new["ID"] != old["ID"])));
    assert_eq!((&copied[0]["UnitPrice"], &copied[0]["VersionNumber"]), (&json!(7), &json!(2)));
    assert_eq!(shop.quotation_lines(&id).await.len(), 2);
    let same = r#"{"Description":"Newer","QuotationNumber":1}"#;
    assert_eq!(
        shop.company.put_at(QUOTATIONS, &copy, same).await.status,
        204,
        "the versions share their number"
    );
    let taken = shop.company.post_at(QUOTATIONS, &shop.quotation_body(r#","QuotationNumber":1"#)).await;
    assert_eq!(taken.error(), business("Data already exists"));
    shop.done("PrintQuotation", &copy, "").await;
    let third = shop.done("ReviewQuotation", &copy, r#","CopyItemPrices":false"#).await;
    let third = third["NewQuotationID"].as_str().unwrap();
    assert_eq!(shop.quoted(third).await["VersionNumber"], json!(3));
    assert_eq!(shop.quotation_lines(third).await[0]["UnitPrice"], json!(10), "the item's own price again");
}

#[tokio::test]
async fn a_review_for_another_account_moves_all_three_accounts() {
    let shop = Shop::open().await;
    let other = shop.company.create(r#"{"Name":"Other","Status":"C"}"#).await;
    let id = shop.printed("").await;
    let answer = shop.done("ReviewQuotation", &id, &format!(r#","OrderAccount":"{other}""#)).await;
    let copy = shop.quoted(answer["NewQuotationID"].as_str().unwrap()).await;
    for property in ["OrderAccount", "InvoiceAccount", "DeliveryAccount"] {
        assert_eq!(copy[property], json!(other), "{property}");
    }
}

#[tokio::test]
async fn an_action_needs_a_quotation_that_is_there_and_takes_posts_only() {
    let shop = Shop::open_with(switched(Switches { language: Language::Nl, ..Switches::default() })).await;
    let id = shop.quotation("").await;
    for action in
        ["PrintQuotation", "AcceptQuotation", "RejectQuotation", "ReopenQuotation", "ReviewQuotation"]
    {
        let path = format!("crm/{action}");
        assert_eq!(shop.company.post_at(&path, "{}").await.error(), business("Verplicht: Offerte"));
        let nobody = r#"{"QuotationID":"00000000-0000-0000-0000-000000000001"}"#;
        assert_eq!(
            shop.company.post_at(&path, nobody).await.error(),
            business("Ongeldige referentie: Offerte")
        );
        assert_eq!(shop.company.post_at(&path, r#"{"Nothing":1}"#).await.status, 400);
        assert_eq!(shop.company.post_at(&path, r#"{"QuotationID":"x"}"#).await.status, 400);
        assert_eq!(shop.company.get(&path).await.status, 405, "{action}");
        assert_eq!(shop.company.put_at(&path, &id, "{}").await.status, 405, "{action}");
    }
}

#[tokio::test]
async fn a_person_acts_by_hand() {
    let shop = Shop::open().await;
    let (control, human) = (shop.company.control(), shop.company.running.human_id);
    let id = control.create(QUOTATIONS, &shop.quotation_body(""), human).unwrap();
    let body = format!(r#"{{"QuotationID":"{id}","Action":1}}"#);
    let early: Value =
        serde_json::from_str(&control.act("crm/AcceptQuotation", &body, human).unwrap()).unwrap();
    assert_eq!(early["ErrorMessage"], json!("Invalid: Status"));
    control.act("crm/PrintQuotation", &body.replace(r#","Action":1"#, ""), human).unwrap();
    control.act("crm/AcceptQuotation", &body, human).unwrap();
    let orders: Value = serde_json::from_str(&control.records(ORDERS).unwrap()).unwrap();
    assert_eq!(orders[0]["Creator"], json!(human.to_string()));
    assert!(control.act(QUOTATIONS, &body, human).unwrap_err().to_string().contains("405"));
    assert!(control.create("crm/AcceptQuotation", &body, human).unwrap_err().to_string().contains("405"));
}

#[tokio::test]
async fn what_is_left_of_an_order_can_be_completed() {
    let shop = Shop::open().await;
    let order = shop.company.create_at(ORDERS, &shop.order_body("")).await;
    let complete = async |rest: &str| {
        let body = format!(r#"{{"OrderID":"{order}"{rest}}}"#);
        let reply = shop.company.post_at("salesorder/CompleteSalesOrder", &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()["d"].clone()
    };
    let status = async || shop.company.record_at(ORDERS, &order).await["Status"].clone();
    assert_eq!(complete("").await["ErrorMessage"], json!("Nothing to do"));
    assert_eq!(complete(r#","CompleteDelivery":true"#).await["ErrorMessage"], json!(null));
    assert_eq!(status().await, json!(20));
    assert_eq!(complete(r#","CompleteInvoice":true"#).await["ErrorMessage"], json!(null));
    assert_eq!(status().await, json!(21));
    let lines = shop.lines(ORDERS, &order, "SalesOrderLines").await;
    assert!(
        lines.iter().all(|line| line["DeliveryStatus"] == json!(21) && line["InvoiceStatus"] == json!(21))
    );
    assert_eq!(complete(r#","CompleteInvoice":true"#).await["ErrorMessage"], json!("Already processed"));
}
