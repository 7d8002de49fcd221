//! Deleting records with all that they own.

use uuid::Uuid;

use super::{fill, header_of, message};
use crate::answer::Refused;
use crate::database::{Context, Database, Key, Term};
use crate::edm::Value;
use crate::schema::{Endpoint, Property, SHAPES, Shape, shape_of};
use crate::webhooks::Action;

impl Database {
    /// Deletes a record that no other one refers to, with the records that it owns, and says so of each of them in
    /// the feed of deleted records.
    ///
    /// That an account owns its contacts and an item its prices is inferred; so is that what is owned goes first.
    pub(crate) fn remove(
        &mut self,
        endpoint: &Endpoint,
        key: Key,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        let shape = shape_of(endpoint.table);
        let row = self.find(endpoint.table, key, context.division);
        let row = row.ok_or_else(|| Refused::not_found(endpoint.path))?;
        self.check_open(shape, row, context)?;
        let header = header_of(shape, row);
        if let Some((header, key)) = header {
            self.check_not_last(header, key, context)?;
        }
        let going = self.with_owned(shape, key, context.division);
        if let Some(user) = going.iter().find_map(|(shape, key)| self.used_in(shape, *key, &going)) {
            let language = context.switches.language;
            let text = format!(
                "{}: {} - {}: {}",
                language.pick("Cannot delete", "Kan niet verwijderen"),
                language.pick(shape.labels.one[0], shape.labels.one[1]),
                language.pick("Used in", "Gebruikt in"),
                language.pick(user.labels.several[0], user.labels.several[1]),
            );
            return Err(Refused::business(&[text]));
        }
        for (shape, key) in going {
            self.take(shape.name, key);
            self.tell(shape, key, Action::Delete, context);
            if let (Some(number), Key::Guid(id)) = (shape.deleted_type, key) {
                self.log_deleted(number, id, context);
            }
        }
        if let Some((header, key)) = header {
            self.touch_header(header, key, context);
        }
        Ok(())
    }

    /// Refuses to leave a document without lines, where it may not be without them.
    fn check_not_last(&self, header: &'static Shape, key: Key, context: &Context<'_>) -> Result<(), Refused> {
        let lines = header.properties.iter().find(|property| property.lines.is_some() && property.mandatory);
        let left = header.lines().map_or(0, |lines| self.owned_keys(lines, key, context.division).len());
        match lines {
            Some(property) if left == 1 && !context.switches.last_line_deletable => {
                let text = message(context.switches.language, property, "Mandatory", "Verplicht");
                Err(Refused::business(&[text]))
            }
            _ => Ok(()),
        }
    }

    /// A record behind all records that it owns.
    fn with_owned(&self, shape: &'static Shape, key: Key, division: i32) -> Vec<(&'static Shape, Key)> {
        let mut all = Vec::new();
        for owned in owned_by(shape) {
            for key in self.owned_keys(owned, key, division) {
                all.extend(self.with_owned(owned, key, division));
            }
        }
        all.push((shape, key));
        all
    }

    /// The records of a table that a record owns.
    pub(crate) fn owned_keys(&self, owned: &Shape, owner: Key, division: i32) -> Vec<Key> {
        let (Some(position), Key::Guid(id)) = (owned.owner, owner) else { return Vec::new() };
        self.table(owned.name).holders(Some(division), position, &Term::Guid(id)).collect()
    }

    fn log_deleted(&mut self, entity_type: i64, id: Uuid, context: &Context<'_>) {
        let row = fill(
            shape_of("deleted"),
            Some(context.division),
            context.now,
            &[
                ("ID", Value::Guid(ambient::new_random_id())),
                ("EntityKey", Value::Guid(id)),
                ("EntityType", Value::Integer(entity_type)),
                ("DeletedBy", Value::Guid(context.user)),
                ("DeletedDate", Value::DateTime(context.wall_clock())),
                ("Division", Value::Integer(i64::from(context.division))),
            ],
        );
        self.store("deleted", Key::Number(0), row);
    }

    /// A table that holds a reference to this record, other than in the records that go with it.
    fn used_in(&self, shape: &Shape, key: Key, going: &[(&'static Shape, Key)]) -> Option<&'static Shape> {
        let refers = |property: &Property| property.reference.as_deref() == Some(shape.name);
        let stays = |table: &Shape, key: Key| {
            !going.iter().any(|(going, own)| going.name == table.name && *own == key)
        };
        let mut tables: Vec<_> = self.tables.values().collect();
        tables.sort_by_key(|table| table.shape.name);
        tables.into_iter().find_map(|table| {
            let positions: Vec<usize> =
                (0..table.shape.properties.len()).filter(|at| refers(&table.shape.properties[*at])).collect();
            let used = table
                .rows
                .iter()
                .filter(|(_, row)| positions.iter().any(|at| Key::of(&row.values[*at]) == Some(key)))
                .any(|(other, _)| stays(table.shape, *other));
            used.then_some(table.shape)
        })
    }
}

/// The tables whose records a record of this table owns, in the order of their names.
fn owned_by(shape: &Shape) -> Vec<&'static Shape> {
    let is_owned = |owned: &&Shape| {
        owned.owner.is_some_and(|at| owned.properties[at].reference.as_deref() == Some(shape.name))
    };
    let mut owned: Vec<&'static Shape> =
        SHAPES.values().filter(|owned| owned.stored).filter(is_owned).collect();
    owned.sort_by_key(|shape| shape.name);
    owned
}
