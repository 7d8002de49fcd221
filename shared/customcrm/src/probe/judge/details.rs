//! Single records, refusals, limits, and what only a write shows.

use model::Content;
use reqwest::header::{ETAG, HeaderMap};

use super::{Kept, Line, absent, chain, count, keys_of};
use crate::{
    Declaration,
    declaration::{Lock, Meaning, UpdateMethod},
    probe::{
        Finding,
        sights::{Answer, Sight, ids},
    },
    record::{name, version},
};

/// How one record is looked up, and how it is said that one is not there.
pub(super) fn lookup(declaration: &Declaration, kept: &[Kept<'_>]) -> Vec<Finding> {
    let word = if declaration.answer.is_searched { "search" } else { "address" };
    let line = || Line::new("answer.lookup", word);
    let mut found = 0;
    for one in kept {
        let Some((id, sight)) = &one.sight.one else { continue };
        match shown(declaration, one, id, sight) {
            Ok(()) => found += 1,
            Err(finding) => return vec![finding],
        }
    }
    if found == 0 {
        return vec![line().untried("no record was seen")];
    }
    let there = line().holds(format!("a record is found by its id in {}", count(found, "collection")));
    let mut findings = vec![there];
    if declaration.answer.is_searched {
        return findings;
    }
    findings.extend(kept.iter().find_map(|one| absence(one)));
    findings
}

/// Whether a record is what its look-up shows.
fn shown(declaration: &Declaration, one: &Kept<'_>, id: &str, sight: &Sight) -> Result<(), Finding> {
    let line =
        || Line::new("answer.lookup", if declaration.answer.is_searched { "search" } else { "address" });
    let keys = &one.collection.record;
    match sight {
        Sight::Failed(error) => Err(line().fails(chain(error))),
        Sight::Refused(refused) => Err(line().fails(format!(
            "a record of {} that its list shows is refused when it is asked for itself (status {}): write id as the CRM has \
             it in addresses, or lookup = \"search\"",
            one.entity, refused.status
        ))),
        Sight::Answer(_) if declaration.answer.is_searched => {
            let records = sight.records(declaration).unwrap_or_default();
            if ids(keys, &records).iter().any(|found| found == id) {
                return Ok(());
            }
            Err(line().fails(format!("a search for the id of a record of {} does not find it", one.entity)))
        }
        Sight::Answer(answer) => {
            let Some(Content::Object(body)) = &answer.body else {
                return Err(line().fails("the answer about one record is no JSON object"));
            };
            let record = match &declaration.answer.record {
                None => Some(body),
                Some(path) => match path.find(body) {
                    Some(Content::Object(record)) => Some(record),
                    _ => None,
                },
            };
            if record.and_then(|record| keys.id.find(record)).and_then(name).is_some_and(|found| found == id) {
                return Ok(());
            }
            let holds_it = |(_, content): &(&String, &Content)| match content {
                Content::Object(inner) => keys.id.find(inner).and_then(name).is_some_and(|found| found == id),
                _ => false,
            };
            let declared = declaration.answer.record.as_ref().map_or_else(String::new, ToString::to_string);
            let remedy = match body.iter().find(holds_it) {
                Some((key, _)) => format!("write record = \"{key}\" in [answer]"),
                None if keys.id.find(body).is_some() => "leave answer.record out".to_owned(),
                None => {
                    let keys = keys_of(std::slice::from_ref(body));
                    format!("{}: write where it stands", absent("it", &keys_id(one), &keys))
                }
            };
            let told = format!("the answer about one record of {} does not show it there; {remedy}", one.entity);
            Err(Line::new("answer.record", &declared).fails(told))
        }
    }
}

fn keys_id(one: &Kept<'_>) -> String {
    one.collection.record.id.to_string()
}

/// What is said of a record that is not there.
fn absence(one: &Kept<'_>) -> Option<Finding> {
    let line = Line::new("errors.statuses", "");
    Some(match one.sight.none.as_ref()? {
        Sight::Failed(error) => line.fails(chain(error)),
        Sight::Answer(_) => line.untried("a record that is hardly there was answered"),
        Sight::Refused(refused) if refused.meaning == Some(Meaning::Gone) => {
            line.holds(format!("a record that is not there is answered with {}", refused.status))
        }
        Sight::Refused(refused) if refused.status == 403 => line.fails(
            "a record that is not there is answered with 403, as one that may not be seen: write lookup = \"search\" in [answer]",
        ),
        Sight::Refused(refused) => line.doubtful(format!(
            "an id that no record has is answered with {}, which does not say that it is gone; if the CRM means that, write \
             statuses = {{ \"{}\" = \"gone\" }} in [errors]",
            refused.status, refused.status
        )),
    })
}

/// What only a write shows.
pub(super) fn writes(declaration: &Declaration) -> Vec<Finding> {
    let create = if declaration.create.is_put { "put" } else { "post" };
    let update = match declaration.update.method {
        UpdateMethod::MergePatch => "merge-patch",
        UpdateMethod::JsonPatch => "json-patch",
        UpdateMethod::Put => "put",
    };
    let told = "only a write shows it, and nothing is written here";
    vec![Line::new("create.method", create).untried(told), Line::new("update.method", update).untried(told)]
}

/// How the CRM tells of changes by itself.
pub(super) fn webhooks(declaration: &Declaration) -> Finding {
    let line = Line::new("webhooks", "");
    line.untried(match declaration.webhooks {
        Some(_) => "only a notification shows it",
        None => "nothing is declared: changes are asked for",
    })
}

/// Whether a record's entity tag is its version.
pub(super) fn lock(declaration: &Declaration, kept: &[Kept<'_>]) -> Finding {
    let told = "only a write shows it, and nothing is written here";
    match declaration.lock {
        Lock::None => {
            Line::new("lock", "none").untried("a record is read and compared right before it is written")
        }
        Lock::VersionProperty => Line::new("lock", "version-property").untried(told),
        Lock::IfMatch => {
            let line = Line::new("lock", "if-match");
            let tagged = kept.iter().find_map(|one| {
                let (_, Sight::Answer(answer)) = one.sight.one.as_ref()? else { return None };
                let Some(Content::Object(body)) = &answer.body else { return None };
                let record = match &declaration.answer.record {
                    None => body,
                    Some(path) => match path.find(body)? {
                        Content::Object(record) => record,
                        _ => return None,
                    },
                };
                let version = version(one.collection.record.version.as_ref()?.find(record))?;
                let tag = answer.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
                Some((tag, format!("\"{}\"", version.0)))
            });
            match tagged {
                None => line.untried("no record with a version was seen"),
                Some((None, _)) => line.doubtful(
                    "a record comes without an ETag; If-Match is sent with its version all the same, and only a write shows \
                     whether the CRM heeds it",
                ),
                Some((Some(tag), version)) if tag.trim_start_matches("W/") == version => {
                    line.holds("a record's ETag is its version")
                }
                Some(_) => line.fails(
                    "a record's ETag is not its version, so that every write would be refused: write lock = \
                     \"version-property\", or \"none\"",
                ),
            }
        }
    }
}

/// Where the CRM says what is wrong.
pub(super) fn errors(declaration: &Declaration, kept: &[Kept<'_>]) -> Option<Finding> {
    let messages = &declaration.errors.message;
    if messages.is_empty() {
        return None;
    }
    let declared: Vec<String> = messages.iter().map(ToString::to_string).collect();
    let line = Line::new("errors.message", &declared.join(", "));
    let body = kept.iter().find_map(|one| match one.sight.none.as_ref()? {
        Sight::Refused(refused) if !refused.body.is_empty() => Some(&refused.body),
        _ => None,
    });
    Some(match body {
        None => line.untried("no refusal with a body was seen"),
        Some(body) if messages.iter().any(|path| path.find(body).is_some()) => {
            line.holds("it stands in the answer about a record that is not there")
        }
        Some(body) => line.doubtful(absent(
            "the answer about a record that is not there",
            &declared[0],
            &keys_of(std::slice::from_ref(body)),
        )),
    })
}

/// Which headers tell what is left.
pub(super) fn limits(declaration: &Declaration, kept: &[Kept<'_>]) -> Vec<Finding> {
    let answers: Vec<&Answer> = kept.iter().filter_map(|one| one.sight.all.answer()).collect();
    let limits = &declaration.limits;
    let judged = |key: &str, header: &Option<String>| {
        let header = header.as_ref()?;
        let line = Line::new(key, header);
        let first = answers.first()?;
        let number = |answer: &&Answer| {
            let told = answer.headers.get(header)?.to_str().ok()?;
            told.trim().parse::<i64>().ok()
        };
        Some(match (first.headers.get(header), number(first)) {
            (None, _) => line.fails(absent("an answer", header, &limit_headers(&first.headers))),
            (Some(_), None) => {
                line.fails("it holds no whole number: leave it out, and 429 with Retry-After will do")
            }
            (Some(_), Some(_)) => line.holds("it holds a number"),
        })
    };
    [
        judged("limits.remaining_header", &limits.remaining_header),
        judged("limits.reset_header", &limits.reset_header),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The headers that speak of limits; where none does, all.
fn limit_headers(headers: &HeaderMap) -> Vec<String> {
    let all: Vec<String> = headers.keys().map(ToString::to_string).collect();
    let limits: Vec<String> = all
        .iter()
        .filter(|name| ["limit", "remaining", "reset"].iter().any(|word| name.contains(word)))
        .cloned()
        .collect();
    if limits.is_empty() { all } else { limits }
}
