#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use super::*;

#[test]
fn data_survives_kill_nine() {
    let mut redis = Redis::start().unwrap();
    assert_eq!(ask(redis.port(), "SET colour blue").unwrap(), "+OK");
    let before = redis.pid();

    redis.kill().unwrap();
    assert!(ask(redis.port(), "PING").is_err(), "a killed server does not answer");
    redis.restart().unwrap();

    assert_ne!(redis.pid(), before);
    assert_eq!(ask(redis.port(), "GET colour").unwrap(), "blue");
    redis.flush_all().unwrap();
    assert_eq!(ask(redis.port(), "GET colour").unwrap(), "$-1", "no value");
}

/// Redis answers `INFO` while it reads its file, and refuses all else.
#[test]
fn a_restart_waits_until_all_data_is_loaded() {
    let mut redis = Redis::start().unwrap();
    let fill = r#"EVAL "for i = 1, 200000 do redis.call('SET', 'key' .. i, i) end return redis.status_reply('OK')" 0"#;
    assert_eq!(ask(redis.port(), fill).unwrap(), "+OK");

    redis.kill().unwrap();
    redis.restart().unwrap();

    assert_eq!(ask(redis.port(), "DBSIZE").unwrap(), ":200000");
}

#[test]
fn nothing_is_left_after_drop() {
    let redis = Redis::start().unwrap();
    let (pid, folder) = (redis.pid(), redis.folder.path().to_owned());
    assert!(process_folder(pid).exists() && folder.exists());

    drop(redis);

    assert!(!process_folder(pid).exists(), "the server still runs");
    assert!(!folder.exists(), "{} is left", folder.display());
}

#[test]
fn many_start_at_once_each_with_a_port_of_its_own() {
    let servers: Vec<_> = (0..8).map(|_| std::thread::spawn(|| Redis::start().unwrap())).collect();
    let servers: Vec<Redis> = servers.into_iter().map(|thread| thread.join().unwrap()).collect();
    let ports: std::collections::BTreeSet<u16> = servers.iter().map(Redis::port).collect();
    assert_eq!(ports.len(), 8);
}

#[test]
fn a_port_that_somebody_holds_is_refused_and_not_taken_for_ours() {
    let other = Redis::start().unwrap();
    let folder = Folder::new("redis").unwrap();
    configure(&folder, other.port(), &[]).unwrap();
    let refused = serve(&folder, other.port());
    assert!(matches!(refused, Err(Error::Ended { .. })), "{refused:?}");
}

/// The old master comes back as one, until the Sentinels tell it otherwise.
#[test]
fn sentinels_promote_a_replica_when_the_master_is_killed() {
    let mut watched = RedisSentinel::start().unwrap();
    assert_eq!(watched.master().unwrap(), 0);
    assert_eq!(watched.servers()[0].command("SET colour blue").unwrap(), "+OK");
    watched.servers()[0].kill().unwrap();
    let promoted = poll("another master", Duration::from_secs(30), || match watched.master() {
        Ok(0) => Err("still the first".to_owned()),
        other => other.map_err(|error| format!("{error:?}")),
    });
    let promoted = promoted.unwrap();
    poll("it to know that it is one", Duration::from_secs(30), || {
        match watched.servers()[promoted].command("SET colour red") {
            Ok(answer) if answer == "+OK" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .unwrap();
    watched.servers()[0].restart().unwrap();
}

#[test]
fn a_cluster_tells_who_has_a_key_and_survives_a_node_s_death() {
    let mut cluster = RedisCluster::start(3, 0).unwrap();
    let answer = cluster.nodes()[0].command("SET {123456789} blue").unwrap();
    // The slot of the key is that of the example in the specification.
    assert!(answer.starts_with("-MOVED 12739 127.0.0.1:"), "{answer}");
    let owner = cluster.master_of(12_739);
    assert_eq!(cluster.nodes()[owner].command("SET {123456789} blue").unwrap(), "+OK");
    cluster.nodes()[owner].kill().unwrap();
    cluster.nodes()[owner].restart().unwrap();
    cluster.wait_until_whole().unwrap();
    assert_eq!(cluster.nodes()[owner].command("GET {123456789}").unwrap(), "blue");
}

fn process_folder(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}
