//! Types and rules of properties.

use simulator_customcrm::Settings;
use simulator_customcrm::schema::{Kind, Property, Schema};

use crate::crm::Crm;

#[tokio::test]
async fn a_value_of_another_json_type_is_refused() {
    let crm = Crm::start().await;
    for (property, json) in [
        ("Name", "7"),
        ("City", "true"),
        ("City", "{}"),
        ("City", "[\"Delft\"]"),
        ("CreditLimit", "\"12.50\""),
        ("DiscountPercent", "true"),
        ("EmployeeCount", "1.0"),
        ("EmployeeCount", "\"4\""),
        ("IsActive", "\"true\""),
        ("IsActive", "1"),
        ("Status", "\"customer\""),
        ("Status", "1"),
    ] {
        let name = if property == "Name" { "" } else { "\"Name\":\"A\"," };
        let refused = crm.post("/customers", &format!("{{{name}\"{property}\":{json}}}")).await;
        assert_eq!(refused.problem(422), [property], "{json}");
    }
}

#[tokio::test]
async fn an_amount_comes_back_with_every_digit() {
    let crm = Crm::start().await;
    for amount in ["12345678901234567890.12345678", "0.1", "100.00", "-0.30"] {
        let path = crm.customer(&format!("{{\"Name\":\"A\",\"CreditLimit\":{amount}}}")).await;
        let expected = format!("\"CreditLimit\":{amount},");
        assert!(crm.get(&path).await.text.contains(&expected), "{amount}");
        assert!(crm.get("/customers").await.text.contains(&expected), "{amount}");
    }
}

#[tokio::test]
async fn an_unknown_property_is_refused() {
    let crm = Crm::start().await;
    let refused = crm.post("/customers", r#"{"Name":"A","name":"B","Extra":null}"#).await;
    assert_eq!(refused.problem(422), ["name", "Extra"]);
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    assert_eq!(crm.patch(&path, r#"{"Extra":1}"#).await.problem(422), ["Extra"]);
}

#[tokio::test]
async fn a_read_only_property_cannot_be_written() {
    let crm = Crm::start().await;
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    for property in ["Id", "Version", "ModifiedAt", "ModifiedBy", "CreatedAt", "IsDeleted"] {
        let current = crm.get(&path).await.member(property);
        let refused = crm.patch(&path, &format!("{{\"{property}\":{current}}}")).await;
        assert_eq!(refused.problem(422), [property]);
    }
    let refused = crm.post("/users", r#"{"Email":"a@b.example","LastLoginAt":"2026-01-01T00:00:00Z"}"#).await;
    assert_eq!(refused.problem(422), ["LastLoginAt"]);
}

#[tokio::test]
async fn a_required_property_must_be_there_and_cannot_be_cleared() {
    let crm = Crm::start().await;
    for json in ["{}", r#"{"Name":null}"#, r#"{"Name":"  "}"#] {
        assert_eq!(crm.post("/customers", json).await.problem(422), ["Name"], "{json}");
    }
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    for json in [r#"{"Name":null}"#, r#"{"Name":""}"#] {
        assert_eq!(crm.patch(&path, json).await.problem(422), ["Name"], "{json}");
    }
    assert_eq!(crm.post("/users", r#"{"FullName":"A"}"#).await.problem(422), ["Email"]);
}

#[tokio::test]
async fn a_contact_needs_a_last_or_a_first_name() {
    let crm = Crm::start().await;
    crm.seed("customers", r#"{"Id":"c1","Name":"Anker"}"#);
    for json in ["", r#","LastName":" ""#, r#","FirstName":"","LastName":null"#, r#","MiddleName":"de""#] {
        let refused = crm.post("/contacts", &format!(r#"{{"CustomerId":"c1"{json}}}"#)).await;
        assert_eq!(refused.problem(422), ["LastName"], "{json}");
    }
    let unreadable = crm.post("/contacts", r#"{"CustomerId":"c1","FirstName":1}"#).await;
    assert_eq!(unreadable.problem(422), ["FirstName"], "it may have been meant as a name");

    let path = crm.record("contacts", r#"{"CustomerId":"c1","FirstName":"Ada"}"#).await;
    assert_eq!(crm.patch(&path, r#"{"FirstName":null}"#).await.problem(422), ["LastName"]);
    let renamed = crm.patch(&path, r#"{"FirstName":null,"LastName":"Vos"}"#).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    assert_eq!(crm.patch(&path, r#"{"LastName":""}"#).await.problem(422), ["LastName"]);
}

#[tokio::test]
async fn a_contacts_full_name_is_what_was_written() {
    let crm = Crm::start().await;
    crm.seed("customers", r#"{"Id":"c1","Name":"Anker"}"#);
    let path = crm.record("contacts", r#"{"CustomerId":"c1","FirstName":"Ada","LastName":"Vos"}"#).await;
    assert!(crm.get(&path).await.member("FullName").is_null());
    crm.patch(&path, r#"{"FullName":"A. Vos"}"#).await;
    crm.patch(&path, r#"{"LastName":"Bos"}"#).await;
    assert_eq!(crm.get(&path).await.member("FullName"), "A. Vos");
}

#[tokio::test]
async fn all_errors_of_a_record_come_at_once() {
    let crm = Crm::start().await;
    let refused = crm.post("/customers", r#"{"City":1,"OwnerId":"nobody","Extra":2}"#).await;
    assert_eq!(refused.problem(422), ["City", "Extra", "OwnerId", "Name"]);
}

#[tokio::test]
async fn text_has_at_most_255_characters_and_a_description_64_kib() {
    let crm = Crm::start().await;
    let name = |length: usize| format!("{{\"Name\":\"{}\"}}", "ü".repeat(length));
    crm.customer(&name(255)).await;
    assert_eq!(crm.post("/customers", &name(256)).await.problem(422), ["Name"]);
    let described = |length: usize| format!(r#"{{"Name":"A","Description":"{}"}}"#, "d".repeat(length));
    crm.customer(&described(64 * 1024)).await;
    let refused = crm.post("/customers", &described(64 * 1024 + 1)).await;
    assert_eq!(refused.problem(422), ["Description"]);
}

#[tokio::test]
async fn another_collection_is_only_data() {
    static EVENTS: Schema = Schema {
        collection: "events",
        entity: "event",
        properties: &[
            Property::new("Code", Kind::Text).required().unique(),
            Property::new("Day", Kind::Date),
            Property::new("StartsAt", Kind::Timestamp),
            Property::new("CustomerId", Kind::Reference("customers")),
        ],
        lines: None,
    };
    let crm = Crm::start_with(Settings { schemas: vec![&EVENTS], ..Settings::default() }).await;
    let event = r#"{"Code":"e1","Day":"2026-02-28","StartsAt":"2026-02-28T10:00:00+01:00"}"#;
    let created = crm.post("/events", event).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.member("StartsAt"), "2026-02-28T09:00:00.000Z");
    assert_eq!(crm.get("/events?filter[Code]=E1").await.ids().len(), 1);
    for (property, value) in
        [("Day", "2026-02-29"), ("Day", "28-02-2026"), ("StartsAt", "2026-02-28"), ("CustomerId", "e1")]
    {
        let json = format!(r#"{{"Code":"e2","{property}":"{value}"}}"#);
        assert_eq!(crm.post("/events", &json).await.problem(422), [property], "{value}");
    }
}
