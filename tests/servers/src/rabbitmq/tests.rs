#![allow(clippy::unwrap_used)]

use super::*;

/// One test and one node, for a start takes 10 s and more.
#[test]
fn a_node_speaks_amqp_comes_back_and_leaves_no_process() {
    let mut node = RabbitMq::start().unwrap();
    let folder = node.folder.path().to_owned();
    let mark = folder.to_string_lossy().into_owned();
    let epmd = format!("-port\0{}\0", node.ports.epmd);
    assert!(greeting(node.port()).unwrap().contains("RabbitMQ"));
    assert!(!running(&mark).is_empty() && running(&epmd).len() == 1, "the marks find the processes");

    node.kill_nine().unwrap();
    assert!(greeting(node.port()).is_err(), "a killed node does not answer");
    node.restart().unwrap();
    assert!(greeting(node.port()).unwrap().contains("RabbitMQ"));

    drop(node);

    assert!(!folder.exists(), "{} is left", folder.display());
    // The node's own children end when they see that it is gone.
    crate::wait_until("the node's processes to end", Duration::from_secs(10), || {
        let left = [running(&mark), running(&epmd)].concat();
        if left.is_empty() { Ok(()) } else { Err(left.join("; ")) }
    });
}

/// The command lines of all processes that hold `mark`.
fn running(mark: &str) -> Vec<String> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .filter(|line| line.contains(mark))
        .collect()
}
