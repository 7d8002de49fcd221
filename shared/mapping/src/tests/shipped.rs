//! The pair files that ship.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{Pair, Reading, meet, writers};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs")
}

fn files() -> Vec<(String, String)> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_shipped_pair_can_work_in_both_readings_beside_the_others() {
    let files = files();
    assert!(!files.is_empty());
    let kept: BTreeSet<_> = files.iter().filter_map(|(_, text)| Pair::name_in(text)).collect();
    for reading in Reading::ALL {
        let pairs = files.iter().map(|(name, text)| Pair::parse(name, text, reading, &kept));
        let pairs: Vec<Pair> = pairs.map(Result::unwrap).collect();
        assert_eq!(meet(&pairs), [], "{reading}");
        assert!(!writers(&pairs).is_empty());
    }
}

#[test]
fn a_shipped_pair_is_called_as_its_file() {
    for (name, text) in files() {
        assert_eq!(Pair::name_in(&text).map(|pair| format!("{pair}.toml")), Some(name));
    }
}

#[test]
fn the_schema_beside_the_shipped_pairs_is_the_one_that_they_are_read_by() {
    let file = folder().join("pair.schema.json");
    let shipped = fs::read_to_string(file).unwrap();
    let again = "write it anew: tandem schema pairs > deploy/pairs/pair.schema.json";
    assert!(shipped == crate::schema(), "{again}");
    for (name, text) in files() {
        assert!(text.starts_with("#:schema pair.schema.json\n"), "{name} names no schema for editors");
    }
}
