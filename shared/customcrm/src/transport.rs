//! One HTTP call: timed, bounded, and told apart by whether it may have changed something over there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{
    Method, RequestBuilder,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap},
};
use secrecy::{ExposeSecret as _, SecretString};
use telemetry::Metrics;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use url::Url;
use wire::{Answer, Bounds, Effect, Failure, Wire};

use crate::{
    Error, Settings,
    authentication::{Caller, base_of},
    declaration::{Declaration, Errors, Limits, Meaning},
    listing::own_address,
    observed::Observed,
    pace::Pace,
    refusal::{meaning, refusal},
};

/// The connection to one CRM. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    wire: Wire,
    base: Url,
    caller: Caller,
    observed: Observed,
    secret: SecretString,
    errors: Errors,
    limits: Limits,
    room: Arc<Semaphore>,
    pace: Option<Arc<Pace>>,
    /// Until when the CRM has no call left for us.
    none_before: Arc<Mutex<Option<Instant>>>,
}

impl Transport {
    pub(crate) fn new(
        settings: &Settings,
        declaration: &Declaration,
        connection: &str,
    ) -> Result<Self, Error> {
        if settings.url.cannot_be_a_base() || !matches!(settings.url.scheme(), "http" | "https") {
            return Err(Error::Settings { what: "the address must begin with http:// or https://" });
        }
        let bounds = Bounds {
            connect: settings.connect_timeout,
            call: settings.timeout,
            body_bytes: settings.body_bytes_max,
        };
        let wire = Wire::new(bounds).map_err(Error::Client)?;
        let caller = Caller::new(
            &declaration.authentication,
            &settings.url,
            &wire,
            settings.user.as_deref(),
            &settings.secret,
            settings.client_secret.as_ref(),
        )?;
        Ok(Self {
            wire,
            base: base_of(&settings.url),
            observed: Observed::new(declaration, connection),
            caller,
            secret: settings.secret.clone(),
            errors: declaration.errors.clone(),
            limits: declaration.limits.clone(),
            room: Arc::new(Semaphore::new(declaration.limits.parallel)),
            pace: settings.calls_per_minute.map(|calls| Arc::new(Pace::new(calls))),
            none_before: Arc::default(),
        })
    }

    /// The same way, whose calls are counted there.
    pub(crate) fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { observed: self.observed.measured(metrics), ..self }
    }

    /// A request to a path below the base; a record's id behind it may hold any characters.
    pub(crate) fn request(&self, method: Method, path: &str, id: Option<&str>) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/')).extend(id);
        }
        accepting(self.wire.request(method, url))
    }

    /// A read of an address that the CRM gave.
    pub(crate) fn follow(&self, address: &str) -> Result<RequestBuilder, Error> {
        Ok(accepting(self.wire.request(Method::GET, own_address(&self.base, address)?)))
    }

    /// Sends a request once: a success, or a refusal that calls of a single record understand themselves. Errors never
    /// hold the request's address, because a search has values in it.
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
        let (client, request) = request.build_split();
        let request =
            request.map_err(|error| failed(effect, Failure::Unreachable(Box::new(error.without_url()))))?;
        let called = (request.method().clone(), request.url().clone());
        let request = RequestBuilder::from_parts(client, request);
        let sending = async { self.wire.send(request).await.map_err(|failure| failed(effect, failure)) };
        let answer = self.observed.sent(called, &self.base, sending).await?;
        self.count(&answer.headers);
        if answer.status.is_success() {
            return Ok(answer);
        }
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
        let seconds = if self.limits.reset_is_epoch { reset - ambient::now().as_second() } else { reset };
        // A moment that is longer away than a day is none that a CRM means.
        let seconds = u64::try_from(seconds).unwrap_or(0).min(86_400);
        let until = Instant::now() + Duration::from_secs(seconds);
        *self.none_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

fn accepting(request: RequestBuilder) -> RequestBuilder {
    request.header(ACCEPT, "application/json, application/problem+json")
}

/// A request with a body of JSON.
pub(crate) fn with_json(request: RequestBuilder, content_type: &str, body: String) -> RequestBuilder {
    request.header(CONTENT_TYPE, content_type).body(body)
}

/// What it means that no answer came.
pub(crate) fn failed(effect: Effect, failure: Failure) -> Error {
    match (effect, failure) {
        (_, Failure::Late) => Error::Late,
        // Nothing left this machine.
        (_, failure @ Failure::Unreachable(_)) => Error::Unreachable(failure),
        (Effect::Read, Failure::TooLarge { bytes_max }) => Error::TooLarge { bytes_max },
        (Effect::Write, Failure::TooLarge { bytes_max }) => {
            Error::WriteUnreadable(Box::new(Error::TooLarge { bytes_max }))
        }
        (Effect::Read, failure @ Failure::Lost(_)) => Error::ReadLost(failure),
        (Effect::Write, failure @ Failure::Lost(_)) => Error::WriteLost(failure),
    }
}
