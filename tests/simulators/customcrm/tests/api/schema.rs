//! The default schema: every property of every collection.

use serde_json::Value;

use crate::crm::Crm;

/// Texts that a CRM has to keep as they are: another script, right to left, emoji, control characters.
const TEXT: &str = r#""\u0000\u0007 \u202e\u05d0 \ud83d\udea2 \"{}[]\\""#;

/// What to write into every property of a collection that takes more than a text.
fn typed(collection: &str) -> &'static [(&'static str, &'static str)] {
    match collection {
        "customers" => &[
            ("Status", "\"Suspect\""),
            ("EmployeeCount", "-9223372036854775808"),
            ("AnnualRevenue", "-1000.000"),
            ("DiscountPercent", "5.50"),
            ("CreditLimit", "0.00"),
            ("OwnerId", "\"u1\""),
            ("ParentId", "\"c1\""),
            ("MainContactId", "\"k1\""),
            ("IsActive", "false"),
        ],
        "users" => &[("IsActive", "false")],
        "contacts" => &[
            ("CustomerId", "\"c1\""),
            ("OwnerId", "\"u1\""),
            ("Gender", "\"Other\""),
            ("BirthDate", "\"1815-12-10\""),
            ("IsPrimary", "true"),
            ("DoNotMail", "true"),
            ("DoNotCall", "true"),
            ("IsActive", "false"),
        ],
        "products" => &[
            ("SalesPrice", "12345678901234567890.12345678"),
            ("CostPrice", "0.10"),
            ("VatPercentage", "21.0"),
            ("IsActive", "false"),
            ("IsSellable", "false"),
            ("IsStockItem", "true"),
            ("IsService", "true"),
            ("StockQuantity", "-3.5"),
            ("Weight", "0.0000000000000000000000000001"),
            ("ValidFrom", "\"2026-01-01\""),
            ("ValidTo", "\"2027-12-31\""),
        ],
        _ => &[],
    }
}

/// The texts of a collection, codes and addresses too.
fn texts(collection: &str) -> &'static str {
    match collection {
        "customers" => {
            "CustomerNumber Name OrganizationNumber VatNumber Email Phone Fax Website StreetAddress1 StreetAddress2 \
             StreetAddress3 ZipCode City State Country Currency Language Industry PaymentTerms Description"
        }
        "users" => {
            "UserName FirstName LastName FullName Email Phone Mobile Title Department EmployeeNumber Language TimeZone"
        }
        "contacts" => {
            "Salutation FirstName MiddleName LastName FullName Initials JobTitle Department Email WorkEmail Phone \
             WorkPhone Mobile WorkMobile Fax Language StreetAddress1 ZipCode City State Country Notes"
        }
        "products" => {
            "Code Name Description Category Unit Currency CostCurrency VatCode Barcode Notes ImageUrl"
        }
        _ => "",
    }
}

/// A record of a collection with a value in every property, as JSON.
fn full(collection: &str) -> String {
    let texts = texts(collection).split_whitespace().map(|name| (name, TEXT));
    let members: Vec<String> = texts
        .chain(typed(collection).iter().copied())
        .map(|(name, json)| format!("\"{name}\":{json}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A CRM with a record of each kind that others refer to.
async fn filled() -> Crm {
    let crm = Crm::start().await;
    crm.seed("users", r#"{"Id":"u1","Email":"u1@crm.example"}"#);
    crm.seed("customers", r#"{"Id":"c1","Name":"Anker"}"#);
    crm.seed("contacts", r#"{"Id":"k1","CustomerId":"c1","LastName":"Vos"}"#);
    crm
}

#[tokio::test]
async fn every_property_comes_back_as_it_was_written_and_there_is_no_other() {
    let crm = filled().await;
    let always = ["CreatedAt", "Id", "IsDeleted", "ModifiedAt", "ModifiedBy", "Version"];
    for (collection, kept_by_the_crm) in
        [("customers", &[][..]), ("users", &["LastLoginAt"]), ("contacts", &[]), ("products", &[])]
    {
        let json = full(collection);
        let path = crm.record(collection, &json).await;
        let read = crm.get(&path).await;
        let written: Value = serde_json::from_str(&json).unwrap();
        let mut rest = read.json().as_object().unwrap().clone();
        for (name, value) in written.as_object().unwrap() {
            assert_eq!(rest.remove(name).as_ref(), Some(value), "{collection} {name}");
        }
        for (name, json) in typed(collection) {
            assert!(read.text.contains(&format!("\"{name}\":{json},")), "{collection} {name}");
        }
        let mut rest: Vec<&str> = rest.keys().map(String::as_str).collect();
        rest.retain(|name| !always.contains(name));
        assert_eq!(rest, kept_by_the_crm, "{collection}");
    }
}

#[tokio::test]
async fn a_box_that_nobody_ticked_has_its_initial_value() {
    let crm = filled().await;
    let contact = crm.post("/contacts", r#"{"CustomerId":"c1","LastName":"Vos"}"#).await.json();
    let ticked = ["IsActive", "IsPrimary", "DoNotMail", "DoNotCall"].map(|name| contact[name].as_bool());
    assert_eq!(ticked, [Some(true), Some(false), Some(false), Some(false)]);
    let product = crm.post("/products", r#"{"Code":"1","Name":"A"}"#).await.json();
    let ticked = ["IsActive", "IsSellable", "IsStockItem", "IsService"].map(|name| product[name].as_bool());
    assert_eq!(ticked, [Some(true), Some(true), Some(false), Some(false)]);
}

#[tokio::test]
async fn what_a_record_cannot_be_without_is_asked_for() {
    let crm = Crm::start().await;
    assert_eq!(crm.post("/contacts", "{}").await.problem(422), ["CustomerId", "LastName"]);
    assert_eq!(crm.post("/products", "{}").await.problem(422), ["Code", "Name"]);
}

#[tokio::test]
async fn an_enumeration_takes_its_own_words_only() {
    let crm = filled().await;
    let gender = |word: &str| format!(r#"{{"CustomerId":"c1","LastName":"Vos","Gender":"{word}"}}"#);
    for word in ["Male", "Female", "Other"] {
        crm.record("contacts", &gender(word)).await;
    }
    for word in ["male", "M", "", "V"] {
        assert_eq!(crm.post("/contacts", &gender(word)).await.problem(422), ["Gender"], "{word}");
    }
}
