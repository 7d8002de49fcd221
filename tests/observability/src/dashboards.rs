//! The dashboards of `deploy/grafana/dashboards`, from which these files are written: one panel is one line of thought.
//!
//! A test writes the files anew where `TANDEM_WRITE` is set, and else holds them to this code.

mod panel;

use serde_json::{Value, json};

pub use self::panel::Query;
use self::panel::{Look, Panel, Source};

/// A dashboard: the name of its file, and its content.
pub type File = (&'static str, Value);

/// All of them.
pub fn all() -> [File; 6] {
    [
        dashboard("in-sync", "Is it in sync?", &[], in_sync()),
        dashboard("flow", "Flow per hop", &[], flow()),
        dashboard("budgets", "Budgets", &[connection()], budgets()),
        dashboard("quality", "Data quality", &[], quality()),
        dashboard("resources", "Resources", &[], resources()),
        dashboard("story", "One record's story", &[record()], story()),
    ]
}

fn in_sync() -> Vec<Panel> {
    vec![
        Panel::new("Changes on time", "Share of changes that were on the other side within a minute, in the last hour. The objective is 99 %.", "percentunit")
            .look(Look::Stat)
            .query("1 - tandem:slow_changes:ratio_rate1h", "on time"),
        Panel::new("Writes that ended well", "Share of writes that were neither refused nor left in doubt, in the last hour. The objective is 99 %.", "percentunit")
            .look(Look::Stat)
            .query("1 - tandem:bad_writes:ratio_rate1h", "well"),
        Panel::new("Links", "All links of all connections.", "short")
            .look(Look::Stat)
            .query("sum(max by (pair) (tandem_links{state=\"all\"}))", "links"),
        Panel::new("Waiting for a write", "Links that differ at this moment and are about to agree.", "short")
            .look(Look::Stat)
            .query("sum(max by (pair) (tandem_links{state=\"pending\"}))", "links"),
        Panel::new("Waiting for a person", "Links that are held until somebody decides.", "short")
            .look(Look::Stat)
            .query("sum(max by (pair) (tandem_links{state=\"held\"}))", "links"),
        Panel::new("Poll age", "Since each cursor was last known to be up to date. The first thing to rise when something stands still.", "s")
            .query("min by (connection, system, entity) (tandem_poll_age_seconds)", "{{connection}} {{system}} {{entity}}"),
        Panel::new("Sync lag", "From an edit to its write being applied: half of all changes, and 99 of 100. Points lead to traces.", "s")
            .query("histogram_quantile(0.5, sum by (le, pair, direction) (rate(tandem_sync_lag_seconds_bucket[$__rate_interval])))", "{{pair}} {{direction}} p50")
            .query("histogram_quantile(0.99, sum by (le, pair, direction) (rate(tandem_sync_lag_seconds_bucket[$__rate_interval])))", "{{pair}} {{direction}} p99")
            .with_exemplars(),
        Panel::new("Changes", "Writes that were applied or found to be there already.", "wps")
            .query("sum by (pair, system) (rate(tandem_writes_total{outcome=~\"applied|adopted\"}[$__rate_interval]))", "{{pair}} to {{system}}"),
        Panel::new("Ready", "Which processes are ready: 1, or wait for something: 0.", "short")
            .query("min by (service) (tandem_ready)", "{{service}}"),
    ]
}

fn flow() -> Vec<Panel> {
    let hop = |name, hop, tells| {
        Panel::new(name, tells, "s")
            .query(format!("histogram_quantile(0.5, sum by (le, system) (rate(tandem_hop_lag_seconds_bucket{{hop=\"{hop}\"}}[$__rate_interval])))"), "{{system}} p50")
            .query(format!("histogram_quantile(0.99, sum by (le, system) (rate(tandem_hop_lag_seconds_bucket{{hop=\"{hop}\"}}[$__rate_interval])))"), "{{system}} p99")
            .with_exemplars()
    };
    vec![
        hop("1. Seen", "collect", "From an edit to its observation: the wait for a poll or a webhook."),
        hop("2. Decided", "map", "From a message to the mapper's decision: the wait in the queue of the pair."),
        hop("3. Claimed", "claim", "From the decision to the claim: the wait in the writer's queue and for a quota."),
        hop("4. Applied", "apply", "From the claim to the system's answer."),
        Panel::new("Waiting in queues", "Messages that are ready in each queue.", "short")
            .query("max by (queue) (tandem_queue_depth_messages)", "{{queue}}"),
        Panel::new("Messages", "Messages that were settled, by how.", "mps")
            .query("sum by (queue, settlement) (rate(tandem_messages_total[$__rate_interval]))", "{{queue}} {{settlement}}"),
        Panel::new("Handling a message", "How long it took 95 of 100 messages, without the wait before it.", "s")
            .query("histogram_quantile(0.95, sum by (le, messaging_destination_name) (rate(messaging_process_duration_seconds_bucket[$__rate_interval])))", "{{messaging_destination_name}}"),
        Panel::new("Calls to the systems", "How long 95 of 100 calls took.", "s")
            .query("histogram_quantile(0.95, sum by (le, server_address, http_request_method, url_template) (rate(http_client_request_duration_seconds_bucket[$__rate_interval])))", "{{http_request_method}} {{url_template}} at {{server_address}}"),
        Panel::new("Calls that failed", "By status, or by how no answer came.", "reqps")
            .query("sum by (url_template, error_type) (rate(http_client_request_duration_seconds_count{error_type!=\"\"}[$__rate_interval]))", "{{url_template}} {{error_type}}"),
        Panel::new("Echoes", "Our own writes coming back: they cause no further write.", "cps")
            .query("sum by (pair, system) (rate(tandem_echoes_total[$__rate_interval]))", "{{pair}} from {{system}}"),
    ]
}

fn budgets() -> Vec<Panel> {
    let left = |name, window, tells| {
        Panel::new(name, tells, "short").query(
            format!("min by (connection) (tandem_quota_left_calls{{window=\"{window}\",connection=~\"$connection\"}})"),
            "{{connection}}",
        )
    };
    vec![
        left("Left of the day", "day", "Calls to Exact Online until midnight UTC."),
        left("Left of the minute", "minute", "Calls to Exact Online in this clock minute."),
        left("Left of the day's token calls", "token-day", "Calls of Exact's token endpoint until midnight UTC."),
        Panel::new("Left at midnight", "What will be left of the day's calls, if the day goes on as its last hour. Below zero it runs out.", "short")
            .query("min by (connection) (predict_linear(tandem_quota_left_calls{window=\"day\",connection=~\"$connection\"}[1h], 86400 - time() % 86400))", "{{connection}}"),
        Panel::new("Calls by what they are for", "Edits go first, then incremental reads, backfill and full scans.", "cpm")
            .query("60 * sum by (class) (rate(tandem_exactonline_calls_total[$__rate_interval]))", "{{class}}"),
        Panel::new("Calls by endpoint", "Where the calls to Exact Online go.", "cpm")
            .query("60 * sum by (endpoint, status) (rate(tandem_exactonline_calls_total[$__rate_interval]))", "{{endpoint}} {{status}}"),
        Panel::new("Grant age", "Since Exact's grant was refreshed. Unused it dies after 30 days.", "s")
            .query("min by (connection) (tandem_grant_age_seconds{connection=~\"$connection\"})", "{{connection}}"),
        Panel::new("Grant serves", "1 while Exact lets the connection in.", "short")
            .query("max by (connection) (tandem_grant_usable{connection=~\"$connection\"})", "{{connection}}"),
        Panel::new("Webhooks", "Posts to the addresses of webhooks, by what they were.", "cps")
            .query("sum by (connection, system, result) (rate(tandem_webhooks_total{connection=~\"$connection\"}[$__rate_interval]))", "{{connection}} {{system}} {{result}}"),
        Panel::new("Webhooks kept", "1 while the subscriptions are kept.", "short")
            .query("max by (connection) (tandem_webhooks_kept{connection=~\"$connection\"})", "{{connection}}"),
        Panel::new("Time between polls", "As it is at this moment: longer while nobody edits.", "s")
            .query("max by (connection, system, entity) (tandem_poll_interval_seconds{connection=~\"$connection\"})", "{{connection}} {{system}} {{entity}}"),
    ]
}

fn quality() -> Vec<Panel> {
    let links = |name, state, tells| {
        Panel::new(name, tells, "short")
            .query(format!("max by (pair) (tandem_links{{state=\"{state}\"}})"), "{{pair}}")
    };
    vec![
        links(
            "Held for a person",
            "held",
            "Conflicts, several possible partners, and deletions against edits.",
        ),
        links("Refused", "refused", "Links whose last write a system refused."),
        links("Parked", "parked", "Links that wait for another one, such as an order for its customer."),
        links("Without a partner", "unmatched", "Links with one record only."),
        Panel::new("Dead letters", "Messages that could not be handled and wait to be looked at.", "short")
            .query(
                "max by (queue) (tandem_queue_depth_messages{queue=~\".*\\\\.dead-letters\"})",
                "{{queue}}",
            ),
        Panel::new("New dead letters", "By the queue that they came from.", "short")
            .query("sum by (queue) (increase(tandem_dead_letters_total[$__range]))", "{{queue}}"),
        Panel::new("Writes by outcome", "What became of writes.", "wps").query(
            "sum by (pair, system, outcome) (rate(tandem_writes_total[$__rate_interval]))",
            "{{pair}} {{system}} {{outcome}}",
        ),
        Panel::new(
            "What is asked",
            "Queued writes by what they do: a wave of clears or deletes is a mistake somewhere.",
            "wps",
        )
        .query(
            "sum by (pair, system, change) (rate(tandem_queued_writes_total[$__rate_interval]))",
            "{{pair}} {{system}} {{change}}",
        ),
        Panel::new("New conflicts", "Steps that left a link waiting for a person.", "short")
            .query("sum by (pair) (increase(tandem_conflicts_total[$__range]))", "{{pair}}"),
        Panel::new("Oscillations", "Properties that two systems keep rewriting.", "short")
            .query("sum by (pair) (tandem_oscillations_total)", "{{pair}}"),
        Panel::new(
            "Unknown connections",
            "Deliveries that wait because their connection is not configured.",
            "short",
        )
        .query("sum by (queue) (increase(tandem_unknown_connections_total[$__range]))", "{{queue}}"),
    ]
}

fn resources() -> Vec<Panel> {
    let by = |name, tells, unit, query: &str| {
        Panel::new(name, tells, unit).query(query, "{{service}} {{instance}}")
    };
    vec![
        by("Processor", "Cores that each process takes.", "short", "rate(process_cpu_seconds_total{job=\"tandem\"}[$__rate_interval])"),
        by("Memory", "What each process holds.", "bytes", "process_resident_memory_bytes{job=\"tandem\"}"),
        by("Memory reserved", "Addresses that each process has asked for.", "bytes", "process_virtual_memory_bytes{job=\"tandem\"}"),
        by("Files and sockets", "Of those that it may open.", "percentunit", "process_open_fds{job=\"tandem\"} / process_max_fds{job=\"tandem\"}"),
        by("Threads", "Of each process.", "short", "process_threads{job=\"tandem\"}"),
        by("Running for", "Since each process was started.", "s", "time() - process_start_time_seconds{job=\"tandem\"}"),
        Panel::new("The store", "How long 99 of 100 operations of Redis took.", "s")
            .query("histogram_quantile(0.99, sum by (le, db_operation_name) (rate(db_client_operation_duration_seconds_bucket[$__rate_interval])))", "{{db_operation_name}}"),
        Panel::new("Operations of the store", "By the command.", "ops")
            .query("sum by (service, db_operation_name) (rate(db_client_operation_duration_seconds_count[$__rate_interval]))", "{{service}} {{db_operation_name}}"),
        Panel::new("The store keeps what it acknowledges", "0 while a crash may lose some.", "short")
            .look(Look::Stat)
            .query("min(tandem_store_durable)", "durable"),
        Panel::new("Configurations read", "What came of reading the configuration anew.", "short")
            .query("sum by (service, result) (tandem_configuration_reloads_total)", "{{service}} {{result}}"),
    ]
}

fn story() -> Vec<Panel> {
    vec![
        Panel::new("Its changes", "Each observation of the record, and the trace that it began: open one to see what was decided and written.", "short")
            .look(Look::Traces)
            .from(Source::Traces)
            .query("{ span.record = \"$record\" }", ""),
        Panel::new("Writes of its link", "Writes of the link: take its id from a map span of a trace above.", "short")
            .look(Look::Traces)
            .from(Source::Traces)
            .query("{ span.link = \"$record\" && span.outcome != nil }", ""),
        Panel::new("Conflicts of its link", "Steps that left the link waiting for a person.", "short")
            .look(Look::Traces)
            .from(Source::Traces)
            .query("{ span.link = \"$record\" && span.conflict = true }", ""),
        Panel::new("What was logged", "Lines of all services that name the record or the link.", "short")
            .look(Look::Logs)
            .from(Source::Logs)
            .query("{service_namespace=\"tandem\"} |= \"$record\"", ""),
    ]
}

fn connection() -> Value {
    json!({
        "name": "connection", "label": "Connection", "type": "query", "datasource": Source::Metrics.reference(),
        "query": "label_values(tandem_quota_left_calls, connection)", "refresh": 2, "multi": true, "includeAll": true,
        "allValue": ".*",
    })
}

fn record() -> Value {
    json!({ "name": "record", "label": "Id of a record or link", "type": "textbox", "query": "" })
}

fn dashboard(name: &'static str, title: &str, variables: &[Value], panels: Vec<Panel>) -> File {
    let sources: Vec<Source> =
        Source::ALL.into_iter().filter(|source| panels.iter().any(|panel| panel.is_from(*source))).collect();
    let mut list: Vec<Value> = sources.into_iter().map(Source::variable).collect();
    list.extend(variables.iter().cloned());
    let content = json!({
        "uid": format!("tandem-{name}"),
        "title": format!("Tandem: {title}"),
        "tags": ["tandem"],
        "schemaVersion": 39,
        "editable": false,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "links": [{ "type": "dashboards", "tags": ["tandem"], "title": "Tandem", "asDropdown": true, "includeVars": true, "keepTime": true }],
        "templating": { "list": list },
        "panels": panel::laid_out(panels),
    });
    (name, content)
}

impl Query {
    /// The expression as Grafana would send it to Prometheus, with these in place of its variables.
    pub fn sent(&self) -> String {
        let filled = [("$__rate_interval", "1m"), ("$__range", "5m"), ("$connection", ".*")];
        filled.iter().fold(self.expression.clone(), |text, (name, value)| text.replace(name, value))
    }
}

/// The queries to Prometheus of all dashboards, each with where it stands.
pub fn queries() -> Vec<(String, Query)> {
    let panels = [in_sync(), flow(), budgets(), quality(), resources(), story()].into_iter().flatten();
    panels.filter(|panel| panel.is_from(Source::Metrics)).flat_map(Panel::queries).collect()
}
