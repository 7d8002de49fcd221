use std::time::Duration;

use model::{FailureClass, RecordId};
use simulator_exactonline::{Fault, FaultKind, Limits, Switches};

use super::{ACCOUNTS, Company};
use crate::{Error, Priority, Settings};

const NAME: &str = "Name eq 'x'";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_clients_at_once_never_exceed_the_quota() {
    let company = Company::start().await;
    // To the end of the minute, when nothing is kept for the less urgent any more.
    company.running.control().advance_clock(37);
    let settings = Settings { wait_max: Duration::from_secs(3), ..company.settings() };
    let clients = [company.client_with(settings.clone()), company.client_with(settings)];
    let mut calls = tokio::task::JoinSet::new();
    for client in clients.iter().cycle().take(100) {
        let client = client.clone();
        calls.spawn(async move { client.find(ACCOUNTS, NAME, &[], Priority::Edit).await });
    }
    let (mut made, mut waiting) = (0, 0);
    while let Some(called) = calls.join_next().await {
        match called.unwrap() {
            Ok(_) => made += 1,
            Err(Error::QuotaSpent { after }) => {
                assert!(after <= Duration::from_mins(1));
                waiting += 1;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((made, waiting, company.statuses(429)), (60, 40, 0));
}

#[tokio::test]
async fn what_others_used_of_the_minute_is_left_alone() {
    let company = Company::start().await;
    company.running.control().advance_clock(37);
    let client = company.client();
    client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
    // Another app of the same key has used the rest: the next answer tells.
    company.running.control().set_limits(Limits { per_minute: 3, ..Limits::default() });
    client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
    client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
    let spent = client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap_err();
    assert!(matches!(spent, Error::QuotaSpent { .. }), "{spent:?}");
    assert_eq!(company.statuses(429), 0);
}

#[tokio::test]
async fn a_call_too_many_is_followed_by_none_before_the_reset() {
    let company = Company::start().await;
    let (client, other) = (company.client(), company.client());
    company.running.control().add_fault(Fault::next(FaultKind::Throttle));
    let throttled = client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap_err();
    assert_eq!(throttled.class(), FailureClass::Throttled { after: Duration::from_secs(41) });
    for _ in 0..5 {
        assert!(matches!(
            other.find(ACCOUNTS, NAME, &[], Priority::Edit).await,
            Err(Error::QuotaSpent { .. })
        ));
    }
    assert_eq!((company.statuses(429), company.calls("GET crm/accounts")), (1, 1));
    company.running.control().advance_clock(41);
    other.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_rests_before_it_is_blocked_and_no_other_does() {
    let company = Company::start().await;
    let clients = [company.client(), company.client()];
    for turn in 0..12 {
        let error = clients[turn % 2].find(ACCOUNTS, "Nonsense eq 1", &[], Priority::Edit).await.unwrap_err();
        let rests = matches!(&error, Error::EndpointResting { endpoint, .. } if endpoint == "crm/accounts");
        assert_eq!(rests, turn >= 8, "{error:?}");
        assert!(!rests || matches!(error.class(), FailureClass::Throttled { .. }));
    }
    assert_eq!(company.statuses(400), 8);
    clients[0].users().await.unwrap();

    // An hour after the errors it is called again.
    company.running.control().advance_clock(3_601);
    clients[0].find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
}

#[tokio::test]
async fn errors_around_the_turn_of_an_hour_are_one_budget() {
    let company = Company::start_with(simulator_exactonline::Settings {
        start_at: Some("2026-11-22T10:58:00Z".parse().unwrap()),
        frozen_clock: true,
        ..Default::default()
    })
    .await;
    let client = company.client();
    for _ in 0..20 {
        client.find(ACCOUNTS, "Nonsense eq 1", &[], Priority::Edit).await.unwrap_err();
        company.running.control().advance_clock(20);
    }
    assert_eq!(company.statuses(400), 8);
}

#[tokio::test]
async fn a_block_that_came_all_the_same_is_respected() {
    let company = Company::start().await;
    let client = company.client();
    company.running.control().set_limits(Limits { errors_per_hour: 1, ..Limits::default() });
    let nobody = RecordId::parse("71b9c4a0-0f4b-4d0c-8b6d-0123456789ab").unwrap();
    let gone = client.update(ACCOUNTS, &nobody, &super::properties(r#"{"City":"X"}"#), Priority::Edit).await;
    assert_eq!(gone.unwrap_err().class(), FailureClass::Gone);
    for _ in 0..3 {
        let blocked = client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap_err();
        assert!(matches!(blocked, Error::EndpointResting { .. }), "{blocked:?}");
    }
    assert_eq!(company.statuses(403), 1);
}

#[tokio::test]
async fn a_block_that_looks_like_a_call_too_many_is_one_of_its_endpoint() {
    let company = Company::start().await;
    let control = company.running.control();
    control.set_limits(Limits { errors_per_hour: 1, ..Limits::default() });
    control.set_switches(Switches { error_block_status: 429, ..Switches::default() });
    let client = company.client();
    client.find(ACCOUNTS, "Nonsense eq 1", &[], Priority::Edit).await.unwrap_err();
    for _ in 0..3 {
        let blocked = client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap_err();
        assert!(matches!(blocked, Error::EndpointResting { .. }), "{blocked:?}");
    }
    client.users().await.unwrap();
    assert_eq!(company.statuses(429), 1);
}

#[tokio::test]
async fn a_block_that_says_nothing_is_found_out_and_left_alone_until_it_ends() {
    let company = Company::start().await;
    let control = company.running.control();
    control.set_limits(Limits { errors_per_hour: 1, ..Limits::default() });
    control.set_switches(Switches {
        error_block_status: 429,
        error_block_told: false,
        blocked_calls_prolong: true,
        ..Switches::default()
    });
    let client = company.client();
    client.find(ACCOUNTS, "Nonsense eq 1", &[], Priority::Edit).await.unwrap_err();
    for _ in 0..60 {
        client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap_err();
        control.advance_clock(61);
    }
    assert_eq!(company.statuses(429), 3);
    control.advance_clock(240);
    client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
}

#[tokio::test]
async fn a_refusal_that_tells_nothing_rests_to_the_end_of_the_minute() {
    let company = Company::start().await;
    company.running.control().set_switches(Switches { refusals_tell: false, ..Switches::default() });
    company.running.control().add_fault(Fault::next(FaultKind::Throttle));
    let client = company.client();
    let throttled = client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap_err();
    assert_eq!(throttled.class(), FailureClass::Throttled { after: Duration::from_secs(41) });
}

#[tokio::test]
async fn limits_that_are_configured_too_high_exceed_nothing_and_keep_calls_for_edits() {
    let company = Company::start().await;
    let mut settings = company.settings();
    (settings.limits.per_minute, settings.limits.per_day) = (1_000_000, 1_000_000);
    let client = company.client_with(settings);
    let mut reads = 0;
    while client.find(ACCOUNTS, NAME, &[], Priority::Read).await.is_ok() {
        reads += 1;
        assert!(reads < 60, "an edit finds nothing");
    }
    client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
    assert_eq!(company.statuses(429), 0);
}

#[tokio::test]
async fn a_day_that_others_used_up_is_looked_at_again_now_and_then_and_no_more() {
    let mut company = Company::start().await;
    let control = company.running.control();
    control.set_limits(Limits { per_day: 3, ..Limits::default() });
    let other = company.client();
    for _ in 0..3 {
        other.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
    }
    // Of what they used nothing is known here.
    company.empty_store();
    let client = company.client();
    let find = async || client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap_err();
    let quarter = Duration::from_mins(15);
    assert_eq!(find().await.class(), FailureClass::Throttled { after: quarter });
    for _ in 0..5 {
        assert!(matches!(find().await, Error::QuotaSpent { .. }));
    }
    assert_eq!((company.statuses(429), company.calls("GET crm/accounts")), (1, 4));
    control.advance_clock(15 * 60);
    assert!(matches!(find().await, Error::Throttled { .. }));
    // The contract has grown.
    control.set_limits(Limits::default());
    control.advance_clock(15 * 60);
    client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
    client.find(ACCOUNTS, NAME, &[], Priority::Edit).await.unwrap();
    assert_eq!(company.statuses(429), 2);
}
