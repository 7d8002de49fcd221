//! An owner that is stopped where it stands and goes on after its time: what it held has gone to another meanwhile.

use std::time::Duration;

use chaos::{Company, Hosting, Plan, RECOVERS_WITHIN, Running, Service, World};
use model::ConnectionName;
use secrecy::SecretString;
use serde_json::json;
use servers::{Redis, wait_until_async};
use simulator_customcrm::{Effect, Fault as CrmFault};
use simulator_exactonline::{Fault as ExactFault, FaultKind};
use store::{Entry, Links, Store as _};

/// Long enough for a process to be stopped while a call of it is under way.
const UNDER_WAY: Duration = Duration::from_secs(3);

/// Where a collector of customers stands, as the store keeps it.
async fn cursor(redis: &Redis, world: &World) -> Option<Entry> {
    let store = store::Redis::open(&SecretString::from(redis.url())).unwrap();
    let links = Links::new(store, world.namespace());
    let connection = ConnectionName::parse(&world.site().name).unwrap();
    let key = links.key(&connection, &["cursor", "customcrm", "customers"]);
    links.store().get(&key).await.unwrap()
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    wait_until_async(what, RECOVERS_WITHIN, async || if is_so().await { Ok(()) } else { Err("not yet") })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_was_paused_moves_no_cursor_after_its_lease() {
    let redis = Redis::start().unwrap();
    let mut world =
        World::prepare(Plan { redis_url: Some(redis.url()), ..Plan::new(Hosting::Processes) }).await;
    world.run_all().await;
    let service = Service::CollectorCustomCrm;
    world.site().crm.create(&Company::new("Oude Klant").as_customer()).await;
    world.settled().await;

    // It reads a page that has the new customer, and stops before it can say so.
    let crm = world.site().crm.control().clone();
    crm.add_fault(CrmFault::next(Effect::Delay(UNDER_WAY)).on("GET", "customers"));
    until("a read to be under way", async || crm.faults().is_empty()).await;
    world.service_mut(service).process.pause().unwrap();
    world.site().crm.create(&Company::new("Nieuwe Klant").as_customer()).await;

    let mut successor = Running::spawn(service, world.config());
    world.site().exact.wait_for("Nieuwe Klant", "City", "Utrecht", RECOVERS_WITHIN).await;
    world.site().crm.change("Nieuwe Klant", &json!({ "City": "Zeist" })).await;
    world.site().exact.wait_for("Nieuwe Klant", "City", "Zeist", RECOVERS_WITHIN).await;
    world.settled().await;
    let (stands, writes) = (cursor(&redis, &world).await, world.writes());

    world.service_mut(service).process.resume().unwrap();
    until("the paused collector to see that it was taken over", async || {
        world.service(service).has_logged("another collector has taken over")
    })
    .await;
    world.settled().await;
    assert_eq!(cursor(&redis, &world).await, stands, "the cursor was moved after the lease had gone");
    assert_eq!(world.writes(), writes, "what it had read long ago was written");
    assert_eq!(world.site().counts(), (2, 2));
    assert_eq!(successor.stop(Duration::from_secs(15)), Some(0));
    world.end().await;
}

/// Exact Online knows no idempotency key: were the create sent after all, there would be two accounts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_was_paused_before_its_create_makes_no_second_record() {
    let mut world = World::start(Hosting::Processes).await;
    let service = Service::WriterExactOnline;
    let exact = world.site().exact.control().clone();
    let search = ExactFault {
        method: Some("GET".to_owned()),
        path_contains: Some("crm/Accounts?".to_owned()),
        ..ExactFault::next(FaultKind::Delay { ms: u64::try_from(UNDER_WAY.as_millis()).unwrap() })
    };
    exact.add_fault(search);
    world.site().crm.create(&Company::new("Eenmalig").as_customer()).await;
    until("the search before the create to be under way", async || exact.faults().is_empty()).await;
    world.service_mut(service).process.pause().unwrap();

    // The broker takes the message back once the connection is dead, and the claim is taken over.
    let mut successor = Running::spawn(service, world.config());
    world.site().exact.wait_for("Eenmalig", "City", "Utrecht", RECOVERS_WITHIN).await;
    world.settled().await;
    world.service_mut(service).process.resume().unwrap();
    until("the paused writer to have lost its connection", async || {
        world.service(service).has_logged("connecting anew")
    })
    .await;
    world.site().crm.change("Eenmalig", &json!({ "City": "Best" })).await;
    world.site().exact.wait_for("Eenmalig", "City", "Best", RECOVERS_WITHIN).await;
    world.settled().await;
    assert_eq!(world.site().counts(), (1, 1));
    assert_eq!(successor.stop(Duration::from_secs(15)), Some(0));
    world.end().await;
}
