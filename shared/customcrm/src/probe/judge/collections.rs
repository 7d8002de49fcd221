//! What a collection says of its own, beside its path.

use model::{Content, Properties};
use rust_decimal::Decimal;

use super::{Kept, Line, absent, chain, count, keys_of};
use crate::{
    Declaration,
    declaration::{Lines, LinesStyle},
    path::Path,
    probe::{Finding, sights::Sight},
    record::name,
};

/// What became of each of these lines.
pub(super) fn all(declaration: &Declaration, one: &Kept<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let live: Vec<&Properties> =
        one.records.iter().filter(|record| !one.collection.record.tells_deleted(record)).collect();
    let of = |key: &str| format!("collections.{}.{key}", one.entity);
    if !live.is_empty() {
        let shape = &one.collection.shape;
        findings.extend(names(&of("names"), &shape.names, &live));
        findings.extend(numbers(&of("numbers_as_texts"), one, &live));
        findings.extend(one.collection.email.as_ref().map(|email| {
            let line = Line::new(&of("email"), &email.to_string());
            let found =
                live.iter().filter(|record| matches!(email.find(record), Some(Content::Text(_)))).count();
            if found > 0 {
                return line.holds(format!("in {found} of {}", live.len()));
            }
            let records: Vec<Properties> = live.iter().copied().cloned().collect();
            line.fails(format!(
                "people are known by their addresses, and none is there: {}",
                absent("a user", &email.to_string(), &keys_of(&records))
            ))
        }));
    }
    findings.extend(one.collection.lines.as_ref().map(|lines| match &lines.style {
        LinesStyle::Children { path, parent } => children(declaration, one, lines, path, parent),
        LinesStyle::Patched { .. } => inline(one, lines, "patched", &live),
        LinesStyle::Whole => inline(one, lines, "whole", &live),
    }));
    findings
}

/// Which of the declared names no record has.
fn names<'a>(
    line: &str,
    names: impl IntoIterator<Item = (&'a String, &'a Path)>,
    live: &[&Properties],
) -> Option<Finding> {
    let names: Vec<(&String, &Path)> = names.into_iter().collect();
    if names.is_empty() {
        return None;
    }
    let unseen: Vec<String> = names
        .iter()
        .filter(|(_, path)| live.iter().all(|record| path.find(record).is_none()))
        .map(|(_, path)| path.to_string())
        .collect();
    let line = Line::new(line, &count(names.len(), "name"));
    Some(if unseen.is_empty() {
        line.holds("each is a property of a record")
    } else {
        let records: Vec<Properties> = live.iter().copied().cloned().collect();
        let known = keys_of(&records);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let told: Vec<String> = unseen
            .iter()
            .map(|name| match files::nearest(name, &known) {
                Some(meant) => format!("{name} (did you mean {meant}?)"),
                None => name.clone(),
            })
            .collect();
        line.doubtful(format!("no record on the first page has {}", told.join(", ")))
    })
}

/// Whether what is declared as a number in a text is one.
fn numbers(line: &str, one: &Kept<'_>, live: &[&Properties]) -> Option<Finding> {
    let shape = &one.collection.shape;
    if shape.numbers_as_texts.is_empty() {
        return None;
    }
    let is_wrong = |ours: &&String| {
        let path = Path::parse(&shape.name(ours));
        live.iter().filter_map(|record| path.as_ref()?.find(record)).any(|content| match content {
            Content::Text(text) => !text.is_empty() && text.trim().parse::<Decimal>().is_err(),
            Content::Null => false,
            _ => true,
        })
    };
    let wrong: Vec<&str> = shape.numbers_as_texts.iter().filter(is_wrong).map(String::as_str).collect();
    let line = Line::new(line, &count(shape.numbers_as_texts.len(), "name"));
    Some(if wrong.is_empty() {
        line.holds("none holds anything else")
    } else {
        line.fails(format!("{} are no numbers in texts: take them out", wrong.join(", ")))
    })
}

/// Lines within their documents.
fn inline(one: &Kept<'_>, lines: &Lines, word: &str, live: &[&Properties]) -> Finding {
    let line = Line::new(&format!("collections.{}.lines", one.entity), word);
    if live.is_empty() {
        return line.untried("no record was seen");
    }
    let own = one.collection.shape.name(&lines.property);
    let (path, id) = (Path::parse(&own), Path::parse(&lines.shape.name(&lines.id)));
    let lists: Vec<&Vec<Content>> = live
        .iter()
        .filter_map(|record| match path.as_ref()?.find(record)? {
            Content::List(list) => Some(list),
            _ => None,
        })
        .collect();
    if lists.is_empty() {
        let records: Vec<Properties> = live.iter().copied().cloned().collect();
        return line.fails(format!(
            "lines are no list there: {}",
            absent("no record", &own, &keys_of(&records)).replacen("no record has no", "no record has", 1)
        ));
    }
    let all: Vec<&Properties> = lists
        .iter()
        .flat_map(|list| list.iter())
        .filter_map(|content| match content {
            Content::Object(line) => Some(line),
            _ => None,
        })
        .collect();
    let with_ids =
        all.iter().filter(|line| id.as_ref().and_then(|id| id.find(line)).and_then(name).is_some());
    let named = lines.shape.name(&lines.id);
    match (all.len(), with_ids.count(), &lines.style) {
        (0, _, _) => {
            line.untried(format!("{} of {} have a list, and no line is in any", lists.len(), live.len()))
        }
        (all, with, _) if all == with => {
            line.holds(format!("{} of {} documents have lines with {named}", lists.len(), live.len()))
        }
        (_, _, LinesStyle::Whole) => line.holds(format!(
            "{} of {} documents have lines; those without {named} get ids of ours",
            lists.len(),
            live.len()
        )),
        _ => {
            let keys = keys_of(&all.iter().copied().cloned().collect::<Vec<_>>());
            line.fails(format!("a line is changed by its id: {}", absent("a line", &named, &keys)))
        }
    }
}

/// Lines that are records of a collection of their own.
fn children(declaration: &Declaration, one: &Kept<'_>, lines: &Lines, path: &str, parent: &Path) -> Finding {
    let line = Line::new(&format!("collections.{}.lines", one.entity), path);
    let Some((document, sight)) = &one.sight.children else { return line.untried("no document was seen") };
    match sight {
        Sight::Failed(error) => line.fails(chain(error)),
        // What the CRM says may quote the document's id.
        Sight::Refused(refused) => line.fails(format!(
            "the CRM refuses to list the lines of a document (status {}): write their path, and where they name it as parent",
            refused.status
        )),
        Sight::Answer(_) => {
            let Some(all) = sight.records(declaration) else {
                return line.fails("the answer has no list where answer.list says");
            };
            if all.is_empty() {
                return line.untried("the document that was looked at has no lines");
            }
            let of_it = all
                .iter()
                .filter(|line| parent.find(line).and_then(name).is_some_and(|name| name == *document))
                .count();
            if of_it == 0 {
                return line.fails(format!(
                    "no line that a search for a document finds names it: {}",
                    absent("a line", &parent.to_string(), &keys_of(&all))
                ));
            }
            let id = lines.shape.name(&lines.id);
            let has_id = |line: &Properties| Path::parse(&id).and_then(|id| name(id.find(line)?)).is_some();
            if !all.iter().all(has_id) {
                return line.fails(absent("a line", &id, &keys_of(&all)));
            }
            line.holds(format!("{} of a document, each with {id}", count(of_it, "line")))
        }
    }
}
