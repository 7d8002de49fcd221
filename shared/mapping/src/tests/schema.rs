//! The schema that editors use says what the reader takes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ORDER;

fn schema() -> Value {
    serde_json::from_str(&crate::schema()).unwrap()
}

/// Every table that a file may hold, by what it is called in the schema.
fn tables(schema: &Value) -> Vec<(String, &serde_json::Map<String, Value>)> {
    let of_definitions = schema["$defs"].as_object().unwrap().iter();
    let all = of_definitions.map(|(name, table)| (name.clone(), table)).chain([("File".to_owned(), schema)]);
    all.filter_map(|(name, table)| Some((name, table["properties"].as_object()?))).collect()
}

#[test]
fn every_key_is_described_and_no_other_is_allowed() {
    let schema = schema();
    let tables = tables(&schema);
    assert!(tables.len() > 10, "{}", tables.len());
    for (table, keys) in tables {
        let document = schema["$defs"].get(&table).unwrap_or(&schema);
        assert_eq!(document["additionalProperties"], false, "{table}");
        for (key, value) in keys {
            let description = value["description"].as_str().unwrap_or_default();
            assert!(description.len() > 10, "{table}.{key} is not described");
        }
    }
}

#[test]
fn nothing_in_it_is_null_because_toml_has_none() {
    assert!(!crate::schema().contains("null"));
}

#[test]
fn closed_lists_are_enumerated() {
    let schema = schema();
    let words = |name: &str| -> BTreeSet<String> {
        let table = &schema["$defs"][name];
        let listed = table["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let told = table["oneOf"].as_array().into_iter().flatten().filter_map(|word| word["const"].as_str());
        listed.chain(told).map(str::to_owned).collect()
    };
    assert_eq!(words("Kind").len(), 20);
    assert!(words("Kind").contains("active-until"));
    assert_eq!(words("Direction"), ["both", "to-crm", "to-exact"].map(str::to_owned).into());
    assert_eq!(words("Conflict"), ["ask", "crm", "exact", "newest"].map(str::to_owned).into());
    assert_eq!(words("ListWord"), crate::List::ALL.map(|list| list.name().to_owned()).into());
    assert_eq!(words("WrittenToWord"), [crate::WrittenTo::SalesItemPrices.name().to_owned()].into());
    assert_eq!(words("ReadingWord"), crate::Reading::ALL.map(|reading| reading.name().to_owned()).into());
    assert!(words("CrmEntity").contains("users") && words("ExactEntity").contains("quotations"));
}

#[test]
fn the_pair_of_these_tests_has_every_key_of_the_format() {
    let schema = schema();
    for (table, keys) in tables(&schema) {
        for key in keys.keys() {
            let is_there = [
                format!("\n{key} = "),
                format!("{{ {key} = "),
                format!(", {key} = "),
                format!("[{key}]"),
                format!("[[{key}]]"),
                format!(".{key}]"),
            ]
            .iter()
            .any(|form| ORDER.contains(form));
            // Its test adds it, because with it a pair that is kept may be left out.
            let is_added = table == "Through" && key == "optional";
            assert!(is_there || is_added, "{table}.{key}");
        }
    }
}
