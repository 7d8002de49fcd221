//! The token endpoint: the exchange of a code, a refresh, and what its refusals mean.

use std::time::Duration;

use jiff::SignedDuration;
use model::ConnectionName;
use reqwest::{Method, StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use store::Store;
use url::Url;

use super::tokens::Tokens;
use wire::{Answer, Effect, Wire};

use crate::{Error, Settings, observed::Observed, quota::Quota, settings::Clock, transport::answered};

/// Characters kept of what Exact said.
const WORDS_MAX: usize = 1_000;

/// Why there are no new tokens.
#[derive(Debug)]
pub(super) enum NotNow {
    /// Later there may be.
    Later(Error),
    /// This refresh token will never give any. What Exact said.
    Lost(String),
}

/// What is sent, by names that the API gives.
type Form<'a> = [(&'a str, &'a str)];

/// The token endpoint, for one connection.
pub(super) struct TokenEndpoint<S> {
    connection: ConnectionName,
    quota: Quota<S>,
    wire: Wire,
    url: Url,
    client_id: String,
    client_secret: SecretString,
    clock: Clock,
}

#[derive(serde::Deserialize)]
struct Granted {
    access_token: String,
    refresh_token: String,
    /// A fact of this API: this number is a text.
    #[serde(default)]
    expires_in: Seconds,
}

#[derive(Default, serde::Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
    #[default]
    Untold,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

impl<S: Store> TokenEndpoint<S> {
    pub(super) fn new(settings: &Settings, quota: Quota<S>, wire: Wire, clock: Clock) -> Self {
        let mut url = settings.url.clone();
        url.set_path("/api/oauth2/token");
        Self {
            connection: settings.connection.clone(),
            quota,
            wire,
            url,
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            clock,
        }
    }

    /// Exchanges the code of a consent for the first tokens. Must be called under the lease on the grant.
    ///
    /// Exact itself says when a person has asked too often: no refresh may stand in their way.
    pub(super) async fn exchange(&self, code: &str, redirect_uri: &str) -> Result<Tokens, Error> {
        self.quota.count_token_call().await.map_err(Error::Store)?;
        let answer = self
            .send(&[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirect_uri),
                ("client_id", self.client_id.as_str()),
                ("client_secret", self.client_secret.expose_secret()),
            ])
            .await?;
        if answer.status.is_success() {
            return self.granted(&answer).await.map(|(tokens, _)| tokens);
        }
        let refusal = Refusal::read(&answer);
        let words = self.words(&refusal, code, answer.status);
        Err(time_heals(answer.status, &words).unwrap_or(Error::CodeRefused { words }))
    }

    /// Spends the refresh token for new tokens; the access token comes by itself too. Must be called under the lease on
    /// the grant.
    pub(super) async fn refresh(&self, tokens: &Tokens) -> Result<(Tokens, String), NotNow> {
        self.quota.take_token_call().await.map_err(NotNow::Later)?;
        let sent = self
            .send(&[
                ("grant_type", "refresh_token"),
                ("refresh_token", tokens.refresh_token.as_str()),
                ("client_id", self.client_id.as_str()),
                ("client_secret", self.client_secret.expose_secret()),
            ])
            .await;
        match sent {
            Err(error) => Err(self.later(error).await),
            Ok(answer) if answer.status.is_success() => match self.granted(&answer).await {
                Ok(renewed) => Ok(renewed),
                Err(error) => Err(self.later(error).await),
            },
            Ok(answer) => Err(self.refused(tokens, &answer).await),
        }
    }

    /// If the answer is lost what was sent may be spent; only its next use tells, so this counts as a read.
    async fn send(&self, form: &Form<'_>) -> Result<Answer, Error> {
        let request = self.wire.request(Method::POST, self.url.clone()).form(form);
        let observed = Observed {
            connection: &self.connection,
            method: &Method::POST,
            url: &self.url,
            endpoint: "oauth2/token",
            class: "token",
            metrics: None,
        };
        observed.sent(async { answered(Effect::Read, self.wire.send(request).await) }).await
    }

    /// The tokens of an answer that says it has some.
    async fn granted(&self, answer: &Answer) -> Result<(Tokens, String), Error> {
        let now = (self.clock)();
        let no_tokens = |_| Error::Unexpected { what: "to a call for tokens has none".to_owned() };
        let granted: Granted = serde_json::from_str(&answer.body).map_err(no_tokens)?;
        if let Err(error) = self.quota.token_call_ended(true).await {
            tracing::warn!(%error, "the success of the token endpoint could not be stored");
        }
        let tokens = Tokens {
            refresh_token: granted.refresh_token,
            access_token: Some(granted.access_token.clone()),
            obtained_at: Some(now),
            expires_in: granted.expires_in.seconds(),
        };
        Ok((tokens, granted.access_token))
    }

    async fn refused(&self, tokens: &Tokens, answer: &Answer) -> NotNow {
        let refusal = Refusal::read(answer);
        let words = self.words(&refusal, &tokens.refresh_token, answer.status);
        if is_too_early(&answer.headers, &refusal) {
            let left = tokens.refresh_in((self.clock)()).unwrap_or(SignedDuration::from_secs(30));
            let after = Duration::try_from(left).unwrap_or_default().max(Duration::from_secs(1));
            return self.later(Error::TokenTooEarly { after }).await;
        }
        if let Some(error) = time_heals(answer.status, &words) {
            return self.later(error).await;
        }
        // Only Exact's own word is believed that a person is needed: what stands before it refuses calls as well.
        if refusal.error.is_empty() {
            let status = answer.status.as_u16();
            return self.later(Error::Unavailable { status, words }).await;
        }
        NotNow::Lost(words)
    }

    /// Lets the endpoint rest, so that waiting calls do not use up its few calls a day.
    async fn later(&self, error: Error) -> NotNow {
        if let Err(error) = self.quota.token_call_ended(false).await {
            tracing::warn!(%error, "the rest of the token endpoint could not be stored");
        }
        NotNow::Later(error)
    }

    fn words(&self, refusal: &Refusal, sent: &str, status: StatusCode) -> String {
        let said = match (refusal.error.as_str(), refusal.error_description.as_str()) {
            ("", "") => format!("status {status}"),
            (error, "") => error.to_owned(),
            (error, description) => format!("{error}: {description}"),
        };
        let mut said = said;
        for secret in [sent, self.client_secret.expose_secret()] {
            if !secret.is_empty() {
                said = said.replace(secret, "(token)");
            }
        }
        said.chars().take(WORDS_MAX).collect()
    }
}

impl Refusal {
    /// What is no refusal of Exact's says nothing.
    fn read(answer: &Answer) -> Self {
        serde_json::from_str(&answer.body).unwrap_or_default()
    }
}

impl Seconds {
    fn seconds(&self) -> i64 {
        let told = match self {
            Self::Number(seconds) => Some(*seconds),
            Self::Text(text) => text.parse().ok(),
            Self::Untold => None,
        };
        told.filter(|seconds| (30..=86_400).contains(seconds)).unwrap_or(600)
    }
}

/// A refusal that says nothing of what was sent.
fn time_heals(status: StatusCode, words: &str) -> Option<Error> {
    match status.as_u16() {
        429 => Some(Error::Throttled { after: Duration::from_mins(1) }),
        status @ (300..=399 | 408 | 500..=599) => {
            Some(Error::Unavailable { status, words: words.to_owned() })
        }
        _ => None,
    }
}

/// Facts of this API: both forms were seen, one with status 400 and one with 401.
fn is_too_early(headers: &HeaderMap, refusal: &Refusal) -> bool {
    let reason = headers.get("reason").and_then(|reason| reason.to_str().ok()).unwrap_or_default();
    let told =
        [reason, refusal.error_description.as_str(), refusal.error.as_str()].map(str::to_ascii_lowercase);
    told.iter().any(|text| text.contains("tooearlytorefresh") || text.contains("access_token not expired"))
        || told.iter().any(|text| text.contains("access token not expired"))
}
