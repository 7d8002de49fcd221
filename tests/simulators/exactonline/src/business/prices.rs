//! Items and their prices.

use uuid::Uuid;

use crate::answer::Refused;
use crate::database::{Context, Database, Key, Row, Term};
use crate::edm::Value;
use crate::schema::{Shape, shape_of};
use crate::write::Body;

const PRICES: &str = "sales_item_prices";

/// What no two prices may have all in common. The message leaves out the account.
const TOGETHER: [&str; 6] = ["Item", "Account", "Currency", "Unit", "Quantity", "StartDate"];

impl Database {
    /// The price of an item in its oldest price record without an account: the one that came with the item.
    pub(crate) fn base_price(&self, shape: &Shape, row: &Row) -> Value {
        let prices = shape_of(PRICES);
        let general =
            self.lines(prices, row, shape).into_iter().find(|row| *row.get(prices, "Account") == Value::Null);
        general.map_or(Value::Null, |row| row.get(prices, "Price").clone())
    }

    /// A new item has one price of zero. Its start is open, so that a price of today stands beside it (inferred).
    pub(super) fn add_base_price(&mut self, item: Uuid, context: &Context<'_>) -> Result<(), Refused> {
        let prices = shape_of(PRICES);
        let named = [("Item", Value::Guid(item)), ("StartDate", Value::Null)];
        self.insert(prices, Body::of(prices, named), context).map(|_| ())
    }

    /// Whether the item has another price for the same account, currency, unit, quantity and day.
    pub(super) fn price_taken(&self, shape: &Shape, row: &Row, context: &Context<'_>) -> Vec<String> {
        let positions = TOGETHER.map(|name| shape.position(name).expect("prices have these properties"));
        let table = self.table(PRICES);
        let item = Term::of(&row.values[positions[0]]);
        let keys = item
            .into_iter()
            .flat_map(|item| table.holders(row.division, positions[0], &item).collect::<Vec<_>>());
        let same = |other: &Row| positions.iter().all(|at| other.values[*at] == row.values[*at]);
        let own = Key::of(&row.values[shape.key]);
        if keys.filter(|key| Some(*key) != own).filter_map(|key| table.rows.get(&key)).any(same) {
            let text = context.switches.language.pick(
                "Must be: Unique - Item, Currency, Unit, Quantity, Active from",
                "Moet zijn: Uniek - Artikel, Valuta, Eenheid, Aantal, Actief vanaf",
            );
            return vec![text.to_owned()];
        }
        Vec::new()
    }
}
