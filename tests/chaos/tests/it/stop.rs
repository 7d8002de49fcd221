use std::time::{Duration, Instant};

use chaos::{Company, Hosting, World};
use serde_json::json;

in_both_hostings!(sigterm_stops_each_service_cleanly_within_its_grace);

async fn sigterm_stops_each_service_cleanly_within_its_grace(hosting: Hosting) {
    let mut world = World::start(hosting).await;
    for number in 0..6 {
        world.site().crm.create(&Company::new(&format!("Boekhandel Bos {number}")).as_customer()).await;
    }
    world.settled().await;

    for (round, service) in hosting.services().iter().enumerate() {
        // In mid-flow: a stop finishes what is in hand and takes nothing more.
        for number in 0..6 {
            let name = format!("Boekhandel Bos {number}");
            world.site().crm.change(&name, &json!({ "City": format!("Breda {round}") })).await;
            world.site().exact.change(&name, &json!({ "Phone": format!("+31 76 {round}") }));
        }
        let begun = Instant::now();
        // The grace is 5 s.
        let code = world.service_mut(*service).stop(Duration::from_secs(7));
        println!("{} stopped in {} ms", service.name(), begun.elapsed().as_millis());
        assert_eq!(code, Some(0), "{}", service.name());
        let running = world.service(*service);
        assert!(running.has_logged("asked to stop"), "{}", service.name());
        assert!(!running.has_logged("ignored the shutdown"), "{}", service.name());
        world.spawn(*service);
    }
    world.settled().await;
    assert_eq!(world.site().counts(), (6, 6));
    world.end().await;
}
