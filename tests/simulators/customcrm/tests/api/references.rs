//! References from record to record.

use crate::crm::Crm;

const LINES: &str = r#""Lines":[{"ProductId":"p1","Quantity":1}]"#;
const DOCUMENT: &str = r#""CustomerId":"c1","Lines":[{"ProductId":"p1","Quantity":1}]"#;

#[tokio::test]
async fn a_reference_must_name_a_live_record_of_its_collection() {
    let crm = Crm::filled().await;
    let references = [
        ("customers", r#""Name":"A""#, "OwnerId", "u1"),
        ("customers", r#""Name":"A""#, "ParentId", "c1"),
        ("customers", r#""Name":"A""#, "MainContactId", "k1"),
        ("contacts", r#""LastName":"A""#, "CustomerId", "c1"),
        ("contacts", r#""LastName":"A","CustomerId":"c1""#, "OwnerId", "u1"),
        ("orders", LINES, "CustomerId", "c1"),
        ("orders", DOCUMENT, "ContactId", "k1"),
        ("orders", DOCUMENT, "OwnerId", "u1"),
        ("orders", DOCUMENT, "InvoiceCustomerId", "c1"),
        ("orders", DOCUMENT, "DeliveryCustomerId", "c1"),
        ("orders", DOCUMENT, "QuoteId", "q1"),
        ("quotes", LINES, "CustomerId", "c1"),
        ("quotes", DOCUMENT, "ContactId", "k1"),
        ("quotes", DOCUMENT, "OwnerId", "u1"),
        ("quotes", DOCUMENT, "InvoiceCustomerId", "c1"),
        ("quotes", DOCUMENT, "DeliveryCustomerId", "c1"),
        ("quotes", DOCUMENT, "OrderId", "o1"),
    ];
    for (collection, rest, property, target) in references {
        let with = |id: &str| format!(r#"{{{rest},"{property}":"{id}"}}"#);
        let path = crm.record(collection, &with(target)).await;
        assert_eq!(crm.get(&path).await.member(property), target);
        for wrong in ["c1", "k1", "u1", "o1", "q1", "p1", "", "nobody", "\u{1F6A2}\u{202E}"] {
            if wrong != target {
                let refused = crm.post(&format!("/{collection}"), &with(wrong)).await;
                assert_eq!(refused.problem(422), [property], "{collection} {wrong}");
                let patch = format!(r#"{{"{property}":"{wrong}"}}"#);
                assert_eq!(crm.patch(&path, &patch).await.problem(422), [property], "{collection} {wrong}");
            }
        }
    }
}

#[tokio::test]
async fn a_record_that_others_refer_to_can_be_deleted_and_is_referred_to_no_more() {
    let crm = Crm::filled().await;
    assert_eq!(crm.delete("/customers/c1").await.status, 204);
    let contact = crm.get("/contacts/k1").await;
    assert_eq!((contact.member("CustomerId"), contact.member("Version")), ("c1".into(), 1.into()));
    assert_eq!(crm.patch("/contacts/k1", r#"{"JobTitle":"Captain"}"#).await.status, 200, "not written");
    assert_eq!(crm.patch("/contacts/k1", r#"{"CustomerId":"c1"}"#).await.problem(422), ["CustomerId"]);
    let refused = crm.post("/contacts", r#"{"CustomerId":"c1","LastName":"A"}"#).await;
    assert_eq!(refused.problem(422), ["CustomerId"]);
}

#[tokio::test]
async fn a_line_must_name_a_live_product_when_it_is_written_and_not_later() {
    let crm = Crm::filled().await;
    let order = |product: &str| {
        let lines = format!(r#"{{"ProductId":"p1","Quantity":1}},{{"ProductId":"{product}","Quantity":1}}"#);
        format!(r#"{{"CustomerId":"c1","Lines":[{lines}]}}"#)
    };
    for wrong in ["c1", "o1", "", "A-1", "nobody"] {
        let refused = crm.post("/orders", &order(wrong)).await;
        assert_eq!(refused.problem(422), ["Lines[1].ProductId"], "{wrong}");
    }
    let line_id = crm.get("/orders/o1").await.line_ids().remove(0);
    let patch = |property: &str| format!(r#"{{"Lines":[{{"LineId":"{line_id}",{property}}}]}}"#);
    let refused = crm.patch("/orders/o1", &patch(r#""ProductId":"c1""#)).await;
    assert_eq!(refused.problem(422), ["Lines[0].ProductId"]);

    assert_eq!(crm.delete("/products/p1").await.status, 204);
    assert_eq!(
        crm.post("/orders", &order("p1")).await.problem(422),
        ["Lines[0].ProductId", "Lines[1].ProductId"]
    );
    let changed = crm.patch("/orders/o1", &patch(r#""Quantity":2"#)).await;
    assert_eq!((changed.status.as_u16(), &changed.lines()[0]["ProductId"]), (200, &"p1".into()));
    assert_eq!(crm.patch("/orders/o1", r#"{"Name":"A"}"#).await.status, 200);
    let again = crm.patch("/orders/o1", &patch(r#""ProductId":"p1""#)).await;
    assert_eq!(again.problem(422), ["Lines[0].ProductId"]);
}
