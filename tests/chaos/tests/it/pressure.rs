//! More to write than a quota lets through: what people edit goes first, and many edits of one record become few writes.

use std::time::{Duration, Instant};

use chaos::{Company, Hosting, Plan, Quota, RECOVERS_WITHIN, World};
use serde_json::json;

/// What Exact Online lets an app call in a minute.
const PER_MINUTE: u32 = 60;
const EDITS: usize = 100;
const BACKFILL: usize = 10_000;
/// Where the calls of a minute are used up, what people edit waits for the next minute, and never longer.
const OVERTAKES_WITHIN: Duration = Duration::from_secs(75);
/// A mapper takes ten thousand records in, and wakes them, within this time, also when built without optimisation.
const TAKEN_IN_WITHIN: Duration = Duration::from_mins(6);

/// A read of Exact takes two calls, and all reads together may take three fifths of them: more polls would have to wait.
fn tight(poll: Duration) -> Plan {
    let quota = Quota { exact_per_minute: PER_MINUTE, ..Quota::AMPLE };
    Plan { quota, poll, ..Plan::new(Hosting::Processes) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_edits_of_one_record_are_few_writes_and_the_last_one_stays() {
    let mut world = World::prepare(tight(Duration::from_secs(3))).await;
    world.site().exact.create(&Company::new("Anker").as_account());
    world.run_all().await;
    world.settled().await;
    let (site, before) = (world.site(), world.writes());
    for number in 1..=EDITS {
        site.crm.change("Anker", &json!({ "Phone": format!("+31 30 {number}") })).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    site.exact.wait_for("Anker", "Phone", &format!("+31 30 {EDITS}"), RECOVERS_WITHIN).await;
    world.settled().await;
    let writes = world.writes() - before;
    println!("{EDITS} edits within 20 s became {writes} writes");
    assert!(writes <= 20, "{EDITS} edits of one record became {writes} writes");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_by_people_overtake_ten_thousand_records_that_wait_to_be_made() {
    let mut world = World::prepare(tight(Duration::from_secs(5))).await;
    let site = world.site();
    site.exact.create(&Company::new("Anker").as_account());
    site.crm.create(&Company::new("Anker").as_customer()).await;
    let many = (0..BACKFILL).map(|number| Company::new(&format!("Wacht {number}")).as_customer().to_string());
    site.crm.control().seed("customers", many).unwrap();
    world.run_all().await;
    servers::wait_until_async("ten thousand records to be taken in", TAKEN_IN_WITHIN, async || {
        let made = world.site().exact.records().len();
        let depths = world.queues().depths().await.map_err(|error| error.to_string())?;
        if made > 3 && !depths.waiting.contains_key(&world.queues().pair()) {
            Ok(())
        } else {
            Err(format!("{made} are made, {depths:?}"))
        }
    })
    .await;

    let site = world.site();
    let begun = Instant::now();
    site.crm.change("Anker", &json!({ "Phone": "+31 30 1" })).await;
    site.exact.wait_for("Anker", "Phone", "+31 30 1", OVERTAKES_WITHIN).await;
    let edited = begun.elapsed();
    site.crm.create(&Company::new("Nieuw").as_customer()).await;
    site.exact.wait_for("Nieuw", "City", "Utrecht", OVERTAKES_WITHIN).await;
    site.exact.change("Anker", &json!({ "Phone": "+31 30 2" }));
    site.crm.wait_for("Anker", "Phone", "+31 30 2", OVERTAKES_WITHIN).await;
    let made = site.exact.records().len();
    println!("an edit arrives after {edited:?}, with {} records still waiting", BACKFILL - made);
    assert!(made < BACKFILL / 10, "{made} of {BACKFILL} are made already: nothing was overtaken");
    world.end().await;
}
