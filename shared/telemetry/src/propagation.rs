//! Trace context in the headers of messages, as W3C `traceparent` and `tracestate`.
//!
//! A direct cause is a parent ([`continue_from`]); one of several causes, or a repeated delivery, is a link
//! ([`link_to`]). Headers without a context, or with one that is malformed, change nothing.

use std::collections::BTreeMap;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetrySpanExt, SetParentError};

const TRACEPARENT: &str = "traceparent";

/// Writes the current span's context into `headers`; outside of a span nothing is written.
pub fn inject(headers: &mut BTreeMap<String, String>) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut Headers(headers));
}

/// The current span's context as one text, to be kept in a document and continued later.
pub fn current_traceparent() -> Option<String> {
    let mut headers = BTreeMap::new();
    inject(&mut headers);
    headers.remove(TRACEPARENT)
}

/// The context that `headers` carry; an empty one when they carry none.
pub fn context(headers: &BTreeMap<String, String>) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Carried(headers))
}

/// The context of a kept `traceparent`; an empty one when it is malformed.
pub fn context_of(traceparent: &str) -> Context {
    context(&BTreeMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]))
}

/// Makes the context in `headers` the parent of `span`. Call it before the span is entered: a trace that has begun
/// cannot be moved, and a warning is logged instead.
pub fn continue_from(span: &Span, headers: &BTreeMap<String, String>) {
    adopt(span, context(headers));
}

/// Makes a kept `traceparent` the parent of `span`: as [`continue_from`].
pub fn continue_from_traceparent(span: &Span, traceparent: &str) {
    adopt(span, context_of(traceparent));
}

/// Adds a link from `span` to the context in `headers`.
pub fn link_to(span: &Span, headers: &BTreeMap<String, String>) {
    span.add_link(context(headers).span().span_context().clone());
}

/// Adds a link from `span` to a kept `traceparent`.
pub fn link_to_traceparent(span: &Span, traceparent: &str) {
    span.add_link(context_of(traceparent).span().span_context().clone());
}

fn adopt(span: &Span, parent: Context) {
    if !parent.span().span_context().is_valid() {
        return;
    }
    match span.set_parent(parent) {
        // Without telemetry, or with the span filtered out, there is no trace to continue.
        Ok(()) | Err(SetParentError::LayerNotFound | SetParentError::SpanDisabled) => {}
        Err(SetParentError::AlreadyStarted) => {
            tracing::warn!("a span was entered before its parent was known, so its trace begins anew");
        }
    }
}

struct Headers<'a>(&'a mut BTreeMap<String, String>);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        // An absent tracestate is given as an empty text, which a header need not carry.
        if !value.is_empty() {
            self.0.insert(key.to_owned(), value);
        }
    }
}

struct Carried<'a>(&'a BTreeMap<String, String>);

impl Extractor for Carried<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}
