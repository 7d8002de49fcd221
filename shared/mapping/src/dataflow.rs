//! The dataflow document: what the pair files in force say, as a page for people.
//!
//! [`Dataflow::of`] says it as plain data; a format only sets it.

mod html;
mod markdown;
mod rst;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use jiff::civil::Date;
use link::Flow;
use model::{Content, System};

use crate::{Admission, Constant, Pair, Property, Reading, Wanted};

/// How the document is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `reStructuredText`, which docutils reads without a warning.
    Rst,
    /// Markdown with tables.
    Markdown,
    /// One HTML page.
    Html,
}

/// The document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataflow {
    /// The day that it speaks of.
    date: Date,
    /// The reading in force.
    reading: Reading,
    /// A section for each pair.
    sections: Vec<Section>,
}

/// What is said of one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Section {
    title: String,
    name: String,
    summary: String,
    /// What holds for the pair as a whole: what it is, and its words.
    facts: Vec<(&'static str, String)>,
    rows: Vec<Row>,
}

/// One line of a pair's table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// The properties on each side; `None` where a side has none.
    customcrm: Option<String>,
    exactonline: Option<String>,
    edm: String,
    direction: &'static str,
    transform: String,
}

/// The page's heading.
const TITLE: &str = "Dataflow between CustomCRM and Exact Online";

/// The headings of a pair's table.
const COLUMNS: [&str; 5] =
    ["CustomCRM property", "Exact property", "Exact data type", "Direction", "Transform"];

impl Dataflow {
    /// What these pairs, all in one reading, say.
    pub fn of(pairs: &[Pair], reading: Reading, date: Date) -> Self {
        Self { date, reading, sections: pairs.iter().map(Section::of).collect() }
    }

    /// The document as text.
    pub fn print(&self, format: Format) -> String {
        match format {
            Format::Rst => rst::print(self),
            Format::Markdown => markdown::print(self),
            Format::Html => html::print(self),
        }
    }
}

impl Section {
    fn of(pair: &Pair) -> Self {
        let mut rows: Vec<Row> = pair.properties.iter().map(|row| Row::of(row, None)).collect();
        if let Some(lines) = &pair.lines {
            rows.push(Row {
                customcrm: Some(lines.names.customcrm.clone()),
                exactonline: Some(lines.names.exactonline.clone()),
                edm: lines.edm.clone(),
                direction: direction(lines.flow),
                transform: "lines, each tied by its own id on either side".to_owned(),
            });
            rows.extend(lines.properties.iter().map(|row| Row::of(row, Some(&lines.names))));
        }
        rows.extend(pair.constants.iter().map(Row::of_constant));
        let title =
            if pair.about.title.is_empty() { pair.name.to_string() } else { pair.about.title.clone() };
        Self {
            title,
            name: pair.name.to_string(),
            summary: flat(&pair.about.summary),
            facts: facts(pair),
            rows,
        }
    }
}

/// What holds for a pair as a whole, each with its label: what it admits, who creates, how records find one another.
pub fn facts(pair: &Pair) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        (
            "Entities",
            format!(
                "{} in CustomCRM, {} in Exact Online",
                pair.entities.customcrm, pair.entities.exactonline
            ),
        ),
        ("Admitted from CustomCRM", admitted(&pair.admissions.customcrm)),
        ("Admitted from Exact Online", admitted(&pair.admissions.exactonline)),
        ("Created", created(pair).to_owned()),
    ];
    let keys: Vec<String> = pair.match_keys.iter().map(crate::KeyRows::name).collect();
    if !keys.is_empty() {
        facts.push(("Matched by", keys.join(", then ")));
    }
    if !pair.yields_to.is_empty() {
        let pairs: Vec<&str> = pair.yields_to.iter().map(model::PairName::as_str).collect();
        facts.push(("Writes after", pairs.join(", ")));
    }
    if let Some(adopts) = &pair.adopts {
        facts.push(("Takes over", format!("the partner that {} has in {}", adopts.reference, adopts.pair)));
    }
    for row in &pair.properties {
        let named = row.names.exactonline.as_ref().zip(row.written_to);
        facts.extend(named.map(|(name, written_to)| {
            let text = format!("{name}, to the record's own {}, of which none is made", written_to.name());
            ("Written apart", text)
        }));
    }
    if pair.is_membership {
        facts.push((
            "Membership",
            "one record of CustomCRM has many of Exact Online, and neither is written".to_owned(),
        ));
    }
    facts
}

const fn created(pair: &Pair) -> &'static str {
    match (pair.creates.customcrm, pair.creates.exactonline) {
        (true, true) => "in both systems",
        (true, false) => "in CustomCRM only",
        (false, true) => "in Exact Online only",
        (false, false) => "in neither system",
    }
}

/// Which records are admitted, in words.
fn admitted(admission: &Admission) -> String {
    if admission.cases.is_empty() {
        return "every record".to_owned();
    }
    let wanted = |(name, wanted): (&String, &Vec<Wanted>)| {
        let words: Vec<String> = wanted.iter().map(word).collect();
        format!("{name} {}", words.join(" or "))
    };
    let cases: Vec<String> = admission
        .cases
        .iter()
        .map(|case| case.iter().map(wanted).collect::<Vec<_>>().join(" and "))
        .collect();
    format!("records with {}", cases.join(", or with "))
}

fn word(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Filled => "filled".to_owned(),
        Wanted::Empty => "empty".to_owned(),
        Wanted::Is(content) => said(content),
    }
}

/// A fixed content in words.
fn said(content: &Content) -> String {
    match content {
        Content::Null => "empty".to_owned(),
        Content::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Content::Number(number) => number.normalize().to_string(),
        Content::Text(text) => text
            .strip_prefix('$')
            .map_or_else(|| text.clone(), |name| format!("what the connection names as {name}")),
        Content::List(list) => list.iter().map(said).collect::<Vec<_>>().join("; "),
        Content::Object(object) => {
            let pairs: Vec<String> =
                object.iter().map(|(name, content)| format!("{name}: {}", said(content))).collect();
            pairs.join(", ")
        }
    }
}

impl Row {
    fn of(row: &Property, lines: Option<&model::SystemPair<String>>) -> Self {
        let name = |system: System| {
            let own = row.names[system].as_ref()?;
            Some(lines.map_or_else(|| own.clone(), |lines| format!("{}.{own}", lines[system])))
        };
        let mut transform = row.lens.describe();
        let mut add = |text: &str| out(&mut transform, format_args!("; {text}"));
        if !row.fallbacks.is_empty() {
            add(&format!("where it is empty, {}", row.fallbacks.join(", ")));
        }
        for (holds, word) in [
            (row.required, "required"),
            (row.create_only, "taken by Exact with a new record only"),
            (row.keep_filled, "never emptied"),
            (matches!(row.flow, Flow::Follow(_)), "an edit in the system that follows stands"),
        ] {
            if holds {
                add(word);
            }
        }
        if let Some(note) = &row.note {
            add(&flat(note));
        }
        Self {
            customcrm: name(System::CustomCrm),
            exactonline: name(System::ExactOnline),
            edm: row.edm.clone(),
            direction: direction(row.flow),
            transform,
        }
    }

    /// The cells of the table, each set by its kind.
    fn cells(&self, name: fn(&str) -> String, text: fn(&str) -> String) -> [String; 5] {
        let named = |property: &Option<String>| property.as_deref().map(name).unwrap_or_default();
        [
            named(&self.customcrm),
            named(&self.exactonline),
            text(&self.edm),
            self.direction.to_owned(),
            text(&self.transform),
        ]
    }

    fn of_constant(constant: &Constant) -> Self {
        let (customcrm, exactonline, direction) = match constant.system {
            System::CustomCrm => (Some(constant.name.clone()), None, "to CustomCRM"),
            System::ExactOnline => (None, Some(constant.name.clone()), "to Exact"),
        };
        let transform = format!("with every new record: {}", said(&constant.content));
        Self { customcrm, exactonline, edm: String::new(), direction, transform }
    }
}

const fn direction(flow: Flow) -> &'static str {
    match flow {
        Flow::Both => "both",
        Flow::To(System::CustomCrm) | Flow::Follow(System::CustomCrm) => "to CustomCRM",
        Flow::To(System::ExactOnline) | Flow::Follow(System::ExactOnline) => "to Exact",
    }
}

fn out(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a text takes whatever is written to it");
}

/// A text in one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
