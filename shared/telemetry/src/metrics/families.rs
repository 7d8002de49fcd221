//! How families are made: each with a name, a meaning and labels, and known to whoever asks which there are.

use std::collections::HashMap;

use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::process_collector::ProcessCollector;
use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};

const STATIC: &str = "names, labels and bounds are constants that agree with each other";

/// A family of metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its name, as Prometheus sees it.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels, without `service`, which all have.
    pub labels: Vec<String>,
    /// What it tells.
    pub help: String,
}

/// The families of one process, as they are made.
pub(super) struct Families {
    pub(super) registry: Registry,
    pub(super) made: Vec<Family>,
}

impl Families {
    /// None but those of the process itself: its memory, its processor time, its files.
    pub(super) fn new(service: &str) -> Self {
        let labels = [("service".to_owned(), service.to_owned())].into();
        let registry = Registry::new_custom(None, Some(labels)).expect(STATIC);
        let mut families = Self { registry, made: Vec::new() };
        let process = ProcessCollector::for_self();
        families.describe(&process, |name| if name.ends_with("_total") { "counter" } else { "gauge" });
        families.registry.register(Box::new(process)).expect(STATIC);
        families
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.registered(IntCounterVec::new(Opts::new(name, help), labels).expect(STATIC), "counter")
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.registered(GaugeVec::new(Opts::new(name, help), labels).expect(STATIC), "gauge")
    }

    pub(super) fn plain_gauge(&mut self, name: &str, help: &str) -> IntGauge {
        self.registered(IntGauge::with_opts(Opts::new(name, help)).expect(STATIC), "gauge")
    }

    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        labels: &[&str],
        bounds: &[f64],
    ) -> HistogramVec {
        let options = HistogramOpts::new(name, help).buckets(bounds.to_vec());
        self.registered(HistogramVec::new(options, labels).expect(STATIC), "histogram")
    }

    fn registered<C: Collector + Clone + 'static>(&mut self, family: C, kind: &'static str) -> C {
        self.describe(&family, |_| kind);
        self.registry.register(Box::new(family.clone())).expect(STATIC);
        family
    }

    fn describe(&mut self, collector: &impl Collector, kind: impl Fn(&str) -> &'static str) {
        self.made.extend(collector.desc().into_iter().map(|described| Family {
            name: described.fq_name.clone(),
            kind: kind(&described.fq_name),
            labels: described.variable_labels.clone(),
            help: described.help.clone(),
        }));
    }
}

/// Forgets everything that a family tells of a connection.
pub(super) fn forget<B: MetricVecBuilder>(family: &MetricVec<B>, connection: &str) {
    for metric in family.collect().iter().flat_map(prometheus::proto::MetricFamily::get_metric) {
        let labels =
            metric.get_label().iter().map(|label| (label.name(), label.value())).collect::<HashMap<_, _>>();
        if labels.get("connection") == Some(&connection) {
            // Somebody else may have been faster.
            let _ = family.remove(&labels);
        }
    }
}
