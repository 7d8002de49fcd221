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
    Call, Chain, Direction, HttpCall, LogFilter, LogFormat, Metrics, QuotaWindow, Settings, Settlement,
    WebhookResult, WriteOutcome, context_of, continue_from, continue_from_traceparent, current_traceparent,
    inject,
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
    let settings = Settings { otlp: None, log_filter: LogFilter::parse(filter).unwrap(), log_format: format };
    let provider = SdkTracerProvider::builder().build();
    let writer = Arc::clone(&lines);
    let subscriber =
        subscriber("mapper", &settings, &provider, None, move || Lines(Arc::clone(&writer))).unwrap();
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
        metrics.set_grant_age(connection, Duration::from_mins(9));
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
    assert_eq!((of("acme").len(), of("beta").len()), (7, 7), "{}", metrics.render());
    metrics.forget_connection("acme");
    assert_eq!((of("acme"), of("beta").len()), (Vec::new(), 7));
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
fn all_families_are_known_before_anything_is_counted() {
    let metrics = Metrics::new("mapper");
    let found = metrics.families();
    let lag = found.iter().find(|family| family.name == "tandem_sync_lag_seconds").unwrap();
    assert_eq!((lag.kind, lag.labels.join(",")), ("histogram", "pair,direction".to_owned()));
    let cpu = found.iter().find(|family| family.name == "process_cpu_seconds_total").unwrap();
    assert_eq!((cpu.kind, cpu.labels.len()), ("counter", 0));
    for line in metrics.render().lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(found.iter().any(|family| family.name == name && family.kind == kind), "{line}");
    }
}

#[test]
fn an_answered_call_is_timed_and_an_error_named_by_its_status() {
    let metrics = Metrics::new("writer-exactonline");
    let http = HttpCall {
        method: "PUT",
        server_address: "start.exactonline.nl",
        server_port: Some(443),
        template: "crm/accounts",
    };
    let call = Call { system: "exactonline", connection: "acme", class: Some("edit"), http };
    call.begin().ended(Ok(204), Some(&metrics));
    call.begin().ended(Ok(503), Some(&metrics));
    call.begin().ended(Err("lost"), Some(&metrics));
    let text = metrics.render();
    for (error, status) in [("", "204"), ("503", "503"), ("lost", "")] {
        let line = format!(
            r#"http_client_request_duration_seconds_count{{error_type="{error}",http_request_method="PUT",http_response_status_code="{status}",server_address="start.exactonline.nl",server_port="443",url_template="crm/accounts",service="writer-exactonline"}} 1"#
        );
        assert!(text.lines().any(|shown| shown == line), "{line}\nis not in\n{text}");
    }
}

#[test]
fn openmetrics_leads_from_an_observation_to_its_trace() {
    let metrics = Metrics::new("mapper");
    logged(LogFormat::Json, "off", || {
        let span = info_span!("map");
        continue_from_traceparent(&span, TRACEPARENT);
        span.in_scope(|| metrics.observe_lag("customer-account", Direction::ToExact, 3.0));
    });
    metrics.observe_lag("customer-account", Direction::ToExact, 7.0);
    metrics.count_write("a\"b", "exactonline", WriteOutcome::Applied);
    let (kind, text) = metrics.render_openmetrics();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    let of = |bound: &str| {
        let start = format!(
            r#"tandem_sync_lag_seconds_bucket{{direction="to-exact",pair="customer-account",service="mapper",le="{bound}"}} "#
        );
        text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{start} in {text}"))
    };
    assert!(of("4").starts_with(r#"1 # {trace_id="0af7651916cd43dd8448eb211c80319c"} 3 "#), "{text}");
    assert_eq!((of("2"), of("8"), of("+Inf")), ("0", "2", "2"), "what has no trace has no exemplar");
    for line in [
        "# TYPE tandem_writes counter",
        r#"tandem_writes_total{outcome="applied",pair="a\"b",system="exactonline",service="mapper"} 1"#,
        "# TYPE process_cpu_seconds counter",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\nis not in\n{text}");
    }
    assert!(text.ends_with("\n# EOF\n"));
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
