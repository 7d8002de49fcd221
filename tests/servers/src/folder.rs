use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Error, Result};

/// What the keeper runs: it waits until its standard input closes, which happens when our process is gone, however
/// it went; then it ends by pid what still runs and removes the folder. `$1` is the folder. A signal that is meant for
/// the whole test run does not keep it from that.
const KEEPER: &str = r#"
trap '' HUP INT TERM
read -r _ || true
for file in "$1"/*.pid; do
    if [ -s "$file" ]; then kill -9 "$(cat "$file")" 2>/dev/null; fi
done
tries=0
while [ -e "$1" ] && [ "$tries" -lt 50 ]; do
    rm -rf "$1" 2>/dev/null || sleep 0.1
    tries=$((tries + 1))
done
"#;

/// A temporary folder with a keeper: a shell that ends the folder's processes and removes it when our own process
/// dies before it could do so itself. Each process of the folder has its pid in a file `NAME.pid`.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    keeper: Child,
}

impl Folder {
    /// Makes a folder whose name starts with `tandem-` and the purpose.
    pub fn new(purpose: &str) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("tandem-{purpose}-"))
            .tempdir()
            .map_err(Error::io("make a temporary folder"))?;
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "tandem-keeper"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(Error::io("start the keeper of a temporary folder"))?;
        Ok(Self { path: folder.keep(), keeper })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path inside the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file inside the folder.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.join(name);
        fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
        Ok(path)
    }

    /// Makes a folder inside the folder.
    pub fn make(&self, name: &str) -> Result<PathBuf> {
        let path = self.join(name);
        fs::create_dir_all(&path).map_err(Error::io(format!("make {}", path.display())))?;
        Ok(path)
    }

    /// The last `lines` lines of a file of the folder, or nothing where it can't be read.
    pub(crate) fn tail(&self, name: &str, lines: usize) -> String {
        let text = String::from_utf8_lossy(&fs::read(self.join(name)).unwrap_or_default()).into_owned();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Folder {
    /// Closing the keeper's input lets it do its work; the processes were ended before, by their own handles.
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
