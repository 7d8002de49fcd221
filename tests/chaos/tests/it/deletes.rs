use chaos::{ARRIVES_WITHIN, Company, Hosting, POLL, World};
use serde_json::json;

in_both_hostings!(a_deleted_record_archives_its_partner_and_is_not_made_anew);

async fn a_deleted_record_archives_its_partner_and_is_not_made_anew(hosting: Hosting) {
    let world = World::start(hosting).await;
    let site = world.site();
    site.crm.create(&Company::new("Rietdekkers Vonk").as_customer()).await;
    site.exact.create(&Company::new("Klompenmakerij Braam").as_account());
    world.settled().await;

    site.crm.delete("Rietdekkers Vonk").await;
    site.exact.wait_for("Rietdekkers Vonk", "Blocked", "true", ARRIVES_WITHIN).await;
    site.exact.delete("Klompenmakerij Braam");
    site.crm.wait_for("Klompenmakerij Braam", "IsActive", "false", ARRIVES_WITHIN).await;

    // What is left of them may still be edited; it brings nobody back and is carried nowhere.
    site.exact.change("Rietdekkers Vonk", &json!({ "City": "Ommen" }));
    site.crm.change("Klompenmakerij Braam", &json!({ "City": "Best" })).await;
    tokio::time::sleep(POLL * 8).await;
    assert_eq!(site.counts(), (1, 1), "a deleted record was made anew");
    world.end().await;
}
