//! The metrics in the format of OpenMetrics 1.0, which has room for exemplars.
//!
//! The library that counts writes the older format only, and the one that writes this one lets nobody in to give it
//! exemplars of its own.

use std::fmt::{self, Write};
use std::time::UNIX_EPOCH;

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use super::traced::{Exemplar, Exemplars};

/// What an answer in this format is called.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Writes families, with the exemplars of those metrics that have some.
pub(super) fn written(
    families: &[MetricFamily],
    exemplars: impl Fn(&str, &Metric) -> Option<Exemplars>,
) -> Result<String, fmt::Error> {
    let mut text = String::new();
    for family in families {
        let (name, kind) = match family.get_field_type() {
            MetricType::COUNTER => (family.name().strip_suffix("_total").unwrap_or(family.name()), "counter"),
            MetricType::HISTOGRAM => (family.name(), "histogram"),
            _ => (family.name(), "gauge"),
        };
        writeln!(text, "# TYPE {name} {kind}\n# HELP {name} {}", escaped(family.help()))?;
        for metric in family.get_metric() {
            match family.get_field_type() {
                MetricType::COUNTER => {
                    let value = metric.get_counter().get_value();
                    sample(&mut text, &format!("{name}_total"), metric.get_label(), None, value)?;
                    text.push('\n');
                }
                MetricType::HISTOGRAM => {
                    histogram(&mut text, name, metric, &exemplars(name, metric).unwrap_or_default())?;
                }
                _ => {
                    sample(&mut text, name, metric.get_label(), None, metric.get_gauge().get_value())?;
                    text.push('\n');
                }
            }
        }
    }
    text.push_str("# EOF\n");
    Ok(text)
}

fn histogram(text: &mut String, name: &str, metric: &Metric, exemplars: &Exemplars) -> fmt::Result {
    let (labels, histogram) = (metric.get_label(), metric.get_histogram());
    let all = histogram.get_sample_count();
    let bounds = histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound().is_finite());
    let buckets = bounds.map(|bucket| (bucket.upper_bound().to_string(), bucket.cumulative_count()));
    for (at, (bound, count)) in buckets.chain([("+Inf".to_owned(), all)]).enumerate() {
        sample(text, &format!("{name}_bucket"), labels, Some(&bound), count)?;
        if let Some(Some(Exemplar { trace_id, value, at, .. })) = exemplars.get(at) {
            let at = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            write!(text, " # {{trace_id=\"{:032x}\"}} {value} {at:.3}", u128::from_be_bytes(*trace_id))?;
        }
        text.push('\n');
    }
    sample(text, &format!("{name}_sum"), labels, None, histogram.get_sample_sum())?;
    text.push('\n');
    sample(text, &format!("{name}_count"), labels, None, all)?;
    text.push('\n');
    Ok(())
}

fn sample(
    text: &mut String,
    name: &str,
    labels: &[LabelPair],
    bound: Option<&str>,
    value: impl fmt::Display,
) -> fmt::Result {
    let labels =
        labels.iter().map(|pair| (pair.name(), pair.value())).chain(bound.map(|bound| ("le", bound)));
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    write!(text, "{name}{{{}}} {value}", labels.join(","))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}
