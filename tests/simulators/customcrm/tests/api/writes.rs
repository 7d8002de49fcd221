//! Creating, changing and deleting.

use reqwest::Method;
use simulator_customcrm::Settings;

use crate::crm::{Crm, see, with_json};

#[tokio::test]
async fn a_created_record_comes_back_whole() {
    let crm = Crm::start().await;
    let created = crm.post("/customers", r#"{"Name":"Anker","City":"Delft"}"#).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.header("etag"), "\"1\"");
    assert_eq!(created.header("content-type"), "application/json");
    let record = created.json();
    assert_eq!(record["Name"], "Anker");
    assert_eq!(record["IsActive"], true);
    assert_eq!(record["IsDeleted"], false);
    assert_eq!(record["Version"], 1);
    assert_eq!(record["ModifiedBy"], crm.running.api_user_id.as_str());
    assert_eq!(record["CreatedAt"], record["ModifiedAt"]);
    assert!(record["Phone"].is_null() && record.get("Phone").is_some());
    let at = record["ModifiedAt"].as_str().unwrap();
    assert!(at.len() == 24 && at.as_bytes()[19] == b'.' && at.ends_with('Z'), "{at}");

    let read = crm.get(&format!("/customers/{}", record["Id"].as_str().unwrap())).await;
    assert_eq!((read.status.as_u16(), read.json()), (200, record));
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_clears() {
    let crm = Crm::start().await;
    let path = crm.customer(r#"{"Name":"A","City":"Delft","Phone":"1","IsActive":false}"#).await;
    let merge = crm
        .call(Method::PATCH, &path)
        .header("content-type", "application/merge-patch+json")
        .body(r#"{"City":null,"Fax":"2","IsActive":null}"#);
    let patched = see(merge).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    let record = crm.get(&path).await.json();
    assert_eq!(record, patched.json());
    assert!(record["City"].is_null());
    assert_eq!((&record["Phone"], &record["Fax"]), (&"1".into(), &"2".into()));
    assert_eq!(record["IsActive"], true, "a cleared boolean goes back to its initial value");
}

#[tokio::test]
async fn a_refused_patch_changes_nothing() {
    let crm = Crm::start().await;
    let path = crm.customer(r#"{"Name":"A","City":"Delft"}"#).await;
    let before = crm.get(&path).await.text;
    crm.patch(&path, r#"{"City":"Gouda","Phone":1}"#).await.problem(422);
    assert_eq!(crm.get(&path).await.text, before);
}

#[tokio::test]
async fn a_number_belongs_to_one_live_customer() {
    let crm = Crm::start().await;
    let first = crm.customer(r#"{"Name":"A","CustomerNumber":"C-1"}"#).await;
    let second = crm.customer(r#"{"Name":"B","CustomerNumber":"C-2"}"#).await;
    crm.customer(r#"{"Name":"no number"}"#).await;
    crm.customer(r#"{"Name":"no number either"}"#).await;
    crm.customer(r#"{"Name":"an empty one","CustomerNumber":""}"#).await;
    crm.customer(r#"{"Name":"an empty one too","CustomerNumber":""}"#).await;

    let same = r#"{"Name":"C","CustomerNumber":"c-1"}"#;
    for refused in [crm.post("/customers", same).await, crm.patch(&second, same).await] {
        assert_eq!(refused.problem(409), ["CustomerNumber"]);
        let holder = refused.member("duplicateId");
        assert_eq!(format!("/customers/{}", holder.as_str().unwrap()), first);
    }
    assert_eq!(crm.patch(&first, r#"{"CustomerNumber":"c-1"}"#).await.status, 200, "its own number");
    crm.delete(&first).await;
    assert_eq!(crm.patch(&second, same).await.status, 200, "free again");
}

#[tokio::test]
async fn a_deleted_record_is_gone_and_one_that_never_was_is_not_found() {
    let crm = Crm::start().await;
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    let deleted = crm.delete(&path).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    crm.get(&path).await.problem(410);
    crm.patch(&path, r#"{"Name":"B"}"#).await.problem(410);
    crm.delete(&path).await.problem(410);
    crm.get("/customers/never").await.problem(404);
    crm.patch("/customers/never", r#"{"Name":"B"}"#).await.problem(404);
}

#[tokio::test]
async fn the_same_key_and_body_give_the_first_answer_again() {
    let crm = Crm::start().await;
    let post = |key: &str, json: &str| {
        see(with_json(crm.call(Method::POST, "/customers").header("Idempotency-Key", key), json))
    };
    let first = post("k1", r#"{"Name":"A"}"#).await;
    assert_eq!(first.status, 201);
    let again = post("k1", r#"{"Name":"A"}"#).await;
    assert_eq!((again.status.as_u16(), &again.text), (201, &first.text));
    assert_eq!(again.header("etag"), "\"1\"");
    assert_eq!(crm.running.control.counts().records["customers"], 1);
    assert_eq!(crm.running.control.counts().changes[&crm.running.api_user_id], 1);
    post("k1", r#"{"Name":"B"}"#).await.problem(422);
    assert_eq!(post("k2", r#"{"Name":"A"}"#).await.status, 201);
    assert_eq!(crm.running.control.counts().records["customers"], 2);
}

#[tokio::test]
async fn a_refusal_is_a_first_answer_too() {
    let crm = Crm::start().await;
    let post = |json: &str| {
        see(with_json(crm.call(Method::POST, "/customers").header("Idempotency-Key", "k"), json))
    };
    let json = r#"{"Name":"B","CustomerNumber":"1"}"#;
    let holder = crm.customer(r#"{"Name":"A","CustomerNumber":"1"}"#).await;
    post(json).await.problem(409);
    crm.delete(&holder).await;
    post(json).await.problem(409);
}

#[tokio::test]
async fn a_key_is_kept_for_24_hours_and_for_one_user() {
    let crm = Crm::start().await;
    let control = &crm.running.control;
    let post = |token: &str| {
        let call = crm.call_as(token, Method::POST, "/customers").header("Idempotency-Key", "k");
        see(with_json(call, r#"{"Name":"A"}"#))
    };
    control.freeze_clock(Some("2026-11-01T00:00:00Z".parse().unwrap()));
    let first = post(&crm.running.api_token).await;
    control.freeze_clock(Some("2026-11-01T23:59:59.999Z".parse().unwrap()));
    assert_eq!(post(&crm.running.api_token).await.text, first.text);
    assert_ne!(post(&crm.running.human_token).await.text, first.text);
    control.freeze_clock(Some("2026-11-02T00:00:00Z".parse().unwrap()));
    assert_ne!(post(&crm.running.api_token).await.text, first.text);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let crm = Crm::start().await;
    for body in ["", "{", "[]", "null", r#"{"Name":"A"} x"#, r#"{"Name":"A","Name":"B"}"#] {
        crm.post("/customers", body).await.problem(400);
    }
    let typed = crm.call(Method::POST, "/customers").header("content-type", "text/plain");
    see(typed.body(r#"{"Name":"A"}"#)).await.problem(415);
}

#[tokio::test]
async fn a_body_above_one_mebibyte_is_refused() {
    let crm = Crm::start().await;
    let padded = |length: usize| format!("{}{}", r#"{"Name":"A"}"#, " ".repeat(length - 12));
    assert_eq!(crm.post("/customers", &padded(1024 * 1024)).await.status, 201);
    crm.post("/customers", &padded(1024 * 1024 + 1)).await.problem(413);
}

#[tokio::test]
async fn what_is_not_served_is_said() {
    let crm = Crm::start().await;
    crm.get("/invoices").await.problem(404);
    crm.get("/invoices/1").await.problem(404);
    crm.get("/customers/1/lines").await.problem(404);
    let refused = see(crm.call(Method::PUT, "/customers/1")).await;
    refused.problem(405);
    assert_eq!(refused.header("allow"), "GET, PATCH, DELETE");
}

#[tokio::test]
async fn a_call_needs_the_token_of_an_active_user() {
    let crm = Crm::start_with(Settings { api_token: Some("secret".into()), ..Settings::default() }).await;
    let call = |header: &'static str| {
        let call = crm.client.get(format!("{}/me", crm.running.base_url));
        see(if header.is_empty() { call } else { call.header("authorization", header) })
    };
    for header in ["", "Bearer wrong", "secret", "Basic secret"] {
        let refused = call(header).await;
        refused.problem(401);
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    let me = call("Bearer secret").await;
    assert_eq!(me.member("Id"), crm.running.api_user_id.as_str());
    assert!(me.member("FullName").is_string() && me.member("Email").is_string());

    let user = format!("/users/{}", crm.running.api_user_id);
    let human =
        |json: &str| see(with_json(crm.call_as(&crm.running.human_token, Method::PATCH, &user), json));
    assert_eq!(human(r#"{"IsActive":false}"#).await.status, 200);
    call("Bearer secret").await.problem(403);
    assert_eq!(human(r#"{"IsActive":true}"#).await.status, 200);
    assert_eq!(call("Bearer secret").await.status, 200);
    crm.running.control.revoke_token("secret").unwrap();
    call("Bearer secret").await.problem(401);
}
