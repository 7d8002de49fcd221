use reqwest::Method;
use serde_json::json;
use simulator_exactonline::{Language, Switches};

use crate::company::{Company, business, switched};

const CONTACTS: &str = "crm/Contacts";

async fn with_account() -> (Company, String) {
    let company = Company::open().await;
    let account = company
        .create(r#"{"Name":"Acme","Status":"C","AddressLine1":"Oude Delft 1","City":"Delft","Country":"NL"}"#)
        .await;
    (company, account)
}

fn person(account: &str, rest: &str) -> String {
    format!(r#"{{"Account":"{account}"{rest}}}"#)
}

#[tokio::test]
async fn a_contact_belongs_to_an_account_for_good() {
    let (company, account) = with_account().await;
    let other = company.create(r#"{"Name":"Other"}"#).await;
    let missing = company.post_at(CONTACTS, r#"{"LastName":"Jansen"}"#).await;
    assert_eq!(missing.error(), business("Mandatory: Account"));
    let unknown = person("00000000-0000-0000-0000-000000000001", r#","LastName":"Jansen""#);
    let refused = company.post_at(CONTACTS, &unknown).await;
    assert_eq!(refused.error(), business("Invalid reference: Account"));
    let id = company.create_at(CONTACTS, &person(&account, r#","LastName":"Jansen""#)).await;
    let moved = company.put_at(CONTACTS, &id, &person(&other, "")).await;
    assert_eq!(moved.error(), business("Invalid: Account"));
    let contact = company.record_at(CONTACTS, &id).await;
    assert_eq!((&contact["Account"], &contact["AccountName"]), (&json!(account), &json!("Acme")));
    assert_eq!(
        (&contact["AccountIsCustomer"], &contact["Code"]),
        (&json!(true), &json!("                 1"))
    );
}

#[tokio::test]
async fn a_contact_is_no_account() {
    let (company, account) = with_account().await;
    let id = company.create_at(CONTACTS, &person(&account, r#","LastName":"Jansen""#)).await;
    let refused = company.post_at(CONTACTS, &person(&id, r#","LastName":"De Vries""#)).await;
    assert_eq!(refused.error(), business("Invalid reference: Account"));
}

#[tokio::test]
async fn a_first_or_a_last_name_is_needed() {
    let (company, account) = with_account().await;
    for rest in ["", r#","FirstName":"","LastName":null"#, r#","MiddleName":"van","FirstName":"  ""#] {
        let refused = company.post_at(CONTACTS, &person(&account, rest)).await;
        assert_eq!(refused.error(), business("Mandatory: Last name"), "{rest}");
    }
    let id = company.create_at(CONTACTS, &person(&account, r#","FirstName":"Eva""#)).await;
    let emptied = company.put_at(CONTACTS, &id, r#"{"FirstName":null}"#).await;
    assert_eq!(emptied.error(), business("Mandatory: Last name"));
    assert_eq!(company.put_at(CONTACTS, &id, r#"{"FirstName":null,"LastName":"Jansen"}"#).await.status, 204);
    let dutch =
        Company::open_with(switched(Switches { language: Language::Nl, ..Switches::default() })).await;
    let refused = dutch.post_at(CONTACTS, "{}").await;
    assert_eq!(refused.error(), business("Verplicht: Relatie\r\nVerplicht: Achternaam"));
}

#[tokio::test]
async fn the_full_name_is_composed_of_what_is_there() {
    let (company, account) = with_account().await;
    for (rest, expected) in [
        (r#","FirstName":"Eva","MiddleName":"van","LastName":"Dam""#, "Eva van Dam"),
        (r#","LastName":"Dam""#, "Dam"),
        (r#","FirstName":"דנה","LastName":"👩‍🚀""#, "דנה 👩‍🚀"),
    ] {
        let id = company.create_at(CONTACTS, &person(&account, rest)).await;
        assert_eq!(company.record_at(CONTACTS, &id).await["FullName"], json!(expected));
        assert_eq!(
            company.put_at(CONTACTS, &id, r#"{"FullName":"x"}"#).await.error(),
            business("Invalid: FullName")
        );
    }
}

#[tokio::test]
async fn address_and_main_contact_are_the_accounts_and_read_only() {
    let (company, account) = with_account().await;
    let first = company.create_at(CONTACTS, &person(&account, r#","LastName":"First""#)).await;
    let second = company.create_at(CONTACTS, &person(&account, r#","LastName":"Second""#)).await;
    let contact = company.record_at(CONTACTS, &first).await;
    assert_eq!(
        (&contact["AddressStreet"], &contact["City"], &contact["Country"]),
        (&json!("Oude Delft 1"), &json!("Delft"), &json!("NL"))
    );
    assert_eq!((&contact["IsMainContact"], &contact["AccountMainContact"]), (&json!(false), &json!(null)));
    for body in [r#"{"City":"Leiden"}"#, r#"{"IsMainContact":true}"#, r#"{"AddressStreet":null}"#] {
        let refused = company.put_at(CONTACTS, &first, body).await;
        assert_eq!(refused.status, 500, "{body}");
        assert!(refused.message().starts_with("Invalid: "), "{refused:?}");
    }
    assert_eq!(
        company.put(&account, &format!(r#"{{"MainContact":"{second}","City":"Leiden"}}"#)).await.status,
        204
    );
    let contact = company.record_at(CONTACTS, &first).await;
    assert_eq!((&contact["IsMainContact"], &contact["City"]), (&json!(false), &json!("Leiden")));
    let contact = company.record_at(CONTACTS, &second).await;
    assert_eq!((&contact["IsMainContact"], &contact["AccountMainContact"]), (&json!(true), &json!(second)));
}

#[tokio::test]
async fn a_contact_has_its_own_row_version_and_the_account_none_for_it() {
    let (company, account) = with_account().await;
    let id = company.create_at(CONTACTS, &person(&account, r#","LastName":"Jansen""#)).await;
    let accounts = company.feed("CRM/Accounts", "Timestamp").await;
    let before = company.feed("CRM/Contacts", "ID,Timestamp").await;
    assert_eq!(before[0]["ID"], json!(id));
    assert!(before[0]["Timestamp"].as_i64() > accounts[0]["Timestamp"].as_i64());
    company.put_at(CONTACTS, &id, r#"{"Phone":"1"}"#).await;
    let after = company.feed("CRM/Contacts", "Timestamp").await;
    assert!(after[0]["Timestamp"].as_i64() > before[0]["Timestamp"].as_i64());
    assert_eq!(company.feed("CRM/Accounts", "Timestamp").await, accounts);
    let star = company.get("sync/CRM/Contacts?$select=*").await;
    assert_eq!(star.error(), (400, "Bad Request - Error in query syntax.".to_owned()));
    let bulk = company.get("bulk/CRM/Contacts?$select=FullName").await;
    assert_eq!(bulk.column("FullName"), ["Jansen"]);
}

#[tokio::test]
async fn a_list_of_contacts_needs_a_selection_and_a_filter() {
    let (company, account) = with_account().await;
    company.create_at(CONTACTS, &person(&account, r#","LastName":"Jansen","Email":"a@b.nl""#)).await;
    assert_eq!(company.get("crm/Contacts?$filter=Email eq 'a@b.nl'").await.status, 400);
    let refused = company.get("crm/Contacts?$select=ID&$filter=FullName eq 'Jansen'").await;
    assert!(refused.message().starts_with("This endpoint has mandatory filtering applied."), "{refused:?}");
    let found = company.get("crm/Contacts?$select=FullName&$filter=Email eq 'a@b.nl'").await;
    assert_eq!(found.column("FullName"), ["Jansen"]);
    let own = format!("crm/Contacts?$select=FullName&$filter=Account eq guid'{account}'");
    assert_eq!(company.get(&own).await.results().len(), 1);
}

#[tokio::test]
async fn a_main_contact_is_in_use_and_an_account_takes_its_contacts_with_it() {
    let (company, account) = with_account().await;
    let id = company.create_at(CONTACTS, &person(&account, r#","LastName":"Jansen""#)).await;
    let gone = company.create_at(CONTACTS, &person(&account, r#","LastName":"Gone""#)).await;
    company.put(&account, &format!(r#"{{"MainContact":"{id}"}}"#)).await;
    let refused = company.delete_at(CONTACTS, &id).await;
    assert_eq!(refused.error(), business("Cannot delete: Contact - Used in: Accounts"));
    assert_eq!(company.delete_at(CONTACTS, &gone).await.status, 204);
    assert_eq!(company.delete(&account).await.status, 204);
    assert_eq!(company.send(Method::GET, &format!("crm/Contacts(guid'{id}')"), "").await.status, 404);
    assert_eq!(company.deleted().await, [(5, gone), (5, id), (2, account)]);
}

#[tokio::test]
async fn codes_of_title_language_and_gender_are_checked_and_numbers_are_given_out() {
    let (company, account) = with_account().await;
    for (rest, text) in [
        (r#","LastName":"A","Title":"KING""#, "Invalid reference: Title"),
        (r#","LastName":"A","Language":"XX""#, "Invalid reference: Language"),
        (r#","LastName":"A","Gender":"X""#, "Invalid: Gender"),
        (
            r#","LastName":"A","IdentificationUser":"00000000-0000-0000-0000-000000000001""#,
            "Invalid reference: IdentificationUser",
        ),
    ] {
        assert_eq!(
            company.post_at(CONTACTS, &person(&account, rest)).await.error(),
            business(text),
            "{rest}"
        );
    }
    let id =
        company.create_at(CONTACTS, &person(&account, r#","LastName":"A","Title":"DHR","HID":41"#)).await;
    let contact = company.record_at(CONTACTS, &id).await;
    assert_eq!(
        (&contact["TitleDescription"], &contact["TitleAbbreviation"]),
        (&json!("De heer"), &json!("Dhr."))
    );
    let next = company.create_at(CONTACTS, &person(&account, r#","LastName":"B""#)).await;
    assert_eq!(company.record_at(CONTACTS, &next).await["HID"], json!(42));
    let taken = company.post_at(CONTACTS, &person(&account, r#","LastName":"C","HID":42"#)).await;
    assert_eq!(taken.error(), business("Data already exists"));
    let last = company.create_at(CONTACTS, &person(&account, r#","LastName":"D","HID":2147483647"#)).await;
    let first_free = company.create_at(CONTACTS, &person(&account, r#","LastName":"E""#)).await;
    assert_eq!(company.record_at(CONTACTS, &last).await["HID"], json!(i32::MAX));
    assert_eq!(company.record_at(CONTACTS, &first_free).await["HID"], json!(1));
}

#[tokio::test]
async fn any_person_edits_any_entity_by_hand() {
    let (company, account) = with_account().await;
    let control = company.control();
    let [first, second] = [1, 2].map(|at| control.people()[at].id);
    let id = control.create(CONTACTS, &person(&account, r#","LastName":"Jansen""#), first).unwrap();
    control.change("crm/contacts", id, r#"{"Phone":"1"}"#, second).unwrap();
    let records: serde_json::Value = serde_json::from_str(&control.records(CONTACTS).unwrap()).unwrap();
    assert_eq!(records[0]["Creator"], json!(first.to_string()));
    assert_eq!((&records[0]["Modifier"], &records[0]["Phone"]), (&json!(second.to_string()), &json!("1")));
    let refused = control.create(CONTACTS, "{}", first).unwrap_err().to_string();
    assert!(refused.contains("Mandatory: Account"), "{refused}");
    assert!(control.create(CONTACTS, "{}", uuid::Uuid::nil()).unwrap_err().to_string().contains("no user"));
    assert!(control.records("crm/Nothing").unwrap_err().to_string().contains("no endpoint `crm/Nothing`"));
    assert!(control.delete("users/Users", first, second).unwrap_err().to_string().contains("405"));
    control.delete(CONTACTS, id, second).unwrap();
    assert_eq!(control.records(CONTACTS).unwrap(), "[]");
}
