//! The span of a call to a system, and its place in the metrics, both by the conventions for HTTP.
//!
//! The conventions want the whole address; it is left out, because filters and keys in it are personal values.

use std::time::Instant;

use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::{HttpCall, Metrics};

/// A call to a system.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The system that is called.
    pub system: &'a str,
    /// The connection that it is called for.
    pub connection: &'a str,
    /// What the call is for, where calls are told apart by that.
    pub class: Option<&'static str>,
    /// Where it goes.
    pub http: HttpCall<'a>,
}

/// A call that has begun.
#[derive(Debug)]
pub struct Calling<'a> {
    call: Call<'a>,
    span: Span,
    begun: Instant,
}

impl<'a> Call<'a> {
    /// Begins its span.
    pub fn begin(self) -> Calling<'a> {
        let HttpCall { method, server_address, server_port, template } = self.http;
        let span = info_span!(
            "call", otel.kind = "client", otel.name = format!("{method} {template}"),
            otel.status_code = Empty, system = self.system, connection = self.connection, class = self.class,
            http.request.method = method, http.response.status_code = Empty, url.template = template,
            server.address = server_address, server.port = server_port, error.type = Empty,
            quota.minute = Empty, quota.day = Empty,
        );
        Calling { call: self, span, begun: Instant::now() }
    }
}

impl Calling<'_> {
    /// The call's span.
    pub const fn span(&self) -> &Span {
        &self.span
    }

    /// The call has ended: with the status of an answer, or in this way without one.
    pub fn ended(self, answer: Result<u16, &str>, metrics: Option<&Metrics>) {
        let status = answer.ok();
        let of_status = status.filter(|status| *status >= 400).map(|status| status.to_string());
        let error = answer.err().or(of_status.as_deref());
        self.span.record("http.response.status_code", status);
        if let Some(error) = error {
            self.span.record("error.type", error);
            self.span.record("otel.status_code", "ERROR");
        }
        if let Some(metrics) = metrics {
            self.span.in_scope(|| {
                metrics.observe_http(&self.call.http, status, error, self.begun.elapsed().as_secs_f64());
            });
        }
    }
}
