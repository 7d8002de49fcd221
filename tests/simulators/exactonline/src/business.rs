//! The rules that no table tells, each family of entities in a file of its own.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::answer::Refused;
use crate::database::{Context, Database, Row};
use crate::edm::Value;
use crate::schema::{Check, Property, Shape, shape_of};
use crate::write::message;

mod actions;
mod documents;
mod lines;
mod prices;
mod quotations;

impl Database {
    /// Fills what a record holds beside its table's rules, and tells which further rules do not hold. `asked` are
    /// the positions that the request itself names.
    pub(crate) fn broken(
        &self,
        shape: &'static Shape,
        row: &mut Row,
        asked: &BTreeSet<usize>,
        creating: bool,
        context: &Context<'_>,
    ) -> Vec<String> {
        match shape.name {
            "sales_item_prices" => self.price_taken(shape, row, context),
            "quotations" => self.open_quotation(shape, row, asked, creating, context),
            "sales_order_lines" | "quotation_lines" => self.reckon_line(shape, row, asked, creating, context),
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

/// Why a record that is there may not be referred to.
pub(crate) fn unfit(property: &Property, found: &Row, context: &Context<'_>) -> Option<String> {
    match property.must? {
        Check::MayBeQuoted if context.switches.prospects_are_quoted => None,
        Check::Customer | Check::MayBeQuoted => no_customer(property, found, context),
        Check::SalesItem => lines::not_sold(found, context),
    }
}

/// Documents are for accounts with the status of a customer.
fn no_customer(property: &Property, account: &Row, context: &Context<'_>) -> Option<String> {
    if *account.get(shape_of("accounts"), "Status") == Value::Text("C".to_owned()) {
        return None;
    }
    let text = message(context.switches.language, property, "Invalid", "Ongeldig");
    Some(format!("{text} (Type)"))
}
