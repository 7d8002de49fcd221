//! Orders and quotes as documents: their numbers, their amounts, and each other.

use reqwest::Method;

use crate::crm::{Crm, see, with_json};

const LINES: &str = r#""Lines":[{"ProductId":"p1","Quantity":2,"UnitPrice":3.00}]"#;

#[tokio::test]
async fn the_crm_computes_no_amount() {
    let crm = Crm::filled().await;
    for collection in ["orders", "quotes"] {
        let document = format!(r#"{{"CustomerId":"c1",{LINES}}}"#);
        let path = crm.record(collection, &document).await;
        let read = crm.get(&path).await;
        assert!(read.lines()[0]["NetAmount"].is_null());
        assert!(["SubTotal", "TaxAmount", "TotalAmount"].iter().all(|name| read.member(name).is_null()));
        let line_id = read.line_ids().remove(0);
        let line = format!(r#"{{"LineId":"{line_id}","NetAmount":100.00}}"#);
        crm.patch(&path, &format!(r#"{{"TotalAmount":1.0,"Lines":[{line}]}}"#)).await;
        crm.patch(&path, &format!(r#"{{"Lines":[{{"LineId":"{line_id}","Quantity":9}}]}}"#)).await;
        let text = crm.get(&path).await.text;
        assert!(text.contains(r#""NetAmount":100.00,"#) && text.contains(r#""TotalAmount":1.0,"#), "{text}");
    }
}

#[tokio::test]
async fn several_documents_can_have_the_same_number() {
    let crm = Crm::filled().await;
    for (collection, number) in [("orders", "OrderNumber"), ("quotes", "QuoteNumber")] {
        let document = format!(r#"{{"CustomerId":"c1","{number}":"N-1",{LINES}}}"#);
        let paths = [crm.record(collection, &document).await, crm.record(collection, &document).await];
        let found = crm.get(&format!("/{collection}?filter[{number}]=n-1")).await.ids();
        assert_eq!(found.len(), 2);
        assert_ne!(paths[0], paths[1]);
    }
}

#[tokio::test]
async fn an_order_and_its_quote_name_each_other() {
    let crm = Crm::filled().await;
    crm.patch("/orders/o1", r#"{"QuoteId":"q1","QuotationNumber":"2026-7"}"#).await;
    crm.patch("/quotes/q1", r#"{"OrderId":"o1","VersionNumber":3}"#).await;
    for (collection, filter, id) in [
        ("orders", "filter[QuoteId]=q1&filter[QuotationNumber]=2026-7", "o1"),
        ("quotes", "filter[OrderId]=o1&filter[VersionNumber]=3", "q1"),
    ] {
        assert_eq!(crm.get(&format!("/{collection}?{filter}")).await.ids(), [id]);
    }
}

#[tokio::test]
async fn a_repeated_create_makes_no_second_document_and_no_other_lines() {
    let crm = Crm::filled().await;
    let document = format!(r#"{{"CustomerId":"c1",{LINES}}}"#);
    let post = || {
        let call = crm.call(Method::POST, "/orders").header("Idempotency-Key", "k");
        see(with_json(call, &document))
    };
    let (first, again) = (post().await, post().await);
    assert_eq!((first.status.as_u16(), &first.text), (201, &again.text));
    assert_eq!(crm.running.control.counts().records["orders"], 2);
}

#[tokio::test]
async fn a_writer_with_a_stale_version_changes_no_line() {
    let crm = Crm::filled().await;
    let line_id = crm.get("/orders/o1").await.line_ids().remove(0);
    let patch = |tag: &'static str, quantity: u8| {
        let json = format!(r#"{{"Lines":[{{"LineId":"{line_id}","Quantity":{quantity}}}]}}"#);
        see(with_json(crm.call(Method::PATCH, "/orders/o1").header("If-Match", tag), &json))
    };
    let changed = patch("\"1\"", 2).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.text);
    patch("\"1\"", 3).await.problem(412);
    assert_eq!(crm.get("/orders/o1").await.lines()[0]["Quantity"], 2);
}

#[tokio::test]
async fn a_deleted_document_takes_its_lines_with_it() {
    let crm = Crm::filled().await;
    let order = crm.get("/orders/o1").await;
    assert_eq!(crm.delete("/orders/o1").await.status, 204);
    let patch = format!(r#"{{"Lines":[{{"LineId":"{}","Quantity":2}}]}}"#, order.line_ids()[0]);
    crm.patch("/orders/o1", &patch).await.problem(410);
    let listed = crm.get("/orders?include_deleted=true").await.member("data");
    let names: Vec<&String> = listed[0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["Id", "IsDeleted", "ModifiedAt", "Version"]);
}
