//! How lists come in parts, what changed, and what a search finds.

use std::collections::BTreeSet;

use model::{Content, Properties};

use super::{Kept, Line, absent, chain, count, keys::is_ordered, keys_of, said};
use crate::{
    Declaration,
    declaration::{Incremental, Paging, PagingStyle},
    probe::{
        Finding,
        sights::{Pages, Searched, Sight, by_id, ids, times},
    },
    record::same,
};

/// Sizes of a page that APIs have by themselves.
const USUAL_SIZES: [usize; 8] = [10, 20, 25, 30, 50, 100, 200, 250];

/// How a list comes in parts.
pub(super) fn paging(declaration: &Declaration, kept: &[Kept<'_>], pages: Option<&Pages>) -> Vec<Finding> {
    let paging = &declaration.paging;
    let line = || Line::new("paging.style", style(paging));
    if let Some(finding) = refused(declaration, kept) {
        return vec![finding];
    }
    if paging.style == PagingStyle::None {
        let suspect = kept.iter().find(|one| USUAL_SIZES.contains(&one.records.len()));
        return vec![match suspect {
            Some(one) => line().doubtful(format!(
                "{} shows exactly {} records, which looks like a page: if it has more, write how they are asked for",
                one.entity,
                one.records.len()
            )),
            None => line().holds("each collection comes at once"),
        }];
    }
    let Some(pages) = pages else {
        return vec![line().untried("no collection shows two records")];
    };
    let keys = kept.iter().find(|one| one.entity == pages.entity);
    let Some(record) = keys.map(|one| &one.collection.record) else { return Vec::new() };
    let Some(first) = pages.first.records(declaration) else {
        return vec![paging_size(paging, &pages.first)];
    };
    if let Some(size) = pages.size.filter(|size| first.len() > *size as usize) {
        let named = paging.size_parameter.clone().unwrap_or_default();
        return vec![Line::new("paging.size_parameter", &named).fails(format!(
            "a page of {size} was asked for, and {} came: write the parameter by which this CRM is told how many",
            count(first.len(), "record")
        ))];
    }
    let mut findings = vec![second(declaration, pages, &first, |records| {
        let known: BTreeSet<String> = ids(record, &first).into_iter().collect();
        ids(record, records).iter().filter(|id| known.contains(*id)).count()
    })];
    if let Some(size) = pages.size.filter(|size| first.len() == *size as usize) {
        let named = paging.size_parameter.clone().unwrap_or_default();
        let told = format!("a page of {size} holds {}", first.len());
        findings.push(Line::new("paging.size_parameter", &named).holds(told));
    }
    findings.push(beyond(declaration, kept, pages));
    findings
}

fn style(paging: &Paging) -> &'static str {
    match paging.style {
        PagingStyle::None => "none",
        PagingStyle::Cursor { .. } => "cursor",
        PagingStyle::Page { .. } => "page",
        PagingStyle::Offset { .. } => "offset",
        PagingStyle::Link => "link",
        PagingStyle::Next { .. } => "next",
    }
}

/// Where the CRM answers, but not to what a page is asked for with.
fn refused(declaration: &Declaration, kept: &[Kept<'_>]) -> Option<Finding> {
    let paging = &declaration.paging;
    let answered = |one: &&Kept<'_>| one.sight.bare.as_ref().is_some_and(|bare| bare.answer().is_some());
    let one = kept.iter().find(answered)?;
    if let Sight::Refused(refused) = &one.sight.all {
        let size = paging.size_parameter.as_deref().map(|name| format!("size_parameter = \"{name}\""));
        let parameter = match &paging.style {
            PagingStyle::Page { parameter, .. } => Some(format!("parameter = \"{parameter}\"")),
            _ => None,
        };
        let query = (!paging.query.is_empty()).then(|| "query".to_owned());
        let asked: Vec<String> = [size, parameter, query].into_iter().flatten().collect();
        return Some(Line::new("paging", style(paging)).fails(format!(
            "the CRM refuses a first page of {} ({}), and answers without its parameters: write {} as the CRM calls it, or \
             a smaller size",
            one.entity,
            said(refused),
            asked.join(", ")
        )));
    }
    let shown = one.sight.bare.as_ref().and_then(|bare| bare.records(declaration)).unwrap_or_default();
    if shown.is_empty() {
        return None;
    }
    match &paging.style {
        PagingStyle::Page { first, .. } => {
            Some(Line::new("paging.first", &first.to_string()).fails(format!(
                "the first page of {} is empty, and {} there without its parameters: write first = {}",
                one.entity,
                if shown.len() == 1 { "a record is" } else { "records are" },
                1 - first.min(&1)
            )))
        }
        _ => None,
    }
}

/// A page that was asked for and did not come.
fn paging_size(paging: &Paging, sight: &Sight) -> Finding {
    let line = Line::new("paging.size_parameter", paging.size_parameter.as_deref().unwrap_or_default());
    match sight {
        Sight::Refused(refused) => line.fails(format!(
            "the CRM refuses a smaller page ({}): write the parameter by which it is told how many",
            said(refused)
        )),
        Sight::Failed(error) => line.fails(chain(error)),
        Sight::Answer(_) => line.fails("the answer to a smaller page has no list where answer.list says"),
    }
}

/// What comes behind the first page.
fn second(
    declaration: &Declaration,
    pages: &Pages,
    first: &[Properties],
    repeated: impl Fn(&[Properties]) -> usize,
) -> Finding {
    let paging = &declaration.paging;
    let (key, named) = match &paging.style {
        PagingStyle::Cursor { parameter, .. }
        | PagingStyle::Page { parameter, .. }
        | PagingStyle::Offset { parameter } => ("paging.parameter", parameter.clone()),
        PagingStyle::Next { next } => ("paging.next", next.to_string()),
        PagingStyle::Link | PagingStyle::None => ("paging.style", style(paging).to_owned()),
    };
    let line = || Line::new(key, &named);
    match &pages.second {
        None if first.len() >= pages.total => {
            Line::new("paging.style", style(paging)).untried("no collection shows more than a page")
        }
        None => no_next(paging, pages),
        Some(Sight::Failed(error)) => line().fails(chain(error)),
        Some(Sight::Refused(refused)) => line().fails(format!(
            "the CRM refuses the page behind the first ({}): write the parameter by which it is asked for",
            said(refused)
        )),
        Some(sight) => match sight.records(declaration) {
            None => line().fails("the page behind the first has no list where answer.list says"),
            Some(records) if records.is_empty() => line().fails(format!(
                "behind a first page of {} nothing comes, though {} are there: write how this CRM is asked for the next page",
                first.len(),
                pages.total
            )),
            Some(records) => match repeated(&records) {
                0 => Line::new("paging.style", style(paging)).holds(format!(
                    "behind {} of {} a second page of {} follows and repeats nothing",
                    first.len(),
                    pages.entity,
                    records.len()
                )),
                again => line().fails(format!(
                    "the page behind the first repeats {again} of its records: the CRM does not know this parameter or \
                     keeps no order; write the parameter, or an order in paging.query"
                )),
            },
        },
    }
}

/// Where an answer does not say how to go on, though it should.
fn no_next(paging: &Paging, pages: &Pages) -> Finding {
    let body = pages.first.answer().and_then(|answer| answer.body.as_ref());
    match (&paging.style, body) {
        (PagingStyle::Cursor { next, .. } | PagingStyle::Next { next }, Some(Content::Object(body))) => {
            let keys = keys_of(std::slice::from_ref(body));
            let line = Line::new("paging.next", &next.to_string());
            if next.find(body).is_some() {
                return line.fails(format!(
                    "it holds nothing on a page with {} more behind it: write where the next page is told",
                    pages.total.saturating_sub(pages.size.unwrap_or(0) as usize)
                ));
            }
            line.fails(absent("the answer of a list", &next.to_string(), &keys))
        }
        (PagingStyle::Link, _) => Line::new("paging.style", "link").fails(
            "more records are there, and no header Link names the next page: write how this CRM tells it",
        ),
        _ => Line::new("paging.next", "")
            .fails("the answer of a list is no object, so that nothing can stand in it"),
    }
}

/// Whether a first page that is not full is the end.
fn beyond(declaration: &Declaration, kept: &[Kept<'_>], pages: &Pages) -> Finding {
    let paging = &declaration.paging;
    let line = Line::new("paging.size", &paging.size.to_string());
    let keys = kept.iter().find(|one| one.entity == pages.entity);
    let shown = keys.and_then(|one| Some((one, one.sight.all.records(declaration)?)));
    if let Some((one, all)) = &shown {
        if all.len() > paging.size as usize {
            let told = "a page holds more than was asked for: write how many, or size_parameter";
            return line.fails(format!("{}: {told}", count(all.len(), "record")));
        }
        if let Some(behind) = pages.beyond.as_ref().and_then(|beyond| beyond.records(declaration)) {
            let known = by_id(&one.collection.record, all);
            let new = ids(&one.collection.record, &behind);
            if new.iter().any(|id| !known.contains_key(id)) {
                return line.fails(format!(
                    "the CRM gives at most {} a page, and more are behind them, which would never be read: write size = {}",
                    count(all.len(), "record"),
                    all.len()
                ));
            }
        }
    }
    line.holds(match shown.map(|(_, all)| all.len()) {
        Some(shown) if shown == paging.size as usize => "a full page",
        _ => "more than there are, and nothing is behind them",
    })
}

/// How only what changed is read.
pub(super) fn incremental(declaration: &Declaration, kept: &[Kept<'_>]) -> Vec<Finding> {
    let Some(incremental) = &declaration.incremental else {
        let told = "nothing is declared: everything is read at each poll, and compared";
        return vec![Line::new("incremental", "").untried(told)];
    };
    let mut shown: Vec<(&Kept<'_>, usize, usize)> = Vec::new();
    for one in kept.iter().filter(|one| one.collection.is_incremental) {
        if one.sight.all.answer().is_none() {
            continue;
        }
        match changes(declaration, incremental, one) {
            Ok(Some((since, all))) => shown.push((one, since, all)),
            Ok(None) => {}
            Err(finding) => return vec![finding],
        }
    }
    let line = Line::new("incremental.parameter", &incremental.parameter);
    vec![match shown.iter().max_by_key(|(_, _, all)| *all) {
        None => line.untried("no record with a time of change was seen"),
        Some((one, since, all)) => line.holds(format!(
            "a read of {} since a time between shows {since} of {all}, none earlier; so it is in {}",
            one.entity,
            count(shown.len(), "collection")
        )),
    }]
}

/// How many of all records a read since a time shows, where both are right.
fn changes(
    declaration: &Declaration,
    incremental: &Incremental,
    one: &Kept<'_>,
) -> Result<Option<(usize, usize)>, Finding> {
    let record = &one.collection.record;
    let queried = || {
        let query: Vec<String> = incremental.query.iter().map(|(name, _)| name.clone()).collect();
        Line::new("incremental.query", &query.join(", "))
    };
    let all = match &one.sight.changes {
        Some(Sight::Refused(refused)) => {
            return Err(queried().fails(format!(
                "the CRM refuses a read of {} with these parameters ({}): write them as the CRM calls them",
                one.entity,
                said(refused)
            )));
        }
        Some(Sight::Failed(error)) => return Err(queried().fails(chain(error))),
        Some(sight) => sight.records(declaration).unwrap_or_default(),
        None => return Ok(None),
    };
    let Some(path) = &record.modified_at else { return Ok(None) };
    let is_unordered = incremental.is_ordered && !is_ordered(&all, path, &record.times);
    if is_unordered {
        let style = if declaration.paging.style.is_counted() {
            "ask for that order in incremental.query"
        } else {
            "ask for that order in incremental.query, or write ordered = false"
        };
        let told = format!(
            "the changes of {} do not come in the order of {path}, oldest first: {style}",
            one.entity
        );
        return Err(Line::new("incremental.ordered", "true").fails(told));
    }
    let Some((since, sight)) = &one.sight.since else { return Ok(None) };
    let line = || Line::new("incremental.parameter", &incremental.parameter);
    let records = match sight {
        Sight::Refused(refused) => {
            return Err(line().fails(format!(
                "the CRM refuses a read of {} since a time ({}): write the parameter and its value as the CRM has them",
                one.entity,
                said(refused)
            )));
        }
        Sight::Failed(error) => return Err(line().fails(chain(error))),
        Sight::Answer(_) => sight.records(declaration).unwrap_or_default(),
    };
    let earlier = times(record, &records).iter().filter(|time| *time < since).count();
    if earlier > 0 {
        return Err(line().fails(format!(
            "a read of {} since a time shows {} that were changed before it: the CRM does not know this parameter, or \
             reads its value otherwise; write them as the CRM has them, or leave [incremental] out",
            one.entity,
            count(earlier, "record")
        )));
    }
    // A page that is full may go on.
    let is_whole = all.len() < declaration.paging.size as usize;
    let known = by_id(record, &records);
    let later =
        all.iter().filter(|one| times(record, std::slice::from_ref(one)).iter().any(|time| time > since));
    let missed = by_id(record, &later.cloned().collect::<Vec<_>>());
    let missed = missed.keys().filter(|id| !known.contains_key(*id)).count();
    if is_whole && missed > 0 {
        return Err(line().fails(format!(
            "a read of {} since a time leaves out {} that were changed after it: write its value as the CRM reads it, and \
             how times are written as record.time",
            one.entity,
            count(missed, "record")
        )));
    }
    Ok(Some((records.len(), all.len())))
}

/// What searches find.
pub(super) fn search(declaration: &Declaration, searches: &[Searched]) -> Vec<Finding> {
    let Some(search) = &declaration.search else {
        let told = "nothing is declared: a search reads the whole collection";
        return vec![Line::new("search", "").untried(told)];
    };
    let line = || Line::new("search.parameter", &search.parameter.to_string());
    let (mut good, mut findings) = (Vec::new(), Vec::new());
    for searched in searches {
        let by = format!("{}.{}", searched.by.entity, searched.by.property);
        let Some(found) = &searched.found else { continue };
        let Some(collection) = declaration.collections.get(&searched.by.entity) else { continue };
        let records = match &found.sight {
            // What the CRM says may quote the value.
            Sight::Refused(refused) => {
                findings.push(line().fails(format!(
                    "the CRM refuses a search by {by} (status {}): write the parameter as the CRM has it, or let it be \
                     searched by that property",
                    refused.status
                )));
                continue;
            }
            Sight::Failed(error) => {
                findings.push(line().fails(chain(error)));
                continue;
            }
            Sight::Answer(_) => found.sight.records(declaration).unwrap_or_default(),
        };
        let others = records
            .iter()
            .filter(|record| found.path.find(record).is_none_or(|content| !same(content, &found.value)));
        let others = others.count();
        if others > 0 {
            findings.push(line().fails(format!(
                "a search by {by} finds {} that hold something else: the CRM does not know this parameter; write it as the \
                 CRM has it",
                count(others, "record")
            )));
        } else if !ids(&collection.record, &records).contains(&found.id) {
            findings.push(line().fails(format!(
                "a search by {by} does not find the record that it was taken from: write the parameter and its value as the \
                 CRM has them"
            )));
        } else {
            good.push(by);
        }
    }
    if findings.is_empty() && good.is_empty() {
        return vec![line().untried("no record was seen that has a value to search for")];
    }
    if !good.is_empty() {
        findings.push(line().holds(format!("finds the record by {}", good.join(", "))));
    }
    findings
}
