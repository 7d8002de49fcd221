//! A caller of a simulator that shows answers as they are.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use simulator_customcrm::{Running, Settings, Simulator};

/// A running simulator and somebody who calls it.
pub(crate) struct Crm {
    pub(crate) running: Running,
    pub(crate) client: Client,
}

/// An answer that was read to its end.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Crm {
    pub(crate) async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub(crate) async fn start_with(settings: Settings) -> Self {
        let running = Simulator::start(settings).await.unwrap();
        Self { running, client: Client::new() }
    }

    /// A CRM with a record of each kind: user `u1`, customer `c1`, contact `k1`, product `p1`, order `o1`, quote `q1`.
    pub(crate) async fn filled() -> Self {
        let crm = Self::start().await;
        let document = |id: &str| {
            format!(r#"{{"Id":"{id}","CustomerId":"c1","Lines":[{{"ProductId":"p1","Quantity":1}}]}}"#)
        };
        crm.seed("users", r#"{"Id":"u1","Email":"u1@crm.example"}"#);
        crm.seed("customers", r#"{"Id":"c1","Name":"Anker"}"#);
        crm.seed("contacts", r#"{"Id":"k1","CustomerId":"c1","LastName":"Vos"}"#);
        crm.seed("products", r#"{"Id":"p1","Code":"A-1","Name":"Anchor"}"#);
        crm.seed("orders", &document("o1"));
        crm.seed("quotes", &document("q1"));
        crm
    }

    /// A call of the API user.
    pub(crate) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.call_as(&self.running.api_token, method, path)
    }

    pub(crate) fn call_as(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.running.base_url)).bearer_auth(token)
    }

    pub(crate) fn control(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.running.control_url))
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        see(self.call(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, json: &str) -> Seen {
        see(with_json(self.call(Method::POST, path), json)).await
    }

    pub(crate) async fn patch(&self, path: &str, json: &str) -> Seen {
        see(with_json(self.call(Method::PATCH, path), json)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Seen {
        see(self.call(Method::DELETE, path)).await
    }

    /// Creates a record and gives its path.
    pub(crate) async fn record(&self, collection: &str, json: &str) -> String {
        let created = self.post(&format!("/{collection}"), json).await;
        assert_eq!(created.status, 201, "{}", created.text);
        format!("/{collection}/{}", created.member("Id").as_str().unwrap())
    }

    /// Creates a customer and gives its path.
    pub(crate) async fn customer(&self, json: &str) -> String {
        self.record("customers", json).await
    }

    /// Puts a record into the CRM under an id of its own.
    #[track_caller]
    pub(crate) fn seed(&self, collection: &str, json: &str) {
        self.running.control.seed(collection, [json]).unwrap();
    }
}

pub(crate) fn with_json(call: RequestBuilder, json: &str) -> RequestBuilder {
    call.header("content-type", "application/json").body(json.to_owned())
}

pub(crate) async fn see(call: RequestBuilder) -> Seen {
    let response = call.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Seen { status, headers, text: response.text().await.unwrap() }
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn member(&self, name: &str) -> Value {
        self.json()[name].clone()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The lines of a document.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.member("Lines").as_array().unwrap().clone()
    }

    /// Their ids.
    pub(crate) fn line_ids(&self) -> Vec<String> {
        self.lines().iter().map(|line| line["LineId"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        let data = self.member("data");
        data.as_array().unwrap().iter().map(|one| one["Id"].as_str().unwrap().to_owned()).collect()
    }

    /// Asserts that this is a problem document with this status, and gives the properties that it names.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> Vec<String> {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {}", self.text);
        }
        let errors = problem["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|error| {
                assert!(error["message"].is_string(), "{}", self.text);
                error["property"].as_str().unwrap().to_owned()
            })
            .collect()
    }
}
