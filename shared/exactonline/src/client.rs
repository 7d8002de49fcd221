//! A client of one division. What it is asked for is told by kind: `people`, `feeds`, `records`, `prices`,
//! `lists`, `subscriptions`.

mod call;
mod feeds;
mod lists;
mod numberings;
mod people;
mod prices;
mod records;
mod subscriptions;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use store::Store;
use telemetry::Metrics;
use url::Url;

use self::numberings::Numberings;
pub use self::{
    feeds::{ChangesPage, DeletedPage, DeletedRecord},
    people::{Division, Me},
    prices::OwnPrice,
    records::Resource,
};
use wire::Wire;

use crate::{Code, Error, Settings, grant::Grant, quota::Quota, settings::Clock};

/// The offset of the server's clock is not known yet.
const OFFSET_UNKNOWN: i64 = i64::MIN;

/// A client of one division. Clones share its connections, grant and budgets, as do all clients of the same
/// connection on the same store.
#[derive(Clone)]
pub struct ExactOnline<S> {
    settings: Settings,
    wire: Wire,
    grant: Grant<S>,
    quota: Quota<S>,
    numberings: Numberings<S>,
    /// Where it is shown whether the grant serves.
    metrics: Option<Arc<Metrics>>,
    clock: Clock,
    /// Seconds, as `me` last told; approximate dates only hang on it.
    server_offset: Arc<AtomicI64>,
}

impl<S: Store> ExactOnline<S> {
    /// A client with these settings, which shares what must be shared through this store. Makes no call yet.
    pub fn new(settings: Settings, store: S) -> Result<Self, Error> {
        Self::with_clock(settings, store, ambient::now)
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
        let wire = settings.wire()?;
        let quota = Quota::new(&settings, store.clone(), Arc::clone(&clock));
        let numberings = Numberings::new(&settings, store.clone());
        Ok(Self {
            numberings,
            grant: Grant::new(&settings, store, quota.clone(), wire.clone(), Arc::clone(&clock)),
            quota,
            metrics: None,
            clock,
            wire,
            settings,
            server_offset: Arc::new(AtomicI64::new(OFFSET_UNKNOWN)),
        })
    }

    /// The same client, which shows there how many calls are left, and whether its grant serves.
    pub fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { quota: self.quota.measured(Arc::clone(&metrics)), metrics: Some(metrics), ..self }
    }

    /// Takes a person's consent, which was asked for to be answered at `redirect_uri`. When this returns the grant is in
    /// both its places, and every client of the connection takes it up with its next call that needs a token.
    pub async fn begin_grant(&self, code: &Code, redirect_uri: &str) -> Result<(), Error> {
        self.grant.begin(code, redirect_uri).await
    }

    /// The day on the server's wall clock; that of UTC until `me` has told how far the two are apart.
    pub fn today(&self) -> Date {
        let now = (self.clock)();
        let there = now.checked_add(self.server_offset().unwrap_or_default()).unwrap_or(now);
        there.to_zoned(TimeZone::UTC).date()
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
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
