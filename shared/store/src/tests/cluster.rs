//! A Redis Cluster refuses keys of two hash slots in one call, and keys that a script did not name.

use std::process::{Child, Command, Stdio};

use super::{all_promises, eventually, redis_at};
use crate::Store;

/// Runs the server until its standard input ends, so that it does not outlive a test that is killed.
const NODE: &str = r#"redis-server "$@" & node=$!; read -r _; kill -9 $node; wait"#;

/// A cluster of one node, ended with the test.
struct Cluster {
    node: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.node.stdin.take());
        // Fails only if it has ended already.
        let _ = self.node.wait();
    }
}

fn start() -> Cluster {
    let folder = tempfile::tempdir().unwrap();
    let (port, bus) = (servers::free_port(), servers::free_port());
    let node = Command::new("sh")
        .args(["-c", NODE, "node", "--bind", "127.0.0.1"])
        .args(["--port", &port.to_string(), "--cluster-port", &bus.to_string()])
        .args(["--cluster-enabled", "yes", "--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Cluster { node, port, _folder: folder }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_holds_on_a_cluster_node() {
    let cluster = start();
    let url = format!("redis://127.0.0.1:{}", cluster.port);
    let client = ::redis::Client::open(url.as_str()).unwrap();
    let mut connection =
        eventually("the node", async || client.get_multiplexed_async_connection().await.ok()).await;
    let mut slots = ::redis::cmd("CLUSTER");
    slots.arg("ADDSLOTSRANGE").arg(0).arg(16_383);
    let () = slots.query_async(&mut connection).await.unwrap();
    let store = redis_at(url);
    let key = crate::Key::of("probe", "probe", &[]);
    eventually("the cluster to form", async || store.get(&key).await.ok()).await;
    all_promises(&store).await;
}
