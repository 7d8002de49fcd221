use std::time::Duration;

use tokio::task::JoinSet;

use super::{Names, done, eventually, refused, set, token, value};
use crate::{Batch, Check, Store};

const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_millis(40);

pub(crate) async fn a_lease_has_one_holder<S: Store>(store: S, names: Names) {
    let key = names.key(&["cursor"]);
    let first = token(&store, &key, "one", LONG).await.unwrap();
    assert_eq!(token(&store, &key, "two", LONG).await, None);
    assert_eq!(token(&store, &key, "one", LONG).await, Some(first), "a renewal keeps the token");
    assert_eq!(token(&store, &key, "two", LONG).await, None);
    assert!(token(&store, &names.key(&["other"]), "two", LONG).await.is_some());
}

pub(crate) async fn of_concurrent_holders_exactly_one_gets_the_lease<S: Store>(store: S, names: Names) {
    let mut holders = JoinSet::new();
    for holder in 0..16 {
        let (store, key) = (store.clone(), names.key(&["cursor"]));
        holders.spawn(async move { token(&store, &key, &holder.to_string(), LONG).await });
    }
    assert_eq!(holders.join_all().await.into_iter().flatten().count(), 1);
}

pub(crate) async fn an_expired_lease_goes_to_another_with_a_higher_token<S: Store>(store: S, names: Names) {
    let key = names.key(&["cursor"]);
    let mut newest = token(&store, &key, "one", SHORT).await.unwrap();
    for holder in ["two", "three", "four"] {
        let next = eventually("the lease", async || token(&store, &key, holder, SHORT).await).await;
        assert!(next > newest, "{next} after {newest}");
        newest = next;
    }
}

pub(crate) async fn a_lease_that_lapsed_gives_its_holder_a_new_token<S: Store>(store: S, names: Names) {
    let (key, flag) = (names.key(&["cursor"]), names.key(&["flag"]));
    let first = token(&store, &key, "one", SHORT).await.unwrap();
    let lapsed = async || {
        let held = Check::Lease { key: key.clone(), token: first };
        matches!(store.apply(Batch::new().when(held)).await.unwrap(), crate::Applied::Refused(_))
            .then_some(())
    };
    eventually("the lease to lapse", lapsed).await;
    let second = token(&store, &key, "one", LONG).await.unwrap();
    assert!(second > first, "{second} after {first}");
    let stale = Batch::new().when(Check::Lease { key: key.clone(), token: first }).then(set(&flag, "never"));
    assert_eq!(refused(&store, stale).await, key);
}

pub(crate) async fn a_released_lease_is_free_at_once_and_only_its_holder_releases_it<S: Store>(
    store: S,
    names: Names,
) {
    let key = names.key(&["cursor"]);
    store.release(&key, "nobody").await.unwrap();
    let first = token(&store, &key, "one", LONG).await.unwrap();
    store.release(&key, "two").await.unwrap();
    assert_eq!(token(&store, &key, "two", LONG).await, None);
    store.release(&key, "one").await.unwrap();
    let second = token(&store, &key, "two", LONG).await.unwrap();
    assert!(second > first);
    store.release(&key, "one").await.unwrap();
    assert_eq!(token(&store, &key, "two", LONG).await, Some(second), "one's release came too late to matter");
}

pub(crate) async fn a_batch_with_a_lost_lease_is_refused<S: Store>(store: S, names: Names) {
    let (key, cursor) = (names.key(&["lease"]), names.key(&["cursor"]));
    let held = |token| Check::Lease { key: key.clone(), token };
    assert_eq!(refused(&store, Batch::new().when(held(1)).then(set(&cursor, "never"))).await, key);
    let first = token(&store, &key, "one", LONG).await.unwrap();
    done(&store, Batch::new().when(held(first)).then(set(&cursor, "moved"))).await;
    assert_eq!(refused(&store, Batch::new().when(held(first + 1)).then(set(&cursor, "never"))).await, key);
    store.release(&key, "one").await.unwrap();
    assert_eq!(refused(&store, Batch::new().when(held(first)).then(set(&cursor, "never"))).await, key);
    let second = token(&store, &key, "two", LONG).await.unwrap();
    assert_eq!(refused(&store, Batch::new().when(held(first)).then(set(&cursor, "never"))).await, key);
    assert_eq!(value(&store, &cursor).await.as_deref(), Some("moved"));
    done(&store, Batch::new().when(held(second)).then(set(&cursor, "moved again"))).await;
}
