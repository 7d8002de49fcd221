use chaos::{Company, Hosting, RECOVERS_WITHIN, Site, World};
use serde_json::json;
use simulator_customcrm::{Effect, Fault as CrmFault};
use simulator_exactonline::{Fault as ExactFault, FaultKind};

/// Two companies entered in the CRM and two in Exact, of each one without any match key, whose partners are made, and
/// the answers to the making are lost.
struct Lost {
    in_crm: [Company; 2],
    in_exact: [Company; 2],
}

impl Lost {
    async fn enter(site: &Site) -> Self {
        let lose_answers = ExactFault {
            method: Some("POST".to_owned()),
            path_contains: Some("crm/Accounts".to_owned()),
            count: 2,
            ..ExactFault::next(FaultKind::LoseAnswer)
        };
        site.exact.control().add_fault(lose_answers);
        let in_crm = [Company::new("Slagerij Van Dijk"), Company::without_key("Kapsalon Knip")];
        for company in &in_crm {
            site.crm.create(&company.as_customer()).await;
        }
        // Not before, because it hits people's calls as well.
        site.crm.control().add_fault(CrmFault::next(Effect::LoseAnswer).on("POST", "customers").times(2));
        let in_exact = [Company::new("Hotel Astoria"), Company::without_key("Café Central")];
        for company in &in_exact {
            site.exact.create(&company.as_account());
        }
        for company in in_crm.iter().chain(&in_exact) {
            site.exact.wait_for(&company.name, "City", "Utrecht", RECOVERS_WITHIN).await;
            site.crm.wait_for(&company.name, "City", "Utrecht", RECOVERS_WITHIN).await;
        }
        assert!(site.exact.control().faults().is_empty(), "no create of an account lost its answer");
        assert!(site.crm.control().faults().is_empty(), "no create of a customer lost its answer");
        Self { in_crm, in_exact }
    }

    /// People edit on the side where the companies were entered, and the edits arrive.
    async fn edit_what_was_entered(&self, site: &Site) {
        for company in &self.in_crm {
            site.crm.change(&company.name, &json!({ "City": "Haarlem" })).await;
        }
        for company in &self.in_exact {
            site.exact.change(&company.name, &json!({ "City": "Haarlem" }));
        }
        for company in &self.in_crm {
            site.exact.wait_for(&company.name, "City", "Haarlem", RECOVERS_WITHIN).await;
        }
        for company in &self.in_exact {
            site.crm.wait_for(&company.name, "City", "Haarlem", RECOVERS_WITHIN).await;
        }
    }

    /// People edit what was made of it on the other side, and the edits come back.
    async fn edit_what_was_made(&self, site: &Site) {
        for company in &self.in_crm {
            site.exact.change(&company.name, &json!({ "Phone": "+31 20 1" }));
        }
        for company in &self.in_exact {
            site.crm.change(&company.name, &json!({ "Phone": "+31 20 1" })).await;
        }
        for company in &self.in_crm {
            site.crm.wait_for(&company.name, "Phone", "+31 20 1", RECOVERS_WITHIN).await;
        }
        for company in &self.in_exact {
            site.exact.wait_for(&company.name, "Phone", "+31 20 1", RECOVERS_WITHIN).await;
        }
    }
}

in_both_hostings!(a_create_whose_answer_is_lost_makes_no_second_record);

async fn a_create_whose_answer_is_lost_makes_no_second_record(hosting: Hosting) {
    let world = World::start(hosting).await;
    let site = world.site();
    let lost = Lost::enter(site).await;
    lost.edit_what_was_entered(site).await;
    lost.edit_what_was_made(site).await;
    world.settled().await;
    assert_eq!(site.counts(), (4, 4));
    world.end().await;
}

in_both_hostings!(a_record_that_a_person_edits_before_its_creates_answer_is_known_makes_no_second_one);

async fn a_record_that_a_person_edits_before_its_creates_answer_is_known_makes_no_second_one(
    hosting: Hosting,
) {
    let world = World::start(hosting).await;
    let site = world.site();
    let lost = Lost::enter(site).await;
    lost.edit_what_was_made(site).await;
    lost.edit_what_was_entered(site).await;
    world.settled().await;
    assert_eq!(site.counts(), (4, 4));
    world.end().await;
}
