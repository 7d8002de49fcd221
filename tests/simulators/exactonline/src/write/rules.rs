//! The rules that the tables tell of each property.

use std::collections::BTreeSet;

use super::{Body, Named};
use crate::answer::{Language, Refused};
use crate::business;
use crate::codes;
use crate::database::{Context, Database, Key, Row, Term};
use crate::edm::{Edm, Value};
use crate::schema::{Initial, Property, Shape};
use crate::settings::Rendition;

impl Database {
    /// Puts the named values into the row if all rules hold; else tells every rule that does not.
    pub(crate) fn settle(
        &self,
        shape: &'static Shape,
        row: &mut Row,
        body: Body,
        creating: bool,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        let Body { mut named, mut messages, .. } = body;
        let asked: BTreeSet<usize> = named.keys().copied().collect();
        for (position, value) in &named {
            let property = &shape.properties[*position];
            let value = rendered(property, value.clone(), context);
            if property.fixed && !creating && row.values[*position] != value {
                messages.push(message(context.switches.language, property, "Invalid", "Ongeldig"));
            }
            row.values[*position] = value;
        }
        if creating {
            self.begin(shape, row, &mut named, context);
        }
        let named_at = |position: Option<usize>| position.is_some_and(|at| named.contains_key(&at));
        for (position, property) in shape.properties.iter().enumerate() {
            let touched = named.contains_key(&position)
                || named_at(property.within)
                || named_at(property.unless)
                || (creating && (property.mandatory || property.unless.is_some()));
            if touched && property.edm != Edm::Navigation {
                messages.extend(self.fault(shape, row, position, creating, context));
            }
        }
        if messages.is_empty() {
            messages = self.broken(shape, row, &asked, creating, context);
        }
        if !messages.is_empty() {
            return Err(Refused::business(&messages));
        }
        let unique = |at: &usize| shape.properties[*at].unique && (creating || named.contains_key(at));
        if (0..shape.properties.len())
            .filter(unique)
            .any(|at| self.is_taken(shape, row, at, context.division))
        {
            return Err(Refused::business(&[duplicate(context.switches.language)]));
        }
        Ok(())
    }

    /// Fills what a new record holds in the properties that its create does not name.
    fn begin(&self, shape: &Shape, row: &mut Row, named: &mut Named, context: &Context<'_>) {
        for (position, property) in shape.properties.iter().enumerate() {
            if !named.contains_key(&position) && !property.initial.is_empty() {
                row.values[position] = self.initial(shape, row, property, context);
                named.insert(position, row.values[position].clone());
            }
            if property.assigned && row.values[position] == Value::Null {
                row.values[position] = self.next_number(shape, position, context.division);
            }
        }
    }

    /// What a new record holds in a property that its create does not name.
    fn initial(&self, shape: &Shape, row: &Row, property: &Property, context: &Context<'_>) -> Value {
        property
            .initial
            .iter()
            .map(|initial| match initial {
                Initial::Constant(json) => Value::from_json(json, property.edm, context.zone)
                    .expect("defaults in the tables are values of their type"),
                Initial::Taken { source, field } => self.looked_up(shape, row, *source, field),
                Initial::Same(source) => row.values[*source].clone(),
                Initial::Today => context.today(),
            })
            .find(|value| *value != Value::Null)
            .unwrap_or(Value::Null)
    }

    /// What is wrong with the value of a property. An unknown code of a lenient property is emptied instead.
    fn fault(
        &self,
        shape: &Shape,
        row: &mut Row,
        position: usize,
        creating: bool,
        context: &Context<'_>,
    ) -> Option<String> {
        let property = &shape.properties[position];
        let say =
            |english: &str, dutch: &str| Some(message(context.switches.language, property, english, dutch));
        if is_empty(&row.values[position]) {
            let unless = property.unless.is_some_and(|other| is_empty(&row.values[other]));
            let needed =
                property.mandatory || unless || !property.nullable || (property.assigned && !creating);
            return if needed { say("Mandatory", "Verplicht") } else { None };
        }
        match &row.values[position] {
            Value::Guid(guid) => {
                let table = property.reference.as_deref()?;
                let Some(found) = self.find(table, Key::Guid(*guid), context.division) else {
                    return say("Invalid reference", "Ongeldige referentie");
                };
                business::unfit(property, found, context)
            }
            Value::Integer(number) => {
                let list = property.list.as_deref()?;
                let known = codes::find(list, &number.to_string(), None).is_some();
                if known { None } else { say("Invalid", "Ongeldig") }
            }
            Value::Double(number) if property.at_most.is_some_and(|most| *number > most) => {
                say("Invalid", "Ongeldig")
            }
            Value::Text(text) => {
                if let Some((english, dutch)) = text_fault(property, text) {
                    return say(english, dutch);
                }
                let known = is_listed(row, property, text);
                if !known && property.lenient {
                    row.values[position] = Value::Null;
                    return None;
                }
                if known { None } else { say("Invalid reference", "Ongeldige referentie") }
            }
            _ => None,
        }
    }

    /// Whether another record of the company holds the same value.
    fn is_taken(&self, shape: &Shape, row: &Row, position: usize, division: i32) -> bool {
        let own = Key::of(&row.values[shape.key]);
        Term::of(&row.values[position]).is_some_and(|term| {
            self.table(shape.name).holders(Some(division), position, &term).any(|holder| Some(holder) != own)
        })
    }

    /// The highest number used plus one; beyond the last possible number, the first that is free.
    fn next_number(&self, shape: &Shape, position: usize, division: i32) -> Value {
        let property = &shape.properties[position];
        let table = self.table(shape.name);
        let is_free = |value: &Value| {
            Term::of(value).is_none_or(|term| table.holders(Some(division), position, &term).next().is_none())
        };
        let number = |number: i64| match property.edm {
            Edm::Text => Value::Text(padded(property, number.to_string())),
            _ => Value::Integer(number),
        };
        // Numbers of one width sort as their texts do.
        let (from, to) = match property.edm {
            Edm::Text => (Term::Text(String::new()), Term::Text(char::MAX.to_string())),
            _ => (Term::Number(0), Term::Number(i64::from(i32::MAX))),
        };
        let highest = match table.highest(Some(division), position, from, to) {
            Some(Term::Text(text)) => text.trim().parse().unwrap_or(0),
            Some(Term::Number(number)) => *number,
            _ => 0,
        };
        let last = property
            .padded
            .map_or(i64::from(i32::MAX), |width| "9".repeat(width).parse().unwrap_or(i64::MAX - 1));
        (highest + 1..=last).chain(1..=last).map(number).find(is_free).unwrap_or(Value::Null)
    }
}

/// What is said of a value that another record has and that only one may have.
pub(crate) fn duplicate(language: Language) -> String {
    language.pick("Data already exists", "Gegeven bestaat reeds.").to_owned()
}

/// A rule's words and the property's name, in a language.
pub(crate) fn message(language: Language, property: &Property, english: &str, dutch: &str) -> String {
    format!("{}: {}", language.pick(english, dutch), language.pick(&property.english, &property.dutch))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// What is wrong with a text by itself. Lengths come from another vendor's model of the service, and the words to
/// them are inferred: no source shows what the service answers to a text that is too long.
fn text_fault(property: &Property, text: &str) -> Option<(&'static str, &'static str)> {
    if property.max_length.is_some_and(|most| text.chars().count() > most) {
        return Some(("Too long", "Te lang"));
    }
    let other = !property.one_of.is_empty() && !property.one_of.iter().any(|known| known == text);
    let no_digits = property.padded.is_some() && !text.trim_start().bytes().all(|byte| byte.is_ascii_digit());
    (other || no_digits).then_some(("Invalid", "Ongeldig"))
}

/// Whether a text is in the property's code list, where it has one.
fn is_listed(row: &Row, property: &Property, text: &str) -> bool {
    let Some(list) = property.list.as_deref() else { return true };
    let parent = property.within.map(|within| match &row.values[within] {
        Value::Text(parent) => parent.as_str(),
        _ => "",
    });
    codes::find(list, text, parent).is_some()
}

fn padded(property: &Property, text: String) -> String {
    property.padded.map_or(text.clone(), |width| format!("{text:>width$}"))
}

/// The value as the service stores it.
fn rendered(property: &Property, value: Value, context: &Context<'_>) -> Value {
    let Value::Text(mut text) = value else { return value };
    if let Some(rendition) = context.renditions.get(&property.name) {
        text = rendition.apply(&text);
    }
    if property.padded.is_some() {
        text = Rendition::Trim.apply(&text);
    }
    if text.is_empty() && context.switches.empty_text_is_null {
        return Value::Null;
    }
    Value::Text(padded(property, text))
}
