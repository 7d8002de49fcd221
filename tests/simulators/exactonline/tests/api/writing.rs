use reqwest::Method;
use serde_json::{Value, json};
use simulator_exactonline::{Language, Rendition, Switches};

use crate::company::{Company, Reply, business, reply, switched};

async fn post(company: &Company, body: &str) -> Reply {
    company.send(Method::POST, "crm/Accounts", body).await
}

async fn refusal(company: &Company, body: &str) -> (u16, String) {
    post(company, body).await.error()
}

async fn dutch() -> Company {
    Company::open_with(switched(Switches { language: Language::Nl, ..Switches::default() })).await
}

#[tokio::test]
async fn a_create_answers_the_id_only_unless_the_stored_values_are_asked_for() {
    let company = Company::open().await;
    let body = r#"{"Name":"Acme","Code":"7","City":"Delft"}"#;
    let bare = post(&company, body).await;
    assert_eq!(bare.status, 201);
    let record = bare.json()["d"].clone();
    assert!(record["ID"].is_string());
    assert_eq!(
        (&record["Name"], &record["Code"], &record["City"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert!(record["BankAccounts"]["__deferred"]["uri"].is_string());
    let request = company
        .request(&company.token, Method::POST, "crm/Accounts", r#"{"Name":"Acme","Code":"8"}"#)
        .header("Prefer", "return=representation");
    let full = reply(request).await.json()["d"].clone();
    assert_eq!((&full["Name"], &full["Code"]), (&json!("Acme"), &json!("                 8")));
    assert_eq!(full["Modifier"], json!(company.running.api_user_id.to_string()));
}

#[tokio::test]
async fn a_change_touches_only_what_it_names_and_null_clears() {
    let company = Company::open().await;
    let id = company.create(r#"{"Name":"Acme","City":"Delft","Phone":"1"}"#).await;
    company.control().advance_clock(60);
    let answer = company.put(&id, r#"{"City":"Leiden","Phone":null}"#).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let record = company.account(&id).await;
    assert_eq!(
        (&record["Name"], &record["City"], &record["Phone"]),
        (&json!("Acme"), &json!("Leiden"), &json!(null))
    );
    assert_eq!(record["Created"], json!("/Date(1768474830000)/"));
    assert_eq!(record["Modified"], json!("/Date(1768474890000)/"));
}

#[tokio::test]
async fn a_missing_name_is_a_business_error_in_the_users_language() {
    let company = Company::open().await;
    for body in ["{}", r#"{"Name":null}"#, r#"{"Name":""}"#, r#"{"Name":"  "}"#] {
        assert_eq!(refusal(&company, body).await, business("Mandatory: Name"), "{body}");
    }
    let answer = post(&company, "{}").await.json();
    assert_eq!(answer, json!({"error": {"code": "", "message": {"lang": "", "value": "Mandatory: Name"}}}));
    assert_eq!(refusal(&dutch().await, "{}").await, business("Verplicht: Naam"));
    let id = company.create(r#"{"Name":"Acme"}"#).await;
    assert_eq!(company.put(&id, r#"{"Name":null}"#).await.error(), business("Mandatory: Name"));
}

#[tokio::test]
async fn several_business_errors_come_in_one_text() {
    let company = dutch().await;
    let body = r#"{"Parent":"00000000-0000-0000-0000-000000000001","Status":"Z"}"#;
    let expected = "Verplicht: Naam\r\nOngeldige referentie: Hoofdrelatie\r\nOngeldig: Status";
    assert_eq!(refusal(&company, body).await, business(expected));
}

#[tokio::test]
async fn a_code_is_unique_padded_and_assigned_when_absent() {
    let company = Company::open().await;
    let first = company.create(r#"{"Name":"A","Code":"41"}"#).await;
    assert_eq!(company.account(&first).await["Code"], json!("                41"));
    let second = company.create(r#"{"Name":"B"}"#).await;
    assert_eq!(company.account(&second).await["Code"], json!("                42"));
    assert_eq!(refusal(&company, r#"{"Name":"C","Code":"41"}"#).await, business("Data already exists"));
    assert_eq!(company.put(&second, r#"{"Code":" 41"}"#).await.error(), business("Data already exists"));
    assert_eq!(company.put(&first, r#"{"Code":"41"}"#).await.status, 204);
    assert_eq!(refusal(&company, r#"{"Name":"D","Code":"A1"}"#).await, business("Invalid: Code"));
    assert_eq!(refusal(&dutch().await, r#"{"Name":"D","Code":"x"}"#).await, business("Ongeldig: Code"));
    let other = dutch().await;
    other.create(r#"{"Name":"A","Code":"1"}"#).await;
    assert_eq!(refusal(&other, r#"{"Name":"B","Code":"1"}"#).await, business("Gegeven bestaat reeds."));
}

#[tokio::test]
async fn references_must_lead_somewhere() {
    let company = Company::open().await;
    let parent = company.create(r#"{"Name":"Parent"}"#).await;
    let manager = company.running.human_id;
    let body = format!(
        r#"{{"Name":"Child","Parent":"{parent}","AccountManager":"{manager}","InvoiceAccount":"{parent}"}}"#
    );
    let child = company.create(&body).await;
    let record = company.account(&child).await;
    assert_eq!(record["AccountManagerFullName"], json!("Bea Boekhouder"));
    assert_eq!(record["InvoiceAccountName"], json!("Parent"));
    assert_eq!(record["InvoiceAccountCode"], json!("                 1"));
    for (property, label) in [
        ("Parent", "Parent"),
        ("AccountManager", "Account manager"),
        ("InvoiceAccount", "Invoice to"),
        ("MainContact", "Main contact"),
    ] {
        let body = format!(r#"{{"Name":"X","{property}":"00000000-0000-0000-0000-000000000001"}}"#);
        assert_eq!(refusal(&company, &body).await, business(&format!("Invalid reference: {label}")));
    }
}

#[tokio::test]
async fn an_account_in_use_is_not_deleted() {
    let company = dutch().await;
    let parent = company.create(r#"{"Name":"Parent"}"#).await;
    let child = company.create(&format!(r#"{{"Name":"Child","Parent":"{parent}"}}"#)).await;
    let refused = company.delete(&parent).await;
    assert_eq!(refused.error(), business("Kan niet verwijderen: Relatie - Gebruikt in: Relaties"));
    assert_eq!(company.delete(&child).await.status, 204);
    let deleted = company.delete(&parent).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(company.delete(&parent).await.status, 404);
    assert_eq!(company.put(&parent, "{}").await.status, 404);
}

#[tokio::test]
async fn a_currency_that_is_unknown_is_stored_as_empty() {
    let company = Company::open().await;
    let id = company.create(r#"{"Name":"A","SalesCurrency":"USD"}"#).await;
    assert_eq!(company.account(&id).await["SalesCurrencyDescription"], json!("US dollar"));
    assert_eq!(company.put(&id, r#"{"SalesCurrency":"XXX"}"#).await.status, 204);
    assert_eq!(company.account(&id).await["SalesCurrency"], json!(null));
}

#[tokio::test]
async fn a_state_must_belong_to_the_country() {
    let company = Company::open().await;
    let id = company.create(r#"{"Name":"A","Country":"NL","State":"ZH"}"#).await;
    let record = company.account(&id).await;
    assert_eq!(
        (&record["StateName"], &record["CountryName"]),
        (&json!("Zuid-Holland"), &json!("Netherlands"))
    );
    let wrong = business("Invalid reference: State");
    assert_eq!(refusal(&company, r#"{"Name":"B","Country":"BE","State":"ZH"}"#).await, wrong);
    assert_eq!(refusal(&company, r#"{"Name":"B","State":"ZH"}"#).await, wrong);
    assert_eq!(company.put(&id, r#"{"Country":"BE"}"#).await.error(), wrong);
    assert_eq!(company.put(&id, r#"{"Country":"BE","State":"ANT"}"#).await.status, 204);
}

#[tokio::test]
async fn codes_of_country_language_condition_and_status_are_checked() {
    let company = Company::open().await;
    for (body, text) in [
        (r#"{"Name":"A","Country":"XX"}"#, "Invalid reference: Country"),
        (r#"{"Name":"A","Country":"nl"}"#, "Invalid reference: Country"),
        (r#"{"Name":"A","Language":"XX"}"#, "Invalid reference: Language"),
        (r#"{"Name":"A","PaymentConditionSales":"77"}"#, "Invalid reference: Payment condition"),
        (r#"{"Name":"A","SalesVATCode":"77"}"#, "Invalid reference: VAT code"),
        (r#"{"Name":"A","Status":"X"}"#, "Invalid: Status"),
    ] {
        assert_eq!(refusal(&company, body).await, business(text), "{body}");
    }
    let id = company.create(r#"{"Name":"A"}"#).await;
    assert_eq!(company.account(&id).await["Status"], json!("A"));
    company.put(&id, r#"{"Status":"C"}"#).await;
    assert_eq!(company.account(&id).await["IsSales"], json!(true));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_by_name() {
    let company = Company::open().await;
    for (property, label, most) in [
        ("Name", "Name", 50),
        ("VATNumber", "VAT number", 35),
        ("ChamberOfCommerce", "Chamber of Commerce", 60),
        ("Email", "E-mail", 128),
        ("Code", "Code", 18),
    ] {
        let id = company.create(r#"{"Name":"A"}"#).await;
        let body = |length: usize| format!(r#"{{"{property}":"{}"}}"#, "1".repeat(length));
        assert_eq!(company.put(&id, &body(most)).await.status, 204, "{property}");
        let refused = company.put(&id, &body(most + 1)).await;
        assert_eq!(refused.error(), business(&format!("Too long: {label}")));
        assert_eq!(company.delete(&id).await.status, 204);
    }
    assert_eq!(post(&company, &format!(r#"{{"Name":"{}"}}"#, "é".repeat(50))).await.status, 201);
}

#[tokio::test]
async fn unknown_and_read_only_properties_are_refused() {
    let company = Company::open().await;
    assert_eq!(post(&company, r#"{"Name":"A","Nothing":1}"#).await.status, 400);
    assert_eq!(post(&company, r#"{"Name":"A","Timestamp":1}"#).await.status, 400);
    let id = company.create(r#"{"Name":"A"}"#).await;
    for body in [
        r#"{"Modified":"2026-01-01T00:00:00"}"#,
        r#"{"AccountManagerFullName":"x"}"#,
        r#"{"CountryName":null}"#,
        r#"{"StatusSince":"2026-01-01T00:00:00"}"#,
        r#"{"BankAccounts":[]}"#,
        r#"{"ID":"00000000-0000-0000-0000-000000000001"}"#,
    ] {
        let answer = company.put(&id, body).await;
        assert_eq!(answer.status, 500, "{body}");
        assert!(answer.message().starts_with("Invalid: "), "{answer:?}");
    }
    assert_eq!(
        company.put(&id, r#"{"IsSales":true}"#).await.status,
        204,
        "clients send it and are let through"
    );
    assert_eq!(company.account(&id).await["IsSales"], json!(false));
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_a_bad_request() {
    let company = Company::open().await;
    for (property, value, edm) in [
        ("Parent", r#""""#, "Guid"),
        ("Parent", "1", "Guid"),
        ("Blocked", "1", "Boolean"),
        ("Blocked", r#""true""#, "Boolean"),
        ("IsAgency", "true", "Byte"),
        ("IsAgency", "256", "Byte"),
        ("IncotermVersionSales", "40000", "Int16"),
        ("SecurityLevel", "1.5", "Int32"),
        ("CreditLineSales", r#""1,00""#, "Double"),
        ("Name", "1", "String"),
        ("StartDate", r#""soon""#, "DateTime"),
        ("StartDate", r#""/Date(0)/""#, "DateTime"),
    ] {
        let answer = post(&company, &format!(r#"{{"Name":"A","{property}":{value}}}"#)).await;
        let expected = format!(
            "Error processing request stream. Error encountered in converting the value from request payload for \
             property '{property}' to type '{edm}', which is the property's expected type. See inner exception for \
             more detail."
        );
        if property != "Name" {
            assert_eq!(answer.error(), (400, expected), "{property} {value}");
        }
        assert_eq!(answer.status, 400);
    }
    for body in ["[]", "7", "", "{", r#"[{"Name":"A"}]"#] {
        let text =
            "Error processing request stream. The request should be a valid top-level resource object.";
        assert_eq!(refusal(&company, body).await, (400, text.to_owned()), "{body}");
    }
}

#[tokio::test]
async fn numbers_stay_exact() {
    let company = Company::open().await;
    let id =
        company.create(r#"{"Name":"A","CreditLineSales":12345678901234567.89,"DiscountSales":0.1}"#).await;
    let answer =
        company.get(&format!("crm/Accounts(guid'{id}')?$select=CreditLineSales,DiscountSales")).await;
    assert!(answer.text.contains("12345678901234567.89"), "{}", answer.text);
    assert!(answer.text.contains("0.1"));
    company.put(&id, r#"{"CreditLineSales":1e3,"DiscountSales":5.50}"#).await;
    let record = company.account(&id).await;
    assert_eq!((&record["CreditLineSales"], &record["DiscountSales"]), (&json!(1000), &json!(5.5)));
}

#[tokio::test]
async fn dates_are_wall_clock_and_an_instant_is_shifted() {
    let company = Company::open().await;
    let id = company.create(r#"{"Name":"A"}"#).await;
    for (given, expected) in [
        ("2016-02-18T00:00:00", "/Date(1455753600000)/"),
        ("2016-02-18", "/Date(1455753600000)/"),
        ("02/18/2016 00:00:00", "/Date(1455753600000)/"),
        ("2016-02-18T00:00:00Z", "/Date(1455757200000)/"),
        ("2016-07-18T00:00:00Z", "/Date(1468807200000)/"),
        ("2016-02-18T00:00:00+01:00", "/Date(1455753600000)/"),
    ] {
        company.put(&id, &format!(r#"{{"StartDate":"{given}"}}"#)).await;
        assert_eq!(company.account(&id).await["StartDate"], json!(expected), "{given}");
    }
}

#[tokio::test]
async fn texts_are_stored_in_the_rendition_that_was_asked_for() {
    let company = Company::open().await;
    let control = company.control();
    control.normalise("Email", Some(Rendition::Lower)).unwrap();
    control.normalise("City", Some(Rendition::Upper)).unwrap();
    control.normalise("Phone", Some(Rendition::Trim)).unwrap();
    assert!(control.normalise("Nothing", None).is_err());
    let id = company.create(r#"{"Name":"A","Email":"A@B.nl","City":"Delft","Phone":" 1 2 "}"#).await;
    let record = company.account(&id).await;
    assert_eq!(
        (&record["Email"], &record["City"], &record["Phone"]),
        (&json!("a@b.nl"), &json!("DELFT"), &json!("1 2"))
    );
    control.normalise("City", None).unwrap();
    company.put(&id, r#"{"City":"Delft"}"#).await;
    assert_eq!(company.account(&id).await["City"], json!("Delft"));
}

#[tokio::test]
async fn an_empty_text_is_stored_as_nothing_or_kept_by_a_switch() {
    for (empty_text_is_null, expected) in [(true, Value::Null), (false, json!(""))] {
        let switches = Switches { empty_text_is_null, ..Switches::default() };
        let company = Company::open_with(switched(switches)).await;
        let id = company.create(r#"{"Name":"A","City":""}"#).await;
        assert_eq!(company.account(&id).await["City"], expected);
    }
}

#[tokio::test]
async fn a_write_must_be_json() {
    let company = Company::open().await;
    let request = company.http.post(company.url("crm/Accounts")).bearer_auth(&company.token);
    let request = request.header("Accept", "application/json").header("Content-Type", "text/plain");
    assert_eq!(reply(request.body(r#"{"Name":"A"}"#)).await.status, 415);
}

#[tokio::test]
async fn a_write_without_the_right_is_forbidden() {
    let company = Company::open().await;
    let missing_rights = vec!["*".to_owned()];
    company.control().set_switches(Switches { missing_rights, ..Switches::default() });
    assert_eq!(refusal(&company, r#"{"Name":"A"}"#).await, (403, "Forbidden".to_owned()));
}
