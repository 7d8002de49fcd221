//! One HTTP call: timed, bounded, and told apart by whether it may have changed something over there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
    redirect,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use url::Url;

use crate::{
    Error, Settings,
    authentication::{Caller, base_of},
    declaration::{Declaration, Errors, Limits, Meaning},
    listing::own_address,
    pace::Pace,
    refusal::{meaning, refusal},
};

/// What a call does over there, which decides what a missing answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Read,
    /// It changes a record.
    Write,
}

/// A success, read to its end; or a refusal that calls of a single record understand themselves.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// The connection to one CRM. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: Client,
    base: Url,
    caller: Caller,
    secret: SecretString,
    errors: Errors,
    limits: Limits,
    room: Arc<Semaphore>,
    pace: Option<Arc<Pace>>,
    /// Until when the CRM has no call left for us.
    none_before: Arc<Mutex<Option<Instant>>>,
    body_bytes_max: usize,
}

impl Transport {
    pub(crate) fn new(settings: &Settings, declaration: &Declaration) -> Result<Self, Error> {
        if settings.url.cannot_be_a_base() || !matches!(settings.url.scheme(), "http" | "https") {
            return Err(Error::Settings { what: "the address must begin with http:// or https://" });
        }
        let mut headers = HeaderMap::new();
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
        let caller = Caller::new(
            &declaration.authentication,
            &settings.url,
            &client,
            settings.user.as_deref(),
            &settings.secret,
            settings.client_secret.as_ref(),
        )?;
        Ok(Self {
            client,
            base: base_of(&settings.url),
            caller,
            secret: settings.secret.clone(),
            errors: declaration.errors.clone(),
            limits: declaration.limits.clone(),
            room: Arc::new(Semaphore::new(declaration.limits.parallel)),
            pace: settings.calls_per_minute.map(|calls| Arc::new(Pace::new(calls))),
            none_before: Arc::default(),
            body_bytes_max: settings.body_bytes_max,
        })
    }

    /// A request to a path below the base; a record's id behind it may hold any characters.
    pub(crate) fn request(&self, method: Method, path: &str, id: Option<&str>) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/')).extend(id);
        }
        self.client.request(method, url)
    }

    /// A read of an address that the CRM gave.
    pub(crate) fn follow(&self, address: &str) -> Result<RequestBuilder, Error> {
        Ok(self.client.get(own_address(&self.base, address)?))
    }

    /// Sends a request once. Errors never hold the request's address, because a search has values in it.
    pub(crate) async fn send(&self, effect: Effect, request: RequestBuilder) -> Result<Answer, Error> {
        self.has_calls()?;
        // The semaphore is never closed.
        let _room = self.room.acquire().await.ok();
        if let Some(pace) = &self.pace {
            sleep_until(pace.next(Instant::now())).await;
        }
        let request = match self.caller.header().await? {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let response = request.send().await.map_err(|error| lost(effect, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.count(&headers);
        let body = self.body(effect, response).await;
        if status.is_success() {
            return match (body, effect) {
                (Ok(body), _) => Ok(Answer { status, headers, body }),
                (Err(error @ Error::TooLarge { .. }), Effect::Write) => {
                    Err(Error::WriteUnreadable(Box::new(error)))
                }
                (Err(error), _) => Err(error),
            };
        }
        // A refusal is one even if its words were lost on the way.
        let body = body.unwrap_or_default();
        let answer = Answer { status, headers, body };
        match self.meaning(effect, &answer) {
            Some(Meaning::Gone | Meaning::Stale) => Ok(answer),
            Some(Meaning::Auth) => {
                self.caller.refused().await;
                Err(self.refusal(effect, &answer))
            }
            _ => Err(self.refusal(effect, &answer)),
        }
    }

    /// What an answer other than a success means.
    pub(crate) fn meaning(&self, effect: Effect, answer: &Answer) -> Option<Meaning> {
        meaning(&self.errors, effect, answer.status, &answer.headers, &answer.body)
    }

    /// The error for an answer that the caller has no better word for.
    pub(crate) fn refusal(&self, effect: Effect, answer: &Answer) -> Error {
        let secret = self.secret.expose_secret();
        refusal(&self.errors, effect, answer.status, &answer.headers, &answer.body, secret)
    }

    /// Whether the CRM has a call left for us, as far as it told.
    fn has_calls(&self) -> Result<(), Error> {
        let before = *self.none_before.lock().unwrap_or_else(PoisonError::into_inner);
        let left = before.map(|before| before.saturating_duration_since(Instant::now()));
        match left.filter(|left| !left.is_zero()) {
            Some(after) => Err(Error::Throttled { after }),
            None => Ok(()),
        }
    }

    /// Takes in what the headers tell of calls that are left.
    fn count(&self, headers: &HeaderMap) {
        let number = |name: &Option<String>| -> Option<i64> {
            headers.get(name.as_deref()?)?.to_str().ok()?.trim().parse().ok()
        };
        let (Some(0), Some(reset)) =
            (number(&self.limits.remaining_header), number(&self.limits.reset_header))
        else {
            return;
        };
        let seconds = if self.limits.reset_is_epoch { reset - Timestamp::now().as_second() } else { reset };
        // A moment that is longer away than a day is none that a CRM means.
        let seconds = u64::try_from(seconds).unwrap_or(0).min(86_400);
        let until = Instant::now() + Duration::from_secs(seconds);
        *self.none_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
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

/// A request with a body of JSON.
pub(crate) fn with_json(request: RequestBuilder, content_type: &str, body: String) -> RequestBuilder {
    request.header(CONTENT_TYPE, content_type).body(body)
}

/// What it means that no answer came.
pub(crate) fn lost(effect: Effect, error: reqwest::Error) -> Error {
    let error = error.without_url();
    match effect {
        // Nothing left this machine.
        _ if error.is_connect() || error.is_builder() => Error::Unreachable(error),
        Effect::Read => Error::ReadLost(error),
        Effect::Write => Error::WriteLost(error),
    }
}
