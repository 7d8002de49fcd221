//! Quotations that are reviewed: a new record in Exact under the same number, and nothing new in the CRM.

use mapping::Reading;

use super::in_both_readings;
use super::papers::QUOTATIONS;
use super::world::World;

in_both_readings! {
    a_reviewed_quotation_moves_its_quote,
    a_quotation_that_is_reviewed_before_it_is_seen_becomes_one_quote,
    a_quotation_that_is_reviewed_twice_moves_its_quote_to_the_last,
}

const MOVED: [&str; 4] = [
    "CRM quote 1, 2 lines",
    "Exact quotation 1, 2 lines",
    "Exact quotation 2, 2 lines",
    "quote-quotation: quote 1 = quotation 2",
];

async fn a_reviewed_quotation_moves_its_quote(reading: Reading) {
    let world = World::start(reading).await;
    let quote = world.makes_in_crm("quotes", &world.quote());
    let quotation = world.partner("quote-quotation", &quote).await;
    world.comes_to_rest().await;
    world.reviews(&quotation);
    world.comes_to(&MOVED).await;
    assert_eq!(world.in_crm("quotes", &quote)["Name"], "Bolts, cheaper");
}

async fn a_quotation_that_is_reviewed_before_it_is_seen_becomes_one_quote(reading: Reading) {
    let world = World::start(reading).await;
    let quotation = world.makes_in_exact(QUOTATIONS, &world.quotation());
    world.reviews(&quotation);
    world.comes_to(&MOVED).await;
}

async fn a_quotation_that_is_reviewed_twice_moves_its_quote_to_the_last(reading: Reading) {
    let world = World::start(reading).await;
    let quotation = world.makes_in_exact(QUOTATIONS, &world.quotation());
    world.comes_to_rest().await;
    world.reviews(&quotation);
    let second = world.newest_quotation();
    world.reviews(&second);
    let mut expected = MOVED.to_vec();
    expected[3] = "quote-quotation: quote 1 = quotation 3";
    expected.push("Exact quotation 3, 2 lines");
    world.comes_to(&expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reviewed_quotation_moves_the_order_that_it_belongs_to() {
    let world = World::start(Reading::Practical).await;
    let order = world.makes_in_crm("orders", &world.order(Some("Draft")));
    let quotation = world.partner("order-quotation", &order).await;
    world.comes_to_rest().await;
    world.reviews(&quotation);
    world
        .comes_to(&[
            "CRM order 1, 2 lines",
            "Exact quotation 1, 2 lines",
            "Exact quotation 2, 2 lines",
            "order-quotation: order 1 = quotation 2",
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reviewed_quotation_moves_its_quote_and_the_order_made_of_it() {
    let world = World::start(Reading::Practical).await;
    let quote = world.makes_in_crm("quotes", &world.quote());
    let order = world.makes_in_crm("orders", &world.order_of(&quote, "Draft"));
    let quotation = world.partner("order-quotation", &order).await;
    world.comes_to_rest().await;
    world.reviews(&quotation);
    let mut expected = MOVED.to_vec();
    expected.push("CRM order 1, 2 lines");
    expected.push("order-quotation: order 1 = quotation 2, following quote-quotation");
    world.comes_to(&expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reviewed_quotation_of_a_user_makes_no_quote() {
    let world = World::start(Reading::Literal).await;
    let user = world.user("Sanne Bakker");
    let quotation = world.partner("user-quotation", &user).await;
    world.reviews(&quotation);
    world
        .comes_to(&[
            "- user-quotation: Sanne Bakker = Sanne Bakker",
            "Exact quotation 1, 1 lines",
            "user-quotation: Sanne Bakker = quotation 1",
        ])
        .await;
}
