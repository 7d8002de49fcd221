//! One panel, and where it stands.

use serde_json::{Value, json};

/// How a panel looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Lines over time.
    Lines,
    /// One number.
    Stat,
    /// A list of traces.
    Traces,
    /// Lines of logs.
    Logs,
}

/// Where a panel's data come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Prometheus.
    Metrics,
    /// Tempo.
    Traces,
    /// Loki.
    Logs,
}

impl Source {
    pub(super) const ALL: [Self; 3] = [Self::Metrics, Self::Traces, Self::Logs];

    const fn kind(self) -> &'static str {
        match self {
            Self::Metrics => "prometheus",
            Self::Traces => "tempo",
            Self::Logs => "loki",
        }
    }

    /// As panels name it.
    pub(super) fn reference(self) -> Value {
        json!({ "type": self.kind(), "uid": format!("${{{}}}", self.kind()) })
    }

    /// The variable by which people choose it.
    pub(super) fn variable(self) -> Value {
        json!({ "name": self.kind(), "label": self.kind(), "type": "datasource", "query": self.kind() })
    }
}

/// A query of a panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What is asked, with Grafana's variables.
    pub expression: String,
    pub(super) legend: String,
}

/// A panel.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    title: &'static str,
    tells: &'static str,
    unit: &'static str,
    look: Look,
    source: Source,
    queries: Vec<Query>,
    has_exemplars: bool,
}

impl Panel {
    pub(super) fn new(title: &'static str, tells: &'static str, unit: &'static str) -> Self {
        let (look, source) = (Look::Lines, Source::Metrics);
        Self { title, tells, unit, look, source, queries: Vec::new(), has_exemplars: false }
    }

    pub(super) fn look(self, look: Look) -> Self {
        Self { look, ..self }
    }

    pub(super) fn from(self, source: Source) -> Self {
        Self { source, ..self }
    }

    pub(super) fn query(mut self, expression: impl Into<String>, legend: &str) -> Self {
        self.queries.push(Query { expression: expression.into(), legend: legend.to_owned() });
        self
    }

    pub(super) fn with_exemplars(self) -> Self {
        Self { has_exemplars: true, ..self }
    }

    pub(super) fn is_from(&self, source: Source) -> bool {
        self.source == source
    }

    /// Its queries, each with the panel's title.
    pub(super) fn queries(self) -> impl Iterator<Item = (String, Query)> {
        self.queries.into_iter().map(move |query| (self.title.to_owned(), query))
    }

    const fn size(&self) -> (u64, u64) {
        match self.look {
            Look::Stat => (4, 4),
            Look::Lines => (12, 8),
            Look::Traces | Look::Logs => (24, 9),
        }
    }

    fn content(&self, id: usize, (x, y): (u64, u64)) -> Value {
        let (w, h) = self.size();
        let targets: Vec<Value> =
            self.queries.iter().zip('A'..).map(|(query, letter)| self.target(query, letter)).collect();
        let kind = match self.look {
            Look::Lines => "timeseries",
            Look::Stat => "stat",
            Look::Traces => "table",
            Look::Logs => "logs",
        };
        json!({
            "id": id, "type": kind, "title": self.title, "description": self.tells,
            "datasource": self.source.reference(), "gridPos": { "x": x, "y": y, "w": w, "h": h },
            "fieldConfig": { "defaults": { "unit": self.unit }, "overrides": [] }, "options": {}, "targets": targets,
        })
    }

    fn target(&self, query: &Query, letter: char) -> Value {
        let (id, text) = (letter.to_string(), &query.expression);
        let source = self.source.reference();
        match self.source {
            Source::Metrics => json!({
                "refId": id, "datasource": source, "expr": text, "legendFormat": query.legend,
                "instant": self.look == Look::Stat, "range": self.look != Look::Stat, "exemplar": self.has_exemplars,
            }),
            Source::Traces => json!({
                "refId": id, "datasource": source, "query": text, "queryType": "traceql", "limit": 50, "tableType": "traces",
            }),
            Source::Logs => json!({ "refId": id, "datasource": source, "expr": text, "queryType": "range" }),
        }
    }
}

/// The panels from left to right and from top to bottom, as they follow one another.
pub(super) fn laid_out(panels: Vec<Panel>) -> Vec<Value> {
    let (mut x, mut y, mut row) = (0, 0, 0);
    let mut placed = Vec::new();
    for (panel, id) in panels.iter().zip(1..) {
        let (w, h) = panel.size();
        if x + w > 24 || (row > 0 && row != h) {
            (x, y) = (0, y + row);
        }
        placed.push(panel.content(id, (x, y)));
        (x, row) = (x + w, h);
    }
    placed
}
