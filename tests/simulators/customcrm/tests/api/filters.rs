//! Search by property, as it is done before a create.

use crate::crm::Crm;

/// The ids that a filtered listing gives, in their order.
async fn found(crm: &Crm, collection: &str, filters: &str) -> Vec<String> {
    let listed = crm.get(&format!("/{collection}?{filters}")).await;
    assert_eq!(listed.status, 200, "{}", listed.text);
    let mut ids = listed.ids();
    ids.sort();
    ids
}

/// A CRM with contacts, orders and quotes of two customers, and two products.
async fn filled() -> Crm {
    let crm = Crm::start().await;
    crm.seed("customers", r#"{"Id":"c1","Name":"Anker"}"#);
    crm.seed("customers", r#"{"Id":"c2","Name":"Boei"}"#);
    crm.seed("contacts", r#"{"Id":"k1","CustomerId":"c1","LastName":"Vos","Email":"A@x.example"}"#);
    crm.seed("contacts", r#"{"Id":"k2","CustomerId":"c2","LastName":"Vos","Email":"a@x.example"}"#);
    crm.seed("contacts", r#"{"Id":"k3","CustomerId":"c1","LastName":"Bos","Email":"b@x.example"}"#);
    crm.seed("products", r#"{"Id":"p1","Code":"A-1","Name":"A","Barcode":"87","VatCode":"2","Unit":"pc"}"#);
    crm.seed("products", r#"{"Id":"p2","Code":"A-2","Name":"B","Barcode":"87","VatCode":"2","Unit":"kg"}"#);
    for (collection, id, members) in [
        ("orders", "o1", r#""CustomerId":"c1","OrderNumber":"7","CustomerReference":"Ref \ud83d\udea2""#),
        ("orders", "o2", r#""CustomerId":"c2","OrderNumber":"7","CustomerReference":"Ref \ud83d\udea2""#),
        ("orders", "o3", r#""CustomerId":"c1","OrderNumber":"8","ContactId":"k1""#),
        ("quotes", "q1", r#""CustomerId":"c1","QuoteNumber":"9","VersionNumber":1"#),
        ("quotes", "q2", r#""CustomerId":"c1","QuoteNumber":"9","VersionNumber":2"#),
        ("quotes", "q3", r#""CustomerId":"c2","QuoteNumber":"9","VersionNumber":2"#),
    ] {
        let lines = r#"[{"ProductId":"p1","Quantity":1}]"#;
        crm.seed(collection, &format!(r#"{{"Id":"{id}",{members},"Lines":{lines}}}"#));
    }
    crm
}

#[tokio::test]
async fn several_filters_must_all_match() {
    let crm = filled().await;
    for (collection, filters, expected) in [
        ("contacts", "filter[Email]=a@X.example", &["k1", "k2"][..]),
        ("contacts", "filter[CustomerId]=C1", &["k1", "k3"]),
        ("contacts", "filter[Email]=a@x.example&filter[CustomerId]=c1", &["k1"]),
        ("contacts", "filter[CustomerId]=c1&filter[Email]=a@x.example&filter[Id]=k1", &["k1"]),
        ("contacts", "filter[CustomerId]=c2&filter[Email]=b@x.example", &[]),
        ("contacts", "filter[CustomerId]=c1&filter[Email]=nobody@x.example", &[]),
        ("orders", "filter[OrderNumber]=7", &["o1", "o2"]),
        ("orders", "filter[CustomerReference]=rEF%20%F0%9F%9A%A2", &["o1", "o2"]),
        ("orders", "filter[CustomerReference]=ref%20%F0%9F%9A%A2&filter[CustomerId]=c2", &["o2"]),
        ("orders", "filter[ContactId]=k1&filter[CustomerId]=c1&filter[OrderNumber]=8", &["o3"]),
        ("orders", "filter[ContactId]=k1&filter[OrderNumber]=7", &[]),
        ("quotes", "filter[QuoteNumber]=9&filter[VersionNumber]=2", &["q2", "q3"]),
        ("quotes", "filter[QuoteNumber]=9&filter[VersionNumber]=2&filter[CustomerId]=c1", &["q2"]),
        ("quotes", "filter[VersionNumber]=02", &[]),
    ] {
        assert_eq!(found(&crm, collection, filters).await, expected, "{filters}");
    }
}

#[tokio::test]
async fn a_filtered_listing_has_pages() {
    let crm = filled().await;
    let filters = "filter[VatCode]=2&filter[Barcode]=87";
    let first = crm.get(&format!("/products?{filters}&limit=1")).await;
    let cursor = first.member("next_cursor");
    let second = crm.get(&format!("/products?{filters}&limit=1&cursor={}", cursor.as_str().unwrap())).await;
    assert_eq!((first.ids(), second.ids()), (vec!["p1".to_owned()], vec!["p2".to_owned()]));
    assert!(second.member("next_cursor").is_null());
    let other = format!("/products?filter[VatCode]=2&cursor={}", cursor.as_str().unwrap());
    crm.get(&other).await.problem(400);
}

#[tokio::test]
async fn codes_numbers_addresses_and_references_are_searchable_and_nothing_else() {
    let crm = filled().await;
    for (collection, searchable, other) in [
        (
            "customers",
            "CustomerNumber OrganizationNumber VatNumber Email Currency Language PaymentTerms OwnerId ParentId \
             MainContactId",
            "Name City Status IsActive EmployeeCount CreditLimit Description ModifiedAt Version",
        ),
        (
            "contacts",
            "CustomerId Email Language OwnerId",
            "FirstName LastName FullName WorkEmail Phone BirthDate Gender IsPrimary Notes",
        ),
        (
            "products",
            "Code Category Unit Currency CostCurrency VatCode Barcode",
            "Name SalesPrice IsSellable ValidFrom StockQuantity ImageUrl",
        ),
        (
            "orders",
            "OrderNumber QuotationNumber CustomerReference Currency PaymentTerms CustomerId ContactId OwnerId \
             InvoiceCustomerId DeliveryCustomerId QuoteId",
            "Name Status OrderDate TotalAmount Notes Lines Lines.ProductId ProductId LineId",
        ),
        (
            "quotes",
            "QuoteNumber VersionNumber CustomerReference Currency PaymentTerms CustomerId ContactId OwnerId \
             InvoiceCustomerId DeliveryCustomerId OrderId",
            "Name Status QuoteDate TotalAmount Notes Lines Lines.ProductId ProductId LineId",
        ),
        ("users", "Email EmployeeNumber Language TimeZone", "UserName FullName IsActive LastLoginAt"),
    ] {
        for property in searchable.split_whitespace().chain(["Id"]) {
            let filter = format!("filter[{property}]=%F0%9F%9A%A2%E2%80%AE%00");
            assert_eq!(found(&crm, collection, &filter).await, [""; 0], "{collection} {property}");
        }
        for property in other.split_whitespace() {
            crm.get(&format!("/{collection}?filter[{property}]=1")).await.problem(400);
        }
    }
}

#[tokio::test]
async fn a_code_belongs_to_one_live_product() {
    let crm = filled().await;
    let same = r#"{"Code":"a-1","Name":"C"}"#;
    for refused in [crm.post("/products", same).await, crm.patch("/products/p2", same).await] {
        assert_eq!(refused.problem(409), ["Code"]);
        assert_eq!(refused.member("duplicateId"), "p1");
    }
    crm.delete("/products/p1").await;
    assert_eq!(found(&crm, "products", "filter[Code]=A-1").await, [""; 0]);
    assert_eq!(crm.patch("/products/p2", same).await.status, 200, "free again");
    assert_eq!(found(&crm, "products", "filter[Code]=A-1").await, ["p2"]);
}
