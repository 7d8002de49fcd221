//! What each record tells of itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{Content, Properties, UserId};

use super::{Kept, Line, absent, count, keys_of};
use crate::{
    Declaration,
    declaration::RecordKeys,
    path::Path,
    probe::{Finding, proposal},
    record::{name, version},
    times::Times,
};

/// What is declared of records: `[record]`, and what collections say otherwise.
pub(super) fn all(declaration: &Declaration, kept: &[Kept<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for group in groups("id", kept, |keys| Some(&keys.id)) {
        findings.push(group.judge(id));
    }
    for group in groups("version", kept, |keys| keys.version.as_ref()) {
        findings.push(group.judge(whole));
    }
    findings.extend(times(declaration, kept));
    for group in groups("modified_by", kept, |keys| keys.modified_by.as_ref()) {
        findings.push(group.judge_some());
    }
    findings.extend(deleted(kept));
    findings
}

/// Collections in which the same stands at the same place.
struct Group<'a, 'k> {
    line: String,
    path: &'k Path,
    kept: Vec<&'k Kept<'a>>,
}

/// What is wrong with what stands somewhere.
type Judge = fn(&Content) -> Result<&'static str, &'static str>;

/// The collections by where a key is declared. What most have is said in `[record]`.
fn groups<'a, 'k>(
    key: &str,
    kept: &'k [Kept<'a>],
    path: fn(&RecordKeys) -> Option<&Path>,
) -> Vec<Group<'a, 'k>> {
    let mut by_path: BTreeMap<String, (&Path, Vec<&'k Kept<'a>>)> = BTreeMap::new();
    for one in kept {
        if let Some(path) = path(&one.collection.record) {
            by_path.entry(path.to_string()).or_insert_with(|| (path, Vec::new())).1.push(one);
        }
    }
    let mut groups: Vec<_> = by_path.into_values().collect();
    groups.sort_by_key(|(_, kept)| std::cmp::Reverse(kept.len()));
    let line = |index: usize, entity: &str| match index {
        0 => format!("record.{key}"),
        _ => format!("collections.{entity}.record.{key}"),
    };
    groups
        .into_iter()
        .enumerate()
        .map(|(index, (path, kept))| {
            let line = line(index, kept.first().map_or("", |one| one.entity));
            Group { line, path, kept }
        })
        .collect()
}

impl Group<'_, '_> {
    fn line(&self) -> Line {
        Line::new(&self.line, &self.path.to_string())
    }

    fn records(&self) -> impl Iterator<Item = &Properties> {
        self.kept.iter().flat_map(|one| &one.records)
    }

    fn entities(&self, fits: impl Fn(&Properties) -> bool) -> String {
        let of = self.kept.iter().filter(|one| one.records.iter().any(&fits)).map(|one| one.entity);
        of.collect::<Vec<_>>().join(", ")
    }

    /// What is to be in all records.
    fn judge(&self, judge: Judge) -> Finding {
        let total = self.records().count();
        if total == 0 {
            return self.line().untried("no record was seen");
        }
        let found = self.records().filter(|record| self.path.find(record).is_some()).count();
        if found < total {
            return self.missing(found, total);
        }
        let is_wrong =
            |record: &Properties| self.path.find(record).is_some_and(|content| judge(content).is_err());
        let problem = self.records().find_map(|record| judge(self.path.find(record)?).err());
        match problem {
            None => {
                let kind = self.records().find_map(|record| judge(self.path.find(record)?).ok());
                self.line().holds(format!("in all {total}{}", kind.unwrap_or_default()))
            }
            Some(problem) => {
                let wrong = self.records().filter(|record| is_wrong(record)).count();
                let of = self.entities(is_wrong);
                self.line().fails(format!("in {wrong} of {total} ({of}) it is {problem}"))
            }
        }
    }

    /// What is to be in some.
    fn judge_some(&self) -> Finding {
        let total = self.records().count();
        let found = self.records().filter(|record| {
            let name = self.path.find(record).and_then(name);
            name.is_some_and(|name| UserId::parse(&name).is_ok())
        });
        match (found.count(), total) {
            (_, 0) => self.line().untried("no record was seen"),
            (0, _) => self.missing(0, total),
            (found, total) if found == total => self.line().holds(format!("in all {total}")),
            (found, total) => self.line().holds(format!("in {found} of {total}")),
        }
    }

    fn missing(&self, found: usize, total: usize) -> Finding {
        let path = self.path.to_string();
        if found > 0 {
            let of = self.entities(|record| self.path.find(record).is_none());
            return self.line().fails(format!(
                "{} of {total} records lack it, of {of}: write what all of them have, there or under their own \
                 collection's record",
                total - found
            ));
        }
        let records: Vec<Properties> = self.records().cloned().collect();
        let what =
            absent("no record", &path, &keys_of(&records)).replacen("no record has no", "no record has", 1);
        let guess = match self.line.rsplit('.').next() {
            _ if what.contains("did you mean") => None,
            Some("id") => proposal::id(&records),
            Some("version") => proposal::version(&records),
            Some("modified_at") => proposal::modified_at(&records).map(|(path, _)| path),
            _ => None,
        };
        let guess = guess.map(|guess| format!(" - did you mean {guess}?")).unwrap_or_default();
        self.line().fails(format!("{what}{guess}"))
    }
}

fn id(content: &Content) -> Result<&'static str, &'static str> {
    match name(content) {
        Some(id) if !id.is_empty() => Ok(""),
        _ => Err("no id, which is a text or a whole number: write where the id stands"),
    }
}

fn whole(content: &Content) -> Result<&'static str, &'static str> {
    let wrong = "no whole number: leave version out, and moments of reads stand for it";
    version(Some(content)).map(|_| ", whole numbers").ok_or(wrong)
}

/// When records were changed, and how that is written.
fn times(declaration: &Declaration, kept: &[Kept<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for group in groups("modified_at", kept, |keys| keys.modified_at.as_ref()) {
        let total = group.records().count();
        let contents: Vec<&Content> = group.records().filter_map(|record| group.path.find(record)).collect();
        if total == 0 {
            findings.push(group.line().untried("no record was seen"));
            continue;
        }
        if contents.len() < total {
            findings.push(group.missing(contents.len(), total));
            continue;
        }
        let unread = |one: &Kept<'_>| {
            let times = &one.collection.record.times;
            let is_unread = |record: &&Properties| {
                group.path.find(record).is_none_or(|content| times.read(content).is_none())
            };
            one.records.iter().filter(is_unread).count()
        };
        let wrong: usize = group.kept.iter().map(|one| unread(one)).sum();
        let format = group.kept.first().map_or("rfc3339", |one| one.collection.record.times.word());
        if wrong > 0 {
            let line = Line::new(&group.line.replacen("modified_at", "time", 1), format);
            let remedy = match proposal::time_format(&contents) {
                Some(format) => format!("they are written otherwise: write time = \"{format}\""),
                None if contents.iter().any(|content| matches!(content, Content::Null)) => {
                    "some are null: name a property that each record has from the beginning".to_owned()
                }
                None => "write how the CRM writes times, as in time = \"%Y-%m-%d %H:%M:%S\"".to_owned(),
            };
            findings.push(
                line.fails(format!("{wrong} of {total} values of {} can't be read so; {remedy}", group.path)),
            );
            continue;
        }
        let are_ordered = declaration.incremental.as_ref().is_some_and(|incremental| incremental.is_ordered)
            && group
                .kept
                .iter()
                .all(|one| is_ordered(&one.records, group.path, &one.collection.record.times));
        let ordered = if are_ordered { ", ordered" } else { "" };
        findings.push(group.line().holds(format!("in all {total}, {format}{ordered}")));
    }
    findings
}

/// Whether these come in the order of their changes.
pub(super) fn is_ordered(records: &[Properties], path: &Path, times: &Times) -> bool {
    let times: Vec<Timestamp> = records.iter().filter_map(|record| times.read(path.find(record)?)).collect();
    times.is_sorted()
}

/// What tells that a record is deleted.
fn deleted(kept: &[Kept<'_>]) -> Vec<Finding> {
    let groups = groups("deleted", kept, |keys| keys.deleted.as_ref().map(|(path, _)| path));
    if groups.is_empty() {
        let told = "no property tells it: what is gone shows when everything is read";
        return vec![Line::new("record.deleted", "").untried(told)];
    }
    let finding = |group: Group<'_, '_>| {
        let total = group.records().count();
        let found = group.records().filter(|record| group.path.find(record).is_some()).count();
        let told: usize = group
            .kept
            .iter()
            .map(|one| {
                one.records.iter().filter(|record| one.collection.record.tells_deleted(record)).count()
            })
            .sum();
        let line = group.line();
        match (total, found, told) {
            (0, _, _) => line.untried("no record was seen"),
            (_, 0, _) => group.missing(0, total),
            (_, _, 0) => line.untried(format!(
                "in {found} of {total}, none of which is deleted: delete a record that nobody needs, and check again"
            )),
            _ => line.holds(format!("{} shown as deleted, of {total}", count(told, "record"))),
        }
    };
    groups.into_iter().map(finding).collect()
}
