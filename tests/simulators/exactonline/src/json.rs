//! JSON text, written by hand where it matters how it is spelled: exact numbers, escaped slashes.

use std::fmt::Write as _;

/// A JSON document that keeps its numbers as text and its properties in order.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    /// Text that is JSON already, such as a number.
    Raw(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object of these properties.
    pub(crate) fn object<const N: usize>(properties: [(&str, Json); N]) -> Self {
        Self::Object(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// A text value.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The document as text, with each slash of a text escaped if asked.
    pub(crate) fn render(&self, escape_slashes: bool) -> String {
        let mut out = String::new();
        self.write(&mut out, escape_slashes);
        out
    }

    fn write(&self, out: &mut String, escape_slashes: bool) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Raw(raw) => out.push_str(raw),
            Self::Text(text) => write_text(out, text, escape_slashes),
            Self::List(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        out.push_str(", ");
                    }
                    item.write(out, escape_slashes);
                }
                out.push(']');
            }
            Self::Object(properties) => {
                out.push('{');
                for (position, (name, value)) in properties.iter().enumerate() {
                    if position > 0 {
                        out.push_str(", ");
                    }
                    write_text(out, name, false);
                    out.push_str(": ");
                    value.write(out, escape_slashes);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(out: &mut String, text: &str, escape_slashes: bool) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' if escape_slashes => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                write!(out, "\\u{:04x}", u32::from(control)).expect("a string takes all text");
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
