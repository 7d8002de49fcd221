//! The story is told once, for it takes half a minute, and looked at from all sides.

use std::time::Duration;

use otlp::Received;
use servers::wait_until_async;

use crate::canary;
use crate::page::{self, kind};
use crate::prometheus::Prometheus;
use crate::story::Story;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_is_on_the_page_holds_no_value_and_no_secret_and_feeds_every_panel_and_alert() {
    let mut story = Story::begun().await;
    let mut targets = Vec::new();
    for running in story.world.services() {
        targets.push(running.health_address().await);
    }
    let prometheus = Prometheus::start(&targets).await;
    story.happens().await;

    page::is_kept(&story).await;
    are_named_after_what_they_are_about(&story.receiver.received(), story.world.namespace());
    let spans = story.receiver.received();
    is_one_trace(&spans, &story.customer);
    links_what_was_folded(&spans, &story.customer);
    prometheus.finds_everything().await;
    let traces = prometheus.exemplars().await;
    let is_known = |trace: &String| spans.iter().any(|span| hex(&span.span.trace_id) == *trace);
    assert!(traces.iter().any(is_known), "no exemplar leads to a trace: {traces:?}");
    wait_until_async("metrics and logs over OTLP", Duration::from_secs(20), async || {
        let (metrics, logs) = (story.receiver.metrics().len(), story.receiver.logs().len());
        if metrics > 0 && logs > 0 { Ok(()) } else { Err(format!("{metrics} metrics, {logs} log records")) }
    })
    .await;
    let found = canary::found(&story).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
    story.world.end().await;
}

fn are_named_after_what_they_are_about(spans: &[Received], namespace: &str) {
    for (done, what) in [
        ("collect", "observations"),
        ("map", "pair.customer-account"),
        ("write", "write.exactonline.live"),
        ("write", "write.customcrm.live"),
    ] {
        let name = format!("{done} {namespace}.{what}");
        assert!(spans.iter().any(|span| span.span.name == name), "no span is named {name:?}");
    }
    assert!(spans.iter().any(|span| span.span.name == "PUT crm/accounts"));
}

/// Some change of this record is one trace with every hop: seen, decided, written by a call, and its outcome taken in.
fn is_one_trace(spans: &[Received], record: &str) {
    let child = |parent: &Received, of: &str| {
        let is = |span: &&Received| {
            span.span.trace_id == parent.span.trace_id
                && span.span.parent_span_id == parent.span.span_id
                && kind(span) == of
        };
        spans.iter().find(is)
    };
    let is_whole = |begin: &Received| {
        let map = child(begin, "map")?;
        child(map, "store")?;
        let write = child(map, "write")?;
        child(write, "call")?;
        child(write, "store")?;
        child(write, "map")
    };
    let begins = |span: &&Received| kind(span) == "collect" && span.attribute("record") == Some(record);
    assert!(
        spans.iter().filter(begins).any(|begin| is_whole(begin).is_some()),
        "no trace of {record} is whole"
    );
}

/// Some write continues one change of this record and has a link to another.
fn links_what_was_folded(spans: &[Received], record: &str) {
    let of_record = |trace: &[u8]| {
        let begins = |span: &Received| {
            kind(span) == "collect" && span.attribute("record") == Some(record) && span.span.trace_id == trace
        };
        spans.iter().any(begins)
    };
    let is_linked = |write: &Received| {
        let others = write.span.links.iter().map(|link| &link.trace_id);
        let mut others = others.filter(|trace| **trace != write.span.trace_id);
        kind(write) == "write" && of_record(&write.span.trace_id) && others.any(|trace| of_record(trace))
    };
    assert!(spans.iter().any(is_linked), "no write is linked to an edit that was folded into it");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
