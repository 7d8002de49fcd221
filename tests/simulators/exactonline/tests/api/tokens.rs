use reqwest::Method;
use serde_json::{Value, json};

use crate::company::{Company, calm, reply, switched};
use simulator_exactonline::{Fault, FaultKind, Limits, Settings, Switches};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_and_a_life_in_text() {
    let company = Company::open().await;
    let first = company.control().grant();
    let answer = company.refresh(&first).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(body["expires_in"], json!("600"));
    assert_eq!(body["token_type"], json!("bearer"));
    assert_ne!(text(&body["refresh_token"]), first);
    assert!(text(&body["access_token"]).len() >= 900);
}

#[tokio::test]
async fn a_refresh_before_570_seconds_is_refused_and_spends_nothing() {
    let company = Company::open().await;
    let body = company.refresh(&company.control().grant()).await.json();
    let next = text(&body["refresh_token"]);
    company.control().advance_clock(569);
    let early = company.refresh(&next).await;
    assert_eq!(early.status, 400);
    assert_eq!(
        early.json(),
        json!({"error": "access_denied", "error_description": "Rate limit exceeded: access_token not expired"})
    );
    assert_eq!(
        early.header("Reason"),
        Some("TooEarlyToRefreshTokens: Rate limit exceeded: access_token not expired")
    );
    company.control().advance_clock(1);
    assert_eq!(company.refresh(&next).await.status, 200);
}

#[tokio::test]
async fn a_spent_refresh_token_is_refused() {
    let company = Company::open().await;
    let token = company.control().grant();
    assert_eq!(company.refresh(&token).await.status, 200);
    company.control().advance_clock(600);
    let again = company.refresh(&token).await;
    assert_eq!(again.status, 401);
    assert_eq!(
        again.json(),
        json!({"error": "unauthorized_client", "error_description": "Old refresh token used."})
    );
}

#[tokio::test]
async fn a_refresh_token_ends_after_thirty_days() {
    let company = Company::open().await;
    let token = company.control().grant();
    company.control().advance_clock(30 * 86_400);
    let late = company.refresh(&token).await;
    assert_eq!(late.status, 400);
    assert_eq!(
        late.json()["error_description"],
        json!("The refresh token expired at 2/14/2026 11:00:30 AM and it is now 2/14/2026 11:00:30 AM.")
    );
}

#[tokio::test]
async fn an_unknown_token_or_client_is_refused_without_a_reason() {
    let company = Company::open().await;
    assert_eq!(company.refresh("nonsense").await.json(), json!({"error": "invalid_request"}));
    let token = company.control().grant();
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("client_id", company.running.client_id.as_str()),
        ("client_secret", "wrong"),
    ];
    let answer = company.token_call(&fields).await;
    assert_eq!((answer.status, answer.json()), (400, json!({"error": "invalid_request"})));
}

#[tokio::test]
async fn credentials_by_http_basic_are_taken_only_where_switched_so() {
    for basic_credentials in [false, true] {
        let company =
            Company::open_with(switched(Switches { basic_credentials, ..Switches::default() })).await;
        let refresh = async |secret: &str| {
            let token = company.control().grant();
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
            let request = company
                .http
                .post(format!("{}/api/oauth2/token", company.running.base_url))
                .basic_auth(&company.running.client_id, Some(secret))
                .form(&fields);
            reply(request).await
        };
        let answer = refresh(&company.running.client_secret).await;
        assert_eq!(answer.status, if basic_credentials { 200 } else { 400 }, "{answer:?}");
        let wrong = refresh("wrong").await;
        assert_eq!((wrong.status, wrong.json()), (400, json!({"error": "invalid_request"})));
    }
}

async fn code(company: &Company) -> String {
    let url = format!(
        "{}/api/oauth2/auth?client_id={}&redirect_uri=https://app.example/back&response_type=code&state=s1",
        company.running.base_url, company.running.client_id
    );
    let answer = reply(company.http.get(url)).await;
    assert_eq!(answer.status, 302);
    let target = reqwest::Url::parse(answer.header("Location").unwrap()).unwrap();
    assert!(target.as_str().contains("%21"), "the code arrives encoded");
    let find = |name: &str| target.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    assert_eq!(find("state"), "s1");
    find("code")
}

async fn exchange(company: &Company, code: &str, redirect: &str) -> u16 {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect),
        ("client_id", company.running.client_id.as_str()),
        ("client_secret", company.running.client_secret.as_str()),
    ];
    company.token_call(&fields).await.status
}

#[tokio::test]
async fn consent_is_asked_for_with_the_documented_parameters_and_the_registered_redirect_only() {
    let company = Company::open().await;
    let asked = async |query: &str| {
        let (url, app) = (&company.running.base_url, &company.running.client_id);
        let url = format!("{url}/api/oauth2/auth?client_id={app}&response_type=code&{query}");
        reply(company.http.get(url)).await.status
    };
    assert_eq!(asked("redirect_uri=https://app.example/back&state=s1&force_login=1").await, 302);
    for refused in [
        "state=s1",
        "redirect_uri=https://app.example/other",
        "redirect_uri=http://localhost/back",
        "redirect_uri=https://app.example/back&force_login=yes",
        "redirect_uri=https://app.example/back&scope=all",
    ] {
        assert_eq!(asked(refused).await, 400, "{refused}");
    }
}

#[tokio::test]
async fn an_authorization_code_works_once_in_three_minutes_for_its_own_redirect() {
    let company = Company::open().await;
    let good = code(&company).await;
    assert_eq!(exchange(&company, &good, "https://app.example/back").await, 200);
    assert_eq!(exchange(&company, &good, "https://app.example/back").await, 400);
    let elsewhere = code(&company).await;
    assert_eq!(exchange(&company, &elsewhere, "https://app.example/other").await, 400);
    let late = code(&company).await;
    company.control().advance_clock(181);
    assert_eq!(exchange(&company, &late, "https://app.example/back").await, 400);
}

#[tokio::test]
async fn token_calls_are_limited_per_day() {
    let settings = calm();
    let limits = Limits { token_calls_per_day: 3, ..settings.limits.clone() };
    let company = Company::open_with(Settings { limits, ..settings }).await;
    let token = company.control().grant();
    assert_eq!(company.refresh(&token).await.status, 200);
    assert_eq!(company.refresh(&token).await.status, 401);
    assert_eq!(company.refresh(&token).await.status, 429);
    company.control().advance_clock(86_400);
    assert_eq!(company.refresh(&token).await.status, 401);
}

#[tokio::test]
async fn an_access_token_ends_after_600_seconds() {
    let company = Company::open().await;
    company.control().advance_clock(599);
    assert_eq!(company.get("users/Users").await.status, 200);
    company.control().advance_clock(1);
    assert_eq!(company.get("users/Users").await.error(), (401, "Unauthorized".to_owned()));
}

#[tokio::test]
async fn a_missing_or_unknown_token_is_shown_the_login_page() {
    let company = Company::open().await;
    let url = company.url("users/Users");
    let missing = reply(company.http.get(&url).header("Accept", "application/json")).await;
    let unknown = company.get_as("unknown", &url).await;
    for answer in [missing, unknown] {
        assert_eq!(answer.status, 401);
        assert!(answer.header("Content-Type").unwrap().starts_with("text/html"));
        assert!(answer.text.contains("Object moved") && answer.text.contains("/docs/Login.aspx?ReturnUrl="));
    }
}

#[tokio::test]
async fn a_revoked_consent_ends_every_token() {
    let company = Company::open().await;
    let waiting = company.control().grant();
    company.control().revoke();
    assert_eq!(company.get("users/Users").await.status, 401);
    let answer = company.refresh(&waiting).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error_description"], json!("Old refresh token used."));
    let again = company.control().grant();
    assert_eq!(company.refresh(&again).await.status, 200);
}

#[tokio::test]
async fn a_new_access_token_ends_the_one_before_only_where_switched_so() {
    for (single_access_token, expected) in [(false, 200), (true, 401)] {
        let switches = Switches { single_access_token, ..Switches::default() };
        let company = Company::open_with(Settings { switches, ..calm() }).await;
        company.refresh(&company.control().grant()).await;
        assert_eq!(company.get("users/Users").await.status, expected);
    }
}

#[tokio::test]
async fn refresh_tokens_are_unused_until_they_are_used_or_revoked() {
    let company = Company::open().await;
    let control = company.control();
    let (first, second) = (control.unused_refresh_tokens(), control.grant());
    assert_eq!(first.len(), 1);
    let next = text(&company.refresh(&second).await.json()["refresh_token"]);
    let mut unused = control.unused_refresh_tokens();
    unused.sort_by_key(|token| *token == next);
    assert_eq!(unused, [first[0].clone(), next]);
    control.revoke();
    assert_eq!(control.unused_refresh_tokens(), Vec::<String>::new());
}

#[tokio::test]
async fn token_calls_that_are_under_way_at_once_are_counted() {
    let company = Company::open().await;
    let control = company.control();
    assert_eq!(control.counts().token_calls_at_once, 1);
    let path_contains = Some("/oauth2/token".to_owned());
    // The first is still under way when the second comes, however slow this machine is.
    control.add_fault(Fault {
        kind: FaultKind::Delay { ms: 3_600_000 },
        method: None,
        path_contains,
        count: 1,
    });
    let (token, one) = (control.grant(), control.grant());
    tokio::select! {
        _ = company.refresh(&token) => panic!("answered after an hour"),
        () = async {
            while !control.faults().is_empty() {
                tokio::task::yield_now().await;
            }
            assert_eq!(company.refresh(&one).await.status, 200);
        } => {}
    }
    assert_eq!(control.counts().token_calls_at_once, 2);
}

#[tokio::test]
async fn a_human_token_outlives_the_app_and_signs_its_own_edits() {
    let company = Company::open().await;
    company.control().revoke();
    company.control().advance_clock(100 * 86_400);
    let token = company.running.human_token.clone();
    let made = company.send_as(&token, Method::POST, "crm/Accounts", r#"{"Name":"By hand"}"#).await;
    assert_eq!(made.status, 201);
    let url = company.url("sync/CRM/Accounts?$select=Name,Creator,Modifier,CreatorFullName");
    let record = company.get_as(&token, &url).await.results().remove(0);
    assert_eq!(record["Modifier"], json!(company.running.human_id.to_string()));
    assert_eq!(record["CreatorFullName"], json!("Bea Boekhouder"));
}
