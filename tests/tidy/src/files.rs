use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::metadata::top;

/// A file of the tree.
pub(crate) struct File {
    /// Relative to the top of the tree.
    pub(crate) path: PathBuf,
    /// `None` for what is not text.
    pub(crate) text: Option<String>,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "rs")
    }

    /// Where `mark` stands, as `path:line`.
    pub(crate) fn places(&self, is_bad: impl Fn(&str) -> bool) -> Vec<String> {
        let text = self.text.as_deref().unwrap_or_default();
        text.lines()
            .enumerate()
            .filter(|(_, line)| is_bad(line))
            .map(|(index, line)| format!("{}:{}: {}", self.path.display(), index + 1, line.trim()))
            .collect()
    }
}

/// All files of the tree but what is built and what git keeps for itself.
pub(crate) fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut found = Vec::new();
        collect(top(), &mut found);
        assert!(
            found.iter().any(|file| file.path == Path::new("tests/tidy/src/files.rs")),
            "the walk finds files"
        );
        found
    })
}

fn collect(folder: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        let relative = path.strip_prefix(top()).unwrap().to_owned();
        if kind.is_dir() {
            if relative != Path::new(".git") && relative != Path::new("target") {
                collect(&path, found);
            }
        } else if kind.is_file() {
            // A file that an editor removes at this moment is no file of the tree.
            let Ok(bytes) = fs::read(&path) else { continue };
            let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
            found.push(File { path: relative, text });
        }
    }
}
