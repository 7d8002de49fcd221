use chaos::{Company, Hosting, RECOVERS_WITHIN, World};
use serde_json::json;
use simulator_customcrm::{Effect, Fault as CrmFault};
use simulator_exactonline::{Fault as ExactFault, FaultKind};

in_both_hostings!(a_create_whose_answer_is_lost_makes_no_second_record);

async fn a_create_whose_answer_is_lost_makes_no_second_record(hosting: Hosting) {
    let world = World::start(hosting).await;
    let site = world.site();
    let lose_answers = ExactFault {
        method: Some("POST".to_owned()),
        path_contains: Some("crm/Accounts".to_owned()),
        count: 2,
        ..ExactFault::next(FaultKind::LoseAnswer)
    };
    site.exact.control().add_fault(lose_answers);
    site.crm.control().add_fault(CrmFault::next(Effect::LoseAnswer).on("POST", "customers").times(2));

    let (keyed, keyless) = (Company::new("Slagerij Van Dijk"), Company::without_key("Kapsalon Knip"));
    site.crm.create(&keyed.as_customer()).await;
    site.crm.create(&keyless.as_customer()).await;
    let (keyed_there, keyless_there) = (Company::new("Hotel Astoria"), Company::without_key("Café Central"));
    site.exact.create(&keyed_there.as_account());
    site.exact.create(&keyless_there.as_account());

    let companies = [keyed, keyless, keyed_there, keyless_there];
    for company in &companies {
        site.exact.wait_for(&company.name, "City", "Utrecht", RECOVERS_WITHIN).await;
        site.crm.wait_for(&company.name, "City", "Utrecht", RECOVERS_WITHIN).await;
    }
    assert!(site.exact.control().faults().is_empty(), "no create of an account lost its answer");
    assert!(site.crm.control().faults().is_empty(), "no create of a customer lost its answer");

    // What was made is known for what it is: an edit on the side where it was made comes back.
    for company in &companies {
        site.exact.change(&company.name, &json!({ "Phone": "+31 20 1" }));
        site.crm.change(&company.name, &json!({ "City": "Haarlem" })).await;
    }
    for company in &companies {
        site.crm.wait_for(&company.name, "Phone", "+31 20 1", RECOVERS_WITHIN).await;
        site.exact.wait_for(&company.name, "City", "Haarlem", RECOVERS_WITHIN).await;
    }
    world.settled().await;
    assert_eq!(site.counts(), (4, 4));
    world.end().await;
}
