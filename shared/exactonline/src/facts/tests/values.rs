use contract::json::read_properties;
use mapping::{LinePut, Put};
use model::RecordId;

use super::entity;

const GUID: &str = "71b9c4a0-0f4b-4d0c-8b6d-0123456789ab";

fn told(name: &str, put: &Put, creating: bool) -> Vec<String> {
    entity(name).check(put, creating).iter().map(ToString::to_string).collect()
}

fn put(json: &str) -> Put {
    Put { properties: read_properties(&json.replace("GUID", GUID)).unwrap(), lines: Vec::new() }
}

fn change(name: &str, json: &str) -> Vec<String> {
    told(name, &put(json), false)
}

fn create(name: &str, json: &str) -> Vec<String> {
    told(name, &put(json), true)
}

#[track_caller]
fn assert_told(told: &[String], words: &str) {
    assert!(told.len() == 1 && told[0].contains(words), "{told:?}");
}

#[test]
fn what_fits_is_let_through() {
    let account = r#"{"Name":"Acme 👩‍🚀 שלום\r\n\t","Code":"                25","AccountManager":"GUID","Blocked":true,
        "CreditLineSales":1234567890.123456789,"IsMailing":1,"EndDate":"2026-01-31T00:00:00","InvoicingMethod":-5,
        "Parent":null,"StartDate":"2026-01-31"}"#;
    assert_eq!(create("accounts", account), Vec::<String>::new());
    assert_eq!(change("accounts", account), Vec::<String>::new());
    assert_eq!(change("accounts", "{}"), Vec::<String>::new());
}

#[test]
fn what_does_not_fit_is_told_by_the_name_of_its_property_alone() {
    assert_told(&change("accounts", r#"{"CreditLineSales":"secret"}"#), "CreditLineSales must be a number");
    assert_told(&change("accounts", r#"{"Phone":12}"#), "Phone must be a text");
    assert_told(&change("accounts", r#"{"Blocked":1}"#), "Blocked must be true or false");
    assert_told(&change("accounts", r#"{"Parent":"x') or true"}"#), "Parent is no id of Exact's");
    assert_told(
        &change("accounts", r#"{"IsMailing":256}"#),
        "IsMailing must be a whole number from 0 to 255",
    );
    assert_told(&change("accounts", r#"{"IncotermVersionSales":-32769}"#), "from -32768 to 32767");
    assert_told(&change("accounts", r#"{"SecurityLevel":1.5}"#), "SecurityLevel must be a whole number");
    assert_told(
        &change("accounts", r#"{"SecurityLevel":79228162514264337593543950335}"#),
        "must be a whole number",
    );
    for moment in ["2026-01-31T00:00:00Z", "2026-01-31T00:00:00+01:00", "31-01-2026", "2026-02-30", "soon"] {
        assert_told(
            &change("accounts", &format!(r#"{{"EndDate":"{moment}"}}"#)),
            "EndDate is no date as Exact takes it",
        );
    }
    assert_told(&change("accounts", r#"{"City":"a\u0000b"}"#), "City has the character U+0000");
    assert_told(&change("accounts", r#"{"City":"a\uffffb"}"#), "City has the character U+FFFF");
    assert_told(&change("accounts", r#"{"Nonsense":1}"#), "Nonsense is no property of Exact's");
    assert_told(&change("accounts", r#"{"Modified":"2026-01-31"}"#), "Modified can only be read");
    let long = format!(r#"{{"Name":"{}👩"}}"#, "x".repeat(49));
    assert_told(&change("accounts", &long), "Name has 51 characters, and Exact takes 50");
    let told = change("accounts", r#"{"Phone":"secret\u0007","CreditLineSales":"secret"}"#);
    assert!(told.len() == 2 && !told.join(" ").contains("secret"), "{told:?}");
}

#[test]
fn what_is_mandatory_is_there_and_stays_there() {
    assert_told(&create("accounts", r#"{"City":"Gent"}"#), "Name is mandatory and is empty");
    assert_told(&change("accounts", r#"{"Name":"  "}"#), "Name is mandatory and is empty");
    assert_told(&change("accounts", r#"{"Name":null}"#), "Name is mandatory and is empty");
    assert_told(&create("contacts", r#"{"Account":"GUID"}"#), "one of FirstName or LastName is mandatory");
    assert_eq!(create("contacts", r#"{"Account":"GUID","LastName":"x"}"#), Vec::<String>::new());
    assert_told(&change("contacts", r#"{"FirstName":null,"LastName":null}"#), "one of FirstName or LastName");
    // The other name may be there.
    assert_eq!(change("contacts", r#"{"FirstName":null}"#), Vec::<String>::new());
}

#[test]
fn what_is_fixed_is_given_at_first_only() {
    assert_told(&change("contacts", r#"{"Account":"GUID"}"#), "Account can't be changed in Exact");
    assert_told(
        &change("items", r#"{"CostPriceStandard":1}"#),
        "CostPriceStandard can't be changed in Exact",
    );
    assert_eq!(
        create("items", r#"{"Code":"a","Description":"b","CostPriceStandard":1}"#),
        Vec::<String>::new()
    );
}

#[test]
fn the_lines_of_a_new_document_are_held_to_facts_too() {
    let order =
        |lines: &str| create("salesorders", &format!(r#"{{"OrderedBy":"GUID","SalesOrderLines":{lines}}}"#));
    assert_eq!(order(r#"[{"Item":"GUID","Quantity":-1.5}]"#), Vec::<String>::new());
    assert_told(&order("[]"), "SalesOrderLines is empty, and Exact takes no document without a line");
    assert_told(&create("salesorders", r#"{"OrderedBy":"GUID"}"#), "SalesOrderLines is empty");
    assert_told(&order(r#"[{"Quantity":1}]"#), "SalesOrderLines.Item is mandatory and is empty");
    assert_told(&order(r#"[{"Item":"GUID","LineNumber":1}]"#), "SalesOrderLines.LineNumber can only be read");
    assert_told(&order("[7]"), "SalesOrderLines has a number in place of a line");
    // Not yet listed, but beside the document.
    let mut put = put(r#"{"OrderedBy":"GUID"}"#);
    put.lines = vec![LinePut::Add(read_properties(&format!(r#"{{"Item":"{GUID}"}}"#)).unwrap())];
    assert_eq!(told("salesorders", &put, true), Vec::<String>::new());
}

#[test]
fn a_line_that_changes_or_comes_is_held_to_facts_and_one_that_goes_is_not() {
    let id = RecordId::parse(GUID).unwrap();
    let line = |json: &str| read_properties(json).unwrap();
    let lines = |lines: Vec<LinePut>| told("quotations", &Put { lines, ..Put::default() }, false);
    assert_eq!(lines(vec![LinePut::Remove { id: id.clone() }]), Vec::<String>::new());
    assert_told(&lines(vec![LinePut::Add(line(r#"{"Quantity":1}"#))]), "QuotationLines.Item is mandatory");
    let changed = |json: &str| lines(vec![LinePut::Change { id: id.clone(), properties: line(json) }]);
    assert_eq!(changed(r#"{"Quantity":1}"#), Vec::<String>::new());
    assert_told(&changed(r#"{"Quantity":"1"}"#), "QuotationLines.Quantity must be a number");
    assert_told(&changed(r#"{"Item":null}"#), "QuotationLines.Item is mandatory");
}

#[test]
fn a_sales_price_fits_where_its_own_record_takes_it() {
    let item = r#"{"Code":"A","Description":"B","StandardSalesPrice":9.95}"#;
    assert_eq!(create("items", item), Vec::<String>::new());
    assert_eq!(change("items", r#"{"StandardSalesPrice":null}"#), Vec::<String>::new());
    assert_told(&change("items", r#"{"StandardSalesPrice":"9"}"#), "StandardSalesPrice must be a number");
    assert_told(&change("items", r#"{"Stock":9}"#), "Stock can only be read in Exact");
}
