//! What the lines of a document ask for. That a line is there is merged as a property is, and so are the cells of a
//! line that both sides have.

use std::borrow::Cow;

use jiff::Timestamp;
use model::{LineKey, PropertyName, System, SystemPair, Value};

use super::{
    Decision, is_frozen,
    merge::{Cell, in_force, merge, record_edited_at, settle},
    unless_frozen,
};
use crate::{
    Flow, Link, Policy, Rule,
    lines::{Cells, GONE, Lines, THERE, Table, is_there, ties},
};

/// What every line asks for, cell by cell.
pub(super) fn decide(
    link: &Link,
    policy: &Policy,
    lines: &Lines<'_>,
    claiming: Option<System>,
) -> Vec<(PropertyName, Decision)> {
    let Some(rule) = policy.rules.get(lines.row) else { return Vec::new() };
    let open = lines.unsettled(link);
    let views = SystemPair {
        customcrm: lines.seen_of(link, System::CustomCrm, &open),
        exactonline: lines.seen_of(link, System::ExactOnline, &open),
    };
    let mut deciding = Deciding {
        link,
        lines,
        rule: in_force(link, *rule),
        agreed: lines.table_of(&link.agreed, &open),
        in_flight: SystemPair {
            customcrm: lines.in_flight(link, System::CustomCrm),
            exactonline: lines.in_flight(link, System::ExactOnline),
        },
        claiming,
        waits: ties::is_waiting(link, lines, &views),
        views,
        decisions: Vec::new(),
    };
    for (key, keys) in open.iter().filter_map(|key| link.lines.get_key_value(*key)) {
        deciding.line(key, keys);
    }
    deciding.decisions
}

struct Deciding<'a> {
    link: &'a Link,
    lines: &'a Lines<'a>,
    rule: Rule,
    views: SystemPair<Table<'a, Value>>,
    agreed: Table<'a, SystemPair<Value>>,
    in_flight: SystemPair<Table<'a, Value>>,
    claiming: Option<System>,
    /// Whether no line may be added.
    waits: bool,
    decisions: Vec<(PropertyName, Decision)>,
}

impl<'a> Deciding<'a> {
    fn line(&mut self, key: &LineKey, keys: &SystemPair<Option<LineKey>>) {
        let flies = System::BOTH
            .into_iter()
            .filter(|to| Some(*to) != self.claiming)
            .any(|to| self.in_flight[to].get(key.as_str()).is_some_and(|sent| sent.there.is_some()));
        if flies {
            return;
        }
        let [crm, exact] = System::BOTH.map(|system| is_there(&self.views[system], key));
        match (crm, exact) {
            (true, true) => self.on_both(key, keys),
            (true, false) => self.on_one(key, keys, System::CustomCrm),
            (false, true) => self.on_one(key, keys, System::ExactOnline),
            (false, false) => {}
        }
    }

    fn agreed(&self, key: &LineKey) -> Option<&Cells<'a, SystemPair<Value>>> {
        self.agreed.get(key.as_str())
    }

    fn on_both(&mut self, key: &LineKey, keys: &SystemPair<Option<LineKey>>) {
        let presence = Cell {
            rule: self.rule,
            values: SystemPair { customcrm: &THERE, exactonline: &THERE },
            agreed: self.agreed(key).and_then(|agreed| agreed.there),
        };
        let name = || self.lines.there(key);
        if let Some(decision) = merge(self.link, presence, || Cow::Owned(name())) {
            let name = name();
            self.decisions.push((name, decision));
        }
        for place in 0..self.lines.rows.len() {
            let Some(decision) = self.cell(key, place) else { continue };
            if let Decision::Write { to, .. } = decision
                && !self.may_be_changed(keys, to)
            {
                continue;
            }
            let name = PropertyName::in_line(key, self.lines.rows[place].name);
            let decision = unless_frozen(self.link, &name, decision);
            self.decisions.push((name, decision));
        }
    }

    fn cell(&self, key: &LineKey, place: usize) -> Option<Decision> {
        let cell = |table: &Table<'a, Value>| table.get(key.as_str()).and_then(|line| line.cells[place]);
        let flies = System::BOTH
            .into_iter()
            .filter(|to| Some(*to) != self.claiming)
            .any(|to| cell(&self.in_flight[to]).is_some());
        if flies {
            return None;
        }
        let row = &self.lines.rows[place];
        let values = SystemPair {
            customcrm: cell(&self.views.customcrm)?,
            exactonline: cell(&self.views.exactonline)?,
        };
        let agreed = self.agreed(key).and_then(|agreed| agreed.cells[place]);
        let cell = Cell { rule: in_force(self.link, row.rule), values, agreed };
        merge(self.link, cell, || Cow::Owned(PropertyName::in_line(key, row.name)))
    }

    /// A line that one side has and the other has not: it is new, or it was removed.
    fn on_one(&mut self, key: &LineKey, keys: &SystemPair<Option<LineKey>>, has: System) {
        let mut values = SystemPair { customcrm: &GONE, exactonline: &GONE };
        values[has] = &THERE;
        let agreed = self.agreed(key).and_then(|agreed| agreed.there);
        let was_on_both = agreed.is_some_and(|agreed| agreed[has.other()] == THERE);
        if was_on_both && self.may_be_back(key, has.other()) {
            return;
        }
        let name = self.lines.there(key);
        let rule = self.rule;
        let is_symmetric = !rule.keep_filled && !matches!(rule.flow, Flow::Follow(_));
        let decision = if was_on_both && is_symmetric && self.is_edited(key, has) {
            Some(settle(rule, values, |system| self.edited_at(key, system)))
        } else {
            merge(self.link, Cell { rule, values, agreed }, || Cow::Borrowed(&name))
        };
        match decision {
            Some(Decision::Write { .. }) if is_frozen(self.link, &name) => {
                self.decisions.push((name, Decision::Frozen));
            }
            Some(Decision::Write { to, value, why }) if to == has => {
                if self.may_be_changed(keys, has) {
                    self.decisions.push((name, Decision::Write { to, value, why }));
                }
            }
            Some(Decision::Write { to, value, why }) => {
                if keys[to].is_none() && self.may_be_written(to) && self.may_be_added(key, to) {
                    self.decisions.push((name, Decision::Write { to, value, why }));
                    self.add_cells(key, to);
                }
            }
            // A line of its own that the following side keeps is nothing to agree on.
            Some(Decision::Agree(_)) | None => {}
            Some(decision) => self.decisions.push((name, decision)),
        }
    }

    /// Whether it is known which of a side's lines is meant: it would be added once more.
    fn may_be_changed(&self, keys: &SystemPair<Option<LineKey>>, to: System) -> bool {
        keys[to].is_some() && self.may_be_written(to)
    }

    /// Whether a side's lines are known as they are at a version: only then can a target tell that they have changed,
    /// and a write that is repeated adds nothing twice.
    fn may_be_written(&self, to: System) -> bool {
        let is_versioned = self.link.sides[to].as_ref().is_some_and(|side| side.version.is_some());
        is_versioned && !self.link.awaits_lines[to]
    }

    /// Whether a side has edited a line since the two agreed. What flows one way only is the system's own doing.
    fn is_edited(&self, key: &LineKey, system: System) -> bool {
        let (Some(seen), Some(agreed)) = (self.views[system].get(key.as_str()), self.agreed(key)) else {
            return false;
        };
        self.lines.rows.iter().enumerate().any(|(place, row)| {
            in_force(self.link, row.rule).flow == Flow::Both
                && match (seen.cells[place], agreed.cells[place]) {
                    (Some(seen), Some(agreed)) => *seen != agreed[system],
                    _ => false,
                }
        })
    }

    /// When a side's people changed a line last, in any of its cells, or removed it; where that is not known of the
    /// line, the record tells.
    fn edited_at(&self, key: &LineKey, system: System) -> Option<Timestamp> {
        let edited = self.link.edited[system].iter();
        let of_line = edited.filter(|(name, _)| name.cell().is_some_and(|(line, _)| line == key.as_str()));
        of_line.map(|(_, at)| *at).max().or_else(|| record_edited_at(self.link, system))
    }

    /// Whether it is certain that a side lacks the line, because it is none of those that we are adding here, and all
    /// is known that it can't be without.
    fn may_be_added(&self, key: &LineKey, to: System) -> bool {
        let Some(line) = self.views[to.other()].get(key.as_str()) else { return false };
        let lacks = self.lines.rows.iter().zip(&line.cells).any(|(row, cell)| {
            row.rule.required && row.rule.flow.reaches(to) && cell.is_some_and(Value::is_unresolved)
        });
        !lacks && !self.waits && !self.is_undecided(key, to.other())
    }

    /// Whether a line of this side may be one that we are adding there.
    fn is_undecided(&self, key: &LineKey, system: System) -> bool {
        let was_on_both = self.agreed(key).is_some_and(|agreed| agreed.there.is_some());
        let line = self.views[system].get(key.as_str()).filter(|line| !was_on_both && line.is_there());
        line.is_some_and(|line| {
            let (sent, partners) = (&self.in_flight[system], &self.views[system.other()]);
            ties::may_be_in_flight(self.link, self.lines, system, sent, partners, &line.cells)
        })
    }

    /// Whether a line that this side has lost may be back under another id, if that is not one that we are adding.
    fn may_be_back(&self, key: &LineKey, system: System) -> bool {
        let Some(lost) = self.views[system.other()].get(key.as_str()) else { return false };
        let comes = self.link.lines.iter().filter(|(_, keys)| keys[system].is_some());
        comes.filter(|(_, keys)| keys[system.other()].is_none()).any(|(key, _)| {
            let line = self.views[system].get(key.as_str());
            line.is_some_and(|line| ties::are_akin(self.lines, &line.cells, &lost.cells))
                && self.is_undecided(key, system)
        })
    }

    fn add_cells(&mut self, key: &LineKey, to: System) {
        let Some(line) = self.views[to.other()].get(key.as_str()) else { return };
        for (row, cell) in self.lines.rows.iter().zip(&line.cells) {
            let Some(value) = cell.filter(|value| !value.is_empty() && !value.is_unresolved()) else {
                continue;
            };
            if in_force(self.link, row.rule).flow.reaches(to) {
                let name = PropertyName::in_line(key, row.name);
                self.decisions.push((name, Decision::WithLine { to, value: value.clone() }));
            }
        }
    }
}
