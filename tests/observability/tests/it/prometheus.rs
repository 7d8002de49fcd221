//! A real Prometheus, which scrapes real processes while the story is told.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use observability::page::deployed;
use observability::{alerts, dashboards};
use serde_json::Value;
use servers::{Binary, Folder, Process, free_port, wait_until_async};

/// What rises with the last look of a mapper, which is a quarter of a minute ago at most.
const SHOWN_WITHIN: Duration = Duration::from_secs(30);

/// What the story gives cause for.
const RAISED: [&str; 6] = [
    "TandemDeadLetters",
    "TandemLinksHeld",
    "TandemLinksRefused",
    "TandemOscillation",
    "TandemUnknownConnection",
    "TandemWebhooksLost",
];

/// Debian's Prometheus, until it is dropped.
pub(crate) struct Prometheus {
    url: String,
    http: reqwest::Client,
    _process: Process,
}

impl Prometheus {
    /// Scrapes these addresses every second, and judges the alerts that are deployed.
    pub(crate) async fn start(targets: &[String]) -> Self {
        let folder = Folder::new("prometheus").unwrap();
        let rules: Vec<_> = alerts::files().into_iter().map(|file| file.path.display().to_string()).collect();
        let mut text = "global: { scrape_interval: 1s, evaluation_interval: 1s }\n".to_owned();
        writeln!(text, "rule_files: [{}]\nscrape_configs:\n  - job_name: tandem", rules.join(", ")).unwrap();
        writeln!(text, "    static_configs: [{{ targets: {targets:?} }}]").unwrap();
        let config = folder.join("prometheus.yml");
        fs::write(&config, text).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address={address}"),
            "--enable-feature=exemplar-storage".to_owned(),
        ];
        let binary = Binary::at("/usr/bin/prometheus").unwrap();
        let process = Process::spawn_in(folder, &binary, arguments, [("GOMAXPROCS", "1")]).unwrap();
        let started =
            Self { url: format!("http://{address}/api/v1"), http: reqwest::Client::new(), _process: process };
        let all = format!("count(up == 1) == {}", targets.len());
        started.finds("all processes", &all, Duration::from_secs(30)).await;
        started
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let asked = self.http.get(format!("{}/{path}", self.url)).query(query).send().await;
        let answer: Value =
            asked.map_err(|error| error.to_string())?.json().await.map_err(|error| error.to_string())?;
        if answer["status"] == "success" { Ok(answer["data"].clone()) } else { Err(answer.to_string()) }
    }

    /// Waits until a query gives a number at least.
    async fn finds(&self, what: &str, query: &str, limit: Duration) {
        wait_until_async(&format!("{what}: {query}"), limit, async || {
            let data = self.get("query", &[("query", query)]).await?;
            let found = data["result"].as_array().cloned().unwrap_or_default();
            let is_number = |result: &Value| result["value"][1].as_str().is_some_and(|value| value != "NaN");
            if found.iter().any(is_number) { Ok(()) } else { Err(format!("{} results: {data}", found.len())) }
        })
        .await;
    }

    /// Every panel and every alert has something to look at, and the alerts that the story gives cause for are raised.
    pub(crate) async fn finds_everything(&self) {
        for (panel, query) in dashboards::queries() {
            self.finds(&format!("the panel {panel:?}"), &query.sent(), SHOWN_WITHIN).await;
        }
        let promises = telemetry::names::metric::BROKEN_PROMISES;
        for rule in alerts::files().into_iter().flat_map(|file| file.rules) {
            // Whether it can fire at all is shown by its unit test; here, that it looks at what there is.
            for selector in rule.selectors().iter().filter(|selector| !selector.starts_with(promises)) {
                self.finds(&format!("the rule {}", rule.name), selector, SHOWN_WITHIN).await;
            }
        }
        wait_until_async("the alerts that the story gives cause for", SHOWN_WITHIN, async || {
            let judged = self.get("alerts", &[]).await?;
            let alerts = judged["alerts"].as_array().cloned().unwrap_or_default();
            let raised: Vec<_> =
                alerts.iter().filter_map(|alert| alert["labels"]["alertname"].as_str()).collect();
            let missing: Vec<_> = RAISED.iter().filter(|alert| !raised.contains(alert)).collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} are not among {raised:?}")) }
        })
        .await;
    }

    /// The traces that exemplars of the sync lag lead to.
    pub(crate) async fn exemplars(&self) -> Vec<String> {
        let of = [("query", "tandem_sync_lag_seconds_bucket"), ("start", "0"), ("end", "9999999999")];
        let found = self.get("query_exemplars", &of).await.unwrap();
        let series = found.as_array().unwrap().iter();
        let exemplars = series.flat_map(|series| series["exemplars"].as_array().unwrap());
        let traces = exemplars.filter_map(|exemplar| exemplar["labels"]["trace_id"].as_str());
        traces.map(str::to_owned).collect()
    }
}

#[test]
fn promtool_finds_nothing_wrong_with_the_configuration_the_rules_and_their_tests() {
    let run = |arguments: &[&str], files: Vec<std::path::PathBuf>| {
        let done = Command::new("promtool").args(arguments).args(files).output().unwrap();
        let told =
            String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "promtool {arguments:?}: {told}");
    };
    let files = alerts::files();
    run(&["check", "config"], vec![deployed("prometheus/prometheus.yml")]);
    run(&["check", "rules"], files.iter().map(|file| file.path.clone()).collect());
    run(&["test", "rules"], files.iter().map(|file| file.path.with_extension("test.yml")).collect());
}
