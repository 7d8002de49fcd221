//! Edits that both systems tell of by themselves, to one port, from one system to the other.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use mapping::Reading;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use service::{CallbackConfig, Context, Health, Pairs, Reloads, WebhooksConfig};
use sha2::Sha256;
use simulator_exactonline::Switches;
use store::Embedded;
use telemetry::{LogFilter, Metrics};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::checklist::simulated::Simulated;
use crate::hosting::host;
use crate::shipped;

/// How far polls are apart, while changes are told and otherwise.
const POLL: Duration = Duration::from_mins(10);
/// What a poll can't bring about, and a hint must, also on a machine that is busy with other things.
const COMES_WITHIN: Duration = Duration::from_secs(90);

/// An address of this machine that is this test's alone.
fn own_address() -> SocketAddr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    TcpListener::bind(SocketAddr::from(([127, high.max(1), low, 254], 0))).unwrap().local_addr().unwrap()
}

/// The CRM tells of a change, as Standard Webhooks has it.
async fn tells(address: &str, key: &[u8], kind: &str) {
    let (id, sent) = ("msg_1", Timestamp::now().as_second());
    let body = format!(r#"{{"type":"{kind}","data":{{"id":"x"}}}}"#);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{sent}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let post = Client::new()
        .post(address)
        .header("webhook-id", id)
        .header("webhook-timestamp", sent)
        .header("webhook-signature", signature);
    assert_eq!(post.body(body).send().await.unwrap().status(), StatusCode::OK);
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < COMES_WITHIN, "{what}: not within {COMES_WITHIN:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_in_either_system_that_is_told_at_one_port_arrives_within_seconds_though_polls_are_ten_minutes_apart()
 {
    let reading = Reading::Practical;
    let simulated = Simulated::start(reading).await.unwrap();
    let exact = simulated.exact.control();
    exact.set_switches(Switches { webhooks_on_loopback: true, ..exact.switches() });
    let account = exact.create_account(r#"{"Name":"Acme","Status":"C"}"#).unwrap();

    let listens = own_address();
    let mut config = simulated.config(LogFilter::parse("off").unwrap()).unwrap();
    config.webhooks_listen = Some(listens);
    let (key, address) = ([7; 32], format!("http://{listens}/crm/acme"));
    let side = config.connections[0].customcrm.as_mut().unwrap();
    side.poll_interval = POLL;
    side.webhooks = Some(CallbackConfig {
        url: address.parse().unwrap(),
        secret: format!("whsec_{}", STANDARD.encode(key)).into(),
        secret_file: PathBuf::new(),
    });
    let side = config.connections[0].exactonline.as_mut().unwrap();
    side.poll_interval = POLL;
    let callback = CallbackConfig {
        url: format!("http://{listens}/exact/acme").parse().unwrap(),
        secret: simulated.exact.webhook_secret.clone().into(),
        secret_file: PathBuf::new(),
    };
    side.webhooks = Some(WebhooksConfig { callback, poll_interval: POLL });
    let stop = CancellationToken::new();
    let context = Context {
        pairs: Pairs::in_reading(shipped::pairs(reading).unwrap(), reading),
        config: Arc::new(config),
        stop: stop.clone(),
        health: Health::new(),
        metrics: Arc::new(Metrics::new("tandem")),
        reloads: Reloads::none(),
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

    let crm = &simulated.crm;
    let customers = crm.control.records("customers").unwrap();
    let mut customers = customers.iter().map(|text| serde_json::from_str::<Value>(text).unwrap());
    let customer = customers.find(|customer| customer["Name"] == "Acme Holding").unwrap();
    let id = customer["Id"].as_str().unwrap();
    let edited = Instant::now();
    crm.control.patch(&crm.human_token, "customers", id, r#"{"Name":"Acme Group"}"#).unwrap();
    tells(&address, &key, "customer.updated").await;
    until("the edit arrives", || exact.snapshot().contains("Acme Group")).await;
    println!("from an edit in the crm to its account in exact: {:?}", edited.elapsed());

    stop.cancel();
    services.await.unwrap().unwrap();
}
