//! A record read.

use std::collections::BTreeSet;

use model::{Content, LineKey, Properties, PropertyName, RecordId, System, Value, View};
use rust_decimal::Decimal;

use super::{Lines, Pair, Problem, Property, Seen};
use crate::{Label, Lens, LensProblem, Lookups, ReferenceNeed, labelled};

impl Pair {
    /// The records that must be looked up before this record can be read.
    pub fn needs(&self, system: System, properties: &Properties) -> BTreeSet<ReferenceNeed> {
        let mut needs = BTreeSet::new();
        let mut add = |rows: &[Property], properties: &Properties| {
            for row in rows {
                let contents = row.paths(system).filter_map(|path| properties.get(path));
                needs.extend(contents.filter_map(|content| row.lens.need(content)));
            }
        };
        add(&self.properties, properties);
        if let Some(lines) = &self.lines {
            lines.listed(system, properties).for_each(|line| add(&lines.properties, line));
        }
        needs
    }

    /// Whether a record holds its list of lines, so that a line which is not in it is gone. A pair without lines misses
    /// none.
    pub fn lists_lines(&self, system: System, properties: &Properties) -> bool {
        self.lines.as_ref().is_none_or(|lines| lines.list(system, properties).is_some())
    }

    /// Reads a record. A property that the record does not hold is absent from the view; one that can't be
    /// read is absent too, and told as a problem. A line is there under its own key in its system.
    pub fn view(&self, system: System, properties: &Properties, lookups: &Lookups) -> Seen {
        let mut reading = Reading { system, lookups, cells: Vec::new(), problems: Vec::new() };
        reading.read(&self.properties, &self.properties, properties, PropertyName::clone);
        if let Some(lines) = &self.lines {
            reading.lines(lines, properties);
        }
        Seen { view: reading.cells.into_iter().collect(), problems: reading.problems }
    }
}

/// A record as it is read.
struct Reading<'a> {
    system: System,
    lookups: &'a Lookups,
    /// What could be read. Of one cell that is told twice the last counts.
    cells: Vec<(PropertyName, Value)>,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    /// Lines and their cells come in the order of their names, because a view is in that order and is quickest made of
    /// what is in order already: a document has hundreds of cells.
    fn lines(&mut self, lines: &Lines, properties: &Properties) {
        let mut listed: Vec<(LineKey, &Properties)> = Vec::new();
        for line in lines.listed(self.system, properties) {
            match lines.key(self.system, line) {
                Ok(key) => listed.push((key, line)),
                Err(problem) => self.problems.push(problem),
            }
        }
        listed.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut rows: Vec<&Property> = lines.properties.iter().collect();
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        for (key, line) in listed {
            self.cells.push((PropertyName::of_line(&lines.name, &key), Value::Boolean(true)));
            let cell = |row: &PropertyName| PropertyName::in_line(&key, row);
            self.read(&lines.properties, rows.iter().copied(), line, cell);
        }
    }

    /// Reads `rows`, which are all rows of a record or a line, in this order.
    fn read<'p>(
        &mut self,
        all: &[Property],
        rows: impl IntoIterator<Item = &'p Property>,
        properties: &Properties,
        cell: impl Fn(&PropertyName) -> PropertyName,
    ) {
        for row in rows {
            match row.read(self.system, properties, self.lookups) {
                Ok(Some(value)) => self.cells.push((cell(&row.name), value)),
                Ok(None) => {}
                Err(problem) => self.problems.push(row.problem(self.system, &problem)),
            }
        }
        if self.system == System::ExactOnline {
            self.read_rests(all, properties, cell);
        }
    }

    /// What the texts that rows share hold besides the rows' own lines.
    fn read_rests(
        &mut self,
        rows: &[Property],
        properties: &Properties,
        cell: impl Fn(&PropertyName) -> PropertyName,
    ) {
        for row in rows {
            let Some((rest, path)) = row.rest.as_ref().zip(row.names.exactonline.as_ref()) else { continue };
            let text = match properties.get(path) {
                Some(Content::Text(text)) => text.as_str(),
                Some(Content::Null) => "",
                // It is not there, or is told as the rows' problem.
                _ => continue,
            };
            let labels: Vec<&Label> = labelled_rows(rows, rest).map(|(_, label)| label).collect();
            let text = labelled::rest(text, &labels);
            let value = if text.is_empty() { Value::Empty } else { Value::Text(text) };
            self.cells.push((cell(rest), value));
        }
    }
}

/// The rows that write a line each into the text that has this rest.
pub(super) fn labelled_rows<'p>(
    rows: &'p [Property],
    rest: &PropertyName,
) -> impl Iterator<Item = (&'p Property, &'p Label)> {
    let of_text = rows.iter().filter(move |row| row.rest.as_ref() == Some(rest));
    of_text.filter_map(|row| match &row.lens {
        Lens::Labelled { label } => Some((row, label)),
        _ => None,
    })
}

impl Property {
    /// Its value in a record; `None` where the record does not hold it. Of several paths the first that is filled.
    fn read(
        &self,
        system: System,
        properties: &Properties,
        lookups: &Lookups,
    ) -> Result<Option<Value>, LensProblem> {
        let mut first = None;
        for name in self.paths(system) {
            let Some(content) = properties.get(name) else { continue };
            let value = self.lens.get(system, content, lookups)?;
            if !value.is_empty() {
                return Ok(Some(value));
            }
            first = Some(value);
        }
        Ok(first)
    }
}

impl Lines {
    /// The lines that a record lists, in their order.
    fn listed<'a>(
        &self,
        system: System,
        properties: &'a Properties,
    ) -> impl Iterator<Item = &'a Properties> + use<'a> {
        let list = self.list(system, properties).unwrap_or_default();
        list.iter().filter_map(|line| match line {
            Content::Object(line) => Some(line),
            _ => None,
        })
    }

    fn list<'a>(&self, system: System, properties: &'a Properties) -> Option<&'a [Content]> {
        match properties.get(&self.names[system]) {
            Some(Content::List(list)) => Some(list),
            _ => None,
        }
    }

    /// Where a line stands in its document; one whose place is not known comes last.
    pub(crate) fn position(&self, line: &LineKey, view: &View) -> (bool, Decimal) {
        let place = self.order.as_ref().and_then(|row| view.get(&PropertyName::in_line(line, row)));
        match place {
            Some(Value::Decimal(position)) => (false, *position),
            _ => (true, Decimal::ZERO),
        }
    }

    fn key(&self, system: System, line: &Properties) -> Result<LineKey, Problem> {
        let id = &self.ids[system];
        line.get(id)
            .and_then(Content::as_text)
            .and_then(|id| RecordId::parse(id).ok())
            .map(|id| LineKey::begun_by(system, &id))
            .ok_or_else(|| Problem {
                property: format!("{}.{id}", self.names[system]),
                problem: LensProblem::Id.to_string(),
            })
    }
}
