//! A receiver of traces, metrics and logs over OTLP and HTTP, in the test's own process, on a free port of the loopback address.

#![allow(clippy::unwrap_used, reason = "a test ends where something can't be done")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// A span that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// The service that sent it.
    pub service: String,
    /// The span.
    pub span: Span,
}

impl Received {
    /// What is done in it: the first word of its name.
    pub fn done(&self) -> &str {
        self.span.name.split(' ').next().unwrap_or_default()
    }

    /// An attribute of the span that is a text.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        text(&self.span.attributes, name)
    }
}

/// All that has arrived.
#[derive(Debug, Default)]
struct Arrived {
    spans: Mutex<Vec<Received>>,
    metrics: Mutex<Vec<(String, Metric)>>,
    logs: Mutex<Vec<(String, LogRecord)>>,
}

/// Receives telemetry over OTLP and HTTP in the test's process, until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    endpoint: String,
    arrived: Arc<Arrived>,
    server: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let arrived = Arc::new(Arrived::default());
        let routes = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .route("/v1/logs", post(logs))
            .with_state(Arc::clone(&arrived));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { endpoint, arrived, server }
    }

    /// The address to be configured.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Waits until at least `count` spans have arrived; after 10 seconds it gives what there is.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        for _ in 0..200 {
            if self.received().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.received()
    }

    /// The spans that have arrived until now.
    pub fn received(&self) -> Vec<Received> {
        all(&self.arrived.spans)
    }

    /// The metrics that have arrived until now, as they were each time, with the service that sent them.
    pub fn metrics(&self) -> Vec<(String, Metric)> {
        all(&self.arrived.metrics)
    }

    /// The log records that have arrived until now, with the service that sent them.
    pub fn logs(&self) -> Vec<(String, LogRecord)> {
        all(&self.arrived.logs)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn all<T: Clone>(arrived: &Mutex<Vec<T>>) -> Vec<T> {
    arrived.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn arrive<T>(arrived: &Mutex<Vec<T>>, new: impl IntoIterator<Item = T>) {
    arrived.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
}

async fn traces(State(arrived): State<Arc<Arrived>>, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    let request = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    for spans in request.resource_spans {
        let service = service(spans.resource);
        let spans = spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
        arrive(&arrived.spans, spans.map(|span| Received { service: service.clone(), span }));
    }
    Ok(ExportTraceServiceResponse::default().encode_to_vec())
}

async fn metrics(State(arrived): State<Arc<Arrived>>, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    let request = ExportMetricsServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    for metrics in request.resource_metrics {
        let service = service(metrics.resource);
        let metrics = metrics.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
        arrive(&arrived.metrics, metrics.map(|metric| (service.clone(), metric)));
    }
    Ok(ExportMetricsServiceResponse::default().encode_to_vec())
}

async fn logs(State(arrived): State<Arc<Arrived>>, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    let request = ExportLogsServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    for logs in request.resource_logs {
        let service = service(logs.resource);
        let records = logs.scope_logs.into_iter().flat_map(|scope| scope.log_records);
        arrive(&arrived.logs, records.map(|record| (service.clone(), record)));
    }
    Ok(ExportLogsServiceResponse::default().encode_to_vec())
}

fn service(resource: Option<Resource>) -> String {
    let attributes = resource.map(|resource| resource.attributes).unwrap_or_default();
    text(&attributes, "service.name").unwrap_or_default().to_owned()
}

fn text<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
