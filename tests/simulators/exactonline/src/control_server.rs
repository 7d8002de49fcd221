//! The control API: the operations of [`Control`] over HTTP, without authentication.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::control::{Control, Counts};
use crate::error::SimulatorError;
use crate::faults::{Fault, LoggedCall};
use crate::settings::{Limits, Person, Rendition, Switches};

/// The control API.
pub(crate) fn router(control: Control) -> Router {
    Router::new()
        .route("/control/clock", post(advance))
        .route("/control/grants", post(grant))
        .route("/control/revoke", post(revoke))
        .route("/control/humans", post(human))
        .route("/control/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/control/log", get(log).delete(clear_log))
        .route("/control/counts", get(counts))
        .route("/control/limits", get(limits).put(set_limits))
        .route("/control/switches", get(switches).put(set_switches))
        .route("/control/normalise", put(normalise))
        .route("/control/accounts", get(accounts).post(seed))
        .route("/control/move", post(move_division))
        .route("/control/link", post(link_division))
        .with_state(control)
}

impl IntoResponse for SimulatorError {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({ "error": self.to_string() }))).into_response()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
}

async fn advance(State(control): State<Control>, Json(body): Json<Advance>) -> Json<Value> {
    control.advance_clock(body.advance_seconds);
    Json(json!({ "now": control.now() }))
}

async fn grant(State(control): State<Control>) -> Json<Value> {
    Json(json!({ "refresh_token": control.grant() }))
}

async fn revoke(State(control): State<Control>) -> StatusCode {
    control.revoke();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Human {
    full_name: String,
    email: String,
}

/// A token for the person with this address, who is made known first where need be.
async fn human(
    State(control): State<Control>,
    Json(body): Json<Human>,
) -> Result<Json<Value>, SimulatorError> {
    let known = control.people().into_iter().find(|person| person.email == body.email);
    let person = known.unwrap_or_else(|| {
        let person = Person::new(body.full_name, body.email);
        control.add_person(person.clone());
        person
    });
    Ok(Json(json!({ "user_id": person.id, "token": control.human_token(person.id)? })))
}

async fn faults(State(control): State<Control>) -> Json<Vec<Fault>> {
    Json(control.faults())
}

async fn add_fault(State(control): State<Control>, Json(fault): Json<Fault>) -> StatusCode {
    control.add_fault(fault);
    StatusCode::NO_CONTENT
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

async fn limits(State(control): State<Control>) -> Json<Limits> {
    Json(control.limits())
}

async fn set_limits(
    State(control): State<Control>,
    Json(change): Json<Map<String, Value>>,
) -> Result<Json<Limits>, SimulatorError> {
    control.set_limits(changed(&control.limits(), change)?);
    Ok(Json(control.limits()))
}

async fn switches(State(control): State<Control>) -> Json<Switches> {
    Json(control.switches())
}

async fn set_switches(
    State(control): State<Control>,
    Json(change): Json<Map<String, Value>>,
) -> Result<Json<Switches>, SimulatorError> {
    control.set_switches(changed(&control.switches(), change)?);
    Ok(Json(control.switches()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Normalise {
    property: String,
    r#as: Option<Rendition>,
}

async fn normalise(
    State(control): State<Control>,
    Json(body): Json<Normalise>,
) -> Result<StatusCode, SimulatorError> {
    control.normalise(&body.property, body.r#as)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn accounts(State(control): State<Control>) -> Response {
    ([("content-type", "application/json")], control.snapshot()).into_response()
}

async fn seed(State(control): State<Control>, body: String) -> Result<Json<Value>, SimulatorError> {
    Ok(Json(json!({ "ids": control.seed_account_list(&body)? })))
}

async fn move_division(State(control): State<Control>) -> StatusCode {
    control.move_division();
    StatusCode::NO_CONTENT
}

async fn link_division(State(control): State<Control>) -> StatusCode {
    control.link_division();
    StatusCode::NO_CONTENT
}

/// The present settings with those of the change in their place.
fn changed<Settings: Serialize + DeserializeOwned>(
    present: &Settings,
    change: Map<String, Value>,
) -> Result<Settings, SimulatorError> {
    let mut merged = serde_json::to_value(present).map_err(SimulatorError::Setting)?;
    if let Value::Object(fields) = &mut merged {
        fields.extend(change);
    }
    serde_json::from_value(merged).map_err(SimulatorError::Setting)
}
