use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::folder::Folder;
use crate::wait::poll;
use crate::{Error, Result};

/// Writes its own pid to `$0` and becomes the program, so that the pid is on disk before the program runs.
const WITH_PID_FILE: &str = r#"echo $$ > "$0" && exec "$@""#;

/// A program that runs, in a process group of its own, with its pid in `NAME.pid` of a folder and its output in
/// `NAME.out` and `NAME.err`.
#[derive(Debug)]
pub(crate) struct Child {
    name: &'static str,
    process: std::process::Child,
    ended: Option<ExitStatus>,
    pid_file: std::path::PathBuf,
}

impl Child {
    /// Starts `program`, which must exist, with its arguments, environment and working folder; output is appended.
    pub(crate) fn spawn(name: &'static str, program: &Command, folder: &Folder) -> Result<Self> {
        let pid_file = folder.join(&format!("{name}.pid"));
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(WITH_PID_FILE)
            .arg(&pid_file)
            .arg(program.get_program())
            .args(program.get_args());
        for (key, value) in program.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        if let Some(path) = program.get_current_dir() {
            command.current_dir(path);
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(output(folder, name, "out")?)
            .stderr(output(folder, name, "err")?)
            .process_group(0)
            .spawn()
            .map_err(Error::io(format!("start {name}")))?;
        Ok(Self { name, process, ended: None, pid_file })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How it ended, or `None` while it runs.
    pub(crate) fn status(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.process.try_wait().map_err(Error::io(format!("look after {}", self.name)))?;
            if self.ended.is_some() {
                // The pid may soon be somebody else's: the keeper must not end it.
                let _ = fs::remove_file(&self.pid_file);
            }
        }
        Ok(self.ended)
    }

    /// Says so when it no longer runs.
    pub(crate) fn must_run(&mut self, folder: &Folder) -> Result<()> {
        match self.status()? {
            None => Ok(()),
            Some(status) => Err(Error::Ended {
                what: self.name.to_owned(),
                status: status.to_string(),
                output: format!(
                    "{}\n{}",
                    folder.tail(&format!("{}.out", self.name), 30),
                    folder.tail(&format!("{}.err", self.name), 30)
                ),
            }),
        }
    }

    /// Asks it to end (`SIGTERM`). Nothing happens when it has ended already.
    pub(crate) fn terminate(&mut self) -> Result<()> {
        self.signal("TERM")
    }

    /// Sends a signal. Nothing happens when it has ended already.
    pub(crate) fn signal(&mut self, signal: &str) -> Result<()> {
        if self.status()?.is_some() {
            return Ok(());
        }
        let sent = self.send(signal);
        if self.status()?.is_some() { Ok(()) } else { sent }
    }

    /// Sends a signal to what has not ended as far as [`Child::status`] knows: its pid is nobody else's then.
    pub(crate) fn send(&self, signal: &str) -> Result<()> {
        // The shell's own `kill`: a bare machine has no `/bin/kill`.
        let status = Command::new("sh")
            .args(["-c", "kill \"-$1\" \"$2\"", "sh", signal, &self.pid().to_string()])
            .status()
            .map_err(Error::io(format!("send SIG{signal} to {}", self.name)))?;
        if status.success() {
            Ok(())
        } else {
            Err(Error::Answer { what: format!("kill -{signal} {}", self.pid()), answer: status.to_string() })
        }
    }

    /// Ends it with `SIGKILL` and waits until it is gone. Nothing happens when it has ended already.
    pub(crate) fn kill_nine(&mut self) -> Result<()> {
        if self.status()?.is_some() {
            return Ok(());
        }
        self.process.kill().map_err(Error::io(format!("send SIGKILL to {}", self.name)))?;
        self.wait(Duration::from_secs(30)).map(|_| ())
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        poll(&format!("{} (pid {}) to end", self.name, self.pid()), limit, || match self.status() {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err("still running".to_owned()),
            Err(error) => Err(format!("{error:?}")),
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.kill_nine();
    }
}

fn output(folder: &Folder, name: &str, stream: &str) -> Result<File> {
    let path = folder.join(&format!("{name}.{stream}"));
    File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(Error::io(format!("open {}", path.display())))
}
