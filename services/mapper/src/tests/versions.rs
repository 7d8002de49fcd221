//! A reviewed quotation is a new record of the same number: the link moves to it, and nothing is made of it.

use mapping::Reading;
use model::{Content, Properties};

use super::documents::{assert_rest, counted, order, quotation, quote};
use super::fakes::Pausing;
use super::world::{World, name, number, properties, shipped_in};
use super::{CRM, EXACT};

/// The second version of a quotation, as Exact makes it of the first.
fn reviewed(world: &World, first: &str) -> Properties {
    let mut second = world.now(EXACT, "quotations", first).record.properties;
    second.extend(properties([("VersionNumber", number(2)), ("Description", "Reviewed".into())]));
    second.remove("ID");
    second
}

#[tokio::test]
async fn a_reviewed_quotation_takes_the_place_of_the_older_version() {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    let first = world.only(EXACT, "quotations");
    world.edit(EXACT, "quotations", "v2", reviewed(&world, &first)).await;
    assert_rest(&world).await;
    assert_eq!(world.partner("quote-quotation", CRM, "z1").await.as_deref(), Some("v2"));
    assert_eq!(counted(&world), [1, 0, 2, 0]);
    assert_eq!(world.holds(CRM, "quotes", "z1", "Name"), "Reviewed".into());

    // The older one is not taken for new, whatever becomes of it.
    world.edit(EXACT, "quotations", &first, properties([("Status", number(6))])).await;
    world.edit(EXACT, "quotations", &first, properties([("Description", "Old".into())])).await;
    assert_rest(&world).await;
    assert_eq!(counted(&world), [1, 0, 2, 0]);
    assert_eq!(world.holds(CRM, "quotes", "z1", "Name"), "Reviewed".into());
    world.edit(CRM, "quotes", "z1", properties([("Name", "Ours".into())])).await;
    assert_rest(&world).await;
    assert_eq!(world.holds(EXACT, "quotations", "v2", "Description"), "Ours".into());
}

#[tokio::test]
async fn two_versions_that_are_new_become_one_quote_in_either_order_and_at_once() {
    for backwards in [false, true] {
        let world = World::open().await;
        let mut versions = [("v1", 1), ("v2", 2)];
        if backwards {
            versions.reverse();
        }
        for (id, version) in versions {
            world.keep(EXACT, "quotations", id, quotation(&format!("PO {id}"), 7, version));
        }
        for (id, _) in versions {
            world.look_at(EXACT, "quotations", id).await;
        }
        assert_rest(&world).await;
        assert_eq!(counted(&world), [1, 0, 2, 0], "backwards: {backwards}");
        let quote = world.only(CRM, "quotes");
        assert_eq!(world.partner("quote-quotation", CRM, &quote).await.as_deref(), Some("v2"));
    }
    for seed in 0..20 {
        let world = World::racing(seed).await;
        for (id, version) in [("v1", 1), ("v2", 2)] {
            world.keep(EXACT, "quotations", id, quotation(&format!("PO {id}"), 7, version));
        }
        let [first, second] =
            ["v1", "v2"].map(|id| world.look_at_in("quote-quotation", EXACT, "quotations", id));
        tokio::join!(first, second);
        assert_rest(&world).await;
        assert_eq!(counted(&world), [1, 0, 2, 0], "seed {seed}");
    }
}

#[tokio::test]
async fn versions_of_before_the_first_read_are_matched_as_one() {
    for backwards in [false, true] {
        let mut ids = ["v1", "v2"];
        if backwards {
            ids.reverse();
        }
        let world = World::with(Pausing::new(None), super::world::shipped()).await;
        world.keep(CRM, "quotes", "z1", quote("PO 7"));
        world.keep(EXACT, "quotations", ids[0], quotation("PO 7", 7, 1));
        world.keep(EXACT, "quotations", ids[1], quotation("PO 7", 7, 2));
        world.read_all().await;
        assert_rest(&world).await;
        assert_eq!(counted(&world), [1, 0, 2, 0]);
        assert_eq!(world.partner("quote-quotation", CRM, "z1").await.as_deref(), Some(ids[1]));
    }
}

/// After the links were lost: what was edited in the CRM meanwhile is younger than either version.
#[tokio::test]
async fn what_the_crm_holds_stands_against_all_versions_of_before_the_first_read() {
    for backwards in [false, true] {
        let mut ids = [("v1", 1), ("v2", 2)];
        if backwards {
            ids.reverse();
        }
        let world = World::with(Pausing::new(None), super::world::shipped()).await;
        let known = [(CRM, "customers", "c1"), (EXACT, "accounts", "a1"), (CRM, "products", "p1")];
        for (system, entity, id) in known.into_iter().chain([(EXACT, "items", "i1")]) {
            world.look_at(system, entity, id).await;
        }
        world.edit(CRM, "quotes", "z1", quote("PO 7")).await;
        world.edit(CRM, "quotes", "z1", properties([("Name", "Ours".into())])).await;
        for (id, version) in ids {
            let mut theirs = quotation("PO 7", 7, version);
            theirs.extend(properties([("Description", "Theirs".into())]));
            world.keep(EXACT, "quotations", id, theirs);
            world.look_at(EXACT, "quotations", id).await;
            world.rest().await;
        }
        world.read_all().await;
        assert_rest(&world).await;
        assert_eq!(world.partner("quote-quotation", CRM, "z1").await.as_deref(), Some("v2"));
        assert_eq!(world.holds(CRM, "quotes", "z1", "Name"), "Ours".into(), "backwards: {backwards}");
        assert_eq!(world.holds(EXACT, "quotations", "v2", "Description"), "Ours".into());
    }
}

#[tokio::test]
async fn a_new_version_of_an_orders_own_quotation_is_no_news_for_quotes() {
    for quotes_first in [false, true] {
        let world = World::open().await;
        world.edit(CRM, "orders", "o1", order("Draft", "", "")).await;
        world.rest().await;
        let first = world.only(EXACT, "quotations");
        world.keep(EXACT, "quotations", "v2", reviewed(&world, &first));
        let mut pairs = ["quote-quotation", "order-quotation"];
        if !quotes_first {
            pairs.reverse();
        }
        for pair in pairs {
            world.look_at_in(pair, EXACT, "quotations", "v2").await;
        }
        assert_rest(&world).await;
        assert_eq!(counted(&world), [0, 1, 2, 0], "quotes first: {quotes_first}");
        assert_eq!(world.partner("order-quotation", CRM, "o1").await.as_deref(), Some("v2"));
        assert_eq!(world.partner("quote-quotation", EXACT, "v2").await, None);
    }
}

#[tokio::test]
async fn a_new_version_of_a_users_own_quotation_is_no_news_for_quotes_and_orders() {
    for pairs in [
        ["user-quotation", "quote-quotation", "order-quotation"],
        ["quote-quotation", "order-quotation", "user-quotation"],
    ] {
        let world = World::with(Pausing::new(None), shipped_in(Reading::Literal)).await;
        world.read_all().await;
        world.rest().await;
        let user = properties([
            ("FullName", "Anna".into()),
            ("Email", "anna@example.nl".into()),
            ("IsActive", Content::Boolean(true)),
        ]);
        world.edit(CRM, "users", "u1", user).await;
        world.rest().await;
        let first = world.only(EXACT, "quotations");
        assert_eq!(world.partner("user-quotation", CRM, "u1").await, Some(first.clone()));
        let mut second = reviewed(&world, &first);
        second.remove("Description");
        world.keep(EXACT, "quotations", "v2", second);
        for pair in pairs {
            world.look_at_in(pair, EXACT, "quotations", "v2").await;
        }
        assert_rest(&world).await;
        assert_eq!(counted(&world), [0, 0, 2, 0], "{pairs:?}");
        assert_eq!(world.partner("user-quotation", CRM, "u1").await.as_deref(), Some("v2"), "{pairs:?}");
    }
}

#[tokio::test]
async fn a_new_version_moves_the_order_that_shares_the_quotation_too() {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
    world.rest().await;
    let first = world.only(EXACT, "quotations");
    for pair in ["order-quotation", "quote-quotation"] {
        world.keep(EXACT, "quotations", "v2", reviewed(&world, &first));
        world.look_at_in(pair, EXACT, "quotations", "v2").await;
    }
    assert_rest(&world).await;
    for (pair, id) in [("quote-quotation", "z1"), ("order-quotation", "o1")] {
        assert_eq!(world.partner(pair, CRM, id).await.as_deref(), Some("v2"), "{pair}");
    }
    let link = world.link_in("order-quotation", CRM, "o1").await.unwrap();
    assert_eq!(link.follows, Some(name("quote-quotation")));
    assert_eq!(counted(&world), [1, 1, 2, 0]);
}

#[tokio::test]
async fn an_order_waits_for_the_quotation_that_its_quote_has_moved_to() {
    let world = World::open().await;
    world.edit(CRM, "quotes", "z1", quote("")).await;
    world.rest().await;
    let first = world.only(EXACT, "quotations");
    world.edit(EXACT, "quotations", "v2", reviewed(&world, &first)).await;
    world.rest().await;
    world.edit(CRM, "orders", "o1", order("Open", "z1", "")).await;
    assert_rest(&world).await;
    assert_eq!(world.partner("order-quotation", CRM, "o1").await.as_deref(), Some("v2"));
}

#[tokio::test]
async fn an_older_version_that_is_deleted_ends_nothing() {
    let world = World::open().await;
    world.edit(EXACT, "quotations", "v1", quotation("PO 7", 7, 1)).await;
    world.rest().await;
    world.edit(EXACT, "quotations", "v2", reviewed(&world, "v1")).await;
    world.rest().await;
    let quote = world.only(CRM, "quotes");
    assert_eq!(world.partner("quote-quotation", CRM, &quote).await.as_deref(), Some("v2"));
    let gone = super::world::found(EXACT, "quotations", super::gone("v1", 9));
    world.bench.tell(gone).await;
    let link = world.link_in("quote-quotation", CRM, &quote).await.unwrap();
    assert_eq!((link.status.clone(), link.record(EXACT)), (link::Status::Linked, Some(&super::record("v2"))));
    assert_eq!(world.bench.writes_of_all(), []);
}

#[tokio::test]
async fn the_lines_of_a_newer_version_go_under_their_own_ids_to_the_link_that_takes_it() {
    let world = World::open().await;
    world.edit(CRM, "orders", "o1", order("Confirmed", "", "PO 7")).await;
    world.rest().await;
    for (id, version) in [("v1", 1), ("v2", 2)] {
        world.edit(EXACT, "quotations", id, quotation("theirs", 7, version)).await;
    }
    world.rest().await;
    assert_eq!(world.partner("order-quotation", EXACT, "v2").await, None);
    world.edit(EXACT, "quotations", "v2", properties([("YourRef", "PO 7".into())])).await;
    assert_eq!(world.partner("order-quotation", CRM, "o1").await.as_deref(), Some("v2"));
    let link = world.link_in("order-quotation", CRM, "o1").await.unwrap();
    let own: Vec<_> = link.lines.values().filter_map(|keys| keys[EXACT].clone()).collect();
    assert_eq!(own, [model::LineKey::begun_by(EXACT, &super::record("m2"))]);
}
