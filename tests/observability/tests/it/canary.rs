//! What must never be told: values of records, and secrets.

use crate::story::{CANARY, Story};

/// Everywhere that a secret or a personal value shows, as where and what.
pub(crate) async fn found(story: &Story) -> Vec<String> {
    let mut told: Vec<(String, String)> = Vec::new();
    for running in story.world.services() {
        let name = running.service.name();
        told.extend(
            running.process.stderr().lines().map(|line| (format!("the log of {name}"), line.to_owned())),
        );
        told.push((format!("the output of {name}"), running.process.stdout()));
    }
    for path in ["/metrics", "/health/ready", "/health/live"] {
        let answers = story.each(path).await;
        told.extend(answers.into_iter().map(|(service, text)| (format!("{path} of {service}"), text)));
    }
    let spans = story.receiver.received();
    assert!(spans.len() > 50, "only {} spans were looked at", spans.len());
    told.extend(spans.iter().map(|span| (format!("a span of {}", span.service), format!("{:?}", span.span))));
    let logs = story.receiver.logs();
    told.extend(logs.iter().map(|(service, log)| (format!("a log record of {service}"), format!("{log:?}"))));
    let metrics = story.receiver.metrics();
    told.extend(metrics.iter().map(|(of, metric)| (format!("a metric of {of}"), format!("{metric:?}"))));
    assert!(told.iter().any(|(_, text)| text.contains(&story.customer)), "ids of records are told");
    let forbidden: Vec<&str> = story.secrets.iter().map(String::as_str).chain([CANARY]).collect();
    let is_bad = |text: &str| forbidden.iter().any(|word| text.to_lowercase().contains(&word.to_lowercase()));
    told.into_iter()
        .filter(|(_, text)| is_bad(text))
        .map(|(place, text)| format!("{place}: {text}"))
        .collect()
}
