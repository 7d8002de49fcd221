//! How the lines of the two sides find one another.
//!
//! Each system names a line by an id of its own, and a line that we add gets its id from the target. So what is seen
//! of a side's lines is brought under the keys of their ties before anything is compared; a line that has none is
//! told by its content, or begins a tie of its own.

use std::collections::BTreeMap;

use model::{LineKey, PropertyName, System, SystemPair, Value, View};

use super::{Cells, GONE, Lines, THERE, Table, is_there};
use crate::Link;

/// Brings what was seen of a side's lines under the keys of their ties; how many lines have found their partner.
///
/// `whole` tells that a line which is not among them is gone, and `sent` what a write whose outcome is known, or
/// will never be, has said to this side: its lines may be among them, in whatever rendition, or be late.
pub(crate) fn take_in(
    link: &mut Link,
    lines: &Lines<'_>,
    system: System,
    seen: &mut View,
    whole: bool,
    sent: Option<&View>,
) -> usize {
    rename(link, lines, system, seen, true);
    if whole {
        lose_missing(link, lines, system, seen);
    }
    let tied = tie(link, lines, system, seen, sent);
    if whole {
        lose_awaited(link, lines, system, seen, sent);
    }
    tied
}

/// Brings what an old sighting shows under the keys of its ties. It makes none: the line may be gone by now.
pub(crate) fn take_old(link: &mut Link, lines: &Lines<'_>, system: System, seen: &mut View) {
    rename(link, lines, system, seen, false);
}

/// Ties lines of this side, be they in `seen` or known, to lines of the other side that lack theirs here.
pub(crate) fn tie(
    link: &mut Link,
    lines: &Lines<'_>,
    system: System,
    seen: &mut View,
    sent: Option<&View>,
) -> usize {
    let pairs = partners(link, lines, system, seen, sent);
    for (line, tie) in &pairs {
        join(link, lines, system, seen, line, tie);
    }
    pairs.len()
}

/// Whether nothing may be tied or added: a line without a partner is known by a reference that is not resolved yet.
pub(crate) fn is_waiting(link: &Link, lines: &Lines<'_>, views: &SystemPair<Table<'_, Value>>) -> bool {
    link.lines.keys().any(|key| {
        let both = System::BOTH.into_iter().all(|system| is_there(&views[system], key));
        !both && System::BOTH.into_iter().any(|system| lines.is_unresolved(views[system].get(key.as_str())))
    })
}

/// Forgets the lines that are on neither side any more. For the oscillation breaker, the document remembers which
/// way the last of them went.
pub(crate) fn forget_gone(link: &mut Link, lines: &Lines<'_>) {
    let gone: Vec<LineKey> = link.lines.keys().filter(|key| is_gone(link, lines, key)).cloned().collect();
    for key in gone {
        link.lines.remove(&key);
        if let Some(turn) = link.turns.get(&lines.there(&key)).copied() {
            link.turns.insert(lines.row.clone(), turn);
        }
        for side in [&mut link.sides.customcrm, &mut link.sides.exactonline].into_iter().flatten() {
            take(lines, &mut side.view, &key);
        }
        forget_history(link, lines, &key);
    }
}

fn is_gone(link: &Link, lines: &Lines<'_>, key: &LineKey) -> bool {
    System::BOTH.into_iter().all(|system| {
        let in_flight = link.pending[system].sent().is_some_and(|sent| !lines.names_of(sent, key).is_empty());
        let there = link.sides[system].as_ref().and_then(|side| side.view.get(&lines.there(key)));
        let unseen = there.is_none() && link.awaits_lines[system];
        !in_flight && !unseen && there != Some(&THERE)
    })
}

fn rename(link: &mut Link, lines: &Lines<'_>, system: System, seen: &mut View, begins: bool) {
    let mut ties: BTreeMap<LineKey, LineKey> =
        link.lines.iter().filter_map(|(tie, keys)| Some((keys[system].clone()?, tie.clone()))).collect();
    let mut renamed = View::new();
    for (name, value) in std::mem::take(seen) {
        let Some((own, cell)) = lines.split(&name) else {
            renamed.insert(name, value);
            continue;
        };
        let Ok(own) = LineKey::parse(own) else { continue };
        if begins && cell.is_none() && value == THERE && !ties.contains_key(&own) {
            begin(link, system, &own).and_then(|tie| ties.insert(own.clone(), tie));
        }
        match ties.get(&own) {
            Some(tie) if *tie == own => renamed.insert(name, value),
            Some(tie) => renamed.insert(PropertyName::in_line(tie, &name.row()), value),
            None => None,
        };
    }
    *seen = renamed;
}

/// A line that was never seen begins a tie under its own key. That may be taken by a tie which began with this line
/// and has another one by now.
fn begin(link: &mut Link, system: System, own: &LineKey) -> Option<LineKey> {
    let mut key = own.clone();
    while link.lines.get(&key).is_some_and(|keys| keys[system].is_some()) {
        key = LineKey::parse(&format!("{key}'")).ok()?;
    }
    link.lines.entry(key.clone()).or_default()[system] = Some(own.clone());
    Some(key)
}

/// What was there and is not among all lines is gone.
fn lose_missing(link: &mut Link, lines: &Lines<'_>, system: System, seen: &mut View) {
    for (tie, keys) in &mut link.lines {
        if keys[system].is_some() && !lines.has(seen, tie) {
            keys[system] = None;
            seen.insert(lines.there(tie), GONE.clone());
        }
    }
}

/// So is what we have added before and is not among them.
fn lose_awaited(link: &Link, lines: &Lines<'_>, system: System, seen: &mut View, sent: Option<&View>) {
    let Some(side) = &link.sides[system] else { return };
    for (tie, _) in link.lines.iter().filter(|(_, keys)| keys[system].is_none()) {
        let is_late = sent.is_some_and(|sent| lines.has(sent, tie));
        if lines.has(&side.view, tie) && !is_late {
            seen.insert(lines.there(tie), GONE.clone());
        }
    }
}

/// A line that looks for its partner.
struct Open<'a> {
    key: &'a LineKey,
    /// What it holds, or is expected to hold, by row.
    cells: Vec<Option<&'a Value>>,
    /// Whether it is on its way: only what looks as it was sent is it.
    in_flight: bool,
    /// Whether this side is to have it: what it is known by is resolved then, here too.
    expected: bool,
    /// Whether both sides had it once: then that one of them has lost it is an edit.
    agreed: bool,
}

/// Which lines of this side belong to which ties that lack a line here: those with all match rows equal first, then
/// those with all but the last, and so on; among equals those that are alike in more, and then by position.
fn partners(
    link: &Link,
    lines: &Lines<'_>,
    system: System,
    seen: &View,
    sent: Option<&View>,
) -> Vec<(LineKey, LineKey)> {
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
        sent: sent.map_or_else(Table::new, |sent| lines.table(sent)),
        agreed: lines.table(&link.agreed),
    };
    let (come, mut lack) = (opening.come(), opening.lack());
    if opening.is_waiting() {
        lack.retain(|tie| tie.expected);
    }
    let shortest = usize::from(!lines.match_by.is_empty());
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for length in (shortest..=lines.match_by.len()).rev() {
        let mut alike = Vec::new();
        for (at, tie) in lack.iter().enumerate().filter(|(at, _)| pairs.iter().all(|pair| pair.1 != *at)) {
            for (from, line) in
                come.iter().enumerate().filter(|(from, _)| pairs.iter().all(|pair| pair.0 != *from))
            {
                if opening.may_be(line, tie, length) {
                    alike.push((usize::MAX - likeness(line, tie), at, from));
                }
            }
        }
        alike.sort_unstable();
        for (_, at, from) in alike {
            if pairs.iter().all(|pair| pair.0 != from && pair.1 != at) {
                pairs.push((from, at));
            }
        }
    }
    pairs.into_iter().map(|(from, at)| (come[from].key.clone(), lack[at].key.clone())).collect()
}

struct Opening<'a> {
    link: &'a Link,
    lines: &'a Lines<'a>,
    system: System,
    seen: Table<'a, Value>,
    known: SystemPair<Table<'a, Value>>,
    in_flight: SystemPair<Table<'a, Value>>,
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

    /// The lines of this side that have no partner.
    fn come(&self) -> Vec<Open<'a>> {
        let (system, other) = (self.system, self.system.other());
        let mut open = Vec::new();
        for (key, keys) in &self.link.lines {
            let in_flight = System::BOTH.into_iter().any(|to| self.in_flight[to].contains_key(key.as_str()));
            let alone = keys[system].is_some() && keys[other].is_none() && !self.there(other, key);
            if alone && !in_flight && self.there(system, key) {
                let line = key.as_str();
                let cells = self.first_of(self.seen.get(line), self.known[system].get(line));
                let agreed = self.is_agreed(key);
                open.push(Open { key, cells, in_flight: false, expected: false, agreed });
            }
        }
        in_order(open)
    }

    /// The lines that lack a partner on this side: of the other side, or sent to this one.
    fn lack(&self) -> Vec<Open<'a>> {
        let (system, other) = (self.system, self.system.other());
        let mut open = Vec::new();
        for (key, _) in self.link.lines.iter().filter(|(_, keys)| keys[system].is_none()) {
            let line = key.as_str();
            let goes = self.in_flight[other].get(line).is_some_and(|sent| sent.there == Some(&GONE));
            let added = |to: &Table<'a, Value>| to.get(line).filter(|sent| sent.is_there()).cloned();
            let (sent, in_flight) = (added(&self.sent), added(&self.in_flight[system]));
            let expected = sent.is_some() || in_flight.is_some() || self.there(system, key);
            if goes || !(expected || self.there(other, key)) {
                continue;
            }
            let there = self.known[other].get(line);
            let (cells, in_flight) = match (sent, in_flight) {
                (Some(sent), _) => (self.as_sent(&sent, there), false),
                (None, Some(sent)) => (self.as_sent(&sent, there), true),
                (None, None) => (self.first_of(added(&self.known[system]).as_ref(), there), false),
            };
            open.push(Open { key, cells, in_flight, expected, agreed: self.is_agreed(key) });
        }
        in_order(open)
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

    fn is_agreed(&self, key: &LineKey) -> bool {
        let agreed = self.agreed.get(key.as_str()).and_then(|line| line.there);
        agreed.is_some_and(|there| there.customcrm == THERE && there.exactonline == THERE)
    }

    fn may_be(&self, line: &Open<'_>, tie: &Open<'_>, length: usize) -> bool {
        let alike = |place: &usize| is_alike(line.cells[*place], tie.cells[*place]);
        let exact = !tie.in_flight || length == self.lines.match_by.len();
        exact && !(line.agreed && tie.agreed) && self.lines.match_by[..length].iter().all(alike)
    }
}

/// By position: systems number their lines as they come.
fn in_order(mut open: Vec<Open<'_>>) -> Vec<Open<'_>> {
    let id = |open: &Open<'_>| {
        let key = open.key.as_str();
        let id = key.split_once(':').map_or(key, |(_, id)| id);
        (id.len(), id.to_owned())
    };
    open.sort_by_cached_key(id);
    open
}

/// Nothing is nothing, whether a system shows it or not.
fn is_alike(one: Option<&Value>, other: Option<&Value>) -> bool {
    one.unwrap_or(&GONE) == other.unwrap_or(&GONE)
}

/// In how many properties two lines are alike.
fn likeness(line: &Open<'_>, tie: &Open<'_>) -> usize {
    line.cells.iter().zip(&tie.cells).filter(|(one, other)| one.is_some() && one == other).count()
}

/// Makes a line the one that a tie lacks on this side.
fn join(link: &mut Link, lines: &Lines<'_>, system: System, seen: &mut View, line: &LineKey, tie: &LineKey) {
    let own = link.lines.remove(line).and_then(|keys| keys[system].clone());
    link.lines.entry(tie.clone()).or_default()[system] = own;
    let known = link.sides[system].as_mut().map(|side| &mut side.view);
    for view in [Some(seen), known].into_iter().flatten() {
        let moved = take(lines, view, line);
        if !moved.is_empty() {
            take(lines, view, tie);
        }
        view.extend(moved.into_iter().map(|(name, value)| (PropertyName::in_line(tie, &name.row()), value)));
    }
    if let Some(side) = &mut link.sides[system.other()] {
        take(lines, &mut side.view, line);
    }
    let agreed = take(lines, &mut link.agreed, line);
    if lines.names_of(&link.agreed, tie).is_empty() {
        let renamed =
            agreed.into_iter().map(|(name, values)| (PropertyName::in_line(tie, &name.row()), values));
        link.agreed.extend(renamed);
    }
    forget_history(link, lines, line);
}

fn forget_history(link: &mut Link, lines: &Lines<'_>, line: &LineKey) {
    take(lines, &mut link.agreed, line);
    take(lines, &mut link.turns, line);
    link.conflicts.retain(|name| name.line().as_ref() != Some(line));
}

/// Takes out all that speaks of a line.
fn take<T>(lines: &Lines<'_>, of: &mut BTreeMap<PropertyName, T>, line: &LineKey) -> Vec<(PropertyName, T)> {
    lines.names_of(of, line).into_iter().filter_map(|name| of.remove_entry(&name)).collect()
}
