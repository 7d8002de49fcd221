//! How the lines of the two sides find one another.
//!
//! Each system names a line by an id of its own, and a line that we add gets its id from the target. So what is seen
//! of a side's lines is brought under the keys of their ties before anything is compared; a line that has none is
//! told by its content, or begins a tie of its own.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use model::{LineKey, PropertyName, System, SystemPair, Value, View};

use super::{
    GONE, Lines, THERE, Table,
    fit::Pair,
    is_there,
    partners::{is_alike, partners},
};
use crate::Link;

/// What has become of the lines of a side that had no partner.
#[derive(Default)]
pub(crate) struct Found {
    /// How many have found it.
    pub(crate) lines: usize,
    /// The cells of which it is not certain that they belong to the line that was sent.
    pub(crate) doubtful: BTreeSet<PropertyName>,
}

/// Brings what was seen of a side's lines under the keys of their ties.
///
/// `whole` tells that a line which is not among them is gone. `sent` is what a write has said to this side whose
/// outcome is known, or not waited for: its lines may be among them, in whatever rendition, or be late.
pub(crate) fn take_in(
    link: &mut Link,
    lines: &Lines<'_>,
    system: System,
    seen: &mut View,
    whole: bool,
    sent: Option<&View>,
) -> Found {
    rename(link, lines, system, seen, true);
    if whole {
        lose_missing(link, lines, system, seen);
    }
    let found = tie(link, lines, system, seen, sent);
    if whole {
        lose_awaited(link, lines, system, seen, sent);
    }
    found
}

/// Brings what an answer shows that is older than what is known under the keys of its ties. It tells which lines the
/// write has added, though they may have been edited, or be gone, since; what was guessed of that before is undone.
pub(crate) fn take_old(
    link: &mut Link,
    lines: &Lines<'_>,
    system: System,
    seen: &mut View,
    whole: bool,
    sent: Option<&View>,
) -> Found {
    if !whole {
        let found = tie(link, lines, system, &mut View::new(), sent);
        rename(link, lines, system, seen, false);
        return found;
    }
    undo_guesses(link, lines, system, sent);
    rename(link, lines, system, seen, true);
    let found = tie_seen(link, lines, system, seen, sent, true);
    let is_unknown = link.awaits_lines[system];
    let Some(side) = link.sides[system].as_mut().filter(|_| !is_unknown) else { return found };
    for (tie, keys) in link.lines.iter_mut().filter(|(_, keys)| keys[system].is_some()) {
        if !lines.has(&side.view, tie) {
            keys[system] = None;
            side.view.insert(lines.there(tie), GONE.clone());
        }
    }
    found
}

/// Lines that a write has added had no partner here when it was claimed: those that have been found for them since,
/// because they looked alike, are lines by themselves again.
fn undo_guesses(link: &mut Link, lines: &Lines<'_>, system: System, sent: Option<&View>) {
    let Some(sent) = sent else { return };
    let added: Vec<LineKey> = link.lines.keys().filter(|tie| lines.has(sent, tie)).cloned().collect();
    for tie in added {
        let Some(own) = link.lines.get_mut(&tie).and_then(|keys| keys[system].take()) else { continue };
        take(lines, &mut link.agreed, &tie);
        let Some(key) = begin(link, system, &own) else { continue };
        let Some(side) = &mut link.sides[system] else { continue };
        let moved = take(lines, &mut side.view, &tie).into_iter();
        side.view.extend(moved.map(|(name, value)| (PropertyName::in_line(&key, &name.row()), value)));
    }
}

/// Ties lines of this side, be they in `seen` or known, to lines of the other side that lack theirs here.
pub(crate) fn tie(
    link: &mut Link,
    lines: &Lines<'_>,
    system: System,
    seen: &mut View,
    sent: Option<&View>,
) -> Found {
    tie_seen(link, lines, system, seen, sent, false)
}

fn tie_seen(
    link: &mut Link,
    lines: &Lines<'_>,
    system: System,
    seen: &mut View,
    sent: Option<&View>,
    is_old: bool,
) -> Found {
    let mut found = Found::default();
    // Until there are two records a line stands for itself.
    if link.sides[system.other()].is_none() {
        return found;
    }
    for Pair { line, tie, doubtful } in partners(link, lines, system, seen, sent, is_old) {
        join(link, lines, system, seen, &line, &tie);
        found.lines += 1;
        found.doubtful.extend(doubtful.iter().map(|row| PropertyName::in_line(&tie, lines.rows[*row].name)));
    }
    found
}

/// What we have written of lines that this side has not shown yet, and what is still agreed on as it was written: the
/// outcome of a write to the other side may have changed that since.
pub(crate) fn assumed(link: &Link, lines: &Lines<'_>, system: System) -> Vec<PropertyName> {
    let Some(side) = &link.sides[system] else { return Vec::new() };
    let is_agreed = |name: &PropertyName| {
        link.agreed.get(name).is_some_and(|agreed| side.view.get(name) == Some(&agreed[system]))
    };
    let awaited = awaited(link, lines, system);
    awaited.iter().flat_map(|line| lines.names_of(&side.view, line)).filter(is_agreed).collect()
}

/// What this side shows of what was assumed is its rendition of what was written, and no edit.
pub(crate) fn agree_on_renditions(
    link: &mut Link,
    system: System,
    seen: &View,
    assumed: &[PropertyName],
    found: &Found,
) {
    for name in assumed.iter().filter(|name| !found.doubtful.contains(*name)) {
        let Some(agreed) = link.agreed.get_mut(name) else { continue };
        // That the line is gone is no rendition.
        match seen.get(name) {
            Some(rendition) if agreed[system] != THERE => agreed[system] = rendition.clone(),
            _ => {}
        }
    }
}

/// The lines that we have added to this side and that it has not shown yet.
fn awaited(link: &Link, lines: &Lines<'_>, system: System) -> Vec<LineKey> {
    let Some(side) = &link.sides[system] else { return Vec::new() };
    let open = link.lines.iter().filter(|(_, keys)| keys[system].is_none());
    open.map(|(key, _)| key).filter(|key| lines.has(&side.view, key)).cloned().collect()
}

/// Whether nothing may be tied or added: a line without a partner is known by a reference that is not resolved yet.
pub(crate) fn is_waiting(link: &Link, lines: &Lines<'_>, views: &SystemPair<Table<'_, Value>>) -> bool {
    link.lines.keys().any(|key| {
        let both = System::BOTH.into_iter().all(|system| is_there(&views[system], key));
        !both && System::BOTH.into_iter().any(|system| lines.is_unresolved(views[system].get(key.as_str())))
    })
}

/// Whether a line of this side may be one that is on its way there, or one that is lost here while a change of it is:
/// the outcome tells. `partners` are the other side's lines.
pub(crate) fn may_be_in_flight(
    link: &Link,
    lines: &Lines<'_>,
    system: System,
    in_flight: &Table<'_, Value>,
    partners: &Table<'_, Value>,
    cells: &[Option<&Value>],
) -> bool {
    let is_open = |key: &str| {
        let tie = LineKey::parse(key).ok().and_then(|key| link.lines.get(&key));
        tie.is_some_and(|keys| keys[system].is_none())
    };
    in_flight.iter().filter(|(key, _)| is_open(key)).any(|(key, sent)| match sent.there {
        Some(there) => *there == THERE && are_akin(lines, cells, &sent.cells),
        None => partners.get(key).is_some_and(|partner| are_akin(lines, cells, &partner.cells)),
    })
}

/// Whether two lines could be one: they are alike in the strongest row that they are matched by.
pub(crate) fn are_akin(lines: &Lines<'_>, one: &[Option<&Value>], other: &[Option<&Value>]) -> bool {
    lines.match_by.first().is_none_or(|place| is_alike(one[*place], other[*place]))
}

/// Forgets the lines that are on neither side any more. For the oscillation breaker, the document remembers which
/// way the last of them went.
pub(crate) fn forget_gone(link: &mut Link, lines: &Lines<'_>) {
    // A line that a side has has its own key there.
    let lacking =
        link.lines.iter().filter(|(_, keys)| keys.customcrm.is_none() || keys.exactonline.is_none());
    let gone = lacking.map(|(key, _)| key).filter(|key| is_gone(link, lines, key));
    let gone: Vec<LineKey> = gone.cloned().collect();
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
    if is_under_ties(link, lines, system, seen) {
        return;
    }
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
            Some(tie) => renamed.insert(PropertyName::in_line(tie, &name.row()), value),
            None => None,
        };
    }
    *seen = renamed;
}

/// Whether a sighting calls all its lines as their ties do, as that of the side with which the link began mostly does.
fn is_under_ties(link: &Link, lines: &Lines<'_>, system: System, seen: &View) -> bool {
    let own = |(tie, keys): (&LineKey, &SystemPair<Option<LineKey>>)| keys[system].as_ref() == Some(tie);
    let known: HashSet<&str> =
        link.lines.iter().filter(|tie| own(*tie)).map(|(tie, _)| tie.as_str()).collect();
    let mut last: Option<&str> = None;
    let mut line_names = seen.keys().filter_map(|name| lines.split(name)).map(|(line, _)| line);
    line_names.all(|line| last.replace(line) == Some(line) || known.contains(line))
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
    let present = seen.iter().filter(|(_, value)| **value == THERE).filter_map(|(name, _)| lines.split(name));
    let present: HashSet<&str> = present.filter(|(_, cell)| cell.is_none()).map(|(line, _)| line).collect();
    let is_missing = |tie: &LineKey, keys: &SystemPair<Option<LineKey>>| {
        keys[system].is_some() && !present.contains(tie.as_str())
    };
    let missing: Vec<LineKey> =
        link.lines.iter().filter(|(tie, keys)| is_missing(tie, keys)).map(|(tie, _)| tie.clone()).collect();
    for tie in missing {
        seen.insert(lines.there(&tie), GONE.clone());
        if let Some(keys) = link.lines.get_mut(&tie) {
            keys[system] = None;
        }
    }
}

/// So is what we have added before and is not among them.
fn lose_awaited(link: &Link, lines: &Lines<'_>, system: System, seen: &mut View, sent: Option<&View>) {
    for tie in awaited(link, lines, system) {
        let is_late = sent.is_some_and(|sent| lines.has(sent, &tie));
        if !is_late {
            seen.insert(lines.there(&tie), GONE.clone());
        }
    }
}

/// Makes a line the one that a tie lacks on this side. If the other side has had it too, then that one of them lacks it
/// is an edit from now on.
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
    let there = lines.there(tie);
    if link.sides[system.other()].as_ref().is_some_and(|side| side.view.contains_key(&there)) {
        link.agreed.insert(there, SystemPair { customcrm: THERE.clone(), exactonline: THERE.clone() });
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
