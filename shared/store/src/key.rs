//! Names of what is stored.

use std::fmt;
use std::sync::Arc;

/// The scope of what belongs to no connection. A connection must not carry this name.
pub const GLOBAL: &str = "global";

/// The name of something stored: `namespace:{scope}:part:part`.
///
/// The scope is a connection, or [`GLOBAL`]. It is a Redis Cluster hash tag, so all keys of one connection live on one
/// node and one [`Batch`](crate::Batch) can touch them atomically. Namespace, scope and parts are escaped, so two keys
/// are equal only if namespace, scope and all parts are.
///
/// The kinds of stored things do not share a space: one key may name an entry and also a set, a schedule, a list and
/// a lease.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    text: Arc<str>,
    /// Where the scope ends in `text`, its closing brace included.
    scope_end: usize,
}

impl Key {
    /// The key of `parts` within `scope`, which is a connection or [`GLOBAL`].
    pub fn of(namespace: &str, scope: &str, parts: &[&str]) -> Self {
        let mut text = String::with_capacity(48);
        escape(namespace, &mut text);
        text.push_str(":{");
        if scope.is_empty() {
            // An empty hash tag is none at all to Redis Cluster; a lone `%` is what no escaped text can be.
            text.push('%');
        }
        escape(scope, &mut text);
        text.push('}');
        let scope_end = text.len();
        for part in parts {
            text.push(':');
            escape(part, &mut text);
        }
        Self { text: text.into(), scope_end }
    }

    /// The whole key as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The namespace and the scope: what the keys of one batch have in common.
    pub(crate) fn scope(&self) -> &str {
        &self.text[..self.scope_end]
    }
}

/// Appends `text` so that the characters that give a key its shape do not occur in it.
fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '%' => into.push_str("%25"),
            ':' => into.push_str("%3A"),
            '{' => into.push_str("%7B"),
            '}' => into.push_str("%7D"),
            other => into.push(other),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.text)
    }
}
