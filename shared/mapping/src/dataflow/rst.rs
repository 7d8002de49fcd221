//! The document as `reStructuredText`.

use super::{COLUMNS, Dataflow, Section, TITLE, out};

pub(super) fn print(document: &Dataflow) -> String {
    let mut page = String::new();
    heading(&mut page, TITLE, '=');
    out(&mut page, format_args!(":Date: {}\n:Reading: {}\n\n", document.date, document.reading.name()));
    for section in &document.sections {
        print_section(&mut page, section);
    }
    page
}

fn print_section(page: &mut String, section: &Section) {
    heading(page, &section.title, '-');
    out(page, format_args!("Pair {}.", literal(&section.name)));
    if !section.summary.is_empty() {
        out(page, format_args!(" {}", escaped(&section.summary)));
    }
    page.push_str("\n\n");
    for (label, text) in &section.facts {
        out(page, format_args!(":{label}: {}\n", escaped(text)));
    }
    page.push_str("\n.. list-table::\n   :header-rows: 1\n   :widths: 22 22 16 12 28\n\n");
    print_row(page, &COLUMNS.map(ToOwned::to_owned));
    for row in &section.rows {
        print_row(page, &row.cells(literal, escaped));
    }
    page.push('\n');
}

fn print_row(page: &mut String, cells: &[String; 5]) {
    for (at, cell) in cells.iter().enumerate() {
        let bullet = if at == 0 { "   * -" } else { "     -" };
        let line = format!("{bullet} {cell}");
        out(page, format_args!("{}\n", line.trim_end()));
    }
}

/// A heading; its underline is twice its characters, because some take two columns.
fn heading(page: &mut String, text: &str, mark: char) {
    let underline: String = std::iter::repeat_n(mark, text.chars().count() * 2).collect();
    out(page, format_args!("{}\n{underline}\n\n", escaped(text)));
}

/// A name as it is written; with a backtick in it, as escaped text.
fn literal(text: &str) -> String {
    let is_plain = !text.is_empty() && !text.contains('`') && text.trim() == text;
    if is_plain { format!("``{text}``") } else { escaped(text) }
}

/// Every mark of the format is taken for itself: a backslash before it, at the beginning before anything at all that
/// is no letter.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let opens = at == 0 && !c.is_alphabetic() && !c.is_whitespace();
        if opens || matches!(c, '\\' | '*' | '`' | '_' | '|' | '[' | ']' | '<' | '>' | ':') {
            escaped.push('\\');
        }
        escaped.push(if c.is_control() { ' ' } else { c });
    }
    escaped
}
