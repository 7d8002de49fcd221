//! The names of all signals: spans and metrics. `deploy/telemetry.md` says more of each. Dashboards, alerts and tests use the very same names.

/// The version of the OpenTelemetry Semantic Conventions that names follow.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.42.0";

/// Names of spans. One trace runs through them in this order, for one change of one record.
pub mod span {
    /// A collector turns one changed record into an observation: the root of the change's trace.
    pub const COLLECT: &str = "collect";
    /// The mapper takes one observation or outcome and decides.
    pub const MAP: &str = "map";
    /// A writer applies one write and reports its outcome.
    pub const WRITE: &str = "write";
    /// One HTTP call to CustomCRM or Exact Online.
    pub const CALL: &str = "call";
    /// One change of the store, all or nothing: what was decided, or a claim.
    pub const STORE: &str = "store";
}

/// Names of metrics as Prometheus sees them; the last word is the unit, or `total` for counters.
pub mod metric {
    /// Gauge: seconds since a cursor was last known to be up to date. Labels: connection, system, entity.
    pub const POLL_AGE: &str = "tandem_poll_age_seconds";
    /// Gauge: seconds from the end of a poll of a cursor to the next one. Labels: connection, system, entity.
    pub const POLL_INTERVAL: &str = "tandem_poll_interval_seconds";
    /// Histogram: seconds from an edit to its write being applied. Labels: pair, direction.
    pub const SYNC_LAG: &str = "tandem_sync_lag_seconds";
    /// Histogram: seconds that a change spent on a part of its way. Labels: hop (collect, map, claim, apply), system.
    pub const HOP_LAG: &str = "tandem_hop_lag_seconds";
    /// Histogram: seconds that calls to the systems took, by the conventions for HTTP.
    pub const HTTP_DURATION: &str = "http_client_request_duration_seconds";
    /// Histogram: seconds that the handling of messages took, by the conventions for messaging.
    pub const PROCESSING_DURATION: &str = "messaging_process_duration_seconds";
    /// Histogram: seconds that operations of the store took, by the conventions for databases.
    pub const STORE_DURATION: &str = "db_client_operation_duration_seconds";
    /// Counter: writes by what became of them. Labels: pair, system, outcome.
    pub const WRITES: &str = "tandem_writes_total";
    /// Counter: writes that were queued, by what they ask: update, create, clear or delete. Labels: pair, system, change.
    pub const QUEUED_WRITES: &str = "tandem_queued_writes_total";
    /// Counter: observations that were our own write coming back. Labels: pair, system.
    pub const ECHOES: &str = "tandem_echoes_total";
    /// Counter: conflicts that wait for a person. Label: pair.
    pub const CONFLICTS: &str = "tandem_conflicts_total";
    /// Counter: steps of links that broke a promise, which is an error of ours. Labels: pair, promise.
    pub const BROKEN_PROMISES: &str = "tandem_broken_promises_total";
    /// Counter: properties that two systems keep rewriting, and that are held for a person. Label: pair.
    pub const OSCILLATIONS: &str = "tandem_oscillations_total";
    /// Counter: messages that could not be handled. Label: queue.
    pub const DEAD_LETTERS: &str = "tandem_dead_letters_total";
    /// Counter: deliveries of messages that wait because their connection is not configured here. Label: queue.
    pub const UNKNOWN_CONNECTIONS: &str = "tandem_unknown_connections_total";
    /// Counter: messages that were settled, by how. Labels: queue, settlement.
    pub const MESSAGES: &str = "tandem_messages_total";
    /// Counter: calls to Exact Online, those for tokens apart. Labels: endpoint (the path behind the division, without a
    /// key), class (edit, read, backfill, scan), status (of HTTP, or `none` where no answer came).
    pub const EXACTONLINE_CALLS: &str = "tandem_exactonline_calls_total";
    /// Gauge: calls to Exact Online that are left of a limit, as of this process's last call; absent once the window of
    /// that call has ended. Labels: connection, window (minute, day, token-day).
    pub const QUOTA_LEFT: &str = "tandem_quota_left_calls";
    /// Gauge: 1 while a connection's grant of Exact Online serves, 0 while it is lost or nobody gave consent yet, as of this
    /// process's last call; absent while it knows nothing. Label: connection.
    pub const GRANT_USABLE: &str = "tandem_grant_usable";
    /// Gauge: seconds since a connection's grant of Exact Online was refreshed, as far as this process knows. It dies
    /// unused after 30 days. Label: connection.
    pub const GRANT_AGE: &str = "tandem_grant_age_seconds";
    /// Gauge: links of all connections by where they stand, as of a mapper's last look. Labels: pair, state.
    pub const LINKS: &str = "tandem_links";
    /// Gauge: messages that wait in a queue, as of a mapper's last look. Label: queue.
    pub const QUEUE_DEPTH: &str = "tandem_queue_depth_messages";
    /// Counter: posts to the address of a connection's webhooks, by what they were. Labels: connection, system,
    /// result.
    pub const WEBHOOKS: &str = "tandem_webhooks_total";
    /// Gauge: 1 while a connection's subscriptions to webhooks are kept, 0 while they can't be. Label: connection.
    pub const WEBHOOKS_KEPT: &str = "tandem_webhooks_kept";
    /// Gauge: 1 while the store keeps all that it acknowledges, 0 while a crash of it may lose some, as of this process's
    /// last look; absent while it knows nothing.
    pub const STORE_DURABLE: &str = "tandem_store_durable";
    /// Counter: how often the configuration was read anew, by what came of it. Label: result.
    pub const CONFIGURATION_RELOADS: &str = "tandem_configuration_reloads_total";
    /// Gauge: 1 when the process is ready, 0 when it waits for something.
    pub const READY: &str = "tandem_ready";
}
