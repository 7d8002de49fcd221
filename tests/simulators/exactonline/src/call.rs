//! A request, taken apart far enough to be answered.

use crate::database::Key;
use crate::edm::Edm;
use crate::filter;
use crate::schema::{Endpoint, endpoint, shape_of};

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
    /// The name and the password of HTTP Basic.
    pub(crate) basic: Option<(String, String)>,
    pub(crate) accept: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) prefer: Option<String>,
    pub(crate) body: String,
    /// What the address of a new subscription answered when it was tried; `None` where none was, or none came.
    pub(crate) callback_status: Option<u16>,
}

impl Call {
    /// The value of a query option.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is one of the token endpoint.
    pub(crate) fn is_for_tokens(&self) -> bool {
        self.path.eq_ignore_ascii_case("/api/oauth2/token")
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
    /// The position of the list within the record that is asked for.
    pub(crate) list: Option<usize>,
    /// Only the number of records is asked for.
    pub(crate) count: bool,
}

impl Resource {
    /// Reads `crm/Accounts`, `crm/Accounts(guid'...')`, `crm/Quotations(guid'...')/QuotationLines` or
    /// `crm/Accounts/$count`.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let Some((path, rest)) = path.split_once('(') else {
            let (path, count) = path.strip_suffix("/$count").map_or((path, false), |path| (path, true));
            return Some(Self { endpoint: endpoint(path)?, key: None, list: None, count });
        };
        let endpoint = endpoint(path)?;
        let (key, list) = match rest.split_once(")/") {
            Some((key, list)) => (key, Some(list)),
            None => (rest.strip_suffix(')')?, None),
        };
        let key = filter::literals(key).ok()?;
        let [key] = key.as_slice() else { return None };
        let list = match list {
            Some(name) => {
                let shape = shape_of(endpoint.table);
                Some(shape.position(name).filter(|at| shape.properties[*at].edm == Edm::Navigation)?)
            }
            None => None,
        };
        Some(Self { endpoint, key: Some(Key::of(key)?), list, count: false })
    }
}
