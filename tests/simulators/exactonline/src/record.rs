//! Records as an endpoint shows them: metadata, addresses, deferred lists, links to the next page.

use crate::database::{Context, Database, Row};
use crate::edm::{Edm, Value};
use crate::json::Json;
use crate::query::{Expansion, Pairs, Query, lines_of, shows};
use crate::schema::{Endpoint, Family, Shape, shape_of};

impl Database {
    /// One record as the endpoint shows it.
    pub(crate) fn record(
        &self,
        endpoint: &Endpoint,
        row: &Row,
        query: &Query,
        context: &Context<'_>,
    ) -> Json {
        let shape = shape_of(endpoint.table);
        let address = address(endpoint, shape, row, context);
        let mut properties = vec![("__metadata".to_owned(), metadata(endpoint, &address))];
        let all = || (0..shape.properties.len()).filter(|at| shows(endpoint, shape, *at)).collect();
        for position in query.select.clone().unwrap_or_else(all) {
            let property = &shape.properties[position];
            let expansion = query.expand.iter().find(|expansion| expansion.position == position);
            let value = match expansion {
                _ if property.edm != Edm::Navigation => {
                    self.value(shape, row, position).to_json(property.edm, context.switches.int64_as_string)
                }
                Some(expansion) => self.expanded(shape, row, expansion, context),
                None => deferred(&address, &property.name),
            };
            properties.push((property.name.clone(), value));
        }
        Json::Object(properties)
    }

    /// The list of other records within a record.
    pub(crate) fn expanded(
        &self,
        shape: &Shape,
        row: &Row,
        expansion: &Expansion,
        context: &Context<'_>,
    ) -> Json {
        let query = Query { select: expansion.select.clone(), ..Query::default() };
        let records = lines_of(shape, expansion.position).map_or(Vec::new(), |endpoint| {
            let lines = self.lines(shape_of(endpoint.table), row, shape);
            lines.into_iter().map(|line| self.record(endpoint, line, &query, context)).collect()
        });
        Json::object([("results", Json::List(records))])
    }
}

/// The answer to a create that did not ask for the stored values: everything null but the key.
pub(crate) fn bare_record(endpoint: &Endpoint, row: &Row, context: &Context<'_>) -> Json {
    let shape = shape_of(endpoint.table);
    let address = address(endpoint, shape, row, context);
    let mut properties = vec![("__metadata".to_owned(), metadata(endpoint, &address))];
    for (position, property) in shape.properties.iter().enumerate() {
        if !shows(endpoint, shape, position) {
            continue;
        }
        let value = if position == shape.key {
            row.values[position].to_json(property.edm, context.switches.int64_as_string)
        } else if property.edm == Edm::Navigation {
            deferred(&address, &property.name)
        } else {
            Json::Null
        };
        properties.push((property.name.clone(), value));
    }
    Json::Object(properties)
}

/// The address of a record.
pub(crate) fn address(endpoint: &Endpoint, shape: &Shape, row: &Row, context: &Context<'_>) -> String {
    let key = match endpoint.family {
        Family::Sync => Value::Integer(row.timestamp),
        Family::Regular | Family::Bulk => row.values[shape.key].clone(),
    };
    let key = match (&key, endpoint.family) {
        (Value::Integer(number), Family::Regular) => number.to_string(),
        _ => key.to_literal(),
    };
    format!("{}/{}({key})", root(endpoint, context), endpoint.path)
}

/// The address below which an endpoint lives; the own user's is the only one without a company.
fn root(endpoint: &Endpoint, context: &Context<'_>) -> String {
    if endpoint.table == "me" {
        format!("{}/api/v1", context.base)
    } else {
        format!("{}/api/v1/{}", context.base, context.division)
    }
}

fn metadata(endpoint: &Endpoint, address: &str) -> Json {
    Json::object([("uri", Json::text(address)), ("type", Json::text(endpoint.type_name))])
}

fn deferred(address: &str, name: &str) -> Json {
    Json::object([("__deferred", Json::object([("uri", Json::text(format!("{address}/{name}")))]))])
}

/// The address of the next page: all options of this one, and where to go on.
pub(crate) fn next_link(
    endpoint: &Endpoint,
    pairs: &Pairs,
    top_left: Option<usize>,
    token: &str,
    context: &Context<'_>,
) -> String {
    let mut options: Vec<String> = Vec::new();
    for (name, value) in pairs {
        match (name.as_str(), top_left) {
            ("$skiptoken", _) => {}
            ("$top", Some(left)) => options.push(format!("$top={left}")),
            _ => options.push(format!("{}={}", encode(name), encode(value))),
        }
    }
    options.push(format!("$skiptoken={}", encode(token)));
    format!("{}/{}?{}", root(endpoint, context), endpoint.path, options.join("&"))
}

/// Percent-encodes all that an address cannot hold, and leaves what OData likes to show.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$',()*:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}
