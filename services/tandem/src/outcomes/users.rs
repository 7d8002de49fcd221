//! Users: whose quotations are whose, and in the literal reading one quotation for each.

use mapping::Reading;
use serde_json::json;

use super::papers::QUOTATIONS;
use super::world::World;

/// What every world begins with.
const BASE: [&str; 10] = [
    "CRM Acme",
    "CRM Bolt",
    "CRM Integration",
    "CRM Omar Visser",
    "CRM Robin Jansen",
    "CRM Sanne Bakker",
    "Exact Acme",
    "Exact Bolt",
    "customer-account: Acme = Acme",
    "product-item: Bolt = Bolt",
];

fn new_user(is_active: bool) -> serde_json::Value {
    json!({
        "FullName": "Zoë 客",
        "Email": "zoe@example.com",
        "Phone": "+31 20 555 0199",
        "IsActive": is_active,
    })
}

mod practical {
    use super::*;

    async fn start() -> World {
        World::start(Reading::Practical).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn users_whom_both_know_get_nothing() {
        let world = start().await;
        assert_eq!(world.base(), BASE);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_new_user_gets_nothing() {
        let world = start().await;
        world
            .simulated
            .exact
            .control()
            .add_person(simulator_exactonline::Person::new("Zoë", "zoe@example.com"));
        world.makes_in_crm("users", &new_user(true));
        world.comes_to(&["CRM user 1"]).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_quotation_with_a_sales_person_belongs_to_that_user() {
        let world = start().await;
        let mut quotation = world.quotation();
        quotation["SalesPerson"] = json!(world.simulated.exact.human_id);
        world.makes_in_exact(QUOTATIONS, &quotation);
        world
            .comes_to(&[
                "CRM quote 1, 2 lines",
                "Exact quotation 1, 2 lines",
                "quote-quotation: quote 1 = quotation 1",
                "user-quotation: Sanne Bakker = quotation 1",
            ])
            .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_quote_with_an_owner_gets_a_quotation_that_belongs_to_that_user() {
        let world = start().await;
        let mut quote = world.quote();
        quote["OwnerId"] = json!(world.user("Omar Visser"));
        world.makes_in_crm("quotes", &quote);
        world
            .comes_to(&[
                "CRM quote 1, 2 lines",
                "Exact quotation 1, 2 lines",
                "quote-quotation: quote 1 = quotation 1",
                "user-quotation: Omar Visser = quotation 1",
            ])
            .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_quotation_that_changes_hands_belongs_to_the_other_user() {
        let world = start().await;
        let mut quotation = world.quotation();
        quotation["SalesPerson"] = json!(world.simulated.exact.human_id);
        world.makes_in_exact(QUOTATIONS, &quotation);
        world.comes_to_rest().await;
        let quote = world.newest("quotes");
        world.changes_in_crm("quotes", &quote, &json!({ "OwnerId": world.user("Omar Visser") }));
        world
            .comes_to(&[
                "CRM quote 1, 2 lines",
                "Exact quotation 1, 2 lines",
                "quote-quotation: quote 1 = quotation 1",
                "user-quotation: Omar Visser = quotation 1",
            ])
            .await;
    }
}

mod literal {
    use super::*;

    async fn start() -> World {
        World::start(Reading::Literal).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_user_has_one_quotation_of_their_own() {
        let world = start().await;
        let mut expected: Vec<String> = BASE.iter().map(|line| (*line).to_owned()).collect();
        for of_our_own in ["Quotations of our own", "A user's own quotation"] {
            expected.extend([format!("CRM {of_our_own}"), format!("Exact {of_our_own}")]);
        }
        expected.push("customer-account: Quotations of our own = Quotations of our own".to_owned());
        expected.push("product-item: A user's own quotation = A user's own quotation".to_owned());
        for user in ["Integration", "Omar Visser", "Robin Jansen", "Sanne Bakker"] {
            expected.extend([format!("Exact {user}, 1 lines"), format!("user-quotation: {user} = {user}")]);
        }
        expected.sort();
        assert_eq!(world.base(), expected);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_new_user_gets_one_quotation_that_tells_of_them() {
        let world = start().await;
        let user = world.makes_in_crm("users", &new_user(true));
        world
            .comes_to(&["CRM user 1", "Exact quotation 1, 1 lines", "user-quotation: user 1 = quotation 1"])
            .await;
        let quotation = world.partner("user-quotation", &user).await;
        let quotation = world.in_exact(QUOTATIONS, &quotation);
        assert_eq!(quotation["Description"], "Zoë 客");
        let remarks = quotation["Remarks"].as_str().unwrap();
        assert!(remarks.contains("zoe@example.com") && remarks.contains("+31 20 555 0199"), "{remarks}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_user_who_is_not_active_gets_nothing() {
        let world = start().await;
        world.makes_in_crm("users", &new_user(false));
        world.comes_to(&["CRM user 1"]).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_quotation_with_a_sales_person_becomes_one_quote_and_no_user_s() {
        let world = start().await;
        let mut quotation = world.quotation();
        quotation["SalesPerson"] = json!(world.simulated.exact.human_id);
        world.makes_in_exact(QUOTATIONS, &quotation);
        world
            .comes_to(&[
                "CRM quote 1, 2 lines",
                "Exact quotation 1, 2 lines",
                "quote-quotation: quote 1 = quotation 1",
            ])
            .await;
    }
}
