#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::child::Child;
use crate::folder::Folder;
use crate::{Error, Result};

/// Variables with this prefix configure our binaries: a started process has only those that its test gives.
const OURS: &str = "TANDEM_";

/// A program that is there: a binary of this workspace that has been built, or one at a path.
#[derive(Debug, Clone)]
pub struct Binary {
    path: PathBuf,
}

impl Binary {
    /// Finds `target/PROFILE/NAME` beside the test that runs (which lies in `target/PROFILE/deps`).
    ///
    /// # Errors
    ///
    /// [`Error::NotBuilt`]: cargo builds binaries of *other* packages only when it is told to.
    pub fn named(name: &str) -> Result<Self> {
        let test = std::env::current_exe().map_err(Error::io("find the path of the running test"))?;
        let profile = test
            .ancestors()
            .find(|folder| folder.file_name() == Some(OsStr::new("deps")))
            .or(Some(test.as_path()))
            .and_then(Path::parent)
            .unwrap_or(Path::new("/"));
        Self::at(profile.join(name))
    }

    /// The binary at a path.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        if path.is_file() { Ok(Self { path }) } else { Err(Error::NotBuilt { path }) }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// A running program, with its output in files. Dropping it kills it; when the test is failing, the end of
/// its output is printed first.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    folder: Folder,
}

impl Process {
    /// Starts a binary. It sees this process's environment without the variables that start with `TANDEM_`, and
    /// `environment`.
    pub fn spawn<A, K, V>(
        binary: &Binary,
        arguments: impl IntoIterator<Item = A>,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self>
    where
        A: AsRef<OsStr>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let folder = Folder::new(&binary.name())?;
        Self::spawn_in(folder, binary, arguments, environment)
    }

    /// As [`Process::spawn`], with what it reads and keeps in this folder, which goes with it. Its working folder stays
    /// that of the test.
    pub fn spawn_in<A, K, V>(
        folder: Folder,
        binary: &Binary,
        arguments: impl IntoIterator<Item = A>,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self>
    where
        A: AsRef<OsStr>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let mut command = Command::new(&binary.path);
        command.args(
            arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect::<Vec<OsString>>(),
        );
        for name in not_inherited(std::env::vars_os().map(|(name, _)| name)) {
            command.env_remove(name);
        }
        command.envs(environment);
        let child = Child::spawn("process", &command, &folder)?;
        Ok(Self { child, name: binary.name(), folder })
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Asks it to end (`SIGTERM`), and does not wait: see [`Process::wait_for_exit`].
    pub fn terminate(&mut self) -> Result<()> {
        self.child.terminate()
    }

    /// Stops it where it stands (`SIGSTOP`): it holds all that it held and does nothing, until [`Process::resume`].
    pub fn pause(&mut self) -> Result<()> {
        self.child.signal("STOP")
    }

    /// Lets it go on (`SIGCONT`).
    pub fn resume(&mut self) -> Result<()> {
        self.child.signal("CONT")
    }

    /// Ends it with `SIGKILL` and waits until it is gone.
    pub fn kill_nine(&mut self) -> Result<()> {
        self.child.kill_nine()
    }

    /// Waits until it has ended and returns its exit code; `None` when a signal ended it.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] when it still runs after `limit`.
    pub fn wait_for_exit(&mut self, limit: Duration) -> Result<Option<i32>> {
        self.child.wait(limit).map(|status| status.code())
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> Result<bool> {
        self.child.status().map(|status| status.is_none())
    }

    /// Where its output is, and what it was started with.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// All that it has written to its standard output so far.
    pub fn stdout(&self) -> String {
        self.read("process.out")
    }

    /// All that it has written to its standard error so far.
    pub fn stderr(&self) -> String {
        self.read("process.err")
    }

    /// The memory that it holds at this moment, in KiB (`VmRSS`).
    pub fn resident_kib(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.pid());
        let status = fs::read_to_string(&path).map_err(Error::io(format!("read {path}")))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok())
            .ok_or_else(|| Error::Answer { what: path, answer: "no VmRSS: it has ended".to_owned() })
    }

    fn read(&self, file: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join(file)).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the reader of a failed test wants to see what the process said")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for stream in ["process.out", "process.err"] {
                eprintln!("--- {} ({stream}, its end) ---\n{}", self.name, self.folder.tail(stream, 60));
            }
        }
    }
}

fn not_inherited(names: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    names.filter(|name| name.to_string_lossy().starts_with(OURS))
}
