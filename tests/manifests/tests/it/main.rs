//! The rules that images, the Compose file and the manifests keep.

#![allow(clippy::unwrap_used)]

mod compose;
mod configuration;
mod dockerfile;
mod images;
mod linter;
mod pods;
mod reach;
mod references;
mod scaling;
mod schemas;

use manifests::Built;
use servers::package::skipped;

/// All overlays and examples, or nothing where a tool can't be had: then that is told.
async fn each_built() -> Option<Vec<Built>> {
    match Built::each().await {
        Ok(built) => Some(built),
        Err(missing) => {
            skipped(&missing);
            None
        }
    }
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
