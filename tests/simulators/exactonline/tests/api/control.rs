use reqwest::Method;
use serde_json::{Value, json};
use simulator_exactonline::{Fault, FaultKind};

use crate::company::{Company, reply};

async fn steer(company: &Company, method: Method, path: &str, body: Value) -> Value {
    let url = format!("{}/control/{path}", company.running.control_url);
    let answer = reply(company.http.request(method, url).json(&body)).await;
    assert!(answer.status < 300, "{answer:?}");
    if answer.text.is_empty() { Value::Null } else { answer.json() }
}

fn fault(kind: FaultKind, method: &str, path: &str, count: u32) -> Fault {
    Fault { kind, method: Some(method.to_owned()), path_contains: Some(path.to_owned()), count }
}

#[tokio::test]
async fn a_lost_answer_breaks_the_connection_after_the_call_was_carried_out() {
    let company = Company::open().await;
    company.control().add_fault(fault(FaultKind::LoseAnswer, "POST", "crm/Accounts", 1));
    let request = company.request(&company.token, Method::POST, "crm/Accounts", r#"{"Name":"Lost"}"#);
    let error = request.send().await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    let found = company.get("crm/Accounts?$select=ID&$filter=Name eq 'Lost'").await;
    assert_eq!(found.results().len(), 1);
    let lost: Vec<_> = company.control().log().into_iter().filter(|call| call.lost).collect();
    assert_eq!((lost.len(), lost[0].status), (1, 201));
}

#[tokio::test]
async fn a_call_that_is_broken_off_has_no_answer_and_is_not_carried_out() {
    let company = Company::open().await;
    company.control().add_fault(fault(FaultKind::BreakOff, "POST", "crm/Accounts", 1));
    let request = company.request(&company.token, Method::POST, "crm/Accounts", r#"{"Name":"Lost"}"#);
    let error = request.send().await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    let found = company.get("crm/Accounts?$select=ID&$filter=Name eq 'Lost'").await;
    assert!(found.results().is_empty());
    assert_eq!(company.control().log().iter().filter(|call| call.lost).count(), 1);
}

#[tokio::test]
async fn records_are_found_by_a_text_and_by_an_id() {
    let company = Company::open().await;
    let (control, person) = (company.control(), company.running.human_id);
    let id = control.create("crm/Accounts", r#"{"Name":"Found","Code":"17"}"#, person).unwrap();
    control.create("crm/Accounts", r#"{"Name":"Other"}"#, person).unwrap();
    for (property, text) in [("Name", "Found".to_owned()), ("Code", "17".to_owned()), ("ID", id.to_string())]
    {
        let found = control.records_with("crm/Accounts", property, &text).unwrap();
        let found: Value = serde_json::from_str(&found).unwrap();
        assert_eq!((found.as_array().unwrap().len(), &found[0]["Name"]), (1, &json!("Found")), "{property}");
    }
    assert!(control.records_with("crm/Accounts", "Nmae", "Found").is_err());
}

#[tokio::test]
async fn a_lost_token_answer_spends_the_refresh_token() {
    let company = Company::open().await;
    let token = company.control().grant();
    company.control().add_fault(fault(FaultKind::LoseAnswer, "POST", "oauth2/token", 1));
    let url = format!("{}/api/oauth2/token", company.running.base_url);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("client_id", company.running.client_id.as_str()),
        ("client_secret", company.running.client_secret.as_str()),
    ];
    assert!(company.http.post(url).form(&fields).send().await.is_err());
    assert_eq!(company.refresh(&token).await.status, 401);
}

#[tokio::test]
async fn a_failed_call_is_not_carried_out_and_others_are_spared() {
    let company = Company::open().await;
    steer(
        &company,
        Method::POST,
        "faults",
        json!({"kind": "fail_before", "status": 503, "method": "POST", "path_contains": "crm/Accounts", "count": 2}),
    )
    .await;
    assert_eq!(company.get("users/Users").await.status, 200);
    for expected in [503, 503, 201] {
        let answer = company.send(Method::POST, "crm/Accounts", r#"{"Name":"A"}"#).await;
        assert_eq!(answer.status, expected);
    }
    assert_eq!(company.control().counts().accounts, 1);
}

#[tokio::test]
async fn throttling_looks_like_a_used_up_minute_and_spares_people() {
    let company = Company::open().await;
    steer(&company, Method::POST, "faults", json!({"kind": "throttle", "count": 1})).await;
    assert_eq!(
        company.refresh(&company.control().grant()).await.status,
        200,
        "no path, so tokens are spared"
    );
    let human = company.running.human_token.clone();
    assert_eq!(company.get_as(&human, &company.url("users/Users")).await.status, 200);
    let answer = company.get("users/Users").await;
    assert_eq!((answer.status, answer.text.as_str()), (429, ""));
    assert!(answer.header("X-RateLimit-Minutely-Reset").is_some());
    assert_eq!(company.get("users/Users").await.status, 200);
}

#[tokio::test]
async fn a_delayed_call_takes_its_time_and_faults_can_be_forgotten() {
    let company = Company::open().await;
    company.control().add_fault(Fault::next(FaultKind::Delay { ms: 150 }));
    let begin = std::time::Instant::now();
    assert_eq!(company.get("users/Users").await.status, 200);
    assert!(begin.elapsed().as_millis() >= 150);
    company.control().add_fault(Fault::next(FaultKind::Throttle));
    steer(&company, Method::DELETE, "faults", json!(null)).await;
    assert_eq!(company.get("users/Users").await.status, 200);
}

#[tokio::test]
async fn the_control_port_moves_the_clock_grants_and_revokes() {
    let company = Company::open().await;
    let moved = steer(&company, Method::POST, "clock", json!({"advance_seconds": 600})).await;
    assert_eq!(moved["now"], json!("2026-01-15T10:10:30Z"));
    assert_eq!(company.get("users/Users").await.status, 401);
    let granted = steer(&company, Method::POST, "grants", json!(null)).await;
    let token = granted["refresh_token"].as_str().unwrap().to_owned();
    steer(&company, Method::POST, "revoke", json!(null)).await;
    assert_eq!(company.refresh(&token).await.status, 401);
}

#[tokio::test]
async fn limits_and_switches_change_in_part_and_unknown_ones_are_refused() {
    let company = Company::open().await;
    let limits = steer(&company, Method::PUT, "limits", json!({"per_minute": 7})).await;
    assert_eq!((&limits["per_minute"], &limits["page_size"]), (&json!(7), &json!(60)));
    let switches = steer(&company, Method::PUT, "switches", json!({"language": "nl"})).await;
    assert_eq!((&switches["language"], &switches["select_required"]), (&json!("nl"), &json!(true)));
    for path in ["limits", "switches"] {
        let url = format!("{}/control/{path}", company.running.control_url);
        let answer = reply(company.http.put(url).json(&json!({"nothing": 1}))).await;
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn renditions_humans_and_seeds_come_over_the_control_port() {
    let company = Company::open().await;
    steer(&company, Method::PUT, "normalise", json!({"property": "City", "as": "upper"})).await;
    let seeded = steer(&company, Method::POST, "accounts", json!([{"Name": "A", "City": "Delft"}])).await;
    let id = seeded["ids"][0].as_str().unwrap();
    assert_eq!(company.account(id).await["City"], json!("DELFT"));
    let human =
        steer(&company, Method::POST, "humans", json!({"full_name": "Eva", "email": "eva@example.com"}))
            .await;
    let token = human["token"].as_str().unwrap();
    company.send_as(token, Method::PUT, &format!("crm/Accounts(guid'{id}')"), r#"{"City":null}"#).await;
    let record = company.account(id).await;
    assert_eq!((&record["City"], &record["ModifierFullName"]), (&json!(null), &json!("Eva")));
    assert_eq!(record["Modifier"], human["user_id"]);
}

#[tokio::test]
async fn every_call_is_logged_and_counted() {
    let company = Company::open().await;
    company.control().clear_log();
    company.get("users/Users?$select=UserID").await;
    company.delete("00000000-0000-0000-0000-000000000001").await;
    let log = steer(&company, Method::GET, "log", json!(null)).await;
    assert_eq!(log[0]["method"], json!("GET"));
    assert!(log[0]["path"].as_str().unwrap().ends_with("/users/Users?$select=UserID"));
    assert_eq!(log[0]["user"], json!(company.running.api_user_id.to_string()));
    assert_eq!((&log[0]["status"], &log[0]["at"]), (&json!(200), &json!("2026-01-15T10:00:30Z")));
    let counts = steer(&company, Method::GET, "counts", json!(null)).await;
    assert_eq!(counts["by_status"], json!({"200": 1, "404": 1}));
    assert_eq!(counts["by_endpoint"], json!({"GET users/users": 1, "DELETE crm/accounts": 1}));
    steer(&company, Method::DELETE, "log", json!(null)).await;
    assert_eq!(company.control().counts().calls, 0);
}

#[tokio::test]
async fn the_snapshot_holds_every_account_with_exact_numbers() {
    let company = Company::open().await;
    let control = company.control();
    let id = control.create_account(r#"{"Name":"A","CreditLineSales":12345678901234567.89}"#).unwrap();
    control.change_account(id, r#"{"City":"Delft"}"#).unwrap();
    let text = control.snapshot();
    assert!(text.contains("12345678901234567.89"));
    let accounts: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&accounts[0]["ID"], &accounts[0]["City"]), (&json!(id.to_string()), &json!("Delft")));
    assert!(accounts[0]["Timestamp"].is_i64());
    let refused = control.create_account("{}").unwrap_err().to_string();
    assert_eq!(refused, "the service refuses the record with status 500: Mandatory: Name");
    control.delete_account(id).unwrap();
    assert_eq!(control.snapshot(), "[]");
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_ports() {
    let company = Company::open().await;
    let url = company.url("users/Users");
    let Company { running, http, .. } = company;
    running.stop().await;
    assert!(http.get(url).send().await.is_err());
}
