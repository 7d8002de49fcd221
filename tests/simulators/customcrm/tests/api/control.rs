//! The control API and its handle.

use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use simulator_customcrm::{Effect, Fault, Limits, NewUser, Rewrite, RewriteAs, SimulatorError};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::crm::{Crm, see, with_json};

#[tokio::test]
async fn a_new_user_calls_with_their_own_token_until_it_is_revoked() {
    let crm = Crm::start().await;
    let user = json!({"full_name": "Kim de Vries", "email": "kim@crm.example"});
    let granted = see(crm.control(Method::POST, "/tokens").json(&user)).await;
    assert_eq!(granted.status, 201, "{}", granted.text);
    let grant = granted.json();
    let token = grant["token"].as_str().unwrap();
    let me = see(crm.call_as(token, Method::GET, "/me")).await;
    let expected = json!({"Id": grant["user_id"], "FullName": "Kim de Vries", "Email": "kim@crm.example"});
    assert_eq!(me.json(), expected);
    let created = see(with_json(crm.call_as(token, Method::POST, "/customers"), r#"{"Name":"A"}"#)).await;
    assert_eq!(created.member("ModifiedBy"), grant["user_id"]);

    let path = format!("/tokens/{token}");
    assert_eq!(see(crm.control(Method::DELETE, &path)).await.status, 204);
    assert_eq!(see(crm.control(Method::DELETE, &path)).await.status, 404);
    see(crm.call_as(token, Method::GET, "/me")).await.problem(401);

    let control = &crm.running.control;
    let second = NewUser { user_id: Some(crm.running.api_user_id.clone()), ..NewUser::default() };
    let second = control.create_token(second).unwrap();
    assert_eq!(second.user_id, crm.running.api_user_id);
    let taken = NewUser { token: Some(second.token), ..NewUser::default() };
    assert!(matches!(control.create_token(taken), Err(SimulatorError::TokenTaken)));
    let nobody = NewUser { user_id: Some("nobody".into()), ..NewUser::default() };
    assert!(matches!(control.create_token(nobody), Err(SimulatorError::UnknownUser { .. })));
}

#[tokio::test]
async fn the_log_tells_every_call() {
    let crm = Crm::start().await;
    crm.get("/customers?limit=1").await;
    crm.post("/customers", "{}").await;
    see(crm.call_as("wrong", Method::GET, "/me")).await;
    let log = see(crm.control(Method::GET, "/log")).await.json();
    let user = crm.running.api_user_id.as_str();
    let seen: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|call| json!([call["number"], call["method"], call["path"], call["user_id"], call["status"]]))
        .collect();
    assert_eq!(
        seen,
        [
            json!([1, "GET", "/api/v1/customers?limit=1", user, 200]),
            json!([2, "POST", "/api/v1/customers", user, 422]),
            json!([3, "GET", "/api/v1/me", null, 401]),
        ]
    );
    see(crm.control(Method::DELETE, "/log")).await;
    crm.get("/me").await;
    let numbers: Vec<u64> = crm.running.control.log().iter().map(|call| call.number).collect();
    assert_eq!(numbers, [4]);
}

#[tokio::test]
async fn counts_tell_calls_that_wrote_from_calls_that_changed() {
    let crm = Crm::start().await;
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    crm.customer(r#"{"Name":"B"}"#).await;
    crm.patch(&path, r#"{"Name":"A"}"#).await;
    crm.patch(&path, r#"{"Name":1}"#).await;
    crm.delete(&path).await;
    let counts = see(crm.control(Method::GET, "/counts")).await.json();
    let user = crm.running.api_user_id.as_str();
    let records = json!({"contacts": 0, "customers": 1, "orders": 0, "products": 0, "quotes": 0, "users": 2});
    assert_eq!(counts, json!({"records": records, "writes": {user: 4}, "changes": {user: 3}}));
}

#[tokio::test]
async fn limits_can_be_changed_while_it_runs() {
    let crm = Crm::start().await;
    let set = |calls: u32| {
        see(crm.control(Method::PUT, "/limits").json(&json!({"calls": calls, "window_ms": 60_000})))
    };
    assert_eq!(set(1).await.status, 204);
    assert_eq!(crm.get("/me").await.status, 200);
    crm.get("/me").await.problem(429);
    assert_eq!(set(0).await.status, 422);
}

#[tokio::test]
async fn a_property_can_be_rewritten_when_it_is_stored() {
    let crm = Crm::start().await;
    for rewrite in [json!({"property": "City", "as": "trim"}), json!({"property": "City", "as": "upper"})] {
        let set = see(crm.control(Method::POST, "/normalise").json(&rewrite)).await;
        assert_eq!(set.status, 204, "{}", set.text);
    }
    let path = crm.customer(r#"{"Name":" A ","City":" Delft "}"#).await;
    let stored = crm.get(&path).await;
    assert_eq!((stored.member("City"), stored.member("Name")), ("DELFT".into(), " A ".into()));
    let same = crm.patch(&path, r#"{"City":"delft"}"#).await;
    assert_eq!(same.member("Version"), 1, "what it becomes is what it was");

    see(crm.control(Method::DELETE, "/normalise")).await;
    assert_eq!(crm.patch(&path, r#"{"City":"delft"}"#).await.member("City"), "delft");
    for property in ["Status", "OwnerId", "Extra", "Version"] {
        let refused = crm.running.control.normalise(Rewrite {
            collection: "customers".into(),
            property: property.into(),
            rewrite_as: RewriteAs::Lower,
        });
        assert!(matches!(refused, Err(SimulatorError::NotRewritable { .. })), "{property}");
    }
}

#[tokio::test]
async fn seeds_are_the_persons_and_can_choose_their_ids() {
    let crm = Crm::start().await;
    let seed = json!({
        "collection": "customers",
        "records": [{"Id": "c-1", "Name": "A", "CreditLimit": 1}, {"Name": "B", "ParentId": "c-1"}],
    });
    let seeded = see(crm.control(Method::POST, "/seed").json(&seed)).await;
    assert_eq!(seeded.status, 201, "{}", seeded.text);
    assert_eq!(seeded.member("ids")[0], "c-1");
    let read = crm.get("/customers/c-1").await;
    assert_eq!(read.member("ModifiedBy"), crm.running.human_user_id.as_str());

    let control = &crm.running.control;
    let refused = control.seed("customers", [r#"{"Name":"C"}"#, r#"{"Id":"c-1","Name":"D"}"#]);
    assert!(matches!(&refused, Err(SimulatorError::Seed { position: 1, status: 422, .. })), "{refused:?}");
    let unknown = control.seed("invoices", ["{}"]);
    assert!(matches!(unknown, Err(SimulatorError::UnknownCollection { .. })));
    assert!(control.counts().writes.is_empty());
}

#[tokio::test]
async fn a_snapshot_has_the_live_records_digit_by_digit() {
    let crm = Crm::start().await;
    let control = &crm.running.control;
    let record = r#"{"Name":"A","CreditLimit":12345678901234567890.12345678}"#;
    let ids = control.seed("customers", [record, r#"{"Name":"B"}"#]).unwrap();
    crm.delete(&format!("/customers/{}", ids[1])).await;
    let records = control.records("customers").unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0], crm.get(&format!("/customers/{}", ids[0])).await.text);
    let listed = see(crm.control(Method::GET, "/records/customers")).await;
    assert_eq!(listed.text, format!("{{\"data\":[{}]}}", records[0]));
    assert_eq!(see(crm.control(Method::GET, "/records/invoices")).await.status, 404);
}

#[tokio::test]
async fn a_person_edits_any_record_past_limits_and_faults() {
    let crm = Crm::start().await;
    let control = &crm.running.control;
    control.set_limits(Limits { calls: 1, window: Duration::from_mins(1) }).unwrap();
    control.add_fault(Fault::next(Effect::FailBefore(503)));
    let token = &crm.running.human_token;
    let created = control.create(token, "products", r#"{"Code":"p1","Name":"Anchor"}"#).unwrap();
    let created: Value = serde_json::from_str(&created).unwrap();
    let id = created["Id"].as_str().unwrap();
    let patched = control.patch(token, "products", id, r#"{"SalesPrice":12.50}"#).unwrap();
    assert_eq!(control.records("products").unwrap(), std::slice::from_ref(&patched));
    assert!(patched.contains("\"SalesPrice\":12.50,"), "{patched}");
    let patched: Value = serde_json::from_str(&patched).unwrap();
    assert_eq!((&created["Version"], &patched["Version"]), (&1.into(), &2.into()));
    assert_eq!(patched["ModifiedBy"], crm.running.human_user_id.as_str());
    control.delete(token, "products", id).unwrap();
    assert!(control.records("products").unwrap().is_empty());
    assert!(control.log().is_empty() && control.counts().writes.is_empty());
    assert_eq!(control.faults().len(), 1);
}

#[tokio::test]
async fn an_edit_is_refused_as_the_call_would_be() {
    let crm = Crm::start().await;
    let control = &crm.running.control;
    let token = &crm.running.human_token;
    let status = |edit: Result<String, SimulatorError>| match edit {
        Err(SimulatorError::Edit { status, .. }) => status,
        other => panic!("{other:?}"),
    };
    assert_eq!(status(control.create("nobody's", "customers", r#"{"Name":"A"}"#)), 401);
    assert_eq!(status(control.create(token, "customers", "[]")), 400);
    assert_eq!(status(control.create(token, "customers", r#"{"Id":"c1","Name":"A"}"#)), 422);
    assert_eq!(status(control.patch(token, "customers", "never", "{}")), 404);
    control.seed("customers", [r#"{"Id":"c1","Name":"A"}"#]).unwrap();
    control.delete(token, "customers", "c1").unwrap();
    assert_eq!(status(control.patch(token, "customers", "c1", "{}")), 410);
    assert_eq!(status(control.delete(token, "customers", "c1").map(|()| String::new())), 410);
    let unknown = control.create(token, "invoices", "{}");
    assert!(matches!(unknown, Err(SimulatorError::UnknownCollection { .. })));
    control.patch(token, "users", &crm.running.human_user_id, r#"{"IsActive":false}"#).unwrap();
    assert_eq!(status(control.create(token, "customers", r#"{"Name":"A"}"#)), 403);
}

#[tokio::test]
async fn a_person_edits_over_the_control_api_too() {
    let crm = Crm::start().await;
    let edit = |method: Method, path: &str, record: Value| {
        see(crm.control(method, path).json(&json!({"token": crm.running.human_token, "record": record})))
    };
    let created = edit(Method::POST, "/records/customers", json!({"Name": "A"})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let path = format!("/records/customers/{}", created.member("Id").as_str().unwrap());
    let patched = edit(Method::PATCH, &path, json!({"City": "Delft"})).await;
    assert_eq!((patched.status.as_u16(), patched.member("City")), (200, "Delft".into()), "{}", patched.text);
    assert_eq!(edit(Method::PATCH, &path, json!({"City": 1})).await.status, 422);
    let deletion = json!({"token": crm.running.human_token});
    let deleted = see(crm.control(Method::DELETE, &path).json(&deletion)).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    assert_eq!(see(crm.control(Method::DELETE, &path).json(&deletion)).await.status, 410);
    assert_eq!(see(crm.control(Method::DELETE, &path).json(&json!({"token": "x"}))).await.status, 401);
}

#[tokio::test]
async fn every_collection_can_be_seeded_edited_and_looked_at() {
    let crm = Crm::filled().await;
    let control = &crm.running.control;
    let token = &crm.running.human_token;
    for (collection, id, property) in [
        ("users", "u1", "Title"),
        ("customers", "c1", "City"),
        ("contacts", "k1", "JobTitle"),
        ("products", "p1", "Category"),
        ("orders", "o1", "Name"),
        ("quotes", "q1", "Name"),
    ] {
        let patched = control.patch(token, collection, id, &format!(r#"{{"{property}":"B"}}"#)).unwrap();
        let read = crm.get(&format!("/{collection}/{id}")).await;
        assert_eq!((read.member(property), &read.text), ("B".into(), &patched), "{collection}");
        assert!(control.records(collection).unwrap().contains(&patched), "{collection}");
        control.delete(token, collection, id).unwrap();
        assert!(!control.records(collection).unwrap().contains(&patched), "{collection}");
    }
}

#[tokio::test]
async fn a_snapshot_of_documents_has_their_lines() {
    let crm = Crm::filled().await;
    let control = &crm.running.control;
    let token = &crm.running.human_token;
    let line = r#"{"Lines":[{"ProductId":"p1","Quantity":0.10,"Description":"\u0007\ud83d\udea2"}]}"#;
    control.patch(token, "orders", "o1", line).unwrap();
    let records = control.records("orders").unwrap();
    assert_eq!(records, [crm.get("/orders/o1").await.text]);
    assert!(records[0].contains(r#""Quantity":0.10,"#), "{}", records[0]);
    assert_eq!(crm.get("/orders").await.text, format!(r#"{{"data":[{}],"next_cursor":null}}"#, records[0]));
}

#[tokio::test]
async fn the_clock_can_stand_still() {
    let crm = Crm::start().await;
    let at = json!({"at": "2026-01-02T03:04:05.678Z"});
    assert_eq!(see(crm.control(Method::PUT, "/clock").json(&at)).await.status, 204);
    let path = crm.customer(r#"{"Name":"A"}"#).await;
    assert_eq!(crm.get(&path).await.member("ModifiedAt"), "2026-01-02T03:04:05.678Z");
    see(crm.control(Method::PUT, "/clock").json(&json!({"at": null}))).await;
    let patched = crm.patch(&path, r#"{"City":"B"}"#).await;
    assert!(patched.member("ModifiedAt").as_str() > Some("2026-01-02T03:04:05.678Z"));
}

#[tokio::test]
async fn after_the_stop_nobody_answers() {
    let Crm { running, client } = Crm::start().await;
    let url = format!("{}/me", running.base_url);
    assert!(client.get(&url).send().await.is_ok());
    running.stop().await;
    assert!(client.get(&url).send().await.is_err());
}

#[tokio::test]
async fn the_program_prints_its_addresses_and_stops_when_told() {
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_simulator-customcrm"))
        .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"])
        .args(["--api-token", "secret", "--human-token", "other"])
        .args(["--webhook", "http://127.0.0.1:9/", "--webhook-secret"])
        .arg("whsec_dHdlbnR5LWZvdXItYnl0ZXMtb2Yta2V5")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let addresses: serde_json::Value = serde_json::from_str(&line).unwrap();
    let client = reqwest::Client::new();
    let base_url = addresses["base_url"].as_str().unwrap();
    let me = see(client.get(format!("{base_url}/me")).bearer_auth("secret")).await;
    assert_eq!(me.member("Id"), addresses["api_user_id"]);
    let control_url = addresses["control_url"].as_str().unwrap();
    let webhooks = see(client.get(format!("{control_url}/webhooks"))).await;
    assert_eq!(webhooks.json(), json!(["http://127.0.0.1:9/"]));

    let process = program.id().unwrap().to_string();
    let told = tokio::process::Command::new("kill").args(["-TERM", &process]).status().await.unwrap();
    assert!(told.success());
    let ended = tokio::time::timeout(Duration::from_secs(10), program.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test]
async fn records_are_found_by_a_text_and_by_their_id() {
    let crm = Crm::start().await;
    let ids = crm.running.control.seed("customers", [r#"{"Name":"Found"}"#, r#"{"Name":"Other"}"#]).unwrap();
    for (property, text) in [("Name", "Found"), ("Id", ids[0].as_str())] {
        let found = crm.running.control.records_with("customers", property, text).unwrap();
        assert_eq!(found.len(), 1, "{property}");
        assert!(found[0].contains("Found"), "{property}");
    }
}
