//! The rules that no table tells, each family of entities in a file of its own.

use uuid::Uuid;

use crate::answer::Refused;
use crate::database::{Context, Database, Row};
use crate::schema::Shape;

mod prices;

impl Database {
    /// Fills what a record holds beside its table's rules, and tells which further rules do not hold.
    pub(crate) fn broken(&self, shape: &'static Shape, row: &Row, context: &Context<'_>) -> Vec<String> {
        match shape.name {
            "sales_item_prices" => self.price_taken(shape, row, context),
            _ => Vec::new(),
        }
    }

    /// What the service does by itself once a record was created.
    pub(crate) fn follow_up(
        &mut self,
        shape: &Shape,
        id: Uuid,
        context: &Context<'_>,
    ) -> Result<(), Refused> {
        match shape.name {
            "items" => self.add_base_price(id, context),
            _ => Ok(()),
        }
    }
}
