//! The files that a container finds, laid out below a folder of this machine.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::document::{list, text};
use crate::secrets::example;
use crate::{Built, Container, Template};

/// A folder that stands for the root of a container's files. It goes when this is dropped.
#[derive(Debug)]
pub struct Mounted {
    folder: TempDir,
}

impl Mounted {
    /// Lays out what is mounted into a container. Absolute paths in files begin at the folder then.
    ///
    /// # Panics
    ///
    /// Where a volume, a ConfigMap, a Secret or a key of these is not there.
    pub fn of(built: &Built, template: Template<'_>, container: Container<'_>) -> Self {
        let mounted = Self { folder: tempfile::tempdir().unwrap() };
        for mount in list(&container.content["volumeMounts"]) {
            let at = mounted.path(text(&mount["mountPath"]));
            let name = text(&mount["name"]);
            // The volumes of a StatefulSet that are claimed for each pod are empty folders here.
            let files = template.volume(name).map(|volume| files(built, volume)).unwrap_or_default();
            if let Some(file) = mount["subPath"].as_str() {
                let content = files
                    .iter()
                    .find(|(name, _)| name == file)
                    .unwrap_or_else(|| panic!("{name} has no {file}"));
                fs::create_dir_all(at.parent().unwrap()).unwrap();
                fs::write(at, &content.1).unwrap();
                continue;
            }
            fs::create_dir_all(&at).unwrap();
            for (name, content) in files {
                fs::write(at.join(name), mounted.relocated(&content)).unwrap();
            }
        }
        mounted
    }

    /// Where a path of the container is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    /// A text in which the paths of the container are those of this machine.
    pub fn relocated(&self, text: &str) -> String {
        let root = self.folder.path().display().to_string();
        ["/etc/tandem", "/run/secrets", "/var/lib/tandem"]
            .iter()
            .fold(text.to_owned(), |text, path| text.replace(path, &format!("{root}{path}")))
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }
}

/// The files of a volume.
fn files(built: &Built, volume: &Value) -> Vec<(String, String)> {
    if let Some(name) = volume.pointer("/configMap/name") {
        let map =
            built.find("ConfigMap", text(name)).unwrap_or_else(|| panic!("there is no ConfigMap {name}"));
        let data = map.content["data"].as_object().unwrap();
        return data.iter().map(|(name, content)| (name.clone(), text(content).to_owned())).collect();
    }
    let Some(name) = volume.pointer("/secret/secretName").map(text) else { return Vec::new() };
    let Some(keys) = built.secrets.keys(name) else {
        assert!(volume["secret"]["optional"] == true, "nothing makes the Secret {name}");
        return Vec::new();
    };
    let of_key = |key: &str| example(name, key).to_owned();
    match volume.pointer("/secret/items").map(list) {
        None => keys.iter().map(|key| (key.clone(), of_key(key))).collect(),
        Some(items) => items
            .iter()
            .map(|item| {
                let key = text(&item["key"]);
                assert!(keys.contains(key), "the Secret {name} has no {key}");
                (text(&item["path"]).to_owned(), of_key(key))
            })
            .collect(),
    }
}
