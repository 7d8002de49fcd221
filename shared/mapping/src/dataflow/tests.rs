//! The document says what the pairs say, in every format, whatever is written in them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use jiff::civil::{Date, date};

use super::{Dataflow, Format};
use crate::{Pair, Reading};

const DAY: Date = date(2026, 2, 28);

/// A pair whose texts hold every mark that one of the formats could take for its own.
const HOSTILE: &str = r#"
pair = "customer-account"
title = "*Customers* & `accounts` | <b>_both_</b> 客户"
summary = """
- a list? `no`_ .. image:: x
   |pipe| *star* **x** <script>alert(1)</script> :role:`x` trailing\\ [1]_ """
conflict = "crm"
match_keys = ["Name"]
search_own = "Name"

[customcrm]
entity = "customers"
create = true
admits = [{ Kind = ["*", "a|b*`c_"] }]

[exactonline]
entity = "accounts"
create = false

[[property]]
customcrm = "Name"
exactonline = "Name"
edm = "Edm.String"
kind = "text"
max = 50
required = true
note = "- *not* a `list` | <i> _x_"

[[property]]
customcrm = "`Odd_|*name"
exactonline = "Remarks"
edm = "Edm.String"
kind = "text"
direction = "to-crm"
"#;

fn document(text: &str) -> Dataflow {
    let name = Pair::name_in(text).expect("the pair has a name");
    let pair =
        Pair::parse("hostile.toml", text, Reading::Practical, &BTreeSet::from([name])).expect("a pair");
    Dataflow::of(&[pair], Reading::Practical, DAY)
}

#[test]
fn the_document_names_its_day_its_reading_and_each_row_with_type_direction_and_transform() {
    let page = document(HOSTILE).print(Format::Markdown);
    assert!(page.contains("Date: 2026-02-28"), "{page}");
    assert!(page.contains("Reading: practical"), "{page}");
    let row = page.lines().find(|line| line.starts_with("| `Name` | `Name` |")).expect("the row of the name");
    assert!(row.contains("Edm.String") && row.contains("| both |") && row.contains("50"), "{row}");
    assert!(row.contains("required"), "{row}");
    let row = page.lines().find(|line| line.contains("Remarks")).expect("the row of the remarks");
    assert!(row.contains("| to CustomCRM |"), "{row}");
}

#[test]
fn a_pair_that_creates_in_one_system_only_says_so() {
    let page = document(HOSTILE).print(Format::Rst);
    assert!(page.contains(":Created: in CustomCRM only"), "{page}");
}

#[test]
fn what_is_written_in_another_record_of_exact_is_told_with_the_pair() {
    let priced = HOSTILE.replacen("direction = \"to-crm\"", "written_to = \"SalesItemPrices\"", 1);
    let page = document(&priced).print(Format::Rst);
    assert!(page.contains(":Written apart: Remarks, to the record's own SalesItemPrices"), "{page}");
    assert!(!document(HOSTILE).print(Format::Rst).contains("Written apart"));
}

#[test]
fn no_text_of_a_pair_file_becomes_a_tag_of_the_page() {
    let page = document(HOSTILE).print(Format::Html);
    assert!(!page.contains("<script>") && !page.contains("<b>_both_") && !page.contains("<i> "), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
}

#[test]
fn no_text_of_a_pair_file_adds_a_column_to_a_table_of_markdown() {
    let page = document(HOSTILE).print(Format::Markdown);
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 6, "{line}");
    }
}

#[test]
fn docutils_reads_the_document_without_a_warning() {
    let mut shipped = vec![document(HOSTILE)];
    shipped.extend([Reading::Practical, Reading::Literal].map(all_shipped));
    for document in shipped {
        let Some(said) = docutils(&document.print(Format::Rst)) else {
            eprintln!(
                "SKIPPED: python3 with docutils is not installed here (apt-get install python3-docutils)"
            );
            return;
        };
        assert_eq!(said, "");
    }
}

/// The document of the pair files that ship.
fn all_shipped(reading: Reading) -> Dataflow {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/pairs");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).expect("a text")).collect();
    let kept = texts.iter().filter_map(|text| Pair::name_in(text)).collect();
    let parse = |text: &String| Pair::parse("shipped.toml", text, reading, &kept).expect("a pair that ships");
    Dataflow::of(&texts.iter().map(parse).collect::<Vec<_>>(), reading, DAY)
}

/// What docutils complains of; `None` where it is not installed.
fn docutils(page: &str) -> Option<String> {
    let there = Command::new("python3").args(["-c", "import docutils"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return None;
    }
    let program = "from docutils.core import publish_cmdline; \
                   publish_cmdline(writer_name='html', argv=['--report=1', '--halt=5', '--no-raw', '-', '/dev/null'])";
    let mut child = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    child.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("docutils reads the page");
    let output = child.wait_with_output().expect("docutils ends");
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}
