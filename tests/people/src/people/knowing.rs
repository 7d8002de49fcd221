//! What people know of how far the two sides have come: what is settled, agreed, and lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{LineKey, System, View};

use super::{Agreed, People};
use crate::Sides;
use crate::hand::{lines_marked, row, shows};
use crate::ledger::{Cell, Story};
use crate::things::{Kind, Thing};

impl People {
    /// Whether the link of a thing, and of one of its lines, knows what both sides agreed on, as far as people can tell.
    pub(super) fn is_agreed(&mut self, thing: &Thing, line: Option<(&str, &View)>, agreed: &Agreed) -> bool {
        let known: Vec<&BTreeSet<LineKey>> =
            self.hand.records_of(thing).filter_map(|record| agreed.get(&record)).collect();
        let story = self.ledger.things.get_mut(thing).unwrap();
        story.unlinked &= known.is_empty();
        let Some((mark, view)) = line else { return !story.unlinked };
        let Some(line) = story.lines.get_mut(mark) else { return !story.unlinked };
        let key = lines_marked(view, mark).pop();
        line.unlinked &= !key.is_some_and(|key| known.iter().any(|lines| lines.contains(&key)));
        !story.unlinked && !line.unlinked
    }

    /// Whether there are things whose links were lost and are not known to be there again.
    pub fn misses_links(&self) -> bool {
        let is_missed =
            |story: &Story| story.unlinked || story.lines.values().any(|line| line.unlinked && !line.removed);
        self.ledger.things.values().any(|story| story.deleted.is_none() && is_missed(story))
    }

    /// Whether both sides show the same in every cell that somebody has spoken of.
    pub(super) fn is_settled(&mut self, sides: &Sides, thing: &Thing) -> bool {
        let [Some(crm), Some(exact)] = System::BOTH.map(|system| self.hand.sees(sides, thing, system)) else {
            return false;
        };
        let lines = &self.ledger.things[thing].lines;
        let there = |cell: &Cell| cell.line.as_ref().is_none_or(|line| !lines[line].removed);
        let mut of_thing =
            self.ledger.words.keys().filter(|cell| cell.thing == *thing).filter(|cell| there(cell));
        of_thing.all(|cell| {
            let shown = shows(&crm.view, cell);
            shown.is_some() && shown == shows(&exact.view, cell)
        })
    }

    /// Whether it has the highest number of its kind in Exact, which would give that again to the next one. The CRM's
    /// record keeps its number, and there may be no second one: that is for a person to solve.
    pub(super) fn is_newest(&mut self, sides: &Sides, thing: &Thing, kind: Kind) -> bool {
        let numbered = match kind {
            Kind::Company => "CustomerNumber",
            Kind::Quote => "QuoteNumber",
            Kind::Order => "OrderNumber",
            Kind::Contact | Kind::Article | Kind::Draft => return false,
        };
        let all: Vec<Thing> = self.ledger.open(kind).map(|(thing, _)| thing.clone()).collect();
        let mut number = |thing: &Thing| {
            let seen = self.hand.sees(sides, thing, System::ExactOnline)?;
            seen.view.get(&row(numbered))?.to_string().trim().parse::<u64>().ok()
        };
        let own = number(thing);
        all.iter().all(|other| number(other) <= own)
    }

    /// Sees which edits have arrived.
    pub fn arrivals(&mut self, sides: &Sides, now: Duration) {
        for (cell, value, system, at) in std::mem::take(&mut self.outstanding) {
            let there = self.hand.sees(sides, &cell.thing, system.other());
            if there.is_some_and(|seen| shows(&seen.view, &cell).as_ref() == Some(&value)) {
                self.lags.push(now.saturating_sub(at));
            } else {
                self.outstanding.push((cell, value, system, at));
            }
        }
    }

    /// What both sides show in every cell that somebody has spoken of, before all links are lost.
    pub fn links_lost(&mut self, sides: &Sides, at: Duration) {
        let mut views: BTreeMap<(Thing, System), View> = BTreeMap::new();
        let things: Vec<Thing> = self.ledger.things.keys().cloned().collect();
        for thing in things {
            for system in System::BOTH {
                if let Some(seen) = self.hand.sees(sides, &thing, system) {
                    views.insert((thing.clone(), system), seen.view);
                }
            }
        }
        self.ledger.links_lost(|cell, system| {
            views.get(&(cell.thing.clone(), system)).and_then(|view| shows(view, cell))
        });
        for story in self.ledger.things.values_mut() {
            story.told.push((at, "all links lost".to_owned()));
        }
    }
}
