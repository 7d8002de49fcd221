use std::time::Duration;

use chaos::{ARRIVES_WITHIN, Company, Hosting, POLL, World};
use serde_json::json;
use simulator_customcrm::{Rewrite, RewriteAs};
use simulator_exactonline::Rendition;

/// Our own writes come back within a poll; what follows from them would follow within a few.
const SEVERAL_POLLS: Duration = Duration::from_millis(8 * 300);

in_both_hostings!(no_write_follows_an_echo);

async fn no_write_follows_an_echo(hosting: Hosting) {
    assert_eq!(SEVERAL_POLLS, POLL * 8);
    let world = World::start(hosting).await;
    let site = world.site();
    for number in 0..5 {
        site.crm.create(&Company::new(&format!("Kwekerij Smit {number}")).as_customer()).await;
        site.exact.create(&Company::new(&format!("Tuinderij Smit {number}")).as_account());
    }
    world.settled().await;
    site.crm.change("Kwekerij Smit 1", &json!({ "City": "Aalsmeer" })).await;
    site.exact.change("Tuinderij Smit 1", &json!({ "City": "Naaldwijk" }));
    world.settled().await;

    let before = (site.crm.writes(), site.exact.writes());
    tokio::time::sleep(SEVERAL_POLLS).await;
    assert_eq!(
        (site.crm.writes(), site.exact.writes()),
        before,
        "something was written though nobody edited"
    );
    world.end().await;
}

in_both_hostings!(a_target_that_rewrites_what_it_stores_is_written_once);

async fn a_target_that_rewrites_what_it_stores_is_written_once(hosting: Hosting) {
    let world = World::start(hosting).await;
    let site = world.site();
    site.crm.create(&Company::new("Smederij IJzersterk").as_customer()).await;
    site.exact.create(&Company::new("Schilderwerken Claes").as_account());
    world.settled().await;
    site.exact.control().normalise("City", Some(Rendition::Upper)).unwrap();
    let collection = "customers".to_owned();
    let upper = Rewrite { collection, property: "City".to_owned(), rewrite_as: RewriteAs::Lower };
    site.crm.control().normalise(upper).unwrap();
    let before = (site.crm.writes(), site.exact.writes());

    // The person's own edit is rewritten too; so both sides hold a rendition of their own.
    site.crm.change("Smederij IJzersterk", &json!({ "City": "Den Haag" })).await;
    site.exact.wait_for("Smederij IJzersterk", "City", "DEN HAAG", ARRIVES_WITHIN).await;
    tokio::time::sleep(SEVERAL_POLLS).await;
    assert_eq!((site.crm.writes(), site.exact.writes()), (before.0, before.1 + 1));
    site.crm.wait_for("Smederij IJzersterk", "City", "den haag", ARRIVES_WITHIN).await;

    site.exact.change("Schilderwerken Claes", &json!({ "City": "Gent" }));
    site.crm.wait_for("Schilderwerken Claes", "City", "gent", ARRIVES_WITHIN).await;
    tokio::time::sleep(SEVERAL_POLLS).await;
    assert_eq!((site.crm.writes(), site.exact.writes()), (before.0 + 1, before.1 + 1));
    site.exact.wait_for("Schilderwerken Claes", "City", "GENT", ARRIVES_WITHIN).await;

    // An edit of another property does not carry the renditions along.
    site.crm.change("Smederij IJzersterk", &json!({ "Phone": "+31 70 1" })).await;
    site.exact.wait_for("Smederij IJzersterk", "Phone", "+31 70 1", ARRIVES_WITHIN).await;
    tokio::time::sleep(SEVERAL_POLLS).await;
    assert_eq!((site.crm.writes(), site.exact.writes()), (before.0 + 1, before.1 + 2));
    world.end().await;
}
