//! The files of `deploy` fit together: every alert has its page and its unit test, every dashboard is as it is written
//! from code, and none speaks of a metric that is not there.

use std::collections::BTreeSet;
use std::fs;

use observability::page::{Page, deployed};
use observability::{alerts, dashboards};
use serde_json::Value;

/// The names that nothing but what is scraped has.
fn is_known(name: &str, listed: &BTreeSet<String>) -> bool {
    let of_histogram = ["_bucket", "_sum", "_count"].iter().filter_map(|end| name.strip_suffix(end));
    of_histogram.chain([name]).any(|name| listed.contains(name)) || name == "up" || name.contains(':')
}

fn listed() -> BTreeSet<String> {
    let page = Page::of(fs::read_to_string(deployed("telemetry.md")).unwrap());
    page.table("## Metrics", 1).into_keys().collect()
}

#[test]
fn every_alert_has_a_page_of_what_to_do_and_a_unit_test() {
    let mut pages = BTreeSet::new();
    for file in alerts::files() {
        let tests = fs::read_to_string(file.path.with_extension("test.yml")).unwrap();
        for rule in file.rules.iter().filter(|rule| !rule.name.contains(':')) {
            let runbook = rule.runbook.as_deref().unwrap_or_else(|| panic!("{} has no runbook", rule.name));
            let page = runbook.strip_prefix("deploy/").unwrap();
            let text =
                fs::read_to_string(deployed(page)).unwrap_or_else(|error| panic!("{runbook}: {error}"));
            let title = text.lines().next().unwrap().trim_start_matches("# ").to_owned();
            assert!(runbook.ends_with(&format!("/{title}.md")), "{runbook} is titled {title}");
            for part in ["\n## Look at\n", "\n## Do\n"] {
                assert!(text.contains(part), "{runbook} has no {part:?}");
            }
            for story in ["fires", "stays quiet"] {
                let name = format!("name: {} {story}\n", rule.name);
                assert!(tests.contains(&name), "no unit test of {} {story}", rule.name);
            }
            pages.insert(format!("{title}.md"));
        }
    }
    let there = fs::read_dir(deployed("runbooks")).unwrap();
    let there: BTreeSet<String> =
        there.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there, pages, "a page without an alert, or an alert without a page");
}

#[test]
fn no_rule_and_no_panel_speaks_of_a_metric_that_is_not_there() {
    let listed = listed();
    let rules = alerts::files().into_iter().flat_map(|file| file.rules);
    let queries = dashboards::queries().into_iter();
    let queries = queries.map(|(name, query)| alerts::Rule { name, expression: query.sent(), runbook: None });
    for rule in rules.chain(queries) {
        for selector in rule.selectors() {
            let name = selector.split('{').next().unwrap();
            assert!(is_known(name, &listed), "{} speaks of {name}", rule.name);
        }
    }
}

#[test]
fn the_dashboards_are_as_they_are_written_from_code() {
    for (name, content) in dashboards::all() {
        let path = deployed("grafana/dashboards").join(format!("{name}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&content).unwrap());
        if std::env::var_os("TANDEM_WRITE").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(there == text, "{} is not as written: run this test with TANDEM_WRITE=1", path.display());
        let panels = content["panels"].as_array().unwrap();
        for panel in panels {
            let said = |key: &str| panel[key].as_str().is_some_and(|text| !text.is_empty());
            assert!(said("title") && said("description"), "{name}: {panel}");
            assert!(
                panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()),
                "{name}: {panel}"
            );
            let next =
                |other: &&Value| other["id"] != panel["id"] && overlap(&other["gridPos"], &panel["gridPos"]);
            assert_eq!(panels.iter().find(next), None, "{name}: lies over {}", panel["title"]);
        }
    }
    let files = fs::read_dir(deployed("grafana/dashboards")).unwrap().count();
    assert_eq!(files, dashboards::all().len(), "a file that no code writes");
}

fn overlap(one: &Value, other: &Value) -> bool {
    let range = |at: &Value, start: &str, size: &str| {
        let start = at[start].as_u64().unwrap();
        start..start + at[size].as_u64().unwrap()
    };
    [("x", "w"), ("y", "h")].iter().all(|(start, size)| {
        let (one, other) = (range(one, start, size), range(other, start, size));
        one.start < other.end && other.start < one.end
    })
}

/// There is no collector here that could read the file: so that it names what there is, is held at least.
#[test]
fn the_collector_keeps_errors_conflicts_and_slow_changes_by_attributes_that_are_there() {
    let text = fs::read_to_string(deployed("opentelemetry/collector.yaml")).unwrap();
    let config: Value = serde_norway::from_str(&text).unwrap();
    for (signal, pipeline) in config["service"]["pipelines"].as_object().unwrap() {
        for part in ["receivers", "processors", "exporters"] {
            for name in pipeline[part].as_array().unwrap() {
                let name = name.as_str().unwrap();
                assert!(config[part].get(name).is_some(), "{signal} has no {name} among its {part}");
            }
        }
    }
    let page = Page::of(fs::read_to_string(deployed("telemetry.md")).unwrap());
    let attributes: BTreeSet<String> = page.table("## Spans", 2).into_values().flatten().collect();
    let policies = config["processors"]["tail_sampling"]["policies"].as_array().unwrap();
    let inner = policies.iter().filter_map(|policy| policy["and"]["and_sub_policy"].as_array()).flatten();
    let mut kinds = BTreeSet::new();
    for policy in policies.iter().chain(inner) {
        let kind = policy["type"].as_str().unwrap();
        kinds.insert(kind);
        if let Some(key) = policy[kind]["key"].as_str() {
            assert!(attributes.contains(key), "{} goes by {key}", policy["name"]);
        }
    }
    for kind in ["status_code", "boolean_attribute", "latency"] {
        assert!(kinds.contains(kind), "no policy of the kind {kind}");
    }
}
