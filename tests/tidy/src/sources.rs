use std::path::Path;

use crate::files::{File, files};
use crate::metadata::ours;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "core", "helper", "helpers", "manager", "misc"];

fn rust_places(is_bad: impl Fn(&str) -> bool) -> Vec<String> {
    files().iter().filter(|file| file.is_rust()).flat_map(|file| file.places(&is_bad)).collect()
}

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}\n{}\n", found.join("\n"));
}

fn read(path: &Path) -> &'static File {
    files().iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{} is missing", path.display()))
}

#[test]
fn every_crate_root_starts_with_a_page() {
    let without: Vec<String> = ours()
        .iter()
        .flat_map(|member| &member.roots)
        .filter(|root| !read(root).text.as_deref().unwrap_or_default().starts_with("//! "))
        .map(|root| root.display().to_string())
        .collect();
    assert_none(&without, "a crate's first line is `//! ` and what the crate is for");
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let without: Vec<String> = ours()
        .iter()
        .map(|member| member.folder.join("Cargo.toml"))
        .filter(|path| !read(path).text.as_deref().unwrap_or_default().contains("[lints]\nworkspace = true"))
        .map(|path| path.display().to_string())
        .collect();
    assert_none(&without, "a crate's Cargo.toml has `[lints]` with `workspace = true`");
}

#[test]
fn an_ignored_test_says_why() {
    // In two parts, here and below, so that this file does not hold what it looks for.
    let mark = ["#[", "ignore]"].concat();
    assert_none(
        &rust_places(|line| line.contains(&mark)),
        "write the reason: `= \"...\"`, or remove the test",
    );
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [["to", "do!("].concat(), ["unimple", "mented!("].concat(), ["FIX", "ME"].concat()];
    let found = rust_places(|line| marks.iter().any(|mark| line.contains(mark)));
    assert_none(&found, "finish it, or write an issue");
}

#[test]
fn every_name_says_what_is_inside() {
    let found: Vec<String> = files()
        .iter()
        .filter(|file| file.is_rust())
        .filter(|file| {
            file.path.with_extension("").components().any(|part| {
                let part = part.as_os_str().to_string_lossy();
                EMPTY_NAMES.contains(&part.as_ref())
            })
        })
        .map(|file| file.path.display().to_string())
        .collect();
    assert_none(&found, "name the module after what it holds");
}

#[test]
fn no_file_names_a_path_of_somebodys_machine() {
    let homes = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let found: Vec<String> = files()
        .iter()
        .flat_map(|file| file.places(|line| homes.iter().any(|home| holds_absolute(line, home))))
        .collect();
    assert_none(&found, "a path in the tree is relative to its top");
}

/// Whether `line` holds a path that starts with `prefix`, and not one that has it further on.
fn holds_absolute(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix).any(|(index, _)| {
        let before = line[..index].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "._-/~}>)*".contains(letter))
    })
}

#[test]
fn an_absolute_path_is_told_from_a_longer_one() {
    let prefix = "/somewhere/";
    for line in
        ["/somewhere/a", "see `/somewhere/a`", "DIR=/somewhere/a", "\"/somewhere/a\"", "file:/somewhere/a"]
    {
        assert!(holds_absolute(line, prefix), "{line}");
    }
    for line in ["a/somewhere/b", "https://example.com/somewhere/b", "$D}/somewhere/b", "somewhere/b"] {
        assert!(!holds_absolute(line, prefix), "{line}");
    }
}
