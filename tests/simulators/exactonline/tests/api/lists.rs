use reqwest::Method;
use serde_json::json;

use crate::company::Company;

const LISTS: [(&str, &str, &str); 4] = [
    ("logistics/Units", "hour", "Hour"),
    ("logistics/ItemGroups", "GOODS", "Goods"),
    ("vat/VATCodes", "4", "VAT high excluding"),
    ("cashflow/PaymentConditions", "30", "30 days"),
];

#[tokio::test]
async fn each_list_has_codes_with_ids_and_descriptions() {
    let company = Company::open().await;
    for (path, code, description) in LISTS {
        let all = company.get(path).await.results();
        assert!(all.iter().all(|row| row["ID"].is_string() && row["Code"].is_string()), "{path}");
        let found = company.get(&format!("{path}?$select=Description&$filter=Code eq '{code}'")).await;
        assert_eq!(found.column("Description"), [description], "{path}");
    }
}

#[tokio::test]
async fn lists_are_read_only_and_have_no_feed() {
    let company = Company::open().await;
    for (path, ..) in LISTS {
        let body = r#"{"Code":"X","Description":"Y"}"#;
        assert_eq!(company.send(Method::POST, path, body).await.status, 405, "{path}");
        assert_eq!(company.get(&format!("sync/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn units_and_vat_codes_tell_what_they_are() {
    let company = Company::open().await;
    let main = company.get("logistics/Units?$select=Code,Type,Active&$filter=Main eq 1").await.results();
    assert_eq!((main.len(), &main[0]["Code"], &main[0]["Type"]), (1, &json!("pc"), &json!("O")));
    let hour = company.get("logistics/Units?$select=TimeUnit,Type&$filter=Code eq 'hour'").await.results();
    assert_eq!((&hour[0]["TimeUnit"], &hour[0]["Type"]), (&json!("hh"), &json!("T")));
    let vat = company.get("vat/VATCodes?$select=Percentage,Type&$filter=Code eq '5'").await;
    let text = vat.text.clone();
    assert!(text.contains("0.21"), "{text}");
    assert_eq!(vat.column("Type"), ["I"]);
}
