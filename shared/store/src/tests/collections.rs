use super::{Names, add, at, done, set};
use crate::{Batch, Change, Key, Store};

fn schedule(key: &Key, member: &str, seconds: i64) -> Change {
    Change::Schedule { key: key.clone(), member: member.to_owned(), at: at(seconds) }
}

pub(crate) async fn due_returns_only_what_is_due_in_order<S: Store>(store: S, names: Names) {
    let (key, other) = (names.key(&["outbox"]), names.key(&["outbox", "x"]));
    let batch = Batch::new()
        .then(schedule(&key, "later", 30))
        .then(schedule(&key, "second b", 10))
        .then(schedule(&key, "second a", 10))
        .then(schedule(&key, "first", -10))
        .then(schedule(&key, "exactly", 20))
        .then(schedule(&other, "elsewhere", 0));
    done(&store, batch).await;
    let due = async |until, limit| store.due(&key, at(until), limit).await.unwrap();
    assert_eq!(due(20, 100).await, ["first", "second a", "second b", "exactly"]);
    assert_eq!(due(19, 100).await, ["first", "second a", "second b"]);
    assert_eq!(due(100, 2).await, ["first", "second a"]);
    assert_eq!(due(-11, 100).await, Vec::<String>::new());
    assert_eq!(due(100, 0).await, Vec::<String>::new());
    assert_eq!(due(100, usize::MAX).await.len(), 5);
}

pub(crate) async fn a_member_scheduled_again_moves<S: Store>(store: S, names: Names) {
    let key = names.key(&["outbox"]);
    done(&store, Batch::new().then(schedule(&key, "a", 10)).then(schedule(&key, "b", 20))).await;
    done(&store, Batch::new().then(schedule(&key, "a", 30))).await;
    assert_eq!(store.due(&key, at(99), 9).await.unwrap(), ["b", "a"]);
    let off = |member: &str| Change::Unschedule { key: key.clone(), member: member.to_owned() };
    done(&store, Batch::new().then(off("a")).then(off("never there"))).await;
    assert_eq!(store.due(&key, at(99), 9).await.unwrap(), ["b"]);
    done(&store, Batch::new().then(schedule(&key, "a", 5))).await;
    assert_eq!(store.due(&key, at(99), 9).await.unwrap(), ["a", "b"]);
}

pub(crate) async fn a_list_keeps_the_newest<S: Store>(store: S, names: Names) {
    let (key, other) = (names.key(&["history"]), names.key(&["history", "x"]));
    let append = |key: &Key, value: &str, keep| {
        Batch::new().then(Change::Append { key: key.clone(), value: value.to_owned(), keep })
    };
    done(&store, append(&other, "elsewhere", 1)).await;
    for value in ["one", "two", "two", "three", "four"] {
        done(&store, append(&key, value, 3)).await;
    }
    assert_eq!(store.list(&key, 9).await.unwrap(), ["four", "three", "two"]);
    assert_eq!(store.list(&key, 2).await.unwrap(), ["four", "three"]);
    assert_eq!(store.list(&key, 0).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.list(&key, usize::MAX).await.unwrap().len(), 3);
    done(&store, append(&key, "five", usize::MAX)).await;
    assert_eq!(store.list(&key, 9).await.unwrap(), ["five", "four", "three", "two"]);
    done(&store, append(&key, "six", 1)).await;
    assert_eq!(store.list(&key, 9).await.unwrap(), ["six"]);
    done(&store, append(&key, "seven", 0)).await;
    assert_eq!(store.list(&key, 9).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.list(&other, 9).await.unwrap(), ["elsewhere"]);
}

pub(crate) async fn a_set_counts_each_member_once<S: Store>(store: S, names: Names) {
    let key = names.key(&["index"]);
    assert_eq!(store.count(&key).await.unwrap(), 0);
    let batch = Batch::new().then(add(&key, "a")).then(add(&key, "b")).then(add(&key, "a"));
    done(&store, batch).await;
    assert_eq!(store.count(&key).await.unwrap(), 2);
    let remove = |member: &str| Change::Remove { key: key.clone(), member: member.to_owned() };
    done(&store, Batch::new().then(remove("a")).then(remove("never there"))).await;
    assert_eq!(store.members(&key).await.unwrap().into_iter().collect::<Vec<_>>(), ["b"]);
    done(&store, Batch::new().then(remove("b"))).await;
    assert_eq!(store.count(&key).await.unwrap(), 0);
}

pub(crate) async fn many_entries_are_read_in_order<S: Store>(store: S, names: Names) {
    let keys: Vec<_> = (0..50).map(|number: u32| names.key(&["link", &number.to_string()])).collect();
    let mut batch = Batch::new();
    for (number, key) in keys.iter().enumerate().filter(|(number, _)| number % 3 == 0) {
        batch = batch.then(set(key, &number.to_string()));
    }
    done(&store, batch).await;
    let found = store.get_many(&keys).await.unwrap();
    assert_eq!(found.len(), keys.len());
    for (number, entry) in found.into_iter().enumerate() {
        assert_eq!(entry.map(|entry| entry.value), (number % 3 == 0).then(|| number.to_string()));
    }
    assert_eq!(store.get_many(&[]).await.unwrap(), []);
}

pub(crate) async fn any_text_comes_back_as_it_was<S: Store>(store: S, names: Names) {
    let large = "x".repeat(1_000_000);
    let texts = ["", " ", "\r\n", "a\0b", "€ naïve 漢字 🦀", "12", "-1", "1e5", "nil", &large];
    for text in texts {
        let key = names.key(&["text", text]);
        let batch = Batch::new()
            .then(set(&key, text))
            .then(add(&key, text))
            .then(Change::Schedule { key: key.clone(), member: text.to_owned(), at: at(0) })
            .then(Change::Append { key: key.clone(), value: text.to_owned(), keep: 1 });
        done(&store, batch).await;
        assert_eq!(store.get(&key).await.unwrap().unwrap().value, text);
        assert_eq!(store.members(&key).await.unwrap(), [text.to_owned()].into());
        assert_eq!(store.due(&key, at(0), 1).await.unwrap(), [text]);
        assert_eq!(store.list(&key, 1).await.unwrap(), [text]);
    }
}

pub(crate) async fn entries_of_several_connections_are_read_in_order<S: Store>(store: S, names: Names) {
    let keys: Vec<_> =
        (0..60).map(|at| names.scoped(&format!("connection-{}", at % 20), &[&at.to_string()])).collect();
    for (at, key) in keys.iter().enumerate() {
        if at % 3 != 0 {
            done(&store, Batch::new().then(set(key, &at.to_string()))).await;
        }
    }
    let found = store.get_many(&keys).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|entry| entry.map(|entry| entry.value)).collect();
    let expected: Vec<_> = (0..60).map(|at| (at % 3 != 0).then(|| at.to_string())).collect();
    assert_eq!(found, expected);
}
