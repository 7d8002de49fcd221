//! Which numbering of row versions a division is in, as all processes of its connection know it.

use std::sync::{self, Arc, MutexGuard, PoisonError};

use jiff::SignedDuration;
use model::Version;
use store::{Applied, Batch, Change, Check, Entry, Key, Store, StoreError};
use tokio::sync::Mutex;

use super::{ExactOnline, call::Call, in_query};
use crate::{
    Error, FeedCursor, Priority, Settings,
    numbering::{Dates, Known, Numbering, SELECT},
    odata,
};

/// Exact keeps deletions for two months (a fact of this API), which may have 59 days.
const DELETIONS_KEPT: SignedDuration = SignedDuration::from_hours(58 * 24);

/// Where the numbering is kept.
#[derive(Clone)]
pub(super) struct Numberings<S> {
    store: S,
    key: Key,
    /// One look at a time: whoever waits finds what was seen.
    looking: Arc<Mutex<()>>,
    /// What this process has found kept last: its memory holds versions of that numbering, and outlives the store.
    remembered: Arc<sync::Mutex<Option<Known>>>,
}

impl<S: Store> Numberings<S> {
    pub(super) fn new(settings: &Settings, store: S) -> Self {
        let key = Key::of(&settings.namespace, settings.connection.as_str(), &["exactonline", "numbering"]);
        Self { store, key, looking: Arc::default(), remembered: Arc::default() }
    }

    fn remembered(&self) -> MutexGuard<'_, Option<Known>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept. Where the store was lost and another process has begun to count again, it is raised above what this
    /// one remembers.
    async fn kept(&self) -> Result<(Option<Entry>, Option<Known>), Error> {
        loop {
            let (entry, known) = self.stored().await?;
            let Some(known) = known else { return Ok((entry, None)) };
            let raised = self.remembered().as_ref().and_then(|remembered| known.raised_above(remembered));
            match raised {
                None => {
                    *self.remembered() = Some(known.clone());
                    return Ok((entry, Some(known)));
                }
                Some(raised) => {
                    self.keep(entry, &raised).await?;
                }
            }
        }
    }

    async fn stored(&self) -> Result<(Option<Entry>, Option<Known>), Error> {
        let entry = self.store.get(&self.key).await.map_err(Error::Store)?;
        let corrupt =
            |_| StoreError::Corrupt { key: self.key.clone(), what: "it is no numbering".to_owned() };
        let known = entry.as_ref().map(|entry| serde_json::from_str(&entry.value).map_err(corrupt));
        let known = known.transpose().map_err(Error::Store)?;
        Ok((entry, known))
    }

    /// Keeps what a look told; gives `false` where another process was faster.
    async fn keep(&self, entry: Option<Entry>, known: &Known) -> Result<bool, Error> {
        let value = serde_json::to_string(known).expect("a numbering holds only texts and numbers");
        let check = match entry {
            Some(entry) => Check::Revision(self.key.clone(), entry.revision),
            None => Check::Absent(self.key.clone()),
        };
        let batch = Batch::new().when(check).then(Change::Set { key: self.key.clone(), value });
        Ok(matches!(self.store.apply(batch).await.map_err(Error::Store)?, Applied::Done { .. }))
    }
}

impl<S: Store> ExactOnline<S> {
    /// Looks whether the division was numbered anew, and if so lets every reader of it begin anew. To be called where a
    /// feed does not show what it must show; readers look by themselves from time to time. A look of the last minutes is
    /// not repeated.
    pub async fn look_at_numbering(&self, priority: Priority) -> Result<(), Error> {
        let _one = self.numberings.looking.lock().await;
        let (_, known) = self.numberings.kept().await?;
        if known.is_none_or(|known| known.may_be_looked_at((self.clock)())) {
            self.look(priority).await?;
        }
        Ok(())
    }

    /// Begins a numbering of our own where deletions since this cursor were forgotten, because they were not read for almost
    /// as long as Exact keeps them: two months. `true` where it was so: everything is read again from then on, and what
    /// does not show is gone.
    pub async fn begin_anew_after_silence(&self, cursor: &FeedCursor) -> Result<bool, Error> {
        let now = (self.clock)();
        if cursor.deletions_at.is_none_or(|at| now.duration_since(at) <= DELETIONS_KEPT) {
            return Ok(false);
        }
        self.numbering(Priority::Read).await?;
        loop {
            let (entry, known) = self.numberings.kept().await?;
            // Another entity's collector has slept as long, or a process ended right after this.
            let Some(known) = known.filter(|known| !cursor.begins_anew(known.numbering)) else {
                return Ok(true);
            };
            if self.numberings.keep(entry, &known.begun_anew()).await? {
                tracing::warn!(
                    connection = %self.settings.connection, division = self.settings.division,
                    "deletions were not read for two months, and exact online keeps them no longer: everything is read \
                     again, and what does not show is gone"
                );
                return Ok(true);
            }
        }
    }

    /// Whether a read from this cursor would be one of everything: the division was numbered anew since, or the first
    /// read is not over yet.
    pub async fn begins_anew(&self, cursor: &FeedCursor, priority: Priority) -> Result<bool, Error> {
        Ok(cursor.begins_anew(self.numbering(priority).await?))
    }

    /// Whether the division was numbered anew since a record had this version: it has another one now, of which nobody
    /// knows yet whether it is of another state.
    pub async fn is_renumbered(&self, version: Version, priority: Priority) -> Result<bool, Error> {
        Ok(Numbering::of(version) < self.numbering(priority).await?)
    }

    /// The numbering that holds now.
    pub(super) async fn numbering(&self, priority: Priority) -> Result<Numbering, Error> {
        if let Some(known) = self.known_numbering().await? {
            return Ok(known.numbering);
        }
        let _one = self.numberings.looking.lock().await;
        match self.known_numbering().await? {
            Some(known) => Ok(known.numbering),
            None => self.look(priority).await,
        }
    }

    /// What was seen of late.
    async fn known_numbering(&self) -> Result<Option<Known>, Error> {
        let (_, known) = self.numberings.kept().await?;
        Ok(known.filter(|known| !known.is_due((self.clock)())))
    }

    async fn look(&self, priority: Priority) -> Result<Numbering, Error> {
        let told = self.numbering_dates(priority).await?;
        loop {
            let (entry, before) = self.numberings.kept().await?;
            let before = before.or_else(|| self.numberings.remembered().clone());
            let known = Known::after(before.clone(), told.clone(), (self.clock)());
            if self.numberings.keep(entry, &known).await? {
                if before.is_some_and(|before| before.numbering != known.numbering) {
                    tracing::warn!(
                        connection = %self.settings.connection, division = self.settings.division,
                        "exact online has numbered the division's row versions anew: everything is read again"
                    );
                }
                return Ok(known.numbering);
            }
        }
    }

    /// What the division tells; `None` where the user may not see it.
    async fn numbering_dates(&self, priority: Priority) -> Result<Option<Dates>, Error> {
        const ASKED: &str = "system/Divisions";
        let filter = in_query(&format!("Code eq {}", self.settings.division));
        let url = self.in_division(ASKED, &format!("$filter={filter}&$select={}", in_query(SELECT)));
        match self.perform(Call::read(url, ASKED, priority)).await {
            Ok(body) => Ok(Some(Dates::of(&odata::first(&body)?))),
            Err(Error::Refused { status: 404, .. } | Error::Forbidden { .. }) => {
                tracing::warn!(
                    connection = %self.settings.connection,
                    "exact online does not show its divisions to the user: a move of the division to another database \
                     will not be noticed; give the user the right to system/Divisions"
                );
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
