//! The token endpoint: a refresh, and what its refusals mean.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::{StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use store::Store;
use url::Url;

use super::tokens::Tokens;
use crate::{
    Error, Settings,
    quota::Quota,
    settings::Clock,
    transport::{Answer, Effect, Transport},
};

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

/// The token endpoint, for one connection.
pub(super) struct TokenEndpoint<S> {
    quota: Quota<S>,
    transport: Transport,
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
    pub(super) fn new(settings: &Settings, quota: Quota<S>, transport: Transport, clock: Clock) -> Self {
        let mut url = settings.url.clone();
        url.set_path("/api/oauth2/token");
        Self {
            quota,
            transport,
            url,
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            clock,
        }
    }

    /// Spends the refresh token for new tokens; the access token comes by itself too. Must be called under the lease on
    /// the grant.
    pub(super) async fn refresh(&self, tokens: &Tokens) -> Result<(Tokens, String), NotNow> {
        self.quota.take_token_call().await.map_err(NotNow::Later)?;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh_token.as_str()),
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose_secret()),
        ];
        let request = self.transport.client.post(self.url.clone()).form(&form);
        // If the answer is lost the token may be spent; only its next use tells, so this counts as a read.
        let answer = match self.transport.send(Effect::Read, request).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.later(error).await),
        };
        let now = (self.clock)();
        if !answer.status.is_success() {
            return Err(self.refused(tokens, answer).await);
        }
        let granted: Granted = match serde_json::from_str(&answer.body) {
            Ok(granted) => granted,
            Err(_) => {
                let what = "to a refresh has no tokens".to_owned();
                return Err(self.later(Error::Unexpected { what }).await);
            }
        };
        if let Err(error) = self.quota.token_call_ended(true).await {
            tracing::warn!(%error, "the success of the token endpoint could not be stored");
        }
        let renewed = Tokens {
            refresh_token: granted.refresh_token,
            access_token: Some(granted.access_token.clone()),
            obtained_at: Some(now),
            expires_in: granted.expires_in.seconds(),
        };
        Ok((renewed, granted.access_token))
    }

    async fn refused(&self, tokens: &Tokens, answer: Answer) -> NotNow {
        let refusal: Refusal = serde_json::from_str(&answer.body).unwrap_or_default();
        let words = self.words(&refusal, tokens, answer.status);
        let status = answer.status.as_u16();
        if is_too_early(&answer.headers, &refusal) {
            let left = tokens.refresh_in((self.clock)()).unwrap_or(SignedDuration::from_secs(30));
            let after = Duration::try_from(left).unwrap_or_default().max(Duration::from_secs(1));
            return self.later(Error::TokenTooEarly { after }).await;
        }
        match status {
            429 => self.later(Error::Throttled { after: Duration::from_mins(1) }).await,
            300..=399 | 408 | 500..=599 => self.later(Error::Unavailable { status, words }).await,
            _ => NotNow::Lost(words),
        }
    }

    /// Lets the endpoint rest, so that waiting calls do not use up its few calls a day.
    async fn later(&self, error: Error) -> NotNow {
        if let Err(error) = self.quota.token_call_ended(false).await {
            tracing::warn!(%error, "the rest of the token endpoint could not be stored");
        }
        NotNow::Later(error)
    }

    fn words(&self, refusal: &Refusal, tokens: &Tokens, status: StatusCode) -> String {
        let said = match (refusal.error.as_str(), refusal.error_description.as_str()) {
            ("", "") => format!("status {status}"),
            (error, "") => error.to_owned(),
            (error, description) => format!("{error}: {description}"),
        };
        let mut said = said;
        for secret in [tokens.refresh_token.as_str(), self.client_secret.expose_secret()] {
            if !secret.is_empty() {
                said = said.replace(secret, "(token)");
            }
        }
        said.chars().take(WORDS_MAX).collect()
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

/// Facts of this API: both forms were seen, one with status 400 and one with 401.
fn is_too_early(headers: &HeaderMap, refusal: &Refusal) -> bool {
    let reason = headers.get("reason").and_then(|reason| reason.to_str().ok()).unwrap_or_default();
    let told =
        [reason, refusal.error_description.as_str(), refusal.error.as_str()].map(str::to_ascii_lowercase);
    told.iter().any(|text| text.contains("tooearlytorefresh") || text.contains("access_token not expired"))
        || told.iter().any(|text| text.contains("access token not expired"))
}
