use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::FailureClass;
use reqwest::redirect::Policy;
use simulator_exactonline::{Fault, FaultKind, Switches};
use store::Embedded;
use telemetry::Metrics;

use super::{Company, empty_store};
use crate::{Code, Consent, Division, Error, ExactOnline, Settings};

const STATE: &str = "3f7a";

impl Company {
    /// With nobody's consent yet.
    async fn without_grant() -> Self {
        let company = Self::start().await;
        std::fs::remove_file(company.grant_file()).unwrap();
        company
    }

    /// The code that a person is sent back with, who agrees.
    async fn code(&self) -> Code {
        let running = &self.running;
        let site = running.base_url.parse().unwrap();
        let consent = Consent::ask(&site, &running.client_id, &running.redirect_uri, STATE);
        let browser = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let answer = browser.get(consent.url().clone()).send().await.unwrap();
        let redirect = answer.headers()["location"].to_str().unwrap();
        assert!(redirect.contains("%21"), "the code arrives encoded: {redirect}");
        consent.pasted(redirect).unwrap()
    }

    async fn consent(&self, client: &ExactOnline<Embedded>) -> Result<(), Error> {
        client.begin_grant(&self.code().await, &self.running.redirect_uri).await
    }

    fn client_on(&self, store: Embedded) -> ExactOnline<Embedded> {
        let control = self.running.control();
        ExactOnline::with_clock(self.settings(), store, move || control.now()).unwrap()
    }

    fn token_calls(&self) -> usize {
        self.calls("POST api/oauth2/token")
    }
}

#[tokio::test]
async fn a_consent_begins_a_grant_that_is_in_both_places_and_serves_every_client() {
    let company = Company::without_grant().await;
    let client = company.client();
    assert!(matches!(client.me().await, Err(Error::NoGrant { .. })));
    company.consent(&company.client()).await.unwrap();
    client.me().await.unwrap();
    assert_eq!(company.token_calls(), 1, "its access token serves");
    // The file alone, then the store alone.
    std::fs::copy(company.grant_file(), company.folder.path().join("kept")).unwrap();
    company.client_on(empty_store(&company.running)).me().await.unwrap();
    std::fs::remove_file(company.grant_file()).unwrap();
    company.client().me().await.unwrap();
    let kept = std::fs::read(company.folder.path().join("kept")).unwrap();
    assert_eq!(std::fs::read(company.grant_file()).unwrap(), kept);
    assert_eq!(company.token_calls(), 1);
}

#[tokio::test]
async fn a_grant_that_was_lost_while_clients_run_is_repaired_for_their_next_call() {
    // The store of the consent: that of the running client, and one that nobody shares.
    for shares_store in [true, false] {
        let company = Company::start().await;
        let running = company.client();
        running.me().await.unwrap();
        company.running.control().revoke();
        company.running.control().advance_clock(600);
        assert!(matches!(running.me().await, Err(Error::GrantLost { .. })));
        let store = if shares_store { company.store.clone() } else { empty_store(&company.running) };
        company.consent(&company.client_on(store)).await.unwrap();
        let before = company.token_calls();
        running.me().await.unwrap();
        assert_eq!(company.token_calls(), before, "the tokens of the consent serve");
        // And go on as any others: refreshed once, in time.
        company.running.control().advance_clock(570);
        running.me().await.unwrap();
        assert_eq!(company.token_calls(), before + 1, "shares its store: {shares_store}");
    }
}

#[tokio::test]
async fn a_consent_is_the_newest_grant_whatever_the_clocks_of_replicas_say() {
    let company = Company::start().await;
    let clock = company.running.control();
    let ahead = move || clock.now().checked_add(SignedDuration::from_secs(40)).unwrap();
    // A replica on another machine: another file, and a clock of its own.
    let grant_file = company.folder.path().join("of-replica.json");
    std::fs::copy(company.grant_file(), &grant_file).unwrap();
    let settings = Settings { grant_file, ..company.settings() };
    let replica = ExactOnline::with_clock(settings, company.store.clone(), ahead).unwrap();
    replica.me().await.unwrap();
    company.running.control().revoke();
    company.consent(&company.client()).await.unwrap();
    replica.me().await.unwrap();
}

#[tokio::test]
async fn a_code_that_was_used_or_is_too_old_or_for_elsewhere_is_refused_and_costs_no_grant() {
    let company = Company::start().await;
    let client = company.client();
    client.me().await.unwrap();
    let redirect = company.running.redirect_uri.clone();
    let used = company.code().await;
    client.begin_grant(&used, &redirect).await.unwrap();
    let (filed, code) = (std::fs::read(company.grant_file()).unwrap(), company.code().await);
    let elsewhere = client.begin_grant(&code, "https://app.example/other").await;
    let old = company.code().await;
    company.running.control().advance_clock(181);
    for refused in
        [elsewhere, client.begin_grant(&used, &redirect).await, client.begin_grant(&old, &redirect).await]
    {
        let error = refused.unwrap_err();
        assert!(matches!(&error, Error::CodeRefused { .. }), "{error:?}");
        assert_eq!(error.class(), FailureClass::Auth);
        let told = error.to_string();
        assert!(told.contains("three minutes") && told.contains("redirect_uri"), "{told}");
    }
    assert_eq!(std::fs::read(company.grant_file()).unwrap(), filed);
    client.me().await.unwrap();
}

#[tokio::test]
async fn no_refresh_stands_in_the_way_of_a_person() {
    let company = Company::start().await;
    let mut settings = company.settings();
    settings.limits.token_calls_per_day = 1;
    let client = company.client_with(settings);
    client.me().await.unwrap();
    company.running.control().advance_clock(600);
    assert!(matches!(client.me().await, Err(Error::TokenTooEarly { .. })));
    company.consent(&client).await.unwrap();
    client.me().await.unwrap();
}

#[tokio::test]
async fn a_consent_waits_for_a_refresh_that_is_under_way() {
    let company = Company::start().await;
    let (running, command) = (company.client(), company.client());
    let path_contains = Some("/oauth2/token".to_owned());
    let kind = FaultKind::Delay { ms: 500 };
    company.running.control().add_fault(Fault { kind, method: None, path_contains, count: 1 });
    let code = company.code().await;
    let refresh = tokio::spawn(async move { running.me().await });
    while company.running.control().faults().len() == 1 {
        tokio::task::yield_now().await;
    }
    command.begin_grant(&code, &company.running.redirect_uri).await.unwrap();
    let kept = std::fs::read(company.grant_file()).unwrap();
    refresh.await.unwrap().unwrap();
    assert_eq!(std::fs::read(company.grant_file()).unwrap(), kept, "the consent came last, and stays");
    company.running.control().advance_clock(600);
    company.client().me().await.unwrap();
    assert_eq!((company.token_calls(), company.statuses(400), company.statuses(401)), (3, 0, 0));
}

#[tokio::test]
async fn the_user_is_told_by_name_and_their_companies_by_number() {
    let company = Company::start_with(simulator_exactonline::Settings {
        further_divisions: vec![7, 8],
        ..Default::default()
    })
    .await;
    let client = company.client();
    assert_eq!(client.me().await.unwrap().name.as_deref(), Some("Connector"));
    let own = u64::try_from(company.running.division).unwrap();
    let expected = [7, 8, own].map(|code| Division { code, name: Some(format!("Company {code}")) });
    assert_eq!(client.divisions(own).await.unwrap(), expected);
    // A licence that serves them at the other address only.
    let path_contains = Some("/system/Divisions".to_owned());
    let kind = FaultKind::FailBefore { status: 403 };
    company.running.control().add_fault(Fault { kind, method: None, path_contains, count: 1 });
    assert_eq!(client.divisions(own).await.unwrap(), expected);
    // Only a division that the consent covers can be asked.
    let divisions_out_of_scope = vec![7];
    company.running.control().set_switches(Switches { divisions_out_of_scope, ..Switches::default() });
    assert!(matches!(client.divisions(7).await, Err(Error::Forbidden { .. })));
}

#[tokio::test]
async fn whether_the_grant_serves_shows_in_the_metrics() {
    let company = Company::without_grant().await;
    let metrics = Arc::new(Metrics::new("tandem"));
    let client = company.client().measured(Arc::clone(&metrics));
    let shown = || {
        let rendered = metrics.render();
        let line = rendered.lines().find(|line| line.starts_with("tandem_grant_usable{")).map(str::to_owned);
        line.map(|line| line.ends_with(" 1"))
    };
    assert_eq!(shown(), None);
    client.me().await.unwrap_err();
    assert_eq!(shown(), Some(false));
    company.consent(&company.client()).await.unwrap();
    client.me().await.unwrap();
    assert_eq!(shown(), Some(true));
    company.running.control().revoke();
    client.me().await.unwrap_err();
    assert_eq!(shown(), Some(false));
}

#[tokio::test]
async fn the_tokens_of_a_consent_are_refreshed_in_their_window_by_one_of_all_clients() {
    let company = Company::without_grant().await;
    let settings = Settings { wait_max: Duration::from_secs(10), ..company.settings() };
    let clients = [company.client_with(settings.clone()), company.client_with(settings)];
    company.consent(&clients[0]).await.unwrap();
    let begun: Timestamp = company.running.control().now();
    for (seconds, token_calls) in [(569, 1), (570, 2), (570 + 599, 3)] {
        let now = company.running.control().now();
        let ahead = begun.checked_add(SignedDuration::from_secs(seconds)).unwrap().duration_since(now);
        company.running.control().advance_clock(u32::try_from(ahead.as_secs()).unwrap());
        let (one, other) = tokio::join!(clients[0].me(), clients[1].me());
        one.unwrap();
        other.unwrap();
        assert_eq!(company.token_calls(), token_calls, "after {seconds} s");
    }
    assert_eq!((company.statuses(400), company.statuses(401)), (0, 0));
}
