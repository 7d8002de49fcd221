//! A quotation that several pairs could take is one pair's.

use contract::{Message, OutcomeResult};
use link::Pending;
use mapping::Pair;
use model::{LinkId, PairName, System};

use super::documents::{assert_rest, counted, order, quotation, quote};
use super::fakes::Pausing;
use super::said::outcome_in;
use super::world::{World, found, name, properties, shipped};
use super::{CRM, EXACT, begun_by};

/// An order whose quotation was made, before anybody knows of it: what the writer has to report.
async fn made_for_an_order(world: &World) -> Message {
    world.edit(CRM, "orders", "o1", order("Draft", "", "")).await;
    let [(pair, link, system)]: [(PairName, LinkId, System); 1] =
        world.bench.writes_of_all().try_into().unwrap();
    assert_eq!((pair.as_str(), &link, system), ("order-quotation", &begun_by(CRM, "o1"), EXACT));
    let (claim, result) = world.carry_out(&pair, &link, system).await.unwrap();
    outcome_in(&pair, &link, system, claim, result)
}

/// The order has its quotation, and there is no quote.
async fn assert_the_orders(world: &World) {
    assert_rest(world).await;
    assert_eq!(counted(world), [0, 1, 1, 0]);
    let made = world.only(EXACT, "quotations");
    assert_eq!(world.partner("order-quotation", CRM, "o1").await, Some(made.clone()));
    let other = world.link_in("quote-quotation", EXACT, &made).await.unwrap();
    assert!(other.is_at_rest() && !other.has_both() && !other.sides[EXACT].as_ref().unwrap().admitted);
}

#[tokio::test]
async fn a_quotation_made_for_an_order_that_is_seen_before_the_outcome_waits_for_it() {
    let world = World::open().await;
    let outcome = made_for_an_order(&world).await;
    let made = world.only(EXACT, "quotations");
    world.look_at_in("quote-quotation", EXACT, "quotations", &made).await;
    assert_eq!(world.waits_in(), [name("quote-quotation")]);
    world.bench.tell(outcome).await;
    world.look_at(EXACT, "quotations", &made).await;
    assert_the_orders(&world).await;
}

#[tokio::test]
async fn it_waits_or_is_left_alone_whoever_has_edited_it_since() {
    for edits in [
        properties([("DeliveryDate", "/Date(1760000000000)/".into())]),
        properties([("Description", "Renamed".into())]),
        properties([("YourRef", "PO 9".into())]),
    ] {
        let world = World::open().await;
        let outcome = made_for_an_order(&world).await;
        let made = world.only(EXACT, "quotations");
        let edited = world.keep(EXACT, "quotations", &made, edits.clone());
        assert!(!edited.by_us);
        world.look_at_in("quote-quotation", EXACT, "quotations", &made).await;
        assert_eq!(world.bench.writes_of_all(), [], "{edits:?}");
        world.bench.tell(outcome).await;
        world.look_at(EXACT, "quotations", &made).await;
        assert_the_orders(&world).await;
    }
}

#[tokio::test]
async fn the_outcome_and_the_quotation_itself_may_come_at_once() {
    for seed in 0..20 {
        let world = World::racing(seed).await;
        let outcome = made_for_an_order(&world).await;
        let made = world.only(EXACT, "quotations");
        tokio::join!(
            world.bench.tell(outcome),
            world.look_at_in("quote-quotation", EXACT, "quotations", &made),
        );
        assert_the_orders(&world).await;
    }
}

#[tokio::test]
async fn a_writer_that_dies_after_it_made_the_quotation_leaves_no_second_one_and_no_quote() {
    let world = World::open().await;
    let _lost = made_for_an_order(&world).await;
    let made = world.only(EXACT, "quotations");
    world.look_at(EXACT, "quotations", &made).await;
    let link = begun_by(CRM, "o1");
    let pair = name("order-quotation");
    let Some((claim, result)) = world.carry_out(&pair, &link, EXACT).await else {
        // The order's own pair has recognised it by its key.
        return assert_the_orders(&world).await;
    };
    assert!(matches!(result, OutcomeResult::Adopted { .. }));
    world.bench.tell(outcome_in(&pair, &link, EXACT, claim, result)).await;
    assert_the_orders(&world).await;
}

#[tokio::test]
async fn a_quotation_that_waits_for_a_lost_outcome_is_left_alone_once_its_create_was_repeated() {
    let world = World::open().await;
    let _lost = made_for_an_order(&world).await;
    let made = world.only(EXACT, "quotations");
    world.look_at_in("quote-quotation", EXACT, "quotations", &made).await;
    assert_eq!(world.waits_in(), [name("quote-quotation")]);
    let (pair, link) = (name("order-quotation"), begun_by(CRM, "o1"));
    world.write(&pair, &link, EXACT).await;
    assert_the_orders(&world).await;
}

/// Pairs that both make records of CustomCRM of a new quotation, and yield to nobody.
fn both_creating() -> Vec<Pair> {
    let mut pairs = shipped();
    for pair in &mut pairs {
        if pair.name == name("order-quotation") {
            pair.creates.customcrm = true;
            pair.yields_to.clear();
        }
    }
    pairs
}

#[tokio::test]
async fn two_pairs_that_see_a_new_quotation_at_once_do_not_both_take_it() {
    let mut winners = std::collections::BTreeSet::new();
    for seed in 0..30 {
        let world = World::with(Pausing::new(Some(seed)), both_creating()).await;
        world.read_all().await;
        world.rest().await;
        world.keep(EXACT, "quotations", "q1", quotation("PO 7", 7, 1));
        let [quotes, orders] = ["quote-quotation", "order-quotation"]
            .map(|pair| world.look_at_in(pair, EXACT, "quotations", "q1"));
        tokio::join!(quotes, orders);
        let writes = world.bench.writes_of_all();
        let [(winner, link, CRM)] = &writes[..] else { panic!("seed {seed}: {writes:?}") };
        assert_eq!(*link, begun_by(EXACT, "q1"));
        winners.insert(winner.clone());
        let loser = ["quote-quotation", "order-quotation"].map(name).into_iter().find(|pair| pair != winner);
        let link = world.link_in(loser.unwrap().as_str(), EXACT, "q1").await.unwrap();
        assert_eq!(link.pending[CRM], Pending::None, "seed {seed}");
        assert!(!link.sides[EXACT].as_ref().unwrap().admitted, "seed {seed}");
    }
    assert_eq!(winners.len(), 2, "the seeds let each of the two be first");
}

#[tokio::test]
async fn a_pair_leaves_a_new_quotation_to_the_one_that_it_yields_to_even_if_it_sees_it_first() {
    let mut pairs = both_creating();
    for pair in pairs.iter_mut().filter(|pair| pair.name == name("order-quotation")) {
        pair.yields_to.push(name("quote-quotation"));
    }
    let world = World::with(Pausing::new(None), pairs).await;
    world.read_all().await;
    world.rest().await;
    world.keep(EXACT, "quotations", "q1", quotation("PO 7", 7, 1));
    world.look_at_in("order-quotation", EXACT, "quotations", "q1").await;
    assert_eq!(world.bench.writes_of_all(), []);
    world.look_at_in("quote-quotation", EXACT, "quotations", "q1").await;
    assert_eq!(world.bench.writes_of_all(), [(name("quote-quotation"), begun_by(EXACT, "q1"), CRM)]);
}

#[tokio::test]
async fn a_quotation_that_a_quote_has_claimed_is_only_followed_by_an_order_with_its_reference() {
    for order_first in [false, true] {
        let world = World::open().await;
        if order_first {
            world.edit(CRM, "orders", "o1", order("Confirmed", "", "PO 7")).await;
            world.rest().await;
        }
        world.edit(CRM, "quotes", "z1", quote("PO 7")).await;
        world.rest().await;
        if !order_first {
            world.edit(CRM, "orders", "o1", order("Open", "", "PO 7")).await;
        }
        assert_rest(&world).await;
        let made = world.only(EXACT, "quotations");
        assert_eq!(world.partner("order-quotation", CRM, "o1").await, Some(made.clone()));
        let link = world.link_in("order-quotation", CRM, "o1").await.unwrap();
        assert_eq!(link.follows, Some(name("quote-quotation")), "order first: {order_first}");
        assert_eq!(world.link_in("quote-quotation", EXACT, &made).await.unwrap().follows, None);

        // What is edited of the order stays the order's.
        world.edit(CRM, "orders", "o1", properties([("Name", "Renamed".into())])).await;
        assert_rest(&world).await;
        assert_eq!(world.holds(EXACT, "quotations", &made, "Description"), "Machine".into());
        assert_eq!(world.holds(CRM, "orders", "o1", "Name"), "Renamed".into());
    }
}

#[tokio::test]
async fn a_search_that_finds_a_claimed_quotation_makes_a_link_that_follows() {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote("PO 7")).await;
    world.rest().await;
    let made = world.only(EXACT, "quotations");
    // The order's pair has not seen the quotation when the order asks for one of its own.
    let fresh = world.now(EXACT, "quotations", &made);
    let other = World::open().await;
    other.edit(CRM, "orders", "o1", order("Open", "", "PO 7")).await;
    let (pair, link) = (name("order-quotation"), begun_by(CRM, "o1"));
    let [write] = &other.bench.writes_of_all()[..] else { panic!("one write") };
    assert_eq!(*write, (pair.clone(), link.clone(), EXACT));
    let (claim, _) = other.bench.claim_in(&pair, &link, EXACT).await;
    // Meanwhile a quote took it.
    other.keep(CRM, "quotes", "z1", quote("PO 7"));
    other.look_at_in("quote-quotation", CRM, "quotes", "z1").await;
    let found_it = found(EXACT, "quotations", fresh.clone());
    assert!(other.bench.offer_to(&name("quote-quotation"), &found_it, 1).await.is_empty());
    assert_eq!(other.partner("quote-quotation", CRM, "z1").await, Some(made.clone()));
    other.bench.writes_of_all();
    let result = OutcomeResult::Adopted { found: fresh };
    other.bench.tell(outcome_in(&pair, &link, EXACT, claim, result)).await;
    let link = other.link_in("order-quotation", CRM, "o1").await.unwrap();
    assert_eq!(link.record(EXACT).map(ToString::to_string), Some(made));
    assert_eq!(link.follows, Some(name("quote-quotation")));
}
