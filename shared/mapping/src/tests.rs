//! Pairs: files refused, records seen and written through them, and what they do together.

mod format;
mod laws;
mod meeting;
mod records;
mod refusals;
mod schema;
mod shipped;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use model::{
    Content, LineKey, PairName, Properties, PropertyName, RecordId, System, SystemPair, Value, View,
};

use crate::{FileProblem, Lookups, Onto, Pair, Problem, Put, Reading};

/// A pair with every key of the format.
const ORDER: &str = include_str!("tests/order.toml");

/// The pairs that are kept beside the pair of a test. `contact-contact` is not.
fn kept() -> BTreeSet<PairName> {
    ["order-salesorder", "quote-salesorder", "customer-account", "product-item"].map(pair_name).into()
}

fn pair_name(name: &str) -> PairName {
    PairName::parse(name).unwrap()
}

fn row(name: &str) -> PropertyName {
    PropertyName::parse(name).unwrap()
}

fn parse(text: &str, reading: Reading) -> Result<Pair, Vec<FileProblem>> {
    Pair::parse("pair.toml", text, reading, &kept())
}

#[track_caller]
fn order() -> Pair {
    parse(ORDER, Reading::Practical).unwrap()
}

/// A pair of customers and accounts with these rows beside a name.
#[track_caller]
fn with_rows(rows: &str) -> Pair {
    let text = format!(
        r#"
pair = "customer-account"
conflict = "crm"
match_keys = []
search_own = "Name"
customcrm = {{ entity = "customers", create = true }}
exactonline = {{ entity = "accounts", create = true }}
[[property]]
customcrm = "Name"
exactonline = "Name"
edm = "Edm.String"
kind = "text"
{rows}"#
    );
    parse(&text, Reading::Practical).unwrap()
}

fn properties<const N: usize>(properties: [(&str, Content); N]) -> Properties {
    properties.map(|(name, content)| (name.to_owned(), content)).into()
}

fn number(text: &str) -> Content {
    Content::Number(text.parse().unwrap())
}

#[track_caller]
fn seen(pair: &Pair, system: System, properties: &Properties, lookups: &Lookups) -> View {
    let seen = pair.view(system, properties, lookups);
    assert_eq!(seen.problems, []);
    seen.view
}

fn put_new(pair: &Pair, system: System, values: &View, lookups: &Lookups) -> Result<Put, Vec<Problem>> {
    pair.put(system, values, Onto::New { source: values }, lookups)
}

/// Writes onto a record of which this is known, and whose lines are tied under their own keys.
fn put_known(
    pair: &Pair,
    system: System,
    values: &View,
    view: &View,
    lookups: &Lookups,
) -> Result<Put, Vec<Problem>> {
    let own = |key: LineKey| (key.clone(), ties(system, key));
    let lines: BTreeMap<_, _> = view.keys().filter_map(PropertyName::line).map(own).collect();
    pair.put(system, values, Onto::Known { source: values, view, lines: &lines }, lookups)
}

fn ties(system: System, key: LineKey) -> SystemPair<Option<LineKey>> {
    let mut keys = SystemPair::default();
    keys[system] = Some(key);
    keys
}

fn line_key(system: System, id: &str) -> LineKey {
    LineKey::begun_by(system, &RecordId::parse(id).unwrap())
}

/// The day of a policy that does not depend on it.
fn today() -> Date {
    date(2026, 3, 1)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
