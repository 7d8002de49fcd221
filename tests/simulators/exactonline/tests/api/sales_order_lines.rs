use serde_json::json;
use simulator_exactonline::Switches;

use crate::company::{business, switched};
use crate::sales_orders::{LINES, NOBODY, id_of};
use crate::shop::{Shop, version};

#[tokio::test]
async fn prices_that_include_vat_are_taken_apart() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let line = id_of(&shop.order_lines(&id).await[0]);
    shop.company.put_at(LINES, &line, r#"{"VATCode":"5","UnitPrice":12.10,"Quantity":1}"#).await;
    let line = shop.company.record_at(LINES, &line).await;
    assert_eq!((&line["AmountFC"], &line["VATAmount"]), (&json!(12.1), &json!(2.1)));
    let order = shop.stored(&id).await;
    assert_eq!((&order["AmountFCExclVat"], &order["AmountFC"]), (&json!(10.11), &json!(12.21)));
}

#[tokio::test]
async fn a_line_discount_is_a_fraction_and_prices_come_in_one_form() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let line = id_of(&shop.order_lines(&id).await[0]);
    let put = async |body: &str| {
        let answer = shop.company.put_at(LINES, &line, body).await;
        assert_eq!(answer.status, 204, "{body} {answer:?}");
        let stored = shop.company.record_at(LINES, &line).await;
        [&stored["UnitPrice"], &stored["Discount"], &stored["NetPrice"]].map(Clone::clone)
    };
    assert_eq!(put(r#"{"Discount":0.055}"#).await, [json!(10), json!(0.055), json!(9.45)]);
    assert_eq!(put(r#"{"NetPrice":9}"#).await, [json!(10), json!(0.1), json!(9)]);
    assert_eq!(put(r#"{"UnitPrice":20}"#).await, [json!(20), json!(0.1), json!(18)]);
    assert_eq!(put(r#"{"UnitPrice":20,"NetPrice":18}"#).await, [json!(20), json!(0.1), json!(18)]);
    assert_eq!(put(r#"{"UnitPrice":0}"#).await, [json!(0), json!(0.1), json!(0)]);
    assert_eq!(put(r#"{"NetPrice":7}"#).await, [json!(7), json!(0), json!(7)]);
    for (body, text) in [
        (r#"{"Discount":5.5}"#, "Invalid: Discount"),
        (r#"{"UnitPrice":20,"NetPrice":17}"#, "Invalid: Net price"),
        (r#"{"Quantity":79228162514264337593543950335,"UnitPrice":2}"#, "Invalid: Quantity"),
        (r#"{"UnitCode":"furlong"}"#, "Invalid reference: Unit"),
        (r#"{"VATCode":"77"}"#, "Invalid reference: VAT code"),
    ] {
        assert_eq!(shop.company.put_at(LINES, &line, body).await.error(), business(text), "{body}");
    }
}

#[tokio::test]
async fn an_item_that_is_not_sold_today_is_refused() {
    let shop = Shop::open().await;
    let item = async |rest: &str| {
        // The length makes a code of its own.
        let body = format!(r#"{{"Code":"{}","Description":"B",{rest}}}"#, rest.len());
        shop.company.create_at("logistics/Items", &body).await
    };
    let unsold = item(r#""IsPurchaseItem":true"#).await;
    let ended = item(r#""IsSalesItem":true,"EndDate":"2026-01-14""#).await;
    let future = item(r#""IsSalesItem":true,"StartDate":"2026-01-16T00:00:00""#).await;
    let last_day = item(r#""IsSalesItem":true,"EndDate":"2026-01-15T00:00:00","Notes":"x""#).await;
    let order = async |item: &str| {
        let body = format!(r#"{{"OrderedBy":"{}","SalesOrderLines":[{{"Item":"{item}"}}]}}"#, shop.customer);
        shop.refused(&body).await
    };
    assert_eq!(order(&unsold).await.error(), business("Mandatory: Sales"));
    assert_eq!(order(&ended).await.error(), business("Item: Inactive"));
    assert_eq!(order(&future).await.error(), business("Item: Future"));
    assert_eq!(order(NOBODY).await.error(), business("Invalid reference: Item"));
    assert_eq!(order(&last_day).await.status, 201);
    let all = format!(
        r#"{{"OrderedBy":"{}","SalesOrderLines":[{{"Item":"{unsold}"}},{{"Quantity":2}},{{"Item":"{ended}"}}]}}"#,
        shop.customer
    );
    let expected = "Mandatory: Sales\r\nMandatory: Item\r\nItem: Inactive";
    assert_eq!(shop.refused(&all).await.error(), business(expected), "all lines are told of in one text");
}

#[tokio::test]
async fn lines_are_added_changed_and_deleted_one_by_one() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let missing = shop.company.post_at(LINES, &format!(r#"{{"Item":"{}"}}"#, shop.nut)).await;
    assert_eq!(missing.error(), business("Mandatory: Sales order"));
    let body = format!(r#"{{"OrderID":"{id}","Item":"{}","Quantity":2,"UnitPrice":1}}"#, shop.nut);
    let third = shop.company.create_at(LINES, &body).await;
    assert_eq!(shop.company.record_at(LINES, &third).await["LineNumber"], json!(3));
    assert_eq!(shop.stored(&id).await["AmountFCExclVat"], json!(32.11));
    assert_eq!(shop.company.put_at(LINES, &third, r#"{"Quantity":4}"#).await.status, 204);
    assert_eq!(shop.stored(&id).await["AmountFCExclVat"], json!(34.11));
    for body in [r#"{"LineNumber":1}"#, r#"{"ItemCode":"x"}"#, r#"{"AmountDC":1}"#, r#"{"OrderStatus":21}"#] {
        assert_eq!(shop.company.put_at(LINES, &third, body).await.status, 500, "{body}");
    }
    assert_eq!(
        shop.company.put_at(LINES, &third, r#"{"Status":21}"#).await.status,
        400,
        "the feed alone has it"
    );
    let second_order = shop.order("").await;
    let moved = shop.company.put_at(LINES, &third, &format!(r#"{{"OrderID":"{second_order}"}}"#)).await;
    assert_eq!(moved.error(), business("Invalid: Sales order"));
    assert_eq!(shop.company.put_at(LINES, &third, &format!(r#"{{"OrderID":"{id}"}}"#)).await.status, 204);
    assert_eq!(shop.company.delete_at(LINES, &third).await.status, 204);
    assert_eq!(shop.company.deleted().await, [(33, third)]);
    assert_eq!(shop.order_lines(&id).await.len(), 2);
    let named = format!(
        r#"{{"OrderedBy":"{}","SalesOrderLines":[{{"OrderID":"{id}","Item":"{}"}}]}}"#,
        shop.customer, shop.nut
    );
    assert_eq!(shop.refused(&named).await.error(), business("Invalid: Sales order"));
}

#[tokio::test]
async fn the_last_line_stays_unless_switched_otherwise() {
    let shop = Shop::open().await;
    let id = shop.order("").await;
    let lines = shop.order_lines(&id).await;
    assert_eq!(shop.company.delete_at(LINES, &id_of(&lines[0])).await.status, 204);
    let refused = shop.company.delete_at(LINES, &id_of(&lines[1])).await;
    assert_eq!(refused.error(), business("Mandatory: Sales order lines"));
    shop.company.control().set_switches(Switches { last_line_deletable: true, ..Switches::default() });
    assert_eq!(shop.company.delete_at(LINES, &id_of(&lines[1])).await.status, 204);
    assert_eq!(shop.stored(&id).await["AmountFC"], json!(0));
}

#[tokio::test]
async fn a_line_gives_its_header_a_row_version_only_where_switched_so() {
    let switches = Switches { line_changes_touch_header: true, ..Switches::default() };
    let shop = Shop::open_with(switched(switches)).await;
    let id = shop.order("").await;
    let header = async || version(&shop.company, "SalesOrder/SalesOrderHeaders", "OrderID", &id).await;
    let modified = shop.stored(&id).await["Modified"].clone();
    shop.company.control().advance_clock(60);
    let first = header().await;
    let line = shop.company.create_at(LINES, &format!(r#"{{"OrderID":"{id}","Item":"{}"}}"#, shop.nut)).await;
    let second = header().await;
    shop.company.put_at(LINES, &line, r#"{"Quantity":5}"#).await;
    let third = header().await;
    shop.company.delete_at(LINES, &line).await;
    assert!(first < second && second < third && third < header().await);
    assert_eq!(shop.stored(&id).await["Modified"], modified);
}
