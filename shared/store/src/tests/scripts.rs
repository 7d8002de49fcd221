//! Scripts are run by their hash, and told anew to a server that has forgotten them.

use std::time::Duration;

use tokio::task::JoinSet;

use super::{Names, add, done, redis_at, token};
use crate::{Applied, Batch, Leased, Store};

const LONG: Duration = Duration::from_mins(10);

/// How often the server was asked to do what a script does, by what it was asked with: `evalsha` or `eval`.
fn calls(server: &servers::Redis, command: &str) -> u64 {
    let told = server.command("INFO commandstats").unwrap();
    let line = told.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_script_is_told_once_and_again_after_it_was_forgotten() {
    let server = servers::Redis::start().unwrap();
    let (store, names) = (redis_at(server.url()), Names::new());
    let (key, lease) = (names.key(&["all"]), names.key(&["lease"]));
    for round in 1..=3 {
        for _ in 0..3 {
            done(&store, Batch::new().then(add(&key, "m"))).await;
            assert!(token(&store, &lease, "me", LONG).await.is_some());
            store.release(&lease, "me").await.unwrap();
        }
        assert_eq!(calls(&server, "eval"), 3 * round, "each of the three is told once");
        assert_eq!(calls(&server, "evalsha"), 9 * round);
        server.must("SCRIPT FLUSH").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_are_run_while_the_server_forgets_them_all_the_time() {
    let server = servers::Redis::start().unwrap();
    let (store, names) = (redis_at(server.url()), Names::new());
    let all = names.key(&["all"]);
    let mut callers = JoinSet::new();
    for caller in 0..16 {
        let (store, all) = (store.clone(), all.clone());
        let lease = names.key(&["lease", &caller.to_string()]);
        callers.spawn(async move {
            for count in 0..40 {
                let batch = Batch::new().then(add(&all, &format!("{caller}-{count}")));
                assert!(matches!(store.apply(batch).await.unwrap(), Applied::Done { .. }));
                let held = store.lease(&lease, "me", LONG).await.unwrap();
                assert!(matches!(held, Leased::Held { .. }));
                store.release(&lease, "me").await.unwrap();
            }
        });
    }
    let mut flushed = 0;
    while !callers.is_empty() {
        server.must("SCRIPT FLUSH").unwrap();
        flushed += 1;
        while let Some(ended) = callers.try_join_next() {
            ended.unwrap();
        }
        tokio::task::yield_now().await;
    }
    assert!(flushed > 20, "{flushed}");
    assert_eq!(store.count(&all).await.unwrap(), 16 * 40);
}
