//! Whether values fit what is known of their properties, before a call is spent on finding out.

use jiff::civil;
use mapping::{LinePut, Problem, Put};
use model::{Content, Properties};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use uuid::Uuid;

use super::{Access, Fact, Need};
use crate::{Entity, Parts};

impl Entity {
    /// What of a write does not fit, all of it, by the names of properties and never their values.
    pub fn check(&self, put: &Put, creating: bool) -> Vec<Problem> {
        let mut checking = Checking { problems: Vec::new() };
        let facts: Vec<Fact> = self.written_facts().collect();
        checking.record("", &facts, &put.properties, creating);
        if let (true, Some(name), Some(parts)) = (creating, self.lines_name(), self.parts) {
            checking.list(name, put, parts);
        }
        for line in &put.lines {
            let prefix = self.lines_name().map(|name| format!("{name}.")).unwrap_or_default();
            match (line, self.parts) {
                (LinePut::Remove { .. }, _) | (_, None) => {}
                (LinePut::Add(line), Some(parts)) => checking.line(&prefix, parts, line, true),
                (LinePut::Change { properties, .. }, Some(parts)) => {
                    checking.line(&prefix, parts, properties, false);
                }
            }
        }
        checking.problems
    }
}

struct Checking {
    problems: Vec<Problem>,
}

impl Checking {
    /// The lines of a new document, whether they still stand beside it or are listed in it already.
    fn list(&mut self, name: &str, put: &Put, parts: Parts) {
        let lines = match put.properties.get(name) {
            Some(Content::List(lines)) => lines.as_slice(),
            _ => &[],
        };
        if lines.is_empty() && put.added().next().is_none() {
            self.tell("", name, "is empty, and Exact takes no document without a line: add one");
        }
        for line in lines {
            match line {
                Content::Object(line) => self.line(&format!("{name}."), parts, line, true),
                other => self.tell("", name, &format!("has {} in place of a line", other.kind())),
            }
        }
    }

    fn line(&mut self, prefix: &str, parts: Parts, line: &Properties, creating: bool) {
        // The document that a line belongs to is filled in when the line is sent.
        let facts: Vec<Fact> = parts.facts().filter(|fact| fact.name != parts.parent).collect();
        self.record(prefix, &facts, line, creating);
    }

    fn record(&mut self, prefix: &str, facts: &[Fact], properties: &Properties, creating: bool) {
        for (name, content) in properties {
            match facts.iter().find(|fact| fact.name == name) {
                None => self.tell(
                    prefix,
                    name,
                    "is no property of Exact's that can be written: leave its row out",
                ),
                Some(fact) => {
                    if let Some(problem) = misplaced(*fact, creating).or_else(|| misfit(*fact, content)) {
                        self.tell(prefix, name, &problem);
                    }
                }
            }
        }
        let filled = |fact: &&Fact| properties.get(fact.name).is_some_and(|content| !is_empty(content));
        let named = |fact: &&Fact| properties.contains_key(fact.name);
        for fact in facts.iter().filter(|fact| fact.need == Need::Mandatory && !is_list(**fact)) {
            if !filled(&fact) && (creating || named(&fact)) {
                self.tell(prefix, fact.name, "is mandatory and is empty: fill it in");
            }
        }
        let one_of: Vec<&Fact> = facts.iter().filter(|fact| fact.need == Need::OneOf).collect();
        let emptied = creating || one_of.iter().all(named);
        if let (true, false, [first, ..]) = (emptied, one_of.iter().any(filled), one_of.as_slice()) {
            let names = one_of.iter().map(|fact| fact.name).collect::<Vec<_>>().join(" or ");
            self.tell(prefix, first.name, &format!("is empty, and one of {names} is mandatory: fill it in"));
        }
    }

    fn tell(&mut self, prefix: &str, name: &str, problem: &str) {
        self.problems.push(Problem { property: format!("{prefix}{name}"), problem: problem.to_owned() });
    }
}

fn is_list(fact: Fact) -> bool {
    fact.edm.starts_with("Collection(")
}

fn is_empty(content: &Content) -> bool {
    match content {
        Content::Null => true,
        Content::Text(text) => text.trim().is_empty(),
        Content::Boolean(_) | Content::Number(_) | Content::List(_) | Content::Object(_) => false,
    }
}

/// Why a property may not be among what is written now.
fn misplaced(fact: Fact, creating: bool) -> Option<String> {
    match fact.access {
        Access::ReadOnly => Some("can only be read in Exact: write direction = \"to-crm\"".to_owned()),
        Access::CreateOnly if !creating => {
            Some("can't be changed in Exact once the record is there: write create_only = true".to_owned())
        }
        Access::CreateOnly | Access::ReadWrite => None,
    }
}

/// Why Exact would not take this content.
fn misfit(fact: Fact, content: &Content) -> Option<String> {
    let wrong = |wanted: &str| Some(format!("must be {wanted} for Exact, and is {}", content.kind()));
    match (fact.edm, content) {
        (_, Content::Null)
        | ("Edm.Boolean", Content::Boolean(_))
        | ("Edm.Double", Content::Number(_))
        | ("Edm.Binary", Content::Text(_)) => None,
        ("Edm.String", Content::Text(text)) => misfit_text(fact, text),
        ("Edm.Guid", Content::Text(text)) => Uuid::parse_str(text)
            .is_err()
            .then(|| "is no id of Exact's, which are GUIDs: look it up anew".to_owned()),
        ("Edm.DateTime", Content::Text(text)) => (!is_moment(text))
            .then(|| "is no date as Exact takes it, such as 2026-01-31T00:00:00 without a zone".to_owned()),
        (_, Content::Number(number)) if fact.range().is_some() => misfit_whole(fact, *number),
        ("Edm.String" | "Edm.Guid" | "Edm.DateTime" | "Edm.Binary", _) => wrong("a text"),
        ("Edm.Boolean", _) => wrong("true or false"),
        (_, Content::List(_)) if is_list(fact) => None,
        _ if is_list(fact) => wrong("a list"),
        _ => wrong("a number"),
    }
}

fn misfit_text(fact: Fact, text: &str) -> Option<String> {
    if let Some(character) = text.chars().find(|character| !is_taken(*character)) {
        let code = u32::from(character);
        return Some(format!("has the character U+{code:04X}, which Exact does not take: take it out"));
    }
    let length = text.encode_utf16().count();
    let max = fact.max.filter(|max| length > *max)?;
    Some(format!("has {length} characters, and Exact takes {max}: shorten it"))
}

fn misfit_whole(fact: Fact, number: Decimal) -> Option<String> {
    let range = fact.range()?;
    let whole = number.is_integer().then(|| number.to_i64()).flatten();
    let fits = whole.is_some_and(|whole| range.contains(&whole));
    (!fits).then(|| format!("must be a whole number from {} to {} for Exact", range.start(), range.end()))
}

/// What may stand in XML 1.0, in which the service keeps and serves its texts beside JSON: of the control characters only
/// the tab and line ends.
fn is_taken(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => character >= ' ',
    }
}

/// A date, or a date and a time, without a zone: a `Z` is accepted and then shifts the day (a fact of the API).
fn is_moment(text: &str) -> bool {
    match text.split_once('T') {
        None => text.parse::<civil::Date>().is_ok(),
        Some((_, time)) => !time.contains(['Z', 'z', '+', '-']) && text.parse::<civil::DateTime>().is_ok(),
    }
}
