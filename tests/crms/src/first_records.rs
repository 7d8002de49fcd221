use serde_json::{Value, json};

/// The people of the company, each with an id, a full name and an e-mail address by which other systems know them.
pub const PEOPLE: [(&str, &str, &str); 2] = [
    ("user00000000001", "Sanne Bakker", "sanne@example.com"),
    ("user00000000002", "Omar Visser", "omar@example.com"),
];

/// What the company has before anything is done, what is referred to first: each with its collection. Its users are
/// [`PEOPLE`]. An id has the fifteen letters that PocketBase wants.
pub fn first_records() -> Vec<(&'static str, Value)> {
    let sanne = PEOPLE[0].0;
    vec![
        (
            "customers",
            json!({
                "id": "customer0000001", "Name": "Kaasboer Delft", "Status": "Customer", "IsActive": true,
                "Email": "info@kaasboer.example", "StreetAddress1": "Markt 1", "ZipCode": "2611 GP",
                "City": "Delft", "Country": "NL", "OwnerId": sanne,
            }),
        ),
        (
            "customers",
            json!({
                "id": "customer0000002", "Name": "Fietsen Leiden", "Status": "Prospect", "IsActive": true,
                "Email": "info@fietsen.example", "City": "Leiden", "Country": "NL",
            }),
        ),
        (
            "contacts",
            json!({
                "id": "contact00000001", "CustomerId": "customer0000001", "FirstName": "Joost",
                "LastName": "van Dijk", "Email": "joost@kaasboer.example", "IsActive": true,
            }),
        ),
        (
            "products",
            json!({
                "id": "product00000001", "Code": "BOLT", "Name": "Bolt M8", "IsSellable": true,
                "IsActive": true,
            }),
        ),
        (
            "products",
            json!({
                "id": "product00000002", "Code": "NUT", "Name": "Nut M8", "IsSellable": true,
                "IsActive": true,
            }),
        ),
        (
            "quotes",
            json!({
                "id": "quote0000000001", "Name": "Bolts for the spring", "CustomerId": "customer0000001",
                "Status": "Draft", "Lines": [
                    { "ProductId": "product00000001", "Quantity": 100, "UnitPrice": 0.25 },
                ],
            }),
        ),
        (
            "orders",
            json!({
                "id": "order0000000001", "Name": "Bolts and nuts", "CustomerId": "customer0000001",
                "Status": "Confirmed", "Lines": [
                    { "ProductId": "product00000001", "Quantity": 40, "UnitPrice": 0.25 },
                    { "ProductId": "product00000002", "Quantity": 40, "UnitPrice": 0.1 },
                ],
            }),
        ),
    ]
}
