//! The sales price of an item, which Exact keeps in a record of its own, where the pair says that it flows both ways.

use mapping::{Pair, Reading};
use serde_json::{Value, json};

use super::in_both_readings;
use super::world::World;
use crate::shipped;

in_both_readings! {
    a_price_that_flows_both_ways_is_kept_in_the_one_record_that_its_item_came_with,
}

const PRICES: &str = "logistics/SalesItemPrices";

/// What an operator changes in the file of products.
const SWITCH: [&str; 2] =
    ["direction = \"to-crm\"\n# written_to = \"SalesItemPrices\"\n", "written_to = \"SalesItemPrices\"\n"];

/// The shipped pairs with the price switched on.
fn with_prices(reading: Reading) -> Vec<Pair> {
    let text = include_str!("../../../../deploy/pairs/product-item.toml");
    assert!(text.contains(SWITCH[0]));
    let mut pairs = shipped::pairs(reading).unwrap();
    let kept = pairs.iter().map(|pair| pair.name.clone()).collect();
    let text = text.replacen(SWITCH[0], SWITCH[1], 1);
    let products = Pair::parse("product-item.toml", &text, reading, &kept).unwrap();
    let shipped = pairs.iter_mut().find(|pair| pair.name == products.name).unwrap();
    *shipped = products;
    exactonline::kept(&pairs).unwrap();
    pairs
}

impl World {
    /// The price records of an item.
    fn prices(&self, item: &str) -> Vec<Value> {
        self.lists(PRICES).into_iter().filter(|price| price["Item"] == item).collect()
    }

    #[track_caller]
    fn has_one_price(&self, item: &str, price: &Value) -> String {
        let prices = self.prices(item);
        assert_eq!(prices.iter().map(|price| &price["Price"]).collect::<Vec<_>>(), [price]);
        prices[0]["ID"].as_str().unwrap().to_owned()
    }
}

async fn a_price_that_flows_both_ways_is_kept_in_the_one_record_that_its_item_came_with(reading: Reading) {
    let world = World::start_with(with_prices(reading), reading).await;
    let product = &world.product;

    let written = world.writes().len();
    world.changes_in_crm("products", &product.crm, &json!({ "SalesPrice": 12.5 }));
    world.comes_to_rest().await;
    let price = world.has_one_price(&product.exact, &json!(12.5));
    // Our own write comes back and nothing follows from it.
    let writes = world.writes().split_off(written);
    assert!(writes.len() == 1 && writes[0].contains(&price), "{writes:?}");

    world.changes_in_exact(PRICES, &price, &json!({ "Price": 14.25 }));
    world.comes_to_rest().await;
    assert_eq!(world.in_crm("products", &product.crm)["SalesPrice"], json!(14.25));
    world.has_one_price(&product.exact, &json!(14.25));

    let nut = json!({ "Code": "NUT", "Name": "Nut", "SalesPrice": 3.2 });
    let nut = world.makes_in_crm("products", &nut);
    world.comes_to(&["CRM product 1", "Exact item 1", "product-item: product 1 = item 1"]).await;
    let item = world.partner("product-item", &nut).await;
    world.has_one_price(&item, &json!(3.2));
    assert_eq!(world.in_crm("products", &nut)["SalesPrice"], json!(3.2));
}
