//! The lines of documents: which items they may name, how they are numbered, what they come to.

use std::collections::BTreeSet;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::codes;
use crate::database::{Context, Database, Row};
use crate::edm::Value;
use crate::schema::{Shape, shape_of};
use crate::write::{header_of, message};

/// Digits behind the point of a price that was worked out. No source tells the service's own.
const PRICE_DIGITS: u32 = 6;

/// By how much a net price may differ from the one that price and discount give: half a cent.
const SLACK: Decimal = Decimal::from_parts(5, 0, 0, false, 3);

/// The name of a line's VAT, which differs between the tables.
const VAT_NAMES: [&str; 2] = ["VATAmount", "VATAmountFC"];

/// An item must be sold, and not before its first or after its last day. The words to an item that is not sold
/// follow those that were seen for one that is not bought.
pub(super) fn not_sold(item: &Row, context: &Context<'_>) -> Option<String> {
    let items = shape_of("items");
    let pick = |english: &str, dutch: &str| Some(context.switches.language.pick(english, dutch).to_owned());
    let day = |name| match item.get(items, name) {
        Value::DateTime(day) => Some(*day),
        _ => None,
    };
    let Value::DateTime(today) = context.today() else { return None };
    if *item.get(items, "IsSalesItem") != Value::Boolean(true) {
        return pick("Mandatory: Sales", "Verplicht: Verkoop");
    }
    if day("EndDate").is_some_and(|last| last < today) {
        return pick("Item: Inactive", "Artikel: Non actief");
    }
    if day("StartDate").is_some_and(|first| first > today) {
        return pick("Item: Future", "Artikel: Toekomstig");
    }
    None
}

/// What a line comes to without VAT, and its VAT.
pub(super) fn line_amounts(shape: &Shape, line: &Row) -> (Decimal, Decimal) {
    let vat = VAT_NAMES.into_iter().find(|name| shape.position(name).is_some());
    let vat = vat.map_or(Decimal::ZERO, |name| number(line.get(shape, name)));
    let amount = number(line.get(shape, "AmountFC"));
    if includes_vat(shape, line) { (amount.saturating_sub(vat), vat) } else { (amount, vat) }
}

impl Database {
    /// Numbers a new line and works out its prices and amounts.
    pub(super) fn reckon_line(
        &self,
        shape: &'static Shape,
        row: &mut Row,
        asked: &BTreeSet<usize>,
        creating: bool,
        context: &Context<'_>,
    ) -> Vec<String> {
        if creating {
            row.set(shape, "LineNumber", Value::Integer(self.next_line(shape, row)));
        }
        let names = |name: &str| shape.position(name).is_some_and(|at| asked.contains(&at));
        if (creating || names("VATCode")) && !names("VATPercentage") {
            let code = shape.position("VATCode").expect("lines have a VAT code");
            row.set(shape, "VATPercentage", self.looked_up(shape, row, code, "Percentage"));
        }
        let fault = |name: &str| {
            let property = &shape.properties[shape.position(name).expect("lines have prices")];
            vec![message(context.switches.language, property, "Invalid", "Ongeldig")]
        };
        let priced = Priced::read(shape, row, &names, creating);
        let Some(priced) = priced else { return fault("NetPrice") };
        match priced.amounts(shape, row) {
            Some((amount, vat)) => {
                priced.write(shape, row);
                row.set(shape, "AmountFC", Value::Double(amount));
                // The company's currency is taken to be the line's: the simulator has no rates.
                row.set(shape, "AmountDC", Value::Double(amount));
                let vat_name = VAT_NAMES.into_iter().find(|name| shape.position(name).is_some());
                row.set(shape, vat_name.expect("lines have their VAT"), Value::Double(vat));
                Vec::new()
            }
            None => fault("Quantity"),
        }
    }

    fn next_line(&self, shape: &Shape, row: &Row) -> i64 {
        let header = header_of(shape, row).and_then(|(header, key)| {
            let row = self.table(header.name).rows.get(&key)?;
            Some(self.lines(shape, row, header))
        });
        let number = |line: &&Row| match line.get(shape, "LineNumber") {
            Value::Integer(number) => *number,
            _ => 0,
        };
        header.unwrap_or_default().iter().map(number).max().unwrap_or(0) + 1
    }
}

/// The prices of a line: what it costs, the fraction that goes off, what is left.
struct Priced {
    unit: Decimal,
    discount: Decimal,
    net: Decimal,
}

impl Priced {
    /// Brings the three together: a net price that is named alone tells the discount, otherwise the net price follows.
    /// `None` where all are named and contradict each other, or are too large to be worked out. What the service makes
    /// of a contradiction is not documented.
    fn read(shape: &Shape, row: &Row, names: &dyn Fn(&str) -> bool, creating: bool) -> Option<Self> {
        let stored = |name| number(row.get(shape, name));
        let (unit, discount, net) = (stored("UnitPrice"), stored("Discount"), stored("NetPrice"));
        let net_named = names("NetPrice") && *row.get(shape, "NetPrice") != Value::Null;
        let gross_named = names("UnitPrice") || names("Discount");
        let follows = || {
            let left = Decimal::ONE.checked_sub(discount)?;
            Some(rounded(unit.checked_mul(left)?, PRICE_DIGITS))
        };
        match (net_named, gross_named) {
            (true, true) => {
                let difference = follows()?.checked_sub(net)?.abs();
                (difference <= SLACK).then_some(Self { unit, discount, net })
            }
            (true, false) if unit.is_zero() => Some(Self { unit: net, discount: Decimal::ZERO, net }),
            (true, false) => {
                let discount = Decimal::ONE.checked_sub(net.checked_div(unit)?)?;
                Some(Self { unit, discount: rounded(discount, PRICE_DIGITS), net })
            }
            (false, true) => Some(Self { unit, discount, net: follows()? }),
            (false, false) if creating => Some(Self { unit, discount, net: follows()? }),
            (false, false) => Some(Self { unit, discount, net }),
        }
    }

    /// The amount of the line and its VAT, in cents; `None` where they are too large.
    fn amounts(&self, shape: &Shape, row: &Row) -> Option<(Decimal, Decimal)> {
        let amount = rounded(number(row.get(shape, "Quantity")).checked_mul(self.net)?, 2);
        let fraction = number(row.get(shape, "VATPercentage"));
        let vat = amount.checked_mul(fraction)?;
        let vat = if includes_vat(shape, row) {
            vat.checked_div(Decimal::ONE.checked_add(fraction)?)?
        } else {
            vat
        };
        Some((amount, rounded(vat, 2)))
    }

    fn write(&self, shape: &Shape, row: &mut Row) {
        row.set(shape, "UnitPrice", Value::Double(self.unit));
        row.set(shape, "Discount", Value::Double(self.discount));
        row.set(shape, "NetPrice", Value::Double(self.net));
    }
}

/// Whether the prices of a line have its VAT in them.
fn includes_vat(shape: &Shape, row: &Row) -> bool {
    match row.get(shape, "VATCode") {
        Value::Text(code) => codes::find("vat", code, None).is_some_and(|code| code.parent == "I"),
        _ => false,
    }
}

/// The number that a value is; nothing is zero.
pub(super) fn number(value: &Value) -> Decimal {
    match value {
        Value::Double(number) => *number,
        _ => Decimal::ZERO,
    }
}

/// Half up, as amounts are rounded, and without zeros at the end.
pub(super) fn rounded(number: Decimal, digits: u32) -> Decimal {
    number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero).normalize()
}
