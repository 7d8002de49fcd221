use std::fs;
use std::time::Duration;

use chaos::{Company, Hosting, Plan, RECOVERS_WITHIN, Running, Service, World};
use servers::{RabbitMq, Redis, wait_until_async};

/// Bad configuration, for sysexits.h and for us.
const BAD_CONFIGURATION: Option<i32> = Some(64);

/// Waits until each service says that it waits for what is gone, in these words.
async fn waits_and_says_so(world: &World, services: &[Service], words: &str) {
    for service in services {
        let running = world.service(*service);
        let what = format!("{} to say what it waits for", service.name());
        wait_until_async(&what, RECOVERS_WITHIN, async || {
            let (ready, answer) = running.readiness().await;
            assert!(!ready, "{} is ready without its servers: {answer}", service.name());
            let waits_for = answer["waits_for"].to_string();
            if waits_for.contains(words) { Ok(()) } else { Err(answer.to_string()) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_store_is_not_there_waits_says_so_and_gets_ready_later() {
    let mut redis = Redis::start().unwrap();
    redis.kill().unwrap();
    let mut world =
        World::prepare(Plan { redis_url: Some(redis.url()), ..Plan::new(Hosting::Processes) }).await;
    world.spawn_all();
    let words = format!("the store at 127.0.0.1:{}", redis.port());
    waits_and_says_so(&world, Hosting::Processes.services(), &words).await;
    redis.restart().unwrap();
    gets_ready_and_works(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_broker_is_not_there_waits_says_so_and_gets_ready_later() {
    let mut broker = RabbitMq::start().unwrap();
    broker.kill_nine().unwrap();
    let mut world =
        World::prepare(Plan { amqp_url: Some(broker.url()), ..Plan::new(Hosting::Processes) }).await;
    // A collector needs the broker as soon as it has something to publish.
    world.site().crm.create(&Company::new("Eerste Klant").as_customer()).await;
    world.site().exact.create(&Company::new("Zweiter Kunde").as_account());
    world.spawn_all();
    let words = format!("127.0.0.1:{}", broker.port());
    waits_and_says_so(&world, Hosting::Processes.services(), &words).await;
    broker.restart().unwrap();
    world.all_ready(RECOVERS_WITHIN).await;
    world.settled().await;
    assert_eq!(world.site().counts(), (2, 2));
    world.end().await;
}

async fn gets_ready_and_works(world: World) {
    world.all_ready(RECOVERS_WITHIN).await;
    world.site().crm.create(&Company::new("Eerste Klant").as_customer()).await;
    world.site().exact.wait_for("Eerste Klant", "City", "Utrecht", RECOVERS_WITHIN).await;
    world.settled().await;
    world.end().await;
}

async fn bad_configuration_is_refused(hosting: Hosting) {
    let world = World::prepare(Plan::new(hosting)).await;
    let mut text = fs::read_to_string(world.config()).unwrap();
    text.insert_str(0, "colour = \"red\"\n");
    text = text.replace("[health]\nlisten = \"127.0.0.1:0\"", "[health]\nlisten = \"here\"");
    text = text.replace("client_id", "client_idd");
    text = text.replacen("url = \"http://127.0.0.1", "url = \"http://crm.example.com", 1);
    text = text.replacen("url = \"redis://", "url = \"http://", 1);
    let config = world.folder().join("bad.toml");
    fs::write(&config, text).unwrap();

    let mut problems = vec!["colour", "\"here\"", "client_idd", "would send the token in the clear"];
    if hosting == Hosting::Processes {
        problems.push("redis://");
    }
    for service in hosting.services() {
        let mut running = Running::spawn(*service, &config);
        let code = running.process.wait_for_exit(Duration::from_secs(20)).unwrap();
        assert_eq!(code, BAD_CONFIGURATION, "{}", service.name());
        let told = running.process.stderr();
        for problem in &problems {
            assert!(told.contains(problem), "{} does not tell of {problem}:\n{told}", service.name());
        }
    }
    world.end().await;
}

in_both_hostings!(bad_configuration_is_refused);

in_both_hostings!(a_pair_that_exact_can_not_work_with_is_refused);

async fn a_pair_that_exact_can_not_work_with_is_refused(hosting: Hosting) {
    let world = World::prepare(Plan::new(hosting)).await;
    let file = world.folder().join("pairs/customer-account.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace("exactonline = \"Website\"", "exactonline = \"WebSite\"");
    fs::write(&file, text.replace("exactonline = \"City\"", "exactonline = \"CountryName\"")).unwrap();

    let services: &[Service] = match hosting {
        Hosting::Processes => &[Service::CollectorExactOnline, Service::WriterExactOnline],
        Hosting::OneProcess | Hosting::OneProcessOnServers => &[Service::Tandem],
    };
    for service in services {
        let mut running = Running::spawn(*service, world.config());
        let code = running.process.wait_for_exit(Duration::from_secs(20)).unwrap();
        assert_eq!(code, BAD_CONFIGURATION, "{}", service.name());
        let told = running.process.stderr();
        for problem in ["customer-account.toml:", "did you mean", "Website", "can only be read"] {
            assert!(told.contains(problem), "{} does not tell of {problem}:\n{told}", service.name());
        }
    }
    world.end().await;
}
