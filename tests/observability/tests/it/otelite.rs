//! One change as one trace, seen in a backend that others wrote, by its own API.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chaos::{Company, Hosting, Plan, World};
use observability::page::deployed;
use observability::picture::{Span, drawn};
use serde_json::{Value, json};
use servers::{Binary, Folder, Process, free_port, wait_until_async};

/// The hops of one change, in the order in which they begin, each after the one that it follows from.
const HOPS: [(&str, &str); 5] = [
    ("collector-customcrm", "collect"),
    ("mapper", "map"),
    ("writer-exactonline", "write"),
    ("writer-exactonline", "PUT crm/accounts"),
    ("mapper", "map"),
];

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/trace.json")
}

/// All spans of a trace as otelite tells it, each beneath the one that it follows from.
fn in_order(trace: &Value) -> Vec<Span> {
    let spans = trace["spans"].as_array().unwrap();
    let begin = spans.iter().map(|span| span["start_time"].as_u64().unwrap()).min().unwrap_or_default();
    let mut ordered = Vec::new();
    let is_there = |parent: &Value| spans.iter().any(|span| span["span_id"] == *parent);
    for root in spans.iter().filter(|span| !is_there(&span["parent_span_id"])) {
        below(root, 0, spans, begin, &mut ordered);
    }
    ordered
}

fn below(span: &Value, depth: u32, spans: &[Value], begin: u64, ordered: &mut Vec<Span>) {
    let millis = |at: &Value| Duration::from_nanos(at.as_u64().unwrap() - begin).as_secs_f64() * 1_000.0;
    ordered.push(Span {
        service: span["resource"]["attributes"]["service.name"].as_str().unwrap().to_owned(),
        name: span["name"].as_str().unwrap().to_owned(),
        depth,
        begin: millis(&span["start_time"]),
        end: millis(&span["end_time"]),
    });
    let mut children: Vec<&Value> =
        spans.iter().filter(|other| other["parent_span_id"] == span["span_id"]).collect();
    children.sort_by_key(|span| span["start_time"].as_u64());
    for child in children {
        below(child, depth + 1, spans, begin, ordered);
    }
}

/// Whether the hops follow one another in the trace.
fn has_all_hops(spans: &[Span]) -> bool {
    let mut left = spans.iter();
    let is =
        |span: &Span, (service, name): (&str, &str)| span.service == service && span.name.starts_with(name);
    HOPS.into_iter().all(|hop| left.any(|span| is(span, hop)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "otelite takes ten minutes to build: tests/run --otelite"]
async fn otelite_shows_one_change_as_one_trace_with_every_hop() {
    let folder = Folder::new("otelite").unwrap();
    let (port, otlp, grpc) = (free_port(), free_port(), free_port());
    let arguments = [
        "serve".to_owned(),
        "--addr".to_owned(),
        format!("127.0.0.1:{port}"),
        "--storage-path".to_owned(),
        folder.join("data").display().to_string(),
    ];
    let environment =
        [("OTELITE_OTLP_HTTP_PORT", otlp.to_string()), ("OTELITE_OTLP_GRPC_PORT", grpc.to_string())];
    let otelite = std::env::var_os("TANDEM_OTELITE").expect("TANDEM_OTELITE names the binary");
    let _otelite = Process::spawn_in(folder, &Binary::at(otelite).unwrap(), arguments, environment).unwrap();

    let plan = Plan { otlp: Some(format!("http://127.0.0.1:{otlp}")), ..Plan::new(Hosting::Processes) };
    let mut world = World::prepare(plan).await;
    world.run_all().await;
    world.site().crm.create(&Company::new("Spoorzoekers").as_customer()).await;
    world.settled().await;
    world.site().crm.change("Spoorzoekers", &json!({ "City": "Amersfoort" })).await;
    world.settled().await;

    let http = reqwest::Client::new();
    let get = async |path: String| -> Result<Value, String> {
        let answer = http.get(format!("http://127.0.0.1:{port}/api/{path}")).send().await;
        answer.map_err(|error| error.to_string())?.json().await.map_err(|error| error.to_string())
    };
    let spans = wait_until_async("a trace with every hop", Duration::from_secs(30), async || {
        // Each poll is a trace too, of one service alone.
        let listed = get("traces?limit=1000".to_owned()).await?;
        let listed = listed["traces"].as_array().cloned().unwrap_or_default();
        let is_change =
            |trace: &&Value| trace["service_names"].as_array().is_some_and(|names| names.len() > 2);
        let begun: Vec<&Value> = listed.iter().filter(is_change).collect();
        for trace in &begun {
            let whole = in_order(&get(format!("traces/{}", trace["trace_id"].as_str().unwrap())).await?);
            if has_all_hops(&whole) {
                return Ok(whole);
            }
        }
        Err(format!("{} traces, of changes {begun:?}", listed.len()))
    })
    .await;
    if std::env::var_os("TANDEM_WRITE").is_some() {
        let told = serde_json::to_string_pretty(&spans).unwrap() + "\n";
        fs::write(kept(), told.replace(world.namespace(), "tandem")).unwrap();
    }
    world.end().await;
}

#[test]
fn the_picture_of_a_trace_is_drawn_from_one_that_was_seen() {
    let spans: Vec<Span> = serde_json::from_str(&fs::read_to_string(kept()).unwrap()).unwrap();
    assert!(has_all_hops(&spans), "{spans:?}");
    let picture = drawn("One change: a customer's new city, from CustomCRM to Exact Online", &spans);
    let path = deployed("trace.svg");
    if std::env::var_os("TANDEM_WRITE").is_some() {
        fs::write(&path, &picture).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == picture, "run this test with TANDEM_WRITE=1");
}
