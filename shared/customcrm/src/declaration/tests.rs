#![allow(clippy::unwrap_used)]

use super::Declaration;

/// A declaration that can work and says no more than it must.
const LEAST: &str = r#"
crm = "Least"
[authentication]
scheme = "none"
[record]
id = "id"
[paging]
style = "none"
size = 100
[collections.customers]
path = "customers"
"#;

fn problems(text: &str) -> Vec<String> {
    let problems = Declaration::parse("crm.toml", text).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

/// What is said of the least declaration with something in it replaced.
#[track_caller]
fn refused(from: &str, to: &str) -> String {
    assert!(LEAST.contains(from), "{from}");
    let problems = problems(&LEAST.replacen(from, to, 1));
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems[0].clone()
}

#[test]
fn every_shipped_declaration_can_work() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/customcrm");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(problems(&text), Vec::<String>::new(), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 0, "no declaration is shipped");
}

#[test]
fn the_shipped_schema_is_that_of_the_reader() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/customcrm/customcrm.schema.json");
    assert_eq!(
        std::fs::read_to_string(file).unwrap(),
        super::schema(),
        "print it anew: tandem schema customcrm"
    );
}

#[test]
fn the_least_declaration_can_work() {
    assert_eq!(problems(LEAST), Vec::<String>::new());
}

#[test]
fn a_collection_without_an_id_is_refused() {
    let said = refused("id = \"id\"", "version = \"version\"");
    assert!(said.contains("the key \"id\" is missing: add where a record's id stands"), "{said}");
}

#[test]
fn an_incremental_read_without_a_time_is_refused() {
    let said = refused("[paging]", "[incremental]\nparameter = \"since\"\n[paging]");
    assert!(said.contains("no record tells when it was changed: add modified_at"), "{said}");
}

#[test]
fn counted_pages_of_a_list_without_order_are_refused() {
    let text = LEAST
        .replace("id = \"id\"", "id = \"id\"\nmodified_at = \"at\"")
        .replace("style = \"none\"", "style = \"offset\"\nparameter = \"offset\"")
        .replace("[paging]", "[incremental]\nparameter = \"since\"\nordered = false\n[paging]");
    let problems = problems(&text);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].contains("are passed over"), "{problems:?}");
}

#[test]
fn a_lock_without_a_version_is_refused() {
    let said = refused("crm = \"Least\"", "crm = \"Least\"\nlock = \"if-match\"");
    assert!(said.contains("add version here, or leave lock out"), "{said}");
}

#[test]
fn a_user_of_whom_no_record_tells_is_refused() {
    let said = refused("[record]", "[user]\nis = \"7\"\n[record]");
    assert!(said.contains("add modified_by to [record]"), "{said}");
}

#[test]
fn a_key_that_says_nothing_is_refused() {
    let said = refused("scheme = \"none\"", "scheme = \"bearer\"\nheader = \"X-Key\"");
    assert!(said.starts_with("crm.toml:5:"), "{said}");
    assert!(said.contains("\"header\" says nothing with this scheme: leave it out"), "{said}");
}

#[test]
fn a_key_that_a_style_needs_is_asked_for() {
    let said = refused("style = \"none\"", "style = \"page\"");
    assert!(said.contains("the key \"parameter\" is missing"), "{said}");
    let said = refused("scheme = \"none\"", "scheme = \"client-credentials\"");
    assert!(said.contains("the key \"token_path\" is missing"), "{said}");
}

#[test]
fn a_time_that_cannot_be_written_is_refused() {
    let said = refused("id = \"id\"", "id = \"id\"\nmodified_at = \"at\"\ntime = \"iso\"");
    assert!(said.contains("no time can be written so"), "{said}");
}

#[test]
fn a_template_names_what_it_may_and_what_it_must() {
    let said = refused("[paging]", "[search]\nparameter = \"q\"\nvalue = \"{property}={worth}\"\n[paging]");
    assert!(said.contains("{worth} is unknown here: known are {property}, {value}"), "{said}");
    let said = refused("[paging]", "[search]\nparameter = \"q\"\n[paging]");
    assert!(said.contains("{property} is missing"), "{said}");
}

#[test]
fn lines_of_a_collection_of_their_own_need_a_search() {
    let lines = "path = \"customers\"\nlines = { style = \"children\", property = \"Lines\", id = \"LineId\", path = \"lines\", parent = \"of\" }";
    let said = refused("path = \"customers\"", lines);
    assert!(said.contains("add [search]"), "{said}");
}

#[test]
fn all_that_is_wrong_is_told_at_once_in_the_order_of_the_file() {
    let text = LEAST
        .replace("scheme = \"none\"", "scheme = \"none\"\nscope = \"all\"")
        .replace("style = \"none\"", "style = \"cursors\"")
        .replace(
            "[collections.customers]",
            "[errors]\nstatuses = { \"200\" = \"gone\" }\n[collections.customers]",
        );
    let problems = problems(&text.replace("cursors", "cursor"));
    let lines: Vec<u32> =
        problems.iter().map(|problem| problem.split(':').nth(1).unwrap().parse().unwrap()).collect();
    assert!(problems.len() >= 4 && lines.is_sorted(), "{problems:#?}");
    let unknown = self::problems(&text);
    assert!(unknown.iter().any(|problem| problem.contains("did you mean \"cursor\"?")), "{unknown:#?}");
}
