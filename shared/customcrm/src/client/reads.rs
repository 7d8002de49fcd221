//! Reading: what changed, everything, one record, and what a search finds.

use contract::json::read_content;
use jiff::{SignedDuration, Timestamp};
use model::{Content, Presence, Properties, Record, RecordId, Version};
use reqwest::Method;
use store::Store;

use super::{CustomCrm, is_deleted};
use wire::Effect;

use crate::{
    ChangesCursor, Error,
    cursor::{Page, Rules},
    declaration::{Collection, Incremental, Lines, LinesStyle, Search},
    listing::{Place, records},
    record::{id, same, written},
    template::Template,
    times::Times,
};

/// A part of an incremental read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesPage {
    /// What was changed, oldest change first, deleted records among them. The same record may come again on a later
    /// page, with a greater version.
    pub records: Vec<Record>,
    /// Where to go on, once the records are safe.
    pub next: ChangesCursor,
    /// Whether more is there already; if not, ask again after a while.
    pub more: bool,
}

/// A part of a read of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPage {
    /// What is there.
    pub records: Vec<Record>,
    /// The mark of the next page; `None` at the end.
    pub next: Option<String>,
}

/// How a collection is read to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// By [`CustomCrm::changes`], which tells everything.
    Changes,
    /// By these too, but what is gone shows only in a pass over everything by [`CustomCrm::scan`].
    ChangesAndPasses {
        /// How often that is made.
        every: SignedDuration,
        /// Whether what a record holds must be compared there: lines that go change nothing else.
        compares: bool,
    },
    /// By passes alone.
    Passes,
}

/// A page of a list, before anything is made of its records.
pub(super) struct Listed {
    pub(super) records: Vec<Properties>,
    pub(super) next: Option<String>,
    /// The moment before it was read, where that stands for versions.
    pub(super) seen_at: Option<Version>,
}

impl<S: Store> CustomCrm<S> {
    /// What was changed in a collection since the cursor, at most `limit` records. A whole read begins with
    /// [`ChangesCursor::start`]. Fails where the CRM is declared to have no incremental read: then there is [`Self::scan`].
    pub async fn changes(
        &self,
        entity: &str,
        cursor: &ChangesCursor,
        limit: u32,
    ) -> Result<ChangesPage, Error> {
        let collection = self.collection(entity)?;
        let Some(incremental) = self.declaration.incremental.as_ref().filter(|_| collection.is_incremental)
        else {
            let what = "[incremental]".to_owned();
            return Err(Error::Undeclared { crm: self.declaration.crm.clone(), what });
        };
        let mut query = collection.query.clone();
        query.extend(incremental.query.iter().cloned());
        query.extend(self.since(collection, incremental, cursor.since())?);
        let listed = self.page(collection, &collection.path, &query, cursor.page(), limit).await?;
        let rules = Rules {
            overlap: incremental.overlap,
            is_counted: self.declaration.paging.style.is_counted(),
            settles: listed.seen_at.map(|_| ambient::now()),
        };
        let records = self.whole(collection, listed.records, listed.seen_at).await?;
        let (mut records, mut next, mut more) = cursor.after(Page { records, next: listed.next }, rules);
        if !more && let Some(Lines { style: LinesStyle::Children { path, parent }, .. }) = &collection.lines {
            let (changed, at, more_lines) = self
                .changed_children(collection, incremental, path, parent, &cursor.children(), limit)
                .await?;
            for document in changed {
                match self.record(entity, &document).await {
                    Ok(record) => records.push(record),
                    Err(Error::Gone { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            (next, more) = (next.with_children(at), more_lines);
        }
        Ok(ChangesPage { records, next, more })
    }

    /// How a collection is read.
    pub fn reading(&self, entity: &str) -> Reading {
        let Some(incremental) = &self.declaration.incremental else { return Reading::Passes };
        let Some(collection) = self.declaration.collections.get(entity) else { return Reading::Changes };
        if !collection.is_incremental {
            return Reading::Passes;
        }

        let compares = matches!(&collection.lines, Some(Lines { style: LinesStyle::Children { .. }, .. }));
        if collection.record.deleted.is_some() && !compares {
            return Reading::Changes;
        }
        Reading::ChangesAndPasses { every: incremental.scan_every, compares }
    }

    /// A record as it is now, or that it is gone, whether or not it ever was.
    pub async fn look(&self, entity: &str, id: &RecordId) -> Result<Record, Error> {
        let seen_at = self.moment(self.collection(entity)?).await?;
        match self.record(entity, id).await {
            Err(Error::Gone { .. }) => Ok(Record {
                id: id.clone(),
                version: seen_at,
                modified_by: None,
                modified_at: None,
                presence: Presence::Deleted,
                properties: Properties::new(),
            }),
            other => other,
        }
    }

    /// A page of everything that a collection holds, at most `limit` records; without a mark the first. What is changed
    /// meanwhile may move a record over the border of a page: one that is missed is no proof that it is gone.
    pub async fn scan(&self, entity: &str, mark: Option<&str>, limit: u32) -> Result<ScanPage, Error> {
        let collection = self.collection(entity)?;
        let mut query = collection.query.clone();
        query.extend(self.declaration.paging.query.iter().cloned());
        let listed = self.page(collection, &collection.path, &query, mark, limit).await?;

        let records = self.whole(collection, listed.records, listed.seen_at).await?;
        Ok(ScanPage { records, next: listed.next })
    }

    /// A record as it is now. One that was deleted comes as [`Presence::Deleted`]; one that never was (or was deleted so
    /// long ago that the CRM forgot it) is [`Error::Gone`].
    pub async fn record(&self, entity: &str, id: &RecordId) -> Result<Record, Error> {
        let collection = self.collection(entity)?;
        let seen_at = self.moment(collection).await?;
        let gone = || Error::Gone { collection: collection.path.clone(), record: id.clone() };
        if self.declaration.answer.is_searched {
            let properties = self.searched_for(collection, id).await?.ok_or_else(gone)?;
            return self.whole(collection, vec![properties], seen_at).await?.pop().ok_or_else(gone);
        }
        let request = self.transport.request(Method::GET, &collection.path, Some(id.as_str()));
        let request = request.query(&collection.query);
        let answer = self.transport.send(Effect::Read, request).await?;
        if is_deleted(&answer) {
            return Ok(Record {
                id: id.clone(),
                version: None,
                modified_by: None,
                modified_at: None,
                presence: Presence::Deleted,
                properties: Properties::new(),
            });
        }
        let answer = self.of_record(Effect::Read, collection, id, answer)?;
        let properties = self.in_answer(&answer.body)?;
        self.whole(collection, vec![properties], seen_at).await?.pop().ok_or_else(gone)
    }

    /// The record of this id, as a search finds it.
    async fn searched_for(
        &self,
        collection: &Collection,
        wanted: &RecordId,
    ) -> Result<Option<Properties>, Error> {
        let condition = vec![(collection.record.id.to_string(), wanted.as_str().to_owned())];
        let query =
            self.declaration.search.as_ref().map(|search| search.query(&condition)).unwrap_or_default();
        let listed = self.listed(collection, &query).await?;
        Ok(listed
            .into_iter()
            .find(|properties| id(&collection.record, properties).is_ok_and(|id| id == *wanted)))
    }

    /// The live records whose properties all have these values, texts whatever their case; all of them. Without a
    /// condition that is the whole collection.
    pub async fn search(&self, entity: &str, conditions: &[(&str, &Content)]) -> Result<Vec<Record>, Error> {
        let collection = self.collection(entity)?;
        let named: Vec<(String, String)> = conditions
            .iter()
            .filter_map(|(name, value)| Some((collection.shape.name(name), written(value)?)))
            .collect();
        let query = match &self.declaration.search {
            Some(search) => search.query(&named),
            None => Vec::new(),
        };
        let mut found = self.all(collection, &query).await?;
        // What the CRM did not judge, or judged more loosely, is judged here.
        found.retain(|record| {
            conditions
                .iter()
                .all(|(name, value)| record.properties.get(*name).is_some_and(|held| same(held, value)))
        });
        Ok(found)
    }

    /// All pages of a list, without what is deleted.
    pub(super) async fn all(
        &self,
        collection: &Collection,
        query: &[(String, String)],
    ) -> Result<Vec<Record>, Error> {
        let seen_at = self.moment(collection).await?;
        let listed = self.listed(collection, query).await?;
        let mut all = self.whole(collection, listed, seen_at).await?;
        all.retain(|record| record.presence == Presence::Present);
        Ok(all)
    }

    /// All pages of a list, before anything is made of its records.
    pub(super) async fn listed(
        &self,
        collection: &Collection,
        query: &[(String, String)],
    ) -> Result<Vec<Properties>, Error> {
        let mut query = query.to_vec();
        query.extend(collection.query.iter().cloned());
        let (mut all, mut mark) = (Vec::new(), None);
        loop {
            let size = self.declaration.paging.size;
            let page = self.page(collection, &collection.path, &query, mark.as_deref(), size).await?;
            all.extend(page.records);
            mark = page.next;
            if mark.is_none() {
                return Ok(all);
            }
        }
    }

    pub(super) async fn page(
        &self,
        collection: &Collection,
        path: &str,
        query: &[(String, String)],
        mark: Option<&str>,
        size: u32,
    ) -> Result<Listed, Error> {
        let seen_at = self.moment(collection).await?;
        let paging = &self.declaration.paging;
        let request = match paging.place(mark, size) {
            Place::Address(address) => self.transport.follow(&address)?,
            Place::Parameters(parameters) => {
                self.transport.request(Method::GET, path, None).query(query).query(&parameters)
            }
        };
        let answer = self.read(request).await?;
        let mut body = read_content(&answer.body).map_err(Error::NotARecord)?;
        let records = records(&self.declaration.answer, &mut body)?;
        let next = paging.next(mark, size, records.len(), &body, &answer.headers);
        Ok(Listed { records, next, seen_at })
    }

    /// The parameter by which only what changed is read; `None` from the beginning of all.
    pub(super) fn since(
        &self,
        collection: &Collection,
        incremental: &Incremental,
        since: Option<Timestamp>,
    ) -> Result<Option<(String, String)>, Error> {
        let Some(since) = since else { return Ok(None) };
        let unwritable = || Error::Undeclared {
            crm: self.declaration.crm.clone(),
            what: "a time that can be written".to_owned(),
        };
        incremental.since(&collection.record.times, since).ok_or_else(unwritable).map(Some)
    }
}

impl Incremental {
    /// The parameter by which what changed since this time is read; `None` where the time can't be written.
    pub(crate) fn since(&self, times: &Times, since: Timestamp) -> Option<(String, String)> {
        let since = times.write(since)?;
        Some((self.parameter.clone(), self.value.fill(&[("since", &since)])))
    }
}

impl Search {
    /// The parameters of a search by these properties, as the CRM calls them.
    pub(crate) fn query(&self, conditions: &[(String, String)]) -> Vec<(String, String)> {
        let said = |(property, value): &(String, String)| {
            let value = match &self.escape {
                Some(escape) => escaped(value, escape),
                None => value.clone(),
            };
            self.value.fill(&[("property", property), ("value", &value)])
        };
        let first = conditions.first().map_or("", |(property, _)| property);
        let mut query: Vec<(String, String)> = Vec::new();
        if !conditions.is_empty() {
            let other = |(name, text): &(String, Template)| (name.clone(), text.fill(&[("property", first)]));
            query.extend(self.query.iter().map(other));
        }
        if self.parameter.names("property") {
            let of = |condition: &(String, String)| {
                (self.parameter.fill(&[("property", &condition.0)]), said(condition))
            };
            query.extend(conditions.iter().map(of));
            return query;
        }

        let all: Vec<String> = match &self.join {
            Some(_) => conditions.iter().map(said).collect(),
            None => conditions.iter().take(1).map(said).collect(),
        };
        if !all.is_empty() {
            query.push((self.parameter.fill(&[]), all.join(self.join.as_deref().unwrap_or_default())));
        }
        query
    }
}

fn escaped(value: &str, escape: &str) -> String {
    let mut written = String::with_capacity(value.len());
    for character in value.chars() {
        if character == '"' || character == '\'' || character == '\\' {
            written.push_str(escape);
        }
        written.push(character);
    }
    written
}
