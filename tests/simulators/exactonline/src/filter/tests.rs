#![allow(clippy::unwrap_used)]

use rust_decimal::Decimal;
use uuid::Uuid;

use super::{BadFilter, Filter, literals};
use crate::edm::Value;
use crate::schema::shape_of;

const ID: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";

/// One account with a handful of values, everything else empty.
fn record(position: usize) -> Value {
    let text = |text: &str| Value::Text(text.to_owned());
    match shape_of("accounts").properties[position].name.as_str() {
        "ID" => Value::Guid(Uuid::try_parse(ID).unwrap()),
        "Name" => text("O'Brien and Sons (Delft)"),
        "Code" => text("                25"),
        "Email" => text("Office@Obrien.example"),
        "Blocked" => Value::Boolean(false),
        "IsReseller" => Value::Boolean(true),
        "IsAccountant" => Value::Integer(1),
        "DiscountSales" => Value::Double(Decimal::new(55, 3)),
        "Timestamp" => Value::Integer(9_007_199_254_740_993),
        "Modified" => Value::DateTime(1_769_644_800_000),
        _ => Value::Null,
    }
}

fn ask(filter: &str) -> Result<bool, BadFilter> {
    Filter::parse(filter, shape_of("accounts")).map(|filter| filter.holds(false, &record))
}

#[test]
fn a_filter_holds_for_the_records_that_it_describes() {
    let table = [
        ("Name eq 'O''Brien and Sons (Delft)'", true),
        ("Name eq 'o''brien and sons (delft)'", false),
        ("Name ne 'X'", true),
        ("Name gt 'A' and Name lt 'Z'", true),
        ("'A' lt Name", true),
        ("'A' gt Name", false),
        ("Code eq '25'", false),
        ("Code eq '                25'", true),
        ("trim(Code) eq '25'", true),
        ("startswith(trim(Code),'2')", true),
        ("substringof('Sons',Name) eq true", true),
        ("substringof('Sons', Name) eq false", false),
        ("substringof('Daughters',Name)", false),
        ("startswith(Name,'O''B') eq true", true),
        ("endswith(Email,'.example')", true),
        ("endswith(Email,'.example') ne true", false),
        ("ID eq guid'3f2504e0-4f89-11d3-9a0c-0305e82c3301'", true),
        ("ID eq guid'3F2504E0-4F89-11D3-9A0C-0305E82C3301'", true),
        ("ID ne guid'3f2504e0-4f89-11d3-9a0c-0305e82c3301'", false),
        ("Parent eq null", true),
        ("Parent ne null", false),
        ("Parent eq guid'3f2504e0-4f89-11d3-9a0c-0305e82c3301'", false),
        ("CreditLineSales gt 0", false),
        ("CreditLineSales lt 0", false),
        ("Blocked eq false", true),
        ("Blocked", false),
        ("not Blocked", true),
        ("not (Blocked eq false)", false),
        ("IsAccountant eq 1", true),
        ("IsAccountant ge 1 and IsAccountant le 1", true),
        ("DiscountSales eq 0.055", true),
        ("DiscountSales eq 0.055M", true),
        ("DiscountSales gt 0.05", true),
        ("DiscountSales gt -1", true),
        ("Timestamp gt 9007199254740992L", true),
        ("Timestamp gt 9007199254740993L", false),
        ("Timestamp gt 1", true),
        ("Modified ge datetime'2026-01-29T00:00:00'", true),
        ("Modified gt datetime'2026-01-29T00:00:00'", false),
        ("Blocked eq true or IsReseller eq true and IsAccountant eq 0", false),
        ("(Blocked eq true or IsReseller eq true) and IsAccountant eq 1", true),
        ("IsReseller eq true or Blocked eq true and Blocked eq true", true),
        ("((IsReseller eq true)) eq true", true),
        ("  IsReseller   eq   true  ", true),
        ("true", true),
    ];
    for (filter, expected) in table {
        assert_eq!(ask(filter), Ok(expected), "{filter}");
    }
}

#[test]
fn a_filter_outside_the_language_is_refused() {
    let table = [
        "",
        "Name",
        "Name eq",
        "eq 'x'",
        "Name = 'x'",
        "Name eq x",
        "Name eq 'x",
        "Name eq \"x\"",
        "name eq 'x'",
        "Unknown eq 'x'",
        "Name eq Email",
        "Name eq 1",
        "ID eq '3f2504e0-4f89-11d3-9a0c-0305e82c3301'",
        "ID eq guid'not a guid'",
        "IsAccountant eq true",
        "Blocked eq 1",
        "Modified gt datetime'2026-01-29'",
        "Modified gt '2026-01-29T00:00:00'",
        "Modified gt date'2026-01-29T00:00:00'",
        "BankAccounts eq null",
        "BankAccounts/ID eq null",
        "tolower(Name) eq 'x'",
        "trim(IsAccountant) eq '1'",
        "substringof(Name,'x')",
        "startswith('x',Name)",
        "startswith(Name 'x')",
        "(Name eq 'x'",
        "Name eq 'x')",
        "Name eq 'x' Name eq 'y'",
        "Name eq 'x' AND Name eq 'y'",
        "Name EQ 'x'",
        "Timestamp gt 12X",
        "Timestamp gt 99999999999999999999L",
        "not",
        "1",
        "1 eq 1",
        "substringof('a',Name) gt true",
    ];
    for filter in table {
        assert_eq!(ask(filter), Err(BadFilter), "{filter}");
    }
}

#[test]
fn text_compares_without_case_only_where_asked() {
    let filter = Filter::parse("Email eq 'office@OBRIEN.example'", shape_of("accounts")).unwrap();
    assert!(!filter.holds(false, &record));
    assert!(filter.holds(true, &record));
}

#[test]
fn a_skip_token_is_a_list_of_literals() {
    assert_eq!(literals("'it''s',12L").unwrap(), vec![Value::Text("it's".to_owned()), Value::Integer(12)]);
    assert_eq!(literals("Name"), Err(BadFilter));
    assert_eq!(literals("1L 2L"), Err(BadFilter));
}
