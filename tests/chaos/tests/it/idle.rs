use std::fs;
use std::time::Duration;

use chaos::{Company, Hosting, Running, World};

/// What a service may hold at rest.
const RESIDENT_KIB_MAX: u64 = 30 * 1024;

/// The pages of the binary itself that are in memory, in KiB.
fn mapped_code_kib(running: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.process.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
    line.trim().strip_suffix("kB").unwrap().trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_idles_under_30_mib_resident() {
    let world = World::start(Hosting::Processes).await;
    world.site().crm.create(&Company::new("Rustpunt").as_customer()).await;
    world.settled().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for running in world.services() {
        let (service, resident) = (running.service.name(), running.process.resident_kib().unwrap());
        let code = mapped_code_kib(running);
        println!("{service} idles at {resident} KiB resident, of which {code} KiB are its binary");
        // Code that is not optimised is several times as large, and nobody runs it: a debug build is measured without.
        let counted = if cfg!(debug_assertions) { resident - code } else { resident };
        assert!(counted < RESIDENT_KIB_MAX, "{service} holds {counted} KiB");
    }
    world.end().await;
}
