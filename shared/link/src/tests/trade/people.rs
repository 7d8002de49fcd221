//! What people do to the documents, and what is remembered of it for the promises.

use model::{PropertyName, System, Value, View};

use super::{paper::stored, world::World};
use crate::tests::fixture::{EXACT, property, record, value};

/// What people enter, and a system may store otherwise.
const VALUES: [(&str, [&str; 3]); 3] =
    [("Quantity", ["1", "2", "2.0"]), ("Price", ["9.9", "10", "4"]), ("Note", ["", " n", "m"])];
/// What people enter, and every system stores as it is.
const PLAIN: [(&str, [&str; 3]); 3] =
    [("Quantity", ["1", "2", "3"]), ("Price", ["5", "10", "4"]), ("Note", ["", "n", "m"])];

impl World {
    fn values(&self) -> [(&'static str, [&'static str; 3]); 3] {
        if self.setting.plain { PLAIN } else { VALUES }
    }

    pub(super) fn add(&mut self, system: System, number: usize, linked: bool) {
        self.now += 120;
        let product =
            if self.setting.shared { format!("p{}", number % 2) } else { format!("p{}", self.added.len()) };
        let values = self.values();
        let Some(paper) = &mut self.papers[system] else { return };
        let cells = values.map(|(name, texts)| (name, value(texts[number % texts.len()])));
        paper.add(&product, cells.clone());
        paper.touch(false, self.now);
        if !linked && !self.setting.shared {
            self.unlinked.insert(product.clone());
        }
        for (name, value) in cells {
            let entered = self.entered.entry((product.clone(), name)).or_default();
            let value = stored(system, name, &value);
            entered[system] = Some(value.clone());
            self.entered_since.entry((product.clone(), name)).or_default().push(value);
        }
        self.by_people.extend(paper.rows.last().map(|row| paper.key(row)));
        if self.link.record(system).is_some_and(|known| *known != paper.record) {
            *self.added_to_copy.entry(product.clone()).or_default() += 1;
        }
        self.added.entry(product).or_default()[system] += 1;
    }

    /// A line that a person chooses, with the moment at which something is done to it.
    fn chosen(&mut self, system: System, line: usize) -> Option<usize> {
        let rows = &self.papers[system].as_ref()?.rows;
        self.now += 120;
        (!rows.is_empty()).then(|| line % rows.len())
    }

    pub(super) fn edit(&mut self, system: System, line: usize, cell: usize, text: usize) {
        let Some(line) = self.chosen(system, line) else { return };
        let (name, texts) = self.values()[cell % VALUES.len()];
        let entered = stored(system, name, &value(texts[text % texts.len()]));
        let Some(paper) = &mut self.papers[system] else { return };
        let row = &mut paper.rows[line];
        if row.cells.insert(name, entered.clone()) == Some(entered.clone()) {
            return;
        }
        let product = row.product.clone();
        paper.touch(false, self.now);
        self.edited_since.entry(product.clone()).or_default()[system] = true;
        self.entered_since.entry((product.clone(), name)).or_default().push(entered.clone());
        self.entered.entry((product, name)).or_default()[system] = Some(entered);
    }

    pub(super) fn remove(&mut self, system: System, line: usize) {
        let Some(line) = self.chosen(system, line) else { return };
        let Some(paper) = &mut self.papers[system] else { return };
        let key = paper.key(&paper.rows[line]);
        let product = paper.rows.remove(line).product;
        paper.touch(false, self.now);
        if self.link.lines.values().all(|keys| keys[system].as_ref() != Some(&key)) {
            self.removed_unseen.entry(product.clone()).or_default()[system] = true;
        }
        *self.removed.entry(product.clone()).or_default() += 1;
        self.removed_since.entry(product).or_default()[system] = true;
    }

    pub(super) fn renew(&mut self, system: System, line: usize) {
        let Some(line) = self.chosen(system, line) else { return };
        let Some(paper) = &mut self.papers[system] else { return };
        paper.rows[line].id = paper.fresh_id();
        paper.touch(false, self.now);
        let product = paper.rows[line].product.clone();
        if self.setting.shared {
            // What can't be told apart was removed, and another one added.
            *self.removed.entry(product.clone()).or_default() += 1;
            self.added.entry(product.clone()).or_default()[system] += 1;
        }
        self.edited_since.entry(product).or_default()[system] = true;
    }

    pub(super) fn reorder(&mut self, system: System) {
        self.now += 120;
        if let Some(paper) = self.papers[system].as_mut().filter(|paper| paper.rows.len() > 1) {
            paper.rows.rotate_left(1);
            paper.touch(false, self.now);
        }
    }

    pub(super) fn review(&mut self) {
        self.now += 120;
        let reviewed = self.link.sides[EXACT].is_some();
        let Some(paper) = self.papers[EXACT].as_mut().filter(|_| reviewed) else { return };
        for row in &paper.rows {
            let key = paper.key(row);
            let is_seen = self.link.lines.values().any(|keys| keys[EXACT].as_ref() == Some(&key));
            if self.by_people.contains(&key) && !is_seen {
                *self.added_to_copy.entry(row.product.clone()).or_default() += 1;
            }
        }
        paper.record = record(&format!("{}'", paper.record));
        for place in 0..paper.rows.len() {
            paper.rows[place].id = paper.fresh_id();
        }
        paper.touch(false, self.now);
    }

    /// A repeated write was carried out. A line that it has added is there again, if nobody knew that it had been removed.
    pub(super) fn adds_again(&mut self, system: System, values: &View) {
        for line in values.keys().filter_map(PropertyName::line) {
            let added = values.get(&PropertyName::of_line(&property("Lines"), &line));
            let Some(product) = values.get(&Self::name(&line, "Product")).map(ToString::to_string) else {
                continue;
            };
            let unseen = self.removed_unseen.get(&product).is_some_and(|unseen| unseen[system]);
            let is_there = self.rows(system).iter().any(|row| row.product == product);
            if unseen && is_there && added == Some(&Value::Boolean(true)) {
                self.removed_since.entry(product).or_default()[system] = false;
            }
        }
    }

    /// A repeated write was refused. What an earlier attempt may have carried out of it is seen later, as anybody's edit.
    pub(super) fn hides(&mut self, system: System, values: &View) {
        let Some(side) = &self.link.sides[system] else { return };
        for line in values.keys().filter_map(PropertyName::line) {
            if let Some(product) = side.view.get(&Self::name(&line, "Product")) {
                self.edited_since.entry(product.to_string()).or_default()[system] = true;
            }
        }
    }
}
