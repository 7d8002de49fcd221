//! A folder with a file for each connection.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::ConnectionName;
use toml::de::DeTable;

use super::Reader;
use super::connection::connection_name;
use super::taken::Taken;
use crate::ConnectionConfig;
use crate::config::section::{Report, Section};

impl Reader<'_> {
    /// The connections of a folder, in the order of their names. What is wrong with a file is told of that file.
    pub(super) fn folder_connections(
        &self,
        root: &Section<'_>,
        folder: &str,
        taken: &mut Taken,
    ) -> Vec<Option<ConnectionConfig>> {
        let folder = self.folder.join(folder);
        let files = match connection_files(&folder) {
            Ok(files) => files,
            Err(error) => {
                let what = format!("{} cannot be read: {error}", folder.display());
                root.problem("connections", what, "name the folder that holds a file for each connection");
                return vec![None];
            }
        };
        if files.is_empty() {
            // More often a folder that was not mounted than the last connection that went.
            let what = format!("{} holds no connection (*.toml)", folder.display());
            root.problem("connections", what, "put a file for each connection there, or leave this key out");
            return vec![None];
        }
        // Relative paths begin where they are written.
        let reader = Reader { folder: &folder, ..*self };
        files.iter().map(|file| reader.file_connection(file, taken)).collect()
    }

    fn file_connection(&self, file: &Path, taken: &mut Taken) -> Option<ConnectionConfig> {
        let text = match read(file) {
            Ok(text) => text,
            Err(what) => {
                let report = Report::new(file, "");
                report.of_file("", None, what, "put a file there that this user may read, or take it away");
                self.elsewhere.borrow_mut().extend(report.into_problems());
                return None;
            }
        };
        let report = Report::new(file, &text);
        let connection = self.written_connection(file, &text, &report, taken);
        let problems = report.into_problems();
        let connection = connection.filter(|_| problems.is_empty());
        self.elsewhere.borrow_mut().extend(problems);
        connection
    }

    fn written_connection(
        &self,
        file: &Path,
        text: &str,
        report: &Report<'_>,
        taken: &mut Taken,
    ) -> Option<ConnectionConfig> {
        let name = name(file, report);
        if let Some(name) = &name
            && let Some(other) = taken.name(name, file)
        {
            let what = format!("is the name of a connection in {}", other.display());
            report.of_file("name", Some(name.as_str()), what, "rename one of them");
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            report.not_toml(error);
        }
        if !errors.is_empty() {
            return None;
        }
        let section = Section::root(report, table.get_ref());
        if section.has("connection") {
            let remedy =
                "write its keys at the top of the file, and [customcrm] in place of [connection.customcrm]";
            section.problem_with_secret("connection", "stands in a file that is one connection", remedy);
            return None;
        }
        if section.has("name") {
            section.problem("name", "is given by the name of the file", "leave it out, or rename the file");
        }
        for (side, needed) in [("customcrm", self.needs.customcrm), ("exactonline", self.needs.exactonline)] {
            if needed && !section.has(side) {
                section.problem(side, "is missing", format!("add a section [{side}]"));
            }
        }
        self.connection(section, name, Some(file.to_owned()), taken)
    }
}

/// The connection that a file is called after.
fn name(file: &Path, report: &Report<'_>) -> Option<ConnectionName> {
    let stem = file.file_stem().map(OsStr::to_string_lossy).unwrap_or_default();
    connection_name(&stem)
        .map_err(|what| {
            report.of_file("name", Some(&*stem), what, "rename the file as acme.toml or acme-2.toml");
        })
        .ok()
}

fn read(file: &Path) -> Result<String, String> {
    let is_file = fs::metadata(file).map(|data| data.is_file());
    match is_file.and_then(|is_file| if is_file { fs::read_to_string(file).map(Some) } else { Ok(None) }) {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err("is no file".to_owned()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// What is called `*.toml` in a folder, by name. What begins with a dot is none: editors keep their own files so, and
/// Kubernetes the versions of a mounted folder.
fn connection_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
