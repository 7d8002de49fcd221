//! What must hold of two documents, told by what people did.

use std::collections::BTreeSet;

use model::{LineKey, System, SystemPair, Value};

use super::{
    paper::{Row, common},
    world::World,
};
use crate::tests::fixture::{CRM, EXACT, property, value};

impl World {
    pub(super) fn rows(&self, system: System) -> &[Row] {
        self.papers[system].as_ref().map_or(&[], |paper| &paper.rows)
    }

    fn row(&self, system: System, key: Option<&LineKey>) -> Option<&Row> {
        let paper = self.papers[system].as_ref()?;
        paper.rows.iter().find(|row| Some(&paper.key(row)) == key)
    }

    /// Each line of each side has one tie, whatever happens, and its own key only while it is known to be there.
    pub(super) fn holds_ties(&self) {
        for system in System::BOTH {
            let own: Vec<&LineKey> =
                self.link.lines.values().filter_map(|keys| keys[system].as_ref()).collect();
            assert_eq!(own.len(), own.iter().collect::<BTreeSet<_>>().len(), "a line has one tie");
            let Some(side) = &self.link.sides[system] else { continue };
            for (name, value) in &side.view {
                let Some(line) = name.line() else { continue };
                let there = model::PropertyName::of_line(&property("Lines"), &line);
                assert!(self.link.lines.contains_key(&line), "{name} has no tie");
                assert!(
                    *name == there || side.view.get(&there) == Some(&Value::Boolean(true)),
                    "{name} is loose"
                );
                assert!(!matches!(value, Value::StandIn(_)));
            }
        }
    }

    /// A cell is settled when both documents, the link and all that is under way agree on it.
    pub(super) fn settle(&mut self) {
        if self.setting.shared {
            return;
        }
        let ties: Vec<_> = self.link.lines.iter().map(|(tie, keys)| (tie.clone(), keys.clone())).collect();
        for (tie, keys) in ties {
            let Some(crm) = self.row(CRM, keys.customcrm.as_ref()).cloned() else { continue };
            let Some(exact) = self.row(EXACT, keys.exactonline.as_ref()).cloned() else { continue };
            let presence = model::PropertyName::of_line(&property("Lines"), &tie);
            let there = Value::Boolean(true);
            let on_both = SystemPair { customcrm: &there, exactonline: &there };
            let mut is_settled = self.is_quiet(&presence, on_both);
            for name in Self::cells() {
                let held = SystemPair { customcrm: &crm.cells[name], exactonline: &exact.cells[name] };
                let alike = common(name, held.customcrm) == common(name, held.exactonline);
                if alike && self.is_quiet(&Self::name(&tie, name), held) {
                    self.settled.insert((crm.product.clone(), name), held.customcrm.clone());
                    self.entered.remove(&(crm.product.clone(), name));
                    self.entered_since.remove(&(crm.product.clone(), name));
                } else {
                    is_settled = false;
                }
            }
            if is_settled {
                self.removed_since.remove(&crm.product);
                self.edited_since.remove(&crm.product);
            }
        }
    }

    fn is_quiet(&self, name: &model::PropertyName, held: SystemPair<&Value>) -> bool {
        let agreed = self.link.agreed.get(name);
        System::BOTH.into_iter().all(|system| {
            let known = self.link.sides[system].as_ref().and_then(|side| side.view.get(name));
            let in_flight = self.link.pending[system].sent().is_some_and(|sent| sent.contains_key(name));
            let held_by_writer =
                self.work[system].as_ref().is_some_and(|work| work.write.values().contains_key(name));
            let is_agreed = agreed.is_some_and(|agreed| agreed[system] == *held[system]);
            known == Some(held[system]) && is_agreed && !in_flight && !held_by_writer
        })
    }

    pub(super) fn holds_its_promises(&self) {
        assert!(self.link.is_at_rest(), "{:?}", self.link.pending);
        assert!(self.created <= 1, "{} partners were made", self.created);
        assert!(
            self.papers.customcrm.is_some() && self.papers.exactonline.is_some(),
            "the partner was never made"
        );
        self.lines_agree();
        if self.setting.shared {
            self.counts_are_possible();
        } else {
            self.no_line_is_lost_or_doubled();
            self.no_edit_is_lost();
        }
    }

    /// Every line of either document has its partner, and they are alike, or a person has been asked.
    fn lines_agree(&self) {
        for system in System::BOTH {
            for row in self.rows(system) {
                let key = self.papers[system].as_ref().unwrap().key(row);
                let tie = self.link.lines.iter().find(|(_, keys)| keys[system].as_ref() == Some(&key));
                let Some((tie, keys)) = tie else { panic!("{system}: {row:?} has no tie: {:#?}", self.link) };
                let Some(partner) = self.row(system.other(), keys[system.other()].as_ref()) else {
                    let presence = model::PropertyName::of_line(&property("Lines"), tie);
                    assert!(
                        self.link.conflicts.contains(&presence),
                        "{system}: {row:?} stands alone: {:#?}",
                        self.link
                    );
                    continue;
                };
                assert_eq!(row.product, partner.product);
                for name in Self::cells() {
                    let ends = common(name, &row.cells[name]);
                    assert_eq!(ends, common(name, &partner.cells[name]), "{name} of {row:?} and {partner:?}");
                }
            }
        }
        for (number, row) in self.rows(EXACT).iter().enumerate() {
            let key = self.papers[EXACT].as_ref().unwrap().key(row);
            let keys = self.link.lines.values().find(|keys| keys[EXACT].as_ref() == Some(&key));
            let partner = keys.and_then(|keys| self.row(CRM, keys[CRM].as_ref()));
            assert!(partner.is_none_or(|row| row.cells["Number"] == value(&(number + 1).to_string())));
        }
    }

    fn no_line_is_lost_or_doubled(&self) {
        for product in self.added.keys() {
            let [crm, exact] = System::BOTH
                .map(|system| self.rows(system).iter().filter(|row| row.product == *product).count());
            assert!(crm <= 1 && exact <= 1, "{product} is there {crm} and {exact} times");
            let removed = self.removed_since.get(product).copied().unwrap_or_default();
            let edited = self.edited_since.get(product).copied().unwrap_or_default();
            let survives = crm + exact > 0;
            if !removed.customcrm && !removed.exactonline && !self.removed.contains_key(product) {
                assert!(survives, "{product} is lost");
            }
            // A rendition that no answer has told is taken for an edit of the target, and may stand against a removal.
            let is_certain = self.setting.tells_lines && self.setting.plain;
            let alone = |system: System| is_certain && removed[system] && !edited[system.other()];
            if alone(CRM) || alone(EXACT) {
                assert!(!survives, "{product} was removed and is there");
            }
        }
        for row in self.rows(CRM).iter().chain(self.rows(EXACT)) {
            assert!(self.added.contains_key(&row.product), "{row:?} comes from nowhere");
        }
    }

    fn no_edit_is_lost(&self) {
        for row in self.rows(CRM) {
            for name in Self::cells() {
                let place = (row.product.clone(), name);
                let entered = self.entered.get(&place).cloned().unwrap_or_default();
                let mut allowed: Vec<Value> =
                    [entered.customcrm, entered.exactonline].into_iter().flatten().collect();
                // Who removed a line has given up what they had entered there last: what was carried over stands.
                let removed = self.removed_since.contains_key(&row.product);
                if allowed.is_empty() || removed {
                    allowed.extend(self.settled.get(&place).cloned());
                }
                if removed {
                    allowed.extend(self.entered_since.get(&place).into_iter().flatten().cloned());
                }
                let ends = common(name, &row.cells[name]);
                assert!(
                    allowed.iter().any(|value| common(name, value) == ends),
                    "{name} of {}: {ends} stands where {allowed:?} was entered last",
                    row.product
                );
            }
        }
    }

    /// Lines that can't be told apart: as many as were added, but for those removed, for those that both sides added
    /// and that are taken for one, and for those that were seen first in a newer version of the document and are taken
    /// for copies of lines that were removed.
    fn counts_are_possible(&self) {
        for (product, added) in &self.added {
            let all = added.customcrm + added.exactonline;
            let removed = self.removed.get(product).copied().unwrap_or_default();
            let most = all;
            let copies = self.added_to_copy.get(product).copied().unwrap_or_default().min(removed);
            let least = all.saturating_sub(removed + copies + added.customcrm.min(added.exactonline));
            for system in System::BOTH {
                let there = self.rows(system).iter().filter(|row| row.product == *product).count();
                let held = self.link.conflicts.iter().filter(|name| name.row() == property("Lines")).count();
                assert!(there <= most, "{system} has {product} {there} times of {most}");
                assert!(there + held >= least, "{system} has {product} {there} times of {least}");
            }
        }
    }
}
