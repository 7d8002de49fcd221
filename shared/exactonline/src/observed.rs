//! What is seen of a call: its span, and its place in the metrics. Neither holds a key, a filter or a body, which have
//! personal values in them, nor a token.

use model::ConnectionName;
use reqwest::Method;
use telemetry::{Call, HttpCall, Metrics};
use tracing::{Instrument as _, Span};
use url::Url;

use wire::Answer;

use crate::{Error, told::told};

/// A call that is about to be made.
pub(crate) struct Observed<'a> {
    pub(crate) connection: &'a ConnectionName,
    pub(crate) method: &'a Method,
    /// Its address, of which only the host and the port are shown.
    pub(crate) url: &'a Url,
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
        let http = HttpCall {
            method: self.method.as_str(),
            server_address: self.url.host_str().unwrap_or_default(),
            server_port: self.url.port_or_known_default(),
            template: self.endpoint,
        };
        let call = Call {
            system: "exactonline",
            connection: self.connection.as_str(),
            class: Some(self.class),
            http,
        };
        let calling = call.begin();
        let answered = sending.instrument(calling.span().clone()).await;
        let status = match &answered {
            Ok(answer) => {
                record(calling.span(), answer);
                Ok(answer.status.as_u16())
            }
            Err(error) => Err(lost(error)),
        };
        calling.ended(status, self.metrics);
        if let Some(metrics) = self.metrics {
            metrics.count_exactonline_call(self.endpoint, self.class, status.ok());
        }
        answered
    }
}

fn record(span: &Span, answer: &Answer) {
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
