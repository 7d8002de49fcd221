//! Answers of the service, with its own error bodies and texts in two languages.

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// The language of error texts. The service uses that of the user whose token is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Dutch.
    Nl,
    /// English.
    #[default]
    En,
}

impl Language {
    /// Of an English and a Dutch text, the one in this language.
    pub(crate) fn pick<'a>(self, english: &'a str, dutch: &'a str) -> &'a str {
        match self {
            Self::En => english,
            Self::Nl => dutch,
        }
    }
}

/// An answer, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Json, escape_slashes: bool) -> Self {
        let headers = vec![("Content-Type", "application/json; charset=utf-8".to_owned())];
        Self { status, headers, body: body.render(escape_slashes) }
    }

    /// The same answer with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// What the service shows to a caller that it does not know: the way to its login page, in HTML.
    pub(crate) fn login_page(path: &str) -> Self {
        let target = format!("/docs/Login.aspx?ReturnUrl={}", path.replace('/', "%2f"));
        let body = format!(
            "<html><head><title>Object moved</title></head><body>\r\n\
             <h2>Object moved to <a href=\"{target}\">here</a>.</h2>\r\n</body></html>\r\n"
        );
        Self { status: 401, headers: vec![("Content-Type", "text/html; charset=utf-8".to_owned())], body }
    }
}

/// A request that the service refuses with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) reason: Option<&'static str>,
}

impl Refused {
    pub(crate) fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), reason: None }
    }

    /// An unknown property, a bad filter or an option that the endpoint does not know.
    pub(crate) fn syntax() -> Self {
        Self::new(400, "Bad Request - Error in query syntax.")
    }

    /// An unknown path or key. The text is that of the framework under the service (inferred).
    pub(crate) fn not_found(resource: &str) -> Self {
        Self::new(404, format!("Resource not found for the segment '{resource}'."))
    }

    /// A method that the endpoint does not have (text inferred).
    pub(crate) fn method() -> Self {
        Self::new(405, "Method not allowed.")
    }

    /// Business validation: status 500, all messages in one text.
    pub(crate) fn business(messages: &[String]) -> Self {
        Self::new(500, messages.join("\r\n"))
    }

    /// The same with the header that tells why.
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    pub(crate) fn into_answer(self, escape_slashes: bool) -> Answer {
        let message = Json::object([("lang", Json::text("")), ("value", Json::text(self.text))]);
        let error = Json::object([("code", Json::text("")), ("message", message)]);
        let answer = Answer::json(self.status, &Json::object([("error", error)]), escape_slashes);
        match self.reason {
            Some(reason) => answer.with("Reason", reason),
            None => answer,
        }
    }
}
