use std::time::Instant;

use chaos::{ARRIVES_WITHIN, Company, Hosting, Plan, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_on_either_side_arrives_on_the_other_in_one_process_on_servers() {
    an_edit_on_either_side_arrives_on_the_other(Hosting::OneProcessOnServers).await;
}

in_both_hostings!(an_edit_on_either_side_arrives_on_the_other);

async fn an_edit_on_either_side_arrives_on_the_other(hosting: Hosting) {
    let world = World::start(hosting).await;
    let site = world.site();
    let told = |what: &str, begun: Instant| {
        println!("{what} arrived after {} ms ({hosting:?})", begun.elapsed().as_millis());
    };

    site.crm.create(&Company::new("Bakkerij De Gouden Aar").as_customer()).await;
    let begun = Instant::now();
    site.exact.wait_for("Bakkerij De Gouden Aar", "City", "Utrecht", ARRIVES_WITHIN).await;
    told("a new customer", begun);

    site.exact.create(&Company::new("Müller & Söhne").as_account());
    let begun = Instant::now();
    site.crm.wait_for("Müller & Söhne", "City", "Utrecht", ARRIVES_WITHIN).await;
    told("a new account", begun);
    world.settled().await;

    let site = world.site();
    for name in ["Bakkerij De Gouden Aar", "Müller & Söhne"] {
        site.crm.change(name, &json!({ "Phone": "+31 30 1234567" })).await;
        let begun = Instant::now();
        site.exact.wait_for(name, "Phone", "+31 30 1234567", ARRIVES_WITHIN).await;
        told("an edit in the CRM", begun);

        site.exact.change(name, &json!({ "AddressLine1": "Oudegracht 1", "Country": "NL" }));
        let begun = Instant::now();
        site.crm.wait_for(name, "StreetAddress1", "Oudegracht 1", ARRIVES_WITHIN).await;
        told("an edit in Exact", begun);
    }
    world.settled().await;
    assert_eq!(world.site().counts(), (2, 2));
    world.end().await;
}

in_both_hostings!(different_properties_edited_on_both_sides_at_once_both_live);

async fn different_properties_edited_on_both_sides_at_once_both_live(hosting: Hosting) {
    let world = World::start(hosting).await;
    let site = world.site();
    let names: Vec<String> = (0..6).map(|number| format!("Garage Peeters {number}")).collect();
    for name in &names {
        site.crm.create(&Company::new(name).as_customer()).await;
    }
    world.settled().await;

    for round in 0..3 {
        for name in &names {
            let (city, phone) = (format!("Antwerpen {round}"), format!("+32 3 {round}"));
            site.crm.change(name, &json!({ "City": city })).await;
            site.exact.change(name, &json!({ "Phone": phone }));
        }
    }
    world.settled().await;
    for name in &names {
        site.exact.wait_for(name, "City", "Antwerpen 2", ARRIVES_WITHIN).await;
        site.crm.wait_for(name, "Phone", "+32 3 2", ARRIVES_WITHIN).await;
    }
    assert_eq!(site.counts(), (6, 6));
    world.end().await;
}

in_both_hostings!(records_that_are_on_both_sides_already_are_linked_and_not_doubled);

async fn records_that_are_on_both_sides_already_are_linked_and_not_doubled(hosting: Hosting) {
    let mut world = World::prepare(Plan::new(hosting)).await;
    let site = world.site();
    for number in 0..10 {
        let company = Company::new(&format!("Drukkerij Visser {number}"));
        if number < 7 {
            site.crm.create(&company.as_customer()).await;
        }
        if number > 3 {
            site.exact.create(&company.as_account());
        }
    }
    world.run_all().await;
    world.settled().await;
    assert_eq!(world.site().counts(), (10, 10));
    let site = world.site();
    site.exact.change("Drukkerij Visser 5", &json!({ "City": "Leiden" }));
    site.crm.wait_for("Drukkerij Visser 5", "City", "Leiden", ARRIVES_WITHIN).await;
    world.settled().await;
    world.end().await;
}
