//! What a server adds: it can be lost, emptied, silent or wrong.

use std::time::Duration;

use ::redis::{FromRedisValue, cmd};
use secrecy::SecretString;
use tokio::net::{TcpListener, TcpStream};

use super::{Names, add, done, everything_said, redis_at, refused, set, token, value, works_again};
use crate::{Batch, Check, Durability, Entry, Redis, Store, StoreError};

const LONG: Duration = Duration::from_mins(10);

/// Sends a command past the store.
async fn raw<T: FromRedisValue>(server: &servers::Redis, words: &[&str]) -> T {
    let client = ::redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn data_survive_kill_nine_and_scripts_are_reloaded() {
    let mut server = servers::Redis::start().unwrap();
    let (store, names) = (redis_at(server.url()), Names::new());
    let (key, lease) = (names.key(&["link"]), names.key(&["lease"]));
    let held = token(&store, &lease, "me", LONG).await.unwrap();
    let mut revision = done(&store, Batch::new().then(set(&key, "0"))).await;
    for count in 1..=100 {
        let batch = Batch::new()
            .when(Check::Revision(key.clone(), revision))
            .then(set(&key, &count.to_string()))
            .then(add(&names.key(&["all"]), &count.to_string()));
        revision = done(&store, batch).await;
    }
    server.restart().unwrap();
    works_again(&store).await;
    assert_eq!(store.get(&key).await.unwrap(), Some(Entry { revision, value: "100".into() }));
    assert_eq!(store.count(&names.key(&["all"])).await.unwrap(), 100);
    let batch = Batch::new()
        .when(Check::Revision(key.clone(), revision))
        .when(Check::Lease { key: lease.clone(), token: held })
        .then(set(&key, "after"));
    assert!(done(&store, batch).await > revision);
    assert_eq!(token(&store, &lease, "me", LONG).await, Some(held));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_store_answers_as_absent_and_numbers_still_grow() {
    let server = servers::Redis::start().unwrap();
    let (store, names) = (redis_at(server.url()), Names::new());
    let (key, lease) = (names.key(&["link"]), names.key(&["lease"]));
    let held = token(&store, &lease, "me", LONG).await.unwrap();
    let before = done(&store, Batch::new().then(set(&key, "v")).then(add(&key, "m"))).await;
    server.flush_all().unwrap();
    assert_eq!(store.get(&key).await.unwrap(), None);
    assert_eq!(store.count(&key).await.unwrap(), 0);
    let stale = Batch::new().when(Check::Revision(key.clone(), before)).then(set(&key, "never"));
    assert_eq!(refused(&store, stale).await, key);
    let fenced = Batch::new().when(Check::Lease { key: lease.clone(), token: held }).then(set(&key, "never"));
    assert_eq!(refused(&store, fenced).await, lease);
    let again = token(&store, &lease, "me", LONG).await.unwrap();
    assert!(again > held, "{again} after {held}");
    let after = done(&store, Batch::new().when(Check::Absent(key.clone())).then(set(&key, "w"))).await;
    assert!(after > before, "{after} after {before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_opens_before_its_server_runs_and_works_once_it_does() {
    let mut server = servers::Redis::start().unwrap();
    server.kill().unwrap();
    let (store, key) = (redis_at(server.url()), Names::new().key(&["a"]));
    for _ in 0..3 {
        let error = store.get(&key).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }) && error.is_transient(), "{error}");
    }
    server.restart().unwrap();
    works_again(&store).await;
    done(&store, Batch::new().then(set(&key, "v"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_given_up_and_connected_to_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (count, mut counted) = tokio::sync::watch::channel(0);
    let silent = tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            open.push(listener.accept().await.unwrap());
            count.send_replace(open.len());
        }
    });
    let address = SecretString::from(format!("redis://127.0.0.1:{port}"));
    let store = Redis::open_with_patience(&address, Duration::from_millis(100)).unwrap();
    for _ in 0..3 {
        let asked = tokio::time::timeout(Duration::from_secs(5), store.reachable()).await;
        let error = asked.expect("the store waits no longer than its patience").unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    }
    let anew = tokio::time::timeout(Duration::from_secs(5), counted.wait_for(|count| *count >= 2)).await;
    anew.expect("a second connection").unwrap();
    silent.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_is_replaced() {
    let server = servers::Redis::start().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = SecretString::from(format!("redis://{}", listener.local_addr().unwrap()));
    let (silence, silenced) = tokio::sync::watch::channel(false);
    let port = server.port();
    // The first connection passes nothing on once it is silenced, and is not closed either; later ones work.
    let relay = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let mut upstream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut told = silenced.clone();
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut first, &mut upstream) => {}
            _ = told.wait_for(|silent| *silent) => {}
        }
        loop {
            let (mut later, _) = listener.accept().await.unwrap();
            let mut upstream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut later, &mut upstream).await });
        }
    });
    let store = Redis::open_with_patience(&address, Duration::from_millis(200)).unwrap();
    store.reachable().await.unwrap();
    silence.send_replace(true);
    let error = store.reachable().await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    works_again(&store).await;
    relay.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_clock_set_back_repeats_neither_a_revision_nor_a_token() {
    let server = servers::Redis::start().unwrap();
    let (store, names) = (redis_at(server.url()), Names::new());
    let (key, lease) = (names.key(&["link"]), names.key(&["lease"]));
    // What a server whose clock was far ahead has left.
    let ahead = 5_000_000_000_000_000_u64;
    let counter = format!("{}%revision", key.scope());
    let _: String = raw(&server, &["SET", &counter, &ahead.to_string()]).await;
    let place = format!("{lease}%lease");
    let left = ["HSET", &place, "holder", "me", "token", &ahead.to_string(), "until", "0"];
    let _: u64 = raw(&server, &left).await;
    assert_eq!(done(&store, Batch::new().then(set(&key, "v"))).await, ahead + 1);
    assert_eq!(token(&store, &lease, "me", LONG).await, Some(ahead + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_to_a_server_that_became_a_replica_may_be_tried_again() {
    let server = servers::Redis::start().unwrap();
    let (store, key) = (redis_at(server.url()), Names::new().key(&["a"]));
    done(&store, Batch::new().then(set(&key, "one"))).await;
    let port = servers::free_port().to_string();
    let _: String = raw(&server, &["REPLICAOF", "127.0.0.1", &port]).await;
    let error = store.apply(Batch::new().then(set(&key, "never"))).await.unwrap_err();
    assert!(error.is_transient(), "{}", everything_said(&error));
    let _: String = raw(&server, &["REPLICAOF", "NO", "ONE"]).await;
    done(&store, Batch::new().then(set(&key, "two"))).await;
    assert_eq!(value(&store, &key).await.as_deref(), Some("two"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_refuses_the_whole_batch_and_may_be_tried_again() {
    let server = servers::Redis::start().unwrap();
    let (store, names) = (redis_at(server.url()), Names::new());
    let (one, two) = (names.key(&["one"]), names.key(&["two"]));
    done(&store, Batch::new().then(set(&one, "here"))).await;
    let _: String = raw(&server, &["CONFIG", "SET", "maxmemory", "1"]).await;
    let batch = Batch::new().then(crate::Change::Delete(one.clone())).then(set(&two, "never"));
    let error = store.apply(batch).await.unwrap_err();
    assert!(error.is_transient(), "{}", everything_said(&error));
    assert_eq!((value(&store, &one).await.as_deref(), value(&store, &two).await), (Some("here"), None));
    let _: String = raw(&server, &["CONFIG", "SET", "maxmemory", "0"]).await;
    done(&store, Batch::new().then(set(&two, "there"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_lose_what_it_acknowledged_is_called_weak() {
    let server = servers::Redis::start().unwrap();
    let store = redis_at(server.url());
    assert_eq!(store.durability().await.unwrap(), Durability::Durable);
    let cases = [
        ["appendfsync", "everysec", "always"],
        ["appendonly", "no", "yes"],
        ["maxmemory-policy", "allkeys-lru", "noeviction"],
    ];
    let _: String = raw(&server, &["CONFIG", "SET", "maxmemory", "100mb"]).await;
    for [setting, bad, good] in cases {
        let _: String = raw(&server, &["CONFIG", "SET", setting, bad]).await;
        let durability = store.durability().await.unwrap();
        let told = matches!(&durability, Durability::Weak { reason } if reason.contains(setting));
        assert!(told, "{setting} {bad}: {durability:?}");
        let _: String = raw(&server, &["CONFIG", "SET", setting, good]).await;
    }
    assert_eq!(store.durability().await.unwrap(), Durability::Durable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hides_its_configuration_is_called_weak() {
    let server = servers::Redis::start().unwrap();
    let user = ["ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-config"];
    let _: String = raw(&server, &user).await;
    let store = redis_at(format!("redis://limited:secret@127.0.0.1:{}", server.port()));
    assert!(matches!(store.durability().await.unwrap(), Durability::Weak { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_never_repeated_and_the_right_one_works_without_a_restart() {
    let server = servers::Redis::start().unwrap();
    let store = redis_at(format!("redis://tandem:hunter2@127.0.0.1:{}", server.port()));
    let error = store.reachable().await.unwrap_err();
    assert!(matches!(error, StoreError::Denied { .. }) && !error.is_transient(), "{error:?}");
    let said = format!("{} {store:?}", everything_said(&error));
    assert!(!said.contains("hunter2"), "{said}");
    let _: String = raw(&server, &["ACL", "SETUSER", "tandem", "on", ">hunter2", "~*", "+@all"]).await;
    store.reachable().await.unwrap();
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_refused_without_repeating_it() {
    for address in
        ["", "localhost", "http://x:hunter2@localhost", "redis://x:hunter2@", "redis://:hunter2@h:x"]
    {
        let error = Redis::open(&SecretString::from(address)).unwrap_err();
        assert!(matches!(error, StoreError::Address { .. }) && !error.is_transient(), "{error:?}");
        assert!(!everything_said(&error).contains("hunter2"), "{error:?}");
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn a_build_without_tls_says_so() {
    let error = Redis::open(&SecretString::from("rediss://localhost")).unwrap_err();
    assert!(error.to_string().contains("TLS"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_is_called_damaged() {
    let server = servers::Redis::start().unwrap();
    let (store, names) = (redis_at(server.url()), Names::new());
    let half = names.key(&["half"]);
    let _: u64 = raw(&server, &["HSET", half.as_str(), "v", "value"]).await;
    let text = names.key(&["text"]);
    let _: String = raw(&server, &["SET", text.as_str(), "value"]).await;
    let number = names.key(&["number"]);
    let _: u64 = raw(&server, &["HSET", number.as_str(), "r", "x", "v", "value"]).await;
    for key in [half, text, number] {
        let error = store.get(&key).await.unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt { key: at, .. } if *at == key), "{error:?}");
        assert!(!error.is_transient());
    }
}
