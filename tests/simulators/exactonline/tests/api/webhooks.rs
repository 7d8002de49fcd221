//! Subscriptions, and what is posted to those who subscribed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use hmac::{Hmac, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use simulator_exactonline::{Language, Settings, Switches};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::company::{Company, business, calm, switched};

const SUBSCRIPTIONS: &str = "webhooks/WebhookSubscriptions";

/// Whoever is told.
struct Receiver {
    address: String,
    /// Bodies as they came.
    bodies: mpsc::Receiver<String>,
    /// What the next posts are answered with; 200 after them.
    answers: Arc<Mutex<VecDeque<u16>>>,
}

type Answering = (mpsc::Sender<String>, Arc<Mutex<VecDeque<u16>>>);

impl Receiver {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, bodies) = mpsc::channel(100);
        let answers = Arc::<Mutex<VecDeque<u16>>>::default();
        let routes = Router::new().fallback(answer).with_state((sender, Arc::clone(&answers)));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, bodies, answers }
    }

    fn answers(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    async fn next(&mut self) -> String {
        self.bodies.recv().await.unwrap()
    }

    /// The content of the next notification, which must be signed.
    async fn told(&mut self) -> Value {
        let body = self.next().await;
        let content = body.strip_prefix(r#"{"Content":"#).unwrap();
        let (content, rest) = content.split_once(r#","HashCode":""#).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(b"simulator-webhook-secret").unwrap();
        mac.update(content.as_bytes());
        assert_eq!(rest, format!("{}\"}}", hex::encode_upper(mac.finalize().into_bytes())));
        serde_json::from_str(content).unwrap()
    }
}

async fn answer(State((sender, answers)): State<Answering>, body: String) -> StatusCode {
    sender.send(body).await.unwrap();
    let status = answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}

fn settings(switches: Switches) -> Settings {
    let switches = Switches {
        webhooks_on_loopback: true,
        webhooks_after_milliseconds: 0,
        webhooks_minute_milliseconds: 1,
        ..switches
    };
    Settings { switches, ..calm() }
}

fn asked(topic: &str, address: &str) -> String {
    json!({ "Topic": topic, "CallbackURL": address }).to_string()
}

/// A company of which the receiver is told about these topics.
async fn subscribed(switches: Switches, topics: &[&str]) -> (Company, Receiver) {
    let (company, mut receiver) = (Company::open_with(settings(switches)).await, Receiver::open().await);
    for topic in topics {
        company.create_at(SUBSCRIPTIONS, &asked(topic, &receiver.address)).await;
        assert_eq!(receiver.next().await, "", "the address is tried with an empty body");
    }
    (company, receiver)
}

#[tokio::test]
async fn a_subscription_is_made_listed_and_ended_and_never_changed() {
    let (company, receiver) = subscribed(Switches::default(), &["Accounts"]).await;
    let list = format!("{SUBSCRIPTIONS}?$select=ID,Topic,CallbackURL,ClientID,Division");
    let listed = company.get(&list).await.results();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0]["Topic"], &listed[0]["CallbackURL"]),
        (&json!("Accounts"), &json!(receiver.address))
    );
    assert_eq!(listed[0]["ClientID"], json!(company.running.client_id));
    let id = listed[0]["ID"].as_str().unwrap();
    let changed = company.put_at(SUBSCRIPTIONS, id, &asked("Items", &receiver.address)).await;
    assert_eq!(changed.status, 405);
    assert_eq!(company.delete_at(SUBSCRIPTIONS, id).await.status, 204);
    assert_eq!(company.get(&list).await.results().len(), 0);
}

#[tokio::test]
async fn an_address_that_does_not_take_an_empty_post_is_refused() {
    let (company, mut receiver) =
        (Company::open_with(settings(Switches::default())).await, Receiver::open().await);
    receiver.answers(&[503]);
    let refused = company.post_at(SUBSCRIPTIONS, &asked("Accounts", &receiver.address)).await;
    let words = "Post to callback URL endpoint returns 503 An error occurred while sending the request.";
    assert_eq!(refused.error(), business(&format!("Invalid: {words}")));
    assert_eq!(receiver.next().await, "");
    assert_eq!(company.get(SUBSCRIPTIONS).await.results().len(), 0);
    let nobody = company.post_at(SUBSCRIPTIONS, &asked("Accounts", "http://127.0.0.1:1/hook")).await;
    assert_eq!(nobody.status, 500);
}

#[tokio::test]
async fn a_topic_is_subscribed_to_once_in_a_company_and_so_it_is_said_in_the_users_language() {
    for (language, words) in [(Language::En, "Data already exists"), (Language::Nl, "Gegeven bestaat reeds.")]
    {
        let (company, mut receiver) =
            subscribed(Switches { language, ..Switches::default() }, &["Accounts"]).await;
        let again = company.post_at(SUBSCRIPTIONS, &asked("Accounts", &receiver.address)).await;
        assert_eq!(again.error(), business(words));
        assert!(receiver.bodies.try_recv().is_err(), "the address is not tried for nothing");
    }
}

#[tokio::test]
async fn only_https_and_known_topics_are_taken() {
    let company = Company::open_with(switched(Switches::default())).await;
    let plain = company.post_at(SUBSCRIPTIONS, &asked("Accounts", "http://127.0.0.1:1/hook")).await;
    assert_eq!(plain.error(), business("Invalid: CallbackURL"));
    let prices = company.post_at(SUBSCRIPTIONS, &asked("SalesItemPrices", "https://example.com/")).await;
    assert_eq!(prices.error(), business("Invalid: Topic"));
    let instant = json!({ "Topic": "Items", "CallbackURL": "https://example.com/", "IsInstant": true });
    let instant = company.post_at(SUBSCRIPTIONS, &instant.to_string()).await;
    assert_eq!(instant.error(), business("Invalid: IsInstant"));
}

#[tokio::test]
async fn each_change_is_told_thin_and_signed_that_of_the_app_itself_too() {
    let (company, mut receiver) = subscribed(Switches::default(), &["Accounts"]).await;
    let id = company.create(r#"{"Name":"Acme"}"#).await;
    let told = receiver.told().await;
    assert_eq!(
        told,
        json!({
            "Topic": "Accounts", "ClientId": company.running.client_id, "Division": company.running.division,
            "Action": "Create", "Key": id,
            "ExactOnlineEndpoint": format!(
                "{}/api/v1/{}/crm/Accounts(guid'{id}')", company.running.base_url, company.running.division
            ),
            "EventCreatedOn": "2026-01-15T11:00:30.000",
        })
    );
    company.control().change_account(id.parse().unwrap(), r#"{"Name":"Acme BV"}"#).unwrap();
    assert_eq!(receiver.told().await["Action"], "Update");
    company.delete(&id).await;
    assert_eq!(receiver.told().await["Action"], "Delete");
    assert!(company.control().delivered().iter().all(|delivered| delivered.status == Some(200)));
}

/// Makes a sales order of one line.
async fn order(company: &Company) {
    let customer = company.create(r#"{"Name":"Acme","Status":"C"}"#).await;
    let item = company
        .create_at("logistics/Items", r#"{"Code":"bolt","Description":"Bolt","IsSalesItem":true}"#)
        .await;
    let body = json!({ "OrderedBy": customer, "SalesOrderLines": [{ "Item": item, "Quantity": 1 }] });
    company.send(Method::POST, "salesorder/SalesOrders", &body.to_string()).await;
}

#[tokio::test]
async fn lines_are_told_under_the_topic_of_their_document() {
    let (company, mut receiver) = subscribed(Switches::default(), &["SalesOrders"]).await;
    order(&company).await;
    let mut endpoints = Vec::new();
    for _ in 0..2 {
        let told = receiver.told().await;
        assert_eq!(told["Topic"], "SalesOrders");
        let endpoint = told["ExactOnlineEndpoint"].as_str().unwrap().to_owned();
        endpoints.push(endpoint.rsplit('/').next().unwrap().split('(').next().unwrap().to_owned());
    }
    endpoints.sort_unstable();
    assert_eq!(endpoints, ["SalesOrderLines", "SalesOrders"]);
}

#[tokio::test]
async fn what_nobody_took_is_repeated_until_somebody_does() {
    let (company, mut receiver) = subscribed(Switches::default(), &["Accounts"]).await;
    receiver.answers(&[500, 404, 302, 201]);
    company.create(r#"{"Name":"Acme"}"#).await;
    let first = receiver.next().await;
    for _ in 0..3 {
        assert_eq!(receiver.next().await, first);
    }
    company.create(r#"{"Name":"Other"}"#).await;
    assert_ne!(receiver.next().await, first, "it was taken at last");
}

#[tokio::test]
async fn deliveries_go_wrong_in_the_ways_that_are_switched_on() {
    let lost = Switches { webhooks_lost: true, ..Switches::default() };
    let (company, mut receiver) = subscribed(lost, &["Accounts"]).await;
    company.create(r#"{"Name":"Lost"}"#).await;
    let wrong = Switches {
        webhooks_doubled: true,
        webhooks_tell_creates_as_updates: true,
        webhooks_without_time: true,
        ..settings(Switches::default()).switches
    };
    company.control().set_switches(wrong);
    let id = company.create(r#"{"Name":"Doubled"}"#).await;
    let told = receiver.told().await;
    assert_eq!((&told["Key"], &told["Action"]), (&json!(id), &json!("Update")));
    assert!(told.get("EventCreatedOn").is_none());
    assert_eq!(receiver.told().await, told);
}

#[tokio::test]
async fn two_changes_may_be_told_in_the_other_order() {
    let reordered = Switches { webhooks_reordered: true, ..Switches::default() };
    let (company, mut receiver) = subscribed(reordered, &["SalesOrders"]).await;
    order(&company).await;
    // The header is made first, and told last.
    assert!(receiver.told().await["ExactOnlineEndpoint"].as_str().unwrap().contains("SalesOrderLines"));
    assert!(receiver.told().await["ExactOnlineEndpoint"].as_str().unwrap().contains("SalesOrders("));
}
