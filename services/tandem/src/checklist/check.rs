//! One check, made.

use std::sync::Arc;
use std::time::Duration;

use link::Flow;
use mapping::{Lines, Pair, Property, writers};
use model::{LineKey, PropertyName, System, Value, View};
use rust_decimal::Decimal;
use store::Store;
use tokio::time::sleep;

use super::ChecklistError;
use super::causes::cause;
use super::fixture::Fixture;
use super::plan::{Aspect, Check};
use super::report::Verdict;
use super::stage::{Stage, cell};
use super::values::{Known, other};

/// How long nothing must happen where nothing may happen: several polls of both systems.
const QUIET: Duration = Duration::from_millis(1_500);

/// The last steps of a link that a red check shows.
const STEPS_TOLD: usize = 12;

/// The rows under check and where they stand.
struct Subject<'a> {
    pair: &'a Pair,
    row: &'a Property,
    link: Arc<link::Link>,
    /// The row's name in views: of a line's property that of the document's first line.
    cell: PropertyName,
}

impl<S: Store> Stage<S> {
    /// Makes one check on the records of the fixture. A red one tells what the link went through last.
    pub(crate) async fn check(
        &self,
        check: &Check,
        fixture: &Fixture,
        turn: usize,
    ) -> Result<Verdict, ChecklistError> {
        let pair = self.pair(&check.pair)?;
        let verdict = self.judged(pair, check, fixture, turn).await?;
        let (Verdict::Red(reason), Some((system, record))) = (&verdict, fixture.subjects.get(&check.pair))
        else {
            return Ok(verdict);
        };
        let told = self.told(pair, *system, record, STEPS_TOLD).await?;
        Ok(Verdict::Red(format!("{reason}; {told}")))
    }

    async fn judged(
        &self,
        pair: &Pair,
        check: &Check,
        fixture: &Fixture,
        turn: usize,
    ) -> Result<Verdict, ChecklistError> {
        let Some(record) = fixture.subjects.get(&check.pair) else {
            return Ok(Verdict::Red("no record of this pair could be linked".to_owned()));
        };
        if let Aspect::Made(to) = check.aspect {
            return Ok(made(pair, &check.row, to, fixture));
        }
        if pair.is_membership {
            return self.membership(pair, check.aspect, &record.1, turn).await;
        }
        let Some(link) = self.linked(pair, record.0, &record.1).await? else {
            return Ok(Verdict::Red(format!("the {} record {} is not linked any more", record.0, record.1)));
        };
        if let Some(lines) = pair.lines.as_ref().filter(|lines| lines.name == check.row) {
            let Aspect::Flows(to) = check.aspect else { return Ok(Verdict::Green) };
            return self.lines_flow(pair, lines, &link, to).await;
        }
        let Some(row) = pair.property(&check.row) else {
            return Ok(Verdict::Red("the pair has no such row".to_owned()));
        };
        let Some(cell) = cell_of(pair, row, &link) else {
            return Ok(Verdict::Red("the document has no line that both sides know".to_owned()));
        };
        let subject = Subject { pair, row, link, cell };
        match check.aspect {
            Aspect::Flows(to) => self.flows(&subject, to, turn).await,
            Aspect::Shows => self.shows(&subject).await,
            Aspect::StaysIn(system) => self.stays(&subject, system, turn).await,
            Aspect::Held => self.held(&subject, turn).await,
            Aspect::Made(_) => Ok(Verdict::Green),
        }
    }

    /// An edit arrives, and its undoing too.
    async fn flows(&self, subject: &Subject<'_>, to: System, turn: usize) -> Result<Verdict, ChecklistError> {
        let (pair, from, name) = (subject.pair, to.other(), &subject.cell);
        let before = cell(&self.view(pair, from, &subject.link).await?, name);
        let Some(value) = other(subject.row, &before, &self.known_for(subject).await?, turn) else {
            return Ok(Verdict::Skipped("no other value is known here".to_owned()));
        };
        let companion = companion(pair, subject.row);
        let beside = match &companion {
            Some(beside) => cell(&self.view(pair, from, &subject.link).await?, beside),
            None => Value::Empty,
        };
        for (value, beside) in [(&value, &Value::Empty), (&before, &beside)] {
            if value.is_empty() && subject.row.keep_filled {
                continue;
            }
            let mut values = View::from([(name.clone(), value.clone())]);
            values.extend(companion.clone().map(|name| (name, beside.clone())));
            self.edit(pair, from, &subject.link, &values).await?;
            let wanted = |view: &View| cell(view, name) == *value;
            if let Err(last) = self.until(pair, to, &subject.link, wanted).await? {
                return Ok(Verdict::Red(format!(
                    "\"{value}\" was written in {from}; {to} holds \"{}\"",
                    cell(&last, name)
                )));
            }
        }
        self.until_at_rest(pair, &subject.link).await?;
        Ok(Verdict::Green)
    }

    /// What Exact sets shows in the CRM; where a person can make Exact set it anew, the new value too.
    async fn shows(&self, subject: &Subject<'_>) -> Result<Verdict, ChecklistError> {
        let (pair, name) = (subject.pair, &subject.cell);
        let exact = System::ExactOnline;
        let entity = pair.entities.exactonline.as_str();
        // The checklist acts as Tandem's own user: what it did during a write of ours would be taken for a part of that.
        self.until_at_rest(pair, &subject.link).await?;
        let before = cell(&self.view(pair, exact, &subject.link).await?, name);
        let property = exact_name(pair, subject.row);
        let cause = cause(entity, &property);
        if let Some(cause) = cause {
            let link = self.fresh(pair, &subject.link).await?;
            let Some(record) = link.record(exact) else { return Ok(Verdict::Red("no record".to_owned())) };
            cause.carry_out(&self.sides, pair, record).await?;
            let changed = |view: &View| cell(view, name) != before && !cell(view, name).is_empty();
            if self.until(pair, exact, &subject.link, changed).await?.is_err() {
                return Ok(Verdict::Red("Exact did not change it".to_owned()));
            }
        }
        let fresh = self.fresh(pair, &subject.link).await?;
        let now = cell(&self.view(pair, exact, &fresh).await?, name);
        let counts = match self.preceding(subject).await? {
            None => now.clone(),
            Some(counts) => {
                // It would stand already while this pair has not yet seen what it must not put in its place.
                self.until_seen(pair, &subject.link, exact, (name, &now)).await?;
                counts
            }
        };
        let wanted = |view: &View| cell(view, name) == counts;
        let arrived = self.until(pair, System::CustomCrm, &subject.link, wanted).await?;
        let link = self.fresh(pair, &subject.link).await?;
        if let (Some(cause), Some(record)) = (cause, link.record(exact)) {
            cause.undo(&self.sides, record).await?;
            let back = cell(&self.view(pair, exact, &link).await?, name);
            let _ = self.until(pair, System::CustomCrm, &link, |view| cell(view, name) == back).await?;
            self.until_at_rest(pair, &link).await?;
        }
        Ok(match arrived {
            Ok(()) if now.is_empty() => Verdict::Skipped("Exact sets nothing here".to_owned()),
            Ok(()) => Verdict::Green,
            Err(last) => Verdict::Red(format!(
                "Exact holds \"{now}\" and \"{counts}\" counts, the CRM holds \"{}\"",
                cell(&last, name)
            )),
        })
    }

    /// What the row's property holds by the pair that sets it, where this one only follows and that one has the record too.
    async fn preceding(&self, subject: &Subject<'_>) -> Result<Option<Value>, ChecklistError> {
        let (pair, crm) = (subject.pair, System::CustomCrm);
        if !matches!(subject.row.flow, Flow::Follow(_)) {
            return Ok(None);
        }
        let property = subject.row.names[crm].as_deref();
        let writers = writers(&self.pairs).into_iter().find(|writers| {
            writers.system == crm
                && writers.entity == pair.entities[crm]
                && property == Some(writers.property.as_str())
        });
        let first = writers.and_then(|writers| writers.pairs.into_iter().next());
        let Some(first) = first.filter(|first| *first != pair.name) else { return Ok(None) };
        let first = self.pair(&first)?;
        let (Some(record), Some(row)) = (subject.link.record(crm), first.property(&subject.row.name)) else {
            return Ok(None);
        };
        let Some(link) = self.linked(first, crm, record).await? else { return Ok(None) };
        let value = cell(&self.view(first, System::ExactOnline, &link).await?, &row.name);
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    /// An edit stays where it is made, or is set back.
    async fn stays(
        &self,
        subject: &Subject<'_>,
        system: System,
        turn: usize,
    ) -> Result<Verdict, ChecklistError> {
        let (pair, name, far) = (subject.pair, &subject.cell, system.other());
        self.until_at_rest(pair, &subject.link).await?;
        let before = cell(&self.view(pair, system, &subject.link).await?, name);
        let untouched = cell(&self.view(pair, far, &subject.link).await?, name);
        let Some(value) = other(subject.row, &before, &self.known_for(subject).await?, turn) else {
            return Ok(Verdict::Skipped("no other value is known here".to_owned()));
        };
        self.edit(pair, system, &subject.link, &View::from([(name.clone(), value.clone())])).await?;
        if matches!(subject.row.flow, Flow::Follow(_)) {
            sleep(QUIET).await;
            self.edit(pair, system, &subject.link, &View::from([(name.clone(), before)])).await?;
        } else {
            let back = |view: &View| cell(view, name) == before;
            if let Err(last) = self.until(pair, system, &subject.link, back).await? {
                let last = cell(&last, name);
                return Ok(Verdict::Red(format!(
                    "it was not set back to \"{before}\": {system} holds \"{last}\""
                )));
            }
        }
        let now = cell(&self.view(pair, far, &subject.link).await?, name);
        Ok(if now == untouched {
            Verdict::Green
        } else {
            Verdict::Red(format!("{far} held \"{untouched}\" and now holds \"{now}\""))
        })
    }

    /// An edit of what Exact takes with a new record only is held, and undone is forgotten.
    async fn held(&self, subject: &Subject<'_>, turn: usize) -> Result<Verdict, ChecklistError> {
        let (pair, name) = (subject.pair, &subject.cell);
        let view = self.view(pair, System::CustomCrm, &subject.link).await?;
        let exact_before = cell(&self.view(pair, System::ExactOnline, &subject.link).await?, name);
        let before = cell(&view, name);
        let Some(value) = other(subject.row, &before, &self.known_for(subject).await?, turn) else {
            return Ok(Verdict::Skipped("no other value is known here".to_owned()));
        };
        self.edit(pair, System::CustomCrm, &subject.link, &View::from([(name.clone(), value)])).await?;
        sleep(QUIET).await;
        let is_held = self.fresh(pair, &subject.link).await?.conflicts.contains(name);
        let exact_now = cell(&self.view(pair, System::ExactOnline, &subject.link).await?, name);
        self.edit(pair, System::CustomCrm, &subject.link, &View::from([(name.clone(), before)])).await?;
        sleep(QUIET).await;
        let is_free = !self.fresh(pair, &subject.link).await?.conflicts.contains(name);
        Ok(match (is_held, exact_now == exact_before, is_free) {
            (true, true, true) => Verdict::Green,
            (false, _, _) => Verdict::Red("the edit was not held".to_owned()),
            (_, false, _) => Verdict::Red("the edit was written".to_owned()),
            (_, _, false) => Verdict::Red("it was still held after it was undone".to_owned()),
        })
    }

    /// A line that is added in one system comes in the other, and goes again when it is removed.
    async fn lines_flow(
        &self,
        pair: &Pair,
        lines: &Lines,
        link: &link::Link,
        to: System,
    ) -> Result<Verdict, ChecklistError> {
        let from = to.other();
        let view = self.view(pair, from, link).await?;
        let Some(first) = view.keys().find_map(PropertyName::line) else {
            return Ok(Verdict::Red("the document has no line".to_owned()));
        };
        let new = LineKey::parse("new").map_err(|error| ChecklistError::Stage(error.to_string()))?;
        let mut values = View::from([(PropertyName::of_line(&lines.name, &new), Value::Boolean(true))]);
        for row in lines.properties.iter().filter(|row| row.flow == Flow::Both) {
            let value = cell(&view, &PropertyName::in_line(&first, &row.name));
            values.insert(PropertyName::in_line(&new, &row.name), value);
        }
        let quantity = values.iter_mut().find(|(name, _)| name.as_str().ends_with(".Quantity"));
        if let Some((_, quantity)) = quantity {
            *quantity = Value::Decimal(Decimal::from(17));
        }
        let before = lines_in(&view, lines);
        self.edit(pair, from, link, &values).await?;
        if self.until(pair, to, link, |view| lines_in(view, lines) == before + 1).await?.is_err() {
            return Ok(Verdict::Red(format!("a line added in {from} did not come in {to}")));
        }
        self.until_at_rest(pair, link).await?;
        let fresh = self.fresh(pair, link).await?;
        let added = fresh.lines.keys().find(|key| !link.lines.contains_key(key));
        let Some(added) = added else { return Ok(Verdict::Red("the new line was not tied".to_owned())) };
        let gone = View::from([(PropertyName::of_line(&lines.name, added), Value::Empty)]);
        self.edit(pair, from, &fresh, &gone).await?;
        if self.until(pair, to, link, |view| lines_in(view, lines) == before).await?.is_err() {
            return Ok(Verdict::Red(format!("a line removed in {from} stayed in {to}")));
        }
        self.until_at_rest(pair, link).await?;
        Ok(Verdict::Green)
    }

    /// What values may refer to, the record itself left out.
    async fn known_for(&self, subject: &Subject<'_>) -> Result<Known, ChecklistError> {
        let mut known = self.known().await?;
        for links in known.links.values_mut() {
            links.retain(|link| *link != subject.link.id);
        }
        Ok(known)
    }
}

/// A new record's value arrived: the fixture made one on each side.
fn made(pair: &Pair, row: &PropertyName, to: System, fixture: &Fixture) -> Verdict {
    let Some(made) = fixture.made.get(&(pair.name.clone(), to)) else {
        return Verdict::Skipped(format!("the pair makes no record in {to}"));
    };
    match made {
        Err(reason) => Verdict::Red(reason.clone()),
        Ok((given, arrived)) => {
            let (given, arrived) = (cell(given, row), cell(arrived, row));
            if arrived.is_empty() || (!given.is_empty() && given != arrived) {
                Verdict::Red(format!("\"{given}\" was given, \"{arrived}\" arrived"))
            } else {
                Verdict::Green
            }
        }
    }
}

/// The row that must be emptied before this one may change: a state belongs to its country.
fn companion(pair: &Pair, row: &Property) -> Option<PropertyName> {
    let state = pair.properties.iter().find(|row| row.name.as_str() == "State" && row.flow == Flow::Both);
    state.filter(|_| row.name.as_str() == "Country").map(|state| state.name.clone())
}

/// The row's name in views; of a line's property that of the first line that both sides know.
fn cell_of(pair: &Pair, row: &Property, link: &link::Link) -> Option<PropertyName> {
    let is_of_line = pair.lines.as_ref().is_some_and(|lines| lines.properties.contains(row));
    if !is_of_line {
        return Some(row.name.clone());
    }
    let tie = link.lines.iter().find(|(_, keys)| keys.customcrm.is_some() && keys.exactonline.is_some());
    tie.map(|(key, _)| PropertyName::in_line(key, &row.name))
}

/// The row's path in Exact: of a line's property after the name of the list.
pub(crate) fn exact_name(pair: &Pair, row: &Property) -> String {
    let own = row.names.exactonline.as_deref().unwrap_or_default();
    match pair.lines.as_ref().filter(|lines| lines.properties.contains(row)) {
        Some(lines) => format!("{}.{own}", lines.names.exactonline),
        None => own.to_owned(),
    }
}

fn lines_in(view: &View, lines: &Lines) -> usize {
    view.iter()
        .filter(|(name, value)| {
            name.row() == lines.name && name.line().is_some() && **value == Value::Boolean(true)
        })
        .count()
}
