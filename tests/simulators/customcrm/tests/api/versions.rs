//! Versions, who changed what, and stale writers.

use reqwest::Method;

use crate::crm::{Crm, Seen, see, with_json};

async fn patch_if(crm: &Crm, path: &str, tag: &str, json: &str) -> Seen {
    see(with_json(crm.call(Method::PATCH, path).header("If-Match", tag), json)).await
}

#[tokio::test]
async fn a_change_raises_the_version_and_names_who_made_it() {
    let crm = Crm::start().await;
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    let created = crm.get(&path).await.json();
    let human = crm.call_as(&crm.running.human_token, Method::PATCH, &path);
    let patched = see(with_json(human, r#"{"City":"Delft"}"#)).await;
    assert_eq!(patched.header("etag"), "\"2\"");
    assert_eq!(patched.member("Version"), 2);
    assert_eq!(patched.member("ModifiedBy"), crm.running.human_user_id.as_str());
    assert_eq!(patched.member("CreatedAt"), created["CreatedAt"]);
    assert!(patched.member("ModifiedAt").as_str() >= created["ModifiedAt"].as_str());
    assert_eq!(crm.get(&path).await.header("etag"), "\"2\"");
}

#[tokio::test]
async fn a_patch_that_changes_nothing_leaves_the_record_as_it_is() {
    let crm = Crm::start().await;
    let path = crm.customer(r#"{"Name":"A","CreditLimit":12.50,"City":"Delft"}"#).await;
    let before = crm.get(&path).await.text;
    for json in ["{}", r#"{"Name":"A"}"#, r#"{"CreditLimit":12.5}"#, r#"{"Phone":null,"City":"Delft"}"#] {
        let human = crm.call_as(&crm.running.human_token, Method::PATCH, &path);
        let patched = see(with_json(human, json)).await;
        assert_eq!((patched.status.as_u16(), patched.text.as_str()), (200, before.as_str()), "{json}");
        assert_eq!(patched.header("etag"), "\"1\"");
    }
    assert_eq!(crm.patch(&path, r#"{"City":"delft"}"#).await.member("Version"), 2);
}

#[tokio::test]
async fn a_stale_writer_is_stopped() {
    let crm = Crm::start().await;
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    assert_eq!(patch_if(&crm, &path, "\"1\"", r#"{"City":"B"}"#).await.status, 200);
    patch_if(&crm, &path, "\"1\"", r#"{"City":"C"}"#).await.problem(412);
    patch_if(&crm, &path, "\"1\"", r#"{"City":"B"}"#).await.problem(412);
    patch_if(&crm, &path, "W/\"2\"", r#"{"City":"C"}"#).await.problem(412);
    see(crm.call(Method::DELETE, &path).header("If-Match", "\"1\"")).await.problem(412);
    assert_eq!(crm.get(&path).await.member("City"), "B");
    patch_if(&crm, &path, "2", r#"{"City":"C"}"#).await.problem(400);
    assert_eq!(patch_if(&crm, &path, "\"9\", \"2\"", r#"{"City":"C"}"#).await.status, 200);
    assert_eq!(patch_if(&crm, &path, "*", r#"{"City":"D"}"#).await.status, 200);
    let deleted = see(crm.call(Method::DELETE, &path).header("If-Match", "\"4\"")).await;
    assert_eq!(deleted.status, 204);
}

#[tokio::test]
async fn of_writers_with_the_same_version_one_wins() {
    let crm = Crm::start().await;
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    let cities: Vec<String> = (0..8).map(|number| format!("{{\"City\":\"{number}\"}}")).collect();
    let mut writers = tokio::task::JoinSet::new();
    for city in cities {
        let call = crm.call(Method::PATCH, &path).header("If-Match", "\"1\"");
        writers.spawn(async move { see(with_json(call, &city)).await.status.as_u16() });
    }
    let mut statuses = writers.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    assert_eq!(crm.get(&path).await.member("Version"), 2);
}

#[tokio::test]
async fn two_changes_can_share_a_millisecond() {
    let crm = Crm::start().await;
    crm.running.control.freeze_clock(Some("2026-11-22T10:00:00.1239Z".parse().unwrap()));
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    let patched = crm.patch(&path, r#"{"City":"B"}"#).await;
    assert_eq!(patched.member("Version"), 2);
    assert_eq!(patched.member("ModifiedAt"), "2026-11-22T10:00:00.123Z");
    assert_eq!(patched.member("CreatedAt"), "2026-11-22T10:00:00.123Z");
}
