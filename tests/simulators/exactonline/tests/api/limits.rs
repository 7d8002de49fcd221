use reqwest::Method;
use simulator_exactonline::{Limits, Settings, Switches};

use crate::company::{Company, Reply, calm};

/// The start of the next minute, and of the next day, in milliseconds since 1970.
const NEXT_MINUTE: &str = "1768471260000";
const NEXT_DAY: &str = "1768521600000";

async fn limited(limits: Limits) -> Company {
    Company::open_with(Settings { limits, ..calm() }).await
}

async fn call(company: &Company) -> Reply {
    company.get("users/Users?$select=UserID").await
}

#[tokio::test]
async fn calls_carry_what_is_left_in_this_minute_and_this_day() {
    let company = limited(Limits::default()).await;
    call(&company).await;
    let second = call(&company).await;
    for (name, value) in [
        ("X-RateLimit-Limit", "5000"),
        ("X-RateLimit-Remaining", "4998"),
        ("X-RateLimit-Reset", NEXT_DAY),
        ("X-RateLimit-Minutely-Limit", "60"),
        ("X-RateLimit-Minutely-Remaining", "58"),
        ("X-RateLimit-Minutely-Reset", NEXT_MINUTE),
    ] {
        assert_eq!(second.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn the_sixty_first_call_of_a_clock_minute_is_refused_until_the_next() {
    let company = limited(Limits::default()).await;
    for _ in 0..60 {
        assert_eq!(call(&company).await.status, 200);
    }
    let refused = call(&company).await;
    assert_eq!((refused.status, refused.text.as_str()), (429, ""));
    assert_eq!(refused.header("X-RateLimit-Minutely-Remaining"), Some("0"));
    assert_eq!(refused.header("X-RateLimit-Minutely-Reset"), Some(NEXT_MINUTE));
    assert_eq!(refused.header("X-RateLimit-Remaining"), None);
    assert_eq!(refused.header("Retry-After"), None);
    company.control().advance_clock(29);
    assert_eq!(call(&company).await.status, 429);
    company.control().advance_clock(1);
    assert_eq!(call(&company).await.status, 200);
}

#[tokio::test]
async fn a_used_up_day_is_refused_until_midnight() {
    let company = limited(Limits { per_day: 2, ..Limits::default() }).await;
    call(&company).await;
    call(&company).await;
    let refused = call(&company).await;
    assert_eq!((refused.status, refused.header("X-RateLimit-Reset")), (429, Some(NEXT_DAY)));
    assert_eq!(refused.header("X-RateLimit-Minutely-Limit"), None);
    let me = format!("{}/api/v1/current/Me", company.running.base_url);
    assert_eq!(company.get_as(&company.token, &me).await.status, 200, "the own user is not counted");
    company.control().advance_clock(14 * 3_600);
    let token = company.fresh_token(&company.control().grant()).await;
    assert_eq!(company.get_as(&token, &company.url("users/Users")).await.status, 200);
}

#[tokio::test]
async fn each_division_has_its_own_minute() {
    let limits = Limits { per_minute: 1, ..Limits::default() };
    let company = Company::open_with(Settings { limits, further_divisions: vec![9], ..calm() }).await;
    assert_eq!(call(&company).await.status, 200);
    assert_eq!(call(&company).await.status, 429);
    let other = format!("{}/api/v1/9/users/Users", company.running.base_url);
    assert_eq!(company.get_as(&company.token, &other).await.status, 200);
}

#[tokio::test]
async fn people_meet_no_limit() {
    let company =
        limited(Limits { per_minute: 1, per_day: 1, errors_per_hour: 1, ..Limits::default() }).await;
    let token = company.running.human_token.clone();
    for _ in 0..3 {
        assert_eq!(company.get_as(&token, &company.url("crm/Nothing")).await.status, 404);
        assert_eq!(company.get_as(&token, &company.url("users/Users")).await.status, 200);
    }
}

#[tokio::test]
async fn ten_errors_in_an_hour_block_the_endpoint_for_an_hour() {
    let company = limited(Limits { per_minute: 1_000, ..Limits::default() }).await;
    let bad = async || company.get("crm/Accounts?$filter=Nothing eq 1&$select=ID").await.status;
    let good = async || company.get("crm/Accounts?$filter=Name eq 'x'&$select=ID").await.status;
    for _ in 0..9 {
        assert_eq!(bad().await, 400);
    }
    assert_eq!(good().await, 200);
    assert_eq!(bad().await, 400);
    assert_eq!(good().await, 403, "blocked now");
    assert_eq!(call(&company).await.status, 200, "other endpoints are not");
    let error_block_status = 429;
    company.control().set_switches(Switches { error_block_status, ..Switches::default() });
    assert_eq!(good().await, 429);
    company.control().advance_clock(3_600);
    let token = company.fresh_token(&company.control().grant()).await;
    let url = company.url("crm/Accounts?$filter=Name eq 'x'&$select=ID");
    assert_eq!(company.get_as(&token, &url).await.status, 200);
}

#[tokio::test]
async fn errors_older_than_an_hour_and_business_errors_do_not_count() {
    let company = limited(Limits { per_minute: 1_000, errors_per_hour: 2, ..Limits::default() }).await;
    for _ in 0..5 {
        assert_eq!(company.send(Method::POST, "crm/Accounts", "{}").await.status, 500);
    }
    assert_eq!(company.send(Method::POST, "crm/Accounts", "[]").await.status, 400);
    company.control().advance_clock(3_601);
    let token = company.fresh_token(&company.control().grant()).await;
    let again = company.send_as(&token, Method::POST, "crm/Accounts", "[]").await;
    assert_eq!(again.status, 400);
    let fine = company.send_as(&token, Method::POST, "crm/Accounts", r#"{"Name":"A"}"#).await;
    assert_eq!(fine.status, 201);
}

#[tokio::test]
async fn an_ended_token_counts_as_an_error() {
    let company = limited(Limits { errors_per_hour: 2, ..Limits::default() }).await;
    company.control().advance_clock(600);
    assert_eq!(call(&company).await.status, 401);
    assert_eq!(call(&company).await.status, 401);
    assert_eq!(call(&company).await.status, 403);
}

#[tokio::test]
async fn a_block_grows_each_time_that_it_comes_again() {
    let company = limited(Limits { errors_per_hour: 2, ..Limits::default() }).await;
    let mut token = company.token.clone();
    let bad = company.url("crm/Accounts?$filter=Nothing eq 1&$select=ID");
    for hours in [1, 2, 3] {
        for status in [400, 400, 403] {
            assert_eq!(company.get_as(&token, &bad).await.status, status);
        }
        company.control().advance_clock(hours * 3_600 - 1);
        token = company.fresh_token(&company.control().grant()).await;
        assert_eq!(company.get_as(&token, &bad).await.status, 403, "not yet {hours} hours");
        company.control().advance_clock(1);
    }
}

#[tokio::test]
async fn a_block_may_say_nothing_and_last_for_as_long_as_it_is_called() {
    let company = limited(Limits { errors_per_hour: 1, ..Limits::default() }).await;
    company.control().set_switches(Switches {
        error_block_status: 429,
        error_block_told: false,
        blocked_calls_prolong: true,
        ..Switches::default()
    });
    let bad = company.url("crm/Accounts?$filter=Nothing eq 1&$select=ID");
    let mut token = company.token.clone();
    assert_eq!(company.get_as(&token, &bad).await.status, 400);
    for seconds in [1_800, 3_599, 3_600] {
        company.control().advance_clock(seconds);
        token = company.fresh_token(&company.control().grant()).await;
        let reply = company.get_as(&token, &bad).await;
        let expected = if seconds == 3_600 { 400 } else { 429 };
        assert_eq!(reply.status, expected, "after {seconds} s");
        assert!(expected == 400 || reply.text.is_empty());
    }
}

#[tokio::test]
async fn errors_may_be_counted_by_the_hours_of_the_clock() {
    for (by_clock_hour, third) in [(false, 403), (true, 400)] {
        let company = limited(Limits { errors_per_hour: 2, ..Limits::default() }).await;
        company
            .control()
            .set_switches(Switches { errors_by_clock_hour: by_clock_hour, ..Switches::default() });
        let bad = company.url("crm/Accounts?$filter=Nothing eq 1&$select=ID");
        assert_eq!(company.get_as(&company.token, &bad).await.status, 400);
        // Into the next hour of the clock.
        company.control().advance_clock(3_580);
        let token = company.fresh_token(&company.control().grant()).await;
        assert_eq!(company.get_as(&token, &bad).await.status, 400);
        assert_eq!(company.get_as(&token, &bad).await.status, third);
    }
}

#[tokio::test]
async fn a_refusal_may_tell_nothing() {
    let company = limited(Limits { per_minute: 1, ..Limits::default() }).await;
    company.control().set_switches(Switches { refusals_tell: false, ..Switches::default() });
    call(&company).await;
    let refused = call(&company).await;
    assert_eq!((refused.status, refused.header("X-RateLimit-Minutely-Reset")), (429, None));
}
