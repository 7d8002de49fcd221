use reqwest::{Client, Method};
use serde_json::Value;

/// A person's browser at a CRM: plain HTTP and JSON.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client,
    address: String,
    token: Option<String>,
}

impl Http {
    pub(crate) fn new(address: &str, token: Option<String>) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        Self { client, address: address.to_owned(), token }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether a GET is answered with success; else how not.
    pub(crate) async fn answers(&self, path: &str) -> Result<(), String> {
        let answer = self.client.get(format!("{}{path}", self.address)).send().await;
        let status = answer.map_err(|error| error.to_string())?.status();
        if status.is_success() { Ok(()) } else { Err(status.to_string()) }
    }

    /// What a GET answers, `None` where nothing is there.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        self.call(Method::GET, path, query, None).await
    }

    /// A call that succeeds.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Value {
        let shown = format!("{method} {path}");
        self.call(method, path, &[], Some(body)).await.unwrap_or_else(|| panic!("{shown}: not there"))
    }

    /// Deletes what is there.
    pub(crate) async fn delete(&self, path: &str) {
        self.call(Method::DELETE, path, &[], None).await.unwrap_or_else(|| panic!("{path}: not there"));
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Option<Value> {
        let shown = format!("{method} {path}");
        let mut request = self.client.request(method, format!("{}{path}", self.address)).query(query);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        if status.as_u16() == 404 {
            return None;
        }
        assert!(status.is_success(), "{shown}: {status} {text}");
        // An answer without a body is one all the same.
        Some(if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }
}
