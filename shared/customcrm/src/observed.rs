//! What is seen of a call: its span, and its place in the metrics. Neither holds an id, a search or a body, which have
//! personal values in them, nor a secret.

use std::sync::Arc;

use reqwest::Method;
use telemetry::{Call, HttpCall, Metrics};
use tracing::Instrument as _;
use url::Url;
use wire::Answer;

use crate::{
    Error,
    declaration::{Declaration, Lines, LinesStyle, User},
};

/// How the calls of one CRM are shown.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    connection: Arc<str>,
    /// The paths that the declaration names, the longest first.
    paths: Arc<[String]>,
    /// Where calls are counted, if anywhere.
    metrics: Option<Arc<Metrics>>,
}

impl Observed {
    pub(crate) fn new(declaration: &Declaration, connection: &str) -> Self {
        let mut paths = Vec::new();
        for collection in declaration.collections.values() {
            paths.push(collection.path.clone());
            if let Some(Lines { style: LinesStyle::Children { path, .. }, .. }) = &collection.lines {
                paths.push(path.clone());
            }
        }
        if let User::Asked { path, .. } = &declaration.user {
            paths.push(path.clone());
        }
        paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
        Self { connection: connection.into(), paths: paths.into(), metrics: None }
    }

    pub(crate) fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Makes a call in a span of its own, which ends with the answer.
    pub(crate) async fn sent(
        &self,
        (method, url): (Method, Url),
        base: &Url,
        sending: impl Future<Output = Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        let template = self.template(base, &url);
        let http = HttpCall {
            method: method.as_str(),
            server_address: url.host_str().unwrap_or_default(),
            server_port: url.port_or_known_default(),
            template: &template,
        };
        let calling = Call { system: "customcrm", connection: &self.connection, class: None, http }.begin();
        let answered = sending.instrument(calling.span().clone()).await;
        let status = answered.as_ref().map(|answer| answer.status.as_u16()).map_err(lost);
        calling.ended(status, self.metrics.as_deref());
        answered
    }

    /// The path as the declaration names it, with a placeholder for what is behind that.
    fn template(&self, base: &Url, url: &Url) -> String {
        let path = url.path().strip_prefix(base.path()).unwrap_or_default().trim_start_matches('/');
        let known = self.paths.iter().find_map(|known| Some((known, path.strip_prefix(known.as_str())?)));
        match known {
            Some((known, "")) => known.clone(),
            Some((known, behind)) if behind.starts_with('/') => format!("{known}/{{id}}"),
            _ => "{path}".to_owned(),
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
