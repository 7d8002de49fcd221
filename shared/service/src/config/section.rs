//! The file as written: sections of keys, each taken out once, so that what is left is unknown.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// Two keys that differ by more than this are not a slip of the keyboard.
const SLIP: usize = 3;

/// A file being read, and what is wrong with it so far.
pub(super) struct Report<'a> {
    file: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, problems: RefCell::default() }
    }

    /// Everything that was wrong, in the order of the file.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }

    pub(super) fn not_toml(&self, error: &toml::de::Error) {
        self.add(Problem {
            file: PathBuf::new(),
            line: error.span().map(|span| self.line(span.start)),
            key: String::new(),
            value: None,
            what: error.message().to_owned(),
            remedy: "write it as TOML".to_owned(),
        });
    }

    /// Records a problem with the file as a whole, or with its name.
    pub(super) fn of_file(
        &self,
        key: &str,
        value: Option<&str>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Problem {
            file: PathBuf::new(),
            line: None,
            key: key.to_owned(),
            value: value.map(|value| format!("{value:?}")),
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    fn add(&self, problem: Problem) {
        self.problems.borrow_mut().push(Problem { file: self.file.to_owned(), ..problem });
    }

    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }
}

/// One table of the file.
pub(super) struct Section<'a> {
    report: &'a Report<'a>,
    name: String,
    table: &'a DeTable<'a>,
    line: usize,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(super) fn root(report: &'a Report<'a>, table: &'a DeTable<'a>) -> Self {
        Self { report, name: String::new(), table, line: 1, known: RefCell::default() }
    }

    /// The file that it stands in.
    pub(super) const fn file(&self) -> &'a Path {
        self.report.file
    }

    /// Gives the section a better name for messages than its number.
    pub(super) fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// Records a problem with a key's value. The value is shown as written.
    pub(super) fn problem(&self, key: &'static str, what: impl Into<String>, remedy: impl Into<String>) {
        let value = self.find(key).map(|(_, value)| self.report.text[value.span()].to_owned());
        self.add(key, value, what.into(), remedy.into());
    }

    /// Records a problem with a key whose value may hold a secret.
    pub(super) fn problem_with_secret(
        &self,
        key: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(key, None, what.into(), remedy.into());
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<&'a str> {
        match self.value(key)? {
            DeValue::String(text) => Some(text.as_ref()),
            other => self.wrong_kind(key, other, "write a text in quotes"),
        }
    }

    /// A text that must be there; `example` is what to write.
    pub(super) fn required_text(&self, key: &'static str, example: &str) -> Option<&'a str> {
        if !self.has(key) {
            self.problem(key, "is missing", format!("add {key} = {example}"));
        }
        self.text(key)
    }

    /// A list of texts; `remedy` is what to write.
    pub(super) fn texts(&self, key: &'static str, remedy: &str) -> Option<Vec<&'a str>> {
        match self.value(key)? {
            DeValue::Array(items) => {
                let text = |item: &'a Spanned<DeValue<'a>>| match item.get_ref() {
                    DeValue::String(text) => Some(text.as_ref()),
                    other => self.wrong_kind(key, other, remedy),
                };
                items.iter().map(text).collect()
            }
            other => self.wrong_kind(key, other, remedy),
        }
    }

    /// Yes or no.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        match self.value(key)? {
            DeValue::Boolean(yes) => Some(*yes),
            other => self.wrong_kind(key, other, "write true or false, without quotes"),
        }
    }

    /// A whole number.
    pub(super) fn whole(&self, key: &'static str) -> Option<i64> {
        match self.value(key)? {
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Some(number),
                Err(_) => {
                    self.problem(key, "is too large", "write a smaller number");
                    None
                }
            },
            other => self.wrong_kind(key, other, "write a whole number, without quotes"),
        }
    }

    /// A whole or decimal number.
    pub(super) fn number(&self, key: &'static str) -> Option<f64> {
        match self.value(key)? {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            other => self.wrong_kind(key, other, "write a number such as 2 or 0.5, without quotes"),
        }
    }

    /// A section within this one.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a>> {
        match self.value(key)? {
            DeValue::Table(table) => Some(self.inner(key, key.to_owned(), table)),
            other => self.wrong_kind(key, other, &format!("write a section [{}]", self.full(key))),
        }
    }

    /// A list of sections within this one.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let remedy = format!("write one section [[{}]] for each", self.full(key));
        match self.value(key) {
            None => Vec::new(),
            Some(DeValue::Array(items)) => {
                let item = |(index, item): (usize, &'a Spanned<DeValue<'a>>)| match item.get_ref() {
                    DeValue::Table(table) => {
                        let mut section = self.inner(key, format!("{key}[{index}]"), table);
                        section.line = self.report.line(item.span().start);
                        Some(section)
                    }
                    other => self.wrong_kind(key, other, &remedy),
                };
                items.iter().enumerate().filter_map(item).collect()
            }
            Some(other) => {
                self.wrong_kind::<()>(key, other, &remedy);
                Vec::new()
            }
        }
    }

    /// Records every key that was never asked for.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.iter().filter(|(key, _)| !known.contains(key.get_ref().as_ref())) {
            let written = key.get_ref().as_ref();
            let nearest = known
                .iter()
                .map(|known| (strsim::damerau_levenshtein(known, written), known))
                .min()
                .filter(|(distance, _)| *distance <= SLIP);
            let remedy = match nearest {
                Some((_, nearest)) => format!("did you mean {nearest}?"),
                None if known.is_empty() => "remove it".to_owned(),
                None => {
                    format!("remove it; known here: {}", known.iter().copied().collect::<Vec<_>>().join(", "))
                }
            };
            self.report.add(Problem {
                file: PathBuf::new(),
                line: Some(self.report.line(key.span().start)),
                key: self.full(written),
                value: None,
                what: "is not a known key".to_owned(),
                remedy,
            });
        }
    }

    fn inner(&self, key: &str, name: String, table: &'a DeTable<'a>) -> Section<'a> {
        let name = if self.name.is_empty() { name } else { format!("{}.{name}", self.name) };
        let line = self.find(key).map_or(self.line, |(key, _)| self.report.line(key.span().start));
        Section { report: self.report, name, table, line, known: RefCell::default() }
    }

    fn value(&self, key: &'static str) -> Option<&'a DeValue<'a>> {
        self.known.borrow_mut().insert(key);
        self.find(key).map(|(_, value)| value.get_ref())
    }

    fn find(&self, key: &str) -> Option<(&'a Spanned<toml::de::DeString<'a>>, &'a Spanned<DeValue<'a>>)> {
        self.table.get_key_value(key)
    }

    /// The key with its sections.
    pub(super) fn full(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// The value is not shown: a secret may have been put where something else belongs.
    fn wrong_kind<T>(&self, key: &str, found: &DeValue<'_>, remedy: &str) -> Option<T> {
        self.add(key, None, format!("is of the kind {}", found.type_str()), remedy.to_owned());
        None
    }

    fn add(&self, key: &str, value: Option<String>, what: String, remedy: String) {
        let line = self.find(key).map_or(self.line, |(key, _)| self.report.line(key.span().start));
        self.report.add(Problem {
            file: PathBuf::new(),
            line: Some(line),
            key: self.full(key),
            value,
            what,
            remedy,
        });
    }
}
