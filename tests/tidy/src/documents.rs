use std::collections::BTreeSet;
use std::path::Path;

use crate::files::files;
use crate::metadata::top;

const DOCUMENTS: [&str; 2] = ["README.md", "ARCHITECTURE.md"];

/// Letters after which a word is a pattern and no longer a path.
const PATTERN: &[char] = &['*', '{', '<', '[', '$', '?'];

#[test]
fn the_documents_are_there() {
    for document in DOCUMENTS {
        assert!(top().join(document).is_file(), "{document} is missing");
    }
}

#[test]
fn every_path_that_a_document_names_exists() {
    let folders = top_folders();
    let mut missing = Vec::new();
    for file in
        files().iter().filter(|file| DOCUMENTS.iter().any(|document| file.path == Path::new(document)))
    {
        for path in paths(file.text.as_deref().unwrap_or_default(), &folders) {
            if !top().join(&path).exists() {
                missing.push(format!("{} names {path}, which does not exist", file.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

/// The folders at the top, and no others: `target/release` is a path that exists after a build only.
fn top_folders() -> BTreeSet<String> {
    files()
        .iter()
        .filter(|file| file.path.components().count() > 1)
        .filter_map(|file| file.path.components().next())
        .map(|folder| folder.as_os_str().to_string_lossy().into_owned())
        .collect()
}

/// The paths that a page names in code (between backticks, or in a fenced block) and as targets of links.
fn paths(page: &str, folders: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut fenced = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.extend(words(line, folders));
        } else {
            found.extend(line.split('`').skip(1).step_by(2).flat_map(|code| words(code, folders)));
            found.extend(links(line));
        }
    }
    found
}

fn words<'a>(code: &'a str, folders: &'a BTreeSet<String>) -> impl Iterator<Item = String> + 'a {
    code.split(|letter: char| letter.is_whitespace() || "\"'(),;=".contains(letter)).filter_map(|word| {
        let word = word.strip_prefix("./").unwrap_or(word);
        let (folder, _) = word.split_once('/')?;
        folders.contains(folder).then(|| without_pattern(word))
    })
}

/// The part of a path before a pattern, and without a line number or a full stop after it.
fn without_pattern(word: &str) -> String {
    let path = match word.find(PATTERN) {
        Some(end) => word[..end].rsplit_once('/').map_or("", |(folder, _)| folder),
        None => word,
    };
    let path = path.split_once(':').map_or(path, |(path, _)| path);
    path.trim_end_matches(['.', '/', '…']).to_owned()
}

fn links(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split_once(')')?.0.split('#').next()?;
        let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
        (!elsewhere).then(|| target.to_owned())
    })
}

#[test]
fn paths_are_found_in_code_in_blocks_and_in_links() {
    let folders = BTreeSet::from(["tests".to_owned(), "shared".to_owned()]);
    let page = "Run `tests/run --help`, not tests/other; see `shared/{model,link}/src`, `shared/model/src/lib.rs:12`\n\
                and [the page](docs/page.md#part), [elsewhere](https://example.com/a), `amq/topic`.\n\
                ```\n$ ./tests/first && cargo run\n```\n`tests/*/src` `shared/store/`";
    let found = paths(page, &folders);
    let expected = [
        "docs/page.md",
        "shared",
        "shared/model/src/lib.rs",
        "shared/store",
        "tests",
        "tests/first",
        "tests/run",
    ];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}
