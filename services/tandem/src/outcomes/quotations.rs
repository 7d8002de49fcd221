//! Quotes and quotations.

use mapping::Reading;
use serde_json::json;

use super::in_both_readings;
use super::papers::QUOTATIONS;
use super::world::World;

in_both_readings! {
    a_quote_gets_one_quotation_and_nothing_else,
    a_quote_of_any_status_gets_one_quotation,
    a_new_quotation_becomes_one_quote_and_no_order_and_no_user,
    two_quotations_of_one_content_become_two_quotes,
}

const A_QUOTE: [&str; 3] =
    ["CRM quote 1, 2 lines", "Exact quotation 1, 2 lines", "quote-quotation: quote 1 = quotation 1"];

async fn a_quote_gets_one_quotation_and_nothing_else(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_crm("quotes", &world.quote());
    world.comes_to(&A_QUOTE).await;
}

async fn a_quote_of_any_status_gets_one_quotation(reading: Reading) {
    let world = World::start(reading).await;
    let mut quote = world.quote();
    quote["Status"] = json!("Expired");
    quote["CustomerReference"] = json!("PO 7 \u{202e}🧾");
    world.makes_in_crm("quotes", &quote);
    world.comes_to(&A_QUOTE).await;
}

async fn a_new_quotation_becomes_one_quote_and_no_order_and_no_user(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_exact(QUOTATIONS, &world.quotation());
    world.comes_to(&A_QUOTE).await;
}

async fn two_quotations_of_one_content_become_two_quotes(reading: Reading) {
    let world = World::start(reading).await;
    world.makes_in_exact(QUOTATIONS, &world.quotation());
    world.comes_to_rest().await;
    world.makes_in_crm("quotes", &world.quote());
    world
        .comes_to(&[
            "CRM quote 1, 2 lines",
            "CRM quote 2, 2 lines",
            "Exact quotation 1, 2 lines",
            "Exact quotation 2, 2 lines",
            "quote-quotation: quote 1 = quotation 1",
            "quote-quotation: quote 2 = quotation 2",
        ])
        .await;
}
