//! Single records: found, read, written. None of it tells row versions, which only the sync feeds have.

use contract::json::write_properties;
use model::{Properties, Record, RecordId};
use reqwest::Method;
use store::Store;

use super::{ExactOnline, call::Call, in_query, selected};
use crate::{Error, Priority, odata};

/// How many ids are asked for in one call. A filter names each, and an address has no room for more.
pub(crate) const IDS_MAX: usize = 15;

/// A kind of record: where it is read and written, and the property that is its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource<'a> {
    /// The path behind the division, such as `crm/Accounts`.
    pub path: &'a str,
    /// The key, such as `ID`; always a GUID.
    pub key: &'a str,
    /// Whether its records tell who changed them last; the lines of documents do only in their feed.
    pub is_authored: bool,
}

impl<'a> Resource<'a> {
    /// Records that tell who changed them last.
    pub const fn authored(path: &'a str, key: &'a str) -> Self {
        Self { path, key, is_authored: true }
    }

    /// Records that do not.
    pub const fn unauthored(path: &'a str, key: &'a str) -> Self {
        Self { path, key, is_authored: false }
    }
}

impl<S: Store> ExactOnline<S> {
    /// All records that a filter finds. Values in it must be literals: [`text_literal`](crate::text_literal),
    /// [`guid_literal`](crate::guid_literal). They have no version: only sync feeds tell row versions.
    pub async fn find(
        &self,
        resource: Resource<'_>,
        filter: &str,
        select: &[&str],
        priority: Priority,
    ) -> Result<Vec<Record>, Error> {
        self.read_list(resource, Some(filter), select, priority).await
    }

    /// All records of a resource, which is for lists of a few: it costs a call for every 60.
    pub(super) async fn read_list(
        &self,
        resource: Resource<'_>,
        filter: Option<&str>,
        select: &[&str],
        priority: Priority,
    ) -> Result<Vec<Record>, Error> {
        let mut needed = vec![resource.key];
        needed.extend(resource.is_authored.then_some("Modifier"));
        let select = in_query(&selected(select, &needed));
        let query = match filter {
            Some(filter) => format!("$select={select}&$filter={}", in_query(filter)),
            None => format!("$select={select}"),
        };
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

    /// Those of these records that are there, as they are now: one call for every 15.
    pub async fn records(
        &self,
        resource: Resource<'_>,
        ids: &[RecordId],
        select: &[&str],
        priority: Priority,
    ) -> Result<Vec<Record>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_MAX) {
            let one = |id: &RecordId| literal(id).map(|id| format!("{} eq {id}", resource.key));
            let filter = ids.iter().map(one).collect::<Result<Vec<_>, _>>()?.join(" or ");
            found.extend(self.find(resource, &filter, select, priority).await?);
        }
        Ok(found)
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

    /// Creates a record, or a line whose properties name its document; the answer has the values as stored, without a
    /// version, and a document's without its lines. Not idempotent: a fact of this API.
    pub async fn create(
        &self,
        resource: Resource<'_>,
        properties: &Properties,
        priority: Priority,
    ) -> Result<Record, Error> {
        let url = self.in_division(resource.path, "");
        let body = Some(write_properties(properties));
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
        let body = Some(write_properties(properties));
        self.write_one(resource, id, Method::PUT, body, priority).await
    }

    /// Deletes a record. Exact refuses that of one that others refer to.
    pub async fn delete(
        &self,
        resource: Resource<'_>,
        id: &RecordId,
        priority: Priority,
    ) -> Result<(), Error> {
        self.write_one(resource, id, Method::DELETE, None, priority).await
    }

    async fn write_one(
        &self,
        resource: Resource<'_>,
        id: &RecordId,
        method: Method,
        body: Option<String>,
        priority: Priority,
    ) -> Result<(), Error> {
        let url = self.in_division(&format!("{}({})", resource.path, literal(id)?), "");
        match self.perform(Call::write(method, url, resource.path, priority, body)).await {
            Ok(_) => Ok(()),
            Err(Error::Refused { status: 404, .. }) => {
                Err(Error::Gone { resource: resource.path.to_owned(), record: id.clone() })
            }
            Err(error) => Err(error),
        }
    }
}

fn literal(id: &RecordId) -> Result<String, Error> {
    odata::guid_literal(id.as_str()).ok_or_else(|| Error::NotAGuid { record: id.clone() })
}
