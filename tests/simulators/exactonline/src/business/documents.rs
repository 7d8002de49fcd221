//! Documents: when they may still be changed, and what they come to.

use rust_decimal::Decimal;

use super::lines::{line_amounts, number, rounded};
use crate::answer::Refused;
use crate::database::{Context, Database, Row};
use crate::edm::Value;
use crate::schema::{Shape, Total, shape_of};
use crate::write::header_of;

/// The status of a sales order that was delivered and invoiced in full.
const COMPLETE: Value = Value::Integer(21);

impl Database {
    /// Refuses to change a sales order that is complete, or one of its lines.
    pub(crate) fn check_open(&self, shape: &Shape, row: &Row, context: &Context<'_>) -> Result<(), Refused> {
        let orders = shape_of("sales_orders");
        let order = if shape.name == orders.name {
            Some(row)
        } else {
            header_of(shape, row)
                .filter(|(header, _)| header.name == orders.name)
                .and_then(|(_, key)| self.table(orders.name).rows.get(&key))
        };
        if order.is_some_and(|order| *order.get(orders, "Status") == COMPLETE) {
            let text = context.switches.language.pick("Already processed", "Reeds verwerkt");
            return Err(Refused::business(&[text.to_owned()]));
        }
        Ok(())
    }

    /// What the lines of a document come to. Lines that are optional do not count (inferred).
    pub(crate) fn total(&self, shape: &Shape, row: &Row, total: Total) -> Value {
        let Some(line_shape) = shape.lines() else { return Value::Null };
        let optional = line_shape.position("Optional");
        let counts = |line: &&Row| optional.is_none_or(|at| line.values[at] != Value::Boolean(true));
        let (without, vat) = self
            .lines(line_shape, row, shape)
            .into_iter()
            .filter(counts)
            .map(|line| line_amounts(line_shape, line))
            .fold((Decimal::ZERO, Decimal::ZERO), |(without, vat), line| {
                (without.saturating_add(line.0), vat.saturating_add(line.1))
            });
        // The discount of a header is a percentage, other than that of its lines.
        let percent = shape.position("Discount").map_or(Decimal::ZERO, |at| number(&row.values[at]));
        let part = |amount: Decimal| {
            rounded(amount.checked_mul(percent).map_or(Decimal::ZERO, |part| part / Decimal::ONE_HUNDRED), 2)
        };
        let (off, vat_off) = (part(without), part(vat));
        let (left, vat_left) = (without.saturating_sub(off), vat.saturating_sub(vat_off));
        let amount = match total {
            Total::Including => left.saturating_add(vat_left),
            Total::Excluding => left,
            Total::Vat => vat_left,
            Total::Discount => off.saturating_add(vat_off),
            Total::DiscountExcluding => off,
        };
        Value::Double(amount.normalize())
    }
}
