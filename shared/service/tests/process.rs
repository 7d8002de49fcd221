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
    folder: tempfile::TempDir,
}

impl Service {
    fn start(mode: &str, grace_seconds: f64) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), mode, grace_seconds, "")
    }

    /// Starts in a folder with files of its own, and with this at the top of the configuration.
    fn start_in(folder: tempfile::TempDir, mode: &str, grace_seconds: f64, top: &str) -> Self {
        let file = folder.path().join("tandem.toml");
        let text = format!(
            "{top}[health]\nlisten = \"127.0.0.1:0\"\n[shutdown]\ngrace_seconds = {grace_seconds:?}\n[log]\nfilter = \"info\"\n"
        );
        std::fs::write(&file, text).unwrap();
        let mut command = trivial();
        let mut child =
            command.env("TRIVIAL", mode).arg("--config").arg(&file).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut service = Self { child, log, address: String::new(), folder };
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
fn a_second_process_asks_the_one_that_runs() {
    let mut service = Service::start("idle", 5.0);
    let file = service.folder.path().join("known.toml");
    std::fs::write(&file, format!("[health]\nlisten = \"{}\"\n", service.address)).unwrap();
    let asked = |what: &str| {
        let status = trivial().arg("--config").arg(&file).args(["--probe", what]).status();
        status.unwrap().code()
    };
    assert_eq!(asked("live"), Some(0));
    assert_eq!(asked("ready"), Some(1), "it waits for its store");
    service.signal("TERM");
    service.ended();
    assert_eq!(asked("live"), Some(1));
    std::fs::write(&file, "[health]\nlisten = \"here\"\n").unwrap();
    assert_eq!(asked("live"), Some(64));
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

/// A folder with a file for each of these connections.
fn with_connections(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("connections")).unwrap();
    for name in names {
        write_connection(folder.path(), name, 300);
    }
    folder
}

fn write_connection(folder: &std::path::Path, name: &str, calls_per_minute: u32) {
    let token = folder.join(format!("connections/{name}-token"));
    if !token.exists() {
        std::fs::write(token, "hidden").unwrap();
    }
    let text = format!(
        "[customcrm]\nurl = \"https://{name}.example.com\"\ntoken_file = \"{name}-token\"\ncalls_per_minute = {calls_per_minute}\n"
    );
    std::fs::write(folder.join(format!("connections/{name}.toml")), text).unwrap();
}

impl Service {
    /// Asks for the configuration to be read anew, and waits for what is told of it.
    fn reload(&mut self) -> Value {
        self.signal("HUP");
        self.line("the configuration is read anew")
    }

    /// The next so many lines with this message, by their connections.
    fn connections(&mut self, message: &str, count: usize) -> Vec<String> {
        let name = |line: Value| line["connection"].as_str().unwrap().to_owned();
        let mut names: Vec<_> = (0..count).map(|_| name(self.line(message))).collect();
        names.sort();
        names
    }

    /// Waits until these and no others are told of.
    fn tells_of(&self, names: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let (_, body) = self.get("/health/ready");
            let body: Value = serde_json::from_str(&body).unwrap();
            let rests: Vec<_> = body["rests"].as_object().unwrap().keys().cloned().collect();
            if rests == names {
                return;
            }
            assert!(Instant::now() < deadline, "{rests:?} are told of, not {names:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// How often the configuration was read anew with this result.
    fn reloads(&self, result: &str) -> u32 {
        let (_, metrics) = self.get("/metrics");
        let line = format!("tandem_configuration_reloads_total{{result=\"{result}\"");
        let found = metrics.lines().find(|text| text.starts_with(&line));
        found.map_or(0, |text| text.rsplit(' ').next().unwrap().parse().unwrap())
    }
}

#[test]
fn a_hang_up_reads_the_configuration_anew_and_only_what_changed_begins_anew() {
    let folder = with_connections(&["acme", "beta", "gamma"]);
    let mut service = Service::start_in(folder, "connections", 5.0, "connections = \"connections\"\n");
    assert_eq!(service.connections("begun", 3), ["acme", "beta", "gamma"]);
    let folder = service.folder.path().to_owned();

    write_connection(&folder, "delta", 300);
    std::fs::write(folder.join("connections/beta-token"), "hidden-and-new").unwrap();
    std::fs::remove_file(folder.join("connections/gamma.toml")).unwrap();
    let told = service.reload();
    assert_eq!(
        (&told["added"], &told["changed"], &told["removed"]),
        (&"delta".into(), &"beta".into(), &"gamma".into())
    );
    assert_eq!(told["connections"], 3);
    service.line("the connection has ended");
    assert_eq!(service.reloads("applied"), 1);
    let told = service.reload();
    assert_eq!((&told["added"], &told["changed"], &told["removed"]), (&"".into(), &"".into(), &"".into()));
    service.tells_of(&["acme", "beta", "delta"]);

    service.signal("TERM");
    assert_eq!(service.connections("ended", 3), ["acme", "beta", "delta"]);
    assert_eq!(service.ended().code(), Some(0));
}

#[test]
fn a_configuration_that_can_t_work_is_told_with_every_problem_and_changes_nothing() {
    let folder = with_connections(&["acme", "beta"]);
    let mut service = Service::start_in(folder, "connections", 5.0, "connections = \"connections\"\n");
    service.connections("begun", 2);
    let folder = service.folder.path().to_owned();
    std::fs::remove_file(folder.join("connections/acme.toml")).unwrap();
    std::fs::write(
        folder.join("connections/beta.toml"),
        "[customcrm]\nurl = \"https://a:hidden@example.com\"\n",
    )
    .unwrap();
    write_connection(&folder, "Gamma", 300);
    service.signal("HUP");
    let line = service.line("the configuration can't be read anew: all goes on as it was");
    assert_eq!(line["level"], "error");
    let told = line["error"].as_str().unwrap();
    assert!(told.starts_with("the configuration has 3 problem(s)\n"), "{told}");
    for problem in [
        "Gamma.toml: name = \"Gamma\"",
        "beta.toml:1: customcrm.token_file: is missing",
        "beta.toml:2: customcrm.url: holds credentials",
    ] {
        assert!(told.contains(problem), "{told}");
    }
    assert!(!told.contains("hidden"), "{told}");
    assert_eq!((service.reloads("refused"), service.reloads("applied")), (1, 0));

    // What only the service itself knows it can't work with is refused as well.
    std::fs::remove_file(folder.join("connections/Gamma.toml")).unwrap();
    write_connection(&folder, "beta", 5_000);
    service.signal("HUP");
    let line = service.line("the configuration can't be read anew: all goes on as it was");
    assert!(line["error"].as_str().unwrap().contains("beta.customcrm.calls_per_minute = 5000"), "{line}");

    // Files of a folder that is gone are no connections that were taken away.
    std::fs::rename(folder.join("connections"), folder.join("elsewhere")).unwrap();
    service.signal("HUP");
    let line = service.line("the configuration can't be read anew: all goes on as it was");
    assert!(line["error"].as_str().unwrap().contains("cannot be read: No such file"), "{line}");
    assert_eq!(service.reloads("refused"), 3);
    service.tells_of(&["acme", "beta"]);
    service.signal("TERM");
    assert_eq!(service.connections("ended", 2), ["acme", "beta"]);
    assert_eq!(service.ended().code(), Some(0));
}

#[test]
fn what_can_t_change_while_it_runs_is_told_by_name_and_the_rest_comes_into_force() {
    let folder = with_connections(&["acme"]);
    let mut service = Service::start_in(folder, "connections", 5.0, "connections = \"connections\"\n");
    service.connections("begun", 1);
    let folder = service.folder.path().to_owned();
    write_connection(&folder, "beta", 300);
    let text = "namespace = \"other\"\nconnections = \"connections\"\n[health]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"debug\"\n";
    std::fs::write(folder.join("tandem.toml"), text).unwrap();
    let told = service.reload();
    assert_eq!(told["added"], "beta");
    let line = service.line("what has changed there needs a restart, and stays as it was until then");
    assert_eq!(
        (&line["level"], &line["keys"]),
        (&"warn".into(), &"namespace, log.filter, shutdown.grace_seconds".into())
    );
    assert_eq!(service.connections("begun", 1), ["beta"]);
    assert_eq!(service.reloads("restart-needed"), 1);
}

#[test]
fn a_service_that_can_t_work_with_a_configuration_says_so_before_anything_starts() {
    let folder = with_connections(&[]);
    write_connection(folder.path(), "acme", 5_000);
    let file = folder.path().join("tandem.toml");
    std::fs::write(&file, "connections = \"connections\"\n").unwrap();
    let output = trivial().env("TRIVIAL", "connections").arg("--config").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        shown,
        "trivial: the configuration has 1 problem(s)\n  tandem.toml: connection.acme.customcrm.calls_per_minute = 5000: is more than it can do; write 1000 at most\n"
    );
    let misused = trivial().args(["--pair", "customer-account"]).output().unwrap();
    assert_eq!(misused.status.code(), Some(64), "this service has no pairs to choose from");
}
