use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use servers::{Binary, Process, wait_until_async};

use crate::Service;

/// On a machine that compiles something else, a process may take long to come up.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A shell that becomes the program, without the signal that ends a process whose file becomes too long.
const LIMITABLE: &str = r#"trap '' XFSZ && exec "$@""#;

/// A process of the product that runs, or ran.
#[derive(Debug)]
pub struct Running {
    /// Which one it is.
    pub service: Service,
    /// The process.
    pub process: Process,
    http: reqwest::Client,
}

impl Running {
    /// Starts it on a configuration file; does not wait for anything.
    pub fn spawn(service: Service, config: &Path) -> Self {
        let binary = Binary::named(service.name()).unwrap();
        let arguments = service.command().iter().map(Path::new).chain([Path::new("--config"), config]);
        let process = Process::spawn(&binary, arguments, [("RUST_BACKTRACE", "1")]).unwrap();
        Self { service, process, http: reqwest::Client::new() }
    }

    /// As [`Running::spawn`], so that its files can be [limited](Self::limit_files): the system refuses what is more, where
    /// it would otherwise end the process.
    pub fn spawn_limitable(service: Service, config: &Path) -> Self {
        let binary = Binary::named(service.name()).unwrap();
        let shell = [Path::new("-c"), Path::new(LIMITABLE), Path::new("sh"), binary.path()];
        let arguments = shell.into_iter().chain(service.command().iter().map(Path::new));
        let arguments = arguments.chain([Path::new("--config"), config]);
        let process =
            Process::spawn(&Binary::at("/bin/sh").unwrap(), arguments, [("RUST_BACKTRACE", "1")]).unwrap();
        Self { service, process, http: reqwest::Client::new() }
    }

    /// Lets none of its files become longer than this, as if the disk were full; with `None`, as long as they like.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let limited = Command::new("prlimit")
            .args(["--pid", &self.process.pid().to_string(), &format!("--fsize={limit}:unlimited")])
            .status()
            .unwrap();
        assert!(limited.success(), "prlimit: {limited}");
    }

    /// The events in its log so far, oldest first.
    pub fn log(&self) -> Vec<Value> {
        self.process.stderr().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Whether its log has an event with this text in its message or its error.
    pub fn has_logged(&self, text: &str) -> bool {
        let holds = |field: &Value| field.as_str().is_some_and(|field| field.contains(text));
        self.log().iter().any(|event| holds(&event["message"]) || holds(&event["error"]))
    }

    /// Where its health port is, once its log has told.
    pub(crate) fn told_address(&self) -> Option<String> {
        let log = self.log();
        let told = log.iter().find(|event| event["message"] == "health listens")?;
        told["address"].as_str().map(str::to_owned)
    }

    /// Waits until its health port is open.
    pub async fn health_address(&self) -> String {
        let what = format!("the health port of {}", self.service.name());
        wait_until_async(&what, STARTS_WITHIN, async || {
            self.told_address().ok_or_else(|| format!("its errors: {}", self.process.stderr()))
        })
        .await
    }

    /// What `/health/ready` answers: whether it is ready, and what it waits for.
    pub async fn readiness(&self) -> (bool, Value) {
        let url = format!("http://{}/health/ready", self.health_address().await);
        match self.http.get(url).send().await {
            Ok(answer) => (answer.status().is_success(), answer.json().await.unwrap_or_default()),
            Err(error) => (false, Value::String(error.to_string())),
        }
    }

    /// Waits until it is ready.
    pub async fn ready(&self, limit: Duration) {
        wait_until_async(&format!("{} to be ready", self.service.name()), limit, async || {
            let name = self.service.name();
            assert!(
                !self.has_logged("stopped after a failure"),
                "{name} has ended: {}",
                self.process.stderr()
            );
            match self.readiness().await {
                (true, _) => Ok(()),
                (false, answer) => Err(answer.to_string()),
            }
        })
        .await;
    }

    /// Asks it to stop and waits; gives its exit code.
    pub fn stop(&mut self, limit: Duration) -> Option<i32> {
        self.process.terminate().unwrap();
        self.process.wait_for_exit(limit).unwrap()
    }
}
