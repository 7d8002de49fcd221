//! Many connections in one deployment: what one of them suffers is no other one's.

use std::time::{Duration, Instant};

use chaos::{ARRIVES_WITHIN, Company, Hosting, Plan, RECOVERS_WITHIN, Site, World};
use serde_json::json;
use simulator_customcrm::{Effect, Fault};

const CONNECTIONS: usize = 50;
/// More than a writer has in hand for one pair of one connection.
const SLOW_EDITS: usize = 60;
/// Longer than anybody's patience, and shorter than a writer's.
const SLOW: Duration = Duration::from_secs(8);

/// An edit in Exact of every one of these connections; gives how long the last of them took to arrive.
async fn edited(sites: &[Site], city: &str) -> Duration {
    let begun = Instant::now();
    for site in sites {
        site.exact.change("Zaak", &json!({ "City": city }));
    }
    for site in sites {
        site.crm.wait_for("Zaak", "City", city, ARRIVES_WITHIN).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_connections_one_that_is_dead_and_one_that_is_slow_hold_up_nobody() {
    let names = (0..CONNECTIONS).map(|number| &*format!("shop-{number}").leak());
    let plan = Plan { connections: names.collect(), ..Plan::new(Hosting::Processes) };
    let mut world = World::prepare(plan).await;
    for site in &world.sites {
        site.exact.create(&Company::new("Zaak").as_account());
    }
    for number in 0..SLOW_EDITS {
        world.sites[0].exact.create(&Company::new(&format!("Traag {number}")).as_account());
    }
    world.run_all().await;
    world.settled_within(2 * RECOVERS_WITHIN).await;
    let [slow, dead, others @ ..] = world.sites.as_slice() else { unreachable!("there are fifty") };
    let before = edited(others, "Zwolle").await;

    let delays = u32::try_from(10 * SLOW_EDITS).unwrap();
    slow.crm.control().add_fault(Fault::next(Effect::Delay(SLOW)).on("PATCH", "customers").times(delays));
    dead.crm.revoke();
    for number in 0..SLOW_EDITS {
        slow.exact.change(&format!("Traag {number}"), &json!({ "City": "Meppel" }));
    }
    dead.exact.change("Zaak", &json!({ "City": "Meppel" }));
    tokio::time::sleep(2 * chaos::POLL).await;
    let beside = edited(others, "Kampen").await;
    println!(
        "48 edits arrive within {before:?}, and within {beside:?} beside one that is slow and one that is dead"
    );

    slow.crm.control().clear_faults();
    for number in 0..SLOW_EDITS {
        slow.crm.wait_for(&format!("Traag {number}"), "City", "Meppel", RECOVERS_WITHIN).await;
    }
    world.end().await;
}
