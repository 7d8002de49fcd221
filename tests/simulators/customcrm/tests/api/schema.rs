//! The default schema: every property of every collection.

use std::collections::BTreeSet;

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
        "orders" => &[
            ("CustomerId", "\"c1\""),
            ("ContactId", "\"k1\""),
            ("OwnerId", "\"u1\""),
            ("InvoiceCustomerId", "\"c1\""),
            ("DeliveryCustomerId", "\"c1\""),
            ("QuoteId", "\"q1\""),
            ("OrderDate", "\"2026-01-01\""),
            ("DeliveryDate", "\"2026-02-28\""),
            ("ValidUntil", "\"2028-02-29\""),
            ("Status", "\"PartlyDelivered\""),
            ("DiscountPercent", "5.50"),
            ("SubTotal", "12345678901234567890.12345678"),
            ("TaxAmount", "-0.01"),
            ("TotalAmount", "0.0"),
        ],
        "quotes" => &[
            ("VersionNumber", "9223372036854775807"),
            ("CustomerId", "\"c1\""),
            ("ContactId", "\"k1\""),
            ("OwnerId", "\"u1\""),
            ("OrderId", "\"o1\""),
            ("InvoiceCustomerId", "\"c1\""),
            ("DeliveryCustomerId", "\"c1\""),
            ("QuoteDate", "\"2026-01-01\""),
            ("ExpiryDate", "\"2026-02-28\""),
            ("ExpectedCloseDate", "\"2026-02-01\""),
            ("DeliveryDate", "\"2028-02-29\""),
            ("ClosedDate", "\"2026-03-01\""),
            ("Status", "\"Replaced\""),
            ("DiscountPercent", "5.50"),
            ("SubTotal", "12345678901234567890.12345678"),
            ("TaxAmount", "-0.01"),
            ("TotalAmount", "0.0"),
        ],
        "Lines" => &[
            ("LineNumber", "7"),
            ("ProductId", "\"p1\""),
            ("Quantity", "-2.50"),
            ("UnitPrice", "12345678901234567890.12345678"),
            ("ListPrice", "0.10"),
            ("DiscountPercent", "7.250"),
            ("VatPercentage", "21.0"),
            ("VatAmount", "0.0000000000000000000000000001"),
            ("NetAmount", "1.00"),
            ("DeliveryDate", "\"2028-02-29\""),
            ("IsOptional", "true"),
        ],
        _ => panic!("{collection} has no table"),
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
        "orders" => "OrderNumber QuotationNumber Name Currency PaymentTerms CustomerReference Notes",
        "quotes" => "QuoteNumber Name Currency PaymentTerms CustomerReference Notes",
        "Lines" => "ProductCode Description Notes Unit VatCode",
        _ => panic!("{collection} has no table"),
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

/// Asserts that `kept` has all that [`full`] writes, digit by digit, and besides it only what the CRM gives.
#[track_caller]
fn check(table: &str, kept: &Value, answer: &str, given_by_the_crm: &[&str]) {
    let written: Value = serde_json::from_str(&full(table)).unwrap();
    let mut rest = kept.as_object().unwrap().clone();
    for (name, value) in written.as_object().unwrap() {
        assert_eq!(rest.remove(name).as_ref(), Some(value), "{table} {name}");
    }
    for (name, json) in typed(table) {
        let ends = [",", "}"].map(|end| answer.contains(&format!("\"{name}\":{json}{end}")));
        assert!(ends.contains(&true), "{table} {name}");
    }
    let rest: BTreeSet<&str> = rest.keys().map(String::as_str).collect();
    let given: BTreeSet<&str> = given_by_the_crm.iter().copied().collect();
    assert_eq!(rest, given, "{table}");
}

#[tokio::test]
async fn every_property_comes_back_as_it_was_written_and_there_is_no_other() {
    let crm = Crm::filled().await;
    let always = ["CreatedAt", "Id", "IsDeleted", "ModifiedAt", "ModifiedBy", "Version"];
    for (collection, besides) in
        [("customers", None), ("users", Some("LastLoginAt")), ("contacts", None), ("products", None)]
    {
        let created = crm.post(&format!("/{collection}"), &full(collection)).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let given: Vec<&str> = always.into_iter().chain(besides).collect();
        check(collection, &created.json(), &created.text, &given);
    }
    for collection in ["orders", "quotes"] {
        let json = full(collection).replacen('{', &format!("{{\"Lines\":[{}],", full("Lines")), 1);
        let created = crm.post(&format!("/{collection}"), &json).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let given: Vec<&str> = always.into_iter().chain(["Lines"]).collect();
        check(collection, &created.json(), &created.text, &given);
        check("Lines", &created.lines()[0], &created.text, &["LineId"]);
    }
}

#[tokio::test]
async fn a_box_that_nobody_ticked_has_its_initial_value() {
    let crm = Crm::filled().await;
    let contact = crm.post("/contacts", r#"{"CustomerId":"c1","LastName":"Vos"}"#).await.json();
    let ticked = ["IsActive", "IsPrimary", "DoNotMail", "DoNotCall"].map(|name| contact[name].as_bool());
    assert_eq!(ticked, [Some(true), Some(false), Some(false), Some(false)]);
    let product = crm.post("/products", r#"{"Code":"1","Name":"A"}"#).await.json();
    let ticked = ["IsActive", "IsSellable", "IsStockItem", "IsService"].map(|name| product[name].as_bool());
    assert_eq!(ticked, [Some(true), Some(true), Some(false), Some(false)]);
    assert_eq!(crm.get("/quotes/q1").await.lines()[0]["IsOptional"], false);
}

#[tokio::test]
async fn what_a_record_cannot_be_without_is_asked_for() {
    let crm = Crm::start().await;
    assert_eq!(crm.post("/contacts", "{}").await.problem(422), ["CustomerId", "LastName"]);
    assert_eq!(crm.post("/products", "{}").await.problem(422), ["Code", "Name"]);
    for path in ["/orders", "/quotes"] {
        assert_eq!(crm.post(path, "{}").await.problem(422), ["CustomerId", "Lines"]);
        let refused = crm.post(path, r#"{"Lines":[{}]}"#).await;
        assert_eq!(refused.problem(422), ["CustomerId", "Lines[0].ProductId", "Lines[0].Quantity"]);
    }
}

#[tokio::test]
async fn an_enumeration_takes_its_own_words_only() {
    let crm = Crm::filled().await;
    for (path, property, words) in [
        ("/customers/c1", "Status", "None Suspect Prospect Customer"),
        ("/contacts/k1", "Gender", "Male Female Other"),
        ("/orders/o1", "Status", "Draft Open Confirmed PartlyDelivered Complete Cancelled"),
        ("/quotes/q1", "Status", "Draft Open Sent Accepted Rejected Expired Replaced"),
    ] {
        let patch = |word: &str| format!(r#"{{"{property}":"{word}"}}"#);
        for word in words.split_whitespace() {
            assert_eq!(crm.patch(path, &patch(word)).await.member(property), word, "{path}");
            for other in [word.to_lowercase(), word.to_uppercase(), format!("{word} ")] {
                assert_eq!(crm.patch(path, &patch(&other)).await.problem(422), [property], "{path} {other}");
            }
        }
        for other in ["", "M", "Won", "Delivered"] {
            assert_eq!(crm.patch(path, &patch(other)).await.problem(422), [property], "{path} {other}");
        }
        assert!(crm.patch(path, &format!(r#"{{"{property}":null}}"#)).await.member(property).is_null());
    }
}
