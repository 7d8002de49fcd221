//! A request, taken apart far enough to be answered.

use crate::database::Key;
use crate::filter;
use crate::schema::{Endpoint, endpoint};

/// A request as it reached the simulator.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// The decoded path.
    pub(crate) path: String,
    /// The decoded query, in its order.
    pub(crate) query: Vec<(String, String)>,
    /// Path and query as they came.
    pub(crate) target: String,
    /// The address of the service as the caller wrote it.
    pub(crate) base: String,
    pub(crate) bearer: Option<String>,
    pub(crate) accept: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) prefer: Option<String>,
    pub(crate) body: String,
}

impl Call {
    /// The value of a query option.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the caller takes JSON and says so.
    pub(crate) fn takes_json(&self) -> bool {
        self.accept.as_deref().is_some_and(|accept| accept.contains("application/json"))
    }

    /// Whether the body is declared to be JSON.
    pub(crate) fn brings_json(&self) -> bool {
        self.content_type.as_deref().is_some_and(|content| content.starts_with("application/json"))
    }

    /// Whether a write asks for the stored values.
    pub(crate) fn wants_representation(&self) -> bool {
        self.prefer.as_deref().is_some_and(|prefer| prefer.contains("return=representation"))
    }
}

/// The part of a path behind the division.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) key: Option<Key>,
    /// Only the number of records is asked for.
    pub(crate) count: bool,
}

impl Resource {
    /// Reads `crm/Accounts`, `crm/Accounts(guid'...')` or `crm/Accounts/$count`.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let (path, count) = match path.strip_suffix("/$count") {
            Some(path) => (path, true),
            None => (path, false),
        };
        let (path, key) = match path.split_once('(') {
            Some((path, key)) => {
                let key = filter::literals(key.strip_suffix(')')?).ok()?;
                let [key] = key.as_slice() else { return None };
                (path, Some(Key::of(key)?))
            }
            None => (path, None),
        };
        Some(Self { endpoint: endpoint(path)?, key, count: count && key.is_none() })
    }
}
