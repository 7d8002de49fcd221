//! The two ports: the API and the control API.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Client;
use url::form_urlencoded;

use crate::answer::Answer;
use crate::call::Call;
use crate::connection::Breaker;
use crate::control::Control;
use crate::faults::FaultKind;
use crate::webhooks::try_out;

/// The largest body that the service takes: 10 MB.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// The API as one handler over every path.
pub(crate) fn router(control: Control, caller: Client) -> Router {
    Router::new().fallback(handle).with_state((control, caller))
}

async fn handle(
    State((control, caller)): State<(Control, Client)>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: Request,
) -> Response<Body> {
    let Some(mut call) = read(request).await else {
        return response(Answer::empty(413));
    };
    let _under_way = call.is_for_tokens().then(|| TokenCall::begins(&control));
    let fault = control.service().take_fault(&call);
    if let Some(FaultKind::Delay { ms }) = &fault {
        tokio::time::sleep(Duration::from_millis(*ms)).await;
    }
    let tried = control.service().tried_by(&call);
    if let Some(callback) = tried {
        call.callback_status = try_out(&caller, callback).await;
    }
    let answer = control.service().answer(&call, fault.as_ref());
    control.changed().notify_one();
    if fault.as_ref().is_some_and(FaultKind::loses_the_answer) {
        breaker.break_off();
    }
    response(answer)
}

/// A call of the token endpoint, from its coming in to its answer, or to its caller's going away.
struct TokenCall(Control);

impl TokenCall {
    fn begins(control: &Control) -> Self {
        control.service().token_calls.begins();
        Self(control.clone())
    }
}

impl Drop for TokenCall {
    fn drop(&mut self) {
        self.0.service().token_calls.ends();
    }
}

/// Takes a request apart; `None` when its body is too large.
async fn read(request: Request) -> Option<Call> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.ok()?;
    let text = |name: HeaderName| header(&parts.headers, &name);
    let query = parts.uri.query().unwrap_or_default();
    Some(Call {
        method: parts.method.as_str().to_owned(),
        path: decoded(parts.uri.path()),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        base: base(&parts.headers),
        bearer: text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned)),
        basic: text(AUTHORIZATION).and_then(|value| basic(value.strip_prefix("Basic ")?)),
        accept: text(ACCEPT),
        content_type: text(CONTENT_TYPE),
        prefer: text(HeaderName::from_static("prefer")),
        body: String::from_utf8_lossy(&body).into_owned(),
        callback_status: None,
    })
}

/// Where the caller found the API: behind a proxy that speaks TLS for it, that says so.
fn base(headers: &HeaderMap) -> String {
    let scheme = header(headers, &HeaderName::from_static("x-forwarded-proto"));
    let host = header(headers, &HOST).unwrap_or_default();
    format!("{}://{host}", scheme.as_deref().unwrap_or("http"))
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The name and the password of HTTP Basic.
fn basic(credentials: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64.decode(credentials).ok()?).ok()?;
    text.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

/// A path without its percent signs. A plus stays one, other than in a query.
fn decoded(path: &str) -> String {
    let path = path.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(path.as_bytes()).next().map(|(path, _)| path.into_owned()).unwrap_or_default()
}

fn response(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
