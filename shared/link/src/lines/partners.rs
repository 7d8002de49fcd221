//! Which lines of one side are those that the other side's, or a write of ours, lack there.

use model::{LineKey, System, SystemPair, Value, View};

use super::{
    Cells, GONE, Lines, THERE, Table,
    fit::{self, Pair},
    is_there,
    ties::{is_waiting, may_be_in_flight},
};
use crate::Link;

/// Which lines of this side belong to which ties that lack a line here. An old sighting tells of the lines that were
/// there at its time, and only of those that had been sent or were on both sides.
pub(super) fn partners(
    link: &Link,
    lines: &Lines<'_>,
    system: System,
    seen: &View,
    sent: Option<&View>,
    is_old: bool,
) -> Vec<Pair> {
    let other = system.other();
    let comes = link.lines.values().any(|keys| keys[system].is_some() && keys[other].is_none());
    let lacks = link.lines.values().any(|keys| keys[system].is_none());
    if !comes || !lacks {
        return Vec::new();
    }
    let opening = Opening {
        link,
        lines,
        system,
        seen: lines.table(seen),
        known: SystemPair {
            customcrm: lines.seen(link, System::CustomCrm),
            exactonline: lines.seen(link, System::ExactOnline),
        },
        in_flight: SystemPair {
            customcrm: lines.in_flight(link, System::CustomCrm),
            exactonline: lines.in_flight(link, System::ExactOnline),
        },
        refused: SystemPair {
            customcrm: lines.refused(link, System::CustomCrm),
            exactonline: lines.refused(link, System::ExactOnline),
        },
        sent: sent.map_or_else(Table::new, |sent| lines.table(sent)),
        agreed: lines.table(&link.agreed),
    };
    let (mut come, mut lack) = (opening.come(), opening.lack());
    if is_old {
        come.retain(|line| is_there(&opening.seen, line.key));
        for line in &mut come {
            line.gone = !is_there(&opening.known[system], line.key);
        }
    }
    // What has been on both sides, or sent, is known by what both can resolve.
    if is_old || opening.is_waiting() {
        lack.retain(|tie| tie.agreed || tie.hope != Hope::Match);
    }
    fit::pairs(lines, system, &come, &lack)
}

/// A line of this side that has no partner.
pub(super) struct Come<'a> {
    pub(super) key: &'a LineKey,
    /// What it holds, by row.
    pub(super) cells: Vec<Option<&'a Value>>,
    /// Whether it may be one that is on its way here: then it is none of the other side's.
    pub(super) undecided: bool,
    /// Whether both sides had it once: then that one of them has lost it is an edit.
    pub(super) agreed: bool,
    /// Whether it is gone since it was seen.
    pub(super) gone: bool,
}

/// A line that lacks its partner on this side.
pub(super) struct Lack<'a> {
    pub(super) key: &'a LineKey,
    /// What its partner is expected to hold, by row.
    pub(super) cells: Vec<Option<&'a Value>>,
    pub(super) hope: Hope,
    /// Whether both sides had it once, or the other one is getting it.
    pub(super) agreed: bool,
    /// Whether the other side has removed it: it may be gone here too.
    pub(super) removed: bool,
    /// Whether we are removing it here, or may have.
    pub(super) goes: bool,
}

/// Why a line may have a partner here, the best reason first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hope {
    /// We have added it, or may have, or know it from the document's older version.
    Sent,
    /// We are adding it: only what looks as it was sent is it.
    InFlight,
    /// It is the other side's alone.
    Match,
}

struct Opening<'a> {
    link: &'a Link,
    lines: &'a Lines<'a>,
    system: System,
    seen: Table<'a, Value>,
    known: SystemPair<Table<'a, Value>>,
    in_flight: SystemPair<Table<'a, Value>>,
    refused: SystemPair<Table<'a, Value>>,
    sent: Table<'a, Value>,
    agreed: Table<'a, SystemPair<Value>>,
}

impl<'a> Opening<'a> {
    fn is_waiting(&self) -> bool {
        let seen = self.link.lines.keys().any(|key| {
            let there = self.there(self.system, key) && is_there(&self.known[self.system.other()], key);
            !there && self.lines.is_unresolved(self.seen.get(key.as_str()))
        });
        seen || is_waiting(self.link, self.lines, &self.known)
    }

    /// Whether a side has the line, by what was just seen of it or else by what is known.
    fn there(&self, system: System, key: &LineKey) -> bool {
        let seen = self.seen.get(key.as_str()).filter(|_| system == self.system);
        match seen.and_then(|line| line.there) {
            Some(there) => *there == THERE,
            None => is_there(&self.known[system], key),
        }
    }

    /// Whether a line is being removed, or may have been: of a removal that was refused, an earlier attempt may have
    /// been carried out.
    fn may_go(&self, system: System, line: &str) -> bool {
        let says = |said: &Table<'_, Value>| said.get(line).is_some_and(|said| said.there == Some(&GONE));
        says(&self.in_flight[system]) || says(&self.refused[system])
    }

    /// The lines of this side that have no partner.
    fn come(&self) -> Vec<Come<'a>> {
        let (system, other) = (self.system, self.system.other());
        let mut open = Vec::new();
        for (key, keys) in &self.link.lines {
            let in_flight = System::BOTH.into_iter().any(|to| self.in_flight[to].contains_key(key.as_str()));
            let alone = keys[system].is_some() && keys[other].is_none() && !self.there(other, key);
            let line = key.as_str();
            // What a write has removed is there no more, though its answer may not show that.
            let removed = self.sent.get(line).is_some_and(|sent| sent.there == Some(&GONE));
            let goes = removed || self.may_go(system, line);
            if alone && !in_flight && !goes && self.there(system, key) {
                let cells = self.first_of(self.seen.get(line), self.known[system].get(line));
                let (agreed, undecided) = (self.is_agreed(key), self.is_undecided(system, key, &cells));
                open.push(Come { key, cells, undecided, agreed, gone: false });
            }
        }
        open.sort_by_cached_key(|line| position(line.key));
        open
    }

    /// The lines that lack a partner on this side: of the other side or on their way there, or sent to this one.
    fn lack(&self) -> Vec<Lack<'a>> {
        let (system, other) = (self.system, self.system.other());
        let mut open = Vec::new();
        for (key, _) in self.link.lines.iter().filter(|(_, keys)| keys[system].is_none()) {
            let line = key.as_str();
            let goes = self.may_go(other, line);
            let added = |to: &Table<'a, Value>| to.get(line).filter(|there| there.is_there()).cloned();
            let there = added(&self.known[other]).or_else(|| added(&self.in_flight[other]));
            let Some((hope, cells)) = self.hope(key, there.as_ref()).filter(|_| !goes) else { continue };
            let undecided = there.is_some_and(|there| self.is_undecided(other, key, &there.cells));
            if hope == Hope::Match && undecided {
                continue;
            }
            let there = self.known[other].get(line).and_then(|line| line.there);
            let (agreed, removed) = (self.is_agreed(key), there == Some(&GONE));
            open.push(Lack { key, cells, hope, agreed, removed, goes: self.may_go(system, line) });
        }
        open.sort_by_cached_key(|tie| position(tie.key));
        open
    }

    /// Why a line may have a partner here, and what that should hold.
    fn hope(
        &self,
        key: &LineKey,
        there: Option<&Cells<'a, Value>>,
    ) -> Option<(Hope, Vec<Option<&'a Value>>)> {
        let added = |to: &Table<'a, Value>| to.get(key.as_str()).filter(|sent| sent.is_there()).cloned();
        let here = added(&self.known[self.system]);
        if let Some(sent) = added(&self.sent) {
            Some((Hope::Sent, self.as_sent(&sent, there)))
        } else if self.there(self.system, key) {
            Some((Hope::Sent, self.first_of(here.as_ref(), there)))
        } else if let Some(sent) = added(&self.in_flight[self.system]) {
            Some((Hope::InFlight, self.as_sent(&sent, there)))
        } else {
            there.map(|there| (Hope::Match, self.as_lost(key, here.as_ref(), there)))
        }
    }

    /// What this side held of a line that it has lost.
    fn as_lost(
        &self,
        key: &LineKey,
        here: Option<&Cells<'a, Value>>,
        there: &Cells<'a, Value>,
    ) -> Vec<Option<&'a Value>> {
        let agreed = self.agreed.get(key.as_str());
        let cell = |place: usize| {
            let agreed = agreed.and_then(|line| line.cells[place]).map(|agreed| &agreed[self.system]);
            here.and_then(|here| here.cells[place]).or(agreed).or(there.cells[place])
        };
        (0..self.lines.rows.len()).map(cell).collect()
    }

    /// What was sent of a line; the rows that are not sent here are known from the other side alone.
    fn as_sent(&self, sent: &Cells<'a, Value>, there: Option<&Cells<'a, Value>>) -> Vec<Option<&'a Value>> {
        let cell = |(place, row): (usize, &super::Row<'_>)| {
            if row.rule.flow.reaches(self.system) { sent.cells[place] } else { there?.cells[place] }
        };
        self.lines.rows.iter().enumerate().map(cell).collect()
    }

    fn first_of(
        &self,
        first: Option<&Cells<'a, Value>>,
        second: Option<&Cells<'a, Value>>,
    ) -> Vec<Option<&'a Value>> {
        let cell = |place: usize| {
            let cell = |line: Option<&Cells<'a, Value>>| line.and_then(|line| line.cells[place]);
            cell(first).or_else(|| cell(second))
        };
        (0..self.lines.rows.len()).map(cell).collect()
    }

    /// Whether a line of this side may be one that is on its way there.
    fn is_undecided(&self, system: System, key: &LineKey, cells: &[Option<&Value>]) -> bool {
        let own = self.link.lines.get(key).is_some_and(|keys| keys[system].is_some());
        let mut in_flight = self.in_flight[system].clone();
        in_flight.retain(|key, _| !self.sent.contains_key(key));
        let partners = &self.known[system.other()];
        own && !self.is_agreed(key)
            && may_be_in_flight(self.link, self.lines, system, &in_flight, partners, cells)
    }

    /// Whether both sides had the line, or the other one is getting it.
    fn is_agreed(&self, key: &LineKey) -> bool {
        let agreed = self.agreed.get(key.as_str()).and_then(|line| line.there);
        agreed.is_some_and(|there| there.customcrm == THERE && there.exactonline == THERE)
            || is_there(&self.in_flight[self.system.other()], key)
    }
}

/// Systems number their lines as they come.
fn position(key: &LineKey) -> (usize, String) {
    let id = key.as_str().split_once(':').map_or(key.as_str(), |(_, id)| id);
    (id.len(), id.to_owned())
}

/// Nothing is nothing, whether a system shows it or not.
pub(super) fn is_alike(one: Option<&Value>, other: Option<&Value>) -> bool {
    one.unwrap_or(&GONE) == other.unwrap_or(&GONE)
}
