//! A Redis Cluster: no node has all keys, keys move, and nodes die.

use std::time::Duration;

use servers::RedisCluster;
use tokio::time::timeout;

use super::{
    Names, add, all_promises, done, eventually, everything_said, passing, set, token, value, works_again,
};
use crate::{Batch, Check, ClusterServers, Durability, Key, Login, Redis, Store};

/// Of the store in these tests; what waits longer hangs.
const PATIENCE: Duration = Duration::from_secs(1);

fn opened(addresses: &[String]) -> Redis {
    let nodes = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Redis::open_cluster_with_patience(ClusterServers { nodes, login: Login::default() }, PATIENCE).unwrap()
}

/// The slot of a key, as a node tells it.
fn slot(cluster: &mut RedisCluster, key: &Key) -> usize {
    let told = cluster.nodes()[0].command(&format!("CLUSTER KEYSLOT {key}")).unwrap();
    told.trim_start_matches(':').parse().unwrap()
}

/// The scope of a key on each of the three masters.
fn one_on_each(cluster: &mut RedisCluster, names: &Names) -> [String; 3] {
    [0, 1, 2].map(|wanted| {
        let mut scopes = (0..).map(|at| format!("connection-{at}"));
        let is_there = |scope: &String| {
            let slot = slot(cluster, &names.scoped(scope, &[]));
            cluster.master_of(slot) == wanted
        };
        scopes.find(is_there).unwrap()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_holds_on_a_cluster() {
    let cluster = RedisCluster::start(3, 0).unwrap();
    // One node is told, and it tells of the others.
    let store = opened(&cluster.addresses()[..1]);
    all_promises(&store).await;
}

/// Between the two, a key that is still where it was is served there, and one that has gone is asked for elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_move_to_another_node_are_followed() {
    let mut cluster = RedisCluster::start(3, 0).unwrap();
    let store = opened(&cluster.addresses());
    let names = Names::new();
    let [gone, stays, new] = ["gone", "stays", "new"].map(|name| names.key(&[name]));
    let revision = done(&store, Batch::new().then(set(&gone, "one"))).await;
    done(&store, Batch::new().then(add(&stays, "member"))).await;
    let slot = slot(&mut cluster, &gone);
    let from = cluster.master_of(slot);
    let to = (from + 1) % 3;
    let ids: Vec<_> = [from, to].map(|at| cluster.nodes()[at].command("CLUSTER MYID").unwrap()).into();
    let port = cluster.nodes()[to].port();
    cluster.nodes()[to].must(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", ids[0])).unwrap();
    cluster.nodes()[from].must(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", ids[1])).unwrap();
    let counter = format!("{}%revision", gone.scope());
    let moved = format!("MIGRATE 127.0.0.1 {port} \"\" 0 5000 KEYS {gone} {counter}");
    cluster.nodes()[from].must(&moved).unwrap();

    assert_eq!(value(&store, &gone).await.as_deref(), Some("one"));
    assert_eq!(store.members(&stays).await.unwrap().len(), 1);
    assert_eq!(value(&store, &new).await, None);
    // The node has none of the scripts yet.
    let batch = Batch::new().when(Check::Revision(gone.clone(), revision)).then(set(&gone, "two"));
    assert!(done(&store, batch).await > revision);
    assert_eq!(value(&store, &gone).await.as_deref(), Some("two"));

    let left = format!("MIGRATE 127.0.0.1 {port} \"\" 0 5000 KEYS {stays}%set");
    cluster.nodes()[from].must(&left).unwrap();
    for at in [to, from] {
        cluster.nodes()[at].must(&format!("CLUSTER SETSLOT {slot} NODE {}", ids[1])).unwrap();
    }
    assert_eq!(value(&store, &gone).await.as_deref(), Some("two"));
    assert_eq!(store.members(&stays).await.unwrap().len(), 1);
    done(&store, Batch::new().then(set(&new, "three"))).await;
    store.reachable().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_missed_and_its_return_is_seen() {
    let mut cluster = RedisCluster::start(3, 0).unwrap();
    let names = Names::new();
    let keys = one_on_each(&mut cluster, &names).map(|scope| names.scoped(&scope, &["link"]));
    let store = opened(&cluster.addresses());
    for key in &keys {
        done(&store, Batch::new().then(set(key, "before"))).await;
    }
    store.reachable().await.unwrap();
    cluster.nodes()[1].kill().unwrap();
    let asked = timeout(4 * PATIENCE, store.reachable()).await.expect("no longer than its patience");
    assert!(passing(asked).is_none(), "a node is dead");
    // As long as nobody has its keys, the cluster serves no keys at all.
    for key in &keys {
        let asked = eventually("the cluster to be down", async || match store.get(key).await {
            Ok(_) => None,
            error => Some(error),
        });
        assert!(passing(asked.await).is_none());
    }
    cluster.nodes()[1].restart().unwrap();
    works_again(&store).await;
    for key in &keys {
        eventually("the key to be served", async || passing(store.get(key).await)).await;
        assert_eq!(value(&store, key).await.as_deref(), Some("before"));
        done(&store, Batch::new().then(set(key, "after"))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_no_node_has_make_the_store_unreachable() {
    let mut cluster = RedisCluster::start(3, 0).unwrap();
    let store = opened(&cluster.addresses());
    store.reachable().await.unwrap();
    for node in cluster.nodes() {
        // Otherwise the nodes themselves say that the cluster is down.
        node.must("CONFIG SET cluster-require-full-coverage no").unwrap();
        node.command("CLUSTER DELSLOTS 7").unwrap();
    }
    let error = store.reachable().await.unwrap_err();
    assert!(everything_said(&error).contains("no node has some of the keys"), "{}", everything_said(&error));
    assert!(error.is_transient());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_over_from_a_master_that_dies() {
    let mut cluster = RedisCluster::start(3, 1).unwrap();
    for node in cluster.nodes() {
        node.must("CONFIG SET min-replicas-to-write 1").unwrap();
    }
    let names = Names::new();
    let scopes = one_on_each(&mut cluster, &names);
    let keys = scopes.each_ref().map(|scope| names.scoped(scope, &["link"]));
    let lease = names.scoped(&scopes[1], &["lease"]);
    let store = opened(&cluster.addresses());
    let held = token(&store, &lease, "me", Duration::from_mins(10)).await.unwrap();
    let mut newest = 0;
    for count in 0..100 {
        for key in &keys {
            newest = done(&store, Batch::new().then(set(key, &count.to_string()))).await.max(newest);
        }
    }
    cluster.nodes()[1].kill().unwrap();
    // The one replica is a master without a replica then, and may not write before there is one.
    cluster.nodes()[4].must("CONFIG SET min-replicas-to-write 0").unwrap();
    let batch =
        || Batch::new().when(Check::Lease { key: lease.clone(), token: held }).then(set(&keys[1], "after"));
    let after = eventually("a replica to take over", async || {
        let asked = timeout(5 * PATIENCE, store.apply(batch())).await.expect("no longer than its patience");
        assert_eq!(value_of_all_but_one(&store, &keys).await, ["99", "99"]);
        passing(asked)
    });
    let crate::Applied::Done { revision } = after.await else { panic!("the lease was lost") };
    assert!(revision > newest, "{revision} after {newest}");
    assert_eq!(value(&store, &keys[1]).await.as_deref(), Some("after"));
    works_again(&store).await;
}

/// Of the nodes that live. They go on while a fail-over is under way, as long as it takes no longer than they wait for.
async fn value_of_all_but_one(store: &Redis, keys: &[Key; 3]) -> Vec<String> {
    let mut values = Vec::new();
    for key in [&keys[0], &keys[2]] {
        let found = eventually("a node that lives", async || passing(store.get(key).await).flatten()).await;
        values.push(found.value);
    }
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn durability_is_that_of_every_node() {
    let mut cluster = RedisCluster::start(3, 1).unwrap();
    let store = opened(&cluster.addresses()[..1]);
    let weak = async || match store.durability().await.unwrap() {
        Durability::Weak { reason } => reason,
        Durability::Durable => String::new(),
    };
    let said = weak().await;
    assert!(said.contains("min-replicas-to-write") && !said.contains("append"), "{said}");
    for node in cluster.nodes() {
        node.must("CONFIG SET min-replicas-to-write 1").unwrap();
    }
    assert_eq!(weak().await, "");
    // A master and a replica.
    for at in [2, 3] {
        let name = cluster.nodes()[at].address();
        cluster.nodes()[at].must("CONFIG SET appendfsync everysec").unwrap();
        let said = weak().await;
        assert!(said.starts_with(&format!("{name}: set appendfsync always")), "{said}");
        cluster.nodes()[at].must("CONFIG SET appendfsync always").unwrap();
    }
    let dead = cluster.nodes()[5].address();
    cluster.nodes()[5].kill().unwrap();
    let said = weak().await;
    assert!(said.starts_with(&format!("{dead}: it does not answer")), "{said}");
}
