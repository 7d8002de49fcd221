//! One log event as one line: JSON for machines, plain text for a person at a terminal.

use std::error::Error;
use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::{Chain, LogFormat};

/// Fields that steer the exporter, or that the bridge from `log` adds, or that say of each line of a service the same.
const MACHINERY: [&str; 4] = ["otel.", "log.", "messaging.", "db."];

/// Writes each event with the fields of the spans around it and the id of its trace.
pub(crate) struct Line {
    pub(crate) format: LogFormat,
    pub(crate) service: String,
}

impl<S> FormatEvent<S, JsonFields> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        around: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Map::new();
        for span in around.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(recorded) = span.extensions().get::<FormattedFields<JsonFields>>()
                && let Ok(recorded) = serde_json::from_str::<Map<String, Value>>(recorded.as_str())
            {
                fields.extend(recorded);
            }
        }
        event.record(&mut Fields(&mut fields));
        let target = match fields.get("log.target") {
            Some(Value::String(target)) => target.clone(),
            _ => event.metadata().target().to_owned(),
        };
        fields.retain(|name, _| !MACHINERY.iter().any(|prefix| name.starts_with(prefix)));
        if let Some((trace, span)) = trace_and_span() {
            fields.insert("trace_id".to_owned(), Value::String(trace));
            fields.insert("span_id".to_owned(), Value::String(span));
        }
        let message = fields.remove("message").unwrap_or_else(|| Value::String(String::new()));
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let head = Head { timestamp, level: event.metadata().level().as_str(), target, message };
        match self.format {
            LogFormat::Json => self.json(&mut writer, head, fields),
            LogFormat::Text => self.text(&mut writer, &head, &fields),
        }
    }
}

/// What every line has.
struct Head {
    timestamp: String,
    level: &'static str,
    target: String,
    message: Value,
}

impl Line {
    fn json(&self, writer: &mut Writer<'_>, head: Head, fields: Map<String, Value>) -> fmt::Result {
        let mut line = fields;
        line.insert("timestamp".to_owned(), Value::String(head.timestamp));
        line.insert("level".to_owned(), Value::String(head.level.to_lowercase()));
        line.insert("service".to_owned(), Value::String(self.service.clone()));
        line.insert("target".to_owned(), Value::String(head.target));
        line.insert("message".to_owned(), head.message);
        writeln!(writer, "{}", Value::Object(line))
    }

    fn text(&self, writer: &mut Writer<'_>, head: &Head, fields: &Map<String, Value>) -> fmt::Result {
        write!(writer, "{} {:>5} {} ", head.timestamp, head.level, self.service)?;
        shown(writer, &head.message)?;
        for (name, value) in fields {
            write!(writer, " {name}=")?;
            shown(writer, value)?;
        }
        writeln!(writer)
    }
}

/// A text without its quotes, but never with a line break or a control character of its own: what came from
/// outside must not be able to forge a line.
fn shown(writer: &mut Writer<'_>, value: &Value) -> fmt::Result {
    let Value::String(text) = value else {
        return write!(writer, "{value}");
    };
    for character in text.chars() {
        if character.is_control() {
            write!(writer, "{}", character.escape_default())?;
        } else {
            writer.write_char(character)?;
        }
    }
    Ok(())
}

/// The tracing layer activates a span's context while the span is entered.
fn trace_and_span() -> Option<(String, String)> {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid().then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
    })
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn insert(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, Value::String(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.insert(field, Value::String(Chain(value).to_string()));
    }
}
