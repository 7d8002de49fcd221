//! A page of a list: how it is asked for, and what its answer holds.

use model::{Content, Properties};
use reqwest::header::{HeaderMap, LINK};
use url::Url;

use crate::{
    Error,
    declaration::{Answer, Paging, PagingStyle},
    record::name,
};

/// Where a page begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below the collection's own address, with these parameters.
    Parameters(Vec<(String, String)>),
    /// At an address that the CRM gave.
    Address(String),
}

impl Paging {
    /// How the page at this mark is asked for; without one the first. `size` is the most that is wanted.
    pub(crate) fn place(&self, mark: Option<&str>, size: u32) -> Place {
        let mut parameters = Vec::new();
        if let Some(parameter) = &self.size_parameter {
            parameters.push((parameter.clone(), self.size(size).to_string()));
        }
        match (&self.style, mark) {
            (PagingStyle::Link | PagingStyle::Next { .. }, Some(address)) => {
                return Place::Address(address.to_owned());
            }
            (PagingStyle::Cursor { parameter, .. } | PagingStyle::Offset { parameter }, Some(mark)) => {
                parameters.push((parameter.clone(), mark.to_owned()));
            }
            (PagingStyle::Page { parameter, first }, mark) => {
                let number = mark.map_or_else(|| first.to_string(), str::to_owned);
                parameters.push((parameter.clone(), number));
            }
            (PagingStyle::None | PagingStyle::Link | PagingStyle::Next { .. }, _)
            | (PagingStyle::Cursor { .. } | PagingStyle::Offset { .. }, None) => {}
        }
        Place::Parameters(parameters)
    }

    /// The mark of the page behind one that was asked for at `mark` and holds so many records.
    pub(crate) fn next(
        &self,
        mark: Option<&str>,
        size: u32,
        records: usize,
        body: &Content,
        headers: &HeaderMap,
    ) -> Option<String> {
        // A list that goes on without records would go on for ever.
        if records == 0 {
            return None;
        }
        let count = records as u64;
        let is_full = count >= u64::from(self.size(size));
        let number = |usual: u64| mark.and_then(|mark| mark.parse::<u64>().ok()).unwrap_or(usual);
        match &self.style {
            PagingStyle::None => None,
            PagingStyle::Cursor { next, .. } | PagingStyle::Next { next } => match body {
                Content::Object(properties) => name(next.find(properties)?).filter(|mark| !mark.is_empty()),
                _ => None,
            },
            PagingStyle::Link => headers.get_all(LINK).iter().find_map(|link| next_link(link.to_str().ok()?)),
            PagingStyle::Page { first, .. } => is_full.then(|| (number(*first) + 1).to_string()),
            PagingStyle::Offset { .. } => is_full.then(|| (number(0) + count).to_string()),
        }
    }

    /// How many records a page has.
    fn size(&self, wanted: u32) -> u32 {
        // Without a parameter the CRM decides, and the declaration says how.
        if self.size_parameter.is_some() { wanted.clamp(1, self.size) } else { self.size }
    }
}

/// Takes the records out of a list's answer.
pub(crate) fn records(answer: &Answer, body: &mut Content) -> Result<Vec<Properties>, Error> {
    let list = match (&answer.list, body) {
        (None, list) => Some(std::mem::replace(list, Content::Null)),
        (Some(path), Content::Object(properties)) => path.take(properties),
        (Some(_), _) => None,
    };
    let Some(Content::List(list)) = list else {
        let what = match &answer.list {
            Some(path) => format!("is no JSON object with the list `{path}`"),
            None => "is no JSON list".to_owned(),
        };
        return Err(Error::Unexpected { what });
    };
    let record = |content: Content| match content {
        Content::Object(properties) => Ok(properties),
        other => Err(Error::Unexpected { what: format!("has {} in the place of a record", other.kind()) }),
    };
    list.into_iter().map(record).collect()
}

/// An address that a CRM gave, if it leads to the CRM itself: our secret goes with every call.
pub(crate) fn own_address(base: &Url, address: &str) -> Result<Url, Error> {
    let url = base.join(address).ok().filter(|url| url.origin() == base.origin());
    url.ok_or_else(|| Error::Unexpected {
        what: "names a next page at another address than its own".to_owned(),
    })
}

/// The address with the relation `next` (RFC 8288).
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    loop {
        let open = rest.find('<')?;
        let close = open + rest[open..].find('>')?;
        let address = &rest[open + 1..close];
        let parameters = &rest[close + 1..];
        let end = parameters.find(",<").or_else(|| parameters.find(", <")).unwrap_or(parameters.len());
        let is_next = parameters[..end].split(';').any(|parameter| {
            let parameter = parameter.trim().trim_end_matches(',');
            let value = parameter.strip_prefix("rel=").map(|value| value.trim_matches('"'));
            value.is_some_and(|value| value.split(' ').any(|relation| relation == "next"))
        });
        if is_next {
            return Some(address.to_owned());
        }
        rest = &parameters[end..];
    }
}
