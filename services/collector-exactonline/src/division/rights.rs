//! Whether the user may read what the collector reads: what one may not read looks empty, and everything of the other
//! system would be made anew for it.

use std::time::Duration;

use exactonline::Error;
use store::Store;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Division;

/// How often the rights are looked at again while nothing is missing.
pub(crate) const LOOKED_AT_EVERY: Duration = Duration::from_hours(24);

/// How often while something is, so that a repair is noticed.
const MISSING_LOOKED_AT_EVERY: Duration = Duration::from_mins(5);

/// What was found when the rights were looked at last.
#[derive(Default)]
pub(super) struct Rights(Mutex<Option<Looked>>);

struct Looked {
    at: Instant,
    /// The endpoint that may not be read.
    missing: Option<&'static str>,
}

impl Looked {
    fn is_fresh(&self) -> bool {
        let every = if self.missing.is_some() { MISSING_LOOKED_AT_EVERY } else { LOOKED_AT_EVERY };
        self.at.elapsed() < every
    }
}

impl<S: Store> Division<S> {
    /// Fails when the user lacks the right to something that is read here; a read that `begins` looks anew.
    pub(super) async fn check_rights(&self, begins: bool) -> Result<(), Error> {
        let mut known = self.rights.0.lock().await;
        let is_known = |looked: &Looked| looked.is_fresh() && (!begins || looked.missing.is_some());
        let missing = match known.as_ref().filter(|looked| is_known(looked)) {
            Some(looked) => looked.missing,
            None => {
                let missing = self.missing_right().await?;
                *known = Some(Looked { at: Instant::now(), missing });
                missing
            }
        };
        match missing {
            None => Ok(()),
            Some(endpoint) => Err(Error::NoRight { endpoint: endpoint.to_owned() }),
        }
    }

    async fn missing_right(&self) -> Result<Option<&'static str>, Error> {
        let parts = self.entity.parts.filter(|_| self.selection.parts.is_some());
        let endpoints = [Some(self.entity.resource.path), parts.map(|parts| parts.resource.path)];
        for endpoint in endpoints.into_iter().flatten() {
            match self.client.may_read(endpoint).await? {
                Some(true) => {}
                Some(false) => return Ok(Some(endpoint)),
                None => tracing::warn!(
                    endpoint,
                    "exact online does not tell whether this may be read: it is taken as it is read"
                ),
            }
        }
        Ok(None)
    }
}
