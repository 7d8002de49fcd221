//! The document as one HTML page.

use super::{COLUMNS, Dataflow, Section, TITLE, out};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%}th,td{border:1px solid #ccc;padding:.3rem .6rem;text-align:left;\
vertical-align:top}th{background:#f3f3f3}dt{font-weight:600}";

pub(super) fn print(document: &Dataflow) -> String {
    let mut page = String::new();
    let (date, reading) = (document.date, document.reading.name());
    out(
        &mut page,
        format_args!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{TITLE}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<h1>{TITLE}</h1>\n<p>Date: {date}<br>Reading: {reading}</p>\n"
        ),
    );
    for section in &document.sections {
        print_section(&mut page, section);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn print_section(page: &mut String, section: &Section) {
    let name = escaped(&section.name);
    out(page, format_args!("<h2 id=\"{name}\">{}</h2>\n", escaped(&section.title)));
    out(page, format_args!("<p>Pair <code>{name}</code>. {}</p>\n<dl>\n", escaped(&section.summary)));
    for (label, text) in &section.facts {
        out(page, format_args!("<dt>{label}</dt><dd>{}</dd>\n", escaped(text)));
    }
    page.push_str("</dl>\n<table>\n<thead><tr>");
    for column in COLUMNS {
        out(page, format_args!("<th scope=\"col\">{column}</th>"));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in &section.rows {
        let cells = row.cells(code, escaped).map(|cell| format!("<td>{cell}</td>")).concat();
        out(page, format_args!("<tr>{cells}</tr>\n"));
    }
    page.push_str("</tbody>\n</table>\n");
}

fn code(name: &str) -> String {
    format!("<code>{}</code>", escaped(name))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
