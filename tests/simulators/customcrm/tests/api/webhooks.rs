//! What is posted of each change, and what goes wrong with it on demand.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use simulator_customcrm::{Settings, SimulatorError, Webhook, WebhookEffect, WebhookFault};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::crm::{Crm, see};

const KEY: &[u8] = b"twenty-four-bytes-of-key";

fn secret() -> String {
    format!("whsec_{}", STANDARD.encode(KEY))
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    id: String,
    timestamp: i64,
    signature: String,
    body: String,
}

impl Told {
    fn read(headers: &HeaderMap, body: String) -> Self {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/json");
        let timestamp = header("webhook-timestamp").parse().unwrap();
        Self { id: header("webhook-id"), timestamp, signature: header("webhook-signature"), body }
    }

    fn is_signed(&self) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        mac.update(format!("{}.{}.{}", self.id, self.timestamp, self.body).as_bytes());
        self.signature == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The type and the record.
    fn told(&self) -> (String, String) {
        let body = self.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&body["type"]), text(&body["data"]["id"]))
    }
}

/// Whoever is told.
struct Receiver {
    address: String,
    told: mpsc::Receiver<Told>,
    /// What the next posts are answered with; 204 after them.
    answers: Arc<Mutex<VecDeque<u16>>>,
}

type Answering = (mpsc::Sender<Told>, Arc<Mutex<VecDeque<u16>>>);

impl Receiver {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, told) = mpsc::channel(100);
        let answers = Arc::<Mutex<VecDeque<u16>>>::default();
        let routes = Router::new().fallback(answer).with_state((sender, Arc::clone(&answers)));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, told, answers }
    }

    fn answers(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    fn webhook(&self) -> Webhook {
        Webhook::new(&self.address, &secret()).unwrap()
    }

    async fn next(&mut self) -> Told {
        tokio::time::timeout(Duration::from_secs(30), self.told.recv()).await.unwrap().unwrap()
    }
}

async fn answer(State((sender, answers)): State<Answering>, headers: HeaderMap, body: String) -> StatusCode {
    sender.send(Told::read(&headers, body)).await.unwrap();
    let status = answers.lock().unwrap().pop_front().unwrap_or(204);
    StatusCode::from_u16(status).unwrap()
}

/// A CRM that tells the receiver of changes, and tries three times without a pause.
async fn told() -> (Crm, Receiver) {
    let receiver = Receiver::open().await;
    let webhook_retries = vec![Duration::ZERO; 2];
    let settings = Settings { webhooks: vec![receiver.webhook()], webhook_retries, ..Settings::default() };
    (Crm::start_with(settings).await, receiver)
}

/// The same, with a fault for the next notification.
async fn told_with(effect: WebhookEffect) -> (Crm, Receiver) {
    let (crm, receiver) = told().await;
    crm.running.control.add_webhook_fault(WebhookFault::next(effect));
    (crm, receiver)
}

fn seed(crm: &Crm, id: &str) -> (String, String) {
    crm.seed("customers", &json!({"Id": id, "Name": "Anker"}).to_string());
    ("customer.created".to_owned(), id.to_owned())
}

/// The posts, once there are so many of them.
async fn deliveries(crm: &Crm, count: usize) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let seen = see(crm.control(Method::GET, "/webhooks/deliveries")).await.json();
        let deliveries = seen.as_array().unwrap();
        if deliveries.len() >= count {
            return deliveries.clone();
        }
        assert!(start.elapsed() < Duration::from_secs(30), "there are {seen}");
    }
}

#[tokio::test]
async fn each_change_is_told_whoever_makes_it() {
    let (crm, mut receiver) = told().await;
    let path = crm.customer(r#"{"Name":"Anker"}"#).await;
    let id = path.rsplit('/').next().unwrap();
    let created = receiver.next().await;
    assert!(created.is_signed(), "{created:?}");
    let record = crm.get(&path).await;
    let expected = format!(
        r#"{{"type":"customer.created","timestamp":{},"data":{{"id":"{id}"}}}}"#,
        record.member("ModifiedAt")
    );
    assert_eq!(created.body, expected);
    assert!((Timestamp::now().as_second() - created.timestamp).abs() < 60, "{created:?}");

    crm.patch(&path, r#"{"City":"Delft"}"#).await;
    assert_eq!(receiver.next().await.told(), ("customer.updated".into(), id.into()));
    let (control, person) = (&crm.running.control, &crm.running.human_token);
    control.patch(person, "customers", id, r#"{"City":"Leiden"}"#).unwrap();
    let by_hand = receiver.next().await;
    assert!(by_hand.is_signed() && by_hand.id != created.id);
    assert_eq!(by_hand.told(), ("customer.updated".into(), id.into()));
    crm.patch(&path, r#"{"City":"Leiden"}"#).await;
    crm.delete(&path).await;
    let last = receiver.next().await.told();
    assert_eq!(last, ("customer.deleted".into(), id.into()), "a patch that changes nothing is not told");
    assert_eq!(deliveries(&crm, 4).await.len(), 4);
}

#[tokio::test]
async fn every_collection_has_types_of_its_own() {
    let (crm, mut receiver) = told().await;
    let control = &crm.running.control;
    let document = r#"{"Id":"1","CustomerId":"1","Lines":[{"ProductId":"1","Quantity":1}]}"#;
    let mut expected = Vec::new();
    for (collection, entity, record) in [
        ("users", "user", r#"{"Id":"1","Email":"u1@crm.example"}"#),
        ("customers", "customer", r#"{"Id":"1","Name":"Anker"}"#),
        ("contacts", "contact", r#"{"Id":"1","CustomerId":"1","LastName":"Vos"}"#),
        ("products", "product", r#"{"Id":"1","Code":"A-1","Name":"Anchor"}"#),
        ("orders", "order", document),
        ("quotes", "quote", document),
    ] {
        control.seed(collection, [record]).unwrap();
        expected.push((format!("{entity}.created"), "1".to_owned()));
    }
    let mut told = Vec::new();
    for _ in &expected {
        told.push(receiver.next().await.told());
    }
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_refused_notification_comes_again_signed_anew_until_the_attempts_are_used_up() {
    let (crm, mut receiver) = told().await;
    receiver.answers(&[500, 302, 200, 503, 404, 429]);
    let first = seed(&crm, "c1");
    let attempts = [receiver.next().await, receiver.next().await, receiver.next().await];
    for attempt in &attempts {
        assert!(attempt.is_signed());
        assert_eq!((&attempt.id, attempt.told()), (&attempts[0].id, first.clone()));
    }
    seed(&crm, "c2");
    for _ in 0..3 {
        assert_eq!(receiver.next().await.told().1, "c2");
    }
    assert_eq!(seed(&crm, "c3"), receiver.next().await.told());
    let deliveries = deliveries(&crm, 7).await;
    let short = |one: &Value| json!([one["record_id"], one["attempt"], one["status"]]);
    let expected =
        [("c1", 0, 500), ("c1", 1, 302), ("c1", 2, 200), ("c2", 0, 503), ("c2", 1, 404), ("c2", 2, 429)];
    let seen: Vec<Value> = deliveries[..6].iter().map(short).collect();
    assert_eq!(json!(seen), json!(expected));
    assert_eq!(deliveries[0]["webhook_id"], attempts[0].id.as_str());
    assert_eq!((&deliveries[0]["type"], &deliveries[0]["url"]), (&json!(first.0), &json!(receiver.address)));
}

#[tokio::test]
async fn a_receiver_that_never_answers_holds_up_no_call_and_nobody_else() {
    let (crm, mut receiver) = told().await;
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", silent.local_addr().unwrap());
    let control = &crm.running.control;
    control.add_webhook(Webhook::new(&address, &secret()).unwrap());
    for number in 0..40 {
        let path = crm.customer(&json!({"Name": format!("Customer {number}")}).to_string()).await;
        assert_eq!(receiver.next().await.told().1, path.rsplit('/').next().unwrap());
    }
    assert_eq!(control.deliveries().iter().filter(|one| one.url == address).count(), 0);
}

#[tokio::test]
async fn webhooks_are_registered_and_ended_over_the_control_api() {
    let (crm, mut receiver) = (Crm::start().await, Receiver::open().await);
    seed(&crm, "c1");
    let register = |url: &str, secret: &str| {
        see(crm.control(Method::POST, "/webhooks").json(&json!({"url": url, "secret": secret})))
    };
    assert_eq!(register(&receiver.address, &secret()).await.status, 204);
    for (url, secret) in
        [("ftp://crm.example", secret()), ("nowhere", secret()), (&receiver.address, "c2VjcmV0".to_owned())]
    {
        assert_eq!(register(url, &secret).await.status, 422, "{url} {secret}");
    }
    let listed = see(crm.control(Method::GET, "/webhooks")).await;
    assert_eq!(listed.json(), json!([receiver.address]));
    let second = seed(&crm, "c2");
    assert_eq!(receiver.next().await.told(), second, "what was before is not told");
    see(crm.control(Method::DELETE, "/webhooks")).await;
    seed(&crm, "c3");
    crm.running.control.add_webhook(receiver.webhook());
    let fourth = seed(&crm, "c4");
    assert_eq!(receiver.next().await.told(), fourth);
    assert!(matches!(Webhook::new("x", &secret()), Err(SimulatorError::WebhookAddress { .. })));
    assert!(matches!(Webhook::new(&receiver.address, "x"), Err(SimulatorError::WebhookSecret)));
}

#[tokio::test]
async fn each_address_is_told_the_same_under_one_id() {
    let (crm, mut first) = told().await;
    let mut second = Receiver::open().await;
    crm.running.control.add_webhook(second.webhook());
    seed(&crm, "c1");
    let (told, also) = (first.next().await, second.next().await);
    assert_eq!((told.id, told.body), (also.id, also.body));
}

#[tokio::test]
async fn a_notification_is_lost_on_demand() {
    let (crm, mut receiver) = told_with(WebhookEffect::Lose).await;
    seed(&crm, "c1");
    let second = seed(&crm, "c2");
    assert_eq!(receiver.next().await.told(), second);
    assert!(crm.running.control.webhook_faults().is_empty());
}

#[tokio::test]
async fn a_notification_comes_twice_on_demand() {
    let (crm, mut receiver) = told_with(WebhookEffect::Duplicate).await;
    seed(&crm, "c1");
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert!(first.is_signed() && second.is_signed());
    assert_eq!((first.id, first.body), (second.id, second.body));
}

#[tokio::test]
async fn the_next_notification_overtakes_on_demand() {
    let (crm, mut receiver) = told_with(WebhookEffect::Reorder).await;
    let (first, second) = (seed(&crm, "c1"), seed(&crm, "c2"));
    assert_eq!(receiver.next().await.told(), second);
    assert_eq!(receiver.next().await.told(), first);
}

#[tokio::test]
async fn a_delay_holds_one_notification_and_no_other() {
    let (crm, mut receiver) = told_with(WebhookEffect::Delay(Duration::from_hours(1))).await;
    seed(&crm, "c1");
    for id in ["c2", "c3"] {
        let told = seed(&crm, id);
        assert_eq!(receiver.next().await.told(), told);
    }
}

#[tokio::test]
async fn an_altered_body_does_not_fit_its_signature_and_comes_once() {
    let (crm, mut receiver) = told_with(WebhookEffect::AlterBody).await;
    receiver.answers(&[400]);
    seed(&crm, "c1");
    let altered = receiver.next().await;
    assert!(!altered.is_signed());
    assert_ne!(altered.told().1, "c1");
    let second = seed(&crm, "c2");
    assert_eq!(receiver.next().await.told(), second);
}

#[tokio::test]
async fn a_signature_of_another_secret_is_none() {
    let (crm, mut receiver) = told_with(WebhookEffect::ForgeSignature).await;
    receiver.answers(&[400]);
    let first = seed(&crm, "c1");
    let forged = receiver.next().await;
    assert!(!forged.is_signed() && forged.signature.starts_with("v1,"));
    assert_eq!(forged.told(), first);
    let second = seed(&crm, "c2");
    assert_eq!(receiver.next().await.told(), second);
}

#[tokio::test]
async fn an_old_time_can_be_signed_properly() {
    let (crm, mut receiver) = told_with(WebhookEffect::Antedate(Duration::from_mins(6))).await;
    receiver.answers(&[400]);
    seed(&crm, "c1");
    let old = receiver.next().await;
    assert!(old.is_signed());
    let age = Timestamp::now().as_second() - old.timestamp;
    assert!((360..420).contains(&age), "{age}");
    let second = seed(&crm, "c2");
    assert_eq!(receiver.next().await.told(), second);
}

#[tokio::test]
async fn a_replay_is_the_very_same_request() {
    let (crm, mut receiver) = told_with(WebhookEffect::Replay).await;
    receiver.answers(&[500, 200, 400]);
    seed(&crm, "c1");
    receiver.next().await;
    let (taken, again) = (receiver.next().await, receiver.next().await);
    assert!(taken.is_signed());
    assert_eq!(taken, again);
    let second = seed(&crm, "c2");
    assert_eq!(receiver.next().await.told(), second, "a replay is not tried again");
}

#[tokio::test]
async fn webhook_faults_are_given_over_the_control_api() {
    let (crm, mut receiver) = told().await;
    let add = |fault: Value| see(crm.control(Method::POST, "/webhooks/faults").json(&fault));
    for fault in [
        json!({"kind": "explode"}),
        json!({"kind": "delay"}),
        json!({"kind": "lose", "by_ms": 1}),
        json!({"kind": "lose", "collection": "customers"}),
    ] {
        assert_eq!(add(fault.clone()).await.status, 422, "{fault}");
    }
    let mut given = HashMap::new();
    for kind in ["lose", "duplicate", "reorder", "alter_body", "forge_signature", "replay"] {
        given.insert(kind, json!({"kind": kind, "count": 1}));
    }
    given.insert("delay", json!({"kind": "delay", "by_ms": 5, "count": 2}));
    given.insert("antedate", json!({"kind": "antedate", "by_ms": 5, "type": "user.updated", "count": 1}));
    for fault in given.values() {
        assert_eq!(add(fault.clone()).await.status, 204, "{fault}");
        let listed = see(crm.control(Method::GET, "/webhooks/faults")).await.json();
        assert_eq!(listed, json!([fault]));
        see(crm.control(Method::DELETE, "/webhooks/faults")).await;
    }
    let only = WebhookFault::next(WebhookEffect::Lose).on("customer.deleted").times(2);
    crm.running.control.add_webhook_fault(only);
    let first = seed(&crm, "c1");
    assert_eq!(receiver.next().await.told(), first, "another type is not hit");
    assert_eq!(crm.running.control.webhook_faults()[0].count, 2);
}
