use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Names, add, at, done, eventually, refused, set, token, value};
use crate::{Applied, Batch, Change, Check, Store, StoreError};

pub(crate) async fn a_stale_revision_is_refused_and_changes_nothing<S: Store>(store: S, names: Names) {
    let (key, other) = (names.key(&["link", "1"]), names.key(&["link", "2"]));
    let first = done(&store, Batch::new().when(Check::Absent(key.clone())).then(set(&key, "one"))).await;
    let second =
        done(&store, Batch::new().when(Check::Revision(key.clone(), first)).then(set(&key, "two"))).await;
    let stale = Batch::new()
        .when(Check::Revision(key.clone(), first))
        .then(set(&other, "never"))
        .then(set(&key, "never"));
    assert_eq!(refused(&store, stale).await, key);
    let entry = store.get(&key).await.unwrap().unwrap();
    assert_eq!((entry.value.as_str(), entry.revision), ("two", second));
    assert_eq!(value(&store, &other).await, None);
    let taken = Batch::new().when(Check::Absent(key.clone())).then(set(&key, "never"));
    assert_eq!(refused(&store, taken).await, key);
    let missing = Batch::new().when(Check::Revision(other.clone(), second)).then(set(&other, "never"));
    assert_eq!(refused(&store, missing).await, other);
}

pub(crate) async fn of_concurrent_writers_with_one_revision_exactly_one_wins<S: Store>(
    store: S,
    names: Names,
) {
    let key = names.key(&["link"]);
    let mut revision = done(&store, Batch::new().then(set(&key, "start"))).await;
    for round in 0..5 {
        let mut writers = JoinSet::new();
        for writer in 0..16 {
            let (store, key) = (store.clone(), key.clone());
            writers.spawn(async move {
                let value = format!("{round}-{writer}");
                let batch = Batch::new().when(Check::Revision(key.clone(), revision)).then(set(&key, &value));
                (value, store.apply(batch).await.unwrap())
            });
        }
        let mut winners = Vec::new();
        for (value, applied) in writers.join_all().await {
            if let Applied::Done { revision } = applied {
                winners.push((value, revision));
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        let entry = store.get(&key).await.unwrap().unwrap();
        assert_eq!((entry.value, entry.revision), winners.remove(0));
        revision = entry.revision;
    }
}

pub(crate) async fn of_concurrent_creators_exactly_one_wins<S: Store>(store: S, names: Names) {
    let key = names.key(&["link"]);
    let mut creators = JoinSet::new();
    for _ in 0..16 {
        let (store, key) = (store.clone(), key.clone());
        creators.spawn(async move {
            store.apply(Batch::new().when(Check::Absent(key.clone())).then(set(&key, "mine"))).await.unwrap()
        });
    }
    let all = creators.join_all().await;
    assert_eq!(all.iter().filter(|applied| matches!(applied, Applied::Done { .. })).count(), 1);
}

pub(crate) async fn a_members_check_sees_a_concurrent_addition<S: Store>(store: S, names: Names) {
    let key = names.key(&["match", "code"]);
    let mut adders = JoinSet::new();
    for adder in 0..16 {
        let (store, key) = (store.clone(), key.clone());
        adders.spawn(async move {
            let batch = Batch::new()
                .when(Check::Members(key.clone(), BTreeSet::new()))
                .then(add(&key, &adder.to_string()));
            store.apply(batch).await.unwrap()
        });
    }
    let all = adders.join_all().await;
    assert_eq!(all.iter().filter(|applied| matches!(applied, Applied::Done { .. })).count(), 1);
    assert_eq!(store.count(&key).await.unwrap(), 1);
}

pub(crate) async fn a_members_check_wants_exactly_these_members<S: Store>(store: S, names: Names) {
    let (key, flag) = (names.key(&["match"]), names.key(&["flag"]));
    done(&store, Batch::new().then(add(&key, "a")).then(add(&key, "b"))).await;
    for wrong in [vec![], vec!["a"], vec!["a", "c"], vec!["a", "b", "c"]] {
        let members = wrong.into_iter().map(str::to_owned).collect();
        let batch = Batch::new().when(Check::Members(key.clone(), members)).then(set(&flag, "never"));
        assert_eq!(refused(&store, batch).await, key);
    }
    let members = ["b", "a"].map(str::to_owned).into();
    // A second check after it shows that the first has consumed exactly its own members.
    let batch = Batch::new()
        .when(Check::Members(key.clone(), members))
        .when(Check::Absent(flag.clone()))
        .then(set(&flag, "set"));
    done(&store, batch).await;
    assert_eq!(value(&store, &flag).await.as_deref(), Some("set"));
}

pub(crate) async fn a_batch_is_all_or_nothing<S: Store>(store: S, names: Names) {
    let names_of = ["entry", "kept", "gone", "set", "schedule", "list"].map(|name| names.key(&[name]));
    let [entry, kept, gone, members, schedule, list] = &names_of;
    done(&store, Batch::new().then(set(gone, "still here")).then(add(members, "old"))).await;
    let changes = || {
        Batch::new()
            .when(Check::Absent(entry.clone()))
            .then(set(entry, "new"))
            .then(Change::SetFor { key: kept.clone(), value: "kept".into(), keep: Duration::from_mins(10) })
            .then(Change::Delete(gone.clone()))
            .then(add(members, "new"))
            .then(Change::Remove { key: members.clone(), member: "old".into() })
            .then(Change::Schedule { key: schedule.clone(), member: "m".into(), at: at(0) })
            .then(Change::Append { key: list.clone(), value: "v".into(), keep: 5 })
    };
    // The last check fails, so nothing of all this may be seen.
    let failing = changes().when(Check::Revision(gone.clone(), 1));
    assert_eq!(refused(&store, failing).await, *gone);
    let state = async || {
        let entries = store.get_many(&[entry.clone(), kept.clone(), gone.clone()]).await.unwrap();
        let values: Vec<_> = entries.into_iter().map(|entry| entry.map(|entry| entry.value)).collect();
        let members: Vec<_> = store.members(members).await.unwrap().into_iter().collect();
        let due = store.due(schedule, at(9), 9).await.unwrap();
        (values, members, due, store.list(list, 9).await.unwrap())
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(state().await, (vec![None, None, text("still here")], vec!["old".to_owned()], vec![], vec![]));
    done(&store, changes()).await;
    let expected = (
        vec![text("new"), text("kept"), None],
        vec!["new".to_owned()],
        vec!["m".to_owned()],
        vec!["v".to_owned()],
    );
    assert_eq!(state().await, expected);
}

pub(crate) async fn changes_are_made_in_order<S: Store>(store: S, names: Names) {
    let (gone, there) = (names.key(&["gone"]), names.key(&["there"]));
    let batch = Batch::new()
        .then(set(&gone, "x"))
        .then(Change::Delete(gone.clone()))
        .then(Change::Delete(there.clone()))
        .then(set(&there, "first"))
        .then(set(&there, "last"));
    done(&store, batch).await;
    assert_eq!(value(&store, &gone).await, None);
    assert_eq!(value(&store, &there).await.as_deref(), Some("last"));
}

pub(crate) async fn a_revision_is_shared_by_a_batch_and_never_comes_back<S: Store>(store: S, names: Names) {
    let (one, two) = (names.key(&["one"]), names.key(&["two"]));
    let mut newest = 0;
    for _ in 0..20 {
        let revision = done(&store, Batch::new().then(set(&one, "v")).then(set(&two, "v"))).await;
        assert!(revision > newest, "{revision} after {newest}");
        newest = revision;
        let entries = store.get_many(&[one.clone(), two.clone()]).await.unwrap();
        assert!(entries.iter().all(|entry| entry.as_ref().unwrap().revision == revision));
        done(&store, Batch::new().then(Change::Delete(one.clone()))).await;
        let stale = Batch::new().when(Check::Revision(one.clone(), revision)).then(set(&one, "never"));
        assert_eq!(refused(&store, stale).await, one);
    }
}

pub(crate) async fn an_entry_set_for_a_time_becomes_absent<S: Store>(store: S, names: Names) {
    let key = names.key(&["seen"]);
    let keep = Duration::from_millis(150);
    let for_a_time = || Change::SetFor { key: key.clone(), value: "v".into(), keep };
    let revision = done(&store, Batch::new().then(for_a_time())).await;
    assert_eq!(store.get(&key).await.unwrap().map(|entry| entry.revision), Some(revision));
    let gone = async || store.get(&key).await.unwrap().is_none().then_some(());
    eventually("the entry to expire", gone).await;
    let stale = Batch::new().when(Check::Revision(key.clone(), revision)).then(set(&key, "never"));
    assert_eq!(refused(&store, stale).await, key);
    done(&store, Batch::new().when(Check::Absent(key.clone())).then(for_a_time())).await;
}

pub(crate) async fn an_entry_set_again_loses_its_expiry<S: Store>(store: S, names: Names) {
    let (key, marker) = (names.key(&["key"]), names.key(&["marker"]));
    let keep = Duration::from_millis(30);
    let for_a_time = |key: &crate::Key| Change::SetFor { key: key.clone(), value: "short".into(), keep };
    done(&store, Batch::new().then(for_a_time(&key)).then(set(&key, "long"))).await;
    done(&store, Batch::new().then(for_a_time(&marker))).await;
    eventually("the marker to expire", async || value(&store, &marker).await.is_none().then_some(())).await;
    // Another commit gives a store that sweeps the chance to sweep too much.
    done(&store, Batch::new().then(set(&marker, "again"))).await;
    assert_eq!(value(&store, &key).await.as_deref(), Some("long"));
}

pub(crate) async fn a_batch_over_two_scopes_is_refused_as_a_mistake<S: Store>(store: S, names: Names) {
    let (one, two) = (names.scoped("connection-1", &["a"]), names.scoped("connection-2", &["a"]));
    let error = store.apply(Batch::new().then(set(&one, "x")).then(set(&two, "x"))).await.unwrap_err();
    assert!(matches!(&error, StoreError::MixedScopes { first, other } if *first == one && *other == two));
    assert!(!error.is_transient());
    assert_eq!(value(&store, &one).await, None);
}

pub(crate) async fn an_empty_batch_is_done<S: Store>(store: S, names: Names) {
    done(&store, Batch::new()).await;
    // A batch that only checks changes nothing and still answers.
    let key = names.key(&["a"]);
    done(&store, Batch::new().when(Check::Absent(key.clone()))).await;
    assert_eq!(value(&store, &key).await, None);
}

pub(crate) async fn delete_removes_every_kind_but_leases<S: Store>(store: S, names: Names) {
    let key = names.key(&["everything"]);
    let batch = Batch::new()
        .then(set(&key, "v"))
        .then(add(&key, "m"))
        .then(Change::Schedule { key: key.clone(), member: "m".into(), at: at(0) })
        .then(Change::Append { key: key.clone(), value: "v".into(), keep: 5 });
    done(&store, batch).await;
    let held = token(&store, &key, "me", Duration::from_mins(10)).await.unwrap();

    done(&store, Batch::new().then(Change::Delete(key.clone()))).await;
    assert_eq!(value(&store, &key).await, None);
    assert!(store.members(&key).await.unwrap().is_empty());
    assert!(store.due(&key, at(9), 9).await.unwrap().is_empty());
    assert!(store.list(&key, 9).await.unwrap().is_empty());
    // What is added afterwards stands alone.
    done(&store, Batch::new().then(Change::Append { key: key.clone(), value: "w".into(), keep: 5 })).await;
    assert_eq!(store.list(&key, 9).await.unwrap(), ["w"]);
    assert_eq!(token(&store, &key, "me", Duration::from_mins(10)).await, Some(held));
}
