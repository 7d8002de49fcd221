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
    let refused = serve(&folder, other.port());
    assert!(matches!(refused, Err(Error::Ended { .. })), "{refused:?}");
}

fn process_folder(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}
