//! The document as Markdown.

use super::{COLUMNS, Dataflow, Section, TITLE, out};

pub(super) fn print(document: &Dataflow) -> String {
    let mut page = String::new();
    let (date, reading) = (document.date, document.reading.name());
    out(&mut page, format_args!("# {TITLE}\n\nDate: {date}  \nReading: {reading}\n\n"));
    for section in &document.sections {
        print_section(&mut page, section);
    }
    page
}

fn print_section(page: &mut String, section: &Section) {
    out(page, format_args!("## {}\n\nPair {}.", escaped(&section.title), literal(&section.name)));
    if !section.summary.is_empty() {
        out(page, format_args!(" {}", escaped(&section.summary)));
    }
    page.push_str("\n\n");
    for (label, text) in &section.facts {
        out(page, format_args!("- **{label}**: {}\n", escaped(text)));
    }
    out(page, format_args!("\n| {} |\n|{}\n", COLUMNS.join(" | "), " --- |".repeat(COLUMNS.len())));
    for row in &section.rows {
        out(page, format_args!("| {} |\n", row.cells(literal, escaped).join(" | ")));
    }
    page.push('\n');
}

/// A name as it is written; with a mark in it that a table or a literal can't hold, as escaped text.
fn literal(text: &str) -> String {
    if text.contains(['`', '|']) { escaped(text) } else { format!("`{text}`") }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '`' | '_' | '|' | '[' | ']' | '<' | '>' | '#' | '~') {
            escaped.push('\\');
        }
        escaped.push(if c.is_control() { ' ' } else { c });
    }
    escaped
}
