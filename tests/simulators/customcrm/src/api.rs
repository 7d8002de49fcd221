//! The API port: who calls, whether they may, which fault hits them, and the answer.

mod calls;
mod precondition;
mod query;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use bytes::Bytes;

use crate::faults::{Aim, Effect};
use crate::limits::Rate;
use crate::log::LoggedCall;
use crate::openapi;
use crate::problem::{Answer, Problem, ProblemKind};
use crate::state::{State, World};
use crate::value::write_time;
use crate::wire::Wire;

pub(crate) use calls::{IDEMPOTENCY_KEY_PATTERN, NEW_RECORD, PATCH};
pub(crate) use precondition::IF_MATCH_PATTERN;
pub(crate) use query::{LIMIT_DEFAULT, LIMIT_MAX};

/// The path that all calls begin with.
pub(crate) const BASE_PATH: &str = "/api/v1";
/// The most bytes of a body.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// So much of a body is read before it is refused, so that the caller gets to see the refusal.
const BODY_BYTES_READ_MAX: usize = 8 * BODY_BYTES_MAX;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new().fallback(answer).with_state(world)
}

/// A call as it came in.
#[derive(Debug)]
struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    /// Nothing if it was larger than allowed.
    body: Option<Bytes>,
}

/// What is decided about a call before it is performed.
#[derive(Debug)]
struct Turn {
    /// The user, and what is left to them; nothing without a valid token.
    caller: Option<(String, Rate)>,
    delay: Option<Duration>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    Perform,
    PerformAndLose,
    /// Cut the connection and do nothing else.
    Lose,
    /// A listing whose page is not as it should be.
    PerformWith(PageFault),
    /// Describe the API, whoever asks.
    Describe,
    Refuse(Problem),
}

/// What is wrong with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageFault {
    Repeated,
    Reversed,
}

async fn answer(
    Shared(world): Shared<Arc<World>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Answer {
    let call = Call::read(request).await;
    let turn = admit(&mut world.lock(), &call);
    if let Some(delay) = turn.delay {
        tokio::time::sleep(delay).await;
    }
    let (answer, lost) = finish(&mut world.lock(), &call, turn);
    if lost {
        wire.cut();
    }
    answer
}

impl Call {
    async fn read(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, BODY_BYTES_READ_MAX).await.ok();
        Self {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body: body.filter(|body| body.len() <= BODY_BYTES_MAX),
        }
    }

    /// The parts of the path behind the base path.
    fn segments(&self) -> Vec<&str> {
        let below = self.uri.path().strip_prefix(BASE_PATH).and_then(|path| path.strip_prefix('/'));
        below.map(|path| path.split('/').collect()).unwrap_or_default()
    }

    fn aim(&self) -> Aim<'_> {
        let segments = self.segments();
        let collection = segments.first().copied().unwrap_or_default();
        let is_listing = self.method == Method::GET && segments.len() == 1 && collection != "me";
        Aim { method: self.method.as_str(), collection, is_listing }
    }
}

fn admit(state: &mut State, call: &Call) -> Turn {
    if call.method == Method::GET && call.segments() == [openapi::FILE] {
        return Turn { caller: None, delay: None, next: Next::Describe };
    }
    let user_id = match authenticate(state, &call.headers) {
        Ok(user_id) => user_id,
        Err(problem) => return Turn { caller: None, delay: None, next: Next::Refuse(problem) },
    };
    let (rate, within) = state.meter.count(&user_id, tokio::time::Instant::now());
    if !within {
        let problem = too_many(rate.reset_seconds());
        return Turn { caller: Some((user_id, rate)), delay: None, next: Next::Refuse(problem) };
    }
    let delay = state.faults.take_delay(call.aim());
    let (rate, next) = match state.faults.take_other(call.aim()) {
        None | Some(Effect::Delay(_)) => (rate, Next::Perform),
        Some(Effect::LoseAnswer) => (rate, Next::PerformAndLose),
        Some(Effect::CutOff) => (rate, Next::Lose),
        Some(Effect::RepeatPage) => (rate, Next::PerformWith(PageFault::Repeated)),
        Some(Effect::ReversePage) => (rate, Next::PerformWith(PageFault::Reversed)),
        Some(Effect::Throttle(seconds)) => (rate.exhausted(seconds), Next::Refuse(too_many(seconds))),
        Some(Effect::FailBefore(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let problem = Problem::new(ProblemKind::Injected(status), "the call was not performed");
            (rate, Next::Refuse(problem))
        }
    };
    Turn { caller: Some((user_id, rate)), delay, next }
}

/// The user whose token a call bears.
fn authenticate(state: &State, headers: &HeaderMap) -> Result<String, Problem> {
    let refused = |detail: &str| Problem::new(ProblemKind::Unauthorized, detail);
    let given = headers.get(header::AUTHORIZATION).ok_or_else(|| refused("the call bears no token"))?;
    let token = given
        .to_str()
        .ok()
        .and_then(|given| given.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| refused("the authorization must have the form Bearer <token>"))?;
    state.user_of(token).map(str::to_owned)
}

fn too_many(seconds: u64) -> Problem {
    Problem {
        retry_after_seconds: Some(seconds),
        ..Problem::new(ProblemKind::TooManyCalls, format!("call again in {seconds} seconds"))
    }
}

/// Performs and logs a call. The second value is whether the answer is to be lost.
fn finish(state: &mut State, call: &Call, turn: Turn) -> (Answer, bool) {
    let lost = matches!(turn.next, Next::PerformAndLose | Next::Lose);
    let page_fault = match &turn.next {
        Next::PerformWith(fault) => Some(*fault),
        _ => None,
    };
    let mut answer = match (turn.next, &turn.caller) {
        (Next::Refuse(problem), _) => problem.into(),
        (Next::Lose, _) => {
            let kind = ProblemKind::Injected(StatusCode::SERVICE_UNAVAILABLE);
            Problem::new(kind, "the call was not performed").into()
        }
        (Next::Describe, _) => calls::describe(state, call).unwrap_or_else(Answer::from),
        (_, Some((user_id, _))) => {
            calls::perform(state, call, user_id, page_fault).unwrap_or_else(Answer::from)
        }
        (_, None) => Problem::new(ProblemKind::Unauthorized, "the call bears no token").into(),
    };
    if let Some((user_id, rate)) = &turn.caller {
        answer = answer.with(RATE_LIMIT_POLICY, &rate.policy()).with(RATE_LIMIT, &rate.left());
        if call.method != Method::GET && answer.status.is_success() {
            *state.writes.entry(user_id.clone()).or_default() += 1;
        }
    }
    let at = write_time(state.records.clock.now());
    state.log.add(LoggedCall {
        number: 0,
        method: call.method.to_string(),
        path: call.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        user_id: turn.caller.map(|(user_id, _)| user_id),
        status: answer.status.as_u16(),
        answered: !lost,
        at,
    });
    (answer, lost)
}
