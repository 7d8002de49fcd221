use chaos::{ARRIVES_WITHIN, Company, Hosting, Plan, RECOVERS_WITHIN, Service, World};
use serde_json::json;
use servers::wait_until_async;

/// Waits until the link of this name shows these words of a refusal by Exact.
async fn shows_refusal(world: &World, name: &str, words: &str) {
    wait_until_async(&format!("the link of {name:?} to say {words:?}"), RECOVERS_WITHIN, async || {
        let link = world.link(world.site(), name).await;
        match link.and_then(|link| link.rejected.exactonline.clone()) {
            Some(rejection) if rejection.words.contains(words) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

in_both_hostings!(a_record_that_does_not_fit_stops_nothing_else_and_the_next_edit_retries);

async fn a_record_that_does_not_fit_stops_nothing_else_and_the_next_edit_retries(hosting: Hosting) {
    let world = World::start(hosting).await;
    let site = world.site();
    let long = "Vereniging tot Behoud van Natuurmonumenten in de Lage Landen aan de Zee";
    assert!(long.chars().count() > 50, "Exact holds 50 characters");
    site.crm.create(&Company::new(long).as_customer()).await;
    site.crm
        .create(&json!({ "Name": "Taalcentrum Babel", "Email": "babel@company.example", "Language": "QQ" }))
        .await;
    if hosting == Hosting::Processes {
        shows_refusal(&world, long, "at most 50 fit").await;
        // Exact's own words.
        shows_refusal(&world, "Taalcentrum Babel", "Language").await;
    }
    site.crm.create(&Company::new("Past Wel").as_customer()).await;
    site.exact.wait_for("Past Wel", "City", "Utrecht", ARRIVES_WITHIN).await;
    assert_eq!(site.counts(), (3, 1), "what does not fit is not written");

    site.crm.change(long, &json!({ "Name": "Natuurmonumenten" })).await;
    site.crm.change("Taalcentrum Babel", &json!({ "Language": "NL" })).await;
    site.exact.wait_for("Natuurmonumenten", "City", "Utrecht", ARRIVES_WITHIN).await;
    site.exact.wait_for("Taalcentrum Babel", "Language", "NL", ARRIVES_WITHIN).await;
    world.settled().await;

    // The same for a record that is linked.
    site.crm.change("Past Wel", &json!({ "Name": long, "City": "Leiden" })).await;
    if hosting == Hosting::Processes {
        shows_refusal(&world, long, "at most 50 fit").await;
    }
    site.crm.change(long, &json!({ "Name": "Past Weer" })).await;
    site.exact.wait_for("Past Weer", "City", "Leiden", ARRIVES_WITHIN).await;
    world.settled().await;
    assert_eq!(site.counts(), (3, 3));
    world.end().await;
}

in_both_hostings!(a_record_without_a_mandatory_property_stops_nothing_else_and_the_next_edit_retries);

async fn a_record_without_a_mandatory_property_stops_nothing_else_and_the_next_edit_retries(
    hosting: Hosting,
) {
    // Neither system takes a record without a name; so something else is mandatory here.
    let mut world = World::prepare(Plan { demanded: Some("Phone"), ..Plan::new(hosting) }).await;
    world.run_all().await;
    let site = world.site();
    let with_phone = |name: &str| {
        let mut customer = Company::new(name).as_customer();
        customer["Phone"] = json!("+31 318 1");
        customer
    };
    site.crm.create(&Company::new("Zonder Nummer").as_customer()).await;
    site.crm.create(&with_phone("Met Nummer")).await;
    site.exact.wait_for("Met Nummer", "Phone", "+31 318 1", ARRIVES_WITHIN).await;
    if hosting == Hosting::Processes {
        shows_refusal(&world, "Zonder Nummer", "Phone is mandatory and is empty").await;
    }
    assert_eq!(site.counts(), (2, 1), "what lacks something is not written");

    site.crm.change("Zonder Nummer", &json!({ "Phone": "+31 318 2" })).await;
    site.exact.wait_for("Zonder Nummer", "Phone", "+31 318 2", ARRIVES_WITHIN).await;
    // The same for a record that is linked.
    site.crm.change("Met Nummer", &json!({ "Phone": null })).await;
    if hosting == Hosting::Processes {
        shows_refusal(&world, "Met Nummer", "Phone is mandatory and is empty").await;
    }
    site.crm.change("Met Nummer", &json!({ "Phone": "+31 318 3" })).await;
    site.exact.wait_for("Met Nummer", "Phone", "+31 318 3", ARRIVES_WITHIN).await;
    world.settled().await;
    world.end().await;
}

in_both_hostings!(a_connection_whose_token_is_revoked_stops_and_the_others_go_on);

async fn a_connection_whose_token_is_revoked_stops_and_the_others_go_on(hosting: Hosting) {
    let mut world =
        World::prepare(Plan { connections: vec!["acme", "beta", "gamma"], ..Plan::new(hosting) }).await;
    world.run_all().await;
    for site in &world.sites {
        site.crm.create(&Company::new("Voor de Breuk").as_customer()).await;
    }
    world.settled().await;
    let [acme, beta, gamma] = world.sites.as_slice() else { unreachable!("there are three connections") };
    acme.crm.revoke();
    beta.exact.control().revoke();

    let (crm_collector, exact_collector) = match hosting {
        Hosting::Processes => (Service::CollectorCustomCrm, Service::CollectorExactOnline),
        Hosting::OneProcess | Hosting::OneProcessOnServers => (Service::Tandem, Service::Tandem),
    };
    says_how_to_repair(&world, crm_collector, "acme", "set a valid token").await;
    says_how_to_repair(
        &world,
        exact_collector,
        "beta",
        "give the app consent anew with `tandem auth exactonline --config ",
    )
    .await;

    // Edits on the refused connections first: they hold up nobody.
    acme.exact.change("Voor de Breuk", &json!({ "City": "Weesp" }));
    beta.crm.change("Voor de Breuk", &json!({ "City": "Weesp" })).await;
    tokio::time::sleep(chaos::POLL * 3).await;
    gamma.crm.change("Voor de Breuk", &json!({ "City": "Muiden" })).await;
    gamma.exact.wait_for("Voor de Breuk", "City", "Muiden", ARRIVES_WITHIN).await;
    gamma.exact.create(&Company::new("Na de Breuk").as_account());
    gamma.crm.wait_for("Na de Breuk", "City", "Utrecht", ARRIVES_WITHIN).await;
    for service in hosting.services() {
        assert!(world.service_mut(*service).process.is_running().unwrap(), "{} has ended", service.name());
    }
    world.end().await;
}

async fn says_how_to_repair(world: &World, service: Service, connection: &str, words: &str) {
    let running = world.service(service);
    wait_until_async(&format!("the log to say how to repair {connection}"), RECOVERS_WITHIN, async || {
        let log = running.log();
        let told = log.iter().any(|event| {
            event["level"] == "error"
                && event["connection"] == connection
                && event["error"].as_str().is_some_and(|error| error.contains(words))
        });
        if told { Ok(()) } else { Err(format!("{:?}", log.last())) }
    })
    .await;
}
