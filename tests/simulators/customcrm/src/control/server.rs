//! The control API: what [`Control`] does, over HTTP, without a token, on a port of its own.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post, put};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::control::{Control, Counts, Grant, NewUser, Rewrite};
use crate::error::SimulatorError;
use crate::faults::Fault;
use crate::limits::Limits;
use crate::log::LoggedCall;
use crate::problem::Answer;
use crate::webhooks::{Delivery, Webhook, WebhookFault};

/// The path that all calls begin with.
pub(crate) const BASE_PATH: &str = "/control";

pub(crate) fn router(control: Control) -> Router {
    let routes = Router::new()
        .route("/tokens", post(create_token))
        .route("/tokens/{token}", delete(revoke_token))
        .route("/faults", post(add_fault).get(faults).delete(clear_faults))
        .route("/log", get(log).delete(clear_log))
        .route("/counts", get(counts))
        .route("/limits", put(set_limits))
        .route("/normalise", post(normalise).delete(clear_normalise))
        .route("/clock", put(freeze_clock))
        .route("/seed", post(seed))
        .route("/webhooks", post(add_webhook).get(webhooks).delete(clear_webhooks))
        .route("/webhooks/faults", post(add_webhook_fault).get(webhook_faults).delete(clear_webhook_faults))
        .route("/webhooks/deliveries", get(deliveries).delete(clear_deliveries))
        .route("/records/{collection}", get(records).post(create))
        .route("/records/{collection}/{id}", patch(patch_record).delete(delete_record));
    Router::new().nest(BASE_PATH, routes).layer(DefaultBodyLimit::disable()).with_state(control)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsBody {
    calls: u32,
    window_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedBody {
    collection: String,
    records: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    token: String,
    record: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeletionBody {
    token: String,
}

#[derive(Serialize)]
struct Ids {
    ids: Vec<String>,
}

#[derive(Serialize)]
struct Data {
    data: Vec<Box<RawValue>>,
}

async fn create_token(
    State(control): State<Control>,
    Json(user): Json<NewUser>,
) -> Result<(StatusCode, Json<Grant>), SimulatorError> {
    Ok((StatusCode::CREATED, Json(control.create_token(user)?)))
}

async fn revoke_token(
    State(control): State<Control>,
    Path(token): Path<String>,
) -> Result<StatusCode, SimulatorError> {
    control.revoke_token(&token).map(|()| StatusCode::NO_CONTENT)
}

async fn add_fault(State(control): State<Control>, Json(fault): Json<Fault>) -> StatusCode {
    control.add_fault(fault);
    StatusCode::NO_CONTENT
}

async fn faults(State(control): State<Control>) -> Json<Vec<Fault>> {
    Json(control.faults())
}

async fn clear_faults(State(control): State<Control>) -> StatusCode {
    control.clear_faults();
    StatusCode::NO_CONTENT
}

async fn log(State(control): State<Control>) -> Json<Vec<LoggedCall>> {
    Json(control.log())
}

async fn clear_log(State(control): State<Control>) -> StatusCode {
    control.clear_log();
    StatusCode::NO_CONTENT
}

async fn counts(State(control): State<Control>) -> Json<Counts> {
    Json(control.counts())
}

async fn set_limits(
    State(control): State<Control>,
    Json(limits): Json<LimitsBody>,
) -> Result<StatusCode, SimulatorError> {
    let limits = Limits { calls: limits.calls, window: Duration::from_millis(limits.window_ms) };
    control.set_limits(limits).map(|()| StatusCode::NO_CONTENT)
}

async fn normalise(
    State(control): State<Control>,
    Json(rewrite): Json<Rewrite>,
) -> Result<StatusCode, SimulatorError> {
    control.normalise(rewrite).map(|()| StatusCode::NO_CONTENT)
}

async fn clear_normalise(State(control): State<Control>) -> StatusCode {
    control.clear_normalise();
    StatusCode::NO_CONTENT
}

async fn freeze_clock(State(control): State<Control>, Json(clock): Json<ClockBody>) -> StatusCode {
    control.freeze_clock(clock.at);
    StatusCode::NO_CONTENT
}

async fn seed(
    State(control): State<Control>,
    Json(seed): Json<SeedBody>,
) -> Result<(StatusCode, Json<Ids>), SimulatorError> {
    let ids = control.seed(&seed.collection, seed.records.iter().map(|record| record.get()))?;
    Ok((StatusCode::CREATED, Json(Ids { ids })))
}

async fn add_webhook(State(control): State<Control>, Json(webhook): Json<Webhook>) -> StatusCode {
    control.add_webhook(webhook);
    StatusCode::NO_CONTENT
}

/// The addresses; the secrets are told to nobody.
async fn webhooks(State(control): State<Control>) -> Json<Vec<String>> {
    Json(control.webhooks())
}

async fn clear_webhooks(State(control): State<Control>) -> StatusCode {
    control.clear_webhooks();
    StatusCode::NO_CONTENT
}

async fn add_webhook_fault(State(control): State<Control>, Json(fault): Json<WebhookFault>) -> StatusCode {
    control.add_webhook_fault(fault);
    StatusCode::NO_CONTENT
}

async fn webhook_faults(State(control): State<Control>) -> Json<Vec<WebhookFault>> {
    Json(control.webhook_faults())
}

async fn clear_webhook_faults(State(control): State<Control>) -> StatusCode {
    control.clear_webhook_faults();
    StatusCode::NO_CONTENT
}

async fn deliveries(State(control): State<Control>) -> Json<Vec<Delivery>> {
    Json(control.deliveries())
}

async fn clear_deliveries(State(control): State<Control>) -> StatusCode {
    control.clear_deliveries();
    StatusCode::NO_CONTENT
}

async fn records(
    State(control): State<Control>,
    Path(collection): Path<String>,
) -> Result<Json<Data>, SimulatorError> {
    let records = control.records(&collection)?;
    // The simulator wrote this JSON itself.
    let data = records.into_iter().filter_map(|record| RawValue::from_string(record).ok()).collect();
    Ok(Json(Data { data }))
}

async fn create(
    State(control): State<Control>,
    Path(collection): Path<String>,
    Json(edit): Json<EditBody>,
) -> Result<Response, SimulatorError> {
    let record = control.create(&edit.token, &collection, edit.record.get())?;
    Ok(show(StatusCode::CREATED, record))
}

async fn patch_record(
    State(control): State<Control>,
    Path((collection, id)): Path<(String, String)>,
    Json(edit): Json<EditBody>,
) -> Result<Response, SimulatorError> {
    let record = control.patch(&edit.token, &collection, &id, edit.record.get())?;
    Ok(show(StatusCode::OK, record))
}

async fn delete_record(
    State(control): State<Control>,
    Path((collection, id)): Path<(String, String)>,
    Json(deletion): Json<DeletionBody>,
) -> Result<StatusCode, SimulatorError> {
    control.delete(&deletion.token, &collection, &id).map(|()| StatusCode::NO_CONTENT)
}

/// The JSON of a record, digit by digit as the simulator wrote it.
fn show(status: StatusCode, record: String) -> Response {
    Answer::json(status, record).into_response()
}

impl IntoResponse for SimulatorError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::UnknownCollection { .. } | Self::UnknownToken | Self::UnknownUser { .. } => {
                StatusCode::NOT_FOUND
            }
            Self::TokenTaken => StatusCode::CONFLICT,
            Self::Edit { status, .. } => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
            }
            Self::NotRewritable { .. }
            | Self::Seed { .. }
            | Self::User { .. }
            | Self::WebhookAddress { .. }
            | Self::WebhookSecret
            | Self::Limits => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Listen { .. } | Self::SchemaTwice { .. } | Self::Client(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        (status, Json(serde_json::json!({ "error": self.to_string() }))).into_response()
    }
}
