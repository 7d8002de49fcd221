use std::time::Duration;

use chaos::{ARRIVES_WITHIN, Company, Hosting, Plan, RECOVERS_WITHIN, World};
use serde_json::json;
use servers::{RabbitMq, Redis};

/// Ten companies, entered on either side.
async fn populated(world: &World) -> Vec<String> {
    let site = world.site();
    let names: Vec<String> = (0..10).map(|number| format!("Transport Janssens {number}")).collect();
    for (number, name) in names.iter().enumerate() {
        if number % 2 == 0 {
            site.crm.create(&Company::new(name).as_customer()).await;
        } else {
            site.exact.create(&Company::new(name).as_account());
        }
    }
    world.settled().await;
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_emptied_in_mid_run_makes_no_duplicate_and_edits_go_on() {
    let redis = Redis::start().unwrap();
    let mut world =
        World::prepare(Plan { redis_url: Some(redis.url()), ..Plan::new(Hosting::Processes) }).await;
    world.run_all().await;
    let names = populated(&world).await;
    let site = world.site();

    // In mid-flow: some of these are only queued, some are being written when the links are lost.
    for name in &names {
        site.crm.change(name, &json!({ "City": "Venlo" })).await;
    }
    for number in 0..4 {
        site.crm.create(&Company::new(&format!("Nieuw {number}")).as_customer()).await;
        site.exact.create(&Company::new(&format!("Neu {number}")).as_account());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    redis.flush_all().unwrap();
    for number in 4..8 {
        site.crm.create(&Company::new(&format!("Nieuw {number}")).as_customer()).await;
        site.exact.create(&Company::new(&format!("Neu {number}")).as_account());
    }
    world.settled().await;
    assert_eq!(site.counts(), (26, 26));
    for name in &names {
        assert_eq!(site.exact.find(name).unwrap()["City"], "Venlo", "an edit is lost");
    }

    for name in names.iter().map(String::as_str).chain(["Nieuw 0", "Neu 0", "Nieuw 7", "Neu 7"]) {
        site.crm.change(name, &json!({ "City": "Roermond" })).await;
        site.exact.change(name, &json!({ "Phone": "+31 475 1" }));
        site.exact.wait_for(name, "City", "Roermond", ARRIVES_WITHIN).await;
        site.crm.wait_for(name, "Phone", "+31 475 1", ARRIVES_WITHIN).await;
    }
    world.settled().await;
    assert_eq!(site.counts(), (26, 26));
    world.end().await;
}

/// People edit on both sides before, while and after a server is gone.
async fn edit_all(world: &World, names: &[String], round: usize) {
    let site = world.site();
    for name in names {
        site.crm.change(name, &json!({ "City": format!("Luik {round}") })).await;
        site.exact.change(name, &json!({ "Phone": format!("+32 4 {round}") }));
    }
    site.crm.create(&Company::new(&format!("Nieuw {round}")).as_customer()).await;
    site.exact.create(&Company::new(&format!("Neu {round}")).as_account());
    tokio::time::sleep(Duration::from_millis(200)).await;
}

async fn goes_on(mut world: World, names: &[String]) {
    world.settled().await;
    assert_eq!(world.site().counts(), (16, 16));
    for name in names {
        let (customer, account) =
            (world.site().crm.find(name).unwrap(), world.site().exact.find(name).unwrap());
        assert_eq!(account["City"], "Luik 2", "an edit in the CRM is lost");
        assert_eq!(customer["Phone"], "+32 4 2", "an edit in Exact is lost");
    }
    world.all_ready(RECOVERS_WITHIN).await;
    for service in Hosting::Processes.services() {
        assert!(world.service_mut(*service).process.is_running().unwrap(), "{} has ended", service.name());
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_redis_everything_goes_on_and_nothing_is_lost() {
    let mut redis = Redis::start().unwrap();
    let mut world =
        World::prepare(Plan { redis_url: Some(redis.url()), ..Plan::new(Hosting::Processes) }).await;
    world.run_all().await;
    let names = populated(&world).await;
    edit_all(&world, &names, 0).await;
    redis.kill().unwrap();
    edit_all(&world, &names, 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    redis.restart().unwrap();
    edit_all(&world, &names, 2).await;
    goes_on(world, &names).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_the_broker_everything_goes_on_and_nothing_is_lost() {
    let mut broker = RabbitMq::start().unwrap();
    let mut world =
        World::prepare(Plan { amqp_url: Some(broker.url()), ..Plan::new(Hosting::Processes) }).await;
    world.run_all().await;
    let names = populated(&world).await;
    edit_all(&world, &names, 0).await;
    broker.kill_nine().unwrap();
    edit_all(&world, &names, 1).await;
    broker.restart().unwrap();
    edit_all(&world, &names, 2).await;
    goes_on(world, &names).await;
}
