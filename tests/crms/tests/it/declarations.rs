//! What a declaration says of a CRM here, and what the CRM is.

use std::path::Path;

use crms::{COLLECTIONS, schema};
use toml::{Table, Value};

/// A declaration that is shipped.
fn shipped(file: &str) -> Table {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/customcrm");
    std::fs::read_to_string(folder.join(file)).unwrap().parse().unwrap()
}

/// The names in a list of a table, sorted.
fn names(table: &Value, key: &str) -> Vec<String> {
    let list = table.get(key).and_then(Value::as_array).into_iter().flatten();
    let mut names: Vec<String> = list.map(|name| name.as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn pocketbase_writes_as_texts_the_numbers_that_its_declaration_names() {
    let declaration = shipped("pocketbase.toml");
    let mut declared = Vec::new();
    for (_, collection) in declaration["collections"].as_table().unwrap() {
        declared.extend([Some(collection), collection.get("lines")].into_iter().flatten());
    }
    let path = |table: &Value| table["path"].as_str().unwrap().to_owned();
    assert_eq!(declared.len(), COLLECTIONS.len() + 2, "two of them have lines");
    for collection in &schema::COLLECTIONS {
        let records = format!("{}/records", collection.name);
        let table = declared.iter().find(|table| path(table) == records).unwrap();
        let mut numbers: Vec<String> = collection.numbers().map(str::to_owned).collect();
        numbers.sort();
        assert_eq!(names(table, "numbers_as_texts"), numbers, "{records}");
    }
}
