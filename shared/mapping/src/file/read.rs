//! What the keys of a file make of a pair, and whether it can work.

mod lines;
mod names;
mod once;
mod row;
mod whole;

use std::collections::BTreeSet;

use files::{At, Report};
use link::{ConflictPolicy, DeleteConflict};
use model::{Content, EntityName, PairName, PropertyName, System, SystemPair, Value};
use rust_decimal::Decimal;

use super::format::{AgainstEdit, Conflict, File, Plain, Scalar, Side};
use super::kinds::named;
use crate::{About, Admission, OnDelete, Pair, Property, Reading, Wanted};

pub(super) use self::names::{RowName, row_names};

/// A file being read. Each function tells what is wrong and gives `None` then; all are called before any result is
/// looked at.
pub(super) struct Reader<'r, 'a> {
    report: &'r mut Report<'a>,
    reading: Reading,
    kept: &'r BTreeSet<PairName>,
    /// The names of all rows that are written for this reading, those that could not be read among them.
    written: Vec<String>,
}

/// Rows that could be read.
#[derive(Default)]
struct Rows {
    properties: Vec<Property>,
    /// Those whose pair is not kept.
    resting: Vec<Property>,
}

impl Rows {
    fn all(&self) -> impl Iterator<Item = &Property> {
        self.properties.iter().chain(&self.resting)
    }
}

impl<'r, 'a> Reader<'r, 'a> {
    pub(super) fn new(
        report: &'r mut Report<'a>,
        reading: Reading,
        kept: &'r BTreeSet<PairName>,
        written: Vec<RowName>,
    ) -> Self {
        let is_of_this = |row: &RowName| row.reading.as_deref().is_none_or(|name| name == reading.name());
        let written = written.into_iter().filter(is_of_this).map(|row| row.name).collect();
        Self { report, reading, kept, written }
    }

    pub(super) fn pair(mut self, file: File) -> Option<Pair> {
        let file = file.in_reading(self.reading);
        let name = named(&file.pair, PairName::parse, self.report);
        let conflict = policy(file.conflict);
        let rows = self.rows(&file.property, conflict, None);
        let (lines, lines_rows) = self.lines(file.lines.as_ref(), conflict);
        let constants = self.constants(&file.constant);
        once::check(self.report, &rows, lines.as_ref(), &lines_rows, &constants);
        let match_keys = self.match_keys(&file.match_keys, &rows);
        let search_own = self.search_own(&file.search_own, &rows);
        let stand_in =
            file.stand_in.as_ref().and_then(|written| self.stand_in(written, &rows, name.as_ref()));
        let adopts = file.adopts.as_ref().and_then(|written| self.through(written, name.as_ref()));
        let raises = file.raises.as_ref().and_then(|written| self.raise(written, &rows));
        let versions = file.versions.as_ref().and_then(|written| self.versions(written, &rows));
        let customcrm = self.side(System::CustomCrm, &file.customcrm, &rows);
        let exactonline = self.side(System::ExactOnline, &file.exactonline, &rows);
        let is_membership = file.membership.as_ref().is_some_and(|membership| **membership);
        if is_membership {
            self.writes_nothing(&file);
        }
        let yields_to = self.yields_to(&file.yields_to, name.as_ref());
        let place = file.yields_to.first().map_or(file.exactonline.entity.at(), At::at);
        let (customcrm, exactonline) = (customcrm?, exactonline?);
        Some(Pair {
            name: name?,
            file: self.report.file().to_owned(),
            place: self.report.place(place),
            about: About { title: file.title.unwrap_or_default(), summary: file.summary.unwrap_or_default() },
            entities: SystemPair { customcrm: customcrm.entity, exactonline: exactonline.entity },
            resting: rows.resting.into_iter().chain(lines_rows.resting).map(|row| row.name).collect(),
            properties: rows.properties,
            lines: lines.map(|lines| crate::Lines { properties: lines_rows.properties, ..lines }),
            constants,
            match_keys,
            search_own: search_own?,
            creates: SystemPair { customcrm: *file.customcrm.create, exactonline: *file.exactonline.create },
            admissions: SystemPair { customcrm: customcrm.admission, exactonline: exactonline.admission },
            deletes: SystemPair { customcrm: customcrm.delete, exactonline: exactonline.delete },
            delete_conflict: match file.delete_conflict {
                AgainstEdit::Ask => DeleteConflict::Ask,
                AgainstEdit::Delete => DeleteConflict::Delete,
                AgainstEdit::Recreate => DeleteConflict::Recreate,
            },
            yields_to,
            adopts,
            stand_in,
            raises,
            versions,
            is_membership,
        })
    }

    fn side<E: AsRef<str>>(&mut self, system: System, side: &Side<E>, rows: &Rows) -> Option<ReadSide> {
        let entity = match EntityName::parse((*side.entity).as_ref()) {
            Ok(entity) => Some(entity),
            Err(error) => {
                self.report.refuse(side.entity.at(), error.to_string());
                None
            }
        };
        let admission = self.admission(side);
        let delete = self.on_delete(system, side.archive.as_ref(), side.delete.as_ref(), rows);
        Some(ReadSide { entity: entity?, admission, delete: delete? })
    }

    fn admission<E>(&mut self, side: &Side<E>) -> Admission {
        let mut admission = Admission::default();
        for case in side.admits.iter().flatten() {
            let case = case.0.iter().map(|(name, wanted)| {
                let wanted = wanted.0.iter().filter_map(|wanted| self.wanted(wanted));
                (name.clone(), wanted.collect())
            });
            admission.cases.push(case.collect());
        }
        admission
    }

    fn wanted(&mut self, wanted: &At<Plain>) -> Option<Wanted> {
        match self.content(&wanted.0, wanted.at())? {
            Content::Text(text) if text == "*" => Some(Wanted::Filled),
            Content::Text(text) if text.is_empty() => Some(Wanted::Empty),
            content => Some(Wanted::Is(content)),
        }
    }

    /// A value of the file as a vendor's content.
    fn content(&mut self, value: &toml::Value, at: usize) -> Option<Content> {
        let content = match value {
            toml::Value::String(text) => Some(Content::from(text.as_str())),
            toml::Value::Boolean(yes) => Some(Content::Boolean(*yes)),
            toml::Value::Integer(number) => Some(Content::Number((*number).into())),
            // What is written is the shortest text of the number that was read; it is not calculated with.
            toml::Value::Float(number) => number.to_string().parse::<Decimal>().ok().map(Content::Number),
            toml::Value::Datetime(_) => None,
            toml::Value::Array(list) => {
                let list = list.iter().map(|item| self.content(item, at));
                return list.collect::<Option<_>>().map(Content::List);
            }
            toml::Value::Table(table) => {
                let table = table.iter().map(|(name, item)| Some((name.clone(), self.content(item, at)?)));
                return table.collect::<Option<_>>().map(Content::Object);
            }
        };
        if content.is_none() {
            self.report
                .refuse(at, format!("{value} is no value that a record holds: write it as a text in quotes"));
        }
        content
    }
}

/// What was read of one system's side.
struct ReadSide {
    entity: EntityName,
    admission: Admission,
    delete: OnDelete,
}

const fn policy(word: Conflict) -> ConflictPolicy {
    match word {
        Conflict::Crm => ConflictPolicy::Wins(System::CustomCrm),
        Conflict::Exact => ConflictPolicy::Wins(System::ExactOnline),
        Conflict::Newest => ConflictPolicy::Newest,
        Conflict::Ask => ConflictPolicy::Ask,
    }
}

/// A value in the canonical form, which is CustomCRM's.
fn value(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Boolean(yes) => Value::Boolean(*yes),
        Scalar::Number(number) => Value::Decimal((*number).into()),
        Scalar::Text(text) if text.is_empty() => Value::Empty,
        Scalar::Text(text) => Value::Text(text.clone()),
    }
}

/// The name of a row; a problem where lines could not be told by it.
fn property_name(name: &str, at: usize, report: &mut Report<'_>) -> Option<PropertyName> {
    if name.contains(['[', ']']) {
        report.refuse(
            at,
            format!(
                "a row can't be called {name:?}, because lines are named in brackets: give it another `name`"
            ),
        );
        return None;
    }
    PropertyName::parse(name).map_err(|error| report.refuse(at, error.to_string())).ok()
}
