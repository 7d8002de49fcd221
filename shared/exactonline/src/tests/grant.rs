use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::FailureClass;
use simulator_exactonline::{Fault, FaultKind};

use super::Company;
use crate::{Error, ExactOnline, Settings};

impl Company {
    fn refreshes(&self) -> usize {
        self.running.control().log().iter().filter(|call| call.path.contains("/oauth2/token")).count()
    }

    fn filed(&self) -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(self.grant_file()).unwrap()).unwrap()
    }

    fn on_token_endpoint(&self, kind: FaultKind) {
        let path_contains = Some("/oauth2/token".to_owned());
        self.running.control().add_fault(Fault { kind, method: None, path_contains, count: 1 });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_clients_at_once_refresh_once() {
    let company = Company::start().await;
    let settings = Settings { wait_max: Duration::from_secs(10), ..company.settings() };
    let clients = [company.client_with(settings.clone()), company.client_with(settings)];
    for round in 1..=3 {
        let mut calls = tokio::task::JoinSet::new();
        for client in clients.iter().cycle().take(12) {
            let client = client.clone();
            calls.spawn(async move { client.me().await.map(|_| ()) });
        }
        while let Some(called) = calls.join_next().await {
            called.unwrap().unwrap();
        }
        assert_eq!(company.refreshes(), round);
        // Past the earliest refresh, before the end of the token, and into another minute.
        company.running.control().advance_clock(575);
    }
}

#[tokio::test]
async fn the_new_refresh_token_is_in_both_places_before_it_is_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let company = Company::start().await;
    company.client().me().await.unwrap();
    let filed = company.filed();
    assert_ne!(filed["refresh_token"], company.running.refresh_token.as_str());
    assert!(filed["access_token"].is_string());
    let obtained: Timestamp = filed["obtained_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(obtained, company.running.control().now());
    let mode = std::fs::metadata(company.grant_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The store alone is enough as well.
    std::fs::remove_file(company.grant_file()).unwrap();
    company.client().me().await.unwrap();
    assert_eq!(company.refreshes(), 1);
    assert_eq!(company.filed(), filed);
}

#[tokio::test]
async fn a_grant_that_can_not_be_written_to_its_second_place_is_not_used() {
    let company = Company::start().await;
    // A folder in the place of the file that is renamed over the grant.
    std::fs::create_dir(company.grant_file().with_extension("json.new")).unwrap();
    let error = company.client().me().await.unwrap_err();
    assert!(matches!(error, Error::GrantFile { .. }), "{error:?}");
    assert_eq!(company.calls("GET current/me"), 0);
    // Nothing is lost: once the folder is repaired the grant goes on from the store, without another refresh.
    std::fs::remove_dir(company.grant_file().with_extension("json.new")).unwrap();
    company.client().me().await.unwrap();
    assert_eq!(company.refreshes(), 1);
}

#[tokio::test]
async fn a_grant_survives_an_emptied_store_by_its_file() {
    let mut company = Company::start().await;
    company.client().me().await.unwrap();
    company.empty_store();
    // The access token of the file still lives: no refresh, which would be too early.
    company.client().me().await.unwrap();
    assert_eq!(company.refreshes(), 1);
    company.running.control().advance_clock(3_600);
    company.empty_store();
    company.client().me().await.unwrap();
    assert_eq!(company.refreshes(), 2);
}

#[tokio::test]
async fn an_older_grant_is_never_tried() {
    let company = Company::start().await;
    let client = company.client();
    client.me().await.unwrap();
    let old = std::fs::read_to_string(company.grant_file()).unwrap();
    company.running.control().advance_clock(600);
    client.me().await.unwrap();
    // As if the file had been restored from a backup.
    std::fs::write(company.grant_file(), old).unwrap();
    company.running.control().advance_clock(600);
    client.me().await.unwrap();
    assert_eq!((company.refreshes(), company.statuses(401)), (3, 0));
}

#[tokio::test]
async fn a_spent_token_is_a_lost_grant_that_names_the_way_out() {
    let company = Company::start().await;
    let client = company.client();
    client.me().await.unwrap();
    company.running.control().revoke();
    company.running.control().advance_clock(600);
    for _ in 0..3 {
        let error = client.me().await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Auth);
        let text = error.to_string();
        assert!(text.contains("give the app consent anew"), "{text}");
        assert!(text.contains("Old refresh token used."), "{text}");
        assert!(text.contains("`tandem auth exactonline --connection acme`"), "{text}");
    }
    // It is asked once, not at every call.
    assert_eq!(company.refreshes(), 2);

    // A person consents anew, and a client that runs goes on by itself.
    let seed = format!(r#"{{"refresh_token":"{}"}}"#, company.running.control().grant());
    std::fs::write(company.grant_file(), seed).unwrap();
    client.me().await.unwrap();
    assert_eq!(company.refreshes(), 3);
}

#[tokio::test]
async fn no_grant_at_all_and_a_grant_file_of_nonsense_are_told() {
    let company = Company::start().await;
    std::fs::write(company.grant_file(), "refresh_token = 'x'").unwrap();
    assert!(matches!(company.client().me().await, Err(Error::GrantFile { .. })));
    std::fs::remove_file(company.grant_file()).unwrap();
    let error = company.client().me().await.unwrap_err();
    assert!(matches!(&error, Error::NoGrant { .. }) && error.class() == FailureClass::Auth, "{error:?}");
    assert!(error.to_string().contains("`tandem auth exactonline --connection acme`"), "{error}");
    assert_eq!(company.refreshes(), 0);
}

#[tokio::test]
async fn a_refresh_that_is_too_early_waits_and_the_old_token_serves_meanwhile() {
    let company = Company::start().await;
    let client = company.client();
    client.me().await.unwrap();
    // The service counts from a later moment than we do.
    company
        .running
        .control()
        .set_limits(simulator_exactonline::Limits { refresh_not_before_seconds: 590, ..Default::default() });
    company.running.control().advance_clock(572);
    client.me().await.unwrap();
    client.me().await.unwrap();
    assert_eq!((company.refreshes(), company.statuses(400)), (2, 1));
    company.running.control().advance_clock(20);
    client.me().await.unwrap();
    assert_eq!(company.refreshes(), 3);

    // Without a token that lives, the caller is told how long to wait.
    company
        .running
        .control()
        .set_limits(simulator_exactonline::Limits { refresh_not_before_seconds: 650, ..Default::default() });
    company.running.control().advance_clock(600);
    let error = client.me().await.unwrap_err();
    assert!(matches!(error.class(), FailureClass::Throttled { .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_endpoint_that_fails_costs_no_grant_and_is_left_alone_for_a_while() {
    let company = Company::start().await;
    let client = company.client();
    company.on_token_endpoint(FaultKind::FailBefore { status: 503 });
    assert_eq!(client.me().await.unwrap_err().class(), FailureClass::Transient);
    let resting = client.me().await.unwrap_err();
    assert!(matches!(resting.class(), FailureClass::Throttled { after } if after <= Duration::from_secs(10)));
    assert_eq!(company.refreshes(), 1);
    company.running.control().advance_clock(11);
    client.me().await.unwrap();
}

#[tokio::test]
async fn a_caller_who_gives_up_loses_no_refresh_token() {
    let company = Company::start().await;
    let client = company.client();
    company.on_token_endpoint(FaultKind::Delay { ms: 300 });
    let impatient = tokio::time::timeout(Duration::from_millis(50), client.me()).await;
    assert!(impatient.is_err());
    // The refresh goes on without its caller, up to the file.
    let written = async {
        while company.filed()["access_token"].is_null() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.unwrap();
    client.me().await.unwrap();
    assert_eq!((company.refreshes(), company.statuses(401)), (1, 0));
}

#[tokio::test]
async fn a_token_that_another_replica_renewed_is_taken_over_after_a_401() {
    let company = Company::start().await;
    let control = company.running.control();
    control.set_switches(simulator_exactonline::Switches { single_access_token: true, ..Default::default() });
    // The clock of the second is behind, so it believes its token to be young when the first renews it.
    let clock = company.running.control();
    let behind = move || clock.now().checked_sub(SignedDuration::from_secs(30)).unwrap();
    let first = company.client();
    let second = ExactOnline::with_clock(company.settings(), company.store.clone(), behind).unwrap();
    first.me().await.unwrap();
    second.me().await.unwrap();
    control.advance_clock(575);
    first.me().await.unwrap();
    second.me().await.unwrap();
    assert_eq!((company.refreshes(), company.statuses(401)), (2, 1));
}

#[tokio::test]
async fn an_access_token_that_is_not_accepted_stops_the_connection_even_when_told_in_html() {
    let company = Company::start().await;
    let client = company.client();
    client.me().await.unwrap();
    let mut filed = company.filed();
    filed["access_token"] = "unknown".into();
    filed["obtained_at"] = "2026-11-22T10:00:21Z".into();
    std::fs::write(company.grant_file(), filed.to_string()).unwrap();
    // A client that starts takes the newer grant of the file; the service answers its token with a login page.
    let error = company.client().me().await.unwrap_err();
    assert!(matches!(&error, Error::Unauthorised { .. }) && error.class() == FailureClass::Auth, "{error:?}");
    assert!(error.to_string().contains("give the app consent anew"));
    assert_eq!((company.statuses(401), company.refreshes()), (1, 1));
}

#[tokio::test]
async fn the_first_call_after_a_long_sleep_works() {
    let company = Company::start().await;
    let client = company.client();
    client.me().await.unwrap();
    let day = 86_400;
    for (refreshes, asleep) in [601, 3_600, day, 29 * day, 30 * day - 1].into_iter().enumerate() {
        company.running.control().advance_clock(asleep);
        client.me().await.unwrap();
        // A process that starts after the sleep, too.
        company.client().me().await.unwrap();
        assert_eq!(company.refreshes(), refreshes + 2, "after {asleep} s");
    }
    assert_eq!((company.statuses(400), company.statuses(401)), (0, 0));
}

#[tokio::test]
async fn a_refresh_token_that_nobody_used_for_thirty_days_is_a_lost_grant() {
    let company = Company::start().await;
    let client = company.client();
    client.me().await.unwrap();
    company.running.control().advance_clock(30 * 86_400);
    for _ in 0..3 {
        let error = client.me().await.unwrap_err();
        assert!(matches!(&error, Error::GrantLost { .. }), "{error:?}");
        assert!(error.to_string().contains("invalid_request: The refresh token expired at"), "{error}");
    }
    assert_eq!(company.refreshes(), 2, "it is asked once");
}

#[tokio::test]
async fn what_refuses_in_the_place_of_exact_loses_no_grant() {
    let company = Company::start().await;
    let client = company.client();
    for status in [403, 404, 407] {
        company.on_token_endpoint(FaultKind::FailBefore { status });
        let error = client.me().await.unwrap_err();
        assert_eq!(error.class(), FailureClass::Transient, "{status}: {error:?}");
        company.running.control().advance_clock(600);
    }
    client.me().await.unwrap();
}
