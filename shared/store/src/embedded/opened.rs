//! The open database, opened anew after its disk has failed.
//!
//! After a failed read or write the database refuses all that follows, for it can't know what is on the disk: it must be
//! closed and opened again, and then is as the last commit left it. So a full disk is no reason to end: when there is
//! room again, writes go on.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redb::{Database, ReadTransaction, ReadableDatabase};

/// For how long writes are refused after one that failed for its disk: each costs opening the database again, which reads
/// all of it.
pub(super) const REST: Duration = Duration::from_secs(1);

pub(super) type Open = dyn Fn() -> Result<Database, redb::Error> + Send + Sync;

/// What there is in place of an answer.
type Failed = Arc<redb::Error>;

pub(super) struct Opened {
    open: Box<Open>,
    rest: Duration,
    /// None where it could not be opened again yet.
    database: RwLock<Option<Database>>,
    /// Whether it must be opened again before it is used.
    is_broken: AtomicBool,
    /// When a write last failed for its disk, and how.
    refused: Mutex<Option<(Instant, Failed)>>,
}

impl Opened {
    pub(super) fn new(open: Box<Open>, rest: Duration) -> Result<Self, redb::Error> {
        let database = RwLock::new(Some(open()?));
        Ok(Self { open, rest, database, is_broken: AtomicBool::new(false), refused: Mutex::new(None) })
    }

    /// Reads.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, Failed> {
        self.with(|database| work(&database.begin_read()?))
    }

    /// Writes. Where the disk fails it is unknown whether what was written is there.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, Failed> {
        if let Some((at, error)) = &*self.refused.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < self.rest
        {
            return Err(Arc::clone(error));
        }
        let answer = self.with(work);
        let refused = match &answer {
            Err(error) if is_of_the_disk(error) => Some((Instant::now(), Arc::clone(error))),
            _ => None,
        };
        if let Some((_, error)) = &refused {
            tracing::debug!(%error, "the disk of the store has failed");
        }
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        answer
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, Failed> {
        if self.is_broken.load(Ordering::Acquire) {
            self.open_again()?;
        }
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let answer = match &*database {
            Some(database) => work(database),
            // Another call has closed it, and could not open it.
            None => Err(redb::Error::PreviousIo),
        };
        if let Err(error) = &answer
            && is_of_the_disk(error)
        {
            // Nobody opens it again while this call holds it, so it is this database that is broken.
            self.is_broken.store(true, Ordering::Release);
        }
        answer.map_err(Arc::new)
    }

    /// Waits for all calls to let go of the database, closes it, and opens it again.
    fn open_again(&self) -> Result<(), Failed> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if !self.is_broken.load(Ordering::Acquire) {
            return Ok(());
        }
        // First closed, or it would find itself to be held.
        *database = None;
        *database = Some((self.open)()?);
        self.is_broken.store(false, Ordering::Release);
        Ok(())
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("is_broken", &self.is_broken).finish_non_exhaustive()
    }
}

fn is_of_the_disk(error: &redb::Error) -> bool {
    matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo)
}
