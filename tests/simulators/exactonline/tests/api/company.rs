//! A simulator with a client that holds a fresh access token.

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::Value;
use simulator_exactonline::{Control, Limits, Running, Settings, Simulator, Switches};

pub(crate) struct Company {
    pub(crate) running: Running,
    pub(crate) http: Client,
    pub(crate) token: String,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The records of a list.
    pub(crate) fn results(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["d"]["results"].as_array().unwrap().clone()
    }

    /// The values of one property in a list.
    pub(crate) fn column(&self, name: &str) -> Vec<Value> {
        self.results().iter().map(|record| record[name].clone()).collect()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"]["value"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and text of an error.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.message())
    }
}

/// Settings with a clock that stands still and limits that are never met.
pub(crate) fn calm() -> Settings {
    Settings {
        start_at: Some("2026-01-15T10:00:30Z".parse().unwrap()),
        frozen_clock: true,
        limits: Limits {
            per_minute: 100_000,
            per_day: 100_000,
            errors_per_hour: 100_000,
            ..Limits::default()
        },
        ..Settings::default()
    }
}

impl Company {
    pub(crate) async fn open() -> Self {
        Self::open_with(calm()).await
    }

    pub(crate) async fn open_with(settings: Settings) -> Self {
        let running = Simulator::start(settings).await.unwrap();
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        let company = Self { running, http, token: String::new() };
        let token = company.fresh_token(&company.running.refresh_token).await;
        Self { token, ..company }
    }

    pub(crate) fn control(&self) -> Control {
        self.running.control()
    }

    /// The address of a path below the division.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/api/v1/{}/{path}", self.running.base_url, self.running.division)
    }

    pub(crate) async fn token_call(&self, fields: &[(&str, &str)]) -> Reply {
        let url = format!("{}/api/oauth2/token", self.running.base_url);
        reply(self.http.post(url).form(fields)).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Reply {
        self.token_call(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", &self.running.client_id),
            ("client_secret", &self.running.client_secret),
        ])
        .await
    }

    /// The access token that a refresh token gives.
    pub(crate) async fn fresh_token(&self, refresh_token: &str) -> String {
        let body = self.refresh(refresh_token).await.json();
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.get_as(&self.token, &self.url(path)).await
    }

    pub(crate) async fn get_as(&self, token: &str, url: &str) -> Reply {
        reply(self.http.get(url).bearer_auth(token).header("Accept", "application/json")).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &str) -> Reply {
        self.send_as(&self.token, method, path, body).await
    }

    pub(crate) async fn send_as(&self, token: &str, method: Method, path: &str, body: &str) -> Reply {
        reply(self.request(token, method, path, body)).await
    }

    pub(crate) fn request(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: &str,
    ) -> reqwest::RequestBuilder {
        self.http
            .request(method, self.url(path))
            .bearer_auth(token)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json")
            .body(body.to_owned())
    }

    /// Creates an account and gives its id.
    pub(crate) async fn create(&self, body: &str) -> String {
        self.create_at("crm/Accounts", body).await
    }

    /// Creates a record at an endpoint and gives its id.
    pub(crate) async fn create_at(&self, path: &str, body: &str) -> String {
        let reply = self.post_at(path, body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        let record = &reply.json()["d"];
        let key = ["OrderID", "QuotationID", "ID"].into_iter().find(|key| record[key].is_string());
        // The first of these that is filled is the key: without a wish for more, nothing else is.
        record[key.unwrap()].as_str().unwrap().to_owned()
    }

    /// An account as it is stored.
    pub(crate) async fn account(&self, id: &str) -> Value {
        self.record_at("crm/Accounts", id).await
    }

    /// A record as its endpoint shows it.
    pub(crate) async fn record_at(&self, path: &str, id: &str) -> Value {
        let reply = self.get(&format!("{path}(guid'{id}')")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["d"].clone()
    }

    pub(crate) async fn post_at(&self, path: &str, body: &str) -> Reply {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn put(&self, id: &str, body: &str) -> Reply {
        self.put_at("crm/Accounts", id, body).await
    }

    pub(crate) async fn put_at(&self, path: &str, id: &str, body: &str) -> Reply {
        self.send(Method::PUT, &format!("{path}(guid'{id}')"), body).await
    }

    pub(crate) async fn delete(&self, id: &str) -> Reply {
        self.delete_at("crm/Accounts", id).await
    }

    pub(crate) async fn delete_at(&self, path: &str, id: &str) -> Reply {
        self.send(Method::DELETE, &format!("{path}(guid'{id}')"), "").await
    }

    /// All rows of a feed, in its order.
    pub(crate) async fn feed(&self, path: &str, select: &str) -> Vec<Value> {
        self.get(&format!("sync/{path}?$select={select}")).await.results()
    }

    /// Type and key of everything in the feed of deleted records.
    pub(crate) async fn deleted(&self) -> Vec<(i64, String)> {
        let rows = self.feed("Deleted", "EntityType,EntityKey").await;
        let row = |row: &Value| {
            (row["EntityType"].as_i64().unwrap(), row["EntityKey"].as_str().unwrap().to_owned())
        };
        rows.iter().map(row).collect()
    }
}

/// Settings of [`calm`] with these switches.
pub(crate) fn switched(switches: Switches) -> Settings {
    Settings { switches, ..calm() }
}

/// The answer of a business rule.
pub(crate) fn business(text: &str) -> (u16, String) {
    (500, text.to_owned())
}

pub(crate) async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
