//! The images, built and started: by command only, for it takes an engine and half an hour.

use std::process::Command;

use manifests::{compose, top};
use servers::package::skipped;

/// Set by `tests/run --images`.
const VARIABLE: &str = "TANDEM_IMAGES";
/// What the script ends with where no engine can be had.
const NO_ENGINE: i32 = 77;

#[tokio::test]
async fn all_images_are_built_and_their_services_come_up_healthy() {
    if std::env::var_os(VARIABLE).is_none() {
        return skipped(&"no image is built here: tests/run --images builds them all");
    }
    let compose = match compose().await {
        Ok(compose) => compose,
        Err(missing) => return skipped(&missing),
    };
    let script = top().join("tests/manifests/images/run");
    let ended = Command::new(script).env("COMPOSE", compose).env_remove("CARGO_TARGET_DIR").status().unwrap();
    if ended.code() == Some(NO_ENGINE) {
        return skipped(&"no Docker engine answers, and none can be started here");
    }
    assert!(ended.success(), "{ended}");
}
