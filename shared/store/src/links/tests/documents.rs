//! What documents refer to, and how that leads to their partners.

use std::collections::{BTreeMap, BTreeSet};

use link::Link;
use mapping::Lookups;
use model::{LineKey, LinkId, PropertyName, Reference, System, UserId, Value};

use super::claims::both;
use super::{CRM, Desk, EXACT, ids, record, side};
use crate::Check;

/// A link of a document that refers to this record, which was not linked when it was seen.
fn referring(desk: &Desk, system: System, id: &str, row: &str, to: (&Desk, &str)) -> Link {
    let mut link = desk.half(system, id, &[("CustomerReference", "PO 7")]);
    let (pair, record) = (to.0.name().clone(), record(to.1));
    let reference = Value::Reference(Reference::Unlinked { pair, system, record });
    link.sides[system].as_mut().unwrap().view.insert(PropertyName::parse(row).unwrap(), reference);
    link
}

/// The same after the record was linked by this.
fn resolved(link: &Link, system: System, row: &str, to: &LinkId) -> link::Side {
    let mut side = link.sides[system].clone().unwrap();
    let value = Value::Reference(Reference::Linked(to.clone()));
    side.view.insert(PropertyName::parse(row).unwrap(), value);
    side
}

async fn partners(desk: &Desk, system: System, side: &link::Side) -> BTreeSet<LinkId> {
    let found = desk.led(system, side).await;
    assert!(found.others.is_empty());
    found.partners
}

#[tokio::test]
async fn a_partner_that_waits_for_the_same_customer_is_found_before_it_is_woken() {
    for system in System::BOTH {
        let customers = Desk::new();
        let quotes = customers.beside(super::claims::QUOTES);
        let customer = customers.whole("c1", "e1", &[]);
        let of = |system| if system == CRM { "c1" } else { "e1" };
        let other = system.other();
        let waiting = referring(&quotes, other, "waiting", "CustomerId", (&customers, of(other)));
        quotes.add(&waiting).await;
        let own = referring(&quotes, system, "own", "CustomerId", (&customers, of(system)));
        let woken = resolved(&own, system, "CustomerId", &customer.id);
        assert_eq!(partners(&quotes, system, &woken).await, ids([]), "nobody knows the customer yet");
        customers.add(&customer).await;
        assert_eq!(partners(&quotes, system, &woken).await, ids([&waiting]));

        // With another reference it is another's.
        let mut different = woken.clone();
        let value = Value::Text("PO 8".to_owned());
        different.view.insert(PropertyName::parse("CustomerReference").unwrap(), value);
        assert_eq!(partners(&quotes, system, &different).await, ids([]));
    }
}

#[tokio::test]
async fn an_order_and_the_quotation_of_its_quote_find_one_another_by_the_quotes_link() {
    for system in System::BOTH {
        for woken in [false, true] {
            let (quotes, orders) = both();
            let quote = quotes.whole("z1", "q1", &[]);
            quotes.add(&quote).await;
            let of = |system| if system == CRM { "z1" } else { "q1" };
            let other = system.other();
            let mut partner = referring(&orders, other, "partner", "QuoteId", (&quotes, of(other)));
            if woken {
                partner.sides[other] = Some(resolved(&partner, other, "QuoteId", &quote.id));
            }
            orders.add(&partner).await;
            let own = referring(&orders, system, "own", "QuoteId", (&quotes, of(system)));
            let own = resolved(&own, system, "QuoteId", &quote.id);
            assert_eq!(partners(&orders, system, &own).await, ids([&partner]), "{system}, woken: {woken}");
        }
    }
}

#[tokio::test]
async fn an_order_of_a_quote_is_found_by_nothing_else() {
    let (quotes, orders) = both();
    let customer = Value::Reference(Reference::Linked(LinkId::begun_by(CRM, &record("c1"))));
    let with_customer = |mut link: Link, system: System| {
        let view = &mut link.sides[system].as_mut().unwrap().view;
        view.insert(PropertyName::parse("CustomerId").unwrap(), customer.clone());
        link
    };
    let order = referring(&orders, CRM, "o1", "QuoteId", (&quotes, "z1"));
    orders.add(&with_customer(order, CRM)).await;
    let quotation = with_customer(orders.half(EXACT, "q1", &[("CustomerReference", "PO 7")]), EXACT);
    let seeking = quotation.sides[EXACT].clone().unwrap();
    assert_eq!(partners(&orders, EXACT, &seeking).await, ids([]));

    // One without a quote is found by its customer and reference.
    let free = with_customer(orders.half(CRM, "o2", &[("CustomerReference", "po7")]), CRM);
    orders.add(&free).await;
    assert_eq!(partners(&orders, EXACT, &seeking).await, ids([&free]));
}

/// The name of a line's own property.
fn cell(line: &str, row: &str) -> PropertyName {
    PropertyName::in_line(&LineKey::begun_by(CRM, &record(line)), &PropertyName::parse(row).unwrap())
}

#[tokio::test]
async fn what_lines_refer_to_is_waited_for_and_resolved_line_by_line() {
    let (quotes, orders) = both();
    let mut link = quotes.half(CRM, "z1", &[]);
    let unlinked = |record| Reference::Unlinked { pair: orders.name().clone(), system: CRM, record };
    let view = &mut link.sides[CRM].as_mut().unwrap().view;
    for (line, product) in [("l1", "p1"), ("l2", "p2"), ("l3", "p1")] {
        view.insert(cell(line, "Lines.ProductId"), Value::Reference(unlinked(record(product))));
    }
    let stored = quotes.add(&link).await;
    let product = orders.whole("p1", "i1", &[]);
    orders.add(&product).await;

    let found = quotes.links.resolvable(&quotes.connection, &stored.link).await.unwrap();
    let value = Value::Reference(Reference::Linked(product.id.clone()));
    let expected = ["l1", "l3"].map(|line| (CRM, cell(line, "Lines.ProductId"), value.clone()));
    assert_eq!(found.resolved, expected);
    assert_eq!(found.checks.len(), 1);
    for product in ["p1", "p2"] {
        let product = record(product);
        let waiting = orders.links.waiting_for(&orders.connection, orders.name(), CRM, &product);
        assert_eq!(waiting.await.unwrap().0, [(quotes.name().clone(), link.id.clone())]);
    }
}

#[tokio::test]
async fn the_records_that_lines_refer_to_are_found() {
    let customers = Desk::new();
    let file = super::claims::QUOTES.to_owned()
        + r#"
[lines]
customcrm = "Lines"
exactonline = "QuotationLines"
edm = "Collection(QuotationLines)"
id = { customcrm = "LineId", exactonline = "ID" }
match_by = ["ProductId"]

[[lines.property]]
customcrm = "ProductId"
exactonline = "Item"
edm = "Edm.Guid"
kind = "reference"
pair = "customer-account"
"#;
    let quotes = customers.beside(&file);
    let product = customers.whole("p1", "i1", &[]);
    customers.add(&product).await;
    let value = Value::Reference(Reference::Linked(product.id.clone()));
    let values = BTreeMap::from([(cell("l1", "Lines.ProductId"), value)]);
    let mut lookups = Lookups::default();
    let looked = quotes.links.look_up_records(&quotes.connection, &quotes.pair, EXACT, &values, &mut lookups);
    looked.await.unwrap();
    let key = (customers.name().clone(), product.id, EXACT);
    assert_eq!(lookups.records, BTreeMap::from([(key, record("i1"))]));
}

#[tokio::test]
async fn a_user_whom_the_other_directory_does_not_know_is_looked_for_again() {
    let desk = Desk::new();
    let user = UserId::parse("u1").unwrap();
    let people = BTreeMap::from([(user, "anna@example.nl".to_owned())]);
    desk.links.set_people(&desk.connection, CRM, &people).await.unwrap();
    desk.links.set_people(&desk.connection, EXACT, &BTreeMap::new()).await.unwrap();
    let unknown = Reference::UnknownPerson { system: CRM, user: "u1".to_owned() };
    let mut link = desk.half(CRM, "c1", &[]);
    let owner = PropertyName::parse("OwnerId").unwrap();
    link.sides[CRM].as_mut().unwrap().view.insert(owner.clone(), Value::Reference(unknown));
    let stored = desk.add(&link).await;
    desk.add(&desk.half(CRM, "c2", &[])).await;
    let strangers = async || desk.links.strangers(&desk.connection, desk.name()).await.unwrap();
    assert_eq!(strangers().await, ids([&link]));

    let before = desk.links.resolvable(&desk.connection, &link).await.unwrap();
    assert_eq!(before.resolved, []);
    desk.links.set_people(&desk.connection, EXACT, &people).await.unwrap();
    let late = super::Besides { checks: before.checks, ..super::Besides::default() };
    assert!(!desk.commit(vec![super::change(Some(&stored), Some(&link))], late).await);

    let after = desk.links.resolvable(&desk.connection, &link).await.unwrap();
    let person = Value::Reference(Reference::Person("anna@example.nl".to_owned()));
    assert_eq!(after.resolved, [(CRM, owner, person)]);
    let mut known = link.clone();
    known.sides[CRM] = Some(side("c1", &[]));
    assert!(desk.change(Some(&stored), Some(&known)).await);
    assert_eq!(strangers().await, ids([]));
}

#[tokio::test]
async fn a_directory_that_is_read_again_the_same_is_no_news() {
    let desk = Desk::new();
    let revisions = async || desk.links.directory_revisions(&desk.connection).await.unwrap();
    assert_eq!(revisions().await, model::SystemPair::default());
    assert!(desk.links.directories(&desk.connection).await.unwrap().is_none());
    let user = |id: &str| (UserId::parse(id).unwrap(), "Anna@Example.NL".to_owned());
    let set = async |system, people: &BTreeMap<_, _>| {
        desk.links.set_people(&desk.connection, system, people).await.unwrap();
    };
    for system in System::BOTH {
        set(system, &BTreeMap::from([user("u1")])).await;
    }
    let first = revisions().await;
    set(CRM, &BTreeMap::from([user("u1")])).await;
    assert_eq!(revisions().await, first);
    let read = desk.links.directories(&desk.connection).await.unwrap().unwrap();
    set(CRM, &BTreeMap::from([user("u1"), user("u2")])).await;
    let later = revisions().await;
    assert!(later.customcrm > first.customcrm && later.exactonline == first.exactonline);
    assert!(matches!(&read.checks[..], [Check::Revision(..), Check::Revision(..)]));
    let late = super::Besides { checks: read.checks, ..super::Besides::default() };
    assert!(!desk.commit(vec![super::change(None, Some(&desk.half(CRM, "c1", &[])))], late).await);
}
