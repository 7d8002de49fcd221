//! A Python of its own for packages of the Python Package Index.

use std::path::{Path, PathBuf};
use std::time::Duration;

use servers::run_within;
use tempfile::TempDir;
use tokio::process::Command;

/// How long an installation may take: some ten packages, mostly without compiling.
const INSTALLING_MAX: Duration = Duration::from_mins(1);
/// How long a script may take.
const RUNNING_MAX: Duration = Duration::from_mins(1);

/// An interpreter with packages, in a folder that goes with it.
pub(crate) struct Python {
    folder: TempDir,
}

impl Python {
    /// Makes one with a package and with these of what it needs: others that it names it does not use. Where pip finds
    /// them is the machine's to say. An error tells why there can be none here.
    pub(crate) async fn with(package: &str, needed: &[&str]) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let venv = folder.path().join("venv");
        let mut make = Command::new("python3");
        let made = run_within(INSTALLING_MAX, make.args(["-m", "venv"]).arg(venv)).await;
        made.map_err(|why| {
            format!("python3 makes no virtual environment (apt-get install python3-venv): {why}")
        })?;
        let python = Self { folder };
        if !needed.is_empty() {
            python.install(needed).await?;
        }
        python.install(&["--no-deps", package]).await?;
        Ok(python)
    }

    async fn install(&self, arguments: &[&str]) -> Result<(), String> {
        let mut pip = self.command();
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        // Without a network each try takes its time.
        let installed = run_within(INSTALLING_MAX, pip.args(["--retries", "1"]).args(arguments)).await;
        let packages = arguments.join(" ");
        installed.map(drop).map_err(|why| format!("pip could not install {packages}: {why}"))
    }

    /// Runs a script of this folder with an argument and these variables; panics with its words when it fails.
    pub(crate) async fn run(&self, script: &str, argument: &str, variables: &[(&str, String)]) {
        let mut command = self.command();
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script)).arg(argument);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        if let Err(why) = run_within(RUNNING_MAX, &mut command).await {
            panic!("{script}: {why}");
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.interpreter());
        // No compiled files beside the scripts; and none but the packages of this environment.
        command.arg("-B").env_remove("PYTHONPATH").current_dir(self.folder.path());
        // The machine may reach the index through a proxy. The simulator is here.
        command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command
    }

    fn interpreter(&self) -> PathBuf {
        self.folder.path().join("venv/bin/python")
    }
}
