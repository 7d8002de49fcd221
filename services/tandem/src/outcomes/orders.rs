//! Orders of the CRM, and sales orders of Exact.

use mapping::Reading;

use super::papers::SALES_ORDERS;
use super::world::World;

const ORDER: &str = "CRM order 1, 2 lines";
const QUOTE: &str = "CRM quote 1, 2 lines";
const QUOTATION: &str = "Exact quotation 1, 2 lines";
const SALES_ORDER: &str = "Exact sales order 1, 2 lines";
const HAS_QUOTATION: &str = "order-quotation: order 1 = quotation 1";
const HAS_SALES_ORDER: &str = "order-salesorder: order 1 = sales order 1";
const QUOTE_HAS_QUOTATION: &str = "quote-quotation: quote 1 = quotation 1";
const FOLLOWS_QUOTE: &str = "order-quotation: order 1 = quotation 1, following quote-quotation";

mod practical {
    use super::*;

    async fn start() -> World {
        World::start(Reading::Practical).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_draft_order_gets_one_quotation_and_nothing_else() {
        let world = start().await;
        world.makes_in_crm("orders", &world.order(Some("Draft")));
        world.comes_to(&[ORDER, QUOTATION, HAS_QUOTATION]).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_open_order_gets_one_quotation_and_nothing_else() {
        let world = start().await;
        world.makes_in_crm("orders", &world.order(Some("Open")));
        world.comes_to(&[ORDER, QUOTATION, HAS_QUOTATION]).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_order_without_a_status_is_left_alone() {
        let world = start().await;
        world.makes_in_crm("orders", &world.order(None));
        world.comes_to(&[ORDER]).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_confirmed_order_gets_one_sales_order() {
        let world = start().await;
        world.makes_in_crm("orders", &world.order(Some("Confirmed")));
        world.comes_to(&[ORDER, SALES_ORDER, HAS_SALES_ORDER]).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_order_of_any_later_status_gets_one_sales_order() {
        let world = start().await;
        for status in ["PartlyDelivered", "Complete", "Cancelled"] {
            world.makes_in_crm("orders", &world.order(Some(status)));
            world.comes_to_rest().await;
        }
        let expected = (1..=3).flat_map(|at| {
            [
                format!("CRM order {at}, 2 lines"),
                format!("Exact sales order {at}, 2 lines"),
                format!("order-salesorder: order {at} = sales order {at}"),
            ]
        });
        world.comes_to(&expected.collect::<Vec<_>>()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_order_made_of_a_quote_takes_over_the_quotes_quotation() {
        let world = start().await;
        let quote = world.makes_in_crm("quotes", &world.quote());
        world.partner("quote-quotation", &quote).await;
        world.makes_in_crm("orders", &world.order_of(&quote, "Draft"));
        world.comes_to(&[ORDER, QUOTE, QUOTATION, QUOTE_HAS_QUOTATION, FOLLOWS_QUOTE]).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_order_made_together_with_its_quote_takes_over_the_quotes_quotation() {
        let world = start().await;
        let quote = world.makes_in_crm("quotes", &world.quote());
        world.makes_in_crm("orders", &world.order_of(&quote, "Draft"));
        world.comes_to(&[ORDER, QUOTE, QUOTATION, QUOTE_HAS_QUOTATION, FOLLOWS_QUOTE]).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_confirmed_order_made_of_a_quote_has_its_quotation_and_one_sales_order() {
        let world = start().await;
        let quote = world.makes_in_crm("quotes", &world.quote());
        world.makes_in_crm("orders", &world.order_of(&quote, "Confirmed"));
        let sold = [SALES_ORDER, HAS_SALES_ORDER];
        let expected = [ORDER, QUOTE, QUOTATION, QUOTE_HAS_QUOTATION, FOLLOWS_QUOTE];
        world.comes_to(&[&expected[..], &sold].concat()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_draft_order_that_is_confirmed_keeps_its_quotation_and_gets_one_sales_order() {
        let world = start().await;
        let order = world.makes_in_crm("orders", &world.order(Some("Draft")));
        world.partner("order-quotation", &order).await;
        world.comes_to_rest().await;
        world.changes_in_crm("orders", &order, &serde_json::json!({ "Status": "Confirmed" }));
        world.comes_to(&[ORDER, QUOTATION, SALES_ORDER, HAS_QUOTATION, HAS_SALES_ORDER]).await;
        assert_eq!(world.in_crm("orders", &order)["Status"], "Confirmed");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_sales_order_becomes_one_order_and_nothing_else() {
        let world = start().await;
        world.makes_in_exact(SALES_ORDERS, &world.sales_order());
        world.comes_to(&[ORDER, SALES_ORDER, HAS_SALES_ORDER]).await;
    }
}

mod literal {
    use super::*;

    const EVERYTHING: [&str; 5] = [ORDER, QUOTATION, SALES_ORDER, HAS_QUOTATION, HAS_SALES_ORDER];

    async fn start() -> World {
        World::start(Reading::Literal).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_draft_order_has_a_quotation_and_a_sales_order() {
        let world = start().await;
        world.makes_in_crm("orders", &world.order(Some("Draft")));
        world.comes_to(&EVERYTHING).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_order_has_a_quotation_and_a_sales_order() {
        let world = start().await;
        let all = [Some("Open"), Some("Confirmed"), Some("PartlyDelivered"), Some("Cancelled"), None];
        for status in all {
            world.makes_in_crm("orders", &world.order(status));
            world.comes_to_rest().await;
        }
        let expected = (1..=all.len()).flat_map(|at| {
            [
                format!("CRM order {at}, 2 lines"),
                format!("Exact quotation {at}, 2 lines"),
                format!("Exact sales order {at}, 2 lines"),
                format!("order-quotation: order {at} = quotation {at}"),
                format!("order-salesorder: order {at} = sales order {at}"),
            ]
        });
        world.comes_to(&expected.collect::<Vec<_>>()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_sales_order_becomes_one_order_with_a_quotation() {
        let world = start().await;
        world.makes_in_exact(SALES_ORDERS, &world.sales_order());
        world.comes_to(&EVERYTHING).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_order_made_of_a_quote_takes_over_its_quotation_and_gets_one_sales_order() {
        let world = start().await;
        let quote = world.makes_in_crm("quotes", &world.quote());
        world.makes_in_crm("orders", &world.order_of(&quote, "Draft"));
        let sold = [SALES_ORDER, HAS_SALES_ORDER];
        let expected = [ORDER, QUOTE, QUOTATION, QUOTE_HAS_QUOTATION, FOLLOWS_QUOTE];
        world.comes_to(&[&expected[..], &sold].concat()).await;
    }
}
