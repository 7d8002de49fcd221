//! Creating and changing records: what a request names, the rules of its table, what the service adds.
//! `body` reads a request, `rules` judges it, `deletion` deletes.

use uuid::Uuid;

use crate::answer::Refused;
use crate::database::{Context, Database, Key, Row};
use crate::edm::Value;
use crate::schema::{Endpoint, ServerValue, Shape, shape_of};
use crate::webhooks::{Action, Happened};

mod body;
mod deletion;
mod rules;

pub(crate) use body::{Body, Named, Purpose};
pub(crate) use rules::{duplicate, message};

impl Database {
    /// Creates a record, a document with its lines, from the body of a request.
    pub(crate) fn create(
        &mut self,
        endpoint: &Endpoint,
        body: &str,
        context: &Context<'_>,
    ) -> Result<Uuid, Refused> {
        let shape = shape_of(endpoint.table);
        let body = Body::read(shape, body, Purpose::Create, context)?;
        let id = self.insert(shape, body, context)?;
        self.touch_owner(shape, Key::Guid(id), context);
        Ok(id)
    }

    /// Stores a new record, with its lines, of these values if all rules hold for all of them.
    pub(crate) fn insert(
        &mut self,
        shape: &'static Shape,
        body: Body,
        context: &Context<'_>,
    ) -> Result<Uuid, Refused> {
        let Body { named, lines, messages } = body;
        let happened = self.happened.len();
        let id = self.insert_one(shape, Body { named, messages, lines: Vec::new() }, context)?;
        let Some(line_shape) = shape.lines() else { return Ok(id) };
        let owner = line_shape.owner.expect("the lines of a document name it");
        let (mut stored, mut messages) = (Vec::new(), Vec::new());
        for mut line in lines {
            line.named.insert(owner, Value::Guid(id));
            match self.insert_one(line_shape, line, context) {
                Ok(line) => stored.push(line),
                Err(refused) => messages.push(refused.text),
            }
        }
        if messages.is_empty() {
            return Ok(id);
        }
        for line in stored {
            self.take(line_shape.name, Key::Guid(line));
        }
        self.take(shape.name, Key::Guid(id));
        self.happened.truncate(happened);
        Err(Refused::business(&messages))
    }

    fn insert_one(
        &mut self,
        shape: &'static Shape,
        body: Body,
        context: &Context<'_>,
    ) -> Result<Uuid, Refused> {
        let mut row = Row::empty(shape, Some(context.division), context.now);
        self.settle(shape, &mut row, body, true, context)?;
        self.check_open(shape, &row, context)?;
        let id = self.store_new(shape, row, context);
        self.follow_up(shape, id, context)?;
        Ok(id)
    }

    /// Changes the properties that the body of a request names and leaves all others as they are.
    pub(crate) fn change(
        &mut self,
        endpoint: &Endpoint,
        key: Key,
        body: &str,
        purpose: Purpose,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        let shape = shape_of(endpoint.table);
        let mut row = self
            .find(endpoint.table, key, context.division)
            .cloned()
            .ok_or_else(|| Refused::not_found(endpoint.path))?;
        let body = Body::read(shape, body, purpose, context)?;
        if purpose == Purpose::Change {
            self.check_open(shape, &row, context)?;
        }
        self.settle(shape, &mut row, body, false, context)?;
        self.store_changed(shape, key, row, context);
        self.touch_owner(shape, key, context);
        Ok(())
    }

    /// Stores a record that was changed, as changed now by the user.
    pub(crate) fn store_changed(&mut self, shape: &Shape, key: Key, mut row: Row, context: &Context<'_>) {
        row.written_at = context.now;
        self.tell(shape, key, Action::Update, context);
        stamp(shape, &mut row, false, context);
        self.store(shape.name, key, row);
    }

    /// Stores a record under a new id, as created now by the user.
    pub(crate) fn store_new(&mut self, shape: &Shape, mut row: Row, context: &Context<'_>) -> Uuid {
        let id = ambient::new_random_id();
        row.values[shape.key] = Value::Guid(id);
        (row.written_at, row.first_timestamp) = (context.now, 0);
        stamp(shape, &mut row, true, context);
        self.store(shape.name, Key::Guid(id), row);
        self.tell(shape, Key::Guid(id), Action::Create, context);
        id
    }

    /// Notes what webhooks may tell.
    fn tell(&mut self, shape: &Shape, key: Key, action: Action, context: &Context<'_>) {
        if let Key::Guid(id) = key {
            self.happened.push(Happened { table: shape.name, id, division: context.division, action });
        }
    }

    /// Gives the header of a line a new row version, where that is switched on.
    fn touch_owner(&mut self, shape: &Shape, line: Key, context: &Context<'_>) {
        let owner = self.table(shape.name).rows.get(&line).and_then(|row| header_of(shape, row));
        if let Some((header, key)) = owner {
            self.touch_header(header, key, context);
        }
    }

    /// Gives a header a new row version for a change of its lines, where that is switched on.
    fn touch_header(&mut self, header: &Shape, key: Key, context: &Context<'_>) {
        if !context.switches.line_changes_touch_header {
            return;
        }
        if let Some(mut row) = self.table(header.name).rows.get(&key).cloned() {
            row.written_at = context.now;
            self.store(header.name, key, row);
        }
    }
}

/// The document that a row is a line of, where it is one.
pub(crate) fn header_of(shape: &Shape, row: &Row) -> Option<(&'static Shape, Key)> {
    let owner = shape.owner?;
    let header = shape_of(shape.properties[owner].reference.as_deref()?);
    header.lines().is_some_and(|lines| lines.name == shape.name).then_some(())?;
    Some((header, Key::of(&row.values[owner])?))
}

/// A row of a table with these values and nothing else.
pub(crate) fn fill(shape: &Shape, division: Option<i32>, now: i64, values: &[(&str, Value)]) -> Row {
    let mut row = Row::empty(shape, division, now);
    for (name, value) in values {
        row.set(shape, name, value.clone());
    }
    row
}

fn stamp(shape: &Shape, row: &mut Row, creating: bool, context: &Context<'_>) {
    for (position, property) in shape.properties.iter().enumerate() {
        let value = match property.server {
            Some(ServerValue::Created) if creating => Value::DateTime(context.wall_clock()),
            Some(ServerValue::Creator) if creating => Value::Guid(context.user),
            Some(ServerValue::Division) if creating => Value::Integer(i64::from(context.division)),
            Some(ServerValue::Modified) => Value::DateTime(context.wall_clock()),
            Some(ServerValue::Modifier) => Value::Guid(context.user),
            _ => continue,
        };
        row.values[position] = value;
    }
}
