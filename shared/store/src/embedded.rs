//! The store in one file, or in memory, for the one-process mode and for tests.

mod change;
mod opened;
mod tables;
mod writer;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, DatabaseError, ReadTransaction};

use self::opened::{Open, Opened, REST};
use self::tables::{ENTRIES, FOR_GOOD, LISTS, SCHEDULES, SETS, Tables};
use self::writer::Writer;
use crate::{Applied, Batch, Durability, Entry, Key, Leased, Store, StoreError};

/// How much of the file is kept in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// A store in one file that one process has open, or in memory. Clones share it.
///
/// What was acknowledged is on the disk: every commit is synced, and batches that wait at the same time share one.
/// Commits of a file run on tokio's blocking threads, because they wait for the disk. Reads are made where they are
/// called: they look at memory and seldom at the disk, and never wait for a commit. In memory all is done where it is
/// called, so a test under a paused clock stays deterministic.
#[derive(Clone)]
pub struct Embedded {
    inner: Arc<Inner>,
    clock: Clock,
}

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

struct Inner {
    opened: Opened,
    /// None in memory.
    path: Option<PathBuf>,
    writer: Writer,
}

impl Embedded {
    /// Opens the store in this file, which is made if there is none. Only the owner may read the file: it holds all
    /// links and grants.
    ///
    /// Fails with [`StoreError::FileHeld`] if another process, or this one, has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let opened = path.clone();
        Self::opened_by(Box::new(move || open_file(&opened)), REST, Some(path))
    }

    /// A store that ends with its last clone.
    pub fn in_memory() -> Result<Self, StoreError> {
        let made = || Ok(Builder::new().create_with_backend(InMemoryBackend::new())?);
        Self::opened_by(Box::new(made), REST, None)
    }

    /// A store in the database that this opens, now and whenever its disk has failed. After a write that did, others are
    /// refused for the `rest`.
    pub(crate) fn opened_by(
        open: Box<Open>,
        rest: Duration,
        path: Option<PathBuf>,
    ) -> Result<Self, StoreError> {
        let opened = Opened::new(open, rest).map_err(|error| failure(path.as_deref(), Arc::new(error)))?;
        prepare(&opened).map_err(|error| failure(path.as_deref(), error))?;
        let inner = Arc::new(Inner { opened, path, writer: Writer::default() });
        Ok(Self { inner, clock: Arc::new(ambient::now) })
    }

    /// Takes the time of leases, quotas, expiry, revisions and tokens from this clock instead of the system's.
    pub fn with_clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        self.inner.opened.read(work).map_err(|error| failure(self.inner.path.as_deref(), error))
    }

    /// Runs `work`, which is given the time in microseconds, in a transaction that is committed when this returns.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tables<'_>, i64) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let clock = Arc::clone(&self.clock);
        let told = Inner::write(&self.inner, move |tables| work(tables, clock().as_microsecond()));
        match told.await {
            Ok(outcome) => outcome.map_err(|error| failure(self.inner.path.as_deref(), error)),
            Err(_) => Err(StoreError::Ended),
        }
    }
}

/// Makes the tables where they are not there, so that reads find them. A store that has them is not written to: its disk
/// may be full.
fn prepare(opened: &Opened) -> Result<(), Arc<redb::Error>> {
    if opened.read(Tables::are_there)? {
        return Ok(());
    }
    opened.write(|database| {
        let transaction = database.begin_write()?;
        drop(Tables::open(&transaction)?);
        transaction.commit()?;
        Ok(())
    })
}

/// What the file layer met, as the callers of a store are told.
fn failure(path: Option<&Path>, source: Arc<redb::Error>) -> StoreError {
    let path = path.unwrap_or(Path::new("(in memory)")).to_owned();
    match &*source {
        redb::Error::DatabaseAlreadyOpen => StoreError::FileHeld { path },
        redb::Error::Io(error) if is_for_want_of_room(error) => StoreError::Full { path, source },
        // Another call knows what has failed, and this one may be made again.
        redb::Error::PreviousIo => StoreError::Interrupted { path },
        _ => StoreError::File { path, source },
    }
}

fn is_for_want_of_room(error: &std::io::Error) -> bool {
    // A file that may not grow is as a disk that has no more room.
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

fn open_file(path: &Path) -> Result<Database, redb::Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = !path.exists();
    let file = options.open(path)?;
    let created = Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(FileBackend::new(file)?);
    let database = created.map_err(|error| match error {
        DatabaseError::LockProtocolMismatch => redb::Error::DatabaseAlreadyOpen,
        error => error.into(),
    })?;
    if made {
        // The name of a new file is durable only once its folder is synced.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(database)
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Store for Embedded {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        Ok(self.get_many(std::slice::from_ref(key)).await?.pop().flatten())
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, StoreError> {
        let now = (self.clock)().as_microsecond();
        self.read(|transaction| {
            let entries = transaction.open_table(ENTRIES)?;
            let mut found = Vec::with_capacity(keys.len());
            for key in keys {
                found.push(entries.get(key.as_str())?.and_then(|stored| {
                    let (revision, until, value) = stored.value();
                    (until == FOR_GOOD || until > now).then(|| Entry { revision, value: value.to_owned() })
                }));
            }
            Ok(found)
        })
    }

    async fn members(&self, key: &Key) -> Result<BTreeSet<String>, StoreError> {
        self.read(|transaction| {
            let sets = transaction.open_multimap_table(SETS)?;
            let members = sets.get(key.as_str())?;
            members.map(|member| Ok(member?.value().to_owned())).collect()
        })
    }

    async fn count(&self, key: &Key) -> Result<u64, StoreError> {
        self.read(|transaction| Ok(transaction.open_multimap_table(SETS)?.get(key.as_str())?.len()))
    }

    async fn due(&self, key: &Key, until: Timestamp, limit: usize) -> Result<Vec<String>, StoreError> {
        self.read(|transaction| {
            let schedules = transaction.open_table(SCHEDULES)?;
            let key = key.as_str();
            let due = schedules.range((key, i64::MIN, "")..(key, until.as_microsecond() + 1, ""))?;
            due.take(limit).map(|found| Ok(found?.0.value().2.to_owned())).collect()
        })
    }

    async fn list(&self, key: &Key, newest: usize) -> Result<Vec<String>, StoreError> {
        self.read(|transaction| {
            let lists = transaction.open_table(LISTS)?;
            let values = lists.range((key.as_str(), 0)..=(key.as_str(), u64::MAX))?;
            values.rev().take(newest).map(|found| Ok(found?.1.value().to_owned())).collect()
        })
    }

    async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        let Some(any) = batch.scope()?.cloned() else { return Ok(Applied::Done { revision: 0 }) };
        self.write(move |tables, now| change::apply(tables, now, any.scope(), &batch)).await
    }

    async fn lease(&self, key: &Key, holder: &str, keep: Duration) -> Result<Leased, StoreError> {
        let (key, holder) = (key.clone(), holder.to_owned());
        self.write(move |tables, now| change::lease(tables, now, &key, &holder, keep)).await
    }

    async fn release(&self, key: &Key, holder: &str) -> Result<(), StoreError> {
        let (key, holder) = (key.clone(), holder.to_owned());
        self.write(move |tables, _| change::release(tables, &key, &holder)).await
    }

    async fn reachable(&self) -> Result<(), StoreError> {
        self.read(|transaction| transaction.open_table(ENTRIES).map(drop).map_err(Into::into))
    }

    async fn durability(&self) -> Result<Durability, StoreError> {
        Ok(match self.inner.path {
            Some(_) => Durability::Durable,
            None => Durability::Weak {
                reason: "the store is in memory and ends with the program; give it a file".into(),
            },
        })
    }
}
