use std::collections::BTreeSet;

use chaos::{Company, Hosting, Plan, RECOVERS_WITHIN, World};
use otlp::{Received, Receiver};
use serde_json::json;
use servers::wait_until_async;

in_both_hostings!(a_change_is_one_trace_from_its_collector_to_its_outcome);

async fn a_change_is_one_trace_from_its_collector_to_its_outcome(hosting: Hosting) {
    let receiver = Receiver::start().await;
    let plan = Plan { otlp: Some(receiver.endpoint().to_owned()), ..Plan::new(hosting) };
    let mut world = World::prepare(plan).await;
    world.run_all().await;
    let site = world.site();
    let id = site.crm.create(&Company::new("Spoorzoekers").as_customer()).await;
    world.settled().await;
    let account = site.exact.find("Spoorzoekers").unwrap()["ID"].as_str().unwrap().to_owned();

    site.crm.change("Spoorzoekers", &json!({ "City": "Amersfoort" })).await;
    world.settled().await;
    site.exact.change("Spoorzoekers", &json!({ "Phone": "+31 33 1" }));
    world.settled().await;

    let (to_exact, to_crm) = match hosting {
        Hosting::Processes => (
            ["collector-customcrm", "mapper", "writer-exactonline"],
            ["collector-exactonline", "mapper", "writer-customcrm"],
        ),
        Hosting::OneProcess | Hosting::OneProcessOnServers => (["tandem"; 3], ["tandem"; 3]),
    };
    for (record, services) in [(&id, to_exact), (&account, to_crm)] {
        wait_until_async(&format!("a whole trace that begins with {record}"), RECOVERS_WITHIN, async || {
            let spans = receiver.received();
            let whole = spans.iter().any(|begin| is_whole(&spans, begin, record, services));
            if whole { Ok(()) } else { Err(told(&spans)) }
        })
        .await;
    }
    world.end().await;
}

/// Whether `collect` of this record leads to `map`, that to `write`, and that to the `map` of the outcome, each the
/// child of the one before, in these services and in one trace.
fn is_whole(spans: &[Received], begin: &Received, record: &str, services: [&str; 3]) -> bool {
    let [collector, mapper, writer] = services;
    // A span is named after what is done and the queue or exchange that it is done to.
    let is = |span: &Received, name: &str, service: &str| span.done() == name && span.service == service;
    if !is(begin, "collect", collector) || begin.attribute("record") != Some(record) {
        return false;
    }
    let child = |parent: &Received, name: &str, service: &str| {
        let found = spans.iter().find(|one| {
            is(one, name, service)
                && one.span.trace_id == begin.span.trace_id
                && one.span.parent_span_id == parent.span.span_id
        });
        found.cloned()
    };
    begin.span.parent_span_id.is_empty()
        && child(begin, "map", mapper)
            .and_then(|map| child(&map, "write", writer))
            .is_some_and(|write| child(&write, "map", mapper).is_some())
}

fn told(spans: &[Received]) -> String {
    let kinds: BTreeSet<String> = spans
        .iter()
        .map(|one| {
            format!("{} of {} (root: {})", one.span.name, one.service, one.span.parent_span_id.is_empty())
        })
        .collect();
    format!("{} spans: {kinds:?}", spans.len())
}
