//! The consent page and the token endpoint.

use url::{Url, form_urlencoded};
use uuid::Uuid;

use crate::answer::Answer;
use crate::call::Call;
use crate::grants::TokenRefusal;
use crate::json::Json;
use crate::service::Service;

/// What the consent page may be asked with.
const DOCUMENTED: [&str; 5] = ["client_id", "redirect_uri", "response_type", "state", "force_login"];

impl Service {
    /// The consent page, whose user always agrees: a redirect that carries a code. It takes the documented parameters
    /// only (inferred: no source shows what becomes of others), and the redirect address as it is registered.
    pub(crate) fn authorize(&mut self, call: &Call, now: i64) -> Answer {
        if call.method != "GET" {
            return Answer::empty(405);
        }
        let known = call.option("client_id") == Some(&self.client_id);
        let code_asked = call.option("response_type") == Some("code");
        let login = matches!(call.option("force_login"), None | Some("0" | "1"));
        let documented = call.query.iter().all(|(name, _)| DOCUMENTED.contains(&name.as_str()));
        let uri = call.option("redirect_uri").filter(|uri| *uri == self.redirect_uri);
        let target = uri.and_then(|uri| Url::parse(uri).ok().map(|url| (uri, url)));
        let (true, Some((uri, mut url))) = (known && code_asked && login && documented, target) else {
            return error(400, "invalid_request", None);
        };
        let code = self.grants.authorize(self.api_user, uri, now);
        url.query_pairs_mut().append_pair("code", &code);
        if let Some(state) = call.option("state") {
            url.query_pairs_mut().append_pair("state", state);
        }
        Answer::empty(302).with("Location", url.as_str())
    }

    /// Exchanges a code or a refresh token.
    pub(crate) fn token(&mut self, call: &Call, now: i64) -> Answer {
        if call.method != "POST" {
            return Answer::empty(405);
        }
        let form: Vec<(String, String)> = form_urlencoded::parse(call.body.as_bytes()).into_owned().collect();
        let field =
            |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let is_form = call
            .content_type
            .as_deref()
            .is_some_and(|content| content.starts_with("application/x-www-form-urlencoded"));
        let in_form = self.is_client(field("client_id"), field("client_secret"));
        let in_header = call.basic.as_ref().is_some_and(|(id, secret)| self.is_client(id, secret));
        if !is_form || !(in_form || in_header && self.switches.basic_credentials) {
            return error(400, "invalid_request", None);
        }
        let (code, refresh) = (field("code"), field("refresh_token"));
        let user = self.grants.user_of_code(code).or_else(|| self.grants.user_of_refresh(refresh));
        // No source shows what the service answers beyond the day's calls: 429 is assumed.
        if !self.limiter.admit_token_call(user.unwrap_or(Uuid::nil()), now, &self.limits) {
            return Answer::empty(429);
        }
        let tokens = match field("grant_type") {
            "authorization_code" => self.grants.exchange(code, field("redirect_uri"), now, &self.limits),
            "refresh_token" => self.grants.refresh(refresh, now, &self.limits, &self.switches),
            _ => Err(TokenRefusal::Invalid),
        };
        match tokens {
            Ok(tokens) => {
                let body = Json::object([
                    ("access_token", Json::text(tokens.access_token)),
                    ("token_type", Json::text("bearer")),
                    // A fact of the service: this number is text.
                    ("expires_in", Json::text(self.limits.access_token_seconds.to_string())),
                    ("refresh_token", Json::text(tokens.refresh_token)),
                ]);
                Answer::json(200, &body, false)
            }
            Err(refusal) => self.refuse(refusal, now),
        }
    }

    fn is_client(&self, id: &str, secret: &str) -> bool {
        id == self.client_id && secret == self.client_secret
    }

    fn refuse(&self, refusal: TokenRefusal, now: i64) -> Answer {
        match refusal {
            TokenRefusal::Invalid => error(400, "invalid_request", None),
            TokenRefusal::Spent => {
                error(401, "unauthorized_client", Some("Old refresh token used.".to_owned()))
            }
            TokenRefusal::Expired { ended_at } => {
                let (ended, now) = (self.american(ended_at), self.american(now));
                let text = format!("The refresh token expired at {ended} and it is now {now}.");
                error(400, "invalid_request", Some(text))
            }
            TokenRefusal::TooEarly => {
                let text = "Rate limit exceeded: access_token not expired";
                error(400, "access_denied", Some(text.to_owned()))
                    .with("Reason", format!("TooEarlyToRefreshTokens: {text}"))
            }
        }
    }
}

fn error(status: u16, code: &str, description: Option<String>) -> Answer {
    let mut properties = vec![("error".to_owned(), Json::text(code))];
    properties.extend(description.map(|text| ("error_description".to_owned(), Json::text(text))));
    Answer::json(status, &Json::Object(properties), false)
}
