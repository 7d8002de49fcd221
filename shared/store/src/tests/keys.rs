use std::collections::BTreeSet;

use super::{Names, add, done, set, value};
use crate::{Batch, Key, Store};

const HOSTILE: [&str; 14] =
    ["", "a", ":", "a:b", "{", "}", "{a}", "}:{", "%", "%3A", "%25", "%set", "%revision", "a%lease"];

/// Keys of up to two parts, each of them hostile.
fn hostile(key: impl Fn(&[&str]) -> Key) -> Vec<Key> {
    let mut keys = vec![key(&[])];
    for one in HOSTILE {
        keys.push(key(&[one]));
        keys.extend(HOSTILE.map(|two| key(&[one, two])));
    }
    keys
}

#[test]
fn hostile_namespaces_scopes_and_parts_give_different_keys() {
    let mut seen = BTreeSet::new();
    let mut made = 0;
    for namespace in HOSTILE {
        for scope in HOSTILE {
            for key in hostile(|parts| Key::of(namespace, scope, parts)) {
                made += 1;
                assert!(seen.insert(key.clone()), "{key} twice");
            }
        }
    }
    assert_eq!(seen.len(), made);
}

#[test]
fn a_key_has_exactly_one_hash_tag_and_it_is_the_scope() {
    for scope in HOSTILE {
        for key in hostile(|parts| Key::of("name{space}", scope, parts)) {
            let text = key.to_string();
            assert_eq!((text.matches('{').count(), text.matches('}').count()), (1, 1), "{text}");
            let tag = text.split(['{', '}']).nth(1).unwrap();
            assert!(!tag.is_empty(), "an empty tag is none: {text}");
            assert!(key.scope().ends_with(&format!("{{{tag}}}")), "{text}");
        }
    }
    assert_eq!(Key::of("tandem", "c1", &["link", "42"]).to_string(), "tandem:{c1}:link:42");
}

pub(crate) async fn hostile_parts_do_not_collide_in_a_store<S: Store>(store: S, names: Names) {
    let keys = hostile(|parts| names.scoped("con:nec}tion", parts));
    let mut batch = Batch::new();
    for (number, key) in keys.iter().enumerate() {
        batch = batch.then(set(key, &number.to_string())).then(add(key, &number.to_string()));
    }
    done(&store, batch).await;
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(value(&store, key).await, Some(number.to_string()), "{key}");
        assert_eq!(store.members(key).await.unwrap(), [number.to_string()].into(), "{key}");
    }
}

pub(crate) async fn kinds_under_one_key_do_not_meet<S: Store>(store: S, names: Names) {
    let key = names.key(&["a"]);
    done(&store, Batch::new().then(add(&key, "member"))).await;
    assert_eq!(value(&store, &key).await, None);
    done(&store, Batch::new().when(crate::Check::Absent(key.clone())).then(set(&key, "entry"))).await;
    assert_eq!(value(&store, &key).await.as_deref(), Some("entry"));
    assert_eq!(store.count(&key).await.unwrap(), 1);
    assert_eq!(store.list(&key, 9).await.unwrap(), Vec::<String>::new());
}
