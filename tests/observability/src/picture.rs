//! A trace as a picture: one bar for each span, beneath the one that it follows from.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// A span of a trace that was seen once; times are milliseconds since the trace began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Span {
    /// The service that it is of.
    pub service: String,
    /// Its name.
    pub name: String,
    /// How many spans are above it.
    pub depth: u32,
    /// When it began.
    pub begin: f64,
    /// When it ended.
    pub end: f64,
}

const WIDTH: f64 = 860.0;
const LEFT: f64 = 400.0;
const ROW: f64 = 24.0;

/// The picture, as SVG.
pub fn drawn(title: &str, spans: &[Span]) -> String {
    let all = spans.iter().map(|span| span.end).fold(1.0, f64::max);
    let rows = u32::try_from(spans.len()).unwrap_or(u32::MAX);
    let height = ROW.mul_add(f64::from(rows) + 2.0, 8.0);
    let x = |at: f64| (WIDTH - LEFT - 60.0).mul_add(at / all, LEFT);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"18\" font-weight=\"bold\" fill=\"#222\">{title}</text>\n"
    );
    for (span, row) in spans.iter().zip(1_u32..) {
        let y = ROW.mul_add(f64::from(row), 8.0);
        let (begin, end, indent) = (x(span.begin), x(span.end), f64::from(span.depth).mul_add(14.0, 8.0));
        let took = span.end - span.begin;
        let _ = writeln!(
            text,
            "<text x=\"{indent}\" y=\"{:.0}\" fill=\"#222\">{} <tspan fill=\"#888\">{}</tspan></text>\n\
             <rect x=\"{begin:.1}\" y=\"{:.0}\" width=\"{:.1}\" height=\"14\" rx=\"2\" fill=\"{}\"/>\n\
             <text x=\"{:.1}\" y=\"{:.0}\" fill=\"#666\">{took:.1} ms</text>",
            y + 15.0,
            span.name,
            span.service,
            y + 4.0,
            (end - begin).max(2.0),
            colour(&span.service),
            end.max(begin + 2.0) + 5.0,
            y + 15.0,
        );
    }
    text.push_str("</svg>\n");
    text
}

/// One for each kind of service.
fn colour(service: &str) -> &'static str {
    match service.split('-').next() {
        Some("collector") => "#4e79a7",
        Some("mapper") => "#f28e2b",
        _ => "#59a14f",
    }
}
