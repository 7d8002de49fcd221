#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Value, json};
use tracing::{error, info, info_span, warn};

use crate::start::subscriber;
use crate::{
    Chain, Direction, LogFilter, LogFormat, Metrics, QuotaWindow, Settings, Settlement, WebhookResult,
    WriteOutcome, context_of, continue_from, continue_from_traceparent, current_traceparent, inject,
};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Debug, thiserror::Error)]
#[error("could not reach Exact Online")]
struct Unreachable(#[source] io::Error);

fn unreachable() -> Unreachable {
    Unreachable(io::Error::other("connection reset"))
}

/// What `act` logs.
fn logged(format: LogFormat, filter: &str, act: impl FnOnce()) -> String {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let settings =
        Settings { otlp_endpoint: None, log_filter: LogFilter::parse(filter).unwrap(), log_format: format };
    let provider = SdkTracerProvider::builder().build();
    let writer = Arc::clone(&lines);
    let subscriber = subscriber("mapper", &settings, &provider, move || Lines(Arc::clone(&writer))).unwrap();
    tracing::subscriber::with_default(subscriber, act);
    let bytes = lines.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_error_shows_all_its_causes_on_one_line() {
    assert_eq!(Chain(&unreachable()).to_string(), "could not reach Exact Online: connection reset");
}

#[test]
fn a_log_line_has_the_fields_of_its_spans_and_the_id_of_its_trace() {
    let text = logged(LogFormat::Json, "info", || {
        let span = info_span!("map", pair = "customer-account", link = "outer", otel.kind = "consumer");
        continue_from_traceparent(&span, TRACEPARENT);
        let _entered = span.enter();
        warn!(link = "inner", attempt = 3, error = &unreachable() as &dyn std::error::Error, "write parked");
    });
    let mut line: Value = serde_json::from_str(&text).unwrap();
    let line = line.as_object_mut().unwrap();
    assert!(line.remove("timestamp").unwrap().as_str().unwrap().ends_with('Z'));
    assert_eq!(line.remove("span_id").unwrap().as_str().unwrap().len(), 16);
    assert_eq!(
        Value::Object(line.clone()),
        json!({
            "level": "warn",
            "service": "mapper",
            "target": "telemetry::tests",
            "message": "write parked",
            "pair": "customer-account",
            "link": "inner",
            "attempt": 3,
            "error": "could not reach Exact Online: connection reset",
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
        })
    );
}

#[test]
fn a_value_from_outside_cannot_forge_a_line_of_text() {
    let text =
        logged(LogFormat::Text, "info", || error!(answer = "no\nERROR all is lost\u{1b}[2J", "refused"));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.ends_with("ERROR mapper refused answer=no\\nERROR all is lost\\u{1b}[2J\n"), "{text}");
}

#[test]
fn a_quiet_log_cuts_no_hole_into_a_trace() {
    let text = logged(LogFormat::Json, "off", || {
        info!("not logged");
        let carried = info_span!("collect").in_scope(current_traceparent).unwrap();
        let span = info_span!("map");
        continue_from_traceparent(&span, &carried);
        let continued = span.in_scope(current_traceparent).unwrap();
        assert_eq!(carried[..35], continued[..35]);
        assert_ne!(carried[36..52], continued[36..52]);
    });
    assert_eq!(text, "");
}

#[test]
fn headers_without_a_context_change_nothing() {
    logged(LogFormat::Json, "info", || {
        let mut headers = BTreeMap::from([("traceparent".to_owned(), "rubbish".to_owned())]);
        let span = info_span!("map");
        continue_from(&span, &headers);
        let trace = span.in_scope(current_traceparent).unwrap();
        assert!(context_of(&trace).span().span_context().is_valid());

        headers.clear();
        inject(&mut headers);
        assert_eq!(headers, BTreeMap::new());
        assert_eq!(current_traceparent(), None);
    });
}

#[test]
fn a_parent_that_comes_too_late_is_told() {
    let text = logged(LogFormat::Text, "info", || {
        let span = info_span!("map");
        let entered = span.enter();
        continue_from_traceparent(&span, TRACEPARENT);
        drop(entered);
    });
    assert!(text.contains("a span was entered before its parent was known"), "{text}");
}

#[test]
fn a_filter_that_cannot_be_understood_is_refused() {
    let refusal = LogFilter::parse("info,lapin=loud").unwrap_err();
    assert!(refusal.to_string().contains("\"info,lapin=loud\""), "{refusal}");
    assert_eq!(LogFilter::parse("info,lapin=warn").unwrap().as_str(), "info,lapin=warn");
}

#[test]
fn metrics_are_rendered_with_their_labels() {
    let metrics = Metrics::new("mapper");
    metrics.count_write("customer-account", "exactonline", WriteOutcome::Applied);
    metrics.count_write("customer-account", "exactonline", WriteOutcome::Applied);
    metrics.count_message("tandem.pair.customer-account", Settlement::Retried);
    metrics.observe_lag("customer-account", Direction::ToExact, 3.0);
    metrics.observe_lag("customer-account", Direction::ToExact, -1.0);
    metrics.set_ready(true);
    let text = metrics.render();
    for line in [
        "# TYPE tandem_writes_total counter",
        r#"tandem_writes_total{outcome="applied",pair="customer-account",system="exactonline",service="mapper"} 2"#,
        r#"tandem_messages_total{queue="tandem.pair.customer-account",settlement="retried",service="mapper"} 1"#,
        r#"tandem_sync_lag_seconds_bucket{direction="to-exact",pair="customer-account",service="mapper",le="2"} 1"#,
        r#"tandem_sync_lag_seconds_bucket{direction="to-exact",pair="customer-account",service="mapper",le="4"} 2"#,
        r#"tandem_sync_lag_seconds_sum{direction="to-exact",pair="customer-account",service="mapper"} 3"#,
        r#"tandem_ready{service="mapper"} 1"#,
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn a_poll_age_grows_by_itself_until_it_is_forgotten() {
    fn age(text: &str) -> Option<f64> {
        let line = text.lines().find(|line| line.starts_with("tandem_poll_age_seconds{"))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    let metrics = Metrics::new("collector-exactonline");
    metrics.set_poll_age("acme", "exactonline", "Accounts", Duration::from_secs(40));
    let first = age(&metrics.render()).unwrap();
    let second = age(&metrics.render()).unwrap();
    assert!((40.0..50.0).contains(&first), "{first}");
    assert!(second > first, "{second} should be more than {first}");

    metrics.forget_poll_age("acme", "exactonline", "Accounts");
    assert_eq!(age(&metrics.render()), None);
}

#[test]
fn nothing_is_told_of_a_connection_that_is_forgotten_and_all_of_the_others() {
    let metrics = Metrics::new("collector-exactonline");
    for connection in ["acme", "beta"] {
        metrics.set_poll_age(connection, "exactonline", "Accounts", Duration::ZERO);
        metrics.set_quota_left(connection, QuotaWindow::Day, 4_321, Duration::from_hours(1));
        metrics.set_grant_usable(connection);
        metrics.set_webhooks_kept(connection, true);
        for result in [WebhookResult::Hint, WebhookResult::Forged] {
            metrics.count_webhook(connection, "exactonline", result);
        }
    }
    metrics.set_grant_unusable("acme", Duration::from_hours(1));
    let of = |connection: &str| {
        let text = metrics.render();
        let label = format!("connection=\"{connection}\"");
        text.lines().filter(|line| line.contains(&label)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!((of("acme").len(), of("beta").len()), (6, 6), "{}", metrics.render());
    metrics.forget_connection("acme");
    assert_eq!((of("acme"), of("beta").len()), (Vec::new(), 6));
}

#[test]
fn what_is_left_of_a_quota_is_shown_until_its_window_ends() {
    let metrics = Metrics::new("writer-exactonline");
    metrics.set_quota_left("acme", QuotaWindow::Minute, 7, Duration::ZERO);
    metrics.set_quota_left("acme", QuotaWindow::Day, 4_321, Duration::from_hours(1));
    let text = metrics.render();
    let shown: Vec<&str> = text.lines().filter(|line| line.starts_with("tandem_quota_left_calls{")).collect();
    assert_eq!(
        shown,
        [r#"tandem_quota_left_calls{connection="acme",window="day",service="writer-exactonline"} 4321"#]
    );
}

#[test]
fn a_grant_that_does_not_serve_is_shown_until_it_does_or_nobody_says_so_any_more() {
    let metrics = Metrics::new("writer-exactonline");
    metrics.set_grant_usable("acme");
    metrics.set_grant_unusable("acme", Duration::from_hours(1));
    metrics.set_grant_usable("beta");
    metrics.set_grant_unusable("gamma", Duration::from_hours(1));
    metrics.set_grant_usable("gamma");
    metrics.set_grant_unusable("delta", Duration::ZERO);
    let text = metrics.render();
    let shown: Vec<&str> = text.lines().filter(|line| line.starts_with("tandem_grant_usable{")).collect();
    let line = |name, value| {
        format!(r#"tandem_grant_usable{{connection="{name}",service="writer-exactonline"}} {value}"#)
    };
    assert_eq!(shown, [line("acme", 0), line("beta", 1), line("gamma", 1)]);
}

#[test]
fn whether_the_store_is_durable_is_shown_once_it_is_known() {
    let metrics = Metrics::new("mapper");
    assert!(!metrics.render().contains("tandem_store_durable"));
    for (durable, shown) in [(false, 0), (true, 1)] {
        metrics.set_store_durable(durable);
        let line = format!(r#"tandem_store_durable{{service="mapper"}} {shown}"#);
        assert!(metrics.render().lines().any(|shown| shown == line), "{}", metrics.render());
    }
}

#[test]
fn what_may_hold_personal_values_or_a_password_is_held_down_whatever_the_filter_says() {
    let filter = crate::LogFilter::parse("trace,lapin=trace").unwrap();
    let built = filter.build().unwrap().to_string();
    for held in ["lapin::returned_messages=off", "lapin::channels=warn", "lapin::internal_rpc=warn"] {
        assert!(built.contains(held), "{built}");
    }
}
