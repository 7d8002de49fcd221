//! Creating and changing records: what a request names, the rules of its table, what the service adds.
//! `body` reads a request, `rules` judges it, `deletion` deletes.

use uuid::Uuid;

use crate::answer::Refused;
use crate::database::{Context, Database, Key, Row};
use crate::edm::Value;
use crate::schema::{Endpoint, ServerValue, Shape, shape_of};

mod body;
mod deletion;
mod rules;

pub(crate) use body::{Body, Purpose};
pub(crate) use rules::message;

impl Database {
    /// Creates a record from the body of a request.
    pub(crate) fn create(
        &mut self,
        endpoint: &Endpoint,
        body: &str,
        context: &Context<'_>,
    ) -> Result<Key, Refused> {
        let shape = shape_of(endpoint.table);
        let body = Body::read(shape, body, Purpose::Create, context)?;
        self.insert(shape, body, context)
    }

    /// Stores a new record of these values if all rules hold.
    pub(crate) fn insert(
        &mut self,
        shape: &'static Shape,
        body: Body,
        context: &Context<'_>,
    ) -> Result<Key, Refused> {
        let mut row = Row::empty(shape, Some(context.division), context.now);
        let id = Uuid::new_v4();
        row.values[shape.key] = Value::Guid(id);
        self.settle(shape, &mut row, body, true, context)?;
        stamp(shape, &mut row, true, context);
        self.store(shape.name, Key::Guid(id), row);
        self.follow_up(shape, id, context)?;
        Ok(Key::Guid(id))
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
        self.settle(shape, &mut row, body, false, context)?;
        row.written_at = context.now;
        stamp(shape, &mut row, false, context);
        self.store(shape.name, key, row);
        Ok(())
    }
}

/// A row of a table with these values and nothing else.
pub(crate) fn fill(shape: &Shape, division: Option<i32>, now: i64, values: &[(&str, Value)]) -> Row {
    let mut row = Row::empty(shape, division, now);
    for (name, value) in values {
        let position = shape.position(name).expect("the simulator fills properties that exist");
        row.values[position] = value.clone();
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
