#![allow(clippy::unwrap_used)]

use super::*;
use crate::wait_until;

const LIMIT: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Process {
    Process::spawn(&Binary::at("/bin/sh").unwrap(), ["-c", script], [("COLOUR", "blue")]).unwrap()
}

#[test]
fn output_and_exit_code_are_kept() {
    let mut process = shell("echo $COLOUR; echo no >&2; exit 7");
    assert_eq!(process.wait_for_exit(LIMIT).unwrap(), Some(7));
    assert_eq!((process.stdout().as_str(), process.stderr().as_str()), ("blue\n", "no\n"));
}

#[test]
fn terminate_lets_a_process_end_in_its_own_way() {
    let mut process = shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
    wait_until("the trap to be set", LIMIT, || {
        if process.stdout() == "ready\n" { Ok(()) } else { Err(process.stdout()) }
    });
    assert!(process.is_running().unwrap() && process.resident_kib().unwrap() > 0);
    process.terminate().unwrap();
    assert_eq!(process.wait_for_exit(LIMIT).unwrap(), Some(3));
    assert_eq!(process.stdout(), "ready\nbye\n");
    process.terminate().unwrap();
}

#[test]
fn a_paused_process_does_nothing_until_it_is_resumed() {
    let mut process = shell("while :; do echo tick; sleep 0.02; done");
    wait_until("the first tick", LIMIT, || if process.stdout().is_empty() { Err("nothing") } else { Ok(()) });
    process.pause().unwrap();
    // What the shell's child was about when its parent stopped may still come.
    std::thread::sleep(Duration::from_millis(100));
    let said = process.stdout();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(process.stdout(), said);
    assert!(process.is_running().unwrap());
    process.resume().unwrap();
    wait_until("another tick", LIMIT, || if process.stdout() == said { Err("nothing") } else { Ok(()) });
}

#[test]
fn a_process_that_ignores_sigterm_is_reported_and_kill_nine_ends_it() {
    let mut process = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
    wait_until("the trap to be set", LIMIT, || {
        if process.stdout() == "ready\n" { Ok(()) } else { Err(process.stdout()) }
    });
    process.terminate().unwrap();
    let waited = process.wait_for_exit(Duration::from_millis(200));
    assert!(matches!(waited, Err(Error::TimedOut { .. })), "{waited:?}");
    process.kill_nine().unwrap();
    assert_eq!(process.wait_for_exit(LIMIT).unwrap(), None);
}

#[test]
fn a_binary_that_is_not_built_is_named_with_what_to_do() {
    let message = format!("{:?}", Binary::named("no-such-service").unwrap_err());
    assert!(message.contains("/no-such-service is not built: run `cargo build"), "{message}");
    assert!(!message.contains("/deps/"), "{message}");
}

/// What a test runner's time-out does: the test process gets no chance to drop anything.
#[test]
fn a_process_ends_with_the_test_process_that_started_it() {
    let folder = Folder::new("keeper-test").unwrap();
    let path = folder.path().to_owned();
    let mut child = Child::spawn("process", Command::new("/bin/sleep").arg("600"), &folder).unwrap();
    wait_until("the pid to be written", LIMIT, || {
        let text = fs::read_to_string(path.join("process.pid")).unwrap_or_default();
        if text.trim() == child.pid().to_string() { Ok(()) } else { Err(text) }
    });

    // All that the keeper sees of our death is that the other end of its pipe closes.
    drop(folder);

    assert_eq!(child.wait(LIMIT).unwrap().code(), None, "ended by a signal");
    assert!(!path.exists());
}

#[test]
fn variables_that_configure_our_binaries_are_not_inherited() {
    let names = ["PATH", "TANDEM_TEST_AMQP_URL", "MY_TANDEM_"].map(OsString::from);
    assert_eq!(not_inherited(names.into_iter()).collect::<Vec<_>>(), ["TANDEM_TEST_AMQP_URL"]);
}
