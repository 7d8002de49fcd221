use std::time::Duration;

use chaos::{Company, Hosting, RECOVERS_WITHIN, World};
use serde_json::json;
use simulator_customcrm::{Effect, Fault};

in_both_hostings!(whatever_the_crm_does_to_calls_both_sides_end_in_agreement);

/// People edit in both systems while the CRM throttles, fails, keeps its answers and gives its pages badly.
async fn whatever_the_crm_does_to_calls_both_sides_end_in_agreement(hosting: Hosting) {
    let world = World::start(hosting).await;
    let site = world.site();
    let crm = site.crm.control();
    let names: Vec<String> = (0..5).map(|number| format!("Bloemist Tulp {number}")).collect();
    for name in &names {
        site.crm.create(&Company::new(name).as_customer()).await;
    }
    world.settled().await;

    let of_reads = [
        Effect::RepeatPage,
        Effect::ReversePage,
        Effect::Throttle(1),
        Effect::FailBefore(503),
        Effect::FailBefore(500),
        Effect::LoseAnswer,
        Effect::Delay(Duration::from_millis(300)),
    ];
    for (round, effect) in of_reads.into_iter().enumerate() {
        crm.add_fault(Fault::next(effect).on("GET", "customers").times(2));
        for name in &names {
            site.crm.change(name, &json!({ "City": format!("Delft {round}") })).await;
            site.exact.change(name, &json!({ "Phone": format!("+31 15 {round}") }));
        }
    }
    world.settled_within(RECOVERS_WITHIN).await;

    // Faults of writes would hit people in the CRM as well: they edit in Exact alone.
    let of_writes = [
        Effect::LoseAnswer,
        Effect::FailBefore(502),
        Effect::Throttle(1),
        Effect::FailBefore(500),
        Effect::Delay(Duration::from_millis(300)),
    ];
    for (round, effect) in of_writes.into_iter().enumerate() {
        crm.add_fault(Fault::next(effect.clone()).on("PATCH", "customers").times(2));
        crm.add_fault(Fault::next(effect).on("POST", "customers"));
        for name in &names {
            site.exact.change(name, &json!({ "City": format!("Leiden {round}") }));
        }
        site.exact.create(&Company::new(&format!("Kaashandel {round}")).as_account());
    }
    for name in &names {
        site.crm.wait_for(name, "City", "Leiden 4", RECOVERS_WITHIN).await;
    }
    world.settled_within(RECOVERS_WITHIN).await;
    assert_eq!(site.counts(), (names.len() + 5, names.len() + 5), "nothing is lost and nothing is doubled");
    for name in &names {
        site.exact.wait_for(name, "City", "Leiden 4", RECOVERS_WITHIN).await;
        site.crm.wait_for(name, "Phone", "+31 15 6", RECOVERS_WITHIN).await;
    }
    world.end().await;
}
