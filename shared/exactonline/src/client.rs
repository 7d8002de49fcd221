//! The calls: reading feeds, finding, writing.

mod call;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use contract::json::write_properties;
use jiff::{SignedDuration, Timestamp};
use model::{Content, Presence, Properties, Record, RecordId, UserId};
use reqwest::Method;
use rust_decimal::prelude::ToPrimitive as _;
use store::Store;
use url::Url;

use self::call::Call;
use crate::{
    ChangesCursor, Error, Priority, Settings, endpoint_rest::EndpointRest, grant::Grant, odata, quota::Quota,
    settings::Clock, transport::Transport,
};

/// The offset of the server's clock is not known yet.
const OFFSET_UNKNOWN: i64 = i64::MIN;

/// A kind of record: where it is read and written, and the property that is its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource<'a> {
    /// The path behind the division, such as `crm/Accounts`.
    pub path: &'a str,
    /// The key, such as `ID`; always a GUID.
    pub key: &'a str,
}

/// Whose token it is, and where it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The user whose changes are ours.
    pub user: UserId,
    /// The division that the user works in at present, which may be another than that of the connection.
    pub current_division: u64,
    /// How far the server's wall clock is ahead of UTC now.
    pub server_offset: SignedDuration,
}

/// A part of an incremental read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesPage {
    /// What was changed, with only the properties that were asked for and those that every record has.
    pub records: Vec<Record>,
    /// Where to go on, once the records are safe.
    pub next: ChangesCursor,
    /// Whether more is there already; if not, ask again after a while.
    pub more: bool,
}

/// A record that the feed of deletions names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedRecord {
    /// The kind of record by Exact's number, such as 2 for accounts.
    pub entity_type: u64,
    /// The record: deleted, at the row version of its deletion, by whom where that is told.
    pub record: Record,
}

/// A part of the feed of deletions, which Exact keeps for two months.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedPage {
    /// What was deleted, of all kinds.
    pub deleted: Vec<DeletedRecord>,
    /// Where to go on, once the deletions are safe.
    pub next: ChangesCursor,
    /// Whether more is there already.
    pub more: bool,
}

/// A client of one division. Clones share its connections, grant and budgets, as do all clients of the same
/// connection on the same store.
#[derive(Clone)]
pub struct ExactOnline<S> {
    settings: Settings,
    transport: Transport,
    grant: Grant<S>,
    quota: Quota<S>,
    rest: EndpointRest<S>,
    /// Seconds, as `me` last told; approximate dates only hang on it.
    server_offset: Arc<AtomicI64>,
}

impl<S: Store> ExactOnline<S> {
    /// A client with these settings, which shares what must be shared through this store. Makes no call yet.
    pub fn new(settings: Settings, store: S) -> Result<Self, Error> {
        Self::with_clock(settings, store, Timestamp::now)
    }

    /// The same, with the ages of tokens and the ends of limits taken from this clock instead of the system's. The
    /// store should have the same.
    pub fn with_clock(
        settings: Settings,
        store: S,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        if settings.url.cannot_be_a_base() || !matches!(settings.url.scheme(), "http" | "https") {
            return Err(Error::Settings { what: "the address must begin with http:// or https://" });
        }
        let clock: Clock = Arc::new(clock);
        let transport = Transport::new(&settings)?;
        Ok(Self {
            grant: Grant::new(&settings, store.clone(), transport.clone(), Arc::clone(&clock)),
            quota: Quota::new(&settings, store.clone(), Arc::clone(&clock)),
            rest: EndpointRest::new(&settings, store, clock),
            transport,
            settings,
            server_offset: Arc::new(AtomicI64::new(OFFSET_UNKNOWN)),
        })
    }

    /// Whose token it is. From then on records tell when they were changed, where `Modified` is asked for.
    pub async fn me(&self) -> Result<Me, Error> {
        let url = self.everywhere("current/Me", "$select=UserID,CurrentDivision,ServerUtcOffset");
        let body = self.perform(Call::everywhere(url, "current/Me")).await?;
        let first =
            odata::page(&body)?.records.first().map(|raw| odata::properties(raw.get())).transpose()?;
        let properties = first.unwrap_or_default();
        let missing =
            |property: &str| Error::Unexpected { what: format!("about the user has no {property}") };
        let user = odata::text(&properties, "UserID").and_then(|text| UserId::parse(text).ok());
        let offset = match properties.get("ServerUtcOffset") {
            Some(Content::Number(seconds)) => seconds.to_i64(),
            _ => None,
        };
        let offset =
            offset.filter(|seconds| seconds.abs() <= 86_400).ok_or_else(|| missing("ServerUtcOffset"))?;
        let me = Me {
            user: user.ok_or_else(|| missing("UserID"))?,
            current_division: odata::integer(&properties, "CurrentDivision")
                .ok_or_else(|| missing("CurrentDivision"))?,
            server_offset: SignedDuration::from_secs(offset),
        };
        self.server_offset.store(offset, Ordering::Relaxed);
        Ok(me)
    }

    /// What was changed in a sync feed (such as `CRM/Accounts`) since the cursor, up to 1,000 records; pages of one
    /// round are to be read one after the other. A whole read begins with [`ChangesCursor::start`]. What is deleted
    /// does not show here but in [`Self::deleted`].
    pub async fn changes(
        &self,
        feed: &str,
        select: &[&str],
        cursor: &ChangesCursor,
        priority: Priority,
    ) -> Result<ChangesPage, Error> {
        let select = selected(select, &["ID", "Timestamp", "Modifier"]);
        let (records, next) = self.feed(&format!("sync/{feed}"), &select, cursor, priority).await?;
        let records = self.records(&records, "ID")?;
        if records.iter().any(|record| record.version.is_none()) {
            return Err(Error::Unexpected { what: "has a record without Timestamp".to_owned() });
        }
        let more = next.is_some();
        let (records, next) = cursor.after(records, |record| record, next, self.settings.overlap);
        Ok(ChangesPage { records, next, more })
    }

    /// What was deleted since the cursor, of all kinds. Exact keeps this for two months.
    pub async fn deleted(&self, cursor: &ChangesCursor, priority: Priority) -> Result<DeletedPage, Error> {
        let select = "EntityKey,EntityType,Timestamp,DeletedBy";
        let (rows, next) = self.feed("sync/Deleted", select, cursor, priority).await?;
        let deleted = rows.iter().map(|row| deleted_record(row)).collect::<Result<_, _>>()?;
        let more = next.is_some();
        let overlap = self.settings.overlap;
        let (deleted, next) = cursor.after(deleted, |row: &DeletedRecord| &row.record, next, overlap);
        Ok(DeletedPage { deleted, next, more })
    }

    /// All records that a filter finds. Values in it must be literals: [`text_literal`](crate::text_literal),
    /// [`guid_literal`](crate::guid_literal). They have no version: only sync feeds tell row versions.
    pub async fn find(
        &self,
        resource: Resource<'_>,
        filter: &str,
        select: &[&str],
        priority: Priority,
    ) -> Result<Vec<Record>, Error> {
        let select = selected(select, &[resource.key, "Modifier"]);
        let query = format!("$select={}&$filter={}", in_query(&select), in_query(filter));
        let mut url = self.in_division(resource.path, &query);
        let mut found = Vec::new();
        loop {
            let body = self.perform(Call::read(url, resource.path, priority)).await?;
            let page = odata::page(&body)?;
            for raw in &page.records {
                found.push(odata::record(raw.get(), resource.key, self.server_offset())?);
            }
            match self.next(page.next)? {
                Some(next) => url = next,
                None => return Ok(found),
            }
        }
    }

    /// A record as it is now, or [`Error::Gone`]. It is searched by its id, because a lookup of what is gone would
    /// count as an error.
    pub async fn record(
        &self,
        resource: Resource<'_>,
        id: &RecordId,
        select: &[&str],
        priority: Priority,
    ) -> Result<Record, Error> {
        let filter = format!("{} eq {}", resource.key, literal(id)?);
        let found = self.find(resource, &filter, select, priority).await?;
        let gone = || Error::Gone { resource: resource.path.to_owned(), record: id.clone() };
        found.into_iter().next().ok_or_else(gone)
    }

    /// Creates a record; the answer has the values as stored, without a version. Not idempotent: a fact of this API.
    pub async fn create(
        &self,
        resource: Resource<'_>,
        properties: &Properties,
        priority: Priority,
    ) -> Result<Record, Error> {
        let url = self.in_division(resource.path, "");
        let body = write_properties(properties);
        let body = self.perform(Call::write(Method::POST, url, resource.path, priority, body)).await?;
        let created = || {
            let page = odata::page(&body)?;
            let Some(raw) = page.records.first() else {
                return Err(Error::Unexpected { what: "to a create has no record".to_owned() });
            };
            odata::record(raw.get(), resource.key, self.server_offset())
        };
        created().map_err(|error| Error::WriteUnreadable(Box::new(error)))
    }

    /// Changes the properties that are given (null clears one) and leaves the others. Whatever the record holds by
    /// now is overwritten: this API has no check against changes in between.
    pub async fn update(
        &self,
        resource: Resource<'_>,
        id: &RecordId,
        properties: &Properties,
        priority: Priority,
    ) -> Result<(), Error> {
        let url = self.in_division(&format!("{}({})", resource.path, literal(id)?), "");
        let body = write_properties(properties);
        match self.perform(Call::write(Method::PUT, url, resource.path, priority, body)).await {
            Ok(_) => Ok(()),
            Err(Error::Refused { status: 404, .. }) => {
                Err(Error::Gone { resource: resource.path.to_owned(), record: id.clone() })
            }
            Err(error) => Err(error),
        }
    }

    /// All users with their e-mail addresses as Exact writes them. Two addresses list them; which one a licence
    /// serves differs.
    pub async fn users(&self) -> Result<Vec<(UserId, Option<String>)>, Error> {
        let query = "$select=UserID,Email";
        let here = self.in_division("users/Users", query);
        match self.all_users(here, "users/Users").await {
            Err(Error::Refused { status: 404, .. } | Error::Forbidden { .. }) => {
                self.all_users(self.everywhere("system/Users", query), "system/Users").await
            }
            users => users,
        }
    }

    async fn all_users(&self, mut url: Url, endpoint: &str) -> Result<Vec<(UserId, Option<String>)>, Error> {
        let mut users = Vec::new();
        loop {
            let call = match endpoint {
                "users/Users" => Call::read(url, endpoint, Priority::Read),
                _ => Call::everywhere(url, endpoint),
            };
            let body = self.perform(call).await?;
            let page = odata::page(&body)?;
            for raw in &page.records {
                let user = odata::properties(raw.get())?;
                let email = odata::text(&user, "Email").filter(|email| !email.is_empty()).map(str::to_owned);
                users.extend(
                    odata::text(&user, "UserID").and_then(|id| UserId::parse(id).ok()).map(|id| (id, email)),
                );
            }
            match self.next(page.next)? {
                Some(next) => url = next,
                None => return Ok(users),
            }
        }
    }

    /// One page of a sync feed: its rows as JSON, and where the next is.
    async fn feed(
        &self,
        path: &str,
        select: &str,
        cursor: &ChangesCursor,
        priority: Priority,
    ) -> Result<(Vec<String>, Option<Url>), Error> {
        let url = match cursor.page() {
            Some(page) => self.own(page.clone())?,
            None => {
                let filter = format!("Timestamp gt {}L", cursor.above());
                self.in_division(path, &format!("$filter={}&$select={}", in_query(&filter), in_query(select)))
            }
        };
        let body = self.perform(Call::read(url, path, priority)).await?;
        let page = odata::page(&body)?;
        let next = self.next(page.next)?;
        Ok((page.records.iter().map(|raw| raw.get().to_owned()).collect(), next))
    }

    fn records(&self, rows: &[String], key: &str) -> Result<Vec<Record>, Error> {
        rows.iter().map(|row| odata::record(row, key, self.server_offset())).collect()
    }

    fn server_offset(&self) -> Option<SignedDuration> {
        let seconds = self.server_offset.load(Ordering::Relaxed);
        (seconds != OFFSET_UNKNOWN).then(|| SignedDuration::from_secs(seconds))
    }

    /// The address of the next page, which is to be used as it is; never one elsewhere, because the token goes there.
    fn next(&self, next: Option<String>) -> Result<Option<Url>, Error> {
        let parsed = next.map(|text| Url::parse(&text)).transpose();
        let url = parsed
            .map_err(|_| Error::Unexpected { what: "has a next page without an address".to_owned() })?;
        url.map(|url| self.own(url)).transpose()
    }

    fn own(&self, url: Url) -> Result<Url, Error> {
        if url.origin() == self.settings.url.origin() {
            Ok(url)
        } else {
            Err(Error::Unexpected { what: "has its next page on another site".to_owned() })
        }
    }

    fn in_division(&self, path: &str, query: &str) -> Url {
        self.everywhere(&format!("{}/{path}", self.settings.division), query)
    }

    fn everywhere(&self, path: &str, query: &str) -> Url {
        let mut url = self.settings.url.clone();
        url.set_path(&format!("/api/v1/{path}"));
        url.set_query((!query.is_empty()).then_some(query));
        url
    }
}

/// What was asked for and what is needed besides, each once.
fn selected(asked: &[&str], needed: &[&str]) -> String {
    let mut names: Vec<&str> = Vec::with_capacity(asked.len() + needed.len());
    for name in asked.iter().chain(needed) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    names.join(",")
}

/// A value that can't end its place in the query. What else must be escaped, the address type escapes.
fn in_query(value: &str) -> String {
    value.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace('#', "%23")
}

fn literal(id: &RecordId) -> Result<String, Error> {
    odata::guid_literal(id.as_str()).ok_or_else(|| Error::NotAGuid { record: id.clone() })
}

fn deleted_record(row: &str) -> Result<DeletedRecord, Error> {
    let mut record = odata::record(row, "EntityKey", None)?;
    let entity_type = odata::integer(&record.properties, "EntityType");
    let missing = || Error::Unexpected { what: "has a deletion without EntityType or Timestamp".to_owned() };
    record.version.ok_or_else(missing)?;
    record.modified_by =
        odata::text(&record.properties, "DeletedBy").and_then(|text| UserId::parse(text).ok());
    record.presence = Presence::Deleted;
    record.properties = Properties::new();
    Ok(DeletedRecord { entity_type: entity_type.ok_or_else(missing)?, record })
}
