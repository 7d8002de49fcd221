//! One HTTP call: timed, bounded, and told apart by whether it may have changed something over there.

use std::time::Duration;

use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue},
    redirect,
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::{Error, Settings, refusal::refusal};

/// What a call does over there, which decides what a missing answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Read,
    /// It changes a record.
    Write,
}

/// A success, read to its end; or one of the statuses that calls of a single record understand themselves.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

/// The connection to one CRM.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: Client,
    base: Url,
    token: SecretString,
    body_bytes_max: usize,
}

/// Statuses whose meaning depends on the record that was asked for.
const OF_ONE_RECORD: [StatusCode; 3] =
    [StatusCode::NOT_FOUND, StatusCode::GONE, StatusCode::PRECONDITION_FAILED];

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        if settings.url.cannot_be_a_base() || !matches!(settings.url.scheme(), "http" | "https") {
            return Err(Error::Settings { what: "the address must begin with http:// or https://" });
        }
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", settings.token.expose_secret()))
            .map_err(|_| Error::Settings {
            what: "the token has characters that no token has; remove line breaks",
        })?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, application/problem+json"));
        let client = Client::builder()
            .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .redirect(redirect::Policy::none())
            .build()
            .map_err(Error::Client)?;
        Ok(Self {
            client,
            base: settings.url.clone(),
            token: settings.token.clone(),
            body_bytes_max: settings.body_bytes_max,
        })
    }

    /// A request to a path below the base; each segment may hold any characters.
    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        self.client.request(method, url)
    }

    /// Sends a request once. Errors never hold the request's address, because a search has values in it.
    pub(crate) async fn send(&self, effect: Effect, request: RequestBuilder) -> Result<Answer, Error> {
        let response = request.send().await.map_err(|error| lost(effect, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = self.body(effect, response).await;
        if status.is_success() {
            return match (body, effect) {
                (Ok(body), _) => Ok(Answer { status, body }),
                (Err(error @ Error::TooLarge { .. }), Effect::Write) => {
                    Err(Error::WriteUnreadable(Box::new(error)))
                }
                (Err(error), _) => Err(error),
            };
        }
        // A refusal is one even if its words were lost on the way.
        let body = body.unwrap_or_default();
        if OF_ONE_RECORD.contains(&status) {
            return Ok(Answer { status, body });
        }
        Err(self.refusal(effect, status, &headers, &body))
    }

    /// The error for an answer that the caller has no better word for.
    pub(crate) fn refusal(
        &self,
        effect: Effect,
        status: StatusCode,
        headers: &HeaderMap,
        body: &str,
    ) -> Error {
        refusal(effect, status, headers, body, self.token.expose_secret())
    }

    async fn body(&self, effect: Effect, mut response: Response) -> Result<String, Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(effect, error))? {
            if bytes.len() + chunk.len() > self.body_bytes_max {
                return Err(Error::TooLarge { bytes_max: self.body_bytes_max });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}

/// What it means that no answer came.
fn lost(effect: Effect, error: reqwest::Error) -> Error {
    let error = error.without_url();
    match effect {
        // Nothing left this machine.
        _ if error.is_connect() || error.is_builder() => Error::Unreachable(error),
        Effect::Read => Error::ReadLost(error),
        Effect::Write => Error::WriteLost(error),
    }
}
