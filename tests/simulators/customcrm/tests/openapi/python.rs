//! A Python of its own for schemathesis, kept in the target folder from run to run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use servers::run_within;
use tempfile::TempDir;
use tokio::process::Command;

/// What is installed, all of it.
const REQUIREMENTS: &str = include_str!("requirements.txt");
/// How long an installation may take.
const INSTALLING_MAX: Duration = Duration::from_mins(2);
/// How long a program may run.
const RUNNING_MAX: Duration = Duration::from_mins(3);

/// An interpreter with what `requirements.txt` names, and a folder for what it writes.
pub(crate) struct Python {
    interpreter: PathBuf,
    folder: TempDir,
}

impl Python {
    /// Finds it, or makes it. Where pip finds packages is the machine's to say. An error tells why there can be none
    /// here.
    pub(crate) async fn ready() -> Result<Self, String> {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi");
        fs::create_dir_all(&kept).unwrap();
        // Each test is a process: the first one installs, and the others wait for it.
        let turn = File::create(kept.join("lock")).unwrap();
        turn.lock().unwrap();
        let version = run_within(INSTALLING_MAX, Command::new("python3").arg("--version")).await?;
        let wanted = format!("{}{REQUIREMENTS}", String::from_utf8_lossy(&version.stdout));
        let (venv, installed) = (kept.join("venv"), kept.join("installed"));
        let python = Self { interpreter: venv.join("bin/python"), folder: tempfile::tempdir().unwrap() };
        if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
            return Ok(python);
        }
        if venv.exists() {
            fs::remove_dir_all(&venv).unwrap();
        }
        let made = run_within(INSTALLING_MAX, Command::new("python3").args(["-m", "venv"]).arg(venv)).await;
        made.map_err(|why| {
            format!("python3 makes no virtual environment (apt-get install python3-venv): {why}")
        })?;
        python.install().await?;
        fs::write(installed, wanted).unwrap();
        Ok(python)
    }

    async fn install(&self) -> Result<(), String> {
        let requirements = self.folder.path().join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS).unwrap();
        let mut pip = self.command();
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        // Without a network each try takes its time.
        pip.args(["--retries", "1", "--no-deps", "--requirement"]).arg(requirements);
        let installed = run_within(INSTALLING_MAX, &mut pip).await;
        installed.map(drop).map_err(|why| format!("pip could not install schemathesis: {why}"))
    }

    /// Lets schemathesis try the operations whose path matches; panics with its report when it finds something.
    pub(crate) async fn schemathesis(&self, base_url: &str, token: &str, paths: &str) {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi");
        let mut command = self.command();
        command.args(["-m", "schemathesis.cli", "--config-file"]).arg(beside.join("schemathesis.toml"));
        command.arg("run").arg(format!("{base_url}/openapi.json"));
        command.arg("--header").arg(format!("Authorization: Bearer {token}"));
        command.args(["--include-path-regex", paths]);
        command.env("PYTHONPATH", beside);
        if let Err(why) = run_within(RUNNING_MAX, &mut command).await {
            panic!("{why}");
        }
    }

    /// Lets openapi-spec-validator read a description; panics with its words when it finds something.
    pub(crate) async fn validate(&self, description: &[u8]) {
        let file = self.folder.path().join("openapi.json");
        fs::write(&file, description).unwrap();
        let mut command = self.command();
        command.args(["-m", "openapi_spec_validator", "--schema", "3.1"]).arg(file);
        if let Err(why) = run_within(RUNNING_MAX, &mut command).await {
            panic!("{why}");
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.interpreter);
        // No compiled files beside the hooks; and none but the packages of this environment.
        command.arg("-B").env_remove("PYTHONPATH").current_dir(self.folder.path());
        // The machine may reach the index through a proxy. The simulator is here.
        command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1").env("NO_COLOR", "1");
        command
    }
}
