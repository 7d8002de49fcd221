//! A record read.

use std::collections::BTreeSet;

use model::{Content, LineKey, Properties, PropertyName, RecordId, System, Value, View};
use rust_decimal::Decimal;

use super::{Lines, Pair, Problem, Property, Seen};
use crate::{LensProblem, Lookups, ReferenceNeed};

impl Pair {
    /// The records that must be looked up before this record can be read.
    pub fn needs(&self, system: System, properties: &Properties) -> BTreeSet<ReferenceNeed> {
        let needs = |rows: &[Property], properties: &Properties| -> Vec<ReferenceNeed> {
            let content = |row: &Property| properties.get(row.names[system].as_deref()?);
            rows.iter().filter_map(|row| row.lens.need(content(row)?)).collect()
        };
        let mut all: BTreeSet<ReferenceNeed> = needs(&self.properties, properties).into_iter().collect();
        if let Some(lines) = &self.lines {
            for line in lines.listed(system, properties) {
                all.extend(needs(&lines.properties, line));
            }
        }
        all
    }

    /// Reads a record. A property that the record does not hold is absent from the view; one that can't be
    /// read is absent too, and told as a problem. A line is there under its own key in its system.
    pub fn view(&self, system: System, properties: &Properties, lookups: &Lookups) -> Seen {
        let mut seen = Seen::default();
        seen.read(&self.properties, system, properties, lookups, PropertyName::clone);
        if let Some(lines) = &self.lines {
            for line in lines.listed(system, properties) {
                match lines.key(system, line) {
                    Ok(key) => {
                        seen.view.insert(PropertyName::of_line(&lines.name, &key), Value::Boolean(true));
                        let cell = |row: &PropertyName| PropertyName::in_line(&key, row);
                        seen.read(&lines.properties, system, line, lookups, cell);
                    }
                    Err(problem) => seen.problems.push(problem),
                }
            }
        }
        seen
    }
}

impl Seen {
    fn read(
        &mut self,
        rows: &[Property],
        system: System,
        properties: &Properties,
        lookups: &Lookups,
        cell: impl Fn(&PropertyName) -> PropertyName,
    ) {
        for row in rows {
            match row.read(system, properties, lookups) {
                Ok(Some(value)) => {
                    self.view.insert(cell(&row.name), value);
                }
                Ok(None) => {}
                Err(problem) => self.problems.push(row.problem(system, &problem)),
            }
        }
    }
}

impl Property {
    /// Its value in a record; `None` where the record does not hold it. Of several paths the first that is filled.
    fn read(
        &self,
        system: System,
        properties: &Properties,
        lookups: &Lookups,
    ) -> Result<Option<Value>, LensProblem> {
        let fallbacks = self.fallbacks.iter().filter(|_| system == System::CustomCrm);
        let mut first = None;
        for name in self.names[system].iter().chain(fallbacks) {
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
        let list = match properties.get(&self.names[system]) {
            Some(Content::List(list)) => list.as_slice(),
            _ => &[],
        };
        list.iter().filter_map(|line| match line {
            Content::Object(line) => Some(line),
            _ => None,
        })
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
