//! What people do with documents: their lines, and what becomes of a quotation.

use mapping::Property;
use model::{LineKey, PropertyName, System, Value, View};
use rand::Rng;
use rand::seq::IndexedRandom;

use super::{Moment, People, is_editable, owner, text};
use crate::Sides;
use crate::hand::{Seen, lines_marked, row, shows};
use crate::ledger::{Cell, Line, Shown, Word};
use crate::things::{Kind, Thing};

impl People {
    fn document(&mut self, sides: &Sides, system: System) -> Option<(Thing, Seen)> {
        self.editable_thing(sides, system).filter(|(thing, _)| thing.kind.has_lines())
    }

    pub(super) fn add_line(&mut self, now: Moment<'_>, system: System) {
        let Some((thing, seen)) = self.document(now.sides, system) else { return };
        let Some((cells, mark, article)) = self.new_line(now.sides, system, 0) else { return };
        match self.hand.changes(now.sides, &thing, system, &seen, &cells) {
            Ok(()) => {
                self.ledger.tell(
                    now.at,
                    &thing,
                    "line added",
                    format!("line {mark} added in {}", system.name()),
                );
                let unseen = self.unseen_lines(now.sides, &thing, system, &article);
                let is_alone = !self.is_agreed(&thing, None, now.agreed) || !unseen.is_empty();
                let line = Line { alone: is_alone.then_some(system), ..Line::of(article.clone()) };
                let lines = &mut self.ledger.things.get_mut(&thing).unwrap().lines;
                lines.insert(mark.clone(), line);
                for mark in unseen {
                    lines.entry(mark).and_modify(|line| line.alone = Some(system.other()));
                }
                for name in ["Quantity", "UnitPrice"] {
                    self.says_first(&thing, Some(mark.clone()), name, system, &cells);
                }
                self.ledger.things.get_mut(&article).unwrap().referred += 1;
            }
            Err(refused) => self.ledger.refused.push(format!("{thing}: {refused}")),
        }
    }

    /// The lines on which the same article stands and which only the other side shows.
    fn unseen_lines(&mut self, sides: &Sides, thing: &Thing, system: System, article: &Thing) -> Vec<String> {
        let [here, there] =
            [system, system.other()].map(|side| self.hand.sees(sides, thing, side).map(|seen| seen.view));
        let (Some(here), Some(there)) = (here, there) else { return Vec::new() };
        let same = |(mark, line): (&String, &Line)| (line.article == *article).then(|| mark.clone());
        let mut marks: Vec<String> = self.ledger.things[thing].lines.iter().filter_map(same).collect();
        marks.retain(|mark| lines_marked(&here, mark).is_empty() && !lines_marked(&there, mark).is_empty());
        marks
    }

    /// A line of a document that this side shows.
    fn line(&mut self, thing: &Thing, seen: &Seen, system: System) -> Option<(String, LineKey)> {
        let lines = &self.ledger.things[thing].lines;
        let there: Vec<(String, LineKey)> = lines
            .iter()
            .filter(|(_, line)| !line.removed)
            .filter_map(|(mark, _)| Some((mark.clone(), lines_marked(&seen.view, mark).pop()?)))
            .collect();
        there.choose(self.random(system)).cloned()
    }

    pub(super) fn change_line(&mut self, now: Moment<'_>, system: System) {
        let Some((thing, seen)) = self.document(now.sides, system) else { return };
        let Some((mark, key)) = self.line(&thing, &seen, system) else { return };
        let lines = self.hand.pair(thing.kind).lines.clone().unwrap();
        let rows =
            lines.properties.iter().filter(|row| is_editable(row) && row.name.property() != "Description");
        let rows: Vec<&Property> = rows.filter(|row| owner(&mark, row.name.as_str()) == system).collect();
        let Some(property) = rows.choose(self.random(system)) else { return };
        let name = PropertyName::in_line(&key, &property.name);
        let held = seen.view.get(&name).unwrap_or(&Value::Empty);
        let values = View::from([(name, self.value(system, property, held))]);
        self.enter(now, &thing, system, &seen, &values);
    }

    pub(super) fn remove_line(&mut self, now: Moment<'_>, system: System) {
        let Some((thing, seen)) = self.document(now.sides, system) else { return };
        let there = self.ledger.things[&thing].lines.values().filter(|line| !line.removed).count();
        if there < 3 || !self.is_settled(now.sides, &thing) || !self.is_agreed(&thing, None, now.agreed) {
            return;
        }
        let Some((mark, key)) = self.line(&thing, &seen, system) else { return };
        if !self.is_agreed(&thing, Some((&mark, &seen.view)), now.agreed) {
            return;
        }
        let values = View::from([(PropertyName::of_line(&row("Lines"), &key), Value::Empty)]);
        match self.hand.changes(now.sides, &thing, system, &seen, &values) {
            Ok(()) => {
                let words = format!("line {mark} removed in {}", system.name());
                self.ledger.tell(now.at, &thing, "line removed", words);
                self.ledger.things.get_mut(&thing).unwrap().lines.get_mut(&mark).unwrap().removed = true;
            }
            Err(refused) => self.ledger.refused.push(format!("{thing}: {refused}")),
        }
    }

    /// Confirms an order in draft: it gets a sales order beside its quotation.
    pub(super) fn confirm(&mut self, now: Moment<'_>) {
        let crm = System::CustomCrm;
        let Some(thing) = self.some(now.sides, crm, Kind::Draft, |_| true) else { return };
        if self.ledger.things[&thing].confirmed
            || self.hand.sees(now.sides, &thing, System::ExactOnline).is_none()
        {
            return;
        }
        let Some(seen) = self.hand.sees(now.sides, &thing, crm) else { return };
        let values = View::from([(row("Status"), text("Confirmed"))]);
        match self.hand.changes(now.sides, &thing, crm, &seen, &values) {
            Ok(()) => {
                self.ledger.tell(now.at, &thing, "confirmed", "confirmed in customcrm".to_owned());
                self.ledger.things.get_mut(&thing).unwrap().confirmed = true;
            }
            Err(refused) => self.ledger.refused.push(format!("{thing}: {refused}")),
        }
    }

    /// A quotation that Exact's person may do something with.
    fn quotation(&mut self, now: Moment<'_>, kind: Kind) -> Option<(Thing, Seen)> {
        let exact = System::ExactOnline;
        let thing = self.some(now.sides, exact, kind, |_| true)?;
        let fit = !self.ledger.things[&thing].confirmed
            && !self.is_under_review(now.sides, &thing)
            && self.is_settled(now.sides, &thing)
            && self.is_agreed(&thing, None, now.agreed);
        let seen = self.hand.sees(now.sides, &thing, exact).filter(|_| fit)?;
        Some((thing, seen))
    }

    /// Prints a quotation and accepts it: Exact makes a sales order of it.
    pub(super) fn accept(&mut self, now: Moment<'_>) {
        let kind = if self.random(System::ExactOnline).random_bool(0.7) { Kind::Quote } else { Kind::Draft };
        let Some((thing, seen)) = self.quotation(now, kind) else { return };
        let done = now
            .sides
            .acts("PrintQuotation", &seen.record, "")
            .and_then(|()| now.sides.acts("AcceptQuotation", &seen.record, ",\"Action\":1"));
        match done {
            Ok(()) => {
                self.ledger.tell(now.at, &thing, "accepted", "accepted in exactonline".to_owned());
                let story = self.ledger.things.get_mut(&thing).unwrap();
                story.closed = true;
                if thing.kind == Kind::Draft {
                    story.confirmed = true;
                } else {
                    let order = Thing { kind: Kind::Order, mark: thing.mark.clone() };
                    let story = self.ledger.things.entry(order).or_default();
                    story.told.push((now.at, format!("made by exactonline of {thing}")));
                    // It is the quotation's to tell what is on it.
                    story.closed = true;
                }
            }
            Err(refused) => self.ledger.refused.push(format!("{thing}: {refused}")),
        }
    }

    /// Prints a quotation and reviews it: its next version takes its place. Until the CRM shows that, nobody edits the
    /// quote there: what is written to a version that has given way already is lost, which is an open fault of the
    /// product.
    pub(super) fn review(&mut self, now: Moment<'_>) {
        let Some((thing, seen)) = self.quotation(now, Kind::Quote) else { return };
        let done = now
            .sides
            .acts("PrintQuotation", &seen.record, "")
            .and_then(|()| now.sides.acts("ReviewQuotation", &seen.record, ""));
        match done {
            Ok(()) => {
                self.ledger.tell(now.at, &thing, "reviewed", "reviewed in exactonline".to_owned());
                self.dates_anew(now.sides, &thing, &seen);
                self.ledger.things.get_mut(&thing).unwrap().is_under_review = true;
            }
            Err(refused) => self.ledger.refused.push(format!("{thing}: {refused}")),
        }
    }

    /// Exact itself dates a new version of a quotation.
    fn dates_anew(&mut self, sides: &Sides, thing: &Thing, before: &Seen) {
        let exact = System::ExactOnline;
        let name = if thing.kind == Kind::Quote { "QuoteDate" } else { "OrderDate" };
        let cell = Cell { thing: thing.clone(), line: None, row: name.to_owned() };
        let there = self.hand.sees(sides, thing, System::CustomCrm).and_then(|seen| shows(&seen.view, &cell));
        let Some(seen) = self.hand.sees(sides, thing, exact) else { return };
        if let Some(value) = shows(&seen.view, &cell) {
            let shown = Shown { here: shows(&before.view, &cell), there };
            self.ledger.says(cell, Word { system: exact, value }, &shown, true);
        }
    }
}
