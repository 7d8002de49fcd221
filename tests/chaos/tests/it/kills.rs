use std::time::Duration;

use chaos::{Company, Hosting, Service, World};
use serde_json::json;

/// People go on while a service is dead: this many edits, of which every fourth is joined by a new record.
const EDITS: usize = 24;
const RECORDS: usize = 8;
const PAUSE: Duration = Duration::from_millis(60);

macro_rules! survived {
    ($($promise:ident: $hosting:ident, $service:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            killed_in_mid_flow(Hosting::$hosting, Service::$service).await;
        }
    )*};
}

survived! {
    kill_nine_of_the_crm_collector_makes_no_duplicate_and_loses_no_edit: Processes, CollectorCustomCrm;
    kill_nine_of_the_exact_collector_makes_no_duplicate_and_loses_no_edit: Processes, CollectorExactOnline;
    kill_nine_of_the_mapper_makes_no_duplicate_and_loses_no_edit: Processes, Mapper;
    kill_nine_of_the_crm_writer_makes_no_duplicate_and_loses_no_edit: Processes, WriterCustomCrm;
    kill_nine_of_the_exact_writer_makes_no_duplicate_and_loses_no_edit: Processes, WriterExactOnline;
    kill_nine_of_the_one_process_makes_no_duplicate_and_loses_no_edit: OneProcess, Tandem;
}

async fn killed_in_mid_flow(hosting: Hosting, service: Service) {
    let mut world = World::start(hosting).await;
    let name = |number: usize| format!("Installatiebedrijf {}", number % RECORDS);
    for number in 0..RECORDS / 2 {
        world.site().crm.create(&Company::new(&name(2 * number)).as_customer()).await;
        world.site().exact.create(&Company::new(&name(2 * number + 1)).as_account());
    }
    world.settled().await;

    let mut records = RECORDS;
    for edit in 0..EDITS {
        match edit {
            8 => world.kill_nine(service),
            16 => world.spawn(service),
            _ => {}
        }
        let site = world.site();
        site.crm.change(&name(edit), &json!({ "City": format!("Zwolle {edit}") })).await;
        site.exact.change(&name(edit), &json!({ "Phone": format!("+31 38 {edit}") }));
        if edit % 4 == 0 {
            // One with a match key, one without.
            site.crm.create(&Company::new(&format!("Nieuw in CRM {edit}")).as_customer()).await;
            site.crm.create(&Company::without_key(&format!("Los in CRM {edit}")).as_customer()).await;
            site.exact.create(&Company::new(&format!("Nieuw in Exact {edit}")).as_account());
            site.exact.create(&Company::without_key(&format!("Los in Exact {edit}")).as_account());
            records += 4;
        }
        tokio::time::sleep(PAUSE).await;
    }
    world.settled().await;

    let site = world.site();
    assert_eq!(site.counts(), (records, records));
    for edit in EDITS - RECORDS..EDITS {
        let (customer, account) =
            (site.crm.find(&name(edit)).unwrap(), site.exact.find(&name(edit)).unwrap());
        assert_eq!(customer["City"], format!("Zwolle {edit}"), "an edit in the CRM is lost");
        assert_eq!(account["Phone"], format!("+31 38 {edit}"), "an edit in Exact is lost");
    }
    // All that was made is linked: edits of it arrive.
    for edit in (0..EDITS).step_by(8) {
        for made in ["Nieuw in CRM", "Los in CRM", "Nieuw in Exact", "Los in Exact"] {
            let name = format!("{made} {edit}");
            site.crm.change(&name, &json!({ "City": "Assen" })).await;
            site.exact.change(&name, &json!({ "Phone": "+31 592 1" }));
        }
    }
    world.settled().await;
    assert_eq!(world.site().counts(), (records, records));
    world.end().await;
}
