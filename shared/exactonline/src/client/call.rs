//! How every call is made: the grant, the quota, the call, and what its answer means for both.

use std::time::Duration;

use model::FailureClass;
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use store::{Store, StoreError};
use url::Url;
use wire::{Answer, Effect};

use super::ExactOnline;
use crate::{
    Error, Priority,
    ledger::{Counted, Granted},
    observed::Observed,
    refusal::{is_block, refusal},
    told::told,
    transport::answered,
};

/// Whoever a connection refuses tries again sooner.
const TRIED_AGAIN_WITHIN: Duration = Duration::from_mins(2);

/// A call to be made.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    method: Method,
    effect: Effect,
    url: Url,
    /// The path behind the division, without a key: what errors are counted by.
    endpoint: &'a str,
    priority: Priority,
    counted: Counted,
    body: Option<String>,
}

impl<'a> Call<'a> {
    /// A read in the division.
    pub(super) fn read(url: Url, endpoint: &'a str, priority: Priority) -> Self {
        let (method, effect) = (Method::GET, Effect::Read);
        Self { method, effect, url, endpoint, priority, counted: Counted::MinuteAndDay, body: None }
    }

    /// A read of what belongs to no division.
    pub(super) fn everywhere(url: Url, endpoint: &'a str) -> Self {
        Self { counted: Counted::Minute, ..Self::read(url, endpoint, Priority::Read) }
    }

    /// A write in the division.
    pub(super) fn write(
        method: Method,
        url: Url,
        endpoint: &'a str,
        priority: Priority,
        body: Option<String>,
    ) -> Self {
        let effect = Effect::Write;
        Self { method, effect, body, ..Self::read(url, endpoint, priority) }
    }
}

impl<S: Store> ExactOnline<S> {
    /// Makes a call and gives the body of its answer. After a 401 it is made once more if there is another token.
    pub(super) async fn perform(&self, call: Call<'_>) -> Result<String, Error> {
        let performed = self.performed(&call).await;
        if let (Some(metrics), Some(serves)) = (&self.metrics, grant_serves(&performed)) {
            let connection = self.settings.connection.as_str();
            if serves {
                metrics.set_grant_usable(connection);
                if let Some(age) = self.grant.age() {
                    metrics.set_grant_age(connection, age);
                }
            } else {
                metrics.set_grant_unusable(connection, TRIED_AGAIN_WITHIN);
            }
        }
        performed
    }

    async fn performed(&self, call: &Call<'_>) -> Result<String, Error> {
        // The service does not mind the case of paths, so errors are counted without it.
        let endpoint = call.endpoint.to_ascii_lowercase();
        let token = self.grant.access_token().await?;
        let answer = self.made(call, &endpoint, &token).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return settled(call, answer, &token);
        }
        let token = self.grant.in_place_of(&token).await?;
        let answer = self.made(call, &endpoint, &token).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let (connection, command) =
                (self.settings.connection.clone(), self.settings.consent_command.clone());
            return Err(Error::Unauthorised { connection, command });
        }
        settled(call, answer, &token)
    }

    /// Makes a call once, within all budgets, and books what its answer tells.
    async fn made(&self, call: &Call<'_>, endpoint: &str, token: &str) -> Result<Answer, Error> {
        let granted = self.quota.take(call.priority, call.counted, endpoint).await?;
        let mut request = self
            .wire
            .request(call.method.clone(), call.url.clone())
            .bearer_auth(token)
            .header(ACCEPT, "application/json");
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
            if call.method == Method::POST {
                request = request.header("Prefer", "return=representation");
            }
        }
        let observed = Observed {
            connection: &self.settings.connection,
            method: &call.method,
            url: &call.url,
            endpoint,
            class: call.priority.name(),
            metrics: self.metrics.as_deref(),
        };
        match observed.sent(async { answered(call.effect, self.wire.send(request).await) }).await {
            Ok(answer) => self.book(granted, answer).await,
            Err(error) => {
                booked(self.quota.unanswered(granted).await);
                Err(error)
            }
        }
    }

    /// Books what an answer tells, and gives it on unless it is that nothing was done because of a limit.
    async fn book(&self, granted: Granted, answer: Answer) -> Result<Answer, Error> {
        let told = told(&answer.headers);
        let is_throttle = answer.status == StatusCode::TOO_MANY_REQUESTS;
        // A block may have any status; a refusal that names a limit is none.
        if is_block(answer.status, &answer.body) && !(is_throttle && told.is_any()) {
            let after = booked(self.quota.blocked(&granted).await).unwrap_or(Duration::from_hours(1));
            return Err(Error::EndpointResting { endpoint: granted.endpoint, after });
        }
        if is_throttle {
            // Without the store nobody else hears of it; who called waits all the same.
            let after = booked(self.quota.exceeded(&granted, &told).await);
            return Err(Error::Throttled { after: after.unwrap_or(Duration::from_mins(1)) });
        }
        if matches!(answer.status.as_u16(), 400 | 401 | 403 | 404) {
            booked(self.quota.failed(&granted, &told).await);
        } else {
            booked(self.quota.answered(granted, &told).await);
        }
        Ok(answer)
    }
}

/// Whether the grant serves, as far as a call tells.
fn grant_serves(performed: &Result<String, Error>) -> Option<bool> {
    match performed {
        Ok(_) => Some(true),
        Err(
            Error::NoGrant { .. }
            | Error::GrantLost { .. }
            | Error::GrantFile { .. }
            | Error::Unauthorised { .. },
        ) => Some(false),
        Err(_) => None,
    }
}

/// The call has been made, so its outcome counts more than its booking.
fn booked<T>(booking: Result<T, StoreError>) -> Option<T> {
    booking
        .inspect_err(|error| {
            tracing::warn!(%error, "what an answer of exact online tells of its limits could not be stored");
        })
        .ok()
}

fn settled(call: &Call<'_>, answer: Answer, token: &str) -> Result<String, Error> {
    if answer.status.is_success() {
        return Ok(answer.body);
    }
    let error = refusal(call.effect, answer.status, &answer.headers, &answer.body, &[token]);
    if error.class() == FailureClass::Auth {
        tracing::warn!(
            endpoint = call.endpoint,
            status = answer.status.as_u16(),
            "exact online forbids a call"
        );
    }
    Err(error)
}
