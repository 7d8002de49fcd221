//! Orders at the bench: a document with lines that refers to a customer.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use link::{Link, Pending, Side, Status, Write};
use mapping::{Pair, Reading};
use model::{
    Content, LineKey, LinkId, PairName, Properties, PropertyName, Reference, SystemPair, Value, Version, View,
};
use rust_decimal::Decimal;

use super::bench::{Bench, pair, side};
use super::{CRM, EXACT, connection, record, view};

/// Orders whose lines are matched by what they are called.
const PAIR_FILE: &str = r#"
pair = "order-salesorder"
title = "Orders"
summary = "Orders."
conflict = "crm"
match_keys = [["CustomerId", "CustomerReference"]]
search_own = "Name"
stand_in = { property = "CustomerReference", from = ["OrderNumber"] }
raises = { reference = "CustomerId", property = "Status", value = "Customer" }

[customcrm]
entity = "orders"
create = true

[exactonline]
entity = "salesorders"
create = true

[[property]]
customcrm = "CustomerId"
exactonline = "OrderedBy"
edm = "Edm.Guid"
kind = "reference"
pair = "customer-account"
required = true
create_only = true

[[property]]
customcrm = "CustomerReference"
exactonline = "YourRef"
edm = "Edm.String"
kind = "text"

[[property]]
customcrm = "Name"
exactonline = "Description"
edm = "Edm.String"
kind = "text"

[[property]]
customcrm = "PaymentTerms"
exactonline = "PaymentCondition"
edm = "Edm.String"
kind = "lookup"
list = "payment-conditions"

[[property]]
customcrm = "IsOpen"
exactonline = "EndDate"
edm = "Edm.DateTime"
kind = "active-until"

[[constant]]
exactonline = "InvoiceTo"
value = "$literal.account"
reading = "literal"

[lines]
customcrm = "Lines"
exactonline = "SalesOrderLines"
edm = "Collection(SalesOrderLines)"
id = { customcrm = "LineId", exactonline = "ID" }
match_by = ["Description"]
order = "LineNumber"

[[lines.property]]
customcrm = "LineNumber"
exactonline = "LineNumber"
edm = "Edm.Int32"
kind = "integer"
direction = "to-crm"

[[lines.property]]
customcrm = "Description"
exactonline = "Description"
edm = "Edm.String"
kind = "text"

[[lines.property]]
customcrm = "Quantity"
exactonline = "Quantity"
edm = "Edm.Double"
kind = "quantity"
"#;

pub(super) fn orders(reading: Reading) -> Pair {
    let kept = ["order-salesorder", "customer-account"].map(|name| PairName::parse(name).unwrap());
    Pair::parse("order-salesorder.toml", PAIR_FILE, reading, &BTreeSet::from(kept)).unwrap()
}

/// A bench for orders, at which customers are kept too.
pub(super) async fn bench() -> Bench {
    Bench::of(orders(Reading::Practical), vec![pair()]).await
}

/// The account of the customer, of this status on both sides, is linked.
pub(super) async fn customer(bench: &Bench, status: &str) -> LinkId {
    let values = view(&[("Name", "Acme"), ("Status", status)]);
    let mut link = Link::begin(connection(), bench.others[0].name.clone(), CRM, side("c1", values.clone()));
    link.sides[EXACT] = Some(Side { version: Some(Version(7)), ..side("a1", values) });
    link.status = Status::Linked;
    bench.put(None, link).await
}

pub(super) fn property(name: &str) -> PropertyName {
    PropertyName::parse(name).unwrap()
}

/// A line of the CRM and what it holds.
pub(super) fn line(id: &str, number: i64, description: &str, quantity: i64) -> View {
    let key = key(id);
    let row = |name: &str| PropertyName::in_line(&key, &property(&format!("Lines.{name}")));
    [
        (PropertyName::of_line(&property("Lines"), &key), Value::Boolean(true)),
        (row("LineNumber"), Value::Decimal(Decimal::from(number))),
        (row("Description"), Value::Text(description.to_owned())),
        (row("Quantity"), Value::Decimal(Decimal::from(quantity))),
    ]
    .into()
}

/// The key of a line that began in the CRM.
pub(super) fn key(id: &str) -> LineKey {
    LineKey::begun_by(CRM, &record(id))
}

/// An order of this customer.
pub(super) fn order(customer: &LinkId, texts: &[(&str, &str)], lines: &[View]) -> View {
    let mut values = view(texts);
    values.insert(property("CustomerId"), Value::Reference(Reference::Linked(customer.clone())));
    values.extend(lines.iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    values
}

/// Nobody waits any more for a write that was claimed at that time.
const LONG_AGO: SignedDuration = SignedDuration::from_mins(1);

/// An order that is to be created with these values.
pub(super) async fn to_be_created(bench: &Bench, values: View) -> LinkId {
    let mut link = Link::begin(connection(), bench.pair.name.clone(), CRM, side("o1", values.clone()));
    link.pending[EXACT] = Pending::InFlight {
        write: Write::Create { values: written(values) },
        claim: 1,
        attempt: 1,
        since: Timestamp::now() - LONG_AGO,
    };
    bench.put(None, link).await
}

/// An order with the lines L1 and L2, on both sides, of which this is to be changed in Exact.
pub(super) async fn to_be_changed(bench: &Bench, customer: &LinkId, values: View) -> LinkId {
    let known = order(customer, &[("Name", "Ropes")], &[line("L1", 1, "Rope", 1), line("L2", 2, "Hook", 2)]);
    let mut link = Link::begin(connection(), bench.pair.name.clone(), CRM, side("o1", known.clone()));
    link.sides[EXACT] = Some(Side { version: Some(Version(7)), ..side("s1", known) });
    link.status = Status::Linked;
    for (crm, exact) in [("L1", "e1"), ("L2", "e2")] {
        let keys = SystemPair {
            customcrm: Some(key(crm)),
            exactonline: Some(LineKey::begun_by(EXACT, &record(exact))),
        };
        link.lines.insert(key(crm), keys);
    }
    let write = Write::Update { record: record("s1"), version: Some(Version(7)), values: written(values) };
    let since = Timestamp::now() - LONG_AGO;
    link.pending[EXACT] = Pending::InFlight { write, claim: 1, attempt: 1, since };
    bench.put(None, link).await
}

/// What of this flows to Exact, which numbers lines itself.
fn written(mut values: View) -> View {
    values.retain(|name, _| name.row() != property("Lines.LineNumber"));
    values
}

pub(super) fn contents(contents: &[(&str, Content)]) -> Properties {
    contents.iter().map(|(name, content)| ((*name).to_owned(), content.clone())).collect()
}

pub(super) fn number(number: i64) -> Content {
    Content::Number(Decimal::from(number))
}
