//! References from record to record.

use crate::crm::Crm;

/// A CRM with a customer `c1`, a contact `k1` of it and a user `u1`.
async fn filled() -> Crm {
    let crm = Crm::start().await;
    crm.seed("customers", r#"{"Id":"c1","Name":"Anker"}"#);
    crm.seed("contacts", r#"{"Id":"k1","CustomerId":"c1","LastName":"Vos"}"#);
    crm.seed("users", r#"{"Id":"u1","Email":"u1@crm.example"}"#);
    crm
}

#[tokio::test]
async fn a_reference_must_name_a_live_record_of_its_collection() {
    let crm = filled().await;
    let references = [
        ("customers", r#""Name":"A""#, "OwnerId", "u1"),
        ("customers", r#""Name":"A""#, "ParentId", "c1"),
        ("customers", r#""Name":"A""#, "MainContactId", "k1"),
        ("contacts", r#""LastName":"A""#, "CustomerId", "c1"),
        ("contacts", r#""LastName":"A","CustomerId":"c1""#, "OwnerId", "u1"),
    ];
    for (collection, rest, property, target) in references {
        let with = |id: &str| format!(r#"{{{rest},"{property}":"{id}"}}"#);
        let path = crm.record(collection, &with(target)).await;
        assert_eq!(crm.get(&path).await.member(property), target);
        for wrong in ["c1", "k1", "u1", "", "nobody", "\u{1F6A2}\u{202E}"] {
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
    let crm = filled().await;
    assert_eq!(crm.delete("/customers/c1").await.status, 204);
    let contact = crm.get("/contacts/k1").await;
    assert_eq!((contact.member("CustomerId"), contact.member("Version")), ("c1".into(), 1.into()));
    assert_eq!(crm.patch("/contacts/k1", r#"{"JobTitle":"Captain"}"#).await.status, 200, "not written");
    assert_eq!(crm.patch("/contacts/k1", r#"{"CustomerId":"c1"}"#).await.problem(422), ["CustomerId"]);
    let refused = crm.post("/contacts", r#"{"CustomerId":"c1","LastName":"A"}"#).await;
    assert_eq!(refused.problem(422), ["CustomerId"]);
}
