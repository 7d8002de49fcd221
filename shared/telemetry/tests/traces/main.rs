//! Traces that leave the process, seen by a receiver.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use otlp::Receiver;
use telemetry::{
    Direction, LogFilter, LogFormat, Metrics, Otlp, Processing, Settings, Signals, Telemetry, names,
};
use tracing::{Instrument, info_span};

#[tokio::test]
async fn a_trace_goes_on_where_the_headers_of_a_message_continue_it() {
    let receiver = Receiver::start().await;
    let settings = Settings {
        otlp: Some(Otlp { endpoint: receiver.endpoint().to_owned(), signals: Signals::TRACES }),
        log_filter: LogFilter::parse("info").unwrap(),
        log_format: LogFormat::Text,
    };
    let started = tokio::task::spawn_blocking(move || Telemetry::start("mapper", &settings)).await;
    let telemetry = started.unwrap().unwrap();

    let mut headers = BTreeMap::new();
    let collect = info_span!(names::span::COLLECT, otel.kind = "producer");
    async { telemetry::inject(&mut headers) }.instrument(collect).await;
    let kept = info_span!(names::span::COLLECT).in_scope(telemetry::current_traceparent).unwrap();

    let map = info_span!(names::span::MAP, otel.kind = "consumer", pair = "customer-account");
    telemetry::continue_from(&map, &headers);
    telemetry::link_to_traceparent(&map, &kept);
    async { tokio::task::yield_now().await }.instrument(map).await;

    tokio::task::spawn_blocking(move || telemetry.shutdown()).await.unwrap().unwrap();
    let received = receiver.wait_for(3).await;
    let [collect, other, map] = &received[..] else { panic!("three spans, not {received:#?}") };

    assert_eq!(
        received.iter().map(|one| (one.service.as_str(), one.span.name.as_str())).collect::<Vec<_>>(),
        [("mapper", "collect"), ("mapper", "collect"), ("mapper", "map")]
    );
    assert_eq!(map.span.trace_id, collect.span.trace_id);
    assert_eq!(map.span.parent_span_id, collect.span.span_id);
    assert_eq!(collect.span.parent_span_id, Vec::<u8>::new());
    assert_ne!(other.span.trace_id, collect.span.trace_id);
    let links: Vec<_> = map.span.links.iter().map(|link| (&link.trace_id, &link.span_id)).collect();
    assert_eq!(links, [(&other.span.trace_id, &other.span.span_id)]);
}

#[tokio::test]
async fn metrics_and_logs_are_sent_where_they_are_asked_for_and_lead_to_traces() {
    let receiver = Receiver::start().await;
    let settings = Settings {
        otlp: Some(Otlp { endpoint: receiver.endpoint().to_owned(), signals: Signals::ALL }),
        log_filter: LogFilter::parse("info").unwrap(),
        log_format: LogFormat::Text,
    };
    let metrics = Arc::new(Metrics::new("mapper"));
    let counted = Arc::clone(&metrics);
    let sent = tokio::task::spawn_blocking(move || {
        let mut telemetry = Telemetry::start("mapper", &settings).unwrap();
        telemetry.push(Arc::clone(&counted), &settings).unwrap();
        info_span!(names::span::MAP).in_scope(|| {
            tracing::warn!(pair = "customer-account", "the message waits");
            counted.observe_lag("customer-account", Direction::ToExact, 3.0);
        });
        let processing = Processing { system: "rabbitmq", operation: "map", queue: "tandem.pair.a" };
        counted.observe_processing(&processing, None, 0.5);
        telemetry.shutdown()
    });
    sent.await.unwrap().unwrap();

    let spans = receiver.wait_for(1).await;
    let logs = receiver.logs();
    let (service, record) = logs.iter().find(|(_, record)| record.severity_text == "WARN").unwrap();
    assert_eq!((service.as_str(), &record.trace_id), ("mapper", &spans[0].span.trace_id));
    let arrived = receiver.metrics();
    let histogram = |name: &str| {
        let found = arrived.iter().find(|(service, metric)| service == "mapper" && metric.name == name);
        match found.map(|(_, metric)| metric.data.clone()) {
            Some(Some(Data::Histogram(histogram))) => histogram.data_points[0].clone(),
            other => panic!("{name}: {other:?}"),
        }
    };
    let lag = histogram("tandem_sync_lag_seconds");
    assert_eq!((lag.count, lag.sum, lag.bucket_counts[4]), (1, Some(3.0), 1));
    assert_eq!(lag.exemplars[0].trace_id, spans[0].span.trace_id);
    let processed = histogram("messaging.process.duration");
    let keys: Vec<&str> = processed.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert_eq!(keys, ["messaging.destination.name", "messaging.operation.name", "messaging.system"]);
}

#[tokio::test]
async fn a_collector_that_is_down_does_not_hold_up_the_shutdown() {
    let (_listener, settings) = never_answering().await;
    let stopped = tokio::task::spawn_blocking(move || {
        let telemetry = Telemetry::start("mapper", &settings).unwrap();
        info_span!(names::span::MAP).in_scope(|| ());
        let started = std::time::Instant::now();
        (telemetry.shutdown(), started.elapsed())
    });
    let (result, took) = stopped.await.unwrap();
    assert!(result.is_err(), "a lost span is told");
    assert!(took < std::time::Duration::from_secs(8), "{took:?}");
}

/// Spans go out by themselves after a second: at the shutdown nothing is left to be lost.
#[tokio::test]
async fn a_span_that_was_lost_before_the_shutdown_is_told_by_it() {
    let (_listener, settings) = never_answering().await;
    let stopped = tokio::task::spawn_blocking(move || {
        let telemetry = Telemetry::start("mapper", &settings).unwrap();
        info_span!(names::span::MAP).in_scope(|| ());
        std::thread::sleep(std::time::Duration::from_secs(6));
        telemetry.shutdown()
    });
    assert!(stopped.await.unwrap().is_err());
}

/// Traces go to somebody who accepts connections by the backlog, and never answers.
async fn never_answering() -> (tokio::net::TcpListener, Settings) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Settings {
        otlp: Some(Otlp {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            signals: Signals::TRACES,
        }),
        log_filter: LogFilter::parse("off").unwrap(),
        log_format: LogFormat::Text,
    };
    (listener, settings)
}
