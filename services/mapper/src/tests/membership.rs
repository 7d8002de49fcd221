//! Which quotations are whose: told by their sales person, and nothing is written for it.

use link::Status;
use model::{Properties, System};

use super::documents::quotation;
use super::world::{World, properties};
use super::{CRM, EXACT};

const CRM_USERS: [(&str, &str); 2] = [("u1", "Anna@example.nl"), ("u2", "bob@example.nl")];
const EXACT_USERS: [(&str, &str); 2] = [("e1", "anna@example.nl"), ("e2", "bob@example.nl")];

fn user(name: &str) -> Properties {
    properties([("FullName", name.into()), ("IsActive", model::Content::Boolean(true))])
}

fn sold_by(seller: &str, number: i64) -> Properties {
    let mut sold = quotation("", number, 1);
    sold.extend(properties([("SalesPerson", seller.into()), ("SalesPersonFullName", "A. Jansen".into())]));
    sold
}

/// Who a quotation belongs to.
async fn owner(world: &World, quotation: &str) -> Option<String> {
    let link = world.link_in("user-quotation", EXACT, quotation).await.expect("each quotation has a link");
    let status = if link.has_both() { Status::Linked } else { Status::Unmatched };
    assert_eq!(link.status, status);
    assert!(link.is_at_rest());
    link.record(CRM).map(ToString::to_string)
}

async fn see(world: &World, system: System, entity: &str, id: &str, properties: Properties) {
    world.keep(system, entity, id, properties);
    world.look_at_in("user-quotation", system, entity, id).await;
}

/// Users of both systems, who know one another.
async fn with_users() -> World {
    let world = World::open().await;
    world.know(&CRM_USERS, &EXACT_USERS).await;
    world
}

/// Links that wait for a user are woken, as they are when a directory has changed.
async fn wake_strangers(world: &World) {
    let pair = super::world::name("user-quotation");
    let wakes = world.bench.keeper(&pair).wake_strangers().await.unwrap();
    for message in world.bench.publish(&wakes).await {
        world.bench.tell(message).await;
    }
}

#[tokio::test]
async fn a_quotation_belongs_to_the_user_who_is_its_sales_person_whichever_is_seen_first() {
    for users_first in [false, true] {
        let world = with_users().await;
        let users = async || {
            see(&world, CRM, "users", "u1", user("Anna")).await;
            see(&world, CRM, "users", "u2", user("Bob")).await;
        };
        if users_first {
            users().await;
        }
        for (id, seller) in [("q1", "e1"), ("q2", "e1"), ("q3", "e2"), ("q4", "")] {
            see(&world, EXACT, "quotations", id, sold_by(seller, 1)).await;
        }
        if !users_first {
            assert_eq!(owner(&world, "q1").await, None);
            users().await;
        }
        for (id, expected) in [("q1", Some("u1")), ("q2", Some("u1")), ("q3", Some("u2")), ("q4", None)] {
            assert_eq!(owner(&world, id).await.as_deref(), expected, "{id}, users first: {users_first}");
        }
        let links = world.bench.links();
        let (connection, pair) = (super::connection(), super::world::name("user-quotation"));
        let members = links.members(&connection, &pair, &super::record("u1")).await.unwrap();
        assert_eq!(members.len(), 2);
        assert_eq!(world.bench.writes_of_all(), []);
    }
}

#[tokio::test]
async fn user_and_quotation_that_are_seen_at_once_find_one_another() {
    for seed in 0..30 {
        let world = World::racing(seed).await;
        world.know(&CRM_USERS, &EXACT_USERS).await;
        tokio::join!(
            see(&world, CRM, "users", "u1", user("Anna")),
            see(&world, EXACT, "quotations", "q1", sold_by("e1", 1)),
        );
        assert_eq!(owner(&world, "q1").await.as_deref(), Some("u1"), "seed {seed}");
    }
}

#[tokio::test]
async fn a_quotation_moves_to_its_new_sales_person() {
    let world = with_users().await;
    see(&world, CRM, "users", "u1", user("Anna")).await;
    see(&world, CRM, "users", "u2", user("Bob")).await;
    for (seller, expected) in [("e1", Some("u1")), ("e2", Some("u2")), ("", None), ("e1", Some("u1"))] {
        see(&world, EXACT, "quotations", "q1", sold_by(seller, 1)).await;
        assert_eq!(owner(&world, "q1").await.as_deref(), expected);
        assert_eq!(world.bench.writes_of_all(), []);
    }
}

#[tokio::test]
async fn a_sales_person_who_is_not_known_is_found_as_soon_as_the_directory_knows_them() {
    let world = World::open().await;
    world.know(&CRM_USERS, &[]).await;
    see(&world, CRM, "users", "u1", user("Anna")).await;
    see(&world, EXACT, "quotations", "q1", sold_by("e1", 1)).await;
    assert_eq!(owner(&world, "q1").await, None);
    world.know(&CRM_USERS, &EXACT_USERS).await;
    wake_strangers(&world).await;
    assert_eq!(owner(&world, "q1").await.as_deref(), Some("u1"));
}

#[tokio::test]
async fn a_sales_person_who_was_not_known_is_found_when_the_quotation_is_seen_again() {
    let world = World::open().await;
    world.know(&CRM_USERS, &[]).await;
    see(&world, EXACT, "quotations", "q1", sold_by("e1", 1)).await;
    world.know(&CRM_USERS, &EXACT_USERS).await;
    see(&world, CRM, "users", "u1", user("Anna")).await;
    see(&world, EXACT, "quotations", "q1", sold_by("e1", 1)).await;
    assert_eq!(owner(&world, "q1").await.as_deref(), Some("u1"));
}

#[tokio::test]
async fn what_is_shown_of_a_user_is_what_was_seen_last_and_nobody_belongs_to_one_who_is_not_active() {
    let world = with_users().await;
    see(&world, CRM, "users", "u1", user("Anna")).await;
    for (id, number) in [("q1", 1), ("q2", 2)] {
        see(&world, EXACT, "quotations", id, sold_by("e1", number)).await;
    }
    see(&world, CRM, "users", "u1", user("Anna \u{202e}Jansen 🦀")).await;
    for id in ["q1", "q2"] {
        let link = world.link_in("user-quotation", EXACT, id).await.unwrap();
        let shown = super::bench::value(&link, CRM, "FullName").map(|value| value.to_string());
        assert_eq!(shown.as_deref(), Some("Anna \u{202e}Jansen 🦀"));
    }
    for (active, expected) in [(false, None), (true, Some("u1"))] {
        let edit = properties([("IsActive", model::Content::Boolean(active))]);
        see(&world, CRM, "users", "u1", edit).await;
        for id in ["q1", "q2"] {
            assert_eq!(owner(&world, id).await.as_deref(), expected, "{id}, active: {active}");
        }
    }
    assert_eq!(world.bench.writes_of_all(), []);
}

#[tokio::test]
async fn a_user_who_leaves_while_a_quotation_is_seen_does_not_keep_it() {
    for seed in 0..30 {
        let world = World::racing(seed).await;
        world.know(&CRM_USERS, &EXACT_USERS).await;
        see(&world, CRM, "users", "u1", user("Anna")).await;
        let inactive = properties([("IsActive", model::Content::Boolean(false))]);
        tokio::join!(
            see(&world, CRM, "users", "u1", inactive),
            see(&world, EXACT, "quotations", "q1", sold_by("e1", 1)),
        );
        assert_eq!(owner(&world, "q1").await, None, "seed {seed}");
    }
}

#[tokio::test]
async fn a_quotation_of_two_users_with_one_address_belongs_to_neither() {
    let world = World::open().await;
    world.know(&[("u1", "anna@example.nl"), ("u2", "anna@example.nl")], &EXACT_USERS).await;
    see(&world, CRM, "users", "u1", user("Anna")).await;
    see(&world, EXACT, "quotations", "q1", sold_by("e1", 1)).await;
    assert_eq!(owner(&world, "q1").await.as_deref(), Some("u1"));
    see(&world, CRM, "users", "u2", user("Anna")).await;
    assert_eq!(owner(&world, "q1").await, None);
}

#[tokio::test]
async fn a_user_or_quotation_that_is_gone_belongs_to_nothing_any_more() {
    let world = with_users().await;
    see(&world, CRM, "users", "u1", user("Anna")).await;
    for (id, number) in [("q1", 1), ("q2", 2)] {
        see(&world, EXACT, "quotations", id, sold_by("e1", number)).await;
    }
    let pair = super::world::name("user-quotation");
    for (system, entity, id) in [(EXACT, "quotations", "q1"), (CRM, "users", "u1")] {
        let message = super::world::found(system, entity, super::gone(id, 9));
        assert!(world.bench.offer_to(&pair, &message, 1).await.is_empty());
    }
    let ended = world.link_in("user-quotation", EXACT, "q1").await.unwrap();
    assert_eq!(ended.status, Status::Ended);
    assert_eq!(owner(&world, "q2").await, None);
    assert_eq!(world.bench.writes_of_all(), []);
}
