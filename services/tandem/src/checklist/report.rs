//! What the checks found, for people and for programs. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{Table, presets};
use serde::Serialize;

use super::plan::Check;

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds.
    Green,
    /// It does not, for this reason. It may quote values: the systems are test systems.
    Red(String),
    /// It can't be tried here, for this reason.
    Skipped(String),
}

/// A check that has been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    /// The check.
    pub(crate) check: Check,
    /// What became of it.
    pub(crate) verdict: Verdict,
    /// How long it took.
    pub(crate) took: Duration,
}

/// One row of the JSON report.
#[derive(Serialize)]
struct JsonRow<'a> {
    pair: &'a str,
    property: &'a str,
    direction: &'a str,
    check: &'a str,
    result: &'a str,
    reason: Option<&'a str>,
    seconds: f64,
}

impl Verdict {
    const fn word(&self) -> &'static str {
        match self {
            Self::Green => "passed",
            Self::Red(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Green => None,
            Self::Red(reason) | Self::Skipped(reason) => Some(reason),
        }
    }
}

/// Whether nothing failed.
pub(crate) fn is_green(checked: &[Checked]) -> bool {
    checked.iter().all(|checked| !matches!(checked.verdict, Verdict::Red(_)))
}

/// A table for people, with a line that counts.
pub(crate) fn table(checked: &[Checked], took: Duration) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["pair", "property", "direction", "check", "result"]);
    for one in checked {
        let result = match one.verdict.reason() {
            Some(reason) => format!("{}: {reason}", one.verdict.word()),
            None => one.verdict.word().to_owned(),
        };
        table.add_row([
            one.check.pair.as_str(),
            one.check.row.as_str(),
            one.check.aspect.direction(),
            one.check.aspect.says(),
            &result,
        ]);
    }
    let count = |word: &str| checked.iter().filter(|one| one.verdict.word() == word).count();
    format!(
        "{table}\n{} checks: {} passed, {} failed, {} skipped, in {:.0} s\n",
        checked.len(),
        count("passed"),
        count("failed"),
        count("skipped"),
        took.as_secs_f64()
    )
}

/// The report as JSON: a list with an object for each check.
pub(crate) fn json(checked: &[Checked]) -> String {
    let rows: Vec<JsonRow<'_>> = checked
        .iter()
        .map(|one| JsonRow {
            pair: one.check.pair.as_str(),
            property: one.check.row.as_str(),
            direction: one.check.aspect.direction(),
            check: one.check.aspect.says(),
            result: one.verdict.word(),
            reason: one.verdict.reason(),
            seconds: (one.took.as_secs_f64() * 1_000.0).round() / 1_000.0,
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&rows).expect("the rows hold only texts and numbers");
    text.push('\n');
    text
}

/// The report as JUnit XML: a suite for each pair, a case for each check.
pub(crate) fn junit(checked: &[Checked]) -> String {
    let mut xml =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"checklist\">\n");
    let mut pairs: Vec<&str> = checked.iter().map(|one| one.check.pair.as_str()).collect();
    pairs.dedup();
    for pair in pairs {
        let suite: Vec<&Checked> = checked.iter().filter(|one| one.check.pair.as_str() == pair).collect();
        let count = |word: &str| suite.iter().filter(|one| one.verdict.word() == word).count();
        out(
            &mut xml,
            format_args!(
                "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
                escaped(pair),
                suite.len(),
                count("failed"),
                count("skipped")
            ),
        );
        for one in suite {
            case(&mut xml, one);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn case(xml: &mut String, one: &Checked) {
    let name = format!("{} {}: {}", one.check.row, one.check.aspect.direction(), one.check.aspect.says());
    out(
        xml,
        format_args!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escaped(one.check.pair.as_str()),
            escaped(&name),
            one.took.as_secs_f64()
        ),
    );
    match &one.verdict {
        Verdict::Green => xml.push_str("/>\n"),
        Verdict::Red(reason) => {
            out(xml, format_args!(">\n      <failure message=\"{}\"/>\n    </testcase>\n", escaped(reason)));
        }
        Verdict::Skipped(reason) => {
            out(xml, format_args!(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escaped(reason)));
        }
    }
}

/// A text in an attribute; what XML can't hold at all becomes a question mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

fn out(xml: &mut String, text: std::fmt::Arguments<'_>) {
    xml.write_fmt(text).expect("a text takes whatever is written to it");
}
