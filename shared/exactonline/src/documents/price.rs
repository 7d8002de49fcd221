//! Which of an item's price records is its sales price, for everybody who reads or writes it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use model::{Content, Properties};
use rust_decimal::Decimal;

/// The property of a price record that holds the price.
pub(crate) const PRICE: &str = "Price";

/// What makes a price an agreement with somebody, or of a project, and not the item's own.
const AGREED_WITH: [&str; 3] = ["Account", "Employee", "Project"];

/// Whether a price is the item's own, for everybody.
pub(crate) fn is_general(price: &Properties) -> bool {
    AGREED_WITH.iter().all(|name| is_empty(price.get(*name)))
}

/// The price record in force on a day: of the general prices that are valid then, that of the lowest quantity; of
/// several, the one that began last. `None` when there is none.
pub(crate) fn price_in_force<'a>(
    prices: impl Iterator<Item = &'a Properties>,
    today: Date,
) -> Option<&'a Properties> {
    in_force(prices, today).min_by_key(|price| rank(price))
}

/// The currencies of the general prices that are in force on a day.
pub(crate) fn currencies<'a>(
    prices: impl Iterator<Item = &'a Properties>,
    today: Date,
) -> BTreeSet<Option<&'a str>> {
    in_force(prices, today).map(|price| price.get("Currency").and_then(Content::as_text)).collect()
}

fn in_force<'a>(
    prices: impl Iterator<Item = &'a Properties>,
    today: Date,
) -> impl Iterator<Item = &'a Properties> {
    prices.filter(move |price| is_general(price) && is_valid(price, today))
}

/// What a price is preferred by, the lower the better. The last one only keeps the choice from being by chance.
fn rank(price: &Properties) -> (Decimal, Reverse<Option<Date>>, Decimal, Option<&str>) {
    let number = |name: &str| match price.get(name) {
        Some(Content::Number(number)) => *number,
        _ => Decimal::ZERO,
    };
    let id = price.get("ID").and_then(Content::as_text);
    (number("Quantity"), Reverse(day(price.get("StartDate"))), number("NumberOfItemsPerUnit"), id)
}

fn is_valid(price: &Properties, today: Date) -> bool {
    day(price.get("StartDate")).is_none_or(|start| start <= today)
        && day(price.get("EndDate")).is_none_or(|end| today <= end)
}

/// The day of `/Date(milliseconds)/`, which is a wall clock written as if it were UTC (a fact of the API).
fn day(content: Option<&Content>) -> Option<Date> {
    let milliseconds = content?.as_text()?.strip_prefix("/Date(")?.strip_suffix(")/")?.parse().ok()?;
    Some(Timestamp::from_millisecond(milliseconds).ok()?.to_zoned(TimeZone::UTC).date())
}

fn is_empty(content: Option<&Content>) -> bool {
    matches!(content, None | Some(Content::Null))
}
