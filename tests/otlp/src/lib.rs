//! A receiver of traces over OTLP and HTTP, in the test's own process, on a free port of the loopback address.

#![allow(clippy::unwrap_used, reason = "a test ends where something can't be done")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
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
    /// An attribute of the span that is a text.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        text(&self.span.attributes, name)
    }
}

/// Receives traces over OTLP and HTTP in the test's process, until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    endpoint: String,
    received: Arc<Mutex<Vec<Received>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let routes = Router::new().route("/v1/traces", post(receive)).with_state(Arc::clone(&received));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { endpoint, received, server }
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

    /// What has arrived until now.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(
    State(received): State<Arc<Mutex<Vec<Received>>>>,
    body: Bytes,
) -> Result<Vec<u8>, StatusCode> {
    let request = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    for spans in request.resource_spans {
        let attributes = spans.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = text(&attributes, "service.name").unwrap_or_default().to_owned();
        let spans = spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
        let spans = spans.map(|span| Received { service: service.clone(), span });
        received.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
    }
    Ok(ExportTraceServiceResponse::default().encode_to_vec())
}

fn text<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
