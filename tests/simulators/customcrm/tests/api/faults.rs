//! Limits, and faults on demand.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use simulator_customcrm::{Effect, Fault, Limits, Settings};

use crate::crm::{Crm, see, with_json};

#[tokio::test]
async fn answers_tell_what_is_left_of_600_calls_a_minute() {
    let crm = Crm::start().await;
    let first = crm.get("/me").await;
    assert_eq!(first.header("ratelimit-policy"), "\"default\";q=600;w=60");
    assert_eq!(first.header("ratelimit"), "\"default\";r=599;t=60");
    let second = crm.get("/customers/never").await;
    assert!(second.header("ratelimit").starts_with("\"default\";r=598;t="));
}

#[tokio::test]
async fn a_call_beyond_the_limit_is_not_performed() {
    let limits = Limits { calls: 2, window: Duration::from_mins(1) };
    let crm = Crm::start_with(Settings { limits, ..Settings::default() }).await;
    crm.get("/me").await;
    crm.get("/me").await;
    let refused = crm.post("/customers", r#"{"Name":"A"}"#).await;
    refused.problem(429);
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(refused.header("ratelimit").starts_with("\"default\";r=0;t="));
    assert_eq!(crm.running.control.counts().records["customers"], 0);
    let human = see(crm.call_as(&crm.running.human_token, Method::GET, "/me")).await;
    assert_eq!(human.status, 200, "each user has their own limit");
    crm.running.control.set_limits(Limits::default()).unwrap();
    assert_eq!(crm.get("/me").await.status, 200);
}

#[tokio::test]
async fn a_window_ends() {
    let limits = Limits { calls: 1, window: Duration::from_millis(50) };
    let crm = Crm::start_with(Settings { limits, ..Settings::default() }).await;
    let start = Instant::now();
    crm.get("/me").await;
    while crm.get("/me").await.status == 429 {
        assert!(start.elapsed() < Duration::from_secs(5), "the window never ended");
    }
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_record_behind() {
    let crm = Crm::start().await;
    let fault = json!({"kind": "lose_answer", "method": "POST", "collection": "customers", "count": 1});
    let added = see(crm.control(Method::POST, "/faults").json(&fault)).await;
    assert_eq!(added.status, 204, "{}", added.text);
    assert_eq!(crm.get("/customers").await.status, 200, "another method is not hit");

    let call = || {
        let call = crm.call(Method::POST, "/customers").header("Idempotency-Key", "k");
        with_json(call, r#"{"Name":"A"}"#)
    };
    let error = call().send().await.unwrap_err();
    assert!(error.status().is_none() && !error.is_connect() && !error.is_timeout(), "{error:?}");
    assert_eq!(crm.running.control.counts().records["customers"], 1);
    let lost = crm.running.control.log().into_iter().find(|call| call.method == "POST").unwrap();
    assert_eq!((lost.status, lost.answered), (201, false));

    let again = see(call()).await;
    assert_eq!(again.status, 201, "{}", again.text);
    assert_eq!(crm.running.control.counts().records["customers"], 1);
}

#[tokio::test]
async fn a_call_that_is_cut_off_has_no_answer_and_was_not_performed() {
    let crm = Crm::start().await;
    let fault = json!({"kind": "cut_off", "method": "POST", "collection": "customers"});
    let added = see(crm.control(Method::POST, "/faults").json(&fault)).await;
    assert_eq!(added.status, 204, "{}", added.text);
    let call = || with_json(crm.call(Method::POST, "/customers"), r#"{"Name":"A"}"#);
    let error = call().send().await.unwrap_err();
    assert!(error.status().is_none() && !error.is_connect() && !error.is_timeout(), "{error:?}");
    assert_eq!(crm.running.control.counts().records["customers"], 0);
    assert!(!crm.running.control.log()[0].answered);
    assert_eq!(see(call()).await.status, 201);
}

#[tokio::test]
async fn a_failed_call_was_not_performed() {
    let crm = Crm::start().await;
    let fault = json!({"kind": "fail_before", "status": 503, "method": "POST", "count": 2});
    see(crm.control(Method::POST, "/faults").json(&fault)).await;
    for _ in 0..2 {
        crm.post("/customers", r#"{"Name":"A"}"#).await.problem(503);
    }
    assert_eq!(crm.running.control.counts().records["customers"], 0);
    assert_eq!(crm.post("/customers", r#"{"Name":"A"}"#).await.status, 201);
}

#[tokio::test]
async fn throttling_lasts_as_many_calls_as_asked() {
    let crm = Crm::start().await;
    crm.running.control.add_fault(Fault::next(Effect::Throttle(7)).times(2));
    for _ in 0..2 {
        let refused = crm.get("/me").await;
        refused.problem(429);
        assert_eq!(refused.header("retry-after"), "7");
        assert_eq!(refused.header("ratelimit"), "\"default\";r=0;t=7");
    }
    assert_eq!(crm.get("/me").await.status, 200);
}

#[tokio::test]
async fn a_delay_holds_one_call_and_no_other() {
    let crm = Crm::start().await;
    let hour = Duration::from_hours(1);
    crm.running.control.add_fault(Fault::next(Effect::Delay(hour)).on("POST", "customers"));
    let held = tokio::spawn(with_json(crm.call(Method::POST, "/customers"), r#"{"Name":"A"}"#).send());
    let start = Instant::now();
    while !crm.running.control.faults().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "the call never came in");
        assert_eq!(crm.get("/customers").await.status, 200);
    }
    held.abort();
    assert_eq!(crm.post("/customers", r#"{"Name":"B"}"#).await.status, 201);
    assert_eq!(crm.running.control.counts().records["customers"], 1);
}

/// The pages of two in which customers come from here on; at most nine.
async fn pages(crm: &Crm, query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut rest = query.to_owned();
    while pages.len() < 9 {
        let page = crm.get(&format!("/customers?limit=2{rest}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        pages.push(page.ids());
        match page.member("next_cursor").as_str() {
            Some(next) => rest = format!("&cursor={next}"),
            None => return pages,
        }
    }
    panic!("the listing never ends: {pages:?}");
}

#[tokio::test]
async fn any_page_is_given_twice_on_demand() {
    let crm = Crm::start().await;
    // All at one time, so that ids alone tell the places apart.
    crm.running.control.freeze_clock(Some("2026-11-22T10:00:00Z".parse().unwrap()));
    for id in ["a", "b", "c", "d", "e"] {
        crm.seed("customers", &json!({"Id": id, "Name": "Anker"}).to_string());
    }
    crm.seed("products", r#"{"Id":"p1","Code":"A-1","Name":"Anchor"}"#);
    let fault = json!({"kind": "repeat_page", "collection": "customers", "count": 2});
    for query in ["", "&updated_since=2026-11-22T10:00:00Z"] {
        assert_eq!(see(crm.control(Method::POST, "/faults").json(&fault)).await.status, 204);
        crm.get("/customers/a").await;
        crm.get("/products").await;
        assert_eq!(
            pages(&crm, query).await,
            [["a", "b"].as_slice(), &["a", "b"], &["a", "b"], &["c", "d"], &["e"]]
        );
    }
    let second = crm.get("/customers?limit=2").await.member("next_cursor");
    let second = format!("&cursor={}", second.as_str().unwrap());
    crm.running.control.add_fault(Fault::next(Effect::RepeatPage));
    assert_eq!(pages(&crm, &second).await, [["c", "d"].as_slice(), &["c", "d"], &["e"]]);
    crm.running.control.add_fault(Fault::next(Effect::RepeatPage));
    let all = crm.get("/customers").await;
    let again = crm.get(&format!("/customers?cursor={}", all.member("next_cursor").as_str().unwrap())).await;
    assert_eq!((all.ids(), again.member("next_cursor")), (again.ids(), json!(null)), "the last page too");
}

#[tokio::test]
async fn a_page_comes_in_another_order_on_demand() {
    let crm = Crm::start().await;
    for id in ["a", "b", "c", "d", "e"] {
        crm.seed("customers", &json!({"Id": id, "Name": "Anker"}).to_string());
    }
    let fault = json!({"kind": "reverse_page", "count": 2});
    assert_eq!(see(crm.control(Method::POST, "/faults").json(&fault)).await.status, 204);
    crm.get("/me").await;
    assert_eq!(pages(&crm, "").await, [["b", "a"].as_slice(), &["d", "c"], &["e"]]);
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused() {
    let crm = Crm::start().await;
    for fault in [
        json!({"kind": "explode"}),
        json!({"kind": "fail_before"}),
        json!({"kind": "fail_before", "status": 200}),
        json!({"kind": "lose_answer", "methd": "POST"}),
    ] {
        let refused = see(crm.control(Method::POST, "/faults").json(&fault)).await;
        assert_eq!(refused.status, 422, "{fault}");
    }
    assert!(crm.running.control.faults().is_empty());
    crm.running.control.add_fault(Fault::next(Effect::FailBefore(500)));
    let listed = see(crm.control(Method::GET, "/faults")).await;
    assert_eq!(listed.json(), json!([{"kind": "fail_before", "status": 500, "count": 1}]));
    see(crm.control(Method::DELETE, "/faults")).await;
    assert_eq!(crm.get("/me").await.status, 200);
}
