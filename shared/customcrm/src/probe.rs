//! A CRM held against its declaration, line by line, by reads alone.
//!
//! `sights` makes the calls, and each of them is a GET (but for the token of OAuth); `judge` says what they show, as plain
//! functions over what came back; `proposal` guesses from one answer what a declaration would say. Findings name lines of
//! the declaration and properties, and never a value that a record holds.

mod judge;
mod proposal;
mod sights;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use model::{Content, Properties};
use reqwest::Method;

pub use self::proposal::Proposal;
use self::sights::{Sight, Sights};
use crate::{Declaration, Error, Settings, declaration::Collection, transport::Transport};

/// What a line of a declaration came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line, with its sections: `record.version`.
    pub line: String,
    /// What it says.
    pub declared: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What was found and, where that is not as it should be, what to write.
    pub found: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The CRM is as it says.
    Holds,
    /// No read shows it, or nothing is there yet that would.
    Untried,
    /// It may be right, and somebody should look.
    Doubtful,
    /// The CRM is otherwise.
    Fails,
}

/// A property by which records are searched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchedBy {
    /// The entity, as pair files call it.
    pub entity: String,
    /// The property, as pair files call it.
    pub property: String,
}

/// What a CRM showed of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Line by line, in the order of a declaration.
    pub findings: Vec<Finding>,
    /// By entity the properties that any record on a first page has, as pair files call them, those of lines and objects
    /// behind a dot. An entity of which no record was seen is not there.
    pub seen: BTreeMap<String, BTreeSet<String>>,
}

/// Reads of a CRM what its declaration speaks of, and judges each line. Nothing is written.
///
/// # Errors
/// Only where no call can be made at all, because the settings can't make one.
pub async fn probe(
    settings: &Settings,
    declaration: &Declaration,
    searched: &BTreeSet<SearchedBy>,
) -> Result<Report, Error> {
    let sights = Sights::of(&Transport::new(settings, declaration, "")?, declaration, searched).await;
    Ok(Report { findings: judge::findings(declaration, &sights), seen: seen(declaration, &sights) })
}

/// Looks at the answer of one list, and proposes what a declaration may say of it. `declaration` says how to call.
///
/// # Errors
/// Where there is no answer, or none that is JSON.
pub async fn look(settings: &Settings, declaration: &Declaration, path: &str) -> Result<Proposal, Error> {
    let transport = Transport::new(settings, declaration, "")?;
    match sights::get(&transport, transport.request(Method::GET, path, None)).await {
        Sight::Answer(answer) => match &answer.body {
            Some(body) => Ok(Proposal::of(body, &answer.headers)),
            None => Err(Error::Unexpected { what: "is no JSON".to_owned() }),
        },
        Sight::Refused(refused) => Err(Error::Refused { status: refused.status, words: refused.words }),
        Sight::Failed(error) => Err(error),
    }
}

/// By entity what its records are seen to have, as pair files call it.
fn seen(declaration: &Declaration, sights: &Sights) -> BTreeMap<String, BTreeSet<String>> {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sight in &sights.collections {
        let Some(collection) = declaration.collections.get(&sight.entity) else { continue };
        for mut record in sight.records(declaration) {
            if collection.record.tells_deleted(&record) {
                continue;
            }
            collection.shape.read(&mut record);
            read_lines(collection, &mut record, sight.lines(declaration).unwrap_or_default());
            names(&record, "", seen.entry(sight.entity.clone()).or_default());
        }
    }
    seen
}

/// Gives a record its lines as pair files call them; `children` are those that stand elsewhere.
fn read_lines(collection: &Collection, record: &mut Properties, mut children: Vec<Properties>) {
    let Some(lines) = &collection.lines else { return };
    lines.read(record);
    if !children.is_empty() {
        for line in &mut children {
            lines.shape.read(line);
        }
        let children = children.into_iter().map(Content::Object).collect();
        record.insert(lines.property.clone(), Content::List(children));
    }
}

/// All names in a record, those within objects and lists behind a dot.
fn names(properties: &Properties, before: &str, found: &mut BTreeSet<String>) {
    for (name, content) in properties {
        let name = format!("{before}{name}");
        let inner: Vec<&Content> = match content {
            Content::List(list) => list.iter().collect(),
            other => vec![other],
        };
        for content in inner {
            if let Content::Object(properties) = content {
                names(properties, &format!("{name}."), found);
            }
        }
        found.insert(name);
    }
}
