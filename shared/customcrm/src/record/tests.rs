#![allow(clippy::unwrap_used)]

use contract::json::read_properties;
use mapping::LinePut;
use model::{Content, Properties};

use super::record;
use crate::{Declaration, declaration::Collection};

/// Of a CRM of which answers are as told.
fn orders(answer: &str) -> Collection {
    let text = format!(
        r#"
crm = "Test"
[authentication]
scheme = "none"
[answer]
{answer}
[record]
id = "id"
[paging]
style = "none"
size = 100
[collections.orders]
path = "orders"
lines = {{ style = "whole", property = "Lines", id = "LineId" }}
"#
    );
    let kept = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let declaration = Declaration::parse("crm.toml", &text).unwrap();
    let declaration = declaration.keeping("orders", kept(&["Name", "Notes"]), kept(&["LineId", "Unit"]));
    declaration.collections["orders"].clone()
}

fn read(collection: &Collection, json: &str) -> Properties {
    record(collection, read_properties(json).unwrap(), None).unwrap().properties
}

const ORDER: &str = r#"{"id":"1","Name":"Bolts","Lines":[{"LineId":"a","Quantity":1}]}"#;

#[test]
fn what_is_left_out_is_empty_where_the_crm_leaves_out_what_is_empty() {
    let orders = orders("leaves_out_empty = true");
    let lines = r#"[{"LineId":"a","Quantity":1,"Unit":null}]"#;
    let whole = format!(r#"{{"id":"1","Name":"Bolts","Notes":null,"Lines":{lines}}}"#);
    assert_eq!(read(&orders, ORDER), read_properties(&whole).unwrap());
    let without_lines = r#"{"id":"1","Name":null,"Notes":null,"Lines":[]}"#;
    assert_eq!(read(&orders, r#"{"id":"1"}"#), read_properties(without_lines).unwrap());
}

#[test]
fn what_is_left_out_is_not_there_where_the_crm_tells_what_is_empty() {
    let told = read_properties(ORDER).unwrap();
    assert_eq!(read(&orders(""), ORDER), told);
}

#[test]
fn lines_that_are_sent_whole_leave_out_what_was_left_out() {
    let orders = orders("leaves_out_empty = true");
    let present = read(&orders, ORDER);
    let added = LinePut::Add(read_properties(r#"{"LineId":"b","Unit":"pc"}"#).unwrap());
    let list = orders.lines.unwrap().applied(present.get("Lines"), &[added]);
    let expected = read_properties(r#"{"Lines":[{"LineId":"a","Quantity":1},{"LineId":"b","Unit":"pc"}]}"#);
    assert_eq!(Some(&Content::List(list)), expected.unwrap().get("Lines"));
}
