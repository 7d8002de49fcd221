//! Problem documents (RFC 9457), and the answers that carry them.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What a caller is told when a call is refused.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: ProblemKind,
    pub(crate) detail: String,
    pub(crate) errors: Vec<PropertyError>,
    pub(crate) duplicate_id: Option<String>,
    pub(crate) retry_after_seconds: Option<u64>,
    pub(crate) allow: Option<&'static str>,
}

/// What is wrong with one property.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PropertyError {
    pub(crate) property: String,
    pub(crate) message: String,
}

/// The kinds of refusal, each with its status, its type and its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Gone,
    Stale,
    TooLarge,
    NotJson,
    Invalid,
    KeyReused,
    TooManyCalls,
    /// A status that a test asked for.
    Injected(StatusCode),
}

/// The answer to a call, kept whole so that it can be given again.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            duplicate_id: None,
            retry_after_seconds: None,
            allow: None,
        }
    }

    pub(crate) fn invalid(errors: Vec<PropertyError>) -> Self {
        Self { errors, ..Self::new(ProblemKind::Invalid, "the record was not stored: see errors") }
    }

    /// The detail and the property errors in one line.
    pub(crate) fn reason(&self) -> String {
        let errors: Vec<String> =
            self.errors.iter().map(|error| format!("{} {}", error.property, error.message)).collect();
        if errors.is_empty() { self.detail.clone() } else { errors.join("; ") }
    }
}

impl PropertyError {
    pub(crate) fn new(property: &str, message: impl Into<String>) -> Self {
        Self { property: property.to_owned(), message: message.into() }
    }

    /// The same, said of a property of `whole`; of `whole` itself if no property is named.
    pub(crate) fn within(self, whole: &str) -> Self {
        let point = if self.property.is_empty() { "" } else { "." };
        Self { property: format!("{whole}{point}{}", self.property), ..self }
    }
}

impl ProblemKind {
    pub(crate) fn status(self) -> StatusCode {
        self.parts().0
    }

    pub(crate) fn title(self) -> &'static str {
        self.parts().2
    }

    /// The value of `type`.
    pub(crate) fn type_uri(self) -> String {
        format!("https://customcrm.example/problems/{}", self.parts().1)
    }

    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "The request can't be understood"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "No valid token"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::Conflict => (StatusCode::CONFLICT, "duplicate", "A unique value is taken"),
            Self::Gone => (StatusCode::GONE, "gone", "The record was deleted"),
            Self::Stale => (StatusCode::PRECONDITION_FAILED, "stale", "The record has another version"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The body must be JSON"),
            Self::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "validation", "The record is not valid"),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key",
                "The idempotency key was used for another body",
            ),
            Self::TooManyCalls => (StatusCode::TOO_MANY_REQUESTS, "too-many-calls", "Too many calls"),
            Self::Injected(status) => (status, "fault", "A fault was asked for"),
        }
    }
}

/// The members of a problem document.
#[derive(Serialize)]
struct ProblemBody<'problem> {
    r#type: String,
    title: &'problem str,
    status: u16,
    detail: &'problem str,
    errors: &'problem [PropertyError],
    #[serde(rename = "duplicateId", skip_serializing_if = "Option::is_none")]
    duplicate_id: Option<&'problem str>,
}

impl Answer {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: String::new() }
    }

    pub(crate) fn json(status: StatusCode, body: String) -> Self {
        let mut answer = Self { body, ..Self::new(status) };
        answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }

    /// Adds a header; a value that can't be one is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let status = problem.kind.status();
        let body = serde_json::to_string(&ProblemBody {
            r#type: problem.kind.type_uri(),
            title: problem.kind.title(),
            status: status.as_u16(),
            detail: &problem.detail,
            errors: &problem.errors,
            duplicate_id: problem.duplicate_id.as_deref(),
        })
        .expect("strings and numbers always have a JSON form");
        let mut answer = Self { body, ..Self::new(status) };
        answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if problem.kind == ProblemKind::Unauthorized {
            answer.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = problem.retry_after_seconds {
            answer.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = problem.allow {
            answer.headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        answer
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
