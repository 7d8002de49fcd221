//! A disk that fills up, at any of the places where something is written, and later has room again.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use redb::backends::FileBackend;
use redb::{BackendError, Builder, Database, StorageBackend};

use super::super::{Names, add, eventually, everything_said, set, value};
use crate::{Applied, Batch, Change, Durability, Embedded, Key, Store, StoreError};

/// Of the store in these tests, after a write that failed.
const REST: Duration = Duration::from_millis(20);

/// `ENOSPC`.
const NO_SPACE: i32 = 28;

/// How much the disk still takes. Shared with the test.
#[derive(Debug, Default)]
struct Room {
    /// Writes that succeed before all others fail.
    writes_left: AtomicI64,
    /// The length that files may have.
    length: AtomicU64,
    failed: AtomicU64,
}

impl Room {
    fn enough(&self) {
        self.writes_left.store(i64::MAX, Ordering::SeqCst);
        self.length.store(u64::MAX, Ordering::SeqCst);
    }

    /// Takes room for one write, or tells that there is none.
    fn take(&self, end: u64) -> io::Result<()> {
        if end > self.length.load(Ordering::SeqCst) || self.writes_left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.failed.fetch_add(1, Ordering::SeqCst);
            return Err(io::Error::from_raw_os_error(NO_SPACE));
        }
        Ok(())
    }
}

/// A file on a disk with so much room.
#[derive(Debug)]
struct Limited {
    file: FileBackend,
    room: Arc<Room>,
}

impl StorageBackend for Limited {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.room.take(0)?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room.take(offset + data.len() as u64)?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

fn database(path: &Path, room: &Arc<Room>) -> Result<Database, redb::Error> {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    let limited = Limited { file: FileBackend::new(file)?, room: Arc::clone(room) };
    // Without a cache each read is one of the disk.
    Ok(Builder::new().set_cache_size(0).create_with_backend(limited)?)
}

fn store(path: &Path, room: &Arc<Room>) -> Result<Embedded, StoreError> {
    store_that_rests(path, room, REST)
}

fn store_that_rests(path: &Path, room: &Arc<Room>, rest: Duration) -> Result<Embedded, StoreError> {
    let (opened, room) = (path.to_owned(), Arc::clone(room));
    Embedded::opened_by(Box::new(move || database(&opened, &room)), rest, Some(path.to_owned()))
}

/// One batch of several kinds: all of it is there or none.
fn batch(key: &Key, number: u32) -> Batch {
    let text = number.to_string();
    Batch::new()
        .then(set(key, &format!("{text}:{}", "x".repeat(3_000))))
        .then(add(key, &text))
        .then(Change::Append { key: key.clone(), value: text, keep: 3 })
}

/// The number of the last batch that is there, all of it.
async fn last(store: &Embedded, key: &Key) -> Result<Option<u32>, StoreError> {
    let entry = store.get(key).await?.map(|entry| entry.value);
    let entry = entry.map(|value| value.split(':').next().unwrap().parse::<u32>().unwrap());
    let members = store.members(key).await?;
    let list = store.list(key, 1).await?;
    assert_eq!(list.first().map(|text| text.parse().unwrap()), entry, "half a batch");
    assert_eq!(members.contains(&entry.unwrap_or(0).to_string()), entry.is_some(), "half a batch");
    Ok(entry)
}

#[track_caller]
fn assert_full(error: &StoreError, path: &Path) {
    assert!(matches!(error, StoreError::Full { path: at, .. } if at == path), "{error:?}");
    assert!(error.is_transient() && error.to_string().contains("make room"), "{error}");
}

/// The disk takes one write, or two, and so on, in the middle of batches; and then it has room again. The store goes on,
/// and what it acknowledged is there, and is there when the file is opened anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_at_any_write_loses_nothing_and_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let key = Names::new().key(&["all"]);
    let room = Arc::new(Room::default());
    room.enough();
    let mut acknowledged = None;
    let mut number = 0;
    let mut store = Some(store(&path, &room).unwrap());
    for writes in 0..60 {
        let open = store.as_ref().unwrap();
        room.writes_left.store(writes, Ordering::SeqCst);
        let error = loop {
            number += 1;
            match open.apply(batch(&key, number)).await {
                Ok(Applied::Done { .. }) => acknowledged = Some(number),
                Ok(Applied::Refused(key)) => panic!("{key} was not checked"),
                Err(error) => break error,
            }
        };
        assert_full(&error, &path);
        room.enough();
        let there = last(open, &key).await.unwrap();
        // The batch that failed may have been carried out, as after any transient error.
        assert!(
            there == acknowledged || there == Some(number),
            "{there:?}, though {acknowledged:?} was acknowledged"
        );
        number += 1;
        let written = eventually("a write", async || open.apply(batch(&key, number)).await.ok()).await;
        assert!(matches!(written, Applied::Done { .. }));
        acknowledged = Some(number);
        assert_eq!(last(open, &key).await.unwrap(), acknowledged);
        if writes % 5 == 0 {
            drop(store.take());
            store = Some(self::store(&path, &room).unwrap());
            assert_eq!(last(store.as_ref().unwrap(), &key).await.unwrap(), acknowledged);
        }
    }
    drop(store);
    let mut whole = database(&path, &room).unwrap();
    assert!(whole.check_integrity().unwrap());
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

/// A full disk still takes what is written in place, so that a store can be opened, and read.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_on_a_full_disk_is_read_and_opened_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (names, room) = (Names::new(), Arc::new(Room::default()));
    let (key, filler) = (names.key(&["link"]), names.key(&["filler"]));
    room.enough();
    let mut store = Some(store(&path, &room).unwrap());
    let open = store.as_ref().unwrap();
    let _ = open.apply(Batch::new().then(set(&key, "kept"))).await.unwrap();
    room.length.store(std::fs::metadata(&path).unwrap().len() + 1_000_000, Ordering::SeqCst);
    let large = "x".repeat(100_000);
    let mut count = 0;
    let error = loop {
        count += 1;
        let entry = names.key(&["filler", &count.to_string()]);
        match open.apply(Batch::new().then(set(&entry, &large)).then(set(&filler, &count.to_string()))).await
        {
            Ok(_) => assert!(count < 10_000),
            Err(error) => break error,
        }
    };
    assert_full(&error, &path);
    for round in 0..3 {
        let open = store.as_ref().unwrap();
        assert_eq!(value(open, &key).await.as_deref(), Some("kept"), "{round}");
        assert_eq!(value(open, &filler).await, Some((count - 1).to_string()));
        open.reachable().await.unwrap();
        assert_eq!(open.durability().await.unwrap(), Durability::Durable);
        let error = open.apply(Batch::new().then(set(&names.key(&["more"]), &large))).await.unwrap_err();
        assert_full(&error, &path);
        assert!(everything_said(&error).contains("space"), "{}", everything_said(&error));
        drop(store.take());
        store = Some(self::store(&path, &room).unwrap());
    }
    room.enough();
    let open = store.as_ref().unwrap();
    let written =
        eventually("a write", async || open.apply(Batch::new().then(set(&key, "again"))).await.ok());
    assert!(matches!(written.await, Applied::Done { .. }));
    assert_eq!(value(open, &key).await.as_deref(), Some("again"));
}

/// What the file layer writes when it opens and closes a file lies in place.
#[tokio::test]
async fn opening_a_store_that_is_there_writes_nothing_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let room = Arc::new(Room::default());
    room.enough();
    drop(store(&path, &room).unwrap());
    let written = |open: &dyn Fn()| {
        room.enough();
        open();
        i64::MAX - room.writes_left.load(Ordering::SeqCst)
    };
    let by_the_file_layer = written(&|| drop(database(&path, &room).unwrap()));
    assert_eq!(written(&|| drop(store(&path, &room).unwrap())), by_the_file_layer);
}

/// Each try costs opening the file again, so that those that come at once share one.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_tried_now_and_then_and_read_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (key, room) = (Names::new().key(&["link"]), Arc::new(Room::default()));
    room.enough();
    let store = store_that_rests(&path, &room, Duration::from_hours(1)).unwrap();
    let _ = store.apply(batch(&key, 1)).await.unwrap();
    room.writes_left.store(0, Ordering::SeqCst);
    assert_full(&store.apply(batch(&key, 2)).await.unwrap_err(), &path);
    room.enough();
    let tried = room.failed.load(Ordering::SeqCst);
    for _ in 0..100 {
        assert_full(&store.apply(batch(&key, 3)).await.unwrap_err(), &path);
        assert_eq!(last(&store, &key).await.unwrap(), Some(1));
    }
    assert_eq!(room.failed.load(Ordering::SeqCst), tried);
}

/// Many write and read while the disk fails now and then: each is answered, and what was acknowledged is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_meet_a_failing_disk_at_once_are_all_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (names, room) = (Names::new(), Arc::new(Room::default()));
    room.enough();
    let store = store(&path, &room).unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..6 {
        let (store, key) = (store.clone(), names.key(&["all", &caller.to_string()]));
        callers.spawn(async move {
            let (mut acknowledged, mut refused) = (None, 0);
            for number in 1..=60 {
                match store.apply(batch(&key, number)).await {
                    Ok(_) => acknowledged = Some(number),
                    Err(error) => {
                        assert!(error.is_transient(), "{error:?}");
                        refused += 1;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                match store.get(&key).await {
                    Ok(_) => {}
                    Err(error) => assert!(error.is_transient(), "{error:?}"),
                }
            }
            (key, acknowledged, refused)
        });
    }
    let mut seed = 1_u64;
    while !callers.is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        room.writes_left.store(i64::try_from(seed >> 58).unwrap(), Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
        room.enough();
        tokio::time::sleep(Duration::from_millis(30)).await;
        while let Some(ended) = callers.try_join_next() {
            let (key, acknowledged, refused) = ended.unwrap();
            let there = eventually("a read", async || last(&store, &key).await.ok()).await;
            assert!(there >= acknowledged, "{there:?}, though {acknowledged:?} was acknowledged");
            assert!(refused > 0, "the disk did not fail");
        }
    }
    assert!(room.failed.load(Ordering::SeqCst) > 0);
}
