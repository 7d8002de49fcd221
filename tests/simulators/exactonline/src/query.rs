//! The query options of a request, read strictly.

use crate::answer::Refused;
use crate::edm::{Edm, Value};
use crate::filter::{self, Filter};
use crate::schema::{Endpoint, Family, Shape, regular_endpoint, shape_of};

/// The decoded query of a request, in its order.
pub(crate) type Pairs = [(String, String)];

/// What a read asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// Positions in the order asked for; `None` is everything.
    pub(crate) select: Option<Vec<usize>>,
    pub(crate) filter: Option<Filter>,
    /// Positions, and whether the highest comes first.
    pub(crate) order: Vec<(usize, bool)>,
    pub(crate) top: Option<usize>,
    /// The values, in the order of the list, after which this page begins.
    pub(crate) skip_token: Option<Vec<Value>>,
    pub(crate) inline_count: bool,
    /// The lists of other records that are delivered within each record.
    pub(crate) expand: Vec<Expansion>,
}

/// A list of other records within a record.
#[derive(Debug, Clone)]
pub(crate) struct Expansion {
    pub(crate) position: usize,
    /// The properties of those records that are asked for; `None` is all.
    pub(crate) select: Option<Vec<usize>>,
}

impl Query {
    /// Reads the options over the properties that the endpoint shows.
    pub(crate) fn parse(pairs: &Pairs, endpoint: &Endpoint, shape: &Shape) -> Result<Self, Refused> {
        let mut query = Self::default();
        let mut seen = Vec::new();
        for (name, text) in pairs {
            if name.starts_with('$') && seen.contains(name) {
                return Err(Refused::syntax());
            }
            seen.push(name.clone());
            match name.as_str() {
                "$select" => {}
                "$filter" => query.filter = Some(filter_of(text, endpoint, shape)?),
                "$orderby" => query.order = order(text, endpoint, shape)?,
                "$top" => query.top = Some(text.parse().map_err(|_| Refused::syntax())?),
                "$skiptoken" => {
                    query.skip_token = Some(filter::literals(text).map_err(|_| Refused::syntax())?);
                }
                "$inlinecount" if text == "allpages" => query.inline_count = true,
                "$inlinecount" if text == "none" => {}
                "$expand" => query.expand = expand(text, endpoint, shape)?,
                "$format" if text == "json" => {}
                option if option.starts_with('$') => return Err(Refused::syntax()),
                _ => {}
            }
        }
        // A selection may reach into what is expanded.
        if let Some((_, text)) = pairs.iter().find(|(name, _)| name == "$select") {
            query.select(text, endpoint, shape)?;
        }
        Ok(query)
    }

    fn select(&mut self, text: &str, endpoint: &Endpoint, shape: &Shape) -> Result<(), Refused> {
        if text.trim() == "*" {
            return if endpoint.star_refused { Err(Refused::syntax()) } else { Ok(()) };
        }
        let mut selected = Vec::new();
        for name in text.split(',') {
            let (name, inner) =
                name.split_once('/').map_or((name, None), |(name, inner)| (name, Some(inner)));
            let at = position(name, endpoint, shape, inner.is_some())?;
            if let Some(inner) = inner {
                let within = self.expand.iter_mut().find(|expansion| expansion.position == at);
                let within = within.ok_or_else(Refused::syntax)?;
                let lines = lines_of(shape, at).ok_or_else(Refused::syntax)?;
                let inner = position(inner, lines, shape_of(lines.table), false)?;
                within.select.get_or_insert_default().push(inner);
            }
            if !selected.contains(&at) {
                selected.push(at);
            }
        }
        self.select = Some(selected);
        Ok(())
    }
}

/// Whether an endpoint shows this property.
pub(crate) fn shows(endpoint: &Endpoint, shape: &Shape, position: usize) -> bool {
    shape.properties[position].shown.shows(endpoint.family)
}

/// The endpoint over the records that a list within a record holds, where the simulator has them.
pub(crate) fn lines_of(shape: &Shape, position: usize) -> Option<&'static Endpoint> {
    regular_endpoint(shape.properties[position].lines.as_deref()?)
}

fn expand(text: &str, endpoint: &Endpoint, shape: &Shape) -> Result<Vec<Expansion>, Refused> {
    text.split(',')
        .map(|name| Ok(Expansion { position: position(name, endpoint, shape, true)?, select: None }))
        .collect()
}

fn position(name: &str, endpoint: &Endpoint, shape: &Shape, navigation: bool) -> Result<usize, Refused> {
    shape
        .position(name.trim())
        .filter(|position| shows(endpoint, shape, *position))
        .filter(|position| !navigation || shape.properties[*position].edm == Edm::Navigation)
        .ok_or_else(Refused::syntax)
}

fn filter_of(text: &str, endpoint: &Endpoint, shape: &Shape) -> Result<Filter, Refused> {
    let filter = Filter::parse(text, shape).map_err(|_| Refused::syntax())?;
    let allowed = |position: usize| {
        let name = shape.properties[position].name.as_str();
        shows(endpoint, shape, position)
            && (endpoint.only_filters.is_empty() || endpoint.only_filters.contains(&name))
    };
    if filter.positions().into_iter().all(allowed) { Ok(filter) } else { Err(Refused::syntax()) }
}

fn order(text: &str, endpoint: &Endpoint, shape: &Shape) -> Result<Vec<(usize, bool)>, Refused> {
    // A feed has one order only: that of its row versions.
    if endpoint.family == Family::Sync {
        return if matches!(text.trim(), "Timestamp" | "Timestamp asc") {
            Ok(Vec::new())
        } else {
            Err(Refused::syntax())
        };
    }
    text.split(',')
        .map(|part| {
            let mut words = part.split_whitespace();
            let at = position(words.next().unwrap_or(""), endpoint, shape, false)?;
            let descending = match words.next() {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(_) => return Err(Refused::syntax()),
            };
            if words.next().is_some() || shape.properties[at].edm == Edm::Navigation {
                return Err(Refused::syntax());
            }
            Ok((at, descending))
        })
        .collect()
}

/// Refuses a list that lacks what its endpoint insists on.
pub(crate) fn check_list(
    query: &Query,
    pairs: &Pairs,
    endpoint: &Endpoint,
    shape: &Shape,
    select_required: bool,
    filter_required: bool,
) -> Result<(), Refused> {
    let selected = pairs.iter().any(|(name, _)| name == "$select");
    let one = query.top == Some(1) && endpoint.family == Family::Regular;
    if endpoint.select_needed && select_required && !selected && !one {
        return Err(Refused::new(400, "Please add a $select or a $top=1 statement to the query string."));
    }
    let marked = |position: usize| shape.properties[position].satisfies_mandatory_filter;
    let filtered = query.filter.as_ref().is_some_and(|filter| filter.positions().into_iter().any(marked));
    if endpoint.filter_needed && filter_required && !filtered {
        let mut names: Vec<&str> = shape
            .properties
            .iter()
            .filter(|property| property.satisfies_mandatory_filter)
            .map(|property| property.name.as_str())
            .collect();
        names.sort_unstable_by_key(|name| name.to_lowercase());
        return Err(Refused::new(
            400,
            format!(
                "This endpoint has mandatory filtering applied. A GET request for this endpoint must have a \
                 $filter parameter with one of the following fields in the url:{}",
                names.join(",")
            ),
        ));
    }
    Ok(())
}
