//! The page holds what is emitted, and what it holds is emitted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use observability::page::{Page, deployed};
use opentelemetry_semantic_conventions::{attribute, metric};
use otlp::Received;
use servers::wait_until_async;
use telemetry::Metrics;
use telemetry::names::metric as names;

use crate::story::Story;

type Table = BTreeMap<String, BTreeSet<String>>;

fn page() -> Page {
    Page::of(fs::read_to_string(deployed("telemetry.md")).unwrap())
}

#[test]
fn every_family_of_metrics_is_on_the_page_with_its_kind_and_labels() {
    let metrics = Metrics::new("mapper");
    let described = |family: &telemetry::Family| {
        let told: BTreeSet<String> = family.labels.iter().cloned().chain([family.kind.to_owned()]).collect();
        (family.name.clone(), told)
    };
    let made: Table = metrics.families().iter().map(described).collect();
    let (kinds, labels) = (page().table("## Metrics", 1), page().table("## Metrics", 2));
    let listed: Table =
        kinds.into_iter().map(|(name, kind)| (name.clone(), &kind | &labels[&name])).collect();
    assert_eq!(listed, made);
}

/// Of spans and of their attributes.
fn spans(story: &Story) -> Table {
    let mut spans = Table::new();
    for received in story.receiver.received() {
        let attributes = received.span.attributes.iter().map(|attribute| attribute.key.clone());
        spans.entry(kind(&received).to_owned()).or_default().extend(attributes);
    }
    spans
}

/// By which name the page lists a span: those of calls and of the store are named as the conventions have it.
pub(crate) fn kind(received: &Received) -> &str {
    if received.attribute("http.request.method").is_some() {
        "call"
    } else if received.attribute("db.system.name").is_some() {
        "store"
    } else {
        received.done()
    }
}

/// The families that were shown with a sample.
fn shown(metrics: &BTreeMap<String, String>) -> BTreeSet<String> {
    let lines = metrics.values().flat_map(|text| text.lines());
    lines.filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split_once(' ')?.0.to_owned())).collect()
}

/// What is emitted is on the page, and what is on the page is emitted.
pub(crate) async fn is_kept(story: &Story) {
    let listed = page().table("## Spans", 2);
    wait_until_async("all spans that the page lists, and no other", Duration::from_secs(20), async || {
        let emitted = spans(story);
        if emitted == listed { Ok(()) } else { Err(format!("emitted: {emitted:#?}\nlisted: {listed:#?}")) }
    })
    .await;
    let listed: BTreeSet<String> = page().table("## Metrics", 1).into_keys().collect();
    assert_eq!(&shown(&story.metrics().await) | &NEVER.map(str::to_owned).into(), listed);
}

/// What no story can bring about, because it would be an error of Tandem's.
const NEVER: [&str; 1] = [telemetry::names::metric::BROKEN_PROMISES];

#[test]
fn names_are_those_of_the_conventions_in_the_version_that_is_named() {
    assert_eq!(telemetry::names::SCHEMA_URL, opentelemetry_semantic_conventions::SCHEMA_URL);
    let text = fs::read_to_string(deployed("telemetry.md")).unwrap();
    assert!(text.contains(telemetry::names::SCHEMA_URL));
    let spans = page().table("## Spans", 2);
    let attributes: BTreeSet<&str> = spans.values().flatten().map(String::as_str).collect();
    let own = page().table("## Attributes", 0);
    let of_the_conventions = BTreeSet::from([
        attribute::DB_OPERATION_NAME,
        attribute::DB_STORED_PROCEDURE_NAME,
        attribute::DB_SYSTEM_NAME,
        attribute::ERROR_TYPE,
        attribute::HTTP_REQUEST_METHOD,
        attribute::HTTP_RESPONSE_STATUS_CODE,
        attribute::MESSAGING_DESTINATION_NAME,
        attribute::MESSAGING_MESSAGE_ID,
        attribute::MESSAGING_OPERATION_NAME,
        attribute::MESSAGING_OPERATION_TYPE,
        attribute::MESSAGING_SYSTEM,
        attribute::SERVER_ADDRESS,
        attribute::SERVER_PORT,
        attribute::URL_TEMPLATE,
    ]);
    let listed: BTreeSet<&str> =
        of_the_conventions.into_iter().chain(own.keys().map(String::as_str)).collect();
    assert_eq!(attributes, listed);
    let in_prometheus = |name: &str| format!("{}_seconds", name.replace('.', "_"));
    let durations = [
        (metric::HTTP_CLIENT_REQUEST_DURATION, names::HTTP_DURATION),
        (metric::MESSAGING_PROCESS_DURATION, names::PROCESSING_DURATION),
        (metric::DB_CLIENT_OPERATION_DURATION, names::STORE_DURATION),
    ];
    for (conventional, ours) in durations {
        assert_eq!(in_prometheus(conventional), ours);
    }
}
