use crms::{COLLECTIONS, JsonServer, skipped};
use serde_json::json;

use crate::runs;

#[tokio::test]
async fn json_server_does_what_a_person_asks_and_ends_with_its_handle() {
    let server = match JsonServer::start().await {
        Ok(server) => server,
        Err(why) => return skipped(&why),
    };
    let crm = &server.crm;
    for collection in COLLECTIONS {
        let records = crm.records(collection).await;
        assert!(!records.is_empty(), "{collection}");
        assert!(records.iter().all(|record| record["id"].is_string()), "{records:?}");
    }
    let id = crm.create("customers", &json!({ "Name": "Bakkerij", "CreditLimit": 12.5 })).await;
    crm.change("customers", &id, &json!({ "City": "Gouda" })).await;
    let expected = json!({ "id": id, "Name": "Bakkerij", "CreditLimit": 12.5, "City": "Gouda" });
    assert_eq!(crm.record("customers", &id).await, Some(expected));

    let lines = json!([{ "ProductId": "product00000001", "Quantity": 1 }]);
    let order = crm.create("orders", &json!({ "Status": "Draft", "Lines": lines })).await;
    crm.add_line("orders", &order, &json!({ "ProductId": "product00000002", "Quantity": 2 })).await;
    crm.change_line("orders", &order, 1, &json!({ "Quantity": 3 })).await;
    crm.remove_line("orders", &order, 0).await;
    let left = crm.record("orders", &order).await.unwrap();
    assert_eq!(left["Lines"], json!([{ "ProductId": "product00000002", "Quantity": 3 }]));

    crm.delete("customers", &id).await;
    assert_eq!(crm.record("customers", &id).await, None);
    let pid = server.pid();
    assert!(runs(pid));
    drop(server);
    assert!(!runs(pid));
}
