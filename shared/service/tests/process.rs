//! A service as a process, seen from outside.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Cargo builds a crate's examples with its tests, beside them.
fn trivial() -> Command {
    let here = std::env::current_exe().unwrap();
    let program: PathBuf = here.ancestors().nth(2).unwrap().join("examples/trivial");
    assert!(program.exists(), "{} is not built; run all of this crate's tests", program.display());
    let mut command = Command::new(program);
    command.env_remove("TANDEM_CONFIG").env_remove("TRIVIAL");
    command
}

/// A running service; it is killed if a test ends early.
struct Service {
    child: Child,
    log: BufReader<ChildStderr>,
    address: String,
    _folder: tempfile::TempDir,
}

impl Service {
    fn start(mode: &str, grace_seconds: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tandem.toml");
        let text = format!(
            "[health]\nlisten = \"127.0.0.1:0\"\n[shutdown]\ngrace_seconds = {grace_seconds:?}\n[log]\nfilter = \"info\"\n"
        );
        std::fs::write(&file, text).unwrap();
        let mut command = trivial();
        let mut child =
            command.env("TRIVIAL", mode).arg("--config").arg(&file).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut service = Self { child, log, address: String::new(), _folder: folder };
        let line = service.line("health listens");
        line["address"].as_str().unwrap().clone_into(&mut service.address);
        service
    }

    /// The next line of the log with this message; fails when the log ends without it.
    fn line(&mut self, message: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "the log ended without {message:?}");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == message {
                return line;
            }
        }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the process does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_service_tells_how_it_stands_and_stops_cleanly_when_asked() {
    for signal in ["TERM", "INT"] {
        let mut service = Service::start("idle", 5.0);
        // It reports from its own task, right after the port is open.
        let deadline = Instant::now() + Duration::from_secs(5);
        while service.get("/health/ready").1.contains("nothing has reported yet") {
            assert!(Instant::now() < deadline, "the service never reported");
        }
        assert_eq!(
            service.get("/health/ready"),
            (503, r#"{"ready":false,"rests":{},"waits_for":{"store":"connection refused"}}"#.to_owned())
        );
        assert_eq!(service.get("/health/live"), (200, r#"{"live":true,"stalled":[]}"#.to_owned()));
        let (status, metrics) = service.get("/metrics");
        assert_eq!(status, 200);
        assert!(metrics.contains("tandem_ready{service=\"trivial\"} 0"), "{metrics}");

        service.signal(signal);
        service.line("stopped");
        assert_eq!(service.ended().code(), Some(0));
    }
}

#[test]
fn a_deaf_task_is_named_and_does_not_hold_up_the_stop() {
    let mut service = Service::start("deaf", 0.5);
    let asked = Instant::now();
    service.signal("TERM");
    let line = service.line("a task did not end well");
    assert_eq!(line["error"], "poll Accounts ignored the shutdown for 500ms");
    assert_eq!(service.ended().code(), Some(1));
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
}

#[test]
fn a_second_signal_ends_the_process_at_once_while_it_tells_that_it_is_stopping() {
    let mut service = Service::start("deaf", 600.0);
    service.signal("TERM");
    service.line("asked to stop");
    let (status, body) = service.get("/health/ready");
    assert_eq!(status, 503);
    assert!(body.contains(r#""shutdown":"the process is stopping""#), "{body}");
    service.signal("TERM");
    service.line("told to stop at once");
    assert_eq!(service.ended().code(), Some(1));
}

#[test]
fn a_failure_ends_the_process_with_all_its_causes_in_the_log() {
    for (mode, cause) in [("fails", "publish failed: connection reset"), ("panics", "publish panicked")] {
        let mut service = Service::start(mode, 5.0);
        if mode == "panics" {
            let line = service.line("panicked");
            assert_eq!(line["panic"], "a defect");
        }
        let line = service.line("stopped after a failure");
        assert_eq!(line["error"], format!("trivial failed: 1 task(s) did not end well: {cause}"));
        assert_eq!(service.ended().code(), Some(1));
    }
}

#[test]
fn what_cannot_be_used_exits_with_64_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tandem.toml");
    std::fs::write(&file, "namespcae = \"x\"\n[log]\nformat = \"xml\"\n").unwrap();
    let output = trivial().arg("--config").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let shown = String::from_utf8(output.stderr).unwrap();
    let file = file.display();
    assert_eq!(
        shown,
        format!(
            "trivial: the configuration has 2 problem(s)\n  \
             {file}:1: namespcae: is not a known key; did you mean namespace?\n  \
             {file}:3: log.format = \"xml\": is not a format; write \"json\" or \"text\"\n"
        )
    );

    let absent = trivial().args(["--config", "/nowhere/tandem.toml"]).output().unwrap();
    assert_eq!(absent.status.code(), Some(64));
    let misused = trivial().arg("--conifg").output().unwrap();
    assert_eq!(misused.status.code(), Some(64));
    let shown = String::from_utf8(misused.stderr).unwrap();
    assert!(shown.contains("--config"), "the right word is offered: {shown}");
}

#[test]
fn help_teaches_and_the_configuration_is_printed_without_its_secrets() {
    let help = trivial().arg("--help").output().unwrap();
    assert!(help.status.success());
    let shown = String::from_utf8(help.stdout).unwrap();
    assert!(shown.contains("[[connection]]") && shown.contains("Exit codes"), "{shown}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tandem.toml");
    std::fs::write(&file, "[broker]\nurl = \"amqp://guest:hidden@127.0.0.1/\"\n").unwrap();
    let printed = trivial().arg("--print-config").arg("--config").arg(&file).output().unwrap();
    assert!(printed.status.success());
    let shown = String::from_utf8(printed.stdout).unwrap();
    assert!(shown.contains("amqp://guest:***@127.0.0.1/") && !shown.contains("hidden"), "{shown}");
}
