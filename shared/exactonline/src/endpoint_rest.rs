//! Errors are a budget too: Exact Online blocks an endpoint for hours after ten errors within one.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{Applied, Batch, Change, Key, Store, StoreError};
use uuid::Uuid;

use crate::{Error, Settings, settings::Clock};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// More than are ever kept of one endpoint.
const ERRORS_READ: usize = 64;

/// The errors of each endpoint within the last hour, shared by all replicas.
#[derive(Clone)]
pub(crate) struct EndpointRest<S> {
    store: S,
    namespace: String,
    connection: String,
    errors_per_hour: usize,
    clock: Clock,
}

impl<S: Store> EndpointRest<S> {
    pub(crate) fn new(settings: &Settings, store: S, clock: Clock) -> Self {
        Self {
            store,
            namespace: settings.namespace.clone(),
            connection: settings.connection.as_str().to_owned(),
            errors_per_hour: settings.limits.errors_per_hour.max(1),
            clock,
        }
    }

    /// Refuses when the endpoint has had its errors, until enough of them are an hour old.
    pub(crate) async fn check(&self, endpoint: &str) -> Result<(), Error> {
        let now = (self.clock)();
        let errors = self.errors(endpoint, now).await.map_err(Error::Store)?;
        let recent: Vec<Timestamp> = errors.iter().map(|(_, at)| *at).filter(|at| now < ends(*at)).collect();
        match recent.len().checked_sub(self.errors_per_hour) {
            None => Ok(()),
            Some(surplus) => {
                let left = ends(recent[surplus]).duration_since(now);
                let after = Duration::try_from(left).unwrap_or_default().max(Duration::from_secs(1));
                Err(Error::EndpointResting { endpoint: endpoint.to_owned(), after })
            }
        }
    }

    /// Counts an error that Exact counts.
    pub(crate) async fn count(&self, endpoint: &str) -> Result<(), StoreError> {
        self.add(endpoint, 1).await
    }

    /// Lets the endpoint rest for an hour from now: it is blocked already.
    pub(crate) async fn rest(&self, endpoint: &str) -> Result<(), StoreError> {
        self.add(endpoint, self.errors_per_hour).await
    }

    async fn add(&self, endpoint: &str, errors: usize) -> Result<(), StoreError> {
        let (key, now) = (self.key(endpoint), (self.clock)());
        let mut batch = Batch::new();
        for (member, at) in self.errors(endpoint, now).await? {
            if now >= ends(at) {
                batch = batch.then(Change::Unschedule { key: key.clone(), member });
            }
        }
        for _ in 0..errors {
            let member = format!("{} {}", now.as_microsecond(), Uuid::new_v4());
            batch = batch.then(Change::Schedule { key: key.clone(), member, at: now });
        }
        match self.store.apply(batch).await? {
            Applied::Done { .. } => Ok(()),
            Applied::Refused(_) => unreachable!("the batch checks nothing"),
        }
    }

    /// The errors kept, oldest first, with their times.
    async fn errors(&self, endpoint: &str, now: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let members = self.store.due(&self.key(endpoint), now, ERRORS_READ).await?;
        let time = |member: &str| Timestamp::from_microsecond(member.split(' ').next()?.parse().ok()?).ok();
        Ok(members.into_iter().filter_map(|member| time(&member).map(|at| (member, at))).collect())
    }

    fn key(&self, endpoint: &str) -> Key {
        Key::of(&self.namespace, &self.connection, &["exactonline", "errors", endpoint])
    }
}

/// When an error counts no more.
fn ends(at: Timestamp) -> Timestamp {
    at.checked_add(HOUR).unwrap_or(Timestamp::MAX)
}
