//! How a call says who calls.

use std::sync::Arc;
use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;
use wire::{Effect, Wire};

use crate::{
    Error,
    declaration::{Authentication, OAuthGrant},
    transport::failed,
};

/// A token is renewed so long before it ends.
const RENEWED_BEFORE: Duration = Duration::from_secs(30);
/// How long a token is taken to last whose answer does not say.
const LASTS_UNTOLD: Duration = Duration::from_mins(5);

/// Who calls: gives each call its header. Clones share the token.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    Nobody,
    Known { header: HeaderName, value: HeaderValue },
    OAuth(Arc<OAuth>),
}

/// A client of an authorization server.
#[derive(Debug)]
pub(crate) struct OAuth {
    wire: Wire,
    url: Url,
    grant: OAuthGrant,
    in_body: bool,
    scope: Option<String>,
    client_id: String,
    secret: SecretString,
    /// A client's own secret beside the refresh token.
    client_secret: Option<SecretString>,
    token: Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    value: HeaderValue,
    until: Instant,
}

/// What an authorization server answers (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<String>,
}

impl Caller {
    /// The caller that a declaration and a connection make. `user` is the name of a user, or the id of a client.
    pub(crate) fn new(
        authentication: &Authentication,
        base: &Url,
        wire: &Wire,
        user: Option<&str>,
        secret: &SecretString,
        client_secret: Option<&SecretString>,
    ) -> Result<Self, Error> {
        if *authentication != Authentication::None && secret.expose_secret().is_empty() {
            let what = "its authentication asks for a secret: add token_file = \"...\"";
            return Err(Error::Settings { what });
        }
        let user =
            || user.ok_or(Error::Settings { what: "its authentication needs a name: add user = \"...\"" });
        match authentication {
            Authentication::None => Ok(Self::Nobody),
            Authentication::Header { header, prefix } => {
                let header = HeaderName::try_from(header.as_str())
                    .map_err(|_| Error::Settings { what: "the declaration names a header that is none" })?;
                let value = sensitive(&format!("{prefix}{}", secret.expose_secret()))?;
                Ok(Self::Known { header, value })
            }
            Authentication::Basic => {
                let pair = BASE64_STANDARD.encode(format!("{}:{}", user()?, secret.expose_secret()));
                let value = sensitive(&format!("Basic {pair}"))?;
                Ok(Self::Known { header: reqwest::header::AUTHORIZATION, value })
            }
            Authentication::OAuth { grant, token_path, in_body, scope } => {
                let url = base_of(base).join(token_path).map_err(|_| Error::Settings {
                    what: "the declaration's token_path makes no address: write it as \"oauth/token\"",
                })?;
                Ok(Self::OAuth(Arc::new(OAuth {
                    wire: wire.clone(),
                    url,
                    grant: *grant,
                    in_body: *in_body,
                    scope: scope.clone(),
                    client_id: user()?.to_owned(),
                    secret: secret.clone(),
                    client_secret: client_secret.cloned(),
                    token: Mutex::new(None),
                })))
            }
        }
    }

    /// The header of the next call.
    pub(crate) async fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
        match self {
            Self::Nobody => Ok(None),
            Self::Known { header, value } => Ok(Some((header.clone(), value.clone()))),
            Self::OAuth(oauth) => Ok(Some((reqwest::header::AUTHORIZATION, oauth.value().await?))),
        }
    }

    /// The call was not let in: a token that was had is had anew by the next one.
    pub(crate) async fn refused(&self) {
        if let Self::OAuth(oauth) = self {
            *oauth.token.lock().await = None;
        }
    }
}

impl OAuth {
    async fn value(&self) -> Result<HeaderValue, Error> {
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.value.clone());
        }
        let fresh = self.ask().await?;
        let value = fresh.value.clone();
        *token = Some(fresh);
        Ok(value)
    }

    async fn ask(&self) -> Result<Token, Error> {
        let mut form: Vec<(&str, &str)> = Vec::new();
        let client_secret = match self.grant {
            OAuthGrant::ClientCredentials => {
                form.push(("grant_type", "client_credentials"));
                Some(&self.secret)
            }
            OAuthGrant::RefreshToken => {
                form.push(("grant_type", "refresh_token"));
                form.push(("refresh_token", self.secret.expose_secret()));
                self.client_secret.as_ref()
            }
        };
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let mut request = self.wire.request(Method::POST, self.url.clone());
        if self.in_body {
            form.push(("client_id", &self.client_id));
            form.extend(client_secret.map(|secret| ("client_secret", secret.expose_secret())));
        } else {
            request = request.basic_auth(&self.client_id, client_secret.map(ExposeSecret::expose_secret));
        }
        let answer = self.wire.send(request.form(&form)).await;
        let answer = answer.map_err(|failure| failed(Effect::Read, failure))?;
        if !answer.status.is_success() {
            return Err(refused(answer.status));
        }
        let granted: Granted = serde_json::from_str(&answer.body)
            .map_err(|_| Error::Unexpected { what: "to a call for a token holds none".to_owned() })?;
        if self.grant == OAuthGrant::RefreshToken
            && granted.refresh_token.is_some_and(|other| other != self.secret.expose_secret())
        {
            return Err(Error::Settings {
                what: "it gives another refresh token with each answer, which is not kept: use client-credentials",
            });
        }
        let lasts = granted.expires_in.map_or(LASTS_UNTOLD, Duration::from_secs);
        Ok(Token {
            value: sensitive(&format!("Bearer {}", granted.access_token))?,
            until: Instant::now() + lasts.saturating_sub(RENEWED_BEFORE),
        })
    }
}

fn refused(status: StatusCode) -> Error {
    let (code, words) = (status.as_u16(), "no token was given for the client's credentials".to_owned());
    if status.is_client_error() && code != 429 {
        Error::Unauthorised { status: code, words }
    } else {
        Error::Unavailable { status: code, words }
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text).map_err(|_| Error::Settings {
        what: "the token has characters that no token has; remove line breaks",
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The address below which paths are: with a slash at its end.
pub(crate) fn base_of(url: &Url) -> Url {
    let mut base = url.clone();
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", url.path()));
    }
    base
}
