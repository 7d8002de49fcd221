use std::time::Duration;

use chaos::{Company, Hosting, World};

/// What a service may hold at rest.
const RESIDENT_KIB_MAX: u64 = 30 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_idles_under_30_mib_resident() {
    let world = World::start(Hosting::Processes).await;
    world.site().crm.create(&Company::new("Rustpunt").as_customer()).await;
    world.settled().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let figures: Vec<(&str, u64)> = world
        .services()
        .map(|running| (running.service.name(), running.process.resident_kib().unwrap()))
        .collect();
    for (service, kib) in &figures {
        println!("{service} idles at {:.1} MiB", f64::from(u32::try_from(*kib).unwrap()) / 1024.0);
    }
    assert!(figures.iter().all(|(_, kib)| *kib < RESIDENT_KIB_MAX), "{figures:?}");
    world.end().await;
}
