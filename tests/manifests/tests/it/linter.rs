//! What a linter of security has to say: nothing, but for what an annotation or a comment gives the reason of.

use std::fs;

use manifests::{checkov, top};
use servers::package::skipped;

use crate::{assert_none, each_built};

#[tokio::test]
async fn the_manifests_pass_a_linter_of_security() {
    let Some(built) = each_built().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifests.json");
    // All in one file, for the program takes seconds to start.
    let documents: Vec<_> =
        built.iter().flat_map(|built| &built.own).map(|document| document.content.to_string()).collect();
    fs::write(file.with_extension("yaml"), documents.join("\n---\n")).unwrap();
    match checkov("kubernetes", &file.with_extension("yaml")).await {
        Err(missing) => skipped(&missing),
        Ok(found) => assert_none(&found),
    }
}

#[tokio::test]
async fn an_exception_gives_its_reason() {
    let Some(built) = each_built().await else { return };
    for document in built.iter().flat_map(|built| &built.own) {
        let notes = document.content["metadata"]["annotations"].as_object();
        for (key, note) in notes.into_iter().flatten().filter(|(key, _)| key.starts_with("checkov.io/skip")) {
            let (check, reason) = note.as_str().unwrap().split_once('=').unwrap_or_default();
            assert!(
                check.starts_with("CKV") && reason.split_whitespace().count() > 4,
                "{document}: {key}: {note}"
            );
        }
    }
}

#[tokio::test]
async fn the_dockerfile_passes_a_linter_of_security() {
    match checkov("dockerfile", &top().join("deploy/docker/Dockerfile")).await {
        Err(missing) => skipped(&missing),
        Ok(found) => assert_none(&found),
    }
}
