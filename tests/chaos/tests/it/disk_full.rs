use std::fs;
use std::time::Duration;

use chaos::{Company, Hosting, Service, World};
use serde_json::json;
use servers::wait_until_async;

/// People go on while the disk is full: this many records, whose links don't fit.
const RECORDS: usize = 40;
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_of_the_store_is_told_and_gone_on_after_without_a_restart_or_a_duplicate() {
    let mut world = World::prepare(chaos::Plan::new(Hosting::OneProcess)).await;
    world.spawn_limitable(Service::Tandem);
    world.all_ready(NOTICED_WITHIN).await;
    world.site().crm.create(&Company::new("Bakkerij De Korenaar").as_customer()).await;
    world.settled().await;

    let file = world.folder().join("tandem.redb");
    world.service(Service::Tandem).limit_files(Some(fs::metadata(&file).unwrap().len()));
    for number in 0..RECORDS {
        world.site().crm.create(&Company::new(&format!("Smederij {number}")).as_customer()).await;
    }
    let told = wait_until_async("the full disk to be told", NOTICED_WITHIN, async || {
        match world.service(Service::Tandem).readiness().await {
            (false, told) if told.to_string().contains("is full") => Ok(told.to_string()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert!(told.contains("tandem.redb") && told.contains("make room"), "{told}");
    world.site().crm.change("Bakkerij De Korenaar", &json!({ "City": "Kampen" })).await;
    assert!(world.service_mut(Service::Tandem).process.is_running().unwrap());

    world.service(Service::Tandem).limit_files(None);
    world.settled_within(Duration::from_mins(2)).await;
    world.all_ready(NOTICED_WITHIN).await;
    assert_eq!(world.site().counts(), (RECORDS + 1, RECORDS + 1));
    assert_eq!(world.site().exact.find("Bakkerij De Korenaar").unwrap()["City"], "Kampen");
    world.end().await;
}
