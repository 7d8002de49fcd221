//! The calls of the default API.

use std::time::Duration;

use contract::json::write_properties;
use jiff::SignedDuration;
use model::{Presence, Properties, Record, RecordId, UserId, Version};
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, IF_MATCH},
};
use secrecy::SecretString;
use url::Url;

use crate::{
    ChangesCursor, Error,
    record::{listing, record, text, user_id},
    transport::{Answer, Effect, Transport},
};

/// Records a page, at most: a limit of the API.
const PAGE_MAX: u16 = 500;

/// How to reach a CustomCRM.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The API's address with its base path, such as `https://crm.example.com/api/v1`.
    pub url: Url,
    /// The API user's token.
    pub token: SecretString,
    /// The longest time to connect.
    pub connect_timeout: Duration,
    /// The longest time for a whole call, its answer included.
    pub timeout: Duration,
    /// How far before the latest change seen the next incremental read starts.
    pub overlap: SignedDuration,
    /// The largest answer that is read, in bytes.
    pub body_bytes_max: usize,
}

impl Settings {
    /// Settings with the usual limits: 5 s to connect, 30 s a call, 2 s of overlap, answers up to 32 MiB.
    pub fn new(url: Url, token: SecretString) -> Self {
        Self {
            url,
            token,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            overlap: SignedDuration::from_secs(2),
            body_bytes_max: 32 * 1024 * 1024,
        }
    }
}

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

/// A client of one CustomCRM. Clones share its connections.
#[derive(Debug, Clone)]
pub struct CustomCrm {
    transport: Transport,
    overlap: SignedDuration,
}

impl CustomCrm {
    /// A client with these settings; makes no call yet. Fails on an address that is none of HTTP and on a token that
    /// no header can carry.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self { transport: Transport::new(&settings)?, overlap: settings.overlap })
    }

    /// The user that the token belongs to: whose changes are ours.
    pub async fn me(&self) -> Result<UserId, Error> {
        let request = self.transport.request(Method::GET, &["me"]);
        user_id(&self.read(request).await?)
    }

    /// What was changed in a collection since the cursor, at most `limit` records (1 to 500; anything else is brought
    /// into this range). A whole read begins with [`ChangesCursor::start`].
    pub async fn changes(
        &self,
        collection: &str,
        cursor: &ChangesCursor,
        limit: u16,
    ) -> Result<ChangesPage, Error> {
        let limit = limit.clamp(1, PAGE_MAX).to_string();
        let mut query = vec![("include_deleted", "true".to_owned()), ("limit", limit)];
        query.extend(cursor.since().map(|since| ("updated_since", since.to_string())));
        query.extend(cursor.page().map(|page| ("cursor", page.to_owned())));
        let (records, next_page) = self.page(collection, &query).await?;
        let more = next_page.is_some();
        let (records, next) = cursor.after(records, next_page, self.overlap);
        Ok(ChangesPage { records, next, more })
    }

    /// A record as it is now. One that was deleted comes as [`Presence::Deleted`], without a version; one that never
    /// was (or was deleted so long ago that the CRM forgot it) is [`Error::Gone`].
    pub async fn record(&self, collection: &str, id: &RecordId) -> Result<Record, Error> {
        let request = self.transport.request(Method::GET, &[collection, id.as_str()]);
        let answer = self.transport.send(Effect::Read, request).await?;
        match answer.status {
            StatusCode::GONE => Ok(Record {
                id: id.clone(),
                version: None,
                modified_by: None,
                modified_at: None,
                presence: Presence::Deleted,
                properties: Properties::new(),
            }),
            _ => record(&self.of_record(Effect::Read, collection, id, answer)?),
        }
    }

    /// The live records whose properties all have these values, whatever the case; all of them. Without a condition
    /// that is the whole collection.
    pub async fn search(&self, collection: &str, conditions: &[(&str, &str)]) -> Result<Vec<Record>, Error> {
        let filters: Vec<(String, &str)> =
            conditions.iter().map(|(property, value)| (format!("filter[{property}]"), *value)).collect();
        let query: Vec<(&str, &str)> =
            filters.iter().map(|(filter, value)| (filter.as_str(), *value)).collect();
        self.all(collection, &query).await
    }

    /// Creates a record. Within 24 hours the same key and properties give the first answer again instead of a second
    /// record; other properties under the key are refused.
    pub async fn create(
        &self,
        collection: &str,
        properties: &Properties,
        idempotency_key: &str,
    ) -> Result<Record, Error> {
        let request = self
            .transport
            .request(Method::POST, &[collection])
            .header("Idempotency-Key", idempotency_key)
            .header(CONTENT_TYPE, "application/json")
            .body(write_properties(properties));
        let answer = self.transport.send(Effect::Write, request).await?;
        written(&self.success(Effect::Write, answer)?)
    }

    /// Changes the properties that are given (null clears one) and leaves the others, if the record still has this
    /// version; else [`Error::Stale`], and nothing is written.
    pub async fn update(
        &self,
        collection: &str,
        id: &RecordId,
        version: Version,
        properties: &Properties,
    ) -> Result<Record, Error> {
        let request = self
            .transport
            .request(Method::PATCH, &[collection, id.as_str()])
            .header(IF_MATCH, format!("\"{}\"", version.0))
            .header(CONTENT_TYPE, "application/merge-patch+json")
            .body(write_properties(properties));
        let answer = self.transport.send(Effect::Write, request).await?;
        written(&self.of_record(Effect::Write, collection, id, answer)?)
    }

    /// Deletes a record that is still at this version.
    pub async fn delete(&self, collection: &str, id: &RecordId, version: Version) -> Result<(), Error> {
        let request = self
            .transport
            .request(Method::DELETE, &[collection, id.as_str()])
            .header(IF_MATCH, format!("\"{}\"", version.0));
        let answer = self.transport.send(Effect::Write, request).await?;
        self.of_record(Effect::Write, collection, id, answer).map(|_| ())
    }

    /// All users that are not deleted, with their e-mail addresses as the CRM writes them.
    pub async fn users(&self) -> Result<Vec<(UserId, Option<String>)>, Error> {
        let users = self.all("users", &[]).await?;
        let user = |record: Record| {
            let id = UserId::parse(record.id.as_str()).ok()?;
            Some((id, text(&record.properties, "Email").filter(|email| !email.is_empty()).map(str::to_owned)))
        };
        Ok(users.into_iter().filter_map(user).collect())
    }

    /// All pages of a listing.
    async fn all(&self, collection: &str, query: &[(&str, &str)]) -> Result<Vec<Record>, Error> {
        let mut all = Vec::new();
        let mut page: Option<String> = None;
        loop {
            let mut query: Vec<(&str, String)> =
                query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            query.push(("limit", PAGE_MAX.to_string()));
            query.extend(page.take().map(|page| ("cursor", page)));
            let (records, next) = self.page(collection, &query).await?;
            // A listing that goes on without records would go on for ever.
            let ended = records.is_empty();
            all.extend(records);
            match next {
                Some(next) if !ended => page = Some(next),
                _ => return Ok(all),
            }
        }
    }

    async fn page(
        &self,
        collection: &str,
        query: &[(&str, String)],
    ) -> Result<(Vec<Record>, Option<String>), Error> {
        let body = self.read(self.transport.request(Method::GET, &[collection]).query(query)).await?;
        let listing = listing(&body)?;
        let records = listing.data.iter().map(|raw| record(raw.get())).collect::<Result<_, _>>()?;
        Ok((records, listing.next_cursor))
    }

    async fn read(&self, request: RequestBuilder) -> Result<String, Error> {
        let answer = self.transport.send(Effect::Read, request).await?;
        self.success(Effect::Read, answer)
    }

    /// The body of an answer to a call that names no record.
    fn success(&self, effect: Effect, answer: Answer) -> Result<String, Error> {
        if answer.status.is_success() {
            Ok(answer.body)
        } else {
            Err(self.transport.refusal(effect, answer.status, &HeaderMap::new(), &answer.body))
        }
    }

    /// The body of an answer to a call of this record.
    fn of_record(
        &self,
        effect: Effect,
        collection: &str,
        id: &RecordId,
        answer: Answer,
    ) -> Result<String, Error> {
        let (collection, record) = (collection.to_owned(), id.clone());
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Error::Gone { collection, record }),
            StatusCode::PRECONDITION_FAILED => Err(Error::Stale { collection, record }),
            _ => self.success(effect, answer),
        }
    }
}

/// The record that a write left; the write has happened, whatever its answer looks like.
fn written(body: &str) -> Result<Record, Error> {
    record(body).map_err(|error| Error::WriteUnreadable(Box::new(error)))
}
