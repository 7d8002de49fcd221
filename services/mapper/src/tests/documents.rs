//! One new record on either side ends in exactly the records that its pairs are for, and then there is rest.

use model::{Content, Properties, System};

use super::world::{World, line, number, properties};
use super::{CRM, EXACT};

/// A quote of customer c1 about product p1, as a person makes it.
pub(super) fn quote(reference: &str) -> Properties {
    properties([
        ("CustomerId", "c1".into()),
        ("CustomerReference", reference.into()),
        ("Name", "Machine".into()),
        ("QuoteNumber", Content::Null),
        ("Lines", Content::List(vec![line(CRM, "l1", "p1", 2)])),
    ])
}

/// An order of customer c1 about product p1, in this status and perhaps of a quote.
pub(super) fn order(status: &str, quote: &str, reference: &str) -> Properties {
    properties([
        ("CustomerId", "c1".into()),
        ("CustomerReference", reference.into()),
        ("Name", "Machine".into()),
        ("Status", status.into()),
        ("QuoteId", quote.into()),
        ("OrderNumber", Content::Null),
        ("QuotationNumber", Content::Null),
        ("Lines", Content::List(vec![line(CRM, "l1", "p1", 2)])),
    ])
}

/// A quotation for account a1 about item i1, of this number and version.
pub(super) fn quotation(reference: &str, numbered: i64, version: i64) -> Properties {
    properties([
        ("OrderAccount", "a1".into()),
        ("YourRef", reference.into()),
        ("Description", "Machine".into()),
        ("QuotationNumber", number(numbered)),
        ("VersionNumber", number(version)),
        ("QuotationLines", Content::List(vec![line(EXACT, &format!("m{version}"), "i1", 2)])),
    ])
}

/// A sales order of account a1 about item i1.
pub(super) fn sales_order(reference: &str, numbered: i64) -> Properties {
    properties([
        ("OrderedBy", "a1".into()),
        ("YourRef", reference.into()),
        ("Description", "Machine".into()),
        ("Status", number(12)),
        ("OrderNumber", number(numbered)),
        ("SalesOrderLines", Content::List(vec![line(EXACT, "m1", "i1", 2)])),
    ])
}

const DOCUMENTS: [(System, &str); 4] =
    [(CRM, "quotes"), (CRM, "orders"), (EXACT, "quotations"), (EXACT, "salesorders")];

/// How many documents there are: quotes, orders, quotations, sales orders.
pub(super) fn counted(world: &World) -> [usize; 4] {
    DOCUMENTS.map(|(system, entity)| world.ids(system, entity).len())
}

/// Everything is seen again, and nothing follows from it.
pub(super) async fn assert_rest(world: &World) {
    world.rest().await;
    let before = counted(world);
    world.read_all().await;
    for (system, entity) in DOCUMENTS {
        for id in world.ids(system, entity) {
            world.look_at(system, entity, &id).await;
        }
    }
    assert_eq!(world.bench.writes_of_all(), []);
    world.rest().await;
    assert_eq!(counted(world), before);
}

#[tokio::test]
async fn a_new_quote_gets_one_quotation_and_nothing_else() {
    for reference in ["", "PO 7"] {
        let world = World::open().await;
        world.edit(CRM, "quotes", "z1", quote(reference)).await;
        assert_rest(&world).await;
        assert_eq!(counted(&world), [1, 0, 1, 0]);
        let made = world.only(EXACT, "quotations");
        assert_eq!(world.partner("quote-quotation", CRM, "z1").await, Some(made.clone()));
        assert_eq!(world.partner("order-quotation", EXACT, &made).await, None);
        let given = if reference.is_empty() { "z1" } else { reference };
        assert_eq!(world.holds(EXACT, "quotations", &made, "YourRef"), given.into());
        assert_eq!(
            world.holds(CRM, "quotes", "z1", "CustomerReference"),
            properties([("", reference.into())])[""]
        );
    }
}

#[tokio::test]
async fn a_new_quotation_gets_one_quote_and_nothing_else() {
    let world = World::open().await;
    world.edit(EXACT, "quotations", "q1", quotation("PO 7", 7, 1)).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [1, 0, 1, 0]);
    assert_eq!(world.partner("quote-quotation", EXACT, "q1").await, Some(world.only(CRM, "quotes")));
}

#[tokio::test]
async fn a_new_order_without_a_quote_gets_a_quotation_of_its_own_and_no_quote_grows_of_it() {
    for status in ["Draft", "Open"] {
        let world = World::open().await;
        world.edit(CRM, "orders", "o1", order(status, "", "")).await;
        assert_rest(&world).await;
        assert_eq!(counted(&world), [0, 1, 1, 0]);
        let made = world.only(EXACT, "quotations");
        assert_eq!(world.partner("order-quotation", CRM, "o1").await, Some(made.clone()));
        assert_eq!(world.partner("quote-quotation", EXACT, &made).await, None);
    }
}

#[tokio::test]
async fn a_confirmed_order_gets_a_sales_order_and_no_quotation() {
    let world = World::open().await;
    world.edit(CRM, "orders", "o1", order("Confirmed", "", "PO 7")).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [0, 1, 0, 1]);
    let made = world.only(EXACT, "salesorders");
    assert_eq!(world.partner("order-salesorder", CRM, "o1").await, Some(made));
}

#[tokio::test]
async fn a_new_sales_order_gets_an_order_and_no_quotation_grows_of_it() {
    let world = World::open().await;
    world.edit(EXACT, "salesorders", "s1", sales_order("PO 7", 8)).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [0, 1, 0, 1]);
}

#[tokio::test]
async fn an_order_of_a_quote_is_tied_to_the_quotes_quotation_and_a_confirmed_one_gets_its_sales_order() {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [1, 1, 1, 0]);
    let made = world.only(EXACT, "quotations");
    assert_eq!(world.partner("order-quotation", CRM, "o1").await, Some(made));
    world.edit(CRM, "orders", "o1", order("Confirmed", "z1", "")).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [1, 1, 1, 1]);
}

#[tokio::test]
async fn a_document_waits_for_its_customer_and_for_every_product_and_is_made_once_they_are_linked() {
    let world = World::open().await;
    let lines = Content::List(vec![line(CRM, "l1", "p1", 2), line(CRM, "l2", "p3", 1)]);
    let mut waiting = quote("");
    waiting.extend(properties([("CustomerId", "c3".into()), ("Lines", lines)]));
    world.edit(CRM, "quotes", "z1", waiting).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [1, 0, 0, 0]);
    world.edit(CRM, "products", "p3", properties([("Code", "P3".into()), ("Name", "Late".into())])).await;
    world.rest().await;
    assert_eq!(counted(&world), [1, 0, 0, 0]);
    world.edit(CRM, "customers", "c3", properties([("Name", "Late".into())])).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [1, 0, 1, 0]);
    let made = world.only(EXACT, "quotations");
    let Content::List(lines) = world.holds(EXACT, "quotations", &made, "QuotationLines") else { panic!() };
    assert_eq!(lines.len(), 2);
}

/// A document of Exact as it is told without its lines.
fn without_lines(world: &World, id: &str) -> contract::Sighting {
    let mut told = world.now(EXACT, "quotations", id);
    told.record.properties.remove("QuotationLines");
    told
}

#[tokio::test]
async fn a_document_that_is_told_without_its_lines_loses_none() {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    let made = world.only(EXACT, "quotations");
    world.keep(EXACT, "quotations", &made, properties([("Description", "Renamed".into())]));
    world.see(EXACT, "quotations", without_lines(&world, &made)).await;
    world.rest().await;
    assert_eq!(world.holds(CRM, "quotes", "z1", "Name"), "Renamed".into());
    let Content::List(lines) = world.holds(CRM, "quotes", "z1", "Lines") else { panic!() };
    assert_eq!(lines.len(), 1);
    assert_rest(&world).await;
}

#[tokio::test]
async fn a_new_document_gets_its_partner_once_its_lines_are_told() {
    let world = World::open().await;
    world.keep(EXACT, "quotations", "q1", quotation("PO 7", 7, 1));
    world.see(EXACT, "quotations", without_lines(&world, "q1")).await;
    world.rest().await;
    assert_eq!(counted(&world), [0, 0, 1, 0]);
    world.look_at(EXACT, "quotations", "q1").await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [1, 0, 1, 0]);
    let Content::List(lines) = world.holds(CRM, "quotes", &world.only(CRM, "quotes"), "Lines") else {
        panic!()
    };
    assert_eq!(lines.len(), 1);
}
