//! Histograms that remember a trace for each bucket: from a slow change on a panel to the trace of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use prometheus::HistogramVec;
use prometheus::proto::Metric;

/// An observation, and the trace that it was made in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exemplar {
    /// In hexadecimal.
    pub(crate) trace_id: [u8; 16],
    /// The span, in which it was made.
    pub(crate) span_id: [u8; 8],
    /// What was observed.
    pub(crate) value: f64,
    /// When.
    pub(crate) at: SystemTime,
}

/// Of each bucket, the one beyond the last bound among them, the newest.
pub(crate) type Exemplars = Vec<Option<Exemplar>>;

/// A histogram with its exemplars.
pub(super) struct Traced {
    name: &'static str,
    family: HistogramVec,
    labels: &'static [&'static str],
    bounds: &'static [f64],
    /// By the values of labels.
    seen: Mutex<HashMap<Vec<String>, Exemplars>>,
}

impl Traced {
    pub(super) fn new(
        name: &'static str,
        family: HistogramVec,
        labels: &'static [&'static str],
        bounds: &'static [f64],
    ) -> Self {
        Self { name, family, labels, bounds, seen: Mutex::default() }
    }

    pub(super) fn observe(&self, values: &[&str], value: f64) {
        self.family.with_label_values(values).observe(value);
        let Some((trace_id, span_id)) = current() else { return };
        let exemplar = Exemplar { trace_id, span_id, value, at: SystemTime::now() };
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let key = values.iter().map(|value| (*value).to_owned()).collect();
        let exemplars = seen.entry(key).or_insert_with(|| vec![None; self.bounds.len() + 1]);
        exemplars[bucket] = Some(exemplar);
    }

    /// The exemplars of a metric that was gathered of this family.
    pub(super) fn of(&self, family: &str, metric: &Metric) -> Option<Exemplars> {
        if family != self.name {
            return None;
        }
        let value = |label: &&str| {
            let found = metric.get_label().iter().find(|pair| pair.name() == *label);
            found.map(|pair| pair.value().to_owned())
        };
        let key = self.labels.iter().map(value).collect::<Option<Vec<_>>>()?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }
}

/// The span that is entered, if its trace is kept.
fn current() -> Option<([u8; 16], [u8; 8])> {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        (ids.is_valid() && ids.is_sampled()).then(|| (ids.trace_id().to_bytes(), ids.span_id().to_bytes()))
    })
}
