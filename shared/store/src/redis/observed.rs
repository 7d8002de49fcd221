//! What is seen of an operation: its place in the metrics, and of a change of the store that belongs to a trace a span,
//! both by the conventions for databases. Neither holds a key or a value.

use std::time::Instant;

use telemetry::Metrics;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use crate::StoreError;

const SYSTEM: &str = "redis";

/// An operation that is about to be sent.
pub(super) struct Operation {
    /// The command.
    pub(super) name: &'static str,
    /// The script that it runs.
    pub(super) script: Option<&'static str>,
}

impl Operation {
    pub(super) const fn command(name: &'static str) -> Self {
        Self { name, script: None }
    }

    pub(super) const fn script(script: &'static str) -> Self {
        Self { name: "EVALSHA", script: Some(script) }
    }

    /// Sends it. Only what changes links is worth a span: the rest are many, and quick.
    pub(super) async fn sent<T>(
        self,
        metrics: Option<&Metrics>,
        sending: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let is_traced = self.script == Some("apply") && !Span::current().is_none();
        let (done, span) = if is_traced {
            let span = info_span!(
                "store", otel.kind = "client", otel.name = "EVALSHA apply", otel.status_code = Empty,
                db.system.name = SYSTEM, db.operation.name = self.name,
                db.stored_procedure.name = self.script, error.type = Empty,
            );
            (sending.instrument(span.clone()).await, span)
        } else {
            (sending.await, Span::none())
        };
        let error = done.as_ref().err().map(error_type);
        if let Some(error) = error {
            span.record("error.type", error);
            span.record("otel.status_code", "ERROR");
        }
        if let Some(metrics) = metrics {
            metrics.observe_store(SYSTEM, self.name, error, begun.elapsed().as_secs_f64());
        }
        done
    }
}

const fn error_type(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unreachable { .. } => "unreachable",
        StoreError::Denied { .. } => "denied",
        StoreError::Corrupt { .. } => "corrupt",
        _ => "other",
    }
}
