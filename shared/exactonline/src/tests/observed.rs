use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use simulator_exactonline::{Fault, FaultKind};
use telemetry::Metrics;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _, registry::LookupSpan};

use super::{ACCOUNTS, Company, properties};
use crate::Priority;

type Fields = BTreeMap<String, String>;

/// The fields of all spans, in the order in which they began.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(u64, Fields)>>>);

struct Read<'a>(&'a mut Fields);

impl Visit for Read<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, _: Context<'_, S>) {
        let mut fields = Fields::from([("span".to_owned(), attributes.metadata().name().to_owned())]);
        attributes.record(&mut Read(&mut fields));
        self.0.lock().unwrap().push((id.into_u64(), fields));
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        let mut spans = self.0.lock().unwrap();
        // Ids are given anew: the latest is meant.
        let (_, fields) = spans.iter_mut().rfind(|(known, _)| *known == id.into_u64()).unwrap();
        values.record(&mut Read(fields));
    }
}

impl Spans {
    /// What these fields hold in the spans of calls, the oldest first.
    fn of_calls<const N: usize>(&self, fields: [&str; N]) -> Vec<[String; N]> {
        let spans = self.0.lock().unwrap();
        let calls = spans.iter().map(|(_, fields)| fields).filter(|fields| fields["span"] == "call");
        calls.map(|call| fields.map(|field| call.get(field).cloned().unwrap_or_default())).collect()
    }
}

#[tokio::test]
async fn each_call_has_a_span_and_is_counted_and_neither_holds_a_value_or_a_secret() {
    let (spans, metrics) = (Spans::default(), Arc::new(Metrics::new("writer-exactonline")));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.clone()));
    let company = Company::start().await;
    let client = company.client().measured(Arc::clone(&metrics));
    let sent = properties(r#"{"Name":"Jansen"}"#);
    let made = client.create(ACCOUNTS, &sent, Priority::Edit).await.unwrap().id;
    client.find(ACCOUNTS, "Name eq 'Jansen'", &[], Priority::Backfill).await.unwrap();
    client.create(ACCOUNTS, &properties("{}"), Priority::Edit).await.unwrap_err();
    let path_contains = Some(format!("accounts(guid'{made}')"));
    company.running.control().add_fault(Fault { path_contains, ..Fault::next(FaultKind::LoseAnswer) });
    client.update(ACCOUNTS, &made, &sent, Priority::Edit).await.unwrap_err();

    let of = ["http.request.method", "url.template", "class", "http.response.status_code", "error.type"];
    let expected = [
        ["POST", "oauth2/token", "token", "200", ""],
        ["POST", "crm/accounts", "edit", "201", ""],
        ["GET", "crm/accounts", "backfill", "200", ""],
        ["POST", "crm/accounts", "edit", "500", "500"],
        ["PUT", "crm/accounts", "edit", "", "lost"],
    ];
    assert_eq!(spans.of_calls(of), expected);
    let left = spans.of_calls(["connection", "quota.minute", "quota.day"]);
    assert_eq!(left[1..3], [["acme", "59", "4999"], ["acme", "58", "4998"]]);

    let counted = metrics.render();
    let timed = r#"http_client_request_duration_seconds_count{error_type="500",http_request_method="POST",http_response_status_code="500""#;
    assert!(counted.contains(timed), "{counted}");
    for (class, status) in [("edit", "201"), ("backfill", "200"), ("edit", "500"), ("edit", "none")] {
        let line = format!(
            r#"tandem_exactonline_calls_total{{class="{class}",endpoint="crm/accounts",status="{status}",service="writer-exactonline"}} 1"#
        );
        assert!(counted.contains(&line), "{line}\n{counted}");
    }
    let tokens = std::fs::read_to_string(company.grant_file()).unwrap();
    let secret =
        |text: &str| tokens.contains(&format!("\"{text}\"")) || text == company.running.client_secret;
    for (_, fields) in spans.0.lock().unwrap().iter() {
        for text in fields.values() {
            assert!(!text.contains("Jansen") && !text.contains(made.as_str()) && !secret(text), "{fields:?}");
        }
    }
    assert!(!counted.contains("Jansen") && !counted.contains(made.as_str()), "{counted}");
}
