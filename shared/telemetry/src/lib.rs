//! Start, propagate and flush traces and logs; the names of all signals; the metrics a service counts.
//!
//! [`Telemetry`] starts the process's logs (to stderr, one structured line each, with the trace id) and its traces
//! (OTLP over HTTP, in batches). [`inject`] and [`continue_from`] carry a trace through the headers of a message, so
//! that one change is one trace from the edit that was seen to the write that was applied. [`Metrics`] counts, and
//! renders the text that Prometheus reads. [`names`] holds every name, so that dashboards have one place to look.
//!
//! Nothing is sent when no endpoint is configured; metrics can be scraped, logs stand on stderr and trace ids are made and passed on all the same, so that logs of several services can be joined.
//!
//! Personal values and secrets must never be given to it: it cannot tell them from any other text. A span or log line
//! carries ids, names of pairs and queues, counts and error texts.

mod calls;
mod chain;
mod line;
mod metrics;
pub mod names;
mod propagation;
mod pushed;
mod remembering;
mod start;

#[cfg(test)]
mod tests;

pub use calls::{Call, Calling};
pub use chain::Chain;
pub use metrics::{
    Direction, Family, Hop, HttpCall, LinkState, Metrics, Processing, QuotaWindow, ReloadResult, Settlement,
    WebhookResult, WriteOutcome,
};
pub use propagation::{
    context, context_of, continue_from, continue_from_traceparent, current_traceparent, inject, link_to,
    link_to_traceparent,
};
pub use start::{LogFilter, LogFormat, Otlp, Settings, Signals, Telemetry, TelemetryError};
