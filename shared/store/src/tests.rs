//! One suite of promises, held by every store; then what only a server or only a file can promise.
#![allow(clippy::unwrap_used)]

mod batches;
mod cluster;
mod collections;
mod embedded;
mod keys;
mod leases;
mod redis;
mod scripts;
mod sentinel;

use std::error::Error;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::{Applied, Batch, Change, Key, Leased, Redis, Store, StoreError};

/// The keys of one test: a namespace that no other test has.
pub(crate) struct Names {
    namespace: String,
}

impl Names {
    fn new() -> Self {
        Self { namespace: uuid::Uuid::new_v4().to_string() }
    }

    /// A key of one connection. Those of several tests are on several nodes of a cluster.
    fn key(&self, parts: &[&str]) -> Key {
        self.scoped(&format!("connection-{}", self.namespace), parts)
    }

    fn scoped(&self, scope: &str, parts: &[&str]) -> Key {
        Key::of(&self.namespace, scope, parts)
    }
}

fn set(key: &Key, value: &str) -> Change {
    Change::Set { key: key.clone(), value: value.to_owned() }
}

fn add(key: &Key, member: &str) -> Change {
    Change::Add { key: key.clone(), member: member.to_owned() }
}

/// A moment of the past, plus so many seconds.
fn at(seconds: i64) -> Timestamp {
    "2025-03-01T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

async fn done<S: Store>(store: &S, batch: Batch) -> u64 {
    match store.apply(batch).await.unwrap() {
        Applied::Done { revision } => revision,
        Applied::Refused(key) => panic!("refused because of {key}"),
    }
}

async fn refused<S: Store>(store: &S, batch: Batch) -> Key {
    match store.apply(batch).await.unwrap() {
        Applied::Refused(key) => key,
        Applied::Done { revision } => panic!("done as revision {revision}"),
    }
}

async fn value<S: Store>(store: &S, key: &Key) -> Option<String> {
    store.get(key).await.unwrap().map(|entry| entry.value)
}

async fn token<S: Store>(store: &S, key: &Key, holder: &str, keep: Duration) -> Option<u64> {
    match store.lease(key, holder, keep).await.unwrap() {
        Leased::Held { token } => Some(token),
        Leased::Taken => None,
    }
}

/// Asks until the answer is there, for a minute at most: Sentinels may fail over twice, and then take long to find the replicas.
async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    for _ in 0..12_000 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what}: not within a minute")
}

/// What has failed at a server and may be tried again; panics with all that was said where it may not.
#[track_caller]
fn passing<T>(answer: Result<T, StoreError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            assert!(error.is_transient(), "{}", everything_said(&error));
            None
        }
    }
}

/// Every message of an error and of its sources.
fn everything_said(error: &StoreError) -> String {
    let mut said = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        said.push_str(&error.to_string());
        source = error.source();
    }
    said
}

async fn works_again(store: &Redis) {
    eventually("the store to work again", async || passing(store.reachable().await)).await;
}

fn redis_at(url: String) -> crate::Redis {
    crate::Redis::open(&SecretString::from(url)).unwrap()
}

/// Makes a test of each promise on each store.
macro_rules! promises {
    ($($group:ident :: $promise:ident,)*) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                super::$group::$promise(crate::Embedded::in_memory().unwrap(), super::Names::new()).await;
            })*
        }

        mod on_file {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                let folder = tempfile::tempdir().unwrap();
                let store = crate::Embedded::open(folder.path().join("store")).unwrap();
                super::$group::$promise(store, super::Names::new()).await;
            })*
        }

        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                let store = super::redis_at(servers::Redis::shared_url());
                super::$group::$promise(store, super::Names::new()).await;
            })*
        }

        /// Every promise, one after the other.
        async fn all_promises<S: Store>(store: &S) {
            $($group::$promise(store.clone(), Names::new()).await;)*
        }
    };
}

promises! {
    batches::a_stale_revision_is_refused_and_changes_nothing,
    batches::of_concurrent_writers_with_one_revision_exactly_one_wins,
    batches::of_concurrent_creators_exactly_one_wins,
    batches::a_members_check_sees_a_concurrent_addition,
    batches::a_members_check_wants_exactly_these_members,
    batches::a_batch_is_all_or_nothing,
    batches::changes_are_made_in_order,
    batches::a_revision_is_shared_by_a_batch_and_never_comes_back,
    batches::an_entry_set_for_a_time_becomes_absent,
    batches::an_entry_set_again_loses_its_expiry,
    batches::a_batch_over_two_scopes_is_refused_as_a_mistake,
    batches::an_empty_batch_is_done,
    batches::delete_removes_every_kind_but_leases,
    collections::due_returns_only_what_is_due_in_order,
    collections::a_member_scheduled_again_moves,
    collections::a_list_keeps_the_newest,
    collections::a_set_counts_each_member_once,
    collections::many_entries_are_read_in_order,
    collections::entries_of_several_connections_are_read_in_order,
    collections::any_text_comes_back_as_it_was,
    keys::hostile_parts_do_not_collide_in_a_store,
    keys::kinds_under_one_key_do_not_meet,
    leases::a_lease_has_one_holder,
    leases::of_concurrent_holders_exactly_one_gets_the_lease,
    leases::an_expired_lease_goes_to_another_with_a_higher_token,
    leases::a_lease_that_lapsed_gives_its_holder_a_new_token,
    leases::a_released_lease_is_free_at_once_and_only_its_holder_releases_it,
    leases::a_batch_with_a_lost_lease_is_refused,
}
