//! What a declaration may say, guessed from one answer. Pure.

use std::collections::BTreeSet;

use model::{Content, Properties};
use reqwest::header::{HeaderMap, LINK};
use rust_decimal::Decimal;

use crate::{record::name, times::Times};

/// Patterns of times that APIs write, beside RFC 3339 and numbers.
const PATTERNS: [&str; 10] = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S%.3fZ",
    "%Y-%m-%d %H:%M:%S%.fZ",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S%z",
    "%Y-%m-%d",
];

/// What an answer of a list looks like. Each is a guess, `None` where nothing looks like it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposal {
    /// How many records it shows.
    pub records: usize,
    /// Where the list stands; an empty text where the answer is the list.
    pub list: Option<String>,
    /// Where the id stands.
    pub id: Option<String>,
    /// Where the version stands.
    pub version: Option<String>,
    /// Where the time of change stands.
    pub modified_at: Option<String>,
    /// How that is written.
    pub time: Option<String>,
    /// Who changed it.
    pub modified_by: Option<String>,
    /// What tells that it is deleted.
    pub deleted: Option<String>,
    /// How pages follow: a word of `paging.style`.
    pub paging: Option<&'static str>,
    /// Where the next page's cursor or address stands.
    pub next: Option<String>,
}

impl Proposal {
    /// What this answer looks like.
    pub(super) fn of(body: &Content, headers: &HeaderMap) -> Self {
        let list = lists_in(body).into_iter().next();
        let records = list.as_deref().map(|list| records(body, list)).unwrap_or_default();
        let modified = modified_at(&records);
        let (paging, next) = paging(body, headers);
        Self {
            records: records.len(),
            id: id(&records),
            version: version(&records),
            modified_at: modified.as_ref().map(|(key, _)| key.clone()),
            time: modified.map(|(_, format)| format),
            modified_by: modified_by(&records),
            deleted: deleted(&records),
            paging,
            next,
            list,
        }
    }
}

/// Where lists of records stand in an answer, the likeliest first; an empty text for the answer itself.
pub(super) fn lists_in(body: &Content) -> Vec<String> {
    let is_list = |content: &Content| match content {
        Content::List(list) => list.iter().all(|content| matches!(content, Content::Object(_))),
        _ => false,
    };
    if is_list(body) {
        return vec![String::new()];
    }
    let Content::Object(properties) = body else { return Vec::new() };
    let mut found: Vec<(usize, String)> = Vec::new();
    let length = |content: &Content| if let Content::List(list) = content { list.len() } else { 0 };
    for (name, content) in properties {
        if is_list(content) {
            found.push((length(content), name.clone()));
        }
        if let Content::Object(inner) = content {
            let inner = inner.iter().filter(|(_, content)| is_list(content));
            found.extend(inner.map(|(inner, content)| (length(content), format!("{name}.{inner}"))));
        }
    }
    found.sort_by(|(one, name), (other, named)| other.cmp(one).then(name.cmp(named)));
    found.into_iter().map(|(_, name)| name).collect()
}

fn records(body: &Content, list: &str) -> Vec<Properties> {
    let mut content = Some(body);
    for name in list.split('.').filter(|name| !name.is_empty()) {
        content = match content {
            Some(Content::Object(properties)) => properties.get(name),
            _ => None,
        };
    }
    let Some(Content::List(list)) = content else { return Vec::new() };
    let record = |content: &Content| match content {
        Content::Object(properties) => Some(properties.clone()),
        _ => None,
    };
    list.iter().filter_map(record).collect()
}

/// The keys that all records have and whose values all are such.
fn keys<'a>(
    records: &'a [Properties],
    is_such: impl Fn(&Content) -> bool + 'a,
) -> impl Iterator<Item = &'a String> {
    let first = records.first().into_iter().flat_map(Properties::keys);
    first.filter(move |key| records.iter().all(|record| record.get(*key).is_some_and(&is_such)))
}

/// A name in lower case without what stands between its words.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The key that is likeliest by its name: words that it is made of, the likeliest first.
fn likeliest<'a>(keys: impl Iterator<Item = &'a String>, words: &[&str], is_whole: bool) -> Option<String> {
    let rank = |key: &String| {
        let plain = plain(key);
        words.iter().position(|word| if is_whole { plain == *word } else { plain.contains(word) })
    };
    keys.filter_map(|key| Some((rank(key)?, key))).min().map(|(_, key)| key.clone())
}

/// Where the id may stand.
pub(super) fn id(records: &[Properties]) -> Option<String> {
    let named = |content: &Content| name(content).is_some_and(|name| !name.is_empty());
    let differ = |key: &&String| {
        let ids: BTreeSet<String> = records.iter().filter_map(|record| name(record.get(*key)?)).collect();
        ids.len() == records.len()
    };
    let words = ["id", "uuid", "guid", "key", "recordid", "objectid"];
    likeliest(keys(records, named).filter(differ), &words, true)
}

/// Where the version may stand.
pub(super) fn version(records: &[Properties]) -> Option<String> {
    let is_whole = |content: &Content| matches!(content, Content::Number(number) if number.fract().is_zero());
    likeliest(
        keys(records, is_whole),
        &["version", "versionnumber", "rowversion", "revision", "rev", "v"],
        true,
    )
}

/// Where the time of change may stand, and how it is written.
pub(super) fn modified_at(records: &[Properties]) -> Option<(String, String)> {
    let timed = keys(records, |content| time_format(&[content]).is_some());
    let words = ["modif", "updat", "chang", "lastedit", "edited"];
    let key = likeliest(timed, &words, false)?;
    let contents: Vec<&Content> = records.iter().filter_map(|record| record.get(&key)).collect();
    Some((key, time_format(&contents)?))
}

fn modified_by(records: &[Properties]) -> Option<String> {
    let named = keys(records, |content| matches!(content, Content::Null) || name(content).is_some());
    let words = [
        "modifiedby",
        "updatedby",
        "changedby",
        "userupdated",
        "usermodified",
        "lastmodifiedby",
        "modifieduser",
    ];
    likeliest(named, &words, false)
}

fn deleted(records: &[Properties]) -> Option<String> {
    let are_booleans = keys(records, |content| matches!(content, Content::Boolean(_)));
    likeliest(are_booleans, &["isdeleted", "deleted", "isarchived", "archived"], true)
}

/// How all of these are written, as `record.time` has it; `None` where they are no times.
pub(super) fn time_format(contents: &[&Content]) -> Option<String> {
    if contents.is_empty() {
        return None;
    }
    let read_all = |format: &str| {
        Times::parse(format).is_some_and(|times| contents.iter().all(|content| times.read(content).is_some()))
    };
    let number = |content: &&Content| match content {
        Content::Number(number) => Some(*number),
        Content::Text(text) => text.parse().ok(),
        _ => None,
    };
    if let Some(numbers) = contents.iter().map(number).collect::<Option<Vec<Decimal>>>() {
        // From 2001 on, in seconds and in milliseconds.
        let (seconds, milliseconds) = (Decimal::from(1_000_000_000), Decimal::from(1_000_000_000_000_i64));
        let format = match numbers.iter().min()? {
            least if *least >= milliseconds => "epoch-milliseconds",
            least if *least >= seconds => "epoch-seconds",
            _ => return None,
        };
        return Some(format.to_owned());
    }
    // RFC 3339 is read with a blank in its middle, and written with a T, which not every CRM compares to the blank.
    let has_t = |content: &&Content| content.as_text().is_some_and(|text| text.contains('T'));
    let rfc3339 = contents.iter().all(has_t).then_some("rfc3339");
    rfc3339.iter().chain(&PATTERNS).find(|format| read_all(format)).map(|format| (*format).to_owned())
}

/// How pages may follow one another, and where the next is told.
fn paging(body: &Content, headers: &HeaderMap) -> (Option<&'static str>, Option<String>) {
    if headers.contains_key(LINK) {
        return (Some("link"), None);
    }
    let Content::Object(properties) = body else { return (None, None) };
    let mut flat: Vec<(String, &Content)> = Vec::new();
    for (name, content) in properties {
        flat.push((name.clone(), content));
        if let Content::Object(inner) = content {
            flat.extend(inner.iter().map(|(inner, content)| (format!("{name}.{inner}"), content)));
        }
    }
    let last = |path: &str| plain(path.rsplit('.').next().unwrap_or(path));
    let is_told =
        |content: &Content| matches!(content, Content::Null | Content::Text(_) | Content::Number(_));
    for (path, content) in flat.iter().filter(|(_, content)| is_told(content)) {
        let word = last(path);
        let is_address =
            matches!(content, Content::Text(text) if text.starts_with("http") || text.starts_with('/'));
        if ["next", "nexturl", "nextlink", "nextpageurl", "odatanextlink"].contains(&word.as_str())
            && (is_address || word != "next" || matches!(content, Content::Null))
        {
            return (Some("next"), Some(path.clone()));
        }
        if ["nextcursor", "cursor", "after", "nextpagetoken", "next"].contains(&word.as_str()) {
            return (Some("cursor"), Some(path.clone()));
        }
    }
    let has = |words: &[&str]| flat.iter().any(|(path, _)| words.contains(&last(path).as_str()));
    if has(&["offset", "skip", "start"]) {
        (Some("offset"), None)
    } else if has(&["page", "perpage", "pagesize", "totalpages", "pagecount"]) {
        (Some("page"), None)
    } else {
        (None, None)
    }
}
