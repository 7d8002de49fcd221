//! What is seen of a call: its span, and its place in the metrics. Neither holds a key, a filter or a body, which have
//! personal values in them, nor a token.

use model::ConnectionName;
use reqwest::Method;
use telemetry::Metrics;
use tracing::{Instrument as _, Span, field::Empty, info_span};

use wire::Answer;

use crate::{Error, told::told};

/// A call that is about to be made.
pub(crate) struct Observed<'a> {
    pub(crate) connection: &'a ConnectionName,
    pub(crate) method: &'a Method,
    /// The path behind the division, without a key.
    pub(crate) endpoint: &'a str,
    /// What the call is for.
    pub(crate) class: &'static str,
    /// Where it is counted, if anywhere.
    pub(crate) metrics: Option<&'a Metrics>,
}

impl Observed<'_> {
    /// Makes the call in a span of its own, which ends with the answer.
    pub(crate) async fn sent(
        self,
        sending: impl Future<Output = Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        let span = info_span!(
            "call", otel.kind = "client", system = "exactonline", connection = %self.connection,
            http.request.method = self.method.as_str(), endpoint = self.endpoint, class = self.class,
            http.response.status_code = Empty, quota.minute = Empty, quota.day = Empty, error.type = Empty,
        );
        let answered = sending.instrument(span.clone()).await;
        let status = match &answered {
            Ok(answer) => {
                record(&span, answer);
                Some(answer.status.as_u16())
            }
            Err(error) => {
                span.record("error.type", lost(error));
                None
            }
        };
        if let Some(metrics) = self.metrics {
            metrics.count_exactonline_call(self.endpoint, self.class, status);
        }
        answered
    }
}

fn record(span: &Span, answer: &Answer) {
    span.record("http.response.status_code", answer.status.as_u16());
    let told = told(&answer.headers);
    for (field, left) in [("quota.minute", told.minute.remaining), ("quota.day", told.day.remaining)] {
        if let Some(left) = left {
            span.record(field, left);
        }
    }
}

/// How a call came to no answer.
fn lost(error: &Error) -> &'static str {
    match error {
        Error::Unreachable(_) => "unreachable",
        Error::Late => "late",
        Error::ReadLost(_) | Error::WriteLost(_) => "lost",
        Error::TooLarge { .. } | Error::WriteUnreadable(_) => "too-large",
        _ => "other",
    }
}
