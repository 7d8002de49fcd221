//! What one connection has and no other one may have.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use model::ConnectionName;
use url::{Origin, Url};

use crate::config::section::Section;

/// What the connections that were read so far have, and where that is written.
#[derive(Default)]
pub(super) struct Taken {
    /// Names, and the file that each stands in.
    names: BTreeMap<ConnectionName, PathBuf>,
    /// Paths that are posted to.
    callbacks: BTreeMap<String, Written>,
    /// Divisions, by the site that they are on.
    divisions: BTreeMap<(String, NonZeroU32), Written>,
    grant_files: BTreeMap<PathBuf, Written>,
}

/// A key, and the file that it stands in.
struct Written {
    file: PathBuf,
    key: String,
}

impl Taken {
    /// Takes a name, and gives the file of the connection that had it before.
    pub(super) fn name(&mut self, name: &ConnectionName, file: &Path) -> Option<PathBuf> {
        if let Some(other) = self.names.get(name) {
            return Some(other.clone());
        }
        self.names.insert(name.clone(), file.to_owned());
        None
    }

    /// Takes a path that is posted to, and tells the address that had it before.
    pub(super) fn callback(&mut self, path: &str, section: &Section<'_>) -> Option<String> {
        take(&mut self.callbacks, path.to_owned(), section, "url")
    }

    /// Takes a division, and tells the key that named it before.
    pub(super) fn division(
        &mut self,
        url: &Url,
        division: NonZeroU32,
        section: &Section<'_>,
    ) -> Option<String> {
        let site = match url.origin() {
            origin @ Origin::Tuple(..) => origin.ascii_serialization(),
            Origin::Opaque(_) => url.to_string(),
        };
        take(&mut self.divisions, (site, division), section, "division")
    }

    /// Takes the file of a grant, and tells the key that named it before.
    pub(super) fn grant_file(&mut self, file: &Path, section: &Section<'_>) -> Option<String> {
        // One file may be named in several ways. Its folder is there, where anybody needs it; the file may not be yet.
        let folder = file.parent().and_then(|folder| folder.canonicalize().ok());
        let file = match (folder, file.file_name()) {
            (Some(folder), Some(name)) => folder.join(name),
            _ => file.to_owned(),
        };
        take(&mut self.grant_files, file, section, "grant_file")
    }
}

fn take<T: Ord>(
    taken: &mut BTreeMap<T, Written>,
    what: T,
    section: &Section<'_>,
    key: &str,
) -> Option<String> {
    let (file, key) = (section.file(), section.full(key));
    let before = taken.insert(what, Written { file: file.to_owned(), key })?;
    Some(if before.file == file {
        before.key
    } else {
        format!("{} in {}", before.key, before.file.display())
    })
}
