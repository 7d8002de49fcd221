//! All records, and the rules under which they are created, changed and deleted.

mod lines;

use std::collections::BTreeMap;

use crate::change::{self, Change, Edits};
use crate::clock::Clock;
use crate::collection::Collection;
use crate::control::Rewrite;
use crate::document::Document;
use crate::problem::{Problem, ProblemKind, PropertyError};
use crate::record::{Content, Record, Values};
use crate::schema::{Kind, Presence, Property, Schema, Search};
use crate::value::Value;
use crate::webhooks::Outbox;

/// The ids that there can be.
pub(crate) const ID_PATTERN: &str = "^[A-Za-z0-9._-]{1,64}$";

#[derive(Debug)]
pub(crate) struct Records {
    collections: BTreeMap<&'static str, Collection>,
    pub(crate) clock: Clock,
    pub(crate) rewrites: Vec<Rewrite>,
    pub(crate) outbox: Outbox,
}

impl Records {
    pub(crate) fn new(schemas: &[&'static Schema], outbox: Outbox) -> Self {
        let collections = schemas.iter().map(|schema| (schema.collection, Collection::new(schema))).collect();
        Self { collections, clock: Clock::new(), rewrites: Vec::new(), outbox }
    }

    pub(crate) fn collections(&self) -> impl Iterator<Item = &Collection> {
        self.collections.values()
    }

    /// The collection of this name, or 404.
    pub(crate) fn collection(&self, name: &str) -> Result<&Collection, Problem> {
        self.collections
            .get(name)
            .ok_or_else(|| Problem::new(ProblemKind::NotFound, format!("there is no collection {name}")))
    }

    /// A live record with its collection, or 404, or 410.
    pub(crate) fn find(&self, name: &str, id: &str) -> Result<(&Collection, &Record), Problem> {
        let collection = self.collection(name)?;
        let entity = collection.schema.entity;
        match collection.get(id) {
            None => Err(Problem::new(ProblemKind::NotFound, format!("there never was a {entity} {id}"))),
            Some(record) if record.deleted => {
                Err(Problem::new(ProblemKind::Gone, format!("the {entity} {id} was deleted")))
            }
            Some(record) => Ok((collection, record)),
        }
    }

    /// Creates a record, under `chosen_id` if there is one.
    pub(crate) fn create(
        &mut self,
        name: &str,
        user_id: &str,
        document: &Document,
        chosen_id: Option<String>,
    ) -> Result<&Record, Problem> {
        let collection = self.collection(name)?;
        let schema = collection.schema;
        if let Some(id) = &chosen_id {
            check_chosen_id(collection, id)?;
        }
        let id = chosen_id.unwrap_or_else(|| ambient::new_random_id().to_string());
        let content = self.content_after(collection, &id, Content::initial(schema), document)?;
        let now = self.clock.now();
        self.store(
            name,
            Record {
                id,
                version: 1,
                created_at: now,
                modified_at: now,
                modified_by: user_id.to_owned(),
                deleted: false,
                content,
            },
        )
    }

    /// Applies a merge patch. The second value is whether it changed anything.
    pub(crate) fn patch(
        &mut self,
        name: &str,
        user_id: &str,
        id: &str,
        document: &Document,
    ) -> Result<(&Record, bool), Problem> {
        let (collection, record) = self.find(name, id)?;
        let content = self.content_after(collection, id, record.content.clone(), document)?;
        if content == record.content {
            return self.find(name, id).map(|(_, record)| (record, false));
        }
        let record = Record { content, ..record.clone() };
        self.store_next(name, user_id, record).map(|record| (record, true))
    }

    /// Puts a tombstone in the place of a record.
    pub(crate) fn delete(&mut self, name: &str, user_id: &str, id: &str) -> Result<(), Problem> {
        let (_, record) = self.find(name, id)?;
        let tombstone = Record { deleted: true, content: Content::default(), ..record.clone() };
        self.store_next(name, user_id, tombstone).map(|_| ())
    }

    fn store_next(&mut self, name: &str, user_id: &str, record: Record) -> Result<&Record, Problem> {
        let next = Record {
            version: record.version + 1,
            modified_at: self.clock.now(),
            modified_by: user_id.to_owned(),
            ..record
        };
        self.store(name, next)
    }

    fn store(&mut self, name: &str, record: Record) -> Result<&Record, Problem> {
        let id = record.id.clone();
        if let Some(collection) = self.collections.get_mut(name) {
            self.outbox.tell(collection.schema.entity, &record);
            collection.store(record);
        }
        self.collection(name)?
            .get(&id)
            .ok_or_else(|| Problem::new(ProblemKind::NotFound, format!("{name} {id} was not stored")))
    }

    /// What a record holds after a change, or why it can't be.
    fn content_after(
        &self,
        collection: &Collection,
        id: &str,
        before: Content,
        document: &Document,
    ) -> Result<Content, Problem> {
        let schema = collection.schema;
        let Change { mut edits, lines: line_changes, mut errors } = change::read(schema, document)?;
        self.rewrite(schema, &mut edits);
        let values = self.values_after(schema.properties, before.values, &edits, &mut errors);
        let lines = match schema.lines {
            Some(properties) => self.lines_after(properties, before.lines, line_changes, &mut errors),
            None => Vec::new(),
        };
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        taken(collection, id, &edits).map_or(Ok(Content { values, lines }), Err)
    }

    /// The values of a record or a line after edits; adds what is wrong with them to the errors of reading them.
    fn values_after(
        &self,
        properties: &[Property],
        mut values: Values,
        edits: &Edits,
        errors: &mut Vec<PropertyError>,
    ) -> Values {
        errors.extend(self.dangling(edits));
        for (property, value) in edits {
            match value {
                Some(value) => values.insert(property.name, value.clone()),
                None => values.remove(property.name),
            };
        }
        errors.extend(missing(properties, &values, errors));
        values
    }

    /// Changes what is written as the test asked for.
    fn rewrite(&self, schema: &Schema, edits: &mut Edits) {
        for rewrite in self.rewrites.iter().filter(|rewrite| rewrite.collection == schema.collection) {
            for (property, value) in edits.iter_mut() {
                if let Some(Value::Text(text)) = value
                    && property.name == rewrite.property
                {
                    *text = rewrite.rewrite_as.apply(text);
                }
            }
        }
    }

    /// References to records that are not there.
    fn dangling(&self, edits: &Edits) -> Vec<PropertyError> {
        let mut errors = Vec::new();
        for (property, value) in edits {
            if let (Kind::Reference(target), Some(Value::Text(id))) = (property.kind, value)
                && self.collections.get(target).is_none_or(|collection| collection.live(id).is_none())
            {
                let message = format!("must be the id of a record of {target}; there is none {id}");
                errors.push(PropertyError::new(property.name, message));
            }
        }
        errors
    }
}

fn check_chosen_id(collection: &Collection, id: &str) -> Result<(), Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let message = if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        "must have 1 to 64 letters, digits, -, _ or ."
    } else if collection.get(id).is_some() {
        "is the id of another record"
    } else {
        return Ok(());
    };
    Err(Problem::invalid(vec![PropertyError::new("Id", message)]))
}

/// Required properties without a value, besides those that already have an error.
fn missing(properties: &[Property], values: &Values, errors: &[PropertyError]) -> Vec<PropertyError> {
    let blank = |name: &str| values.get(name).is_none_or(Value::is_blank);
    let sound = |name: &str| errors.iter().all(|error| error.property != name);
    let missing = properties.iter().filter(|property| blank(property.name) && sound(property.name));
    missing
        .filter_map(|property| match property.presence {
            Presence::Required => Some(PropertyError::new(property.name, "is required")),
            Presence::RequiredUnless(other) if blank(other) && sound(other) => {
                Some(PropertyError::new(property.name, format!("is required unless there is a {other}")))
            }
            Presence::Optional | Presence::ReadOnly | Presence::RequiredUnless(_) => None,
        })
        .collect()
}

/// The refusal if another record holds a unique value.
fn taken(collection: &Collection, id: &str, edits: &Edits) -> Option<Problem> {
    edits.iter().find_map(|(property, value)| {
        let text =
            value.as_ref().filter(|value| property.search == Search::Unique && !value.is_blank())?.text()?;
        let holder = collection.other_holder(property.name, text, id)?;
        let entity = collection.schema.entity;
        let detail = format!("{} {text} belongs to the {entity} {holder}", property.name);
        Some(Problem {
            errors: vec![PropertyError::new(property.name, format!("is taken by the {entity} {holder}"))],
            duplicate_id: Some(holder.to_owned()),
            ..Problem::new(ProblemKind::Conflict, detail)
        })
    })
}
