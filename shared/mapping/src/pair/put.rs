//! A record written.

use std::collections::BTreeMap;

use model::{Content, LineKey, Properties, PropertyName, RecordId, System, SystemPair, Value, View};

use super::{Constant, Lines, Pair, Problem, Property, view::labelled_rows};
use crate::{Label, Lookups, labelled};

/// What values are written onto.
#[derive(Debug, Clone, Copy)]
pub enum Onto<'a> {
    /// A new record.
    New {
        /// What its partner holds: new lines come in the order of its lines.
        source: &'a View,
    },
    /// A record that is there.
    Known {
        /// What its partner holds: new lines come in the order of its lines.
        source: &'a View,
        /// What it holds itself, as far as it is known.
        view: &'a View,
        /// Each side's own keys of its lines.
        lines: &'a BTreeMap<LineKey, SystemPair<Option<LineKey>>>,
    },
}

/// A record's properties as its system takes them, and what becomes of its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Put {
    /// The record's own properties.
    pub properties: Properties,
    /// Its lines.
    pub lines: Vec<LinePut>,
}

/// What becomes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinePut {
    /// It is new.
    Add(Properties),
    /// It changes.
    Change {
        /// Its own id.
        id: RecordId,
        /// What changes of it.
        properties: Properties,
    },
    /// It goes.
    Remove {
        /// Its own id.
        id: RecordId,
    },
}

impl Put {
    /// The new lines, as a new record lists them.
    pub fn added(&self) -> impl Iterator<Item = &Properties> {
        self.lines.iter().filter_map(|line| match line {
            LinePut::Add(properties) => Some(properties),
            LinePut::Change { .. } | LinePut::Remove { .. } => None,
        })
    }
}

impl Pair {
    /// Writes these values as the system's own properties.
    ///
    /// All that does not fit is told at once, and then nothing is to be sent: a value that is too long, a
    /// required property emptied, or, for a new record or line, left out.
    pub fn put(
        &self,
        system: System,
        values: &View,
        onto: Onto<'_>,
        lookups: &Lookups,
    ) -> Result<Put, Vec<Problem>> {
        let nothing = View::new();
        let known = match onto {
            Onto::New { .. } => &nothing,
            Onto::Known { view, .. } => view,
        };
        let mut writing = Writing { system, values, known, lookups, problems: Vec::new() };
        let mut put = Put::default();
        let is_new = matches!(onto, Onto::New { .. });
        put.properties = writing.rows(&self.properties, is_new, Of::Record);
        if is_new {
            writing.constants(&self.constants, &mut put.properties);
        }
        if let Some(lines) = &self.lines {
            put.lines = writing.lines(lines, onto);
        }
        if writing.problems.is_empty() { Ok(put) } else { Err(writing.problems) }
    }
}

struct Writing<'a> {
    system: System,
    values: &'a View,
    /// What the record is known to hold.
    known: &'a View,
    lookups: &'a Lookups,
    problems: Vec<Problem>,
}

/// A value of a line.
struct Cell<'a> {
    line: &'a str,
    /// Empty for the line's presence.
    property: &'a str,
    value: &'a Value,
}

/// The line of a piece of cells, which is never empty.
fn line_of<'a>(piece: &&[Cell<'a>]) -> &'a str {
    piece[0].line
}

/// Whose rows are written.
#[derive(Clone, Copy)]
enum Of<'c, 'a> {
    Record,
    /// The line's cells, in as many pieces as another line's stand between them in the order of their names.
    Line(&'c LineKey, &'c [&'c [Cell<'a>]]),
}

impl<'a> Of<'_, 'a> {
    fn name(self, row: &PropertyName) -> PropertyName {
        match self {
            Self::Record => row.clone(),
            Self::Line(key, _) => PropertyName::in_line(key, row),
        }
    }

    fn value(self, row: &PropertyName, values: &'a View) -> Option<&'a Value> {
        match self {
            Self::Record => values.get(row),
            // A handful of short names: quicker searched than made into names of the whole document.
            Self::Line(_, cells) => {
                let property = row.property();
                cells.iter().copied().flatten().find(|cell| cell.property == property).map(|cell| cell.value)
            }
        }
    }
}

impl<'a> Writing<'a> {
    fn rows(&mut self, rows: &[Property], is_new: bool, of: Of<'_, 'a>) -> Properties {
        let mut properties = Properties::new();
        for row in rows {
            let Some(name) = row.names[self.system].as_deref() else { continue };
            let value = of.value(&row.name, self.values);
            if row.required && value.map_or(is_new, Value::is_empty) {
                self.problem(name, "is mandatory and is empty: fill it in");
                continue;
            }
            let Some(value) = value else { continue };
            match row.lens.put(self.system, value, self.lookups) {
                Ok(content) => {
                    if matches!(content, Content::Null) {
                        // A fallback that is still filled would be read again.
                        properties
                            .extend(row.paths(self.system).map(|path| (path.to_owned(), Content::Null)));
                    }
                    let shared = row.rest.as_ref().filter(|_| self.system == System::ExactOnline);
                    let content = shared.map_or(content, |rest| self.shared_text(rows, rest, of));
                    properties.insert(name.to_owned(), content);
                }
                Err(problem) => self.problems.push(row.problem(self.system, &problem)),
            }
        }
        properties
    }

    /// The text of Exact in which rows write a line each. A row that is not written keeps its line, and so does the
    /// rest; a rest that was never seen is none.
    fn shared_text(&self, rows: &[Property], rest: &PropertyName, of: Of<'_, 'a>) -> Content {
        let text = |name: &PropertyName| {
            let name = of.name(name);
            match self.values.get(&name).or_else(|| self.known.get(&name)) {
                Some(Value::Text(text) | Value::StandIn(text)) => text.as_str(),
                _ => "",
            }
        };
        let lines: Vec<(&Label, &str)> =
            labelled_rows(rows, rest).map(|(row, label)| (label, text(&row.name))).collect();
        let text = labelled::write(&lines, text(rest));
        if text.is_empty() { Content::Null } else { Content::Text(text) }
    }

    fn constants(&mut self, constants: &[Constant], properties: &mut Properties) {
        let system = self.system;
        for constant in constants.iter().filter(|constant| constant.system == system) {
            match self.resolved(&constant.content) {
                Ok(content) => {
                    properties.insert(constant.name.clone(), content);
                }
                Err(name) => {
                    let problem = format!("needs {name}, which the connection does not give: configure it");
                    self.problem(&constant.name, &problem);
                }
            }
        }
    }

    /// The content with what the connection gives in place of `$name`; or the name that it does not give.
    fn resolved(&self, content: &Content) -> Result<Content, String> {
        Ok(match content {
            Content::Text(text) => match text.strip_prefix('$') {
                Some(name) => self.lookups.given.get(name).cloned().ok_or_else(|| name.to_owned())?,
                None => content.clone(),
            },
            Content::List(list) => {
                Content::List(list.iter().map(|item| self.resolved(item)).collect::<Result<_, _>>()?)
            }
            Content::Object(object) => {
                let resolved = object.iter().map(|(name, item)| Ok((name.clone(), self.resolved(item)?)));
                Content::Object(resolved.collect::<Result<_, String>>()?)
            }
            Content::Null | Content::Boolean(_) | Content::Number(_) => content.clone(),
        })
    }

    fn lines(&mut self, lines: &Lines, onto: Onto<'_>) -> Vec<LinePut> {
        let (Onto::New { source } | Onto::Known { source, .. }) = onto;
        let mut cells: Vec<Cell<'a>> = Vec::with_capacity(self.values.len());
        cells.extend(self.values.iter().filter_map(|(name, value)| {
            let (line, property) = name.cell()?;
            Some(Cell { line, property, value })
        }));
        let mut pieces: Vec<&[Cell<'a>]> = cells.chunk_by(|one, next| one.line == next.line).collect();
        pieces.sort_by_key(line_of);
        let of_lines = pieces.chunk_by(|one, next| line_of(one) == line_of(next));
        let mut of_lines: Vec<(LineKey, &[&[Cell<'a>]])> =
            of_lines.filter_map(|pieces| Some((LineKey::parse(line_of(&pieces[0])).ok()?, pieces))).collect();
        // Where no place tells them apart, systems number their lines as they come.
        of_lines.sort_by_cached_key(|(key, pieces)| {
            let line = line_of(&pieces[0]);
            (lines.position(key, source), line.len(), line)
        });
        of_lines.into_iter().filter_map(|(key, cells)| self.line(lines, &key, cells, onto)).collect()
    }

    fn line(
        &mut self,
        lines: &Lines,
        key: &LineKey,
        cells: &[&[Cell<'a>]],
        onto: Onto<'_>,
    ) -> Option<LinePut> {
        let id = match onto {
            Onto::New { .. } => None,
            Onto::Known { lines, .. } => {
                lines.get(key).and_then(|keys| keys[self.system].as_ref()?.id_in(self.system))
            }
        };
        let mut all = cells.iter().copied().flatten();
        let is_removed = all.any(|cell| cell.property.is_empty() && cell.value.is_empty());
        match (is_removed, id) {
            (true, Some(id)) => Some(LinePut::Remove { id }),
            (true, None) => None,
            (false, None) => Some(LinePut::Add(self.rows(&lines.properties, true, Of::Line(key, cells)))),
            (false, Some(id)) => {
                let properties = self.rows(&lines.properties, false, Of::Line(key, cells));
                (!properties.is_empty()).then_some(LinePut::Change { id, properties })
            }
        }
    }

    fn problem(&mut self, property: &str, problem: &str) {
        self.problems.push(Problem { property: property.to_owned(), problem: problem.to_owned() });
    }
}
