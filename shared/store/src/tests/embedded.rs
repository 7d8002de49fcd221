//! What a file adds: it can be closed, held, damaged, and its writer killed.

mod disk;
mod kill;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;
use redb::{ReadableDatabase, ReadableTableMetadata};
use tokio::task::JoinSet;

use super::{Names, add, at, done, refused, set, token, value};
use crate::{Batch, Change, Check, Durability, Embedded, Entry, Store, StoreError};

#[tokio::test]
async fn data_survive_reopening_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, names) = (folder.path().join("store"), Names::new());
    let [key, lease] = ["link", "lease"].map(|name| names.key(&[name]));
    let store = Embedded::open(&path).unwrap();
    let batch = Batch::new()
        .then(set(&key, "v"))
        .then(add(&key, "m"))
        .then(Change::Schedule { key: key.clone(), member: "m".into(), at: at(0) })
        .then(Change::Append { key: key.clone(), value: "v".into(), keep: 3 });
    let revision = done(&store, batch).await;
    let held = token(&store, &lease, "me", Duration::from_mins(10)).await.unwrap();
    assert_eq!(store.durability().await.unwrap(), Durability::Durable);
    drop(store);

    let store = Embedded::open(&path).unwrap();
    store.reachable().await.unwrap();
    assert_eq!(store.get(&key).await.unwrap(), Some(Entry { revision, value: "v".into() }));
    assert_eq!(store.count(&key).await.unwrap(), 1);
    assert_eq!(store.due(&key, at(0), 9).await.unwrap(), ["m"]);
    assert_eq!(store.list(&key, 9).await.unwrap(), ["v"]);
    assert_eq!(token(&store, &lease, "me", Duration::from_mins(10)).await, Some(held));
    assert!(done(&store, Batch::new().then(set(&key, "w"))).await > revision);
}

#[tokio::test]
async fn a_file_opened_twice_is_said_to_be_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = Embedded::open(&path).unwrap();
    let error = Embedded::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::FileHeld { .. }) && !error.is_transient(), "{error:?}");
    drop(store);
    Embedded::open(&path).unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let notes = "dear diary, ".repeat(1_000);
    std::fs::write(&path, &notes).unwrap();
    let error = Embedded::open(&path).unwrap_err();
    assert!(matches!(&error, StoreError::File { path: at, .. } if *at == path), "{error:?}");
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notes);
    let nowhere = Embedded::open(Path::new("/nowhere/at/all")).unwrap_err();
    assert!(matches!(nowhere, StoreError::File { .. }) && !nowhere.is_transient(), "{nowhere:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let _store = Embedded::open(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_store_in_memory_says_that_it_is_weak() {
    let durability = Embedded::in_memory().unwrap().durability().await.unwrap();
    assert!(matches!(durability, Durability::Weak { .. }), "{durability:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_to_a_file_are_all_answered_and_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (store, names) = (Embedded::open(&path).unwrap(), Names::new());
    let key = names.key(&["all"]);
    let mut writers = JoinSet::new();
    for writer in 0..200 {
        let (store, key) = (store.clone(), key.clone());
        writers.spawn(async move { done(&store, Batch::new().then(add(&key, &writer.to_string()))).await });
    }
    let mut revisions = writers.join_all().await;
    revisions.sort_unstable();
    revisions.dedup();
    assert_eq!(revisions.len(), 200);
    drop(store);
    assert_eq!(Embedded::open(&path).unwrap().count(&key).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_commit_takes_no_time_of_a_paused_clock() {
    let folder = tempfile::tempdir().unwrap();
    let names = Names::new();
    for store in [Embedded::in_memory().unwrap(), Embedded::open(folder.path().join("store")).unwrap()] {
        for count in 0..20 {
            let applied = done(&store, Batch::new().then(set(&names.key(&["a"]), &count.to_string())));
            tokio::time::timeout(Duration::from_millis(1), applied).await.expect("no time to pass");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_be_opened_again_as_soon_as_its_store_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("store"), Names::new().key(&["all"]));
    for round in 0_u64..100 {
        let store = Embedded::open(&path).unwrap();
        assert_eq!(store.count(&key).await.unwrap(), round);
        done(&store, Batch::new().then(add(&key, &round.to_string()))).await;
    }
}

#[test]
fn work_that_an_ended_runtime_cannot_begin_is_told_and_does_not_hold_up_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = (Embedded::open(folder.path().join("store")).unwrap(), Names::new().key(&["a"]));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ended, next) = (runtime(), runtime());
    let handle = ended.handle().clone();
    drop(ended);
    let mut never = Box::pin(store.apply(Batch::new().then(set(&key, "never"))));
    {
        let _ended = handle.enter();
        let begun = never.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(begun, Poll::Ready(Err(StoreError::Ended))), "{begun:?}");
    }
    next.block_on(async {
        let last = done(&store, Batch::new().then(set(&key, "last")));
        tokio::time::timeout(Duration::from_secs(10), last).await.unwrap();
        assert_eq!(value(&store, &key).await.as_deref(), Some("last"));
    });
}

#[tokio::test]
async fn expired_entries_leave_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, names) = (folder.path().join("store"), Names::new());
    let now = Arc::new(AtomicI64::new(at(0).as_second()));
    let clock = Arc::clone(&now);
    let store = Embedded::open(&path)
        .unwrap()
        .with_clock(move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap());
    let mut batch = Batch::new().then(set(&names.key(&["good"]), "v"));
    for number in 0..50 {
        let key = names.key(&["short", &number.to_string()]);
        batch = batch.then(Change::SetFor { key, value: "v".into(), keep: Duration::from_secs(10) });
    }
    done(&store, batch).await;
    now.fetch_add(10, Ordering::SeqCst);
    done(&store, Batch::new().then(set(&names.key(&["later"]), "v"))).await;
    drop(store);
    let database = redb::Database::open(&path).unwrap();
    let table = redb::TableDefinition::<&str, (u64, i64, &str)>::new("entries");
    assert_eq!(database.begin_read().unwrap().open_table(table).unwrap().len().unwrap(), 2);
}

#[tokio::test]
async fn a_clock_of_ones_own_drives_leases_and_expiry() {
    let now = Arc::new(AtomicI64::new(at(0).as_second()));
    let clock = Arc::clone(&now);
    let store = Embedded::in_memory()
        .unwrap()
        .with_clock(move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap());
    let pass = |seconds| now.fetch_add(seconds, Ordering::SeqCst);
    let names = Names::new();
    let [lease, entry] = ["lease", "entry"].map(|name| names.key(&[name]));
    let keep = Duration::from_secs(30);

    let first = token(&store, &lease, "one", keep).await.unwrap();
    let batch = Change::SetFor { key: entry.clone(), value: "v".into(), keep };
    let revision = done(&store, Batch::new().then(batch)).await;
    pass(29);
    assert_eq!(token(&store, &lease, "two", keep).await, None);
    assert!(value(&store, &entry).await.is_some());
    pass(1);
    let second = token(&store, &lease, "two", keep).await.unwrap();
    assert!(second > first);
    assert_eq!(value(&store, &entry).await, None);
    let stale = Batch::new().when(Check::Revision(entry.clone(), revision));
    assert_eq!(refused(&store, stale).await, entry);
    let later = done(&store, Batch::new().then(set(&entry, "w"))).await;
    assert!(later > revision);
    pass(30);
    // A clock set back repeats neither a revision nor a token.
    pass(-3_600);
    assert!(done(&store, Batch::new().then(set(&entry, "x"))).await > later);
    let third = token(&store, &names.key(&["lease"]), "two", keep).await.unwrap();
    assert_eq!(third, second, "still held");
    store.release(&lease, "two").await.unwrap();
    assert!(token(&store, &lease, "three", keep).await.unwrap() > second);
}
