//! What was seen, held against what is declared. Pure.

mod collections;
mod details;
mod keys;
mod lists;

use model::{Content, Properties};

use super::{
    Finding, Verdict,
    proposal::lists_in,
    sights::{CollectionSights, Refused, Sight, Sights},
};
use crate::{
    Declaration,
    declaration::{Authentication, Collection, OAuthGrant, User},
    record::name,
};

/// Names of properties that are told, at most.
const TOLD_MAX: usize = 40;

/// A collection with the records that were seen of it.
struct Kept<'a> {
    entity: &'a str,
    collection: &'a Collection,
    sight: &'a CollectionSights,
    records: Vec<Properties>,
}

/// What each line of the declaration came to, in the order of the file.
pub(super) fn findings(declaration: &Declaration, sights: &Sights) -> Vec<Finding> {
    let kept: Vec<Kept<'_>> = sights
        .collections
        .iter()
        .filter_map(|sight| {
            let (entity, collection) = declaration.collections.get_key_value(&sight.entity)?;
            Some(Kept { entity, collection, sight, records: sight.records(declaration) })
        })
        .collect();
    let mut findings = vec![authentication(declaration, sights)];
    if findings[0].verdict == Verdict::Fails {
        return findings;
    }
    findings.extend(user(declaration, sights));
    findings.push(list(declaration, &kept));
    findings.extend(details::lookup(declaration, &kept));
    findings.extend(keys::all(declaration, &kept));
    findings.extend(lists::paging(declaration, &kept, sights.pages.as_ref()));
    findings.extend(lists::incremental(declaration, &kept));
    findings.extend(lists::search(declaration, &sights.searches));
    findings.extend(details::writes(declaration));
    findings.push(details::lock(declaration, &kept));
    findings.extend(details::errors(declaration, &kept));
    findings.extend(details::limits(declaration, &kept));
    findings.push(details::webhooks(declaration));
    for one in &kept {
        findings.push(path(declaration, one));
        findings.extend(collections::all(declaration, one));
    }
    findings
}

fn authentication(declaration: &Declaration, sights: &Sights) -> Finding {
    let scheme = match &declaration.authentication {
        Authentication::None => "none",
        Authentication::Header { header, prefix } if header == "authorization" && prefix == "Bearer " => {
            "bearer"
        }
        Authentication::Header { .. } => "header",
        Authentication::Basic => "basic",
        Authentication::OAuth { grant: OAuthGrant::ClientCredentials, .. } => "client-credentials",
        Authentication::OAuth { grant: OAuthGrant::RefreshToken, .. } => "refresh-token",
    };
    let line = Line::new("authentication.scheme", scheme);
    let calls = || sights.user.iter().chain(sights.collections.iter().map(|sight| &sight.all));
    let keeping_out = calls().find(|sight| sight.keeps_out());
    match keeping_out {
        None if calls().any(|sight| sight.answer().is_some()) => line.holds("let in"),
        None => line.doubtful("no call was answered with what it asks for: see the lines below"),
        Some(Sight::Refused(refused)) => line.fails(format!(
            "the CRM does not let us in ({}): set a valid secret in the connection's token_file, or write the scheme \
             that the CRM asks for",
            said(refused)
        )),
        Some(Sight::Failed(error)) => line.fails(chain(error)),
        Some(Sight::Answer(_)) => line.holds("let in"),
    }
}

fn user(declaration: &Declaration, sights: &Sights) -> Option<Finding> {
    let (path, id) = match &declaration.user {
        User::Unknown => {
            let line = Line::new("user", "");
            return Some(
                line.untried("nobody tells who we are: our own changes are known by what they hold"),
            );
        }
        User::Is(_) => return Some(Line::new("user.is", "").untried("taken as it is written")),
        User::Asked { path, id } => (path, id),
    };
    let line = Line::new("user.path", path);
    Some(match sights.user.as_ref()? {
        Sight::Failed(error) => line.fails(chain(error)),
        Sight::Refused(refused) => line.fails(format!(
            "the CRM refuses this call ({}): write the path of the call that tells who calls, or leave [user] out",
            said(refused)
        )),
        Sight::Answer(answer) => match &answer.body {
            Some(Content::Object(body)) => match id.find(body).and_then(name) {
                Some(user) => line.holds(format!("we are user {user}")),
                None => Line::new("user.id", &id.to_string()).fails(absent(
                    "the answer",
                    &id.to_string(),
                    &keys_of(std::slice::from_ref(body)),
                )),
            },
            _ => line.fails("the answer is no JSON object: write the path of the call that tells who calls"),
        },
    })
}

/// Where the list stands in the answers of all collections.
fn list(declaration: &Declaration, kept: &[Kept<'_>]) -> Finding {
    let declared = declaration.answer.list.as_ref();
    let line = Line::new("answer.list", &declared.map_or_else(String::new, ToString::to_string));
    let answered: Vec<&Kept<'_>> = kept.iter().filter(|one| one.sight.all.answer().is_some()).collect();
    let wrong: Vec<&&Kept<'_>> =
        answered.iter().filter(|one| one.sight.all.records(declaration).is_none()).collect();
    match (answered.first(), wrong.first()) {
        (None, _) => line.untried("no collection answered"),
        (_, None) => line.holds(match declared {
            Some(_) => format!("a list of records in {}", count(answered.len(), "collection")),
            None => format!("the answer is the list in {}", count(answered.len(), "collection")),
        }),
        (_, Some(one)) => {
            let body = one.sight.all.answer().and_then(|answer| answer.body.as_ref());
            let places = body.map(lists_in).unwrap_or_default();
            let remedy = match (body, places.first()) {
                (None, _) => {
                    "the answer is no JSON: check the connection's url, which is the address of the API"
                        .to_owned()
                }
                (_, None) => format!(
                    "no list of records is in it: check the path of {} and the connection's url",
                    one.entity
                ),
                (_, Some(place)) if place.is_empty() => {
                    "the answer itself is the list: leave answer.list out".to_owned()
                }
                (_, Some(place)) => format!("write list = \"{place}\" in [answer]"),
            };
            let entities = wrong.iter().map(|one| one.entity).collect::<Vec<_>>().join(", ");
            line.fails(format!("no list stands there in the answer of {entities}; {remedy}"))
        }
    }
}

fn path(declaration: &Declaration, one: &Kept<'_>) -> Finding {
    let line = Line::new(&format!("collections.{}.path", one.entity), &one.collection.path);
    match &one.sight.all {
        Sight::Answer(_) => match one.sight.all.records(declaration) {
            None => line.fails("its answer has no list where answer.list says"),
            Some(records) if records.is_empty() => line.doubtful(
                "the list is empty: make a record, so that what stands in it can be checked",
            ),
            Some(records) => line.holds(format!("{} on the first page", count(records.len(), "record"))),
        },
        Sight::Refused(refused) if refused.status == 404 => line.fails(format!(
            "the CRM has nothing there ({}): write the path at which it lists its {}, or leave the collection out",
            said(refused),
            one.entity
        )),
        Sight::Refused(refused) if refused.status == 403 => line.fails(format!(
            "we may not read it ({}): give our user the right to, or write another path",
            said(refused)
        )),
        Sight::Refused(_) if one.sight.bare.as_ref().is_some_and(|bare| bare.answer().is_some()) => {
            line.doubtful("it answers, but not as pages are asked for: see paging")
        }
        Sight::Refused(refused) => {
            line.fails(format!("the CRM refuses to list it ({}): check the path and its query", said(refused)))
        }
        Sight::Failed(error) => line.fails(chain(error)),
    }
}

/// A line that is about to be judged.
struct Line {
    line: String,
    declared: String,
}

impl Line {
    fn new(line: &str, declared: &str) -> Self {
        Self { line: line.to_owned(), declared: declared.to_owned() }
    }

    fn finding(self, verdict: Verdict, found: impl Into<String>) -> Finding {
        Finding { line: self.line, declared: self.declared, verdict, found: found.into() }
    }

    fn holds(self, found: impl Into<String>) -> Finding {
        self.finding(Verdict::Holds, found)
    }

    fn untried(self, why: impl Into<String>) -> Finding {
        self.finding(Verdict::Untried, why)
    }

    fn doubtful(self, why: impl Into<String>) -> Finding {
        self.finding(Verdict::Doubtful, why)
    }

    fn fails(self, why: impl Into<String>) -> Finding {
        self.finding(Verdict::Fails, why)
    }
}

/// That something has no property of this name, with the names that there are.
fn absent(what: &str, name: &str, known: &[String]) -> String {
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    if names.is_empty() {
        return format!("{what} has no {name:?}, and nothing else either");
    }
    let told = match names.get(..TOLD_MAX) {
        Some(first) if names.len() > TOLD_MAX => format!("{} ...", first.join(", ")),
        _ => names.join(", "),
    };
    let meant = files::nearest(name, &names);
    let asked = meant.map(|meant| format!(" - did you mean {meant}?")).unwrap_or_default();
    format!("{what} has no {name:?}; there are: {told}{asked}")
}

/// The names of what stands in any of these, those within objects behind a dot.
fn keys_of(records: &[Properties]) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, content) in records.iter().flatten() {
        match content {
            Content::Object(inner) => keys.extend(inner.keys().map(|inner| format!("{name}.{inner}"))),
            _ => keys.push(name.clone()),
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// The status and what was said with it.
fn said(refused: &Refused) -> String {
    format!("{}: {}", refused.status, refused.words)
}

fn chain(error: &crate::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

fn count(number: usize, of: &str) -> String {
    if number == 1 { format!("1 {of}") } else { format!("{number} {of}s") }
}
