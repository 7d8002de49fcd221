//! Quotations that are accepted in Exact, which makes a sales order of them.

use mapping::Reading;

use super::in_both_readings;
use super::papers::QUOTATIONS;
use super::world::World;

in_both_readings! {
    an_accepted_quotation_makes_no_second_order,
    an_accepted_quotation_that_nobody_made_an_order_of_becomes_one_order,
}

const OF_QUOTE: [&str; 7] = [
    "CRM order 1, 2 lines",
    "CRM quote 1, 2 lines",
    "Exact quotation 1, 2 lines",
    "Exact sales order 1, 2 lines",
    "quote-quotation: quote 1 = quotation 1",
    "order-quotation: order 1 = quotation 1, following quote-quotation",
    "order-salesorder: order 1 = sales order 1",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accepted_quotation_s_sales_order_belongs_to_the_order_of_its_quote() {
    let world = World::start(Reading::Practical).await;
    let quote = world.makes_in_crm("quotes", &world.quote());
    let order = world.makes_in_crm("orders", &world.order_of(&quote, "Draft"));
    let quotation = world.partner("order-quotation", &order).await;
    world.comes_to_rest().await;
    world.accepts(&quotation);
    world.comes_to(&OF_QUOTE).await;
    assert!(world.in_crm("orders", &order)["CustomerReference"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accepted_quotation_s_sales_order_belongs_to_its_own_order() {
    let world = World::start(Reading::Practical).await;
    let order = world.makes_in_crm("orders", &world.order(Some("Draft")));
    let quotation = world.partner("order-quotation", &order).await;
    world.comes_to_rest().await;
    world.accepts(&quotation);
    world
        .comes_to(&[
            "CRM order 1, 2 lines",
            "Exact quotation 1, 2 lines",
            "Exact sales order 1, 2 lines",
            "order-quotation: order 1 = quotation 1",
            "order-salesorder: order 1 = sales order 1",
        ])
        .await;
    assert!(world.in_crm("orders", &order)["CustomerReference"].is_null());
}

/// The order has its sales order; accepting the quotation makes another one in Exact, which waits for a person.
async fn an_accepted_quotation_makes_no_second_order(reading: Reading) {
    let world = World::start(reading).await;
    let quote = world.makes_in_crm("quotes", &world.quote());
    let order = world.makes_in_crm("orders", &world.order_of(&quote, "Confirmed"));
    let quotation = world.partner("order-quotation", &order).await;
    world.partner("order-salesorder", &order).await;
    world.comes_to_rest().await;
    world.accepts(&quotation);
    let second = ["Exact sales order 2, 2 lines", "order-salesorder: nothing = sales order 2, ambiguous"];
    world.comes_to(&[&OF_QUOTE[..], &second].concat()).await;
}

async fn an_accepted_quotation_that_nobody_made_an_order_of_becomes_one_order(reading: Reading) {
    let world = World::start(reading).await;
    let quotation = world.makes_in_exact(QUOTATIONS, &world.quotation());
    world.comes_to_rest().await;
    world.accepts(&quotation);
    let mut expected = OF_QUOTE.to_vec();
    expected.remove(5);
    if reading == Reading::Literal {
        expected.extend(["Exact quotation 2, 2 lines", "order-quotation: order 1 = quotation 2"]);
    }
    world.comes_to(&expected).await;
}
