//! A document as its system holds it. CustomCRM cuts `.0` off quantities; Exact Online rounds prices, trims notes and
//! numbers the lines in their order.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    LineKey, PairName, Presence, PropertyName, RecordId, Reference, System, SystemPair, Value, Version, View,
};

use crate::{
    Event, Observation, Side,
    tests::fixture::{CRM, EXACT, at, property, record, value},
};

/// What people edit of a line.
pub(super) const CELLS: [&str; 3] = ["Quantity", "Price", "Note"];

/// What a system makes of a value that it is given.
pub(super) fn stored(system: System, name: &str, given: &Value) -> Value {
    match (system, name, given) {
        (System::ExactOnline, "Note", Value::Text(text)) => value(text.trim()),
        (System::ExactOnline, "Price", Value::Text(text)) if text == "9.9" => value("10"),
        (System::CustomCrm, "Quantity", Value::Text(text)) => value(text.trim_end_matches(".0")),
        _ => given.clone(),
    }
}

/// What both systems would make of it: values that are alike in this form agree.
pub(super) fn common(name: &str, given: &Value) -> Value {
    stored(CRM, name, &stored(EXACT, name, given))
}

/// A line.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) product: String,
    pub(super) cells: BTreeMap<&'static str, Value>,
}

/// A document.
#[derive(Debug, Clone)]
pub(super) struct Paper {
    pub(super) system: System,
    pub(super) record: RecordId,
    pub(super) version: u64,
    pub(super) by_us: bool,
    pub(super) modified_at: i64,
    pub(super) head: Value,
    pub(super) rows: Vec<Row>,
    pub(super) ids: usize,
}

impl Paper {
    pub(super) fn new(system: System) -> Self {
        let record = record(if system == CRM { "c1" } else { "e1" });
        let head = value("A");
        Self { system, record, version: 1, by_us: false, modified_at: 0, head, rows: Vec::new(), ids: 0 }
    }

    pub(super) fn touch(&mut self, by_us: bool, now: i64) {
        self.version += 1;
        (self.by_us, self.modified_at) = (by_us, now);
    }

    pub(super) fn fresh_id(&mut self) -> String {
        self.ids += 1;
        format!("{}{}", if self.system == CRM { 'L' } else { 'X' }, self.ids)
    }

    pub(super) fn key(&self, row: &Row) -> LineKey {
        LineKey::begun_by(self.system, &record(&row.id))
    }

    pub(super) fn add(&mut self, product: &str, cells: impl IntoIterator<Item = (&'static str, Value)>) {
        let mut all: BTreeMap<&'static str, Value> = CELLS.iter().map(|name| (*name, Value::Empty)).collect();
        if self.system == CRM {
            all.insert("Number", Value::Empty);
        }
        let cells = cells.into_iter().map(|(name, value)| (name, stored(self.system, name, &value)));
        all.extend(cells);
        let id = self.fresh_id();
        self.rows.push(Row { id, product: product.to_owned(), cells: all });
    }

    /// How it looks; products in `unlinked` are not known to the other system yet.
    pub(super) fn view(&self, unlinked: &BTreeSet<String>) -> View {
        let mut view = View::from([(property("a"), self.head.clone())]);
        for (number, row) in self.rows.iter().enumerate() {
            let key = self.key(row);
            let mut set = |name: &str, value: Value| {
                view.insert(PropertyName::in_line(&key, &property(&format!("Lines.{name}"))), value);
            };
            let unknown = Value::Reference(Reference::Unlinked {
                pair: PairName::parse("product-item").unwrap(),
                system: self.system,
                record: record(&row.product),
            });
            set("Product", if unlinked.contains(&row.product) { unknown } else { value(&row.product) });
            if self.system == EXACT {
                set("Number", value(&(number + 1).to_string()));
            }
            for (name, value) in &row.cells {
                set(name, value.clone());
            }
            view.insert(PropertyName::of_line(&property("Lines"), &key), Value::Boolean(true));
        }
        view
    }

    pub(super) fn observed(&self, unlinked: &BTreeSet<String>) -> Observation {
        Observation {
            record: self.record.clone(),
            version: Some(Version(self.version)),
            modified_at: Some(at(self.modified_at)),
            by_us: self.by_us,
            presence: Presence::Present,
            view: self.view(unlinked),
            whole_lines: true,
            admitted: true,
            stand_in: None,
        }
    }

    pub(super) fn applied(&self, claim: u64, after: Option<Observation>) -> Event {
        Event::Applied { system: self.system, claim, record: self.record.clone(), after }
    }

    /// Whether a write changes or removes a line that is not there.
    pub(super) fn lacks(&self, values: &View, ties: &BTreeMap<LineKey, SystemPair<Option<LineKey>>>) -> bool {
        let own = |line| ties.get(&line).and_then(|keys| keys[self.system].clone());
        let own = values.keys().filter_map(PropertyName::line).filter_map(own);
        own.into_iter().any(|own| self.rows.iter().all(|row| self.key(row) != own))
    }

    /// Carries out a write, or only its first calls; how many there are.
    pub(super) fn write(
        &mut self,
        values: &View,
        ties: &BTreeMap<LineKey, SystemPair<Option<LineKey>>>,
        calls: usize,
    ) -> usize {
        let lines: BTreeSet<LineKey> = values.keys().filter_map(PropertyName::line).collect();
        let head = values.get(&property("a"));
        for head in head.into_iter().take(calls) {
            self.head = head.clone();
        }
        let made = usize::from(head.is_some());
        for line in lines.iter().take(calls.saturating_sub(made)) {
            let own = ties.get(line).and_then(|keys| keys[self.system].as_ref());
            self.write_line(values, line, own);
        }
        made + lines.len()
    }

    fn write_line(&mut self, values: &View, line: &LineKey, own: Option<&LineKey>) {
        let cell = |name: &str| values.get(&PropertyName::in_line(line, &property(&format!("Lines.{name}"))));
        let there = values.get(&PropertyName::of_line(&property("Lines"), line));
        let names = CELLS.into_iter().chain(["Number"]);
        let given: Vec<_> = names.filter_map(|name| Some((name, cell(name)?.clone()))).collect();
        let product = cell("Product");
        let place = self.rows.iter().position(|row| Some(&self.key(row)) == own);
        match (there, place) {
            (Some(Value::Empty), Some(place)) => {
                self.rows.remove(place);
            }
            (Some(Value::Boolean(true)), None) => {
                assert!(own.is_none(), "what is added has no id yet");
                let Some(Value::Text(product)) = product else { panic!("a line is made without a product") };
                assert!(
                    given.iter().all(|(_, value)| !value.is_empty()),
                    "a new line is given what is filled"
                );
                self.add(product, given);
            }
            (None, Some(place)) => {
                let system = self.system;
                let row = &mut self.rows[place];
                if let Some(product) = product {
                    row.product = product.to_string();
                }
                row.cells.extend(given.into_iter().map(|(name, value)| (name, stored(system, name, &value))));
            }
            other => panic!("{} can't write {line} ({own:?}): {other:?}", self.system),
        }
    }

    pub(super) fn side(&self, unlinked: &BTreeSet<String>) -> Side {
        let seen = self.observed(unlinked);
        Side {
            record: seen.record,
            version: seen.version,
            modified_at: seen.modified_at,
            view: seen.view,
            presence: Presence::Present,
            admitted: true,
            stand_in: None,
        }
    }
}
