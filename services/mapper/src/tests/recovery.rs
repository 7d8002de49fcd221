//! After the store was emptied everything is found again, whatever is read first, and nothing is made twice.

use std::sync::atomic::AtomicU64;

use super::documents::{assert_rest, counted, order, quotation, quote, sales_order};
use super::fakes::{Pausing, next};
use super::world::{World, entities, name, shipped};
use super::{CRM, EXACT};

/// A shop with a document of every kind that there is.
async fn full_shop(reference: &str) -> World {
    let world = World::open().await;
    let named = |at: &str| if reference.is_empty() { String::new() } else { format!("{reference} {at}") };
    world.edit(CRM, "quotes", "z1", quote(&named("1"))).await;
    world.rest().await;
    world.edit(CRM, "orders", "o1", order("Open", "z1", &named("1"))).await;
    world.edit(CRM, "orders", "o2", order("Draft", "", &named("2"))).await;
    world.edit(CRM, "orders", "o3", order("Confirmed", "", &named("3"))).await;
    world.edit(EXACT, "quotations", "q4", quotation("theirs 4", 4, 1)).await;
    world.edit(EXACT, "salesorders", "s5", sales_order("theirs 5", 5)).await;
    assert_rest(&world).await;
    world
}

const PAIRS: [&str; 3] = ["quote-quotation", "order-quotation", "order-salesorder"];

/// Who is whose partner, by pair.
async fn ties(world: &World) -> Vec<(&'static str, String, Option<String>)> {
    let mut ties = Vec::new();
    for pair in PAIRS {
        let entity = if pair == "quote-quotation" { "quotes" } else { "orders" };
        for id in world.ids(CRM, entity) {
            let partner = world.partner(pair, CRM, &id).await;
            ties.push((pair, id, partner));
        }
    }
    ties
}

#[tokio::test]
async fn whatever_is_read_first_all_documents_are_found_again_and_nothing_is_made_twice() {
    for seed in 0..60 {
        // What stood in for an empty reference is not what would by now: a document takes over Exact's number.
        let world = full_shop(if seed < 30 { "PO" } else { "" }).await;
        let (documents, before) = (counted(&world), ties(&world).await);
        assert_eq!(documents, [2, 4, 3, 2]);
        let store = Pausing::new((seed % 2 == 0).then_some(seed));
        let world = world.emptied(store, shipped()).await;
        let random = AtomicU64::new(seed);
        let mut order = entities();
        for last in (1..order.len()).rev() {
            order.swap(last, usize::try_from(next(&random) % (last as u64 + 1)).unwrap());
        }
        for (system, entity) in order {
            world.read(system, entity).await;
            if seed % 3 == 0 {
                world.rest().await;
            }
        }
        assert_rest(&world).await;
        assert_eq!(counted(&world), documents, "seed {seed}: {order:?}");
        assert_eq!(ties(&world).await, before, "seed {seed}: {order:?}");
    }
}

#[tokio::test]
async fn no_quote_is_made_before_the_orders_have_been_read() {
    let world = full_shop("PO").await;
    let documents = counted(&world);
    let world = world.emptied(Pausing::new(None), shipped()).await;
    for (system, entity) in entities().into_iter().filter(|(_, entity)| *entity != "orders") {
        world.read(system, entity).await;
    }
    world.rest().await;
    assert_eq!(counted(&world), documents);
    world.read(CRM, "orders").await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), documents);
}

/// An order without a quote is called as the quotation that Exact's order was made of: both pairs could take it.
#[tokio::test]
async fn a_quotation_goes_to_its_quote_though_an_order_of_its_reference_is_read_first() {
    let customers = [(CRM, "customers"), (EXACT, "accounts")];
    let goods = [(CRM, "products"), (EXACT, "items"), (CRM, "users")];
    let order = [(CRM, "orders"), (EXACT, "quotations")];
    let others = [(CRM, "quotes"), (EXACT, "salesorders"), (CRM, "contacts"), (EXACT, "contacts")];
    // A pair that yields need not be one that adopts.
    let mut pairs = shipped();
    pairs.iter_mut().find(|pair| pair.name == name("order-quotation")).unwrap().adopts = None;
    // With the quote unread; with the customer, whom both wait for, unread; or in any order.
    for read_first in
        [[&customers[..], &goods, &order].concat(), [&goods[..], &order, &others].concat(), order.to_vec()]
    {
        let world = World::open().await;
        world.edit(EXACT, "quotations", "q4", quotation("PO 7", 4, 1)).await;
        world.rest().await;
        world.edit(EXACT, "salesorders", "s1", sales_order("PO 7", 8)).await;
        assert_rest(&world).await;
        let follows = async |world: &World| {
            let link = world.link_in("order-quotation", EXACT, "q4").await;
            link.and_then(|link| link.follows).map(|pair| pair.to_string())
        };
        assert_eq!(follows(&world).await.as_deref(), Some("quote-quotation"));
        let documents = counted(&world);
        let mut world = world.emptied(Pausing::new(None), pairs.clone()).await;
        // Each pair has a queue of its own, and that of quotes may be the longest.
        world.bench.slow = Some(name("quote-quotation"));
        let then = entities().into_iter().filter(|read| !read_first.contains(read));
        for (system, entity) in read_first.iter().copied().chain(then) {
            world.read(system, entity).await;
            world.rest().await;
        }
        assert_eq!(follows(&world).await.as_deref(), Some("quote-quotation"), "{read_first:?}");
        assert_rest(&world).await;
        assert_eq!(counted(&world), documents);
    }
}
