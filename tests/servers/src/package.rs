//! Packages that others wrote, from their registries, in versions that tests name, into folders of the target directory,
//! once for all tests.

#![allow(clippy::unwrap_used, reason = "a folder that can't be made ends the test")]

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::run_within;

/// How long one step of an installation may take.
const INSTALLING_MAX: Duration = Duration::from_mins(2);

/// Why a package can't be had on this machine.
#[derive(Debug)]
pub struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Says that a test did not take place. Not by `eprintln`, which the runner keeps for itself when a test passes.
pub fn skipped(why: &impl fmt::Display) {
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).unwrap();
}

/// A package of npm with what it needs; gives the folder that it is in.
pub async fn npm(name: &str, version: &str) -> Result<PathBuf, Missing> {
    installed(name, version, async |folder| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts"]);
        // Without a network each try takes its time.
        npm.args(["--fetch-retries", "1", "--prefix"]).arg(folder).arg(format!("{name}@{version}"));
        run("npm", &mut npm).await
    })
    .await
    .map(|folder| folder.join("node_modules").join(name))
}

/// A package of the Python Package Index, in a virtual environment; gives the environment's folder.
pub async fn python(name: &str, version: &str) -> Result<PathBuf, Missing> {
    installed(name, version, async |folder| {
        let mut make = Command::new("python3");
        run("python3 (apt-get install python3-venv)", make.args(["-m", "venv"]).arg(folder)).await?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        pip.args(["--retries", "1", &format!("{name}=={version}")]).env_remove("PYTHONPATH");
        run("pip", &mut pip).await
    })
    .await
}

/// The program of this name that the machine has.
pub fn program(name: &str) -> Result<PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| Missing(format!("{name} is not on this machine")))
}

/// The folder of a package, which is installed where it is not yet. Tests are processes of their own, so one of them
/// installs and the others wait; what fails half way is made anew.
async fn installed(
    name: &str,
    version: &str,
    install: impl AsyncFnOnce(&Path) -> Result<(), Missing>,
) -> Result<PathBuf, Missing> {
    let packages = target_folder().join("packages");
    fs::create_dir_all(&packages).unwrap();
    let folder = packages.join(format!("{name}-{version}"));
    let lock = File::create(packages.join(format!("{name}.lock"))).unwrap();
    let _held = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await.unwrap().unwrap();
    let whole = folder.join("installed");
    if !whole.exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        install(&folder).await?;
        fs::write(whole, "").unwrap();
    }
    Ok(folder)
}

/// The target directory, in which the test that runs lies in `PROFILE/deps`.
fn target_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let deps = test.ancestors().find(|folder| folder.file_name() == Some(OsStr::new("deps")));
    deps.and_then(|deps| deps.ancestors().nth(2)).unwrap().to_owned()
}

async fn run(what: &str, command: &mut Command) -> Result<(), Missing> {
    let ended = run_within(INSTALLING_MAX, command).await;
    ended.map(drop).map_err(|why| Missing(format!("{what} could not install: {why}")))
}
