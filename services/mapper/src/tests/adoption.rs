//! An order that was made of a quote is tied to the quote's quotation, whatever is known first.

use link::Status;
use model::Content;

use super::documents::{assert_rest, counted, order, quotation, quote};
use super::world::{World, found, name, properties};
use super::{CRM, EXACT};

/// Order and quote share the quotation, and there is no other.
async fn assert_shared(world: &World) {
    assert_rest(world).await;
    assert_eq!(counted(world), [1, 1, 1, 0]);
    let made = world.only(EXACT, "quotations");
    assert_eq!(world.partner("quote-quotation", CRM, "z1").await, Some(made.clone()));
    assert_eq!(world.partner("order-quotation", CRM, "o1").await, Some(made));
    let link = world.link_in("order-quotation", CRM, "o1").await.unwrap();
    assert_eq!(link.follows, Some(name("quote-quotation")));
    assert!(link.waits_for().is_empty());
}

#[tokio::test]
async fn an_order_that_is_seen_before_its_quote_is_linked_waits_for_it() {
    for status in ["Draft", "Open", "Cancelled"] {
        let world = World::open().await;
        world.keep(CRM, "quotes", "z1", quote(""));
        world.edit(CRM, "orders", "o1", order(status, "z1", "")).await;
        world.look_at_in("order-quotation", CRM, "orders", "o1").await;
        let pending = world.link_in("order-quotation", CRM, "o1").await.unwrap();
        assert!(pending.is_at_rest() && !pending.has_both());
        world.bench.writes_of_all();
        world.look_at(CRM, "quotes", "z1").await;
        world.rest().await;
        let made = world.only(EXACT, "quotations");
        assert_eq!(world.partner("order-quotation", CRM, "o1").await, Some(made), "{status}");
    }
}

#[tokio::test]
async fn an_order_that_is_seen_after_its_quote_was_linked_is_tied_at_once() {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
    assert_eq!(world.partner("order-quotation", CRM, "o1").await, Some(world.only(EXACT, "quotations")));
    assert_shared(&world).await;
}

#[tokio::test]
async fn an_order_is_tied_even_if_its_pair_sees_the_quotation_last() {
    for order_first in [false, true] {
        let world = World::open().await;
        if order_first {
            world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
        }
        world.edit(CRM, "quotes", "z1", quote("")).await;
        let (pair, link) = (name("quote-quotation"), super::begun_by(CRM, "z1"));
        world.bench.writes_of_all();
        let (claim, result) = world.carry_out(&pair, &link, EXACT).await.unwrap();
        let outcome = super::said::outcome_in(&pair, &link, EXACT, claim, result);
        assert!(world.bench.offer(&outcome).await.is_empty());
        if !order_first {
            world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
        }
        let waiting = world.link_in("order-quotation", CRM, "o1").await.unwrap();
        assert!(waiting.is_at_rest() && !waiting.has_both());
        let made = world.only(EXACT, "quotations");
        world.look_at(EXACT, "quotations", &made).await;
        assert_shared(&world).await;
    }
}

#[tokio::test]
async fn order_quotation_and_outcome_may_come_at_once() {
    for seed in 0..20 {
        let world = World::racing(seed).await;
        world.edit(CRM, "quotes", "z1", quote("")).await;
        let (pair, link) = (name("quote-quotation"), super::begun_by(CRM, "z1"));
        world.bench.writes_of_all();
        let (claim, result) = world.carry_out(&pair, &link, EXACT).await.unwrap();
        let outcome = super::said::outcome_in(&pair, &link, EXACT, claim, result);
        world.keep(CRM, "orders", "o1", order("Open", "z1", ""));
        let made = world.only(EXACT, "quotations");
        tokio::join!(
            world.bench.tell(outcome),
            world.look_at_in("order-quotation", CRM, "orders", "o1"),
            world.look_at_in("order-quotation", EXACT, "quotations", &made),
        );
        assert_shared(&world).await;
    }
}

#[tokio::test]
async fn two_orders_of_one_quote_never_share_its_quotation() {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    for id in ["o1", "o2"] {
        world.edit(CRM, "orders", id, order("Open", "z1", "")).await;
    }
    assert_rest(&world).await;
    assert_eq!(counted(&world), [1, 2, 1, 0]);
    let made = world.only(EXACT, "quotations");
    assert_eq!(world.partner("order-quotation", CRM, "o1").await, Some(made));
    let held = world.link_in("order-quotation", CRM, "o2").await.unwrap();
    assert!(matches!(held.status, Status::Ambiguous(_)), "{:?}", held.status);
}

#[tokio::test]
async fn an_order_of_a_quote_takes_no_other_quotation_that_has_its_reference() {
    for order_first in [false, true] {
        let world = World::open().await;
        if order_first {
            world.edit(CRM, "orders", "o1", order("Open", "z1", "PO 7")).await;
        }
        world.edit(EXACT, "quotations", "other", quotation("PO 7", 7, 1)).await;
        world.rest().await;
        if !order_first {
            world.edit(CRM, "orders", "o1", order("Open", "z1", "PO 7")).await;
        }
        assert_rest(&world).await;
        assert_eq!(world.partner("order-quotation", CRM, "o1").await, None);
        assert_eq!(counted(&world), [1, 1, 1, 0]);
    }
}

#[tokio::test]
async fn an_order_that_loses_its_quote_before_it_was_linked_gets_a_quotation_of_its_own() {
    let world = World::open().await;
    world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [0, 1, 0, 0]);
    world.edit(CRM, "orders", "o1", properties([("QuoteId", Content::Null)])).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [0, 1, 1, 0]);
}

#[tokio::test]
async fn what_is_edited_of_the_quotation_reaches_quote_and_order() {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
    assert_shared(&world).await;
    let made = world.only(EXACT, "quotations");
    world.edit(EXACT, "quotations", &made, properties([("Description", "Renamed".into())])).await;
    assert_shared(&world).await;
    assert_eq!(world.holds(CRM, "quotes", "z1", "Name"), "Renamed".into());
    assert_eq!(world.holds(CRM, "orders", "o1", "Name"), "Renamed".into());
    // And what was not the order's own reference does not become one.
    assert_eq!(world.holds(CRM, "orders", "o1", "CustomerReference"), Content::Null);
    let message = found(EXACT, "quotations", world.now(EXACT, "quotations", &made));
    assert!(world.bench.offer(&message).await.is_empty());
}
