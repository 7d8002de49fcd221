//! The second place of the grant: a file that is replaced as a whole and readable by its owner only.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use super::tokens::Tokens;
use crate::{Error, GrantFileError};

/// A file that holds a grant. Written under the lease on the grant only.
#[derive(Debug, Clone)]
pub(crate) struct GrantFile {
    path: PathBuf,
    /// How a person writes it anew.
    consent_command: String,
}

impl GrantFile {
    pub(crate) fn new(path: PathBuf, consent_command: String) -> Self {
        Self { path, consent_command }
    }

    /// What the file holds; `None` if there is none.
    pub(crate) async fn read(&self) -> Result<Option<Tokens>, Error> {
        let path = self.path.clone();
        let read = ambient::unblock(move || match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        });
        match read.await.map_err(|error| self.failed(GrantFileError::Disk(error)))? {
            None => Ok(None),
            Some(text) => match Tokens::from_json(&text) {
                Some(tokens) => Ok(Some(tokens)),
                None => Err(self.failed(GrantFileError::Content)),
            },
        }
    }

    /// Replaces the file; when this returns, the disk has it.
    pub(crate) async fn write(&self, tokens: &Tokens) -> Result<(), Error> {
        let (path, text) = (self.path.clone(), tokens.to_json());
        let written = ambient::unblock(move || replace(&path, &text));
        written.await.map_err(|error| self.failed(GrantFileError::Disk(error)))
    }

    fn failed(&self, source: GrantFileError) -> Error {
        Error::GrantFile { path: self.path.clone(), command: self.consent_command.clone(), source }
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    // One name for all: what a crash leaves is overwritten and never adds up.
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let mut file = create_private(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    // The name is durable only with its folder.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // What a crash left may have another mode.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}
