//! A sales order that Exact made by accepting a quotation belongs to the order of that quote, and makes no second one.

use super::documents::{assert_rest, counted, order, quote, sales_order};
use super::world::{World, properties};
use super::{CRM, EXACT};

/// A quote with its quotation, and what that calls itself: a sales order that is made of it takes that over.
async fn with_a_quotation(reference: &str) -> (World, String) {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote(reference)).await;
    world.rest().await;
    let made = world.only(EXACT, "quotations");
    let held = world.holds(EXACT, "quotations", &made, "YourRef");
    let reference = held.as_text().unwrap().to_owned();
    (world, reference)
}

/// The order has the sales order, and there is no other.
async fn assert_one_order(world: &World) {
    assert_rest(world).await;
    assert_eq!(counted(world), [1, 1, 1, 1]);
    assert_eq!(world.partner("order-salesorder", CRM, "o1").await.as_deref(), Some("s1"));
}

#[tokio::test]
async fn the_sales_order_finds_the_order_that_is_not_admitted_yet() {
    for reference in ["", "PO 7"] {
        let (world, held) = with_a_quotation(reference).await;
        world.edit(CRM, "orders", "o1", order("Open", "z1", reference)).await;
        world.rest().await;
        assert_eq!(world.partner("order-salesorder", CRM, "o1").await, None);
        world.edit(EXACT, "salesorders", "s1", sales_order(&held, 8)).await;
        assert_one_order(&world).await;
        // Its status counts from now on, and the order's later admission makes nothing.
        assert_eq!(world.holds(CRM, "orders", "o1", "Status"), "Confirmed".into());
        assert_one_order(&world).await;
    }
}

#[tokio::test]
async fn an_order_that_is_confirmed_before_the_sales_order_is_seen_finds_it_before_it_makes_one() {
    let (world, held) = with_a_quotation("").await;
    world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
    world.rest().await;
    world.edit(CRM, "orders", "o1", properties([("Status", "Confirmed".into())])).await;
    // It is there, and its own pair has not seen it: the writer's search finds it.
    world.keep(EXACT, "salesorders", "s1", sales_order(&held, 8));
    world.rest().await;
    world.look_at(EXACT, "salesorders", "s1").await;
    assert_one_order(&world).await;
}

#[tokio::test]
async fn an_order_that_was_seen_before_its_quote_was_linked_is_found_too() {
    let world = World::open().await;
    world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
    world.rest().await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    let made = world.only(EXACT, "quotations");
    let held = world.holds(EXACT, "quotations", &made, "YourRef");
    world.edit(EXACT, "salesorders", "s1", sales_order(held.as_text().unwrap(), 8)).await;
    assert_one_order(&world).await;
}

#[tokio::test]
async fn an_order_learns_from_its_quote_alone_what_its_sales_order_will_be_called() {
    let world = World::open().await;
    world.keep(CRM, "orders", "o1", order("Open", "z1", ""));
    world.look_at_in("order-salesorder", CRM, "orders", "o1").await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    world.keep(EXACT, "salesorders", "s1", sales_order("z1", 8));
    world.look_at_in("order-salesorder", EXACT, "salesorders", "s1").await;
    assert_eq!(world.partner("order-salesorder", CRM, "o1").await.as_deref(), Some("s1"));
}

#[tokio::test]
async fn order_and_sales_order_that_wait_for_the_same_customer_become_one_whichever_is_woken_first() {
    for seed in 0..20 {
        let world = World::racing(seed).await;
        let mut waiting = order("Confirmed", "", "PO 7");
        waiting.extend(properties([("CustomerId", "c3".into())]));
        let mut sold = sales_order("PO 7", 8);
        sold.extend(properties([("OrderedBy", "a3".into())]));
        world.edit(CRM, "orders", "o1", waiting).await;
        world.edit(EXACT, "salesorders", "s1", sold).await;
        world.rest().await;
        assert_eq!(counted(&world), [0, 1, 0, 1]);
        let shared = [("Name", "Late".into())];
        let [mut customer, mut account] = [properties(shared.clone()), properties(shared)];
        customer.extend(properties([("VatNumber", "NL3".into())]));
        account.extend(properties([("VATNumber", "NL3".into())]));
        if seed % 2 == 0 {
            world.edit(CRM, "customers", "c3", customer).await;
            world.bench.writes_of_all();
            world.edit(EXACT, "accounts", "a3", account).await;
        } else {
            world.edit(EXACT, "accounts", "a3", account).await;
            world.bench.writes_of_all();
            world.edit(CRM, "customers", "c3", customer).await;
        }
        assert_rest(&world).await;
        assert_eq!(counted(&world), [0, 1, 0, 1], "seed {seed}");
        assert_eq!(world.partner("order-salesorder", CRM, "o1").await.as_deref(), Some("s1"));
    }
}

#[tokio::test]
async fn order_and_sales_order_that_are_seen_at_once_become_one() {
    for seed in 0..20 {
        let world = World::racing(seed).await;
        world.edit(CRM, "quotes", "z1", quote("")).await;
        world.rest().await;
        let made = world.only(EXACT, "quotations");
        let held = world.holds(EXACT, "quotations", &made, "YourRef");
        world.keep(EXACT, "salesorders", "s1", sales_order(held.as_text().unwrap(), 8));
        world.keep(CRM, "orders", "o1", order("Confirmed", "z1", ""));
        tokio::join!(
            world.look_at_in("order-salesorder", CRM, "orders", "o1"),
            world.look_at_in("order-salesorder", EXACT, "salesorders", "s1"),
        );
        // Whichever was first has asked for a partner: the other is it, and is found before one is made.
        assert_eq!(world.partner("order-salesorder", CRM, "o1").await.as_deref(), Some("s1"), "seed {seed}");
        assert_one_order(&world).await;
    }
}
