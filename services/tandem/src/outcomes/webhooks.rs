//! An edit that Exact tells of by itself, from one system to the other.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mapping::Reading;
use serde_json::Value;
use service::{Context, Health, Pairs, WebhooksConfig};
use simulator_exactonline::Switches;
use store::Embedded;
use telemetry::{LogFilter, Metrics};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::checklist::simulated::Simulated;
use crate::hosting::host;
use crate::shipped;

/// How far polls of Exact are apart, while it tells of changes and otherwise.
const POLL: Duration = Duration::from_mins(10);
/// What a poll can't bring about, and a hint must, also on a machine that is busy with other things.
const COMES_WITHIN: Duration = Duration::from_secs(90);

/// An address of this machine that is this test's alone.
fn own_address() -> SocketAddr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    TcpListener::bind(SocketAddr::from(([127, high.max(1), low, 254], 0))).unwrap().local_addr().unwrap()
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < COMES_WITHIN, "{what}: not within {COMES_WITHIN:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_in_exact_arrives_in_the_crm_within_seconds_though_polls_are_ten_minutes_apart() {
    let reading = Reading::Practical;
    let simulated = Simulated::start(reading).await.unwrap();
    let exact = simulated.exact.control();
    exact.set_switches(Switches { webhooks_on_loopback: true, ..exact.switches() });
    let account = exact.create_account(r#"{"Name":"Acme","Status":"C"}"#).unwrap();

    let listens = own_address();
    let mut config = simulated.config(LogFilter::parse("off").unwrap()).unwrap();
    config.webhooks_listen = Some(listens);
    let side = config.connections[0].exactonline.as_mut().unwrap();
    side.poll_interval = POLL;
    side.webhooks = Some(WebhooksConfig {
        url: format!("http://{listens}/exact/acme").parse().unwrap(),
        secret: simulated.exact.webhook_secret.clone().into(),
        secret_file: PathBuf::new(),
        poll_interval: POLL,
    });
    let stop = CancellationToken::new();
    let context = Context {
        pairs: Pairs::in_reading(shipped::pairs(reading).unwrap(), reading),
        config: Arc::new(config),
        stop: stop.clone(),
        health: Health::new(),
        metrics: Arc::new(Metrics::new("tandem")),
    };
    let services = tokio::spawn(host(Simulated::broker(), Embedded::in_memory().unwrap(), true, context));

    let has_customer = |name: &str| {
        let customers = simulated.crm.control.records("customers").unwrap();
        customers.iter().any(|text| serde_json::from_str::<Value>(text).unwrap()["Name"] == name)
    };
    until("the account has its customer", || has_customer("Acme")).await;
    let subscriptions =
        || exact.records("webhooks/WebhookSubscriptions").unwrap().matches("CallbackURL").count();
    until("all is subscribed to", || subscriptions() == 5).await;

    let edited = Instant::now();
    exact.change_account(account, r#"{"Name":"Acme Holding"}"#).unwrap();
    until("the edit arrives", || has_customer("Acme Holding")).await;
    println!("from an edit in exact to its customer in the crm: {:?}", edited.elapsed());

    stop.cancel();
    services.await.unwrap().unwrap();
}
