//! The calls of a probe: reads, and what came of them, as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::json::{read_content, read_properties};
use jiff::{SignedDuration, Timestamp};
use model::{Content, Properties};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use tokio::time::sleep;

use super::SearchedBy;
use wire::Effect;

use crate::{
    Declaration, Error,
    declaration::{Collection, LinesStyle, Meaning, PagingStyle, RecordKeys, User},
    listing::{Place, records},
    path::Path,
    record::{name, written},
    transport::Transport,
};

/// The longest wait that the CRM is granted where it asks for one.
const WAIT_MAX: Duration = Duration::from_mins(1);
/// How often it may ask.
const WAITS_MAX: u32 = 3;

/// What came of a call.
#[derive(Debug)]
pub(super) enum Sight {
    /// A success.
    Answer(Answer),
    /// The CRM said no.
    Refused(Refused),
    /// There was no answer.
    Failed(Error),
}

/// A success.
#[derive(Debug)]
pub(super) struct Answer {
    /// `None`: it is no JSON.
    pub(super) body: Option<Content>,
    pub(super) headers: HeaderMap,
}

/// A refusal.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) meaning: Option<Meaning>,
    /// What the CRM said. It may quote what was asked for.
    pub(super) words: String,
    pub(super) body: Properties,
}

/// All that was seen.
#[derive(Debug, Default)]
pub(super) struct Sights {
    /// The call that tells who we are, where one is declared.
    pub(super) user: Option<Sight>,
    pub(super) collections: Vec<CollectionSights>,
    pub(super) pages: Option<Pages>,
    pub(super) searches: Vec<Searched>,
}

/// What was seen of a collection.
#[derive(Debug)]
pub(super) struct CollectionSights {
    pub(super) entity: String,
    /// The first page of everything.
    pub(super) all: Sight,
    /// The answer of its path alone, where the first page was refused or shows nothing.
    pub(super) bare: Option<Sight>,
    /// The first page of all changes.
    pub(super) changes: Option<Sight>,
    /// What changed since a time.
    pub(super) since: Option<(Timestamp, Sight)>,
    /// A record, by its id.
    pub(super) one: Option<(String, Sight)>,
    /// A record that is not there.
    pub(super) none: Option<Sight>,
    /// The lines of a document, by its id, where they are elsewhere.
    pub(super) children: Option<(String, Sight)>,
}

/// What was seen of two pages of one collection.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) entity: String,
    /// How many records were asked for; `None`: the CRM decides.
    pub(super) size: Option<u32>,
    /// How many there are at least.
    pub(super) total: usize,
    pub(super) first: Sight,
    pub(super) second: Option<Sight>,
    /// What stands behind a first page that was not full.
    pub(super) beyond: Option<Sight>,
}

/// A search for a record that is there.
#[derive(Debug)]
pub(super) struct Searched {
    pub(super) by: SearchedBy,
    /// `None`: no record was seen that has a value to search for.
    pub(super) found: Option<Found>,
}

#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) path: Path,
    pub(super) value: Content,
    pub(super) sight: Sight,
}

/// Sends a read; once more where the CRM asks to wait.
pub(super) async fn get(transport: &Transport, request: RequestBuilder) -> Sight {
    let mut waits = 0;
    loop {
        let again = request.try_clone().expect("a request without a body has a copy");
        let refused = |status: StatusCode, words: String, meaning| {
            Sight::Refused(Refused { status: status.as_u16(), meaning, words, body: Properties::new() })
        };
        let status = |status: u16| StatusCode::from_u16(status).unwrap_or_default();
        return match transport.send(Effect::Read, again).await {
            Ok(answer) if answer.status.is_success() => {
                Sight::Answer(Answer { body: read_content(&answer.body).ok(), headers: answer.headers })
            }
            Ok(answer) => {
                let words = match transport.refusal(Effect::Read, &answer) {
                    Error::Refused { words, .. } => words,
                    _ => String::new(),
                };
                let meaning = transport.meaning(Effect::Read, &answer);
                let body = read_properties(&answer.body).unwrap_or_default();
                Sight::Refused(Refused { status: answer.status.as_u16(), meaning, words, body })
            }
            Err(Error::Throttled { after }) if after <= WAIT_MAX && waits < WAITS_MAX => {
                waits += 1;
                sleep(after).await;
                continue;
            }
            Err(Error::Unauthorised { status: code, words }) => {
                refused(status(code), words, Some(Meaning::Auth))
            }
            Err(Error::Unavailable { status: code, words }) => {
                refused(status(code), words, Some(Meaning::Transient))
            }
            Err(Error::Refused { status: code, words }) => {
                refused(status(code), words, Some(Meaning::Rejected))
            }
            Err(error) => Sight::Failed(error),
        };
    }
}

impl Sights {
    /// Calls the CRM for all that its declaration speaks of. Ends at once where it does not let us in.
    pub(super) async fn of(
        transport: &Transport,
        declaration: &Declaration,
        searched: &BTreeSet<SearchedBy>,
    ) -> Self {
        let reader = Reader { transport, declaration };
        let mut sights = Self::default();
        if let User::Asked { path, .. } = &declaration.user {
            let sight = get(transport, transport.request(Method::GET, path, None)).await;
            let is_end = sight.keeps_out();
            sights.user = Some(sight);
            if is_end {
                return sights;
            }
        }
        for (entity, collection) in &declaration.collections {
            let sight = reader.collection(entity, collection).await;
            let is_end = sight.all.keeps_out();
            sights.collections.push(sight);
            if is_end {
                return sights;
            }
        }
        sights.pages = reader.pages(&sights.collections).await;
        for by in searched {
            if let Some(searched) = reader.search(by, &sights.collections).await {
                sights.searches.push(searched);
            }
        }
        sights
    }
}

impl Sight {
    /// Whether no other call will do better.
    pub(super) fn keeps_out(&self) -> bool {
        match self {
            Self::Answer(_) => false,
            Self::Refused(refused) => refused.status == 401,
            Self::Failed(error) => !matches!(error, Error::TooLarge { .. }),
        }
    }

    pub(super) fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answer(answer) => Some(answer),
            Self::Refused(_) | Self::Failed(_) => None,
        }
    }

    /// The records of a list's answer; `None` where it is none.
    pub(super) fn records(&self, declaration: &Declaration) -> Option<Vec<Properties>> {
        records(&declaration.answer, &mut self.answer()?.body.clone()?).ok()
    }
}

impl CollectionSights {
    /// All records that were seen, each once where it has an id: of the changes, and else of everything.
    pub(super) fn records(&self, declaration: &Declaration) -> Vec<Properties> {
        let changes = self.changes.as_ref().and_then(|changes| changes.records(declaration));
        let changes = changes.filter(|changes| !changes.is_empty());
        changes.or_else(|| self.all.records(declaration)).unwrap_or_default()
    }

    /// The lines that were seen where they are elsewhere.
    pub(super) fn lines(&self, declaration: &Declaration) -> Option<Vec<Properties>> {
        self.children.as_ref()?.1.records(declaration)
    }
}

struct Reader<'a> {
    transport: &'a Transport,
    declaration: &'a Declaration,
}

impl Reader<'_> {
    async fn collection(&self, entity: &str, collection: &Collection) -> CollectionSights {
        let paging = &self.declaration.paging;
        let all = self.list(&collection.path, &with(collection, &paging.query), None, paging.size).await;
        let shown = all.records(self.declaration).unwrap_or_default();
        let is_refused =
            matches!(&all, Sight::Refused(refused) if !matches!(refused.status, 401 | 403 | 404));
        let is_counted_empty = paging.style.is_counted() && shown.is_empty() && all.answer().is_some();
        let bare = if is_refused || is_counted_empty {
            let request = self.transport.request(Method::GET, &collection.path, None);
            Some(get(self.transport, request.query(&collection.query)).await)
        } else {
            None
        };
        let (changes, since) = self.changes(collection).await;
        let ids = ids(&collection.record, &shown);
        let one = match ids.first() {
            Some(id) => Some((id.clone(), self.one(collection, id).await)),
            None => None,
        };
        let none = match ids.first() {
            Some(id) => Some(self.one(collection, &absent(id)).await),
            None => None,
        };
        let children = match ids.first() {
            Some(id) => self.children(collection, id).await,
            None => None,
        };
        CollectionSights { entity: entity.to_owned(), all, bare, changes, since, one, none, children }
    }

    async fn changes(&self, collection: &Collection) -> (Option<Sight>, Option<(Timestamp, Sight)>) {
        let Some(incremental) = self.declaration.incremental.as_ref().filter(|_| collection.is_incremental)
        else {
            return (None, None);
        };
        let size = self.declaration.paging.size;
        let query = with(collection, &incremental.query);
        let changes = self.list(&collection.path, &query, None, size).await;
        let times = times(&collection.record, &changes.records(self.declaration).unwrap_or_default());
        let Some((since, parameter)) = middle(&collection.record, &times)
            .and_then(|since| Some((since, incremental.since(&collection.record.times, since)?)))
        else {
            return (Some(changes), None);
        };
        let mut query = query;
        query.push(parameter);
        let since = (since, self.list(&collection.path, &query, None, size).await);
        (Some(changes), Some(since))
    }

    /// One record, as it is looked up.
    async fn one(&self, collection: &Collection, id: &str) -> Sight {
        if let (true, Some(search)) = (self.declaration.answer.is_searched, &self.declaration.search) {
            let query = search.query(&[(collection.record.id.to_string(), id.to_owned())]);
            let size = self.declaration.paging.size;
            return self.list(&collection.path, &with(collection, &query), None, size).await;
        }
        let request = self.transport.request(Method::GET, &collection.path, Some(id));
        get(self.transport, request.query(&collection.query)).await
    }

    async fn children(&self, collection: &Collection, id: &str) -> Option<(String, Sight)> {
        let LinesStyle::Children { path, parent } = &collection.lines.as_ref()?.style else { return None };
        let query = self.declaration.search.as_ref()?.query(&[(parent.to_string(), id.to_owned())]);
        let size = self.declaration.paging.size;
        Some((id.to_owned(), self.list(path, &query, None, size).await))
    }

    /// Two pages of the collection that shows most.
    async fn pages(&self, collections: &[CollectionSights]) -> Option<Pages> {
        let paging = &self.declaration.paging;
        let count = |sight: &CollectionSights| sight.all.records(self.declaration).unwrap_or_default().len();
        let fullest = collections.iter().max_by_key(|sight| count(sight))?;
        let (total, collection) = (count(fullest), self.declaration.collections.get(&fullest.entity)?);
        if total < 2 || paging.style == PagingStyle::None {
            return None;
        }
        let query = with(collection, &paging.query);
        let wanted = u32::try_from(total - 1).unwrap_or(paging.size).min(paging.size);
        let size = paging.size_parameter.as_ref().map(|_| wanted);
        let first = self.list(&collection.path, &query, None, wanted).await;
        let mark = |sight: &Sight, size: u32| {
            let answer = sight.answer()?;
            let shown = sight.records(self.declaration)?.len();
            paging.next(None, size, shown, answer.body.as_ref()?, &answer.headers)
        };
        let second = match mark(&first, wanted) {
            Some(mark) => Some(self.list(&collection.path, &query, Some(&mark), wanted).await),
            None => None,
        };
        // Behind a page that is not full a counted list is taken to end.
        let is_short =
            paging.style.is_counted() && total < usize::try_from(paging.size).unwrap_or(usize::MAX);
        let beyond = match &paging.style {
            PagingStyle::Page { first, .. } if is_short => Some((first + 1).to_string()),
            PagingStyle::Offset { .. } if is_short => Some(total.to_string()),
            _ => None,
        };
        let beyond = match beyond {
            Some(mark) => Some(self.list(&collection.path, &query, Some(&mark), paging.size).await),
            None => None,
        };
        Some(Pages { entity: fullest.entity.clone(), size, total, first, second, beyond })
    }

    /// A search for a record that was seen; `None` where nothing is declared of it.
    async fn search(&self, by: &SearchedBy, collections: &[CollectionSights]) -> Option<Searched> {
        let search = self.declaration.search.as_ref()?;
        let collection = self.declaration.collections.get(&by.entity)?;
        let named = collection.shape.name(&by.property);
        let path = Path::parse(&named)?;
        let sight = collections.iter().find(|sight| sight.entity == by.entity)?;
        let shown = sight.all.records(self.declaration).unwrap_or_default();
        let held = shown.iter().find_map(|record| {
            let id = collection.record.id.find(record).and_then(name)?;
            let value = path.find(record)?;
            let text = written(value).filter(|text| !text.is_empty())?;
            (!collection.record.tells_deleted(record)).then(|| (id, value.clone(), text))
        });
        let found = match held {
            Some((id, value, text)) => {
                let query = with(collection, &search.query(&[(named, text)]));
                let sight = self.list(&collection.path, &query, None, self.declaration.paging.size).await;
                Some(Found { id, path, value, sight })
            }
            None => None,
        };
        Some(Searched { by: by.clone(), found })
    }

    async fn list(&self, path: &str, query: &[(String, String)], mark: Option<&str>, size: u32) -> Sight {
        let request = match self.declaration.paging.place(mark, size) {
            Place::Address(address) => match self.transport.follow(&address) {
                Ok(request) => request,
                Err(error) => return Sight::Failed(error),
            },
            Place::Parameters(parameters) => {
                self.transport.request(Method::GET, path, None).query(query).query(&parameters)
            }
        };
        get(self.transport, request).await
    }
}

/// What every call of a collection asks for, and this.
fn with(collection: &Collection, query: &[(String, String)]) -> Vec<(String, String)> {
    collection.query.iter().chain(query).cloned().collect()
}

/// The ids of records that are not deleted.
pub(super) fn ids(keys: &RecordKeys, records: &[Properties]) -> Vec<String> {
    let live = records.iter().filter(|record| !keys.tells_deleted(record));
    live.filter_map(|record| keys.id.find(record).and_then(name)).filter(|id| !id.is_empty()).collect()
}

/// By id when records were changed, as far as that can be read.
pub(super) fn times(keys: &RecordKeys, records: &[Properties]) -> Vec<Timestamp> {
    let time = |record: &Properties| keys.times.read(keys.modified_at.as_ref()?.find(record)?);
    records.iter().filter_map(time).collect()
}

/// A time, as the CRM can be told it, before which some of these are; in the middle of them where they differ.
pub(super) fn middle(keys: &RecordKeys, times: &[Timestamp]) -> Option<Timestamp> {
    let told = |time: Timestamp| keys.times.read(&Content::Text(keys.times.write(time)?));
    let earliest = *times.iter().min()?;
    let later: BTreeSet<Timestamp> =
        times.iter().filter_map(|time| told(*time)).filter(|time| *time > earliest).collect();
    if let Some(middle) = later.iter().nth(later.len().saturating_sub(1) / 2) {
        return Some(*middle);
    }
    [SignedDuration::from_secs(1), SignedDuration::from_hours(24)]
        .into_iter()
        .filter_map(|after| told(earliest.checked_add(after).ok()?))
        .find(|time| *time > earliest)
}

/// An id of the same form that no record is likely to have.
fn absent(id: &str) -> String {
    if id.bytes().all(|byte| byte.is_ascii_digit()) {
        return "999999999".to_owned();
    }
    let other = |letter: char| match letter {
        '0'..='9' => '9',
        'a'..='z' => 'f',
        'A'..='Z' => 'F',
        other => other,
    };
    id.chars().map(other).collect()
}

/// By id what a list shows.
pub(super) fn by_id(keys: &RecordKeys, records: &[Properties]) -> BTreeMap<String, Properties> {
    records.iter().filter_map(|record| Some((keys.id.find(record).and_then(name)?, record.clone()))).collect()
}
