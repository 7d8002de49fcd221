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
        let mut own = View::new();
        let mut reading = Reading { system, lookups, problems: Vec::new() };
        reading.read(&self.properties, &self.properties, properties, &mut |row, value| {
            own.insert(row.clone(), value);
        });
        let view = match &self.lines {
            None => own,
            Some(lines) => {
                // The few are put among the many.
                let mut view = reading.lines(lines, properties);
                view.extend(own);
                view
            }
        };
        Seen { view, problems: reading.problems }
    }
}

/// A record as it is read.
struct Reading<'a> {
    system: System,
    lookups: &'a Lookups,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    /// Lines and their cells come in the order of their names, because a view is in that order and is quickest made of
    /// what is in order already: a document has hundreds of cells.
    fn lines(&mut self, lines: &Lines, properties: &Properties) -> View {
        let mut listed: Vec<(PropertyName, &Properties)> = Vec::new();
        for line in lines.listed(self.system, properties) {
            match lines.key(self.system, line) {
                Ok(key) => listed.push((PropertyName::of_line(&lines.name, &key), line)),
                Err(problem) => self.problems.push(problem),
            }
        }
        listed.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut rows: Vec<&Property> = lines.properties.iter().collect();
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        let mut cells: Vec<(PropertyName, Value)> = Vec::with_capacity(listed.len() * (1 + rows.len()));
        for (presence, line) in listed {
            cells.push((presence.clone(), Value::Boolean(true)));
            self.read(&lines.properties, rows.iter().copied(), line, &mut |row, value| {
                cells.push((presence.cell_of(row.property()), value));
            });
        }
        // Of one cell that is told twice the last counts.
        cells.into_iter().collect()
    }

    /// Reads `rows`, which are all rows of a record or a line, in this order, and tells the value of each by its name.
    fn read<'p>(
        &mut self,
        all: &[Property],
        rows: impl IntoIterator<Item = &'p Property>,
        properties: &Properties,
        tell: &mut impl FnMut(&PropertyName, Value),
    ) {
        for row in rows {
            match row.read(self.system, properties, self.lookups) {
                Ok(Some(value)) => tell(&row.name, value),
                Ok(None) => {}
                Err(problem) => self.problems.push(row.problem(self.system, &problem)),
            }
        }
        if self.system == System::ExactOnline {
            read_rests(all, properties, tell);
        }
    }
}

/// What the texts that rows share hold besides the rows' own lines.
fn read_rests(rows: &[Property], properties: &Properties, tell: &mut impl FnMut(&PropertyName, Value)) {
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
        tell(rest, if text.is_empty() { Value::Empty } else { Value::Text(text) });
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
        let mut is_held = false;
        for content in self.paths(system).filter_map(|path| properties.get(path)) {
            match self.lens.get(system, content, lookups) {
                Ok(Value::Empty) => is_held = true,
                filled => return filled.map(Some),
            }
        }
        Ok(is_held.then_some(Value::Empty))
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
