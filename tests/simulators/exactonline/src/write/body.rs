//! The body of a write. Its form is judged before the rules of the business: first 400, then 500.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::message;
use crate::answer::Refused;
use crate::database::Context;
use crate::edm::{Edm, Value};
use crate::schema::{Access, Family, Initial, Property, Shape, shape_of};

/// The values that a request names, by position.
pub(crate) type Named = BTreeMap<usize, Value>;

/// What a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A new record.
    Create,
    /// A new line within a new document, which needs no name.
    Nested,
    /// A change of a record.
    Change,
    /// A change by the service itself, which may set what callers only read.
    Process,
}

impl Purpose {
    fn creates(self) -> bool {
        matches!(self, Self::Create | Self::Nested)
    }
}

/// What a request names, and what is wrong with naming it.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) named: Named,
    /// The lines of a new document.
    pub(crate) lines: Vec<Body>,
    /// What the rules of the business say to the names alone.
    pub(crate) messages: Vec<String>,
}

impl Body {
    /// What the service itself names.
    pub(crate) fn of<const N: usize>(shape: &Shape, values: [(&str, Value); N]) -> Self {
        let at = |name| shape.position(name).expect("the simulator names properties that exist");
        let named = values.into_iter().map(|(name, value)| (at(name), value)).collect();
        Self { named, ..Self::default() }
    }

    /// Reads the JSON object of a request.
    pub(crate) fn read(
        shape: &'static Shape,
        text: &str,
        purpose: Purpose,
        context: &Context<'_>,
    ) -> Result<Self, Refused> {
        let properties: BTreeMap<String, &RawValue> =
            serde_json::from_str(text).map_err(|_| not_an_object())?;
        let mut body = Self::default();
        for (name, raw) in properties.iter().filter(|(name, _)| *name != "__metadata") {
            let position = shape
                .position(name)
                .filter(|at| shape.properties[*at].shown.shows(Family::Regular))
                .ok_or_else(|| unknown(name))?;
            let property = &shape.properties[position];
            if property.edm == Edm::Navigation {
                body.take_lines(property, raw, purpose, context)?;
            } else {
                body.take(property, position, raw, purpose, context)?;
            }
        }
        let needed = shape.properties.iter().find(|property| property.lines.is_some() && property.mandatory);
        if let (Some(property), Purpose::Create, true) = (needed, purpose, body.lines.is_empty()) {
            body.messages.push(message(context.switches.language, property, "Mandatory", "Verplicht"));
        }
        Ok(body)
    }

    /// Reads the lines of a new document: a list of objects like those that the endpoint of the lines takes.
    fn take_lines(
        &mut self,
        property: &Property,
        raw: &RawValue,
        purpose: Purpose,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        match property.lines.as_deref().map(shape_of) {
            Some(lines) if purpose == Purpose::Create => {
                let bodies: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| not_an_object())?;
                for body in bodies {
                    self.lines.push(Self::read(lines, body.get(), Purpose::Nested, context)?);
                }
            }
            Some(_) if context.switches.nested_lines_ignored => {}
            None if property.tolerated && matches!(raw.get(), "null" | "[]") => {}
            _ => self.messages.push(message(context.switches.language, property, "Invalid", "Ongeldig")),
        }
        Ok(())
    }

    fn take(
        &mut self,
        property: &Property,
        position: usize,
        raw: &RawValue,
        purpose: Purpose,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        let writable = match (property.access, purpose) {
            (_, Purpose::Nested) if property.owner => false,
            (Access::Always, _) | (Access::CreateOnly, Purpose::Create | Purpose::Nested) => true,
            (_, Purpose::Process) => property.derived.is_none() && property.server.is_none() && !property.key,
            _ => false,
        };
        if property.licensed && purpose == Purpose::Change {
            // The only form in which this message was seen.
            self.messages.push(format!("Not allow to update in Basic : {}", property.english));
            return Ok(());
        }
        if !writable && !property.tolerated {
            self.messages.push(message(context.switches.language, property, "Invalid", "Ongeldig"));
            return Ok(());
        }
        let value = Value::from_json(raw.get(), property.edm, context.zone)
            .ok_or_else(|| unreadable(&property.name, property.edm))?;
        // Nothing is taken to say nothing where a new record gets more than a constant (inferred).
        let left_out = purpose.creates()
            && value == Value::Null
            && property.initial.iter().any(|initial| !matches!(initial, Initial::Constant(_)));
        if writable && !left_out {
            self.named.insert(position, value);
        }
        Ok(())
    }
}

fn not_an_object() -> Refused {
    Refused::new(
        400,
        "Error processing request stream. The request should be a valid top-level resource object.",
    )
}

/// The text is that of the framework under the service (inferred).
fn unknown(name: &str) -> Refused {
    Refused::new(
        400,
        format!("Error processing request stream. The property name '{name}' specified is not valid."),
    )
}

fn unreadable(name: &str, edm: Edm) -> Refused {
    let edm = edm.message_name();
    Refused::new(
        400,
        format!(
            "Error processing request stream. Error encountered in converting the value from request payload for \
             property '{name}' to type '{edm}', which is the property's expected type. See inner exception for more \
             detail."
        ),
    )
}
