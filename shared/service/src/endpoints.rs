//! The port of a process: `/health/live`, `/health/ready` and `/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use crate::Health;

#[derive(Clone)]
struct Told {
    health: Health,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

impl Told {
    /// Whoever sends work here shall send it elsewhere before anything else ends.
    fn waits_for(&self) -> BTreeMap<String, String> {
        let mut waits_for = self.health.waits_for();
        if self.stop.is_cancelled() {
            waits_for.insert("shutdown".to_owned(), "the process is stopping".to_owned());
        }
        waits_for
    }
}

/// The routes; from the moment that `stop` is cancelled the process is not ready.
pub(crate) fn endpoints(health: Health, metrics: Arc<Metrics>, stop: CancellationToken) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics_text))
        .with_state(Told { health, metrics, stop })
}

async fn live(State(told): State<Told>) -> impl IntoResponse {
    let stalled = told.health.stalled();
    (status(stalled.is_empty()), Json(json!({ "live": stalled.is_empty(), "stalled": stalled })))
}

async fn ready(State(told): State<Told>) -> impl IntoResponse {
    let waits_for = told.waits_for();
    let (ready, rests) = (waits_for.is_empty(), told.health.rests());
    (status(ready), Json(json!({ "ready": ready, "waits_for": waits_for, "rests": rests })))
}

/// In the format that is asked for: only one of the two has exemplars.
async fn metrics_text(State(told): State<Told>, headers: HeaderMap) -> impl IntoResponse {
    told.metrics.set_ready(told.waits_for().is_empty());
    let asked = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (kind, text) = if asked.contains("application/openmetrics-text") {
        told.metrics.render_openmetrics()
    } else {
        ("text/plain; version=0.0.4", told.metrics.render())
    };
    ([(header::CONTENT_TYPE, kind)], text)
}

fn status(well: bool) -> StatusCode {
    if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
